import { invariant } from '../assert.ts';
import type { Amount } from '../money/amount.ts';
import type { LineItem } from '../schema/line-item.ts';
import { parseInstant } from '../time/instant.ts';
import { dayOf, lastDayBefore } from './civil-day.ts';
import {
    type DeliveryProblem,
    type Invoice,
    type ProductAmount,
    productAmounts,
} from './invoices.ts';
import { sha256 } from './json.ts';
import { cutLines, uncutText } from './parts.ts';
import { stripeAmount, stripeDecimal } from './stripe-money.ts';

/** Lines an invoice takes (docs.stripe.com/api/invoiceitems). */
export const LINES_PER_INVOICE = 250;
/** Longest string parameter, metadata key and value (docs.stripe.com/api/metadata). */
const TEXT_LIMIT = 5_000;
const METADATA_VALUE_LIMIT = 500;
/** Longest id Stripe has, and longest idempotency key it takes. */
export const ID_LIMIT = 255;
/** Most currencies take eight digits of minor units in one payment. */
const EIGHT_DIGITS = 99_999_999n;

/** A line as Stripe takes it: its own fields, without what the invoice says of all of them. */
export interface StripeLine {
    readonly amount: bigint;
    readonly description?: string;
    /** `line_key` says which of ours it is. */
    readonly metadata: Readonly<Record<string, string>>;
    /** Unix seconds, both inclusive. */
    readonly period: { readonly start: bigint; readonly end: bigint };
}

/** One of Stripe's invoices: one of ours, or as much of it as one of Stripe's may hold. */
export interface StripePart {
    readonly invoice: Invoice;
    readonly number: number;
    readonly count: number;
    readonly lines: readonly StripeLine[];
    readonly total: Amount;
}

/**
 * Lines of an invoice in as many parts as they need; a part is called the same however many there are. None,
 * with the reason, for an invoice that can't be cut.
 */
export function partsOf(
    invoice: Invoice,
    lines: readonly StripeLine[],
): { readonly parts: readonly StripePart[]; readonly problems: readonly DeliveryProblem[] } {
    const cut = cutLines(lines, {
        limit: LINES_PER_INVOICE,
        accountOf: ({ metadata: of }) => of.usage_account ?? '',
        amountOf: ({ amount }) => ({ units: amount, scale: 0 }),
    });
    const count = cut?.length ?? 0;
    const parts = (cut ?? []).map((own, index): StripePart => {
        const total = stripeDecimal(minorSum(own), invoice.currency);
        return { invoice, number: index + 1, count, lines: own, total };
    });
    if (cut !== null) return { parts, problems: parts.flatMap(checksOf) };
    const message = `${uncutText(lines.length, LINES_PER_INVOICE)}: set \`over_limit: summarise\``;
    const { invoice_key } = invoice;
    const code = 'STRIPE_SPLIT_UNFAIR';
    return {
        parts,
        problems: [{ code, severity: 'refused', invoice_key, line_key: null, message }],
    };
}

/** Amounts of a part by product: a line has the name of its product as far as metadata takes it. */
export function productsOf({ invoice, lines }: StripePart): readonly ProductAmount[] {
    const { currency } = invoice;
    const known = new Map(
        invoice.lines.map(({ product }) => [metadata({ product }).product ?? '', product]),
    );
    const rows = lines.map(({ amount, metadata: { product = '' } }) => {
        return { product: known.get(product) ?? product, amount: stripeDecimal(amount, currency) };
    });
    return productAmounts(rows, currency);
}

/** `acme/2026-10/USD-1`: the suffix is always there. */
export const refOf = ({ invoice, number }: Pick<StripePart, 'invoice' | 'number'>) =>
    `${invoice.invoice_key}-${number}`;

/**
 * Parameters of the draft: it takes in no pending items and no discount of its customer, as each amount
 * is what the contract says, and goes nowhere by itself.
 */
export function draftParams(part: StripePart, customer: string, days_until_due: number) {
    const { invoice, number, count } = part;
    const { period_start, period_end, time_zone } = invoice;
    const days = `${dayOf(period_start, time_zone)} to ${lastDayBefore(period_end, time_zone)}`;
    return {
        auto_advance: false,
        collection_method: 'send_invoice',
        currency: invoice.currency.toLowerCase(),
        customer,
        days_until_due,
        description: `Usage ${days}`,
        discounts: '',
        metadata: metadata({
            invoice_key: invoice.invoice_key,
            invoice_ref: refOf(part),
            part: `${number} of ${count}`,
            payer: invoice.payer_id,
            period_end,
            period_start,
            time_zone,
        }),
        pending_invoice_items_behavior: 'exclude',
    } as const;
}

/**
 * A line for Stripe. Only its rounded amount is money there: quantity and price are metadata, as Stripe's
 * own product of the two may differ.
 */
