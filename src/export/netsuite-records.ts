import { type Amount, add, parseAmount } from '../money/amount.ts';
import type { NetsuiteSettings } from '../schema/deliver-netsuite.ts';
import type { LineItem } from '../schema/line-item.ts';
import { dayOf, lastDayBefore } from './civil-day.ts';
import {
    type DeliveryProblem,
    type Invoice,
    moneyText,
    type ProductAmount,
    productAmounts,
} from './invoices.ts';
import { type JsonValue, jsonHash } from './json.ts';
import { netsuiteExternalId } from './netsuite-id.ts';
import { amountProblem, type NetsuiteRow, writtenPrice } from './netsuite-line.ts';
import { compareText } from './order.ts';
import { cutLines, uncutText } from './parts.ts';

/** What NetSuite calls payers and products; null for a name that nobody gave. */
export interface NetsuiteNames {
    readonly payer: (payer_id: string) => string | null;
    readonly product: (product: string) => string | null;
    readonly subsidiary?: (payer_id: string) => string | null;
}

export type NetsuiteRecordType = 'invoice' | 'creditmemo';

/** One transaction: an invoice, or a credit memo for what comes to less than zero. */
export interface NetsuiteRecord {
    readonly invoice: Invoice;
    /** The key of the invoice, and which part of it after the first: `acme/2026-10/USD/2`. */
    readonly key: string;
    readonly line_count: number;
    /** Of ours: a credit memo is below zero. */
    readonly amount: string;
    readonly products: readonly ProductAmount[];
    readonly payload: {
        readonly record_type: NetsuiteRecordType;
        readonly external_id: string;
        /** As it is put, but for numbers, which are decimal text. */
        readonly body: { readonly [field: string]: JsonValue };
    };
}

/** The name of an account or item, as NetSuite refers to it. */
type Reference = { readonly id: string } | { readonly externalId: string };

/**
 * Invoices as transactions of NetSuite. What it would not take, or book otherwise, is a problem and keeps
 * its invoice here. The first part of an invoice has its key, so that it is known there by whatever
 * setting it was cut.
 */
export function netsuiteRecords(
    invoices: readonly Invoice[],
    names: NetsuiteNames,
    settings: NetsuiteSettings,
): { readonly records: readonly NetsuiteRecord[]; readonly problems: readonly DeliveryProblem[] } {
    const made = invoices.map((invoice) => {
        const problems = problemsOf(invoice, names, settings);
        if (problems.length > 0) return { records: [], problems };
        const parts = partsOf(invoice, settings);
        if (parts === null) return { records: [], problems: [uncut(invoice, settings)] };
        return { records: recordsOf(invoice, parts, names, settings), problems };
    });
    return {
        records: made.flatMap(({ records }) => records),
        problems: made.flatMap(({ problems }) => problems),
    };
}

/** Rows of an invoice, cut as the settings say; null for one that can't be cut. */
function partsOf(
    invoice: Invoice,
    { lines_per_invoice: limit, over_limit }: NetsuiteSettings,
): readonly (readonly NetsuiteRow[])[] | null {
    const isLong = invoice.lines.length > limit;
    const isSummed = isLong && over_limit === 'summarise';
    return cutLines(isSummed ? summaryRows(invoice) : invoice.lines.map(rowOf), {
        limit,
        accountOf: ({ account_id }) => account_id,
        amountOf: ({ amount }) => amount,
    });
}

const uncut = ({ invoice_key, lines }: Invoice, settings: NetsuiteSettings): DeliveryProblem => ({
    ...{ code: 'NETSUITE_SPLIT_UNFAIR', severity: 'refused', invoice_key, line_key: null },
    message: `${uncutText(lines.length, settings.lines_per_invoice)}: set \`over_limit: summarise\``,
});

function recordsOf(
    invoice: Invoice,
    parts: readonly (readonly NetsuiteRow[])[],
    names: NetsuiteNames,
    settings: NetsuiteSettings,
): readonly NetsuiteRecord[] {
    const count = parts.length;
    return parts.map((part, index) => {
        const total = part.map(({ amount }) => amount).reduce(add);
        const isCredit = total.units < 0n;
        const key = index === 0 ? invoice.invoice_key : `${invoice.invoice_key}/${index + 1}`;
        const said = count === 1 ? '' : `, part ${index + 1} of ${count}`;
        const items = part.map((row) => itemOf(row, isCredit, names, settings));
        return {
            ...{ invoice, key, line_count: part.length },
            amount: moneyText(total, invoice.currency),
            products: productAmounts(part, invoice.currency),
            payload: {
                record_type: isCredit ? 'creditmemo' : 'invoice',
                external_id: netsuiteExternalId(settings.external_id_prefix, key),
                body: {
                    ...headOf(invoice, names, settings),
                    memo: `Usage ${firstDay(invoice)} to ${lastDay(invoice)}${said}`,
                    item: { items },
                },
            },
        };
    });
}

