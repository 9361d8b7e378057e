import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { jwtVerify } from 'jose';
import { afterEach } from 'vitest';
import { add, formatAmount, multiply, parseAmount } from '../../src/money/amount.ts';
import { round } from '../../src/money/round.ts';
import { parseExactJson, plainDecimal } from '../../src/rules/exact-json.ts';

/** What goes wrong with a request: before it is done, after it is done, or instead of it. */
export const netsuiteFaults = [
    'reset',
    'lost',
    '500',
    'lost 500',
    '503',
    '429',
    '400',
    '401',
] as const;
export type NetsuiteFault = (typeof netsuiteFaults)[number];

export interface BookedLine {
    readonly item: string;
    readonly quantity: string;
    readonly rate: string;
    readonly amount: string;
    readonly description: string;
    readonly columns: Readonly<Record<string, unknown>>;
}

export interface BookedRecord {
    readonly type: string;
    readonly id: string;
    readonly fields: Readonly<Record<string, unknown>>;
    lines: BookedLine[];
    puts: number;
}

export interface NetsuiteStandIn {
    readonly url: string;
    /** In PEM, for whoever may come in. */
    readonly privateKey: string;
    /** Transactions by external id, which all kinds of them share. */
    readonly books: Map<string, BookedRecord>;
    /** Requests in order: `POST token`, `PUT invoice`, `GET creditmemo`. */
    readonly requests: readonly string[];
    readonly most: () => number;
    /** Tokens that were given so far are good for nothing any more. */
    readonly revoke: () => void;
    readonly stop: () => Promise<void>;
}

export interface StandInOptions {
    /** What goes wrong with a request, by its number from 1 and what it is. */
    readonly faultOf?: (number: number, request: string) => NetsuiteFault | null;
    readonly algorithm?: 'PS256' | 'ES256';
    /** Requests at one time; one more is answered 429. */
    readonly concurrency?: number;
    readonly expiresIn?: string;
    /** The instant that claims are judged at. */
    readonly now?: () => string;
    /** After a line was booked. */
    readonly onBooked?: (count: number) => void;
}

type Answer = readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>];

const refusal = (status: number, code: string, detail: string, path?: string): Answer => [
    status,
    {
        title: 'Bad Request',
        status,
        'o:errorDetails': [
            { detail, 'o:errorCode': code, ...(path ? { 'o:errorPath': path } : {}) },
        ],
    },
];

const headFields = new Set([
    ...['entity', 'subsidiary', 'currency', 'tranDate', 'startDate', 'endDate', 'terms', 'memo'],
    'item',
]);
const lineFields = new Set(['item', 'price', 'quantity', 'rate', 'amount', 'description']);
const limit = parseAmount('10000000000');

/** Keys are costly to make: one pair of each kind for all. */
const pairs = new Map<string, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>();
export function keyPair(algorithm: 'PS256' | 'ES256') {
    const known = pairs.get(algorithm);
    if (known) return known;
    const made =
        algorithm === 'PS256'
            ? generateKeyPairSync('rsa', { modulusLength: 3_072 })
            : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    pairs.set(algorithm, made);
    return made;
}
export const pemOf = (key: KeyObject) => String(key.export({ type: 'pkcs8', format: 'pem' }));

/**
 * NetSuite as its help describes it, with the traps: lines are appended without `replace=item`; an amount
 * that is set before its rate is quantity x rate; a rate has 8 decimals; a total is never below zero; external
 * ids are of all transactions; 200 lines at most; numbers of seven digits come back as 1.2E7.
 */