export function stripeLine(line: LineItem): StripeLine {
    return {
        amount: minorUnits(line),
        ...described(line.description),
        metadata: metadata({
            line_key: line.line_key,
            commitment: line.commitment_id ?? '',
            grant: line.grant_id ?? '',
            asset: line.asset ?? '',
            asset_amount: line.asset_amount ?? '',
            corrects_line_key: line.corrects_line_key ?? '',
            corrects_period: line.corrects_period ?? '',
            product: line.product,
            quantity: line.quantity,
            recon_status: line.recon_status,
            unit: line.unit,
            unit_price: line.unit_price,
            usage_account: line.account_id,
        }),
        period: inclusiveSeconds(line.service_start, line.service_end),
    };
}

/** Stripe reads an empty text as "take this away", and refuses it where nothing is. */
export function described(text: string): { readonly description?: string } {
    return text === '' ? {} : { description: clip(text, TEXT_LIMIT) };
}

/** Only for lines that were not refused. */
export function minorUnits({ amount, currency, line_key }: LineItem): bigint {
    const money = stripeAmount(amount, currency);
    invariant('amount' in money, 'STRIPE_REFUSED_LINE_SENT', { line_key });
    return money.amount;
}

/** The sum of lines in Stripe's minor units. */
export const minorSum = (lines: readonly Pick<StripeLine, 'amount'>[]) =>
    lines.reduce((sum, { amount }) => sum + amount, 0n);

/** Half-open instants as Stripe's seconds, both inclusive: the last one before the end. */
export function inclusiveSeconds(start: string, end: string): StripeLine['period'] {
    const from = parseInstant(start);
    const to = parseInstant(end);
    invariant(from < to, 'EXPORT_SERVICE_EMPTY', { start, end });
    return { start: from / 1_000_000n, end: (to - 1n) / 1_000_000n };
}

/** Stripe reads an empty value as "remove this key": leave it out. */
export function metadata(values: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
        Object.entries(values)
            .filter(([, value]) => value !== '')
            .map(([key, value]) => [key, clip(value, METADATA_VALUE_LIMIT)]),
    );
}

/** Cuts text to a limit, never inside a character, and says what was cut by its hash. */
function clip(raw: string, limit: number): string {
    const text = raw.toWellFormed();
    if (text.length <= limit) return text;
    const mark = `~${sha256(text).slice(0, 12)}`;
    const kept = text.slice(0, limit - mark.length);
    return kept.replace(/[\ud800-\udbff]$/, '') + mark;
}

/** What keeps an invoice here, line by line: Stripe could not carry it. */
export function refusalsOf(invoice: Invoice, customer: string | null): readonly DeliveryProblem[] {
    const { invoice_key } = invoice;
    const refused = (code: string, line_key: string | null, message: string): DeliveryProblem => {
        return { code, severity: 'refused', invoice_key, line_key, message };
    };
    return [
        ...customerProblems(invoice.payer_id, customer).map(([code, message]) =>
            refused(code, null, message),
        ),
        ...invoice.lines.flatMap((line) => {
            const money = stripeAmount(line.amount, line.currency);
            return 'amount' in money ? [] : [refused(money.code, line.line_key, money.message)];
        }),
    ];
}

/** What is wrong with a payer's customer: code and message. */
export function customerProblems(
    payer_id: string,
    customer: string | null,
): readonly (readonly [string, string])[] {
    if (customer === null) {
        const row = `add \`payer,${payer_id},stripe,cus_...\` to the file of names`;
        return [['STRIPE_CUSTOMER_UNNAMED', `nobody said which customer "${payer_id}" is: ${row}`]];
    }
    const { length } = customer;
    if (length > 0 && length <= ID_LIMIT) return [];
    const message = `the customer id has ${length} characters; Stripe's have 1 to ${ID_LIMIT}`;
    return [['STRIPE_CUSTOMER_INVALID', message]];
}

/** What Stripe takes but may treat otherwise than meant: it judges each of its own invoices. */
function checksOf(part: StripePart): readonly DeliveryProblem[] {
    const total = minorSum(part.lines);
    const check = (code: string, message: string): DeliveryProblem => {
        const { invoice_key } = part.invoice;
        const text = `${refOf(part)}: ${message}`;
        return { code, severity: 'check', invoice_key, line_key: null, message: text };
    };
    if (total < 0n) {
        const message = 'the total is below zero: Stripe makes it a credit on the next invoice';
        return [check('STRIPE_NEGATIVE_TOTAL', message)];
    }
    if (total > EIGHT_DIGITS) {
        const message = `${total} minor units: most currencies take 8 digits in one payment`;
        return [check('STRIPE_TOTAL_OVER_8_DIGITS', message)];
    }
    return [];
}
