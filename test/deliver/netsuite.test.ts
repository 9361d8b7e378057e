import { describe, expect, test } from 'vitest';
import { netsuiteExternalId } from '../../src/export/netsuite-id.ts';
import { netsuiteSettingsSchema } from '../../src/schema/deliver-netsuite.ts';
import type { LineItem } from '../../src/schema/line-item.ts';
import { hexKey, lineItem, lineItems } from '../support/documents.ts';
import { memoryStore } from '../support/memory-store.ts';
import {
    type Delivery,
    deliverTo,
    netsuiteNames,
    netsuiteSettings,
    openNetsuite,
} from '../support/netsuite-delivery.ts';
import {
    keyPair,
    type NetsuiteStandIn,
    netsuiteStandIns,
    pemOf,
} from '../support/netsuite-stand-in.ts';

const standIn = netsuiteStandIns();

const booked = async (lines: readonly LineItem[], delivery: Delivery = {}) => {
    const service = await standIn();
    const { sent, problems } = await deliverTo(service, memoryStore({}), lines, delivery);
    expect(sent.map(({ state, detail }) => [state, detail])).toEqual(
        sent.map(() => ['verified', '']),
    );
    return { records: [...service.books.values()], problems, sent };
};
const acmeKey = 'acme/2026-10/USD';

describe('a transaction', () => {
    test('is of the customer, subsidiary, currency and days that it should be', async () => {
        const span = { start: '2026-10-01T04:00:00Z', end: '2026-11-01T04:00:00Z' };
        const line = lineItem({
            time_zone: 'America/New_York',
            ...{ period_start: span.start, period_end: span.end },
            ...{ service_start: span.start, service_end: span.end },
        });
        const columns = {
            ...{ line_key: 'custcol_line_key', usage_account: 'custcol_usage_account' },
            ...{ first_day: 'custcol_first_day', last_day: 'custcol_last_day' },
        };
        const settings = { columns, terms: '2', invoice_date: 'next_day' };
        const { records } = await booked([line], { settings });
        const { item: _, ...fields } = records[0]?.fields ?? {};
        expect(fields).toEqual({
            ...{ entity: { id: '1207' }, subsidiary: { id: '3' }, currency: { id: '1' } },
            ...{ tranDate: '2026-11-01', startDate: '2026-10-01', endDate: '2026-10-31' },
            ...{ terms: { id: '2' }, memo: 'Usage 2026-10-01 to 2026-10-31' },
        });
        expect(records[0]?.lines).toEqual([
            {
                ...{ item: '144', quantity: '1000', rate: '0.0125', amount: '12.5' },
                description: 'Inference (large)',
                columns: {
                    ...{ custcol_line_key: line.line_key, custcol_usage_account: 'acme-eu' },
                    ...{ custcol_first_day: '2026-10-01', custcol_last_day: '2026-10-31' },
                },
            },
        ]);
    });

    test('can be told by external ids, of names of ours', async () => {
        const settings = { references: 'external_id', subsidiary: '1' };
        const { records } = await booked([lineItem()], { settings, names: null });
        expect(records[0]?.fields).toMatchObject({
            ...{ entity: { externalId: 'acme' }, subsidiary: { id: '1' } },
        });
        expect(records[0]?.lines[0]?.item).toBe('eid:inference');
    });

    test.each<[string, Partial<LineItem>, string, string, string]>([
        ['as it is', {}, '1000', '0.0125', '12.5'],
        ['tiers: quantity x rate is not the amount', { amount: '9.99' }, '1000', '0.0125', '9.99'],
        ['what was paid', { quantity: '1', unit_price: '-3', amount: '-3' }, '1', '-3', '-3'],
        [
            'a negative quantity',
            { quantity: '-5', unit_price: '2', amount: '-10' },
            '5',
            '-2',
            '-10',
        ],
        ['ten thousand millions', { quantity: '10000000000' }, '1', '12.5', '12.5'],
        ['one less', { quantity: '9999999999' }, '9999999999', '0.0125', '12.5'],
        ['a quantity of 16 digits', { quantity: '1000000.123456789' }, '1', '12.5', '12.5'],
        ['a rate of 9 decimals', { unit_price: '0.000000125' }, '1', '12.5', '12.5'],
        ['a fee of no quantity', { quantity: '0' }, '1', '12.5', '12.5'],
        ['nothing at all', { quantity: '0', amount: '0.00' }, '0', '0.0125', '0'],
        ['ten millions and more', { amount: '12345678901.25' }, '1000', '0.0125', '12345678901.25'],
    ])('line: %s', async (_what, over, quantity, rate, amount) => {
        // Another line keeps the total above zero.
        const other = lineItem({ line_key: hexKey(1), attributes: '{"z":1}', amount: '500' });
        const { records } = await booked([lineItem(over), other]);
        const line = records[0]?.lines.find((of) => of.amount === amount);
        expect(line).toMatchObject({ quantity, rate, amount });
        const isSaid = line?.quantity === '1' && over.quantity !== '1';
        expect(/ \(.* token at .*\)$/.test(line?.description ?? '')).toBe(isSaid);
    });

    test.each([
        ['10.01', 'invoice', '10.01', '10.01'],
        ['0', 'invoice', '0', '0.00'],
        ['-10.01', 'creditmemo', '10.01', '-10.01'],
    ])('a total of %s is in a record %s', async (amount, type, theirs, ours) => {
        const line = lineItem({ quantity: '1', unit_price: amount, amount });
        const { records, sent } = await booked([line]);
        expect(records).toMatchObject([{ type, lines: [{ rate: theirs, amount: theirs }] }]);
        expect(sent[0]?.counted?.amount).toBe(ours);
    });

    test('a text of any length and kind fits', async () => {
        const description = `</script>"\u2028💸${'💸'.repeat(2_500)}`;
        const { records } = await booked([lineItem({ description, quantity: '0' })]);
        const said = records[0]?.lines[0]?.description ?? '';
        expect(said.length).toBeLessThanOrEqual(4_000);
        expect(said.isWellFormed()).toBe(true);
        expect(said).toMatch(/… \(0 token at 0\.0125\)$/);
    });
});

