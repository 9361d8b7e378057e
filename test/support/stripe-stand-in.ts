import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What goes wrong with a request: before it is done, after it is done, or instead of it. */
export const stripeFaults = ['reset', 'lost', '500', 'lost 500', '429', '409', '400'] as const;
export type StripeFault = (typeof stripeFaults)[number];

export interface StoredLine {
    readonly id: string;
    readonly amount: number;
    readonly currency: string;
    readonly description: string | null;
    readonly metadata: Readonly<Record<string, string>>;
    readonly period: { readonly start: number; readonly end: number };
}

export interface StoredInvoice {
    readonly id: string;
    status: 'draft' | 'open' | 'paid' | 'void';
    readonly created: number;
    readonly customer: string;
    readonly currency: string;
    readonly params: Readonly<Record<string, Form>>;
    readonly metadata: Readonly<Record<string, string>>;
    lines: StoredLine[];
    discounts: number[];
}

export interface StoredEvent {
    readonly identifier: string;
    readonly event_name: string;
    readonly customer: string;
    readonly value: string;
    readonly timestamp: number;
}

export interface StripeStandIn {
    readonly url: string;
    readonly invoices: Map<string, StoredInvoice>;
    readonly events: Map<string, StoredEvent>;
    /** Requests in order, as `POST /v1/invoices`. */
    readonly requests: readonly string[];
    /** Forgets idempotency keys and identifiers, as Stripe may after a day. */
    readonly dayLater: () => void;
    readonly stop: () => Promise<void>;
}

export interface StripeStandInOptions {
    /** What goes wrong with a request, by its number from 1. */
    readonly faultOf?: (number: number, request: string) => StripeFault | null;
    /** Of which account the key is. */
    readonly account?: string;
    readonly formula?: 'sum' | 'count';
    /** Now, in seconds: what timestamps of meter events are compared with. */
    readonly now?: number;
    /** Whether a meter has summed up what it got. */
    readonly isSummed?: () => boolean;
}

export const standInKey = 'sk_test_standinstandin';

/** A form parameter: text, or more of them below it. */
type Form = string | { readonly [key: string]: Form };
type Params = { readonly [key: string]: Form };

/** An answer of Stripe: a status and a body. */
class Refusal extends Error {
    readonly status: number;
    readonly code: string | undefined;
    constructor(status: number, message: string, code?: string) {
        super(message);
        this.status = status;
        this.code = code;
    }
}

/** `a[b][0]=c` as objects; numbers of lists are keys. */
function formOf(body: string): Params {
    const root: Record<string, Form> = {};
    for (const [name, value] of new URLSearchParams(body)) {
        const path = name.replaceAll(']', '').split('[');
        let at = root;
        for (const key of path.slice(0, -1)) {
            at[key] ??= {};
            at = at[key] as Record<string, Form>;
        }
        at[path.at(-1) ?? ''] = value;
    }
    return root;
}

const threeDecimal = 'BHD JOD KWD OMR TND'.split(' ');

function demand(holds: boolean, message: string, code?: string): void {
    if (!holds) throw new Refusal(400, message, code);
}

function knownOnly(params: Params, known: readonly string[]): void {
    const other = Object.keys(params).find((key) => !known.includes(key));
    demand(other === undefined, `Received unknown parameter: ${other}`, 'parameter_unknown');
}

function textOf(params: Params, key: string, limit = 5_000): string {
    const value = params[key];
    demand(typeof value === 'string' && value !== '', `Missing required param: ${key}.`);
    demand((value as string).length <= limit, `Invalid string: ${key} is too long`);
    return value as string;
}

function integerOf(params: Params, key: string): number {
    const value = textOf(params, key);
    demand(/^-?\d{1,15}$/.test(value), `Invalid integer: ${value}`, 'parameter_invalid_integer');
    return Number(value);
}

