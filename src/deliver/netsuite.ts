import { z } from 'zod';
import { RunError } from '../errors/index.ts';
import { moneyText } from '../export/invoices.ts';
import type { JsonValue } from '../export/json.ts';
import { type NetsuiteRecord, netsuiteRecords } from '../export/netsuite-records.ts';
import { add, negate, parseAmount } from '../money/amount.ts';
import { parseExactJson } from '../rules/exact-json.ts';
import type { NetsuiteSettings } from '../schema/deliver-netsuite.ts';
import type { Answered } from './http.ts';
import { ownNames } from './names.ts';
import { exchange, refusalText } from './netsuite-http.ts';
import { expectSameLines, type ItemFields, shownAmount } from './netsuite-lines.ts';
import { netsuiteTokens, notLetIn } from './netsuite-token.ts';
import {
    type Counted,
    type Opening,
    type Parcel,
    type Receipt,
    type Target,
    TargetError,
} from './target.ts';

type Payload = NetsuiteRecord['payload'];

/** A record as NetSuite shows it, numbers as the text that they are written in. */
const shownRecord = z.object({ id: z.string().min(1) });
const shownLines = shownRecord.extend({
    currency: z.object({ id: z.string() }),
    item: z.object({
        items: z.array(z.record(z.string(), z.unknown())),
        totalResults: z.string().optional(),
        hasMore: z.boolean().optional(),
    }),
});

/**
 * NetSuite over its REST web services: each parcel is an invoice or a credit memo, put under an external id
 * of ours with `replace=item`, for without it NetSuite appends the lines to those that are there.
 * @throws RunError DELIVERY_REFUSED for names or a key that cannot do
 */
export function netsuiteTarget({
    settings,
    names,
    environment,
    now,
}: Opening<NetsuiteSettings>): Target {
    if (names === ownNames && settings.references === 'internal_id') {
        throw new RunError('DELIVERY_REFUSED', {
            target: 'netsuite',
            detail: 'no file of names says what it calls payers and products',
            remedy: 'Set `deliveries.names`, or `references: external_id` when it knows them by our names.',
        });
    }
    const account = settings.account.toLowerCase().replaceAll('_', '-');
    const host = `${account}.suitetalk.api.netsuite.com`;
    const base = (settings.url ?? `https://${host}`).replace(/\/+$/, '');
    const tokens = netsuiteTokens(settings, base, environment, now);
    const send = async (url: string, request: Parameters<typeof exchange>[1]) => {
        const token = await tokens.current();
        const headers = { ...request.headers, authorization: `Bearer ${token}` };
        return { token, answer: await exchange(url, { ...request, headers }) };
    };
    /** With another token when the one that we have is not taken. */
    const ask = async (
        method: 'GET' | 'PUT',
        { payload }: Parcel,
        query: string,
    ): Promise<Answered> => {
        const { record_type, external_id, body } = payload as unknown as Payload;
        const url = `${base}/services/rest/record/v1/${record_type}/eid:${external_id}${query}`;
        const request =
            method === 'GET'
                ? { method, headers: {} }
                : { method, headers: { 'content-type': 'application/json' }, body: wire(body) };
        const first = await send(url, request);
        if (first.answer.status !== 401) return allowed(first.answer);
        tokens.drop(first.token);
        return allowed((await send(url, request)).answer);
    };
    const find = async (parcel: Parcel): Promise<Receipt | null> => {
        const answer = await ask('GET', parcel, '');
        if (answer.status === 404) return null;
        return { remote_id: remoteId(parcel, shown(shownRecord, answer, 'unknown').id) };
    };
    return {
        // The outbox of an account is its own: what a sandbox has is not in the books.
        name: `netsuite-${account}`,
        address: `account ${settings.account}${settings.url ? `, ${new URL(base).host}` : ''}`,
        concurrency: settings.concurrency,
        perSecond: settings.per_second,
        pack: (invoices) => {
            const { records, problems } = netsuiteRecords(invoices, names, settings);
            return { parcels: records.map(parcelOf), problems };
        },
        find,
        send: async (parcel, found) => {
            // A record is put whole or not at all.
            if (found) return found;
            const answer = await ask('PUT', parcel, '?replace=item');
            if (answer.status < 300) {
                const id = /\/(\d+)\/?$/.exec(answer.headers.get('location') ?? '')?.[1];
                return { remote_id: remoteId(parcel, id ?? `eid:${externalId(parcel)}`) };
            }
            // An earlier request that was given up may have come through, and be why this one did not.
            const there = await find(parcel);
            const why = refusalText(answer);
            if (there) throw new TargetError('unknown', `${why}, and has ${there.remote_id}`);
            throw new TargetError('refused', why);
        },
        readBack: async (parcel) => {
            const answer = await ask('GET', parcel, '?expandSubResources=true');
            if (answer.status === 404) throw new TargetError('refused', 'it has nothing of it');
            return countedOf(parcel, answer, settings);
        },
        close: async () => {},
    };
}

/** What nobody may do who is not let in: it is the same for all that would follow. */
function allowed(answer: Answered): Answered {
    const { status } = answer;
    if (status === 401 || status === 403) throw notLetIn(refusalText(answer));
    return answer;
}

const externalId = ({ payload }: Parcel) => (payload as unknown as Payload).external_id;
const remoteId = ({ payload }: Parcel, id: string) =>
    `${(payload as unknown as Payload).record_type}/${id}`;

function parcelOf({ invoice, key, payload, ...of }: NetsuiteRecord): Parcel {
    const { payer_id, currency } = invoice;
    const what = { parcel_key: key, payer_id, currency, ...of };
    return { ...what, payload: payload as unknown as JsonValue };
}

const decimals = new Set(['quantity', 'rate', 'amount']);
/** Writes a number as the text that is given (ES2026), which Node can and the types do not know yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** The body in the order of its fields: the amount has to be set after the rate. Numbers are exact. */
function wire(body: Payload['body']): string {
    return JSON.stringify(body, (field, value) =>
        decimals.has(field) && typeof value === 'string' ? rawJSON(value) : value,
    );
}

function shown<T>(schema: z.ZodType<T>, answer: Answered, kind: 'unknown' | 'refused'): T {
    if (answer.status !== 200) throw new TargetError(kind, refusalText(answer));
    try {
        return schema.parse(parseExactJson(answer.text));
    } catch (cause) {
        throw new TargetError(kind, 'it showed something else than a record', { cause });
    }
}

/** Its lines counted and summed, with our sign and in our name of its currency, and each compared. */
function countedOf(
    parcel: Parcel,
    answer: Answered,
    { currencies, columns }: NetsuiteSettings,
): Counted {
    const { currency, item } = shown(shownLines, answer, 'refused');
    const count = item.items.length;
    if (item.hasMore || (item.totalResults ?? String(count)) !== String(count)) {
        throw new TargetError('refused', `it showed ${count} of ${item.totalResults} lines`);
    }
    const ours = Object.entries(currencies).find(([, id]) => id === currency.id)?.[0];
    const sum = item.items.map(shownAmount).reduce(add, parseAmount('0'));
    const { record_type, body } = parcel.payload as unknown as Payload;
    const named = ours ?? `currency ${currency.id}`;
    const amount = moneyText(record_type === 'creditmemo' ? negate(sum) : sum, named);
    if (count === parcel.line_count && amount === parcel.amount && named === parcel.currency) {
        const { items } = body.item as unknown as { readonly items: readonly ItemFields[] };
        expectSameLines(items, item.items, columns.line_key);
    }
    return { line_count: count, amount, currency: named };
}
