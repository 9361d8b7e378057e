import type Stripe from 'stripe';
import { invariant } from '../assert.ts';
import { type DeliveryProblem, type Invoice, moneyText } from '../export/invoices.ts';
import { type JsonValue, jsonHash } from '../export/json.ts';
import {
    draftParams,
    LINES_PER_INVOICE,
    partsOf,
    productsOf,
    refOf,
    refusalsOf,
    type StripeLine,
    type StripePart,
    stripeLine,
} from '../export/stripe-draft.ts';
import { stripeDecimal } from '../export/stripe-money.ts';
import { idempotencyKey } from '../export/stripe-requests.ts';
import { summarisedLines } from '../export/stripe-summary.ts';
import type { StripeSettings } from '../schema/deliver-stripe.ts';
import { parseInstant } from '../time/instant.ts';
import type { Names } from './names.ts';
import { allOf, isMissing, type StripeClient } from './stripe-client.ts';
import { type Counted, type Packed, type Parcel, type Target, TargetError } from './target.ts';

/** Lines of one request: Stripe says no limit but the invoice's, and a hundred are soon done. */
const LINES_PER_REQUEST = 100;

/** The payload of a parcel: a draft invoice and its lines. */
interface Draft {
    readonly create: ReturnType<typeof draftParams>;
    readonly lines: readonly StripeLine[];
}

/** A payload comes back from the outbox as it was packed. */
const draftOf = ({ payload }: Parcel) => payload as unknown as Draft;

/** Invoices as drafts of Stripe; pure, and the same every time. */
export function packInvoices(
    invoices: readonly Invoice[],
    names: Names,
    settings: StripeSettings,
): Packed {
    const packed = invoices.map((invoice): Packed => {
        const customer = names.payer(invoice.payer_id);
        const refusals = [...refusalsOf(invoice, customer), ...hugeOf(invoice)];
        if (customer === null || refusals.length > 0) return { parcels: [], problems: refusals };
        const isOver = invoice.lines.length > LINES_PER_INVOICE;
        const lines =
            isOver && settings.over_limit === 'summarise'
                ? summarisedLines(invoice)
                : invoice.lines.map(stripeLine);
        const { parts, problems } = partsOf(invoice, lines);
        return { parcels: parts.map((part) => parcelOf(part, customer, settings)), problems };
    });
    return {
        parcels: packed.flatMap(({ parcels }) => parcels),
        problems: packed.flatMap(({ problems }) => problems),
    };
}

/** An amount that Stripe's JSON could not carry to the last digit. */
function hugeOf({ invoice_key, lines, currency }: Invoice): readonly DeliveryProblem[] {
    const limit = moneyText(stripeDecimal(BigInt(Number.MAX_SAFE_INTEGER), currency), currency);
    return lines.flatMap(({ line_key, amount }): readonly DeliveryProblem[] => {
        if (amount.replace(/^-|\..*/g, '').length < limit.replace(/\..*/, '').length) return [];
        const message = `${amount} ${currency} is more than Stripe takes in a line`;
        return [
            {
                code: 'STRIPE_AMOUNT_TOO_LARGE',
                severity: 'refused',
                invoice_key,
                line_key,
                message,
            },
        ];
    });
}

function parcelOf(part: StripePart, customer: string, settings: StripeSettings): Parcel {
    const { invoice, lines, total } = part;
    const params = draftParams(part, customer, settings.days_until_due);
    const content = jsonHash({ params, lines } as unknown as JsonValue);
    const create = { ...params, metadata: { ...params.metadata, content } };
    return {
        parcel_key: refOf(part),
        payer_id: invoice.payer_id,
        currency: invoice.currency,
        line_count: lines.length,
        amount: moneyText(total, invoice.currency),
        products: productsOf(part),
        payload: { create, lines } as unknown as JsonValue,
    };
}