export async function netsuiteStandIn(options: StandInOptions = {}): Promise<NetsuiteStandIn> {
    const { algorithm = 'PS256', concurrency = 5, expiresIn = '3600' } = options;
    const { publicKey, privateKey } = keyPair(algorithm);
    const now = options.now ?? (() => '2026-11-05T09:00:00Z');
    const books = new Map<string, BookedRecord>();
    const requests: string[] = [];
    let tokens = new Set<string>();
    let [given, atWork, most, booked] = [0, 0, 0, 0];
    let base = '';

    const grant = async (body: string): Promise<Answer> => {
        const form = new URLSearchParams(body);
        const { protectedHeader, payload } = await jwtVerify(
            form.get('client_assertion') ?? '',
            publicKey,
            {
                ...{ algorithms: [algorithm], issuer: 'client', typ: 'JWT' },
                audience: `${base}/services/rest/auth/oauth2/v1/token`,
                currentDate: new Date(now()),
            },
        );
        const { iat = 0, exp = 0 } = payload;
        const isRight =
            form.get('grant_type') === 'client_credentials' &&
            form.get('client_assertion_type') ===
                'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' &&
            protectedHeader.kid === 'certificate' &&
            payload.scope === 'rest_webservices' &&
            exp > iat &&
            exp - iat <= 3_600;
        if (!isRight) return [400, { error: 'invalid_grant' }];
        given += 1;
        tokens.add(`token-${given}`);
        return [
            200,
            { access_token: `token-${given}`, expires_in: expiresIn, token_type: 'bearer' },
        ];
    };

    const put = (type: string, external: string, isReplaced: boolean, body: string): Answer => {
        const fields = parseExactJson(body) as Record<string, unknown>;
        const unknown = Object.keys(fields).find((field) => !headFields.has(field));
        if (unknown) return refusal(400, 'NONEXISTENT_FIELD', `no field ${unknown}`, unknown);
        const { items = [] } = (fields.item ?? {}) as { items?: Record<string, unknown>[] };
        const known = books.get(external);
        if (known && known.type !== type) {
            return refusal(400, 'DUP_RCRD', 'This record already exists', 'externalId');
        }
        const lines = items.map(lineOf);
        const wrong = lines.find((line) => 'code' in line);
        if (wrong && 'code' in wrong) return refusal(400, wrong.code, wrong.detail, 'item');
        const all = [...(known && !isReplaced ? known.lines : []), ...(lines as BookedLine[])];
        if (all.length > 200) return refusal(400, 'USER_ERROR', 'more than 200 lines');
        const total = all.map(({ amount }) => parseAmount(amount)).reduce(add);
        if (total.units < 0n) return refusal(400, 'USER_ERROR', 'The total cannot be negative.');
        const id = known?.id ?? String(books.size + 101);
        books.set(external, { type, id, fields, lines: all, puts: (known?.puts ?? 0) + 1 });
        booked += 1;
        options.onBooked?.(booked);
        return [204, null, { location: `${base}/services/rest/record/v1/${type}/${id}` }];
    };

    const get = (type: string, external: string, isExpanded: boolean): Answer => {
        const record = books.get(external);
        if (record?.type !== type) {
            return refusal(404, 'NONEXISTENT_ID', 'The record instance does not exist.');
        }
        const items = record.lines.map((line, at) => ({
            ...{ line: at + 1, item: { id: line.item }, description: line.description },
            ...{ amount: raw(javaNumber(line.amount)), quantity: raw(line.quantity) },
            ...line.columns,
        }));
        const { currency } = record.fields as { currency: { id: string } };
        const links = { links: [{ rel: 'self', href: `${base}/${type}/${record.id}/item` }] };
        return [
            200,
            {
                ...{ id: record.id, externalId: external },
                currency: { id: currency.id, refName: 'US Dollar' },
                item: isExpanded ? { items, totalResults: items.length } : links,
            },
        ];
    };

    const answerTo = async (request: IncomingMessage, url: URL, body: string): Promise<Answer> => {
        if (url.pathname === '/services/rest/auth/oauth2/v1/token') {
            return grant(body).catch(() => [400, { error: 'invalid_client' }] as Answer);
        }
        const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
        if (!tokens.has(token)) return refusal(401, 'INVALID_LOGIN', 'Invalid login attempt.');
        const path = /^\/services\/rest\/record\/v1\/(invoice|creditmemo)\/eid:([A-Za-z0-9_-]+)$/;
        const [, type = '', external = ''] = path.exec(url.pathname) ?? [];
        if (type === '') return refusal(404, 'NOT_FOUND', 'no such resource');
        const isReplaced = url.searchParams.get('replace') === 'item';
        if (request.method === 'PUT') return put(type, external, isReplaced, body);
        return get(type, external, url.searchParams.get('expandSubResources') === 'true');
    };

    const reply = async (request: IncomingMessage, response: ServerResponse) => {
        const url = new URL(request.url ?? '', base);
        const what = url.pathname.endsWith('/token') ? 'token' : url.pathname.split('/').at(-2);
        requests.push(`${request.method} ${what}`);
        const fault = options.faultOf?.(requests.length, requests.at(-1) ?? '') ?? null;
        const body = await text(request);
        if (fault === 'reset') return request.socket.destroy();
        const isCrowded = atWork > concurrency;
        const isDone = !isCrowded && (fault === null || fault.startsWith('lost'));
        const [status, answer, headers] = isDone
            ? await answerTo(request, url, body)
            : isCrowded
              ? ([429, {}, { 'retry-after': '0' }] as Answer)
              : refusal(Number.parseInt(fault ?? '', 10), 'USER_ERROR', 'not today');
        if (fault === 'lost') return request.socket.destroy();
        response.writeHead(fault === 'lost 500' ? 500 : status, {
            'content-type': 'application/json',
            ...(fault === '429' ? { 'retry-after': '0' } : {}),
            ...headers,
        });
        response.end(answer === null ? '' : JSON.stringify(answer));
    };
    const server = createServer((request, response) => {
        atWork += 1;
        most = Math.max(most, atWork);
        void reply(request, response).finally(() => {
            atWork -= 1;
        });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
        ...{ url: base, privateKey: pemOf(privateKey), books, requests },
        most: () => most,
        revoke: () => {
            tokens = new Set();
        },
        stop: async () => {
            server.closeAllConnections();
            server.close();
            await once(server, 'close');
        },
    };
}

/** A number on its way out, in the digits that are given. */
const { rawJSON: raw } = JSON as unknown as { rawJSON: (digits: string) => unknown };

/** From ten millions on, Java writes 1.2E7. */
function javaNumber(plain: string): string {
    const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)\.?(\d*)$/.exec(plain) ?? [];
    if (whole.length < 8) return plain;
    const digits = `${whole.slice(1)}${fraction}`.replace(/0+$/, '');
    return `${sign}${whole[0]}.${digits || '0'}E${whole.length - 1}`;
}

