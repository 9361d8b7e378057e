import { describe, expect, test } from 'vitest';
import type { ReconStatus } from '../../../src/export/invoices.ts';
import { stripeAmount } from '../../../src/export/stripe-money.ts';
import { type StripeOptions, stripeRequests } from '../../../src/export/stripe-requests.ts';
import { lineItem, lineItems, shuffled } from '../../support/documents.ts';

const clear: ReadonlySet<ReconStatus> = new Set(['clear']);
const deliver = (lines: Parameters<typeof stripeRequests>[0], over: Partial<StripeOptions> = {}) =>
    stripeRequests(lines, { include: clear, ...over });
const seconds = (text: string) => BigInt(Date.parse(text)) / 1000n;

describe('minor units', () => {
    test.each([
        ['12.50', 'USD', 1250n],
        ['-12.50', 'USD', -1250n],
        ['0.00', 'USD', 0n],
        ['12', 'EUR', 1200n],
        ['12.500000', 'EUR', 1250n],
        ['12345678901234567890.12', 'USD', 1234567890123456789012n],
        ['1500', 'JPY', 1500n],
        ['1500.00', 'JPY', 1500n],
        ['-1500', 'KRW', -1500n],
        // ISO 4217 gives the ariary two decimals, Stripe none.
        ['1500.00', 'MGA', 1500n],
        // Whole by ISO 4217, but sent with two decimals that are 00.
        ['1500', 'ISK', 150_000n],
        ['1500', 'UGX', 150_000n],
        ['-3', 'UGX', -300n],
        // Three decimals, the last of them 0.
        ['1.230', 'BHD', 1230n],
        ['1', 'KWD', 1000n],
        ['-1.99', 'JOD', -1990n],
        // Zero-decimal for payouts only.
        ['10.50', 'HUF', 1050n],
        ['10.50', 'TWD', 1050n],
    ])('%s %s', (text, currency, amount) => {
        expect(stripeAmount(text, currency)).toEqual({ amount });
    });

    test.each([
        ['12.505', 'USD'],
        ['1500.5', 'JPY'],
        ['1500.50', 'MGA'],
        ['1500.50', 'ISK'],
        ['1500.01', 'UGX'],
        ['1.234', 'BHD'],
        ['-1.001', 'TND'],
        ['1.2345', 'CLF'],
    ])('%s %s cannot be sent, and is not bent', (text, currency) => {
        expect(stripeAmount(text, currency)).toMatchObject({
            code: 'STRIPE_AMOUNT_NOT_REPRESENTABLE',
        });
    });

    test.each(['usd', 'XYZ', 'USDC', ''])('%j is no currency', (currency) => {
        expect(stripeAmount('1', currency)).toMatchObject({ code: 'STRIPE_CURRENCY_UNKNOWN' });
    });
});

