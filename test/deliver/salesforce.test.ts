import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Delivered, sendAll, waybills } from '../../src/deliver/deliver.ts';
import { writeParcels } from '../../src/deliver/files.ts';
import { type Names, ownNames } from '../../src/deliver/names.ts';
import { readOutbox } from '../../src/deliver/outbox.ts';
import { salesforceTarget } from '../../src/deliver/salesforce.ts';
import { silent } from '../../src/effects.ts';
import { gatherInvoices } from '../../src/export/invoices.ts';
import { salesforceSchema } from '../../src/schema/deliver-salesforce.ts';
import type { LineItem } from '../../src/schema/line-item.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { hexKey, lineItem, lineItems } from '../support/documents.ts';
import { memoryStore } from '../support/memory-store.ts';
import { orgFaults, type SalesforceOrg, salesforceOrg } from '../support/salesforce-stand-in.ts';

const routes = ['staging', 'ingestion', 'journal'] as const;
type Route = (typeof routes)[number];

/** Two payers with two lines each, one in a currency without decimals. */
const invoiced: readonly LineItem[] = ['acme', 'zeta'].flatMap((payer_id) =>
    [0, 1].map((of) =>
        lineItem({
            ...{ payer_id, invoice_key: `${payer_id}/2026-10/USD` },
            line_key: hexKey(of, payer_id),
        }),
    ),
);

const unit = '0hE000000000001';
const targetOf = (url: string, route: Route, more: object = {}, names: Names = ownNames) =>
    salesforceTarget(
        {
            settings: salesforceSchema.parse({
                ...{ instance_url: url, route, concurrency: 1, per_second: 50 },
                ...{ wait_seconds: 1, journal: { units: { token: unit } }, ...more },
            }),
            environment: {
                TIEOUT_SALESFORCE_CLIENT_ID: 'client',
                TIEOUT_SALESFORCE_CLIENT_SECRET: 'secret',
            },
            ...{ names, now: () => '2026-11-05T09:00:00Z' },
        },
        1,
    );

async function deliverTo(
    url: string,
    route: Route,
    store: ObjectStore,
    lines: readonly LineItem[] = invoiced,
    more: object = {},
): Promise<readonly Delivered[]> {
    const target = targetOf(url, route, more);
    const { invoices } = gatherInvoices(lines, new Set(['clear'] as const));
    const outbox = await readOutbox(store, target.name, '2026-10');
    return sendAll(
        {
            ...{
                target,
                store,
                period: '2026-10',
                run_id: 'run',
                by: 'ada',
                start_id: randomUUID(),
            },
            ...{ now: () => '2026-11-05T09:00:00Z', progress: silent, pauses: { min: 1, max: 1 } },
        },
        waybills(target, outbox, target.pack(invoices).parcels),
    );
}

const linesIn = ({ records, invoices }: SalesforceOrg) =>
    records.size + [...invoices.values()].flat().length;
const states = (of: readonly Delivered[]) => of.map(({ state, detail }) => [state, detail]);
const done = [
    ['verified', ''],
    ['verified', ''],
];

describe.each(routes)('salesforce by %s', (route) => {
    test('each line is there once, and a second start sends nothing', async () => {
        const org = await salesforceOrg();
        const store = memoryStore({});
        expect(states(await deliverTo(org.url, route, store))).toEqual(done);
        const count = org.requests.filter((of) => !of.startsWith('GET')).length;
        expect(states(await deliverTo(org.url, route, store))).toEqual(done);
        expect(linesIn(org)).toBe(4);
        expect(org.requests.filter((of) => !of.startsWith('GET')).length).toBe(count + 1);
        await org.stop();
    });

    test.each(orgFaults)('%s of any one request: two more starts end it', async (fault) => {
        const probe = await salesforceOrg();
        await deliverTo(probe.url, route, memoryStore({}));
        await probe.stop();
        // The first request asks to be let in.
        for (let at = 2; at <= probe.requests.length; at += 1) {
            const org = await salesforceOrg((number) => (number === at ? fault : null));
            const store = memoryStore({});
            await deliverTo(org.url, route, store);
            await deliverTo(org.url, route, store);
            const last = await deliverTo(org.url, route, store);
            expect([at, states(last), linesIn(org)]).toEqual([at, done, 4]);
            await org.stop();
        }
    });
});