/** A line as NetSuite makes it of fields in the order in which they come; or why it does not. */
function lineOf(
    fields: Record<string, unknown>,
): BookedLine | { readonly code: string; readonly detail: string } {
    const names = Object.keys(fields);
    const unknown = names.find((name) => !lineFields.has(name) && !name.startsWith('custcol'));
    if (unknown) return { code: 'NONEXISTENT_FIELD', detail: `no field ${unknown}` };
    const number = (name: string) => {
        const plain = plainDecimal(String(fields[name] ?? ''));
        return plain === null ? null : parseAmount(plain);
    };
    const [quantity, given, amount] = [number('quantity'), number('rate'), number('amount')];
    if (!quantity || !given || !amount) return { code: 'INVALID_CONTENT', detail: 'no number' };
    if (quantity.units < 0n) return { code: 'USER_ERROR', detail: 'quantity below zero' };
    if (quantity.units * 1n >= limit.units * 10n ** BigInt(quantity.scale)) {
        return { code: 'USER_ERROR', detail: 'quantity too large' };
    }
    const {
        item,
        price,
        description = '',
    } = fields as {
        item?: { id?: string; externalId?: string };
        price?: { id: string };
        description?: string;
    };
    if (description.length > 4_000) return { code: 'USER_ERROR', detail: 'description too long' };
    // Without the custom price level, the item has a price of its own.
    const rate = price?.id === '-1' ? round(given, 8) : parseAmount('999');
    const isLast = names.indexOf('amount') > names.indexOf('rate');
    const set = isLast && price?.id === '-1' ? amount : round(multiply(quantity, rate), 2);
    return {
        item: item?.id ?? `eid:${item?.externalId}`,
        quantity: formatAmount(quantity),
        rate: formatAmount(rate),
        amount: formatAmount(set),
        description,
        columns: Object.fromEntries(
            Object.entries(fields).filter(([name]) => name.startsWith('custcol')),
        ),
    };
}

/** Starts such services for the tests of a file; each stops when its test ends. */
export function netsuiteStandIns(): typeof netsuiteStandIn {
    const open: NetsuiteStandIn[] = [];
    afterEach(async () => {
        for (const one of open.splice(0)) await one.stop();
    });
    return async (options) => {
        const made = await netsuiteStandIn(options);
        open.push(made);
        return made;
    };
}
