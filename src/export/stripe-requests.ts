import { invariant } from '../assert.ts';
import type { LineItem } from '../schema/line-item.ts';
import { parseInstant } from '../time/instant.ts';
import { dayOf, lastDayBefore } from './civil-day.ts';
import {
    type DeliveryProblem,
    type DeliveryTotal,
    deliveryTotals,
    gatherInvoices,
    type Invoice,
    type ReconStatus,
    sumOfLines,
    type WithheldInvoice,
    withhold,
} from './invoices.ts';
import { canonicalJson, type JsonValue, jsonHash, sha256 } from './json.ts';
import { stripeAmount } from './stripe-money.ts';

/** Items an invoice takes (docs.stripe.com/api/invoiceitems). */
const ITEMS_PER_INVOICE = 250;
/** Longest string parameter, metadata key and value (docs.stripe.com/api/metadata). */
const TEXT_LIMIT = 5_000;
const METADATA_VALUE_LIMIT = 500;
/** Longest id Stripe has, and longest idempotency key it takes. */
const ID_LIMIT = 255;
/** Most currencies take eight digits of minor units in one payment. */
const EIGHT_DIGITS = 99_999_999n;

export interface StripeOptions {
    /** Which lines may go out; `held` is never allowed. */
    readonly include: ReadonlySet<ReconStatus>;
    /** Stripe's customer id of a payer. Default: the payer's own id. */
    readonly customer?: (payer_id: string) => string;
    /** Default 30. */
    readonly days_until_due?: number;
}

/** One request: form parameters as JSON, sent with the header `Idempotency-Key`. */
export interface StripeRequest {
    readonly method: 'POST';
    readonly path: string;
    readonly idempotency_key: string;
    readonly params: { readonly [key: string]: JsonValue };
}

/** An invoice and its items. The items' `@{ref.id}` is the id Stripe answers the invoice with. */
export interface StripeInvoice {
    readonly ref: string;
    readonly create: StripeRequest;
    readonly items: readonly StripeRequest[];
}

export interface StripeRequests {
    readonly files: readonly { readonly name: string; readonly text: string }[];
    readonly invoices: readonly StripeInvoice[];
    /** `invoice_count` counts Stripe's invoices: one of ours with over 250 lines becomes several. */
    readonly totals: readonly DeliveryTotal[];
    readonly withheld: readonly WithheldInvoice[];
    readonly problems: readonly DeliveryProblem[];
}

/**
 * The requests that would bill these lines through Stripe (API of targets.md A1-A3, A5), as one
 * deterministic JSON document; nothing is sent. Per invoice: create a draft, then add its items.
 * More than 250 lines become several invoices, `<invoice_key>-1`, `-2`; the suffix is always there.
 *
 * - `amount` is the rounded line in Stripe's minor units; quantity and price are metadata only, as
 *   Stripe's own product of the two may differ. An amount Stripe cannot carry is not changed: it
 *   is a problem, and its whole invoice is withheld.
 * - `period` is in unix seconds, both ends inclusive: the last second before the half-open end.
 * - A metadata value over 500 characters is cut and ends in `~` and 12 digits of its sha256.
 * - Stripe forgets idempotency keys after a day, and a changed line has another key: a sender must
 *   look for `metadata.line_key` before it repeats a request.
 */
export function stripeRequests(lines: Iterable<LineItem>, options: StripeOptions): StripeRequests {
    const gathered = gatherInvoices(lines, options.include);
    const refusals = gathered.invoices.flatMap((invoice) => refusalsOf(invoice, options));
    const refusedKeys = new Set(refusals.map((one) => one.invoice_key));
    const isRefused = ({ invoice_key }: Invoice) => refusedKeys.has(invoice_key);
    const refused = gathered.invoices.filter(isRefused);
    const parts = gathered.invoices.filter((invoice) => !isRefused(invoice)).flatMap(splitInvoice);
    const problems = [...refusals, ...parts.flatMap(checksOf)];
    const invoices = parts.map((part) => invoiceRequests(part, options));
    const totals = deliveryTotals(parts.map((part) => part.invoice));
    const withheld = [...gathered.withheld, ...refused.map((one) => withhold(one, 'refused'))];
    const document = { document: 'tieout/stripe-requests/1', invoices, problems, totals, withheld };
    const text = `${canonicalJson(document as unknown as JsonValue)}\n`;
    return {
        files: [{ name: 'stripe-requests.json', text }],
        invoices,
        totals,
        withheld,
        problems,
    };
}

interface Part {
    readonly invoice: Invoice;
    readonly number: number;
    readonly count: number;
}

function splitInvoice(invoice: Invoice): readonly Part[] {
    const count = Math.ceil(invoice.lines.length / ITEMS_PER_INVOICE);
    return Array.from({ length: count }, (_, index) => {
        const start = index * ITEMS_PER_INVOICE;
        const lines = invoice.lines.slice(start, start + ITEMS_PER_INVOICE);
        const part = { ...invoice, lines, total: sumOfLines(lines) };
        return { invoice: part, number: index + 1, count };
    });
}