function headOf(
    invoice: Invoice,
    names: NetsuiteNames,
    settings: NetsuiteSettings,
): { readonly [field: string]: JsonValue } {
    const { payer_id, currency, period_end, time_zone } = invoice;
    const own = names.subsidiary?.(payer_id) ?? null;
    const subsidiary = own === null ? settings.subsidiary : own;
    const isLast = settings.invoice_date === 'last_day';
    return {
        entity: refer(names.payer(payer_id) ?? '', settings),
        ...(subsidiary === undefined
            ? {}
            : { subsidiary: own === null ? { id: subsidiary } : refer(own, settings) }),
        currency: { id: settings.currencies[currency] ?? '' },
        tranDate: isLast ? lastDay(invoice) : dayOf(period_end, time_zone),
        startDate: firstDay(invoice),
        endDate: lastDay(invoice),
        ...(settings.terms === undefined ? {} : { terms: { id: settings.terms } }),
    };
}

const firstDay = ({ period_start, time_zone }: Invoice) => dayOf(period_start, time_zone);
const lastDay = ({ period_end, time_zone }: Invoice) => lastDayBefore(period_end, time_zone);

const refer = (name: string, { references }: NetsuiteSettings): Reference =>
    references === 'internal_id' ? { id: name } : { externalId: name };

function itemOf(
    row: NetsuiteRow,
    isCredit: boolean,
    names: NetsuiteNames,
    settings: NetsuiteSettings,
): JsonValue {
    const { line_key, usage_account, first_day, last_day } = settings.columns;
    return {
        item: refer(names.product(row.product) ?? '', settings),
        ...writtenPrice(row, isCredit),
        ...(line_key ? { [line_key]: row.line_key } : {}),
        ...(usage_account ? { [usage_account]: row.account_id } : {}),
        ...(first_day ? { [first_day]: row.first_day } : {}),
        ...(last_day ? { [last_day]: row.last_day } : {}),
    };
}

function rowOf(line: LineItem): NetsuiteRow {
    const { product, description, quantity, unit, unit_price, line_key, account_id } = line;
    return {
        ...{ product, description, quantity, unit, unit_price, line_key, account_id },
        amount: parseAmount(line.amount),
        first_day: dayOf(line.service_start, line.time_zone),
        last_day: lastDayBefore(line.service_end, line.time_zone),
    };
}

/** One row for each product and type of line: 1 x the sum of their amounts. */
function summaryRows(invoice: Invoice): readonly NetsuiteRow[] {
    const groups = Map.groupBy(invoice.lines, ({ product, line_type }) =>
        JSON.stringify([product, line_type]),
    );
    return [...groups.values()]
        .sort(
            ([a], [b]) =>
                compareText(a!.product, b!.product) || compareText(a!.line_type, b!.line_type),
        )
        .map((lines) => {
            const { product, line_type } = lines[0]!;
            const amount: Amount = lines.map((line) => parseAmount(line.amount)).reduce(add);
            const price = moneyText(amount, invoice.currency);
            const kind = line_type.replaceAll('_', ' ');
            return {
                ...{ product, quantity: '1', unit: '', unit_price: price, amount, account_id: '' },
                description: `${product}, ${kind}: ${lines.length} lines`,
                line_key: jsonHash(lines.map((line) => line.line_key)),
                ...{ first_day: firstDay(invoice), last_day: lastDay(invoice) },
            };
        });
}

/** What keeps an invoice here: a name that nobody gave, or an amount that would be booked as another. */
function problemsOf(
    invoice: Invoice,
    names: NetsuiteNames,
    settings: NetsuiteSettings,
): readonly DeliveryProblem[] {
    const { invoice_key, payer_id, currency, lines } = invoice;
    const refused = (code: string, message: string, line_key: string | null = null) => {
        return { code, severity: 'refused' as const, invoice_key, line_key, message };
    };
    const named = (kind: string, ours: string, theirs: string | null) => {
        if (theirs === null) {
            const row = `${kind},${ours},netsuite,ID`;
            const message = `${kind} ${ours} has no name in NetSuite: add \`${row}\` to the names`;
            return [refused('NETSUITE_NAME_MISSING', message)];
        }
        if (settings.references === 'external_id' || /^\d{1,18}$/.test(theirs)) return [];
        const message = `${kind} ${ours} is called ${theirs}, which is no internal id; for external ids set \`references: external_id\``;
        return [refused('NETSUITE_NAME_INVALID', message)];
    };
    const products = [...new Set(lines.map(({ product }) => product))].sort(compareText);
    const subsidiary = names.subsidiary?.(payer_id) ?? null;
    const hasCurrency = Object.hasOwn(settings.currencies, currency);
    return [
        ...named('payer', payer_id, names.payer(payer_id)),
        ...(subsidiary === null ? [] : named('subsidiary', payer_id, subsidiary)),
        ...products.flatMap((product) => named('product', product, names.product(product))),
        ...(hasCurrency
            ? []
            : [
                  refused(
                      'NETSUITE_CURRENCY_MISSING',
                      `${currency} has no internal id: add it to \`currencies\``,
                  ),
              ]),
        ...lines.flatMap(({ amount, line_key }) => {
            const problem = amountProblem(parseAmount(amount), currency, settings.decimals);
            return problem ? [refused(problem.code, problem.message, line_key)] : [];
        }),
    ];
}