describe('more lines than a record takes', () => {
    const many = lineItems(401).map((line, index) => ({
        ...line,
        ...(index % 2 === 0 ? {} : { product: 'storage', amount: '1.10' }),
    }));
    const names = `${netsuiteNames}product,storage,netsuite,145\n`;

    test('are split; the first part has the key of the invoice', async () => {
        const { records, sent } = await booked(many, { names });
        expect(records.map(({ lines }) => lines.length)).toEqual([200, 200, 1]);
        expect(sent.map(({ parcel }) => parcel.parcel_key)).toEqual([
            ...[acmeKey, `${acmeKey}/2`, `${acmeKey}/3`],
        ]);
        expect(records[2]?.fields.memo).toBe('Usage 2026-10-01 to 2026-10-31, part 3 of 3');
    });

    test('what was paid is in the record of what it paid for: no credit memo beside an invoice', async () => {
        const paid = many.map((line, index) =>
            index === 400
                ? { ...line, amount: '-2000.00', line_type: 'wallet_settlement' as const }
                : line,
        );
        const { records, sent } = await booked(paid, { names });
        expect(records.map(({ type, lines }) => [type, lines.length])).toEqual([
            ...[
                ['invoice', 200],
                ['invoice', 200],
                ['invoice', 1],
            ],
        ]);
        expect(sent.map(({ counted }) => counted?.amount)).toEqual(['487.50', '231.40', '1.10']);
    });

    test('below zero in all, they are credit memos of at most 200', async () => {
        const back = many.map((line) => ({ ...line, amount: `-${line.amount}` }));
        const { records, sent } = await booked(back, { names });
        expect(records.map(({ type, lines }) => [type, lines.length])).toEqual([
            ...[
                ['creditmemo', 200],
                ['creditmemo', 200],
                ['creditmemo', 1],
            ],
        ]);
        expect(sent.map(({ counted }) => counted?.amount)).toEqual([
            ...['-2500.00', '-231.40', '-1.10'],
        ]);
    });

    test('or summed up by product and type', async () => {
        const settings = { over_limit: 'summarise' };
        const { records } = await booked(many, { names, settings });
        expect(records.map(({ lines }) => lines)).toMatchObject([
            [
                { item: '144', amount: '2512.5', description: 'inference, usage: 201 lines' },
                { item: '145', amount: '220', description: 'storage, usage: 200 lines' },
            ],
        ]);
    });

    test.each([{ over_limit: 'summarise' }, { lines_per_invoice: 150 }, { lines_per_invoice: 1 }])(
        'once a part is there, %o stops everything',
        async (settings) => {
            // The first part is refused, the second there: the first may be sent again, but not otherwise.
            const service = await standIn({ faultOf: (number) => (number === 3 ? '400' : null) });
            const store = memoryStore({});
            const { sent } = await deliverTo(service, store, many.slice(0, 300), { names });
            expect(sent.map(({ state }) => state)).toEqual(['rejected', 'verified']);
            await expect(
                deliverTo(service, store, many.slice(0, 300), { names, settings }),
            ).rejects.toMatchObject({ code: 'DELIVERY_CHANGED' });
            await deliverTo(service, store, many.slice(0, 300), { names });
            expect([...service.books.values()].map(({ lines }) => lines.length)).toEqual([
                100, 200,
            ]);
        },
    );
});