/** What sends, finds and reads back drafts. */
export function stripeInvoices(
    client: StripeClient,
    settings: StripeSettings,
): Pick<Target, 'send' | 'find' | 'readBack'> {
    const { stripe, ask } = client;

    /** Lists are of this instant, a search may lag behind by an hour; what was voided is taken away. */
    const find = async (parcel: Parcel) => {
        const { customer, metadata } = draftOf(parcel).create;
        const since = integer(parseInstant(metadata.period_start ?? '') / 1_000_000n);
        const invoices = await allOf(client, (page) =>
            stripe.invoices.list({ customer, created: { gte: since }, ...page }),
        );
        const own = invoices.filter(
            (of) => of.metadata?.invoice_ref === metadata.invoice_ref && of.status !== 'void',
        );
        const [first] = own;
        if (first === undefined) return null;
        if (own.length > 1) {
            const ids = own.map(({ id }) => id).join(', ');
            throw new TargetError(
                'refused',
                `it is there more than once: ${ids}; delete or void all but one`,
            );
        }
        if (first.metadata?.content !== metadata.content) {
            const remedy = 'delete or void it if it is wrong';
            throw new TargetError(
                'refused',
                `${first.id} is there under its key with other lines; ${remedy}`,
            );
        }
        return { remote_id: first.id };
    };

    const linesOf = (id: string) =>
        allOf(client, (page) => stripe.invoices.listLineItems(id, page));

    /** Takes away a draft that could not be finished. @throws TargetError */
    const takeAway = async (id: string, error: TargetError) => {
        try {
            await ask(() => stripe.invoices.del(id));
        } catch (cause) {
            if (isMissing(cause)) return;
            const message = `${error.message}; what was begun is there still, as ${id}`;
            throw new TargetError('unknown', message, { cause });
        }
    };

    const create = async ({ create: params }: Draft) => {
        const key = idempotencyKey(params.metadata.invoice_ref ?? '', params as never);
        const isGone = async ({ id }: Stripe.Invoice) => {
            try {
                return (await ask(() => stripe.invoices.retrieve(id))).status === 'void';
            } catch (error) {
                if (isMissing(error)) return true;
                throw error;
            }
        };
        return client.post(
            key,
            (options) => stripe.invoices.create(params as Stripe.InvoiceCreateParams, options),
            isGone,
        );
    };

    /** Adds lines that are not there yet, as many at a time as one request takes. */
    const addLines = async (
        id: string,
        lines: readonly StripeLine[],
        there: ReadonlySet<string>,
    ) => {
        for (let at = 0; at < lines.length; at += LINES_PER_REQUEST) {
            const missing = lines
                .slice(at, at + LINES_PER_REQUEST)
                .filter(({ metadata }) => !there.has(metadata.line_key ?? ''));
            if (missing.length === 0) continue;
            const key = idempotencyKey(id, { lines: missing } as unknown as { lines: JsonValue });
            const params = { lines: missing.map(lineParams) };
            await client.post(key, (options) => stripe.invoices.addLines(id, params, options));
        }
    };

    return {
        find,
        send: async (parcel, found) => {
            const draft = draftOf(parcel);
            const id = found?.remote_id ?? (await create(draft)).id;
            const there = found === null ? [] : (await linesOf(id)).map(lineKeyOf);
            try {
                await addLines(id, draft.lines, new Set(there));
            } catch (error) {
                const isRefused = error instanceof TargetError && error.kind === 'refused';
                if (isRefused) await takeAway(id, error);
                throw error;
            }
            return { remote_id: id };
        },
        readBack: async (parcel, { remote_id }) => {
            const counted = await countedOf(client, parcel, remote_id, linesOf);
            const isSame =
                counted.line_count === parcel.line_count && counted.amount === parcel.amount;
            if (!settings.finalize || !isSame || counted.status !== 'draft') return counted;
            await client.post(`${remote_id}-finalize`, (options) =>
                stripe.invoices.finalizeInvoice(remote_id, { auto_advance: false }, options),
            );
            return countedOf(client, parcel, remote_id, linesOf);
        },
    };
}

interface CountedDraft extends Counted {
    readonly status: Stripe.Invoice.Status | null;
}

/**
 * What Stripe has of a parcel: its lines counted and summed one by one, and the invoice's own total without
 * tax compared with them.
 */
async function countedOf(
    { stripe, ask }: StripeClient,
    parcel: Parcel,
    id: string,
    linesOf: (id: string) => Promise<readonly Stripe.InvoiceLineItem[]>,
): Promise<CountedDraft> {
    const invoice = await ask(() => stripe.invoices.retrieve(id)).catch((error) => {
        throw isMissing(error) ? new TargetError('refused', `it has no ${id}`) : error;
    });
    if (invoice.status === 'void') throw new TargetError('refused', `${id} is void there`);
    const lines = await linesOf(id);
    const currency = invoice.currency.toUpperCase();
    const sum = lines.reduce((all, { amount }) => all + minorOf(amount), 0n);
    const discounts = (invoice.total_discount_amounts ?? []).map(({ amount }) => minorOf(amount));
    const owed = discounts.reduce((all, amount) => all - amount, minorOf(invoice.subtotal));
    const text = (minor: bigint) => moneyText(stripeDecimal(minor, currency), currency);
    if (owed !== sum) {
        const what = `lines of ${text(sum)} ${currency}, and bills ${text(owed)} for them`;
        throw new TargetError('refused', `${id} has ${what}`);
    }
    const counted = { line_count: lines.length, amount: text(sum), currency };
    const isSame = counted.line_count === parcel.line_count && counted.amount === parcel.amount;
    if (isSame) expectSameLines(draftOf(parcel).lines, lines, id);
    return { ...counted, status: invoice.status };
}

/** Count and sum may agree by chance: each line must be there with its own amount. @throws TargetError */
function expectSameLines(
    ours: readonly StripeLine[],
    theirs: readonly Stripe.InvoiceLineItem[],
    id: string,
): void {
    const amounts = new Map(theirs.map((of) => [lineKeyOf(of), minorOf(of.amount)]));
    const other = ours.find(
        ({ amount, metadata }) => amounts.get(metadata.line_key ?? '') !== amount,
    );
    if (other === undefined) return;
    const { line_key } = other.metadata;
    throw new TargetError('refused', `${id} has line ${line_key} otherwise than it was sent`);
}

const lineKeyOf = ({ metadata }: Stripe.InvoiceLineItem) => metadata.line_key ?? '';

const lineParams = ({
    amount,
    period,
    ...line
}: StripeLine): Stripe.InvoiceAddLinesParams.Line => ({
    ...line,
    amount: integer(amount),
    period: { start: integer(period.start), end: integer(period.end) },
});

/** An integer as the SDK takes it; packing refused what a number can't hold to the last digit. */
function integer(value: bigint): number {
    const found = Number.parseInt(value.toString(), 10);
    invariant(Number.isSafeInteger(found), 'STRIPE_INTEGER_UNSAFE', { value: value.toString() });
    return found;
}

/** Minor units of an answer. @throws TargetError for what is no exact integer */
function minorOf(value: number): bigint {
    if (Number.isSafeInteger(value)) return BigInt(value);
    throw new TargetError('refused', `it answered the amount ${value}, which is no exact integer`);
}