/** At most 50 keys of 40 characters without brackets, values of 500. */
function metadataOf(params: Params): Readonly<Record<string, string>> {
    const found = (params.metadata ?? {}) as Params;
    demand(Object.keys(found).length <= 50, 'Metadata can have up to 50 keys');
    for (const [key, value] of Object.entries(found)) {
        demand(/^[^[\]]{1,40}$/.test(key), `Metadata keys can have up to 40 characters: ${key}`);
        demand(typeof value === 'string' && value.length <= 500, `Metadata value of ${key}`);
    }
    return found as Readonly<Record<string, string>>;
}

/** One line of add_lines: an amount in steps that its currency has, with a period that does not run back. */
function lineOf(params: Params, invoice: StoredInvoice, id: string): StoredLine {
    knownOnly(params, ['amount', 'description', 'metadata', 'period']);
    const amount = integerOf(params, 'amount');
    const currency = invoice.currency.toUpperCase();
    const step = threeDecimal.includes(currency) ? 10 : ['ISK', 'UGX'].includes(currency) ? 100 : 1;
    demand(
        amount % step === 0,
        `Invalid amount ${amount} for ${currency}`,
        'parameter_invalid_integer',
    );
    const description = 'description' in params ? textOf(params, 'description') : null;
    const period = params.period as Params;
    const span = { start: integerOf(period, 'start'), end: integerOf(period, 'end') };
    demand(span.end >= span.start, 'period[end] must be at or after period[start]');
    return {
        id,
        amount,
        currency: invoice.currency,
        description,
        metadata: metadataOf(params),
        period: span,
    };
}

/**
 * Stripe as its documents say (docs.stripe.com/api): invoices, their lines, meters, idempotency keys that
 * answer the same for a day (errors too), refusals, and failures as told.
 */