describe('what keeps an invoice here', () => {
    test.each<[string, Partial<LineItem>, Delivery, string]>([
        ['a payer without a name', { payer_id: 'nobody' }, {}, 'NETSUITE_NAME_MISSING'],
        ['a product without one', { product: 'gpu' }, {}, 'NETSUITE_NAME_MISSING'],
        [
            'a name that is no internal id',
            {},
            { names: netsuiteNames.replace('1207', 'ACME') },
            'NETSUITE_NAME_INVALID',
        ],
        ['a currency without an id', { currency: 'GBP' }, {}, 'NETSUITE_CURRENCY_MISSING'],
        [
            'a fillér: NetSuite has whole forints',
            { currency: 'HUF', amount: '12.50' },
            { settings: { currencies: { USD: '1', HUF: '7' } } },
            'NETSUITE_DECIMALS',
        ],
        ['sixteen digits', { amount: '12345678901234.56' }, {}, 'NETSUITE_AMOUNT_TOO_LONG'],
    ])('%s', async (_what, over, delivery, code) => {
        const bad = lineItem({ invoice_key: 'bad', ...over });
        const good = lineItem({ line_key: hexKey(7), payer_id: 'zeta ?#%', invoice_key: 'good' });
        const { records, problems } = await booked([bad, good], delivery);
        expect(problems).toMatchObject([{ code, severity: 'refused', invoice_key: 'bad' }]);
        expect(records).toHaveLength(1);
    });

    test.each([
        ['JPY', '1250', {}],
        ['KWD', '12.345', {}],
        ['HUF', '12.50', { HUF: 2 }],
    ])('%s %s goes out with the digits that it has', async (currency, amount, decimals) => {
        const settings = { currencies: { [currency]: '9' }, decimals };
        const { sent } = await booked([lineItem({ currency, amount })], { settings });
        expect(sent[0]?.counted).toMatchObject({ amount, currency });
    });
});