describe('what Salesforce is told', () => {
    const pack = (route: Route, lines: readonly LineItem[], more = {}, names = ownNames) =>
        targetOf('http://127.0.0.1:9', route, more, names).pack(
            gatherInvoices(lines, new Set(['clear'] as const)).invoices,
        );

    test('records that fail are told, and nothing of their batch is kept', async () => {
        const org = await salesforceOrg(() => null, ['zeta']);
        const [acme, zeta] = await deliverTo(org.url, 'staging', memoryStore({}));
        expect(acme?.state).toBe('rejected');
        expect(acme?.detail).toMatch(
            /^2 records failed, and nothing of the batch is kept: INVALID/,
        );
        expect([zeta?.state, linesIn(org)]).toEqual(['verified', 2]);
        await org.stop();
    });

    test.each([
        ['JPY', '1200', '1200'],
        ['KWD', '0.125', '0.125'],
        ['USD', '-10.01', '-10.01'],
    ])('%s %s is counted as %s', async (currency, amount, read) => {
        const org = await salesforceOrg();
        const line = lineItem({ currency, amount });
        const [one] = await deliverTo(org.url, 'staging', memoryStore({}), [line]);
        expect(one?.state).toBe('verified');
        expect(one?.counted).toEqual({ line_count: 1, amount: read, currency });
        await org.stop();
    });

    test('more lines than a graph takes are several invoices', () => {
        const { parcels } = pack('ingestion', lineItems(1_000));
        expect(parcels.map(({ parcel_key, line_count }) => [parcel_key, line_count])).toEqual([
            ['acme/2026-10/USD', 495],
            ['acme/2026-10/USD/2', 495],
            ['acme/2026-10/USD/3', 10],
        ]);
    });

    const nobody: Names = { payer: () => null, product: () => null };
    test.each([
        ['staging', { description: '#N/A' }, {}, ownNames, ['SALESFORCE_NULL_WORD']],
        ['staging', { unit: 'x'.repeat(256) }, {}, ownNames, ['SALESFORCE_TEXT_LONG']],
        ['staging', { amount: '12345678901234.56' }, {}, ownNames, ['SALESFORCE_DIGITS']],
        ['staging', {}, { currency: 'EUR' }, ownNames, ['SALESFORCE_CURRENCY']],
        ['staging', {}, {}, nobody, ['SALESFORCE_NAME_MISSING', 'SALESFORCE_NAME_MISSING']],
        ['ingestion', { payer_id: 'a/b' }, {}, ownNames, ['SALESFORCE_NAME_UNSAFE']],
        ['journal', { unit: 'gpu' }, {}, ownNames, ['SALESFORCE_UNIT_MISSING']],
        ['journal', { line_type: 'fee' as const }, {}, ownNames, ['SALESFORCE_NO_USAGE']],
    ] as const)('%s keeps %j here', (route, over, more, names, codes) => {
        const { parcels, problems } = pack(route, [lineItem(over)], more, names);
        expect(parcels).toEqual([]);
        expect(problems.map(({ code }) => code)).toEqual(codes);
    });

    test('an invoice below zero stays here', () => {
        const { problems } = pack('ingestion', [lineItem({ amount: '-1.00' })]);
        expect(problems.map(({ code, severity }) => [code, severity])).toEqual([
            ['SALESFORCE_NEGATIVE_INVOICE', 'refused'],
            ['SALESFORCE_NEGATIVE_LINE', 'check'],
        ]);
    });

    test.each([
        ['staging', 'csv'],
        ['ingestion', 'json'],
        ['journal', 'csv'],
    ] as const)('%s is written as %s, into an empty folder alone', (route, ending) => {
        const target = targetOf('http://127.0.0.1:9', route);
        const { invoices } = gatherInvoices(invoiced, new Set(['clear'] as const));
        const all = waybills(target, new Map(), target.pack(invoices).parcels);
        const folder = mkdtempSync(join(tmpdir(), 'tieout-parcels-'));
        writeParcels(folder, target, all);
        const names = readdirSync(folder);
        expect(names).toHaveLength(3);
        const [first = ''] = names.filter((of) => of.startsWith('acme'));
        expect(first).toMatch(new RegExp(`^acme_2026-10_USD.*\\.${ending}$`));
        expect(readFileSync(join(folder, first), 'utf8')).toContain(hexKey(0, 'acme'));
        expect(() => writeParcels(folder, target, all)).toThrow(
            expect.objectContaining({ code: 'USAGE' }),
        );
    });

    const privateKey = generateKeyPairSync('rsa', {
        modulusLength: 2_048,
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    }).privateKey;
    const who = { TIEOUT_SALESFORCE_CLIENT_ID: 'client', TIEOUT_SALESFORCE_USERNAME: 'ada' };
    test.each([
        ['client_credentials', who, /CLIENT_SECRET is not set/],
        ['jwt_bearer', { ...who, TIEOUT_SALESFORCE_PRIVATE_KEY: 'none' }, /no RSA key/],
        ['jwt_bearer', { ...who, TIEOUT_SALESFORCE_PRIVATE_KEY: privateKey }, null],
    ] as const)('%s lets us in only with all it needs', async (auth, environment, message) => {
        const org = await salesforceOrg();
        const settings = salesforceSchema.parse({ instance_url: org.url, auth });
        const now = () => '2026-11-05T09:00:00Z';
        const target = salesforceTarget({ settings, names: ownNames, environment, now }, 1);
        const { invoices } = gatherInvoices(invoiced, new Set(['clear'] as const));
        const [parcel] = target.pack(invoices).parcels;
        const found = target.find(parcel!);
        if (message === null) expect(await found).toBeNull();
        else await expect(found).rejects.toThrow(message);
        await org.stop();
    });

    test.each([
        ['a field that is not there', 'query', 400, 'INVALID_FIELD', 'DELIVERY_LOCKED_OUT'],
        ['a new token that is not taken', 'data', 401, 'INVALID_SESSION_ID', 'DELIVERY_LOCKED_OUT'],
        ['no right to see jobs', 'jobs', 403, 'INSUFFICIENT_ACCESS', 'DELIVERY_LOCKED_OUT'],
        ['too many requests today', 'query', 403, 'REQUEST_LIMIT_EXCEEDED', null],
    ])('%s stops it, or not', async (_, part, status, errorCode, code) => {
        const org = await salesforceOrg(
            () => null,
            undefined,
            (request) => (request.includes(part) ? [status, errorCode] : null),
        );
        const sent = deliverTo(org.url, 'staging', memoryStore({}));
        if (code !== null) await expect(sent).rejects.toMatchObject({ code });
        else expect((await sent).map(({ isPassing }) => isPassing)).toEqual([true, true]);
        expect(org.records.size).toBe(0);
        await org.stop();
    });
});
