import { invariant } from '../assert.ts';
import { type Amount, add, formatAmount, parseAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import type { LineItem } from '../schema/line-item.ts';
import { compareInstants, compareLineItems, compareText } from './order.ts';

export type ReconStatus = LineItem['recon_status'];

/** The lines of one payer, period and currency, in canonical order. Grain: invoice_key. */
export interface Invoice {
    readonly invoice_key: string;
    readonly payer_id: string;
    readonly payer_name: string;
    readonly currency: string;
    /** Half-open, UTC; `time_zone` is the payer's, in which the period's days are counted. */
    readonly period_start: string;
    readonly period_end: string;
    readonly time_zone: string;
    readonly lines: readonly LineItem[];
    readonly total: Amount;
}

/** An invoice that stays here, and why: a line's status, or a target's rule it would break. */
export interface WithheldInvoice {
    readonly invoice_key: string;
    readonly payer_id: string;
    readonly currency: string;
    readonly line_count: number;
    readonly amount: string;
    readonly reason: ReconStatus | 'refused';
}

/** Something a target would not take as it is (`refused`), or may take otherwise (`check`). */
export interface DeliveryProblem {
    readonly code: string;
    readonly severity: 'refused' | 'check';
    readonly invoice_key: string;
    readonly line_key: string | null;
    readonly message: string;
}

/** What one delivery holds, per currency: tied out against what the target reads back. */
export interface DeliveryTotal {
    readonly currency: string;
    readonly invoice_count: number;
    readonly line_count: number;
    readonly amount: string;
}

/**
 * Gathers lines into invoices, ordered by payer, period, currency and key. An invoice goes out
 * whole or not at all: one line whose status is not in `include` withholds it, for a later
 * delivery of the rest would meet the same external id again.
 * @throws InvariantError when `include` holds `held`, when a line_key is there twice, or when the
 * lines of an invoice disagree about payer, period or currency.
 */
export function gatherInvoices(
    lines: Iterable<LineItem>,
    include: ReadonlySet<ReconStatus>,
): { readonly invoices: readonly Invoice[]; readonly withheld: readonly WithheldInvoice[] } {
    invariant(!include.has('held'), 'EXPORT_INCLUDES_HELD');
    const byKey = new Map<string, LineItem[]>();
    const seen = new Set<string>();
    for (const line of lines) {
        invariant(!seen.has(line.line_key), 'EXPORT_LINE_TWICE', { line_key: line.line_key });
        seen.add(line.line_key);
        const group = byKey.get(line.invoice_key);
        if (group) group.push(line);
        else byKey.set(line.invoice_key, [line]);
    }
    const all = [...byKey.values()].map(invoiceOf).sort(compareInvoices);
    const withheld = all.flatMap((invoice) => {
        const reason = reasonToWithhold(invoice, include);
        return reason === undefined ? [] : [withhold(invoice, reason)];
    });
    const invoices = all.filter((invoice) => reasonToWithhold(invoice, include) === undefined);
    return { invoices, withheld };
}

/** The entry of an invoice in the list of what stays here. */
export function withhold(invoice: Invoice, reason: WithheldInvoice['reason']): WithheldInvoice {
    return {
        invoice_key: invoice.invoice_key,
        payer_id: invoice.payer_id,
        currency: invoice.currency,
        line_count: invoice.lines.length,
        amount: moneyText(invoice.total, invoice.currency),
        reason,
    };
}

/** Totals per currency, ordered by currency. Currencies never mix in a sum. */
export function deliveryTotals(
    invoices: Iterable<
        Pick<Invoice, 'currency' | 'total'> & { readonly lines: readonly unknown[] }
    >,
): readonly DeliveryTotal[] {
    const sums = new Map<string, { invoices: number; lines: number; total: Amount }>();
    for (const { currency, lines, total } of invoices) {
        const sum = sums.get(currency) ?? { invoices: 0, lines: 0, total: { units: 0n, scale: 0 } };
        sums.set(currency, {
            invoices: sum.invoices + 1,
            lines: sum.lines + lines.length,
            total: add(sum.total, total),
        });
    }
    return [...sums]
        .sort(([a], [b]) => compareText(a, b))
        .map(([currency, sum]) => ({
            currency,
            invoice_count: sum.invoices,
            line_count: sum.lines,
            amount: moneyText(sum.total, currency),
        }));
}

/** An amount as decimal text with all the digits its currency has. */
export function moneyText(amount: Amount, currency: string): string {
    return formatAmount(amount, { minScale: currencyExponent(currency) ?? 0 });
}

/** What of an amount is of which product. */
export interface ProductAmount {
    readonly product: string;
    readonly amount: string;
}

/** Amounts by product, ordered; together they are all of what is delivered. */
export function productAmounts(
    rows: readonly { readonly product: string; readonly amount: Amount }[],
    currency: string,
): readonly ProductAmount[] {
    return [...Map.groupBy(rows, ({ product }) => product)]
        .sort(([a], [b]) => compareText(a, b))
        .map(([product, of]) => {
            const sum = of.map(({ amount }) => amount).reduce(add);
            return { product, amount: moneyText(sum, currency) };
        });
}

/** The same of lines. */
export function productsOfLines(
    lines: readonly LineItem[],
    currency: string,
): readonly ProductAmount[] {
    const rows = lines.map(({ product, amount }) => ({ product, amount: parseAmount(amount) }));
    return productAmounts(rows, currency);
}

/** The sum of the lines' rounded amounts. */
export function sumOfLines(lines: readonly LineItem[]): Amount {
    return lines.reduce((sum, line) => add(sum, parseAmount(line.amount)), { units: 0n, scale: 0 });
}

function invoiceOf(unordered: readonly LineItem[]): Invoice {
    const lines = [...unordered].sort(compareLineItems);
    const first = lines[0]!;
    for (const line of lines) {
        const agrees =
            line.payer_id === first.payer_id &&
            line.currency === first.currency &&
            line.period_start === first.period_start &&
            line.period_end === first.period_end &&
            line.time_zone === first.time_zone;
        invariant(agrees, 'EXPORT_INVOICE_MIXED', {
            invoice_key: first.invoice_key,
            line_keys: [first.line_key, line.line_key],
        });
    }
    const { invoice_key, payer_id, payer_name, currency } = first;
    const { period_start, period_end, time_zone } = first;
    const total = sumOfLines(lines);
    const head = { invoice_key, payer_id, payer_name, currency };
    return { ...head, period_start, period_end, time_zone, lines, total };
}

function compareInvoices(a: Invoice, b: Invoice): number {
    return (
        compareText(a.payer_id, b.payer_id) ||
        compareInstants(a.period_start, b.period_start) ||
        compareText(a.currency, b.currency) ||
        compareText(a.invoice_key, b.invoice_key)
    );
}

/** Held says more than unauditable, which says more than clear. */
function reasonToWithhold(
    invoice: Invoice,
    include: ReadonlySet<ReconStatus>,
): ReconStatus | undefined {
    const reasons: readonly ReconStatus[] = ['held', 'unauditable', 'clear'];
    return reasons.find(
        (status) =>
            !include.has(status) && invoice.lines.some((line) => line.recon_status === status),
    );
}