describe('requests', () => {
    test('an invoice is a draft that takes nothing else in, and its items name it', () => {
        const { invoices } = deliver([lineItem()]);
        expect(invoices).toHaveLength(1);
        expect(invoices[0]).toMatchObject({
            ref: 'acme/2026-10/USD-1',
            create: {
                method: 'POST',
                path: '/v1/invoices',
                params: {
                    auto_advance: false,
                    collection_method: 'send_invoice',
                    currency: 'usd',
                    customer: 'acme',
                    days_until_due: 30,
                    description: 'Usage 2026-10-01 to 2026-10-31',
                    metadata: {
                        invoice_key: 'acme/2026-10/USD',
                        part: '1 of 1',
                        period_end: '2026-11-01T00:00:00Z',
                    },
                    pending_invoice_items_behavior: 'exclude',
                },
            },
            items: [
                {
                    method: 'POST',
                    path: '/v1/invoiceitems',
                    params: {
                        amount: 1250n,
                        currency: 'usd',
                        customer: 'acme',
                        description: 'Inference (large)',
                        invoice: '@{acme/2026-10/USD-1.id}',
                        metadata: {
                            line_key: lineItem().line_key,
                            quantity: '1000',
                            unit_price: '0.0125',
                            usage_account: 'acme-eu',
                        },
                    },
                },
            ],
        });
        const [item] = invoices[0]?.items ?? [];
        // `amount` excludes quantity and unit prices: Stripe would multiply and round by itself.
        for (const key of ['quantity', 'unit_amount_decimal', 'price_data', 'pricing']) {
            expect(item?.params).not.toHaveProperty(key);
        }
    });

    test('what was paid is an item below zero, with what paid it', () => {
        const paid = lineItem({
            ...{ line_key: '2f'.repeat(32), line_type: 'balance_consumed', grant_id: 'c/welcome' },
            ...{ quantity: '1', unit_price: '-10.01', amount: '-10.01', amount_minor: -1001n },
            ...{ asset: 'TOK', asset_amount: '5005' },
        });
        const { invoices, problems } = deliver([lineItem(), paid]);
        expect(problems).toEqual([]);
        const params = invoices[0]?.items.map((item) => item.params) ?? [];
        expect(params.map(({ amount }) => amount)).toEqual([1250n, -1001n]);
        expect(params[1]?.metadata).toMatchObject({
            ...{ grant: 'c/welcome', asset: 'TOK', asset_amount: '5005', unit_price: '-10.01' },
        });
        expect(params[0]?.metadata).not.toHaveProperty('asset');
    });

    test('customers and terms are the caller’s', () => {
        const options = { customer: (id: string) => `cus_${id}`, days_until_due: 14 };
        const [invoice] = deliver([lineItem()], options).invoices;
        expect(invoice?.create.params).toMatchObject({ customer: 'cus_acme', days_until_due: 14 });
        expect(invoice?.items[0]?.params.customer).toBe('cus_acme');
    });

    test('a period ends with its last second, inclusive', () => {
        const zone = 'America/New_York';
        const [invoice] = deliver([
            lineItem({
                time_zone: zone,
                period_start: '2026-11-01T04:00:00Z',
                period_end: '2026-12-01T05:00:00Z',
                service_start: '2026-11-01T04:00:00Z',
                service_end: '2026-11-15T12:00:00Z',
            }),
        ]).invoices;
        expect(invoice?.items[0]?.params.period).toEqual({
            start: seconds('2026-11-01T04:00:00Z'),
            end: seconds('2026-11-15T11:59:59Z'),
        });
        expect(invoice?.create.params.description).toBe('Usage 2026-11-01 to 2026-11-30');
    });

    test('a period within a second ends where it starts; an empty one is a defect', () => {
        const service_start = '2026-10-01T00:00:00.25Z';
        const short = lineItem({ service_start, service_end: '2026-10-01T00:00:00.5Z' });
        const second = seconds('2026-10-01T00:00:00Z');
        expect(deliver([short]).invoices[0]?.items[0]?.params.period).toEqual({
            start: second,
            end: second,
        });
        const empty = lineItem({ service_start, service_end: service_start });
        expect(() => deliver([empty])).toThrow('EXPORT_SERVICE_EMPTY');
    });

    test('metadata keeps to Stripe’s limits, and a cut value says so', () => {
        const long = '\u{1f600}'.repeat(400);
        const [invoice] = deliver([
            lineItem({ product: long, unit: '', description: 'd'.repeat(6_000) }),
        ]).invoices;
        const params = invoice?.items[0]?.params;
        const metadata = params?.metadata as Readonly<Record<string, string>>;
        expect(metadata.product).toMatch(/^(\u{1f600})+~[0-9a-f]{12}$/u);
        expect(metadata).not.toHaveProperty('unit');
        for (const all of [metadata, invoice?.create.params.metadata as typeof metadata]) {
            expect(Object.keys(all).length).toBeLessThanOrEqual(50);
            for (const [key, value] of Object.entries(all)) {
                expect(key).toMatch(/^[^[\]]{1,40}$/);
                expect(value.length).toBeLessThanOrEqual(500);
                expect(value.isWellFormed()).toBe(true);
            }
        }
        expect(String(params?.description)).toHaveLength(5_000);
        const [other] = deliver([lineItem({ product: `${long}x` })]).invoices;
        expect(other?.items[0]?.params.metadata).toHaveProperty('product');
        expect(other?.items[0]?.params.metadata).not.toMatchObject({ product: metadata.product });
    });

    test('more than 250 lines become several invoices', () => {
        const parts = (count: number) => deliver(lineItems(count)).invoices;
        expect(parts(250).map((one) => one.items.length)).toEqual([250]);
        expect(parts(251).map((one) => one.items.length)).toEqual([250, 1]);
        const three = parts(501);
        expect(three.map((one) => one.ref)).toEqual([
            'acme/2026-10/USD-1',
            'acme/2026-10/USD-2',
            'acme/2026-10/USD-3',
        ]);
        expect(three.map((one) => one.items.length)).toEqual([250, 250, 1]);
        expect(three[1]?.create.params.metadata).toMatchObject({ part: '2 of 3' });
        for (const { ref, items } of three) {
            expect(items.every((item) => item.params.invoice === `@{${ref}.id}`)).toBe(true);
        }
        const keys = three.flatMap((one) => one.items.map((item) => item.idempotency_key));
        expect(new Set(keys).size).toBe(501);
    });
});