describe('what the books say', () => {
    test.each<[string, (service: NetsuiteStandIn) => void, RegExp]>([
        [
            'a line was added',
            ({ books }) => {
                const [record] = books.values();
                record!.lines = [...record!.lines, ...record!.lines];
            },
            /^it has 2 lines of 25\.00 USD, sent were 1 of 12\.50 USD$/,
        ],
        [
            'another currency',
            ({ books }) => {
                const [record] = books.values();
                (record!.fields.currency as { id: string }).id = '99';
            },
            /^it has 1 lines of 12\.5\d? currency 99, sent were/,
        ],
        ['it was taken away', ({ books }) => books.clear(), /^it has nothing of it$/],
        [
            'an item of another product',
            ({ books }) => {
                const [record] = books.values();
                record!.lines = record!.lines.map((line) => ({ ...line, item: '145' }));
            },
            /^its lines are not those that were sent: 145: 12\.5 in place of 144: 12\.5$/,
        ],
    ])('%s: told, and not put again', async (_what, change, told) => {
        const service = await standIn();
        const store = memoryStore({});
        await deliverTo(service, store, [lineItem()]);
        change(service);
        const { sent } = await deliverTo(service, store, [lineItem()]);
        expect(sent[0]?.detail).toMatch(told);
        expect(service.requests.filter((of) => of.startsWith('PUT'))).toHaveLength(1);
    });

    const exchanged = async (delivery: Delivery) => {
        const service = await standIn();
        const store = memoryStore({});
        const [first, second] = lineItems(2);
        const lines = [first!, { ...second!, amount: '7.50' }];
        await deliverTo(service, store, lines, delivery);
        const [record] = service.books.values();
        const [a, b] = record!.lines;
        record!.lines = [
            { ...a!, amount: b!.amount },
            { ...b!, amount: a!.amount },
        ];
        const { sent } = await deliverTo(service, store, lines, delivery);
        return { detail: sent[0]?.detail ?? '', first };
    };

    test('two amounts that changed places, where lines have our key: told', async () => {
        const columns = { line_key: 'custcol_line_key' };
        const { detail, first } = await exchanged({ settings: { columns } });
        expect(detail).toBe(
            `its lines are not those that were sent: ${first?.line_key}: 7.5 in place of ${first?.line_key}: 12.5`,
        );
    });

    test('without it they are the same lines in another order', async () => {
        expect((await exchanged({})).detail).toBe('');
    });

    test('what NetSuite says is wrong is passed on', async () => {
        const settings = { columns: { line_key: 'custcol_line_key' } };
        const service = await standIn({ faultOf: (number) => (number === 3 ? '400' : null) });
        const { sent } = await deliverTo(service, memoryStore({}), [lineItem()], { settings });
        expect(sent[0]).toMatchObject({
            state: 'rejected',
            detail: 'it answered 400: USER_ERROR not today',
        });
    });
});