/** The suffix is always there: what a part is called must not depend on how many there are. */
function refOf(invoice: Invoice, number: number): string {
    return `${invoice.invoice_key}-${number}`;
}

function customerOf(invoice: Invoice, options: StripeOptions): string {
    return options.customer ? options.customer(invoice.payer_id) : invoice.payer_id;
}

function invoiceRequests(part: Part, options: StripeOptions): StripeInvoice {
    const { invoice, number, count } = part;
    const ref = refOf(invoice, number);
    const customer = customerOf(invoice, options);
    const days = `${dayOf(invoice.period_start, invoice.time_zone)} to ${lastDayBefore(invoice.period_end, invoice.time_zone)}`;
    const create = request('/v1/invoices', ref, {
        auto_advance: false,
        collection_method: 'send_invoice',
        currency: invoice.currency.toLowerCase(),
        customer,
        days_until_due: options.days_until_due ?? 30,
        description: `Usage ${days}`,
        metadata: metadata({
            invoice_key: invoice.invoice_key,
            invoice_ref: ref,
            part: `${number} of ${count}`,
            payer: invoice.payer_id,
            period_end: invoice.period_end,
            period_start: invoice.period_start,
            time_zone: invoice.time_zone,
        }),
        pending_invoice_items_behavior: 'exclude',
    });
    return {
        ref,
        create,
        items: invoice.lines.map((line) => itemRequest(line, customer, `@{${ref}.id}`)),
    };
}

function itemRequest(line: LineItem, customer: string, invoice: string): StripeRequest {
    return request('/v1/invoiceitems', line.line_key, {
        amount: minorUnits(line),
        currency: line.currency.toLowerCase(),
        customer,
        description: clip(line.description, TEXT_LIMIT),
        invoice,
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
    });
}

/** Only for lines that were not refused. */
function minorUnits({ amount, currency, line_key }: LineItem): bigint {
    const money = stripeAmount(amount, currency);
    invariant('amount' in money, 'STRIPE_REFUSED_LINE_SENT', { line_key });
    return money.amount;
}

/** Same subject and same parameters, same key; anything else, another one. */
function request(path: string, subject: string, params: StripeRequest['params']): StripeRequest {
    const key = `${subject}-${jsonHash(params).slice(0, 32)}`;
    const idempotency_key = key.length <= ID_LIMIT ? key : sha256(key);
    return { method: 'POST', path, idempotency_key, params };
}

function inclusiveSeconds(start: string, end: string): { start: bigint; end: bigint } {
    const from = parseInstant(start);
    const to = parseInstant(end);
    invariant(from < to, 'EXPORT_SERVICE_EMPTY', { start, end });
    return { start: from / 1_000_000n, end: (to - 1n) / 1_000_000n };
}

/** Stripe reads an empty value as "remove this key": leave it out. */
function metadata(values: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
        Object.entries(values)
            .filter(([, value]) => value !== '')
            .map(([key, value]) => [key, clip(value, METADATA_VALUE_LIMIT)]),
    );
}

/** Cuts text to a limit, never inside a character, and says what was cut by its hash. */
function clip(text: string, limit: number): string {
    if (text.length <= limit) return text;
    const mark = `~${sha256(text).slice(0, 12)}`;
    const kept = text.slice(0, limit - mark.length);
    return kept.replace(/[\ud800-\udbff]$/, '') + mark;
}

/** What keeps an invoice here, line by line: Stripe could not carry it. */
function refusalsOf(invoice: Invoice, options: StripeOptions): readonly DeliveryProblem[] {
    const refused = (code: string, line_key: string | null, message: string): DeliveryProblem => {
        return {
            code,
            severity: 'refused',
            invoice_key: invoice.invoice_key,
            line_key,
            message,
        };
    };
    const { length } = customerOf(invoice, options);
    const isCustomer = length > 0 && length <= ID_LIMIT;
    const customer = `the customer id has ${length} characters; Stripe's have 1 to ${ID_LIMIT}`;
    return [
        ...(isCustomer ? [] : [refused('STRIPE_CUSTOMER_INVALID', null, customer)]),
        ...invoice.lines.flatMap((line) => {
            const money = stripeAmount(line.amount, line.currency);
            return 'amount' in money ? [] : [refused(money.code, line.line_key, money.message)];
        }),
    ];
}

/** What Stripe takes but may treat otherwise than meant: it judges each of its own invoices. */
function checksOf({ invoice, number }: Part): readonly DeliveryProblem[] {
    const total = invoice.lines.reduce((sum, line) => sum + minorUnits(line), 0n);
    const check = (code: string, message: string): DeliveryProblem => {
        const { invoice_key } = invoice;
        const text = `${refOf(invoice, number)}: ${message}`;
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