describe('idempotency keys', () => {
    const keyOf = (over: Parameters<typeof lineItem>[0], options: Partial<StripeOptions> = {}) => {
        const [invoice] = deliver([lineItem(over)], options).invoices;
        return [invoice?.create.idempotency_key, invoice?.items[0]?.idempotency_key] as const;
    };

    test('are the same in every run, and name what they are for', () => {
        expect(keyOf({})).toEqual(keyOf({}));
        expect(keyOf({})[0]).toMatch(/^acme\/2026-10\/USD-1-[0-9a-f]{32}$/);
        expect(keyOf({})[1]).toMatch(/^(1f){32}-[0-9a-f]{32}$/);
    });

    test('differ where a parameter does', () => {
        const [create, item] = keyOf({});
        const changed = keyOf({ amount: '12.51' });
        expect(changed[0]).toBe(create);
        expect(changed[1]).not.toBe(item);
        expect(keyOf({ description: 'Else' })[1]).not.toBe(item);
        expect(keyOf({ quantity: '1001' })[1]).not.toBe(item);
        const due = keyOf({}, { days_until_due: 10 });
        expect(due[0]).not.toBe(create);
        expect(due[1]).toBe(item);
    });

    test('have at most 255 characters', () => {
        const [create] = keyOf({ invoice_key: 'x'.repeat(400), payer_id: 'y' });
        expect(create).toMatch(/^[0-9a-f]{64}$/);
    });
});

describe('what stays here', () => {
    test('held lines never go out, nor the rest of their invoice', () => {
        const lines = [
            ...lineItems(2),
            lineItem({ line_key: 'held', recon_status: 'held', amount: '7.00' }),
            lineItem({ line_key: 'b', payer_id: 'beta', invoice_key: 'beta/2026-10/USD' }),
        ];
        const result = deliver(lines, { include: new Set(['clear', 'unauditable']) });
        expect(result.invoices.map((one) => one.ref)).toEqual(['beta/2026-10/USD-1']);
        expect(result.withheld).toEqual([
            {
                invoice_key: 'acme/2026-10/USD',
                payer_id: 'acme',
                currency: 'USD',
                line_count: 3,
                amount: '32.00',
                reason: 'held',
            },
        ]);
        const [file] = result.files;
        expect(JSON.stringify(JSON.parse(file?.text ?? '').invoices)).not.toContain('held');
        expect(() => deliver(lines, { include: new Set(['clear', 'held']) })).toThrow(
            'EXPORT_INCLUDES_HELD',
        );
    });

    test('unauditable lines go out only where they may', () => {
        const lines = [lineItem({ recon_status: 'unauditable' })];
        expect(deliver(lines).withheld).toMatchObject([{ reason: 'unauditable' }]);
        const allowed = deliver(lines, { include: new Set(['clear', 'unauditable']) });
        expect(allowed.invoices).toHaveLength(1);
        expect(allowed.withheld).toEqual([]);
    });

    test('an amount or customer that Stripe cannot carry keeps its whole invoice here', () => {
        const bhd = { currency: 'BHD', invoice_key: 'acme/2026-10/BHD' };
        const lines = [
            lineItem({ ...bhd, line_key: '1', amount: '1.230' }),
            lineItem({ ...bhd, line_key: '2', amount: '1.234' }),
            lineItem({ line_key: '3' }),
            lineItem({ line_key: '4', payer_id: '', invoice_key: '/2026-10/USD' }),
        ];
        const result = deliver(lines);
        expect(result.problems).toMatchObject([
            { code: 'STRIPE_CUSTOMER_INVALID', severity: 'refused', line_key: null },
            { code: 'STRIPE_AMOUNT_NOT_REPRESENTABLE', severity: 'refused', line_key: '2' },
        ]);
        expect(result.withheld).toMatchObject([
            { invoice_key: '/2026-10/USD', reason: 'refused' },
            { invoice_key: 'acme/2026-10/BHD', reason: 'refused', amount: '2.464', line_count: 2 },
        ]);
        expect(result.totals).toEqual([
            { currency: 'USD', invoice_count: 1, line_count: 1, amount: '12.50' },
        ]);
    });

    test('a total below zero, or of more than eight digits, goes out with a warning', () => {
        const negative = deliver([lineItem({ amount: '-5.00' })]);
        expect(negative.invoices[0]?.items[0]?.params.amount).toBe(-500n);
        expect(negative.totals).toMatchObject([{ amount: '-5.00' }]);
        expect(negative.problems).toMatchObject([
            { code: 'STRIPE_NEGATIVE_TOTAL', severity: 'check' },
        ]);
        expect(deliver([lineItem({ amount: '999999.99' })]).problems).toEqual([]);
        expect(deliver([lineItem({ amount: '1000000.00' })]).problems).toMatchObject([
            { code: 'STRIPE_TOTAL_OVER_8_DIGITS', severity: 'check' },
        ]);
    });

    test('each of Stripe’s invoices is judged by its own total', () => {
        const all = (amount: string) => lineItems(251, { amount });
        expect(deliver(all('3000.00')).problems).toEqual([]);
        expect(deliver(all('-3.00')).problems.map(({ code }) => code)).toEqual([
            ...['STRIPE_NEGATIVE_TOTAL', 'STRIPE_NEGATIVE_TOTAL'],
        ]);
    });

    test('what was paid is never on another invoice than what it paid for', () => {
        const paid = (amount: string) =>
            lineItems(251).map((line, index) => (index === 250 ? { ...line, amount } : line));
        const { invoices, problems } = deliver(paid('-3000.00'));
        expect(problems).toEqual([]);
        const totals = invoices.map(({ items }) =>
            items.reduce((sum, { params }) => sum + Number(params.amount), 0),
        );
        // 250 x 12.50 less 3000.00.
        expect(totals).toEqual([11_250, 1_250]);
        // With 12.50 less there is no part of 250 that is not below zero.
        const all = deliver(paid('-3125.00'));
        expect(all.invoices).toEqual([]);
        expect(all.withheld).toMatchObject([{ reason: 'refused', line_count: 251 }]);
        expect(all.problems).toMatchObject([{ code: 'STRIPE_SPLIT_UNFAIR', severity: 'refused' }]);
        expect(all.problems[0]?.message).toMatch(/251 lines .* set `over_limit: summarise`$/);
    });
});