export async function stripeStandIn(options: StripeStandInOptions = {}): Promise<StripeStandIn> {
    const invoices = new Map<string, StoredInvoice>();
    const events = new Map<string, StoredEvent>();
    const identifiers = new Set<string>();
    const answers = new Map<string, { asked: string; status: number; body: string }>();
    const requests: string[] = [];
    let made = 0;
    const idOf = (kind: string) => {
        made += 1;
        return `${kind}_${String(made).padStart(6, '0')}`;
    };

    const invoiceOf = (id: string): StoredInvoice => {
        const found = invoices.get(id);
        if (!found) throw new Refusal(404, `No such invoice: '${id}'`, 'resource_missing');
        return found;
    };
    const draftOf = (id: string): StoredInvoice => {
        const found = invoiceOf(id);
        demand(
            found.status === 'draft',
            'Only draft invoices can be changed',
            'invoice_not_editable',
        );
        return found;
    };
    const shown = (of: StoredInvoice) => {
        const subtotal = of.lines.reduce((sum, { amount }) => sum + amount, 0);
        const { id, status, created, customer, currency, metadata } = of;
        return {
            ...{ object: 'invoice', id, status, created, customer, currency, metadata, subtotal },
            total: of.discounts.reduce((sum, amount) => sum - amount, subtotal),
            total_discount_amounts: of.discounts.map((amount) => ({ amount, discount: 'di_1' })),
            // As Stripe: the first ten.
            lines: { object: 'list', data: of.lines.slice(0, 10), has_more: of.lines.length > 10 },
        };
    };
    const page = <T extends { readonly id: string }>(all: readonly T[], query: Params) => {
        const limit = 'limit' in query ? integerOf(query, 'limit') : 10;
        demand(limit >= 1 && limit <= 100, 'limit must be between 1 and 100');
        const after = all.findIndex(({ id }) => id === query.starting_after) + 1;
        const data = all.slice(after, after + limit);
        return { object: 'list', data, has_more: after + limit < all.length, url: '' };
    };

    const create = (params: Params) => {
        knownOnly(params, [
            ...['auto_advance', 'collection_method', 'currency', 'customer', 'days_until_due'],
            ...['description', 'discounts', 'metadata', 'pending_invoice_items_behavior'],
        ]);
        const currency = textOf(params, 'currency');
        demand(/^[a-z]{3}$/.test(currency), `Invalid currency: ${currency}`);
        const customer = textOf(params, 'customer', 255);
        demand(/^cus_/.test(customer), `No such customer: '${customer}'`, 'resource_missing');
        const invoice: StoredInvoice = {
            ...{ id: idOf('in'), status: 'draft', customer, currency, params },
            ...{ created: options.now ?? 1_793_869_200, metadata: metadataOf(params), lines: [] },
            discounts: params.discounts === '' ? [] : [100],
        };
        invoices.set(invoice.id, invoice);
        return shown(invoice);
    };
    const addLines = (id: string, params: Params) => {
        const invoice = draftOf(id);
        knownOnly(params, ['lines']);
        const lines = Object.values(params.lines as Params).map((of) =>
            lineOf(of as Params, invoice, idOf('il')),
        );
        demand(invoice.lines.length + lines.length <= 250, 'You can only have 250 invoice items');
        invoice.lines = [...invoice.lines, ...lines];
        return shown(invoice);
    };
    const finalize = (id: string, params: Params) => {
        knownOnly(params, ['auto_advance']);
        const invoice = draftOf(id);
        invoice.status = shown(invoice).total > 0 ? 'open' : 'paid';
        return shown(invoice);
    };
    const meter = (event_name: string) => ({
        ...{ object: 'billing.meter', id: `mtr_${event_name}`, event_name, status: 'active' },
        customer_mapping: { event_payload_key: 'stripe_customer_id', type: 'by_id' },
        default_aggregation: { formula: options.formula ?? 'sum' },
        value_settings: { event_payload_key: 'tokens' },
    });
    const meterEvent = (params: Params) => {
        knownOnly(params, ['event_name', 'identifier', 'payload', 'timestamp']);
        const identifier = textOf(params, 'identifier', 100);
        const timestamp = integerOf(params, 'timestamp');
        const age = (options.now ?? timestamp) - timestamp;
        demand(age <= 35 * 86_400 && age >= -300, 'The timestamp is too far in the past or future');
        const payload = params.payload as Params;
        const customer = textOf(payload, 'stripe_customer_id');
        const value = textOf(payload, 'tokens');
        demand(/^-?\d+(\.\d+)?$/.test(value), 'The value must be numeric');
        demand(
            value.replace(/\D/g, '').length <= 15,
            'too digits',
            'meter_event_value_too_many_digits',
        );
        demand(
            !identifiers.has(identifier),
            `An event already exists with identifier ${identifier}.`,
        );
        const event_name = textOf(params, 'event_name', 100);
        const event = { identifier, event_name, customer, value, timestamp };
        identifiers.add(identifier);
        events.set(`${identifier} ${events.size}`, event);
        return { object: 'billing.meter_event', identifier, event_name, payload, timestamp };
    };
    const summaries = (id: string, query: Params) => {
        const [from, to] = [integerOf(query, 'start_time'), integerOf(query, 'end_time')];
        demand(from % 60 === 0 && to % 60 === 0, 'Must be aligned with minute boundaries');
        const own = [...events.values()].filter(
            (of) =>
                `mtr_${of.event_name}` === id &&
                of.customer === query.customer &&
                of.timestamp >= from &&
                of.timestamp < to,
        );
        const isSummed = own.length > 0 && (options.isSummed?.() ?? true);
        const aggregated_value = own.reduce((sum, { value }) => sum + Number(value), 0);
        return page(isSummed ? [{ id: 'mtrusg_1', meter: id, aggregated_value }] : [], query);
    };

    const doIt = (method: string, path: string, params: Params): unknown => {
        const [, , kind = '', id = '', verb = ''] = path.split('/');
        const what = `${method} ${kind}${id && ' ID'}${verb && ` ${verb}`}`;
        if (path === '/v1/account') return { object: 'account', id: options.account ?? 'acct_1' };
        if (path === '/v1/billing/meters') return page([meter('llm_tokens')], params);
        if (path === '/v1/billing/meter_events') return meterEvent(params);
        if (path.endsWith('/event_summaries')) return summaries(verb, params);
        switch (what) {
            case 'POST invoices':
                return create(params);
            case 'GET invoices': {
                const { gte = '0' } = (params.created ?? {}) as { readonly gte?: string };
                const own = [...invoices.values()].filter(
                    (of) => of.customer === params.customer && of.created >= Number(gte),
                );
                return page(own.reverse().map(shown), params);
            }
            case 'GET invoices ID':
                return shown(invoiceOf(id));
            case 'DELETE invoices ID':
                draftOf(id);
                invoices.delete(id);
                return { object: 'invoice', id, deleted: true };
            case 'POST invoices ID add_lines':
                return addLines(id, params);
            case 'GET invoices ID lines':
                return page(invoiceOf(id).lines, params);
            case 'POST invoices ID finalize':
                return finalize(id, params);
            default:
                throw new Refusal(404, `Unrecognized request URL (${method}: ${path})`);
        }
    };

    const answerTo = (method: string, path: string, params: Params): [number, string] => {
        try {
            return [200, JSON.stringify(doIt(method, path, params))];
        } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            const { status, message, code } = error;
            const said = { type: 'invalid_request_error', message, code };
            return [status, JSON.stringify({ error: said })];
        }
    };
    const failure = (status: number): [number, string] => [
        status,
        JSON.stringify({ error: { type: 'api_error', message: `failed with ${status}` } }),
    ];

    const reply = async (request: IncomingMessage, response: ServerResponse) => {
        const { method = '', headers } = request;
        const { pathname, search } = new URL(request.url ?? '', 'http://localhost');
        requests.push(`${method} ${pathname}`);
        const fault = options.faultOf?.(requests.length, `${method} ${pathname}`) ?? null;
        const body = await text(request);
        const send = (
            [status, answer]: readonly [number, string],
            more: Record<string, string> = {},
        ) => {
            response.writeHead(status, { 'content-type': 'application/json', ...more });
            response.end(answer);
        };
        if (headers.authorization !== `Bearer ${standInKey}`) {
            const message = `Invalid API Key provided: ${headers.authorization}`;
            return send([
                401,
                JSON.stringify({ error: { type: 'invalid_request_error', message } }),
            ]);
        }
        if (fault === 'reset') return request.socket.destroy();
        // Neither of these begins anything, so no key is used up.
        if (fault === '429') return send(failure(429), { 'retry-after': '0' });
        if (fault === '409') return send(failure(409));
        const key = method === 'POST' ? String(headers['idempotency-key'] ?? '') : '';
        const asked = `${method} ${pathname} ${body}`;
        const known = answers.get(key);
        if (known && known.asked !== asked) {
            const said = {
                type: 'idempotency_error',
                message: 'Keys for idempotent requests differ',
            };
            return send([400, JSON.stringify({ error: said })]);
        }
        if (known) return send([known.status, known.body], { 'idempotent-replayed': 'true' });
        const params = formOf(method === 'POST' ? body : search.slice(1));
        const isDone = fault === null || fault.startsWith('lost');
        const answer = isDone ? answerTo(method, pathname, params) : failure(Number(fault));
        const final = fault === 'lost 500' ? failure(500) : answer;
        if (key !== '') answers.set(key, { asked, status: final[0], body: final[1] });
        if (fault === 'lost') return request.socket.destroy();
        send(final);
    };
    const server = createServer((request, response) => void reply(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
        url: `http://127.0.0.1:${port}`,
        ...{ invoices, events, requests },
        dayLater: () => {
            answers.clear();
            identifiers.clear();
        },
        stop: async () => {
            server.closeAllConnections();
            server.close();
            await once(server, 'close');
        },
    };
}