describe('who is let in', () => {
    test.each(['PS256', 'ES256'] as const)('who signs %s', async (algorithm) => {
        const service = await standIn({ algorithm });
        const settings = { algorithm };
        // A variable of one line has its line ends as \n.
        const key = service.privateKey.replaceAll('\n', '\\n');
        const environment = { TIEOUT_NETSUITE_PRIVATE_KEY: key };
        const delivery = { settings, environment };
        const { sent } = await deliverTo(service, memoryStore({}), [lineItem()], delivery);
        expect(sent[0]?.state).toBe('verified');
    });

    test('a token is kept until shortly before its end, and renewed once it is not taken', async () => {
        let minute = 0;
        const now = () => `2026-11-05T09:${String(minute).padStart(2, '0')}:00Z`;
        const service = await standIn({ now });
        const target = openNetsuite(service, { now });
        const { parcels } = target.pack([]);
        expect(parcels).toEqual([]);
        const parcel = openNetsuite(service).pack([
            {
                ...{ invoice_key: acmeKey, payer_id: 'acme', payer_name: '', currency: 'USD' },
                ...{ period_start: '2026-10-01T00:00:00Z', period_end: '2026-11-01T00:00:00Z' },
                ...{ time_zone: 'UTC', lines: [lineItem()], total: { units: 1250n, scale: 2 } },
            },
        ]).parcels[0]!;
        const tokens = () => service.requests.filter((of) => of === 'POST token').length;
        const counts: number[] = [];
        for (const at of [0, 57, 58]) {
            minute = at;
            await Promise.all([target.find(parcel), target.find(parcel)]);
            counts.push(tokens());
        }
        service.revoke();
        await target.find(parcel);
        expect([...counts, tokens()]).toEqual([1, 1, 2, 3]);
    });

    test('whoever is not stops at once, and says nothing of the key', async () => {
        const service = await standIn();
        const settings = { certificate_id: 'other' };
        const lines = ['acme', 'zeta ?#%'].map((payer_id) =>
            lineItem({ payer_id, invoice_key: payer_id, line_key: payer_id }),
        );
        const failed = deliverTo(service, memoryStore({}), lines, { settings });
        await expect(failed).rejects.toMatchObject({ code: 'DELIVERY_LOCKED_OUT' });
        const message = await failed.catch((error: Error) => error.message);
        expect(message).not.toContain('PRIVATE KEY-');
        expect(service.requests).toEqual(['POST token']);
    });

    const ec = pemOf(keyPair('ES256').privateKey);
    test.each([
        ['no key', {}, {}, /TIEOUT_NETSUITE_PRIVATE_KEY is not set/],
        ['no PEM', { TIEOUT_NETSUITE_PRIVATE_KEY: 'secret' }, {}, /is no private key in PEM/],
        ['a key of another kind', { TIEOUT_NETSUITE_PRIVATE_KEY: ec }, {}, /signs PS256/],
        [
            'another curve',
            { TIEOUT_NETSUITE_PRIVATE_KEY: ec },
            { algorithm: 'ES384' },
            /signs ES384/,
        ],
    ])('%s: nothing is begun', async (_what, environment, settings, told) => {
        const at = { url: 'http://127.0.0.1:9', privateKey: '' };
        const opening = () => openNetsuite(at, { environment, settings });
        expect(opening).toThrow(told);
        expect(opening).not.toThrow(/secret/);
    });

    test('without names, internal ids are nobody’s', () => {
        const at = { url: 'http://127.0.0.1:9', privateKey: '' };
        expect(() => openNetsuite(at, { names: null })).toThrow(/no file of names/);
    });
});

describe('settings', () => {
    test('each account has its own address and outbox', async () => {
        const service = await standIn();
        const names = ['1234567_SB1', '1234567'].map((account) => {
            const { name, address } = openNetsuite(service, { settings: { account } });
            return [name, address.split(',')[0]];
        });
        expect(names).toEqual([
            ['netsuite-1234567-sb1', 'account 1234567_SB1'],
            ['netsuite-1234567', 'account 1234567'],
        ]);
    });

    test.each([
        [{ account: '1234567.evil.com' }, 'account'],
        [{ lines_per_invoice: 201 }, 'lines_per_invoice'],
        [{ currencies: { USD: '1', EUR: '1' } }, 'currencies'],
        [{ currencies: { usd: '1' } }, 'currencies'],
        [{ external_id_prefix: 'a/b' }, 'external_id_prefix'],
        [{ url: 'http://example.com' }, 'url'],
        [{ algorithm: 'RS256' }, 'algorithm'],
        [{ columns: { line_key: 'memo' } }, 'columns'],
    ])('%o is refused', (over, path) => {
        const result = netsuiteSettingsSchema.safeParse({ ...netsuiteSettings(), ...over });
        expect(result.error?.issues[0]?.path[0]).toBe(path);
    });

    test.each([
        ['acme/2026-10/USD', 'Acme/2026-10/USD'],
        ['a b/2026-10/USD', 'a_b/2026-10/USD'],
        ['ü/2026-10/USD', 'ö/2026-10/USD'],
        [`${'x'.repeat(300)}/2026-10/USD`, `${'x'.repeat(300)}/2026-10/EUR`],
    ])('external ids tell %s from another', (one, other) => {
        const ids = [one, other].map((key) => netsuiteExternalId('tieout-', key).toLowerCase());
        expect(new Set(ids).size).toBe(2);
        for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{1,90}$/);
    });
});