describe('the document', () => {
    const lines = [
        ...lineItems(300),
        ...lineItems(3, { payer_id: 'beta', currency: 'JPY', invoice_key: 'b', amount: '7' }),
        ...lineItems(2, { payer_id: 'gamma', currency: 'EUR', invoice_key: 'c' }),
        ...lineItems(2, { payer_id: 'delta', currency: 'EUR', invoice_key: 'd' }),
    ].map((line, index) => ({ ...line, line_key: `${index}` }));

    test('totals tie to the lines, per currency', () => {
        const result = deliver(lines);
        expect(result.totals).toEqual([
            { currency: 'EUR', invoice_count: 2, line_count: 4, amount: '50.00' },
            { currency: 'JPY', invoice_count: 1, line_count: 3, amount: '21' },
            { currency: 'USD', invoice_count: 2, line_count: 300, amount: '3750.00' },
        ]);
        const minor = new Map<unknown, bigint>();
        for (const { params } of result.invoices.flatMap((invoice) => invoice.items)) {
            const sum = minor.get(params.currency) ?? 0n;
            minor.set(params.currency, sum + (params.amount as bigint));
        }
        expect(Object.fromEntries(minor)).toEqual({ usd: 375_000n, jpy: 21n, eur: 5_000n });
    });

    test('is canonical JSON, and the same whatever the order of the lines', () => {
        const [file] = deliver(lines).files;
        expect(file?.name).toBe('stripe-requests.json');
        expect(file?.text.endsWith('}\n')).toBe(true);
        expect(Object.keys(JSON.parse(file?.text ?? ''))).toEqual([
            ...['document', 'invoices', 'problems', 'totals', 'withheld'],
        ]);
        for (let seed = 0; seed < 10; seed += 1) {
            expect(deliver(shuffled(lines, seed)).files).toEqual([file]);
        }
    });

    test('of no lines at all is still a document', () => {
        const result = deliver([]);
        expect(result).toMatchObject({ invoices: [], totals: [], withheld: [], problems: [] });
        expect(JSON.parse(result.files[0]?.text ?? '').document).toBe('tieout/stripe-requests/1');
    });
});
