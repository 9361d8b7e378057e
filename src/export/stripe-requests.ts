import type { LineItem } from '../schema/line-item.ts';
import {
    type DeliveryProblem,
    type DeliveryTotal,
    deliveryTotals,
    gatherInvoices,
    type Invoice,
    type ReconStatus,
    type WithheldInvoice,
    withhold,
} from './invoices.ts';
import { canonicalJson, type JsonValue, jsonHash, sha256 } from './json.ts';
import {
    draftParams,
    ID_LIMIT,
    partsOf,
    refOf,
    refusalsOf,
    type StripeLine,
    type StripePart,
    stripeLine,
} from './stripe-draft.ts';

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
    const refusals = gathered.invoices.flatMap((invoice) =>
        refusalsOf(invoice, customerOf(invoice, options)),
    );
    const refusedKeys = new Set(refusals.map((one) => one.invoice_key));
    const cut = gathered.invoices
        .filter(({ invoice_key }) => !refusedKeys.has(invoice_key))
        .map((invoice) => partsOf(invoice, invoice.lines.map(stripeLine)));
    const parts = cut.flatMap((of) => of.parts);
    const problems = [...refusals, ...cut.flatMap((of) => of.problems)];
    const gone = new Set(parts.map(({ invoice }) => invoice.invoice_key));
    const refused = gathered.invoices.filter(({ invoice_key }) => !gone.has(invoice_key));
    const invoices = parts.map((part) => invoiceRequests(part, options));
    const totals = deliveryTotals(
        parts.map(({ invoice: { currency }, lines, total }) => ({ currency, lines, total })),
    );
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

function customerOf(invoice: Invoice, options: StripeOptions): string {
    return options.customer ? options.customer(invoice.payer_id) : invoice.payer_id;
}

function invoiceRequests(part: StripePart, options: StripeOptions): StripeInvoice {
    const ref = refOf(part);
    const customer = customerOf(part.invoice, options);
    const params = draftParams(part, customer, options.days_until_due ?? 30);
    const { currency } = params;
    const items = part.lines.map((line) => {
        const { line_key = '' } = line.metadata;
        return itemRequest(line_key, { ...line, currency, customer, invoice: `@{${ref}.id}` });
    });
    return { ref, create: request('/v1/invoices', ref, params), items };
}

const itemRequest = (
    line_key: string,
    params: StripeLine & { readonly [key: string]: JsonValue | undefined },
) => request('/v1/invoiceitems', line_key, params as StripeRequest['params']);

/** Same subject and same parameters, same key; anything else, another one. */
function request(path: string, subject: string, params: StripeRequest['params']): StripeRequest {
    return { method: 'POST', path, idempotency_key: idempotencyKey(subject, params), params };
}

/** Of a request about a subject: another one for other parameters. */
export function idempotencyKey(subject: string, params: StripeRequest['params']): string {
    const key = `${subject}-${jsonHash(params).slice(0, 32)}`;
    return key.length <= ID_LIMIT ? key : sha256(key);
}
