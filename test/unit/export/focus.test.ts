import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { focusCharges } from '../../../src/export/focus-charges.ts';
import type { FocusRow } from '../../../src/export/focus-columns.ts';
import { focusCommitments } from '../../../src/export/focus-commitments.ts';
import type { FocusFacts, PromisedCommitment } from '../../../src/export/focus-facts.ts';
import { focusBillingPeriods, focusInvoiceDetails } from '../../../src/export/focus-invoices.ts';
import { type Paid, piecesOf, unitsOf } from '../../../src/export/focus-paid.ts';
import { customKeys, focusInstant, focusUnit } from '../../../src/export/focus-text.ts';
import { add, formatAmount, multiply, parseAmount } from '../../../src/money/amount.ts';
import { focusSchema } from '../../../src/schema/focus.ts';
import type { LineItem } from '../../../src/schema/line-item.ts';

const config = focusSchema.parse({ service_provider: 'Acme AI' });

/** A line of 1,000 calls at 0.06: 60.00 USD. */
function line(of: Partial<LineItem> = {}): LineItem {
    return {
        ...{ line_key: 'l1', invoice_key: 'acme/2026-10/USD', line_type: 'usage' },
        ...{ payer_id: 'acme', payer_name: 'Acme', account_id: 'acme', account_name: 'Acme' },
        ...{ product: 'calls', meter: 'calls', attributes: '{}', description: 'Calls' },
        ...{ period_start: '2026-10-01T00:00:00Z', period_end: '2026-11-01T00:00:00Z' },
        ...{ service_start: '2026-10-01T00:00:00Z', service_end: '2026-11-01T00:00:00Z' },
        ...{ time_zone: 'UTC', quantity: '1000', unit: 'call', unit_price: '0.06' },
        ...{ rate_id: 'r1', card: 'list', card_version: '1', amount_exact: '60' },
        ...{ amount: '60.00', amount_minor: 6000n, currency: 'USD' },
        ...{ commitment_id: null, grant_id: null, asset: null, asset_amount: null },
        ...{ corrects_line_key: null, corrects_period: null, backfill_id: null },
        recon_status: 'clear',
        ...of,
    } as LineItem;
}

const money = (amount_minor: bigint, of: Partial<LineItem> = {}) =>
    line({
        ...{ amount_minor, amount: usd(amount_minor), amount_exact: usd(amount_minor) },
        ...{ quantity: '1', unit: '', unit_price: usd(amount_minor), meter: '', rate_id: '' },
        ...of,
    });
const usd = (minor: bigint) => formatAmount({ units: minor, scale: 2 }, { minScale: 2 });

/** What a wallet of the asset paid of the line, or the grant of that name. */
function paid(amount_minor: bigint, of: Partial<Paid> = {}): Paid {
    return {
        ...{ line_key: 'l1', payer_id: 'acme', account_id: 'acme', product: 'calls' },
        ...{ asset: 'USD', grant_id: null, amount_minor },
        asset_units: amount_minor * 10n ** 10n,
        ...of,
    };
}

function facts(of: Partial<FocusFacts>): FocusFacts {
    return {
        ...{ lines: [line()], paid: [], counted: [], grants: [], commitments: [] },
        spans: [{ period_start: '2026-10-01T00:00:00Z', period_end: '2026-11-01T00:00:00Z' }],
        dynamicRates: new Set(),
        period: {
            created_at: '2026-11-05T09:00:00.123Z',
            updated_at: '2026-11-06T09:00:00Z',
            closed_at: null,
        },
        ...{ config, ...of },
    };
}

const charges = (of: Partial<FocusFacts>) => focusCharges(facts(of));
const some = (rows: readonly FocusRow[], ...names: readonly string[]) =>
    rows.map((row) => names.map((name) => row[name] ?? null));
const costs = (rows: readonly FocusRow[]) =>
    some(rows, 'BilledCost', 'EffectiveCost', 'ContractedCost', 'PricingQuantity');

describe('a line', () => {
    test('that nothing paid is one charge', () => {
        const [row] = charges({});
        expect(row).toMatchObject({
            ...{ ChargeCategory: 'Usage', ChargeClass: null, ChargeFrequency: 'Usage-Based' },
            ...{ BilledCost: '60.00', EffectiveCost: '60.00', ContractedCost: '60.00' },
            ...{ ListCost: '60.00', ListUnitPrice: '0.06', PricingQuantity: '1000' },
            ...{ PricingUnit: 'Calls', ConsumedQuantity: '1000', ConsumedUnit: 'Calls' },
            ...{ SubAccountId: null, SkuId: 'calls', SkuMeter: 'calls', SkuPriceId: 'r1' },
            ...{ InvoiceId: 'acme/2026-10/USD', InvoiceDetailId: 'l1', SkuPriceDetails: null },
            ...{ ServiceName: 'calls', ServiceSubcategory: 'Other (AI and Machine Learning)' },
            ...{ InvoiceIssuerName: 'Acme AI', HostProviderName: 'Acme AI' },
        });
    });

    test('of an account below the payer names it', () => {
        const rows = charges({ lines: [line({ account_id: 'dev', account_name: 'Dev' })] });
        expect(some(rows, 'SubAccountId', 'SubAccountName')).toEqual([['dev', 'Dev']]);
    });

    test('that a wallet paid in part is two, each with its quantity', () => {
        expect(costs(charges({ paid: [paid(5000n)] }))).toEqual([
            ['0.00', '50.00', '49.99999999999998', '833.333333333333'],
            ['10.00', '10.00', '10.00000000000002', '166.666666666667'],
        ]);
    });

    test('that a wallet paid too much gives the rest back', () => {
        expect(costs(charges({ paid: [paid(6100n)] }))).toEqual([
            ['0.00', '61.00', '60.00', '1000'],
            ['-1.00', '-1.00', '0.00', '0'],
        ]);
    });

    test('that tokens paid has its prices in tokens', () => {
        const tokens = paid(3000n, { asset: 'TOK', asset_units: unitsOf('1500') });
        expect(
            some(
                charges({ paid: [tokens] }),
                ...['PricingCurrency', 'PricingCurrencyContractedUnitPrice'],
                ...['PricingCurrencyEffectiveCost', 'ContractedUnitPrice', 'x_AssetAmount'],
            ),
        ).toEqual([
            ['TOK', '3', '1500', '0.06', '1500'],
            ['USD', '0.06', '30.00', '0.06', null],
        ]);
    });

    test('that comes to nothing and was paid keeps its quantity', () => {
        const tiny = line({ ...{ quantity: '1', amount_exact: '0.06' }, amount_minor: 0n });
        const units = paid(0n, { asset_units: unitsOf('0.004') });
        expect(costs(charges({ lines: [tiny], paid: [units] }))).toEqual([
            ['0.00', '0.00', '0.06', '1'],
        ]);
    });
});

describe('prices', () => {
    const prices = (of: Partial<LineItem>, more: Partial<FocusFacts> = {}) =>
        some(
            charges({ lines: [line(of)], ...more }),
            ...['PricingQuantity', 'ListUnitPrice', 'ListCost', 'ContractedUnitPrice'],
            ...['ContractedCost', 'ConsumedQuantity', 'PricingCategory'],
        )[0];

    test.each<[string, Partial<LineItem>, readonly (string | null)[]]>([
        ['of one unit', {}, ['1000', '0.06', '60.00', '0.06', '60.00', '1000', 'Standard']],
        [
            'by tiers: the list price, and what a unit came to',
            { amount_exact: '50', amount_minor: 5000n },
            ['1000', '0.06', '60.00', '0.05', '50.00', '1000', 'Standard'],
        ],
        [
            'that do not divide: to the 12th decimal',
            { quantity: '3', unit_price: '0.4', amount_exact: '1', amount_minor: 100n },
            ['3', '0.4', '1.20', '0.333333333333', '0.999999999999', '3', 'Standard'],
        ],
        [
            'of packages, which have no list price',
            { unit_price: '0', amount_exact: '50', amount_minor: 5000n },
            ['1000', '0.05', '50.00', '0.05', '50.00', '1000', 'Standard'],
        ],
        [
            'of a minimum without usage',
            { quantity: '0', amount_exact: '50', amount_minor: 5000n },
            ['1', '0.06', '0.06', '50', '50.00', '0', 'Standard'],
        ],
    ])('%s', (_what, of, expected) => expect(prices(of)).toEqual(expected));

    test('that an event says are dynamic', () => {
        expect(prices({}, { dynamicRates: new Set(['r1']) })?.at(-1)).toBe('Dynamic');
    });

    test('attributes are details of the price', () => {
        const attributes = '{"context_band":"long","model":"m1"}';
        const [row] = charges({ lines: [line({ attributes })] });
        expect(row?.SkuPriceDetails).toBe('{"x_ContextBand":"long","x_Model":"m1"}');
    });
});

describe('grants', () => {
    const grant = (of: object) => ({
        ...{ payer_id: 'acme', grant_id: 'c/g', cost_basis: '30', size: '60', lost: '0' },
        ...{ asset: 'USD', currency: 'USD', account_id: 'acme', product: 'credit' },
        ...{ description: 'Credit', ended_at: '2026-11-01T00:00:00Z' },
        ...{ starts_at: '2026-10-01T00:00:00Z', payer_name: 'Acme', account_name: 'Acme' },
        ...{ period_start: '2026-10-01T00:00:00Z', period_end: '2026-11-01T00:00:00Z' },
        recon_status: 'clear' as const,
        ...of,
    });
    const drawn = (amount: bigint, line_key = 'l1') => paid(amount, { grant_id: 'c/g', line_key });

    test('cost what was paid for them, used up to the last unit', () => {
        const lines = [1, 2, 3].map((n) => line({ line_key: `l${n}` }));
        const each = lines.map(({ line_key }) => drawn(1000n, line_key));
        const rows = charges({
            lines,
            paid: each,
            grants: [grant({ size: '30', cost_basis: '10' })],
        }).filter(({ x_GrantId }) => x_GrantId !== null);
        expect(some(rows, 'BilledCost', 'EffectiveCost')).toEqual([
            ['0.00', '3.333333333333'],
            ['0.00', '3.333333333334'],
            ['0.00', '3.333333333333'],
        ]);
    });

    test('of a promotion cost nothing', () => {
        const [row] = charges({ paid: [drawn(6000n)], grants: [grant({ cost_basis: '0' })] });
        expect(row).toMatchObject({ BilledCost: '0.00', EffectiveCost: '0.00' });
    });

    test('that were paid for and ended unused are a cost on no invoice', () => {
        const rows = charges({ paid: [drawn(4000n)], grants: [grant({ lost: '20' })] });
        expect(some(rows, 'ChargeCategory', 'BilledCost', 'EffectiveCost', 'InvoiceId')).toEqual([
            ['Usage', '0.00', '20.00', 'acme/2026-10/USD'],
            ['Usage', '20.00', '20.00', 'acme/2026-10/USD'],
            ['Adjustment', '0.00', '10.00', null],
        ]);
    });

    test('pay overage of the line that they draw on, and of no other product', () => {
        const overage = money(1500n, { line_key: 'o1', line_type: 'overage' });
        const other = money(700n, { line_key: 'o2', line_type: 'overage', product: 'images' });
        const rows = charges({ lines: [line(), overage, other], paid: [drawn(7000n)] });
        expect(some(rows, 'x_LineType', 'ChargeCategory', 'BilledCost', 'ContractedCost')).toEqual([
            ['usage', 'Usage', '0.00', '60.00'],
            ['overage', 'Adjustment', '0.00', '10.00'],
            ['overage', 'Adjustment', '5.00', '5.00'],
            ['overage', 'Adjustment', '7.00', '7.00'],
        ]);
    });
});

describe('lines beside usage', () => {
    const kinds: readonly (readonly [LineItem, Readonly<Record<string, string | null>>])[] = [
        [
            line({ line_type: 'fee', quantity: '1', unit: '', unit_price: '60', meter: 'seat' }),
            { ChargeCategory: 'Usage', ChargeFrequency: 'Recurring', ConsumedUnit: 'Units' },
        ],
        [
            money(100_000n, { line_type: 'commitment_fee', commitment_id: 'c/plan' }),
            {
                ...{ ChargeCategory: 'Purchase', ChargeFrequency: 'One-Time' },
                ...{ BilledCost: '1000.00', EffectiveCost: '0.00', ConsumedQuantity: null },
                ContractApplied:
                    '{"Elements":[{"ContractId":"c","ContractCommitmentId":"c/plan",' +
                    '"ContractCommitmentAppliedCost":1000}]}',
            },
        ],
        [
            money(500n, { line_type: 'true_up', commitment_id: 'c/plan' }),
            { ChargeCategory: 'Adjustment', BilledCost: '5.00', EffectiveCost: '5.00' },
        ],
        [
            money(-134n, {
                ...{ line_type: 'credit_adjustment', corrects_line_key: 'l0' },
                ...{ corrects_period: '2026-09', backfill_id: 'b1' },
            }),
            {
                ...{ ChargeCategory: 'Adjustment', ChargeClass: 'Correction' },
                ...{ BilledCost: '-1.34', EffectiveCost: '-1.34', SkuId: null },
                ...{ x_CorrectedInvoiceDetailId: 'l0', x_CorrectedPeriod: '2026-09' },
            },
        ],
    ];
    test.each(kinds)('$line_type', (of, expected) => {
        const rows = charges({ lines: [of] });
        expect(rows).toHaveLength(1);
        const got = Object.keys(expected).map((name) => [name, rows[0]?.[name] ?? null]);
        expect(Object.fromEntries(got)).toEqual(expected);
    });

    test('a settlement is in what it paid; only what has no line is a charge, given back', () => {
        const settlement = money(-5400n, {
            ...{ line_key: 's1', line_type: 'wallet_settlement', asset: 'USD' },
        });
        const rows = charges({ lines: [line(), settlement], paid: [paid(5000n)] });
        expect(
            some(rows, 'InvoiceDetailId', 'ChargeCategory', 'BilledCost', 'EffectiveCost'),
        ).toEqual([
            ['l1', 'Usage', '0.00', '50.00'],
            ['l1', 'Usage', '10.00', '10.00'],
            ['s1', 'Adjustment', '-4.00', '0.00'],
        ]);
    });
});

describe('what counts towards commitments', () => {
    const counted = (of: object) => ({
        ...{
            line_key: 'l1',
            contract_id: 'c',
            commitment_id: 'c/plan',
            measure: 'amount' as const,
        },
        ...{ amount_minor: 6000n, quantity: '1000', unit: 'call', ...of },
    });
    const applied = (of: Partial<FocusFacts>, key: string) =>
        charges(of).map(({ ContractApplied }) =>
            ContractApplied === null || ContractApplied === undefined
                ? []
                : JSON.parse(ContractApplied).Elements.map((one: object) => [
                      ...Object.values(one).slice(1, 2),
                      (one as Readonly<Record<string, number>>)[key],
                  ]),
        );

    test('is shared by pieces, by what they come to', () => {
        const of = { counted: [counted({})], paid: [paid(2000n)] };
        expect(applied(of, 'ContractCommitmentAppliedCost')).toEqual([
            [['c/plan', 20]],
            [['c/plan', 40]],
        ]);
    });

    test('is all of what its own balance paid, and then of the rest', () => {
        const own = paid(2000n, { grant_id: 'c/plan@2026-10-01', asset_units: unitsOf('300') });
        const of = { counted: [counted({ measure: 'quantity', quantity: '800' })], paid: [own] };
        expect(applied(of, 'ContractCommitmentAppliedQuantity')).toEqual([
            [['c/plan', 300]],
            [['c/plan', 500]],
        ]);
    });

    test('names both where a line counts in money and in units', () => {
        const both = [counted({}), counted({ commitment_id: 'c/units', measure: 'quantity' })];
        const [row] = charges({ counted: both });
        expect(JSON.parse(row?.ContractApplied ?? '').Elements).toHaveLength(2);
    });
});

describe('invoice lines and their period', () => {
    const settlement = money(-5000n, {
        ...{ line_key: 's1', line_type: 'wallet_settlement', asset: 'USD' },
    });
    const late = money(30n, {
        ...{ line_key: 'd1', line_type: 'debit_adjustment', corrects_line_key: 'l0' },
        corrects_period: '2026-09',
    });
    const of = facts({ lines: [line(), settlement, late], paid: [paid(5000n)] });
    const details = focusInvoiceDetails(of, focusCharges(of));

    test('each line is a row; what is billed and what the lines say add up to the same', () => {
        expect(some(details, 'InvoiceDetailId', 'BilledCost', 'x_LineAmount')).toEqual([
            ['l1', '10.00', '60.00'],
            ['s1', '0.00', '-50.00'],
            ['d1', '0.30', '0.30'],
        ]);
    });

    test('a correction refers to the invoice that it corrects', () => {
        expect(some(details, 'ReferenceInvoiceId')).toEqual([
            ['acme/2026-10/USD'],
            ['acme/2026-10/USD'],
            ['acme/2026-09/USD'],
        ]);
    });

    test.each([
        [null, 'Open', 'Open', null],
        ['2026-11-07T10:00:00Z', 'Closed', 'Issued', '2026-11-07T10:00:00Z'],
    ])('closed at %s', (closed_at, period, invoice, issued) => {
        const closed = { ...of, period: { ...of.period, closed_at } };
        const [detail] = focusInvoiceDetails(closed, []);
        expect(detail).toMatchObject({ InvoiceIssueStatus: invoice, InvoiceIssueDate: issued });
        expect(focusBillingPeriods(closed)).toEqual([
            {
                ...{ BillingPeriodCreated: '2026-11-05T09:00:00Z', BillingPeriodStatus: period },
                ...{ BillingPeriodEnd: '2026-11-01T00:00:00Z', InvoiceIssuerName: 'Acme AI' },
                BillingPeriodLastUpdated: '2026-11-06T09:00:00Z',
                BillingPeriodStart: '2026-10-01T00:00:00Z',
            },
        ]);
    });
});

describe('commitments', () => {
    const commitment = (of: Partial<PromisedCommitment>): PromisedCommitment => ({
        ...{ payer_id: 'acme', commitment_id: 'c/plan', contract_id: 'c', account_id: 'acme' },
        ...{ kind: 'prepaid', measure: 'amount', unit: null, currency: 'USD' },
        ...{ window_start: '2026-10-01T00:00:00Z', window_end: '2027-01-01T00:00:00Z' },
        ...{ contract_start: '2026-01-01T00:00:00Z', contract_end: '2027-01-01T00:00:00Z' },
        ...{ committed: '1000.000000000000', counted: '600.000000000000', shortfall: '400' },
        ...{ description: 'Plan', products: [], accounts: [], time_zone: 'UTC' },
        period_end: '2026-11-01T00:00:00Z',
        ...of,
    });
    const told = (of: Partial<PromisedCommitment>) =>
        focusCommitments(facts({ commitments: [commitment(of)] }))[0];

    test.each<[Partial<PromisedCommitment>, Readonly<Record<string, string | null>>]>([
        [
            {},
            {
                ...{ ContractCommitmentCost: '1000.00', ContractCommitmentQuantity: null },
                ...{ ContractCommitmentCategory: 'Spend', ContractCommitmentUnit: null },
                ...{ ContractCommitmentPaymentModel: 'All Upfront' },
                ...{ ContractCommitmentDurationType: '3 Months' },
                ...{ ContractCommitmentFulfillmentInterval: 'Quarterly' },
                ...{ ContractCommitmentLifecycleStatus: 'Active' },
                ContractCommitmentApplicability: '{"IsGlobalScope":true}',
            },
        ],
        [
            { kind: 'postpaid', measure: 'quantity', unit: 'gpu_hour' },
            {
                ...{ ContractCommitmentCost: null, ContractCommitmentQuantity: '1000' },
                ...{ ContractCommitmentCategory: 'Usage', ContractCommitmentUnit: 'GPU-Hours' },
                ContractCommitmentPaymentModel: 'No Upfront',
            },
        ],
        [{ counted: '1000' }, { ContractCommitmentLifecycleStatus: 'Exhausted' }],
        [
            { window_end: '2026-11-01T00:00:00Z' },
            {
                ...{ ContractCommitmentLifecycleStatus: 'Expired' },
                ...{ ContractCommitmentFulfillmentInterval: 'Monthly' },
            },
        ],
        [
            { window_start: '2026-10-17T00:00:00Z', window_end: '2026-11-01T00:00:00Z' },
            {
                ...{ ContractCommitmentDurationType: '15 Days' },
                ...{ ContractCommitmentFulfillmentInterval: 'Full Period' },
            },
        ],
        [
            { products: ['calls'], accounts: ['dev', 'ops'] },
            {
                ContractCommitmentApplicability:
                    '{"InclusionOperator":"And","Inclusions":[' +
                    '{"Dimension":"SkuId","Operator":"In","Values":["calls"]},' +
                    '{"Dimension":"SubAccountId","Operator":"In","Values":["dev","ops"]}]}',
            },
        ],
    ])('%o', (of, expected) => expect(told(of)).toMatchObject(expected));
});

describe('texts', () => {
    test.each([
        ['token', 'Tokens'],
        ['tokens', 'Tokens'],
        ['gpu_second', 'GPU-Seconds'],
        ['GPU-hours', 'GPU-Hours'],
        ['GB', 'GB'],
        ['input token', 'Input Tokens'],
        ['query', 'Queries'],
        ['day', 'Days'],
        ['', 'Units'],
    ])('the unit %j is %s', (unit, expected) => expect(focusUnit(unit)).toBe(expected));

    test('an instant has no fraction of a second', () => {
        expect(focusInstant('2026-10-01T00:00:00.000001Z')).toBe('2026-10-01T00:00:00Z');
    });

    test('two names that would be one key keep theirs', () => {
        expect(customKeys({ a_b: '1', aB: '2', 'c-d': true })).toBe(
            '{"x_a_b":"1","x_aB":"2","x_CD":"true"}',
        );
    });
});

describe('whatever was paid', () => {
    const minor = fc.bigInt({ min: 0n, max: 10_000n });
    const worlds = fc
        .array(
            fc.record({
                amount: minor,
                overage: fc.option(fc.bigInt({ min: -500n, max: 500n })),
                paid: fc.array(fc.record({ amount: minor, isGrant: fc.boolean() }), {
                    maxLength: 3,
                }),
            }),
            { minLength: 1, maxLength: 4 },
        )
        .map((of) => ({
            lines: of.flatMap(({ amount, overage }, at) => [
                money(amount, { line_key: `l${at}`, product: `p${at % 2}` }),
                ...(overage === null
                    ? []
                    : [
                          money(overage, {
                              ...{ line_key: `o${at}`, line_type: 'overage' as const },
                              product: `p${at % 2}`,
                          }),
                      ]),
            ]),
            paid: of.flatMap((one, at) =>
                one.paid.map(({ amount, isGrant }, index) =>
                    paid(amount, {
                        ...{ line_key: `l${at}`, product: `p${at % 2}` },
                        grant_id: isGrant ? `c/g${index}` : null,
                    }),
                ),
            ),
        }));

    test('the pieces of a charge are its amount, and nothing that was paid is lost', () => {
        fc.assert(
            fc.property(worlds, ({ lines, paid: all }) => {
                const pieces = piecesOf(lines, all);
                for (const { line_key, amount_minor } of lines) {
                    const sum = (pieces.get(line_key) ?? []).map((of) => of.amount_minor);
                    expect(sum.reduce((a, b) => a + b, 0n)).toBe(amount_minor);
                }
                const kept = [...pieces.values()].flat().flatMap((of) => of.paid ?? []);
                const total = (of: readonly Paid[], key: 'amount_minor' | 'asset_units') =>
                    of.reduce((sum, one) => sum + one[key], 0n);
                expect(total(kept, 'amount_minor')).toBe(total(all, 'amount_minor'));
                expect(total(kept, 'asset_units')).toBe(total(all, 'asset_units'));
            }),
            { numRuns: 300 },
        );
    });

    test('quantity x price is the cost of each, exactly, and quantities are those of the line', () => {
        const quantities = fc.bigInt({ min: 1n, max: 10n ** 15n });
        fc.assert(
            fc.property(quantities, quantities, minor, minor, (units, price, amount, part) => {
                const quantity = formatAmount({ units, scale: 6 });
                const unit_price = formatAmount({ units: price, scale: 12 });
                const exact = multiply(parseAmount(quantity), parseAmount(unit_price));
                const one = line({
                    ...{ quantity, unit_price, amount_exact: formatAmount(exact) },
                    amount_minor: amount,
                });
                const rows = charges({ lines: [one], paid: [paid(part)] });
                const figure = (row: FocusRow, name: string) => parseAmount(row[name] ?? '');
                for (const row of rows) {
                    const product = multiply(
                        figure(row, 'ContractedUnitPrice'),
                        figure(row, 'PricingQuantity'),
                    );
                    expect(formatAmount(product)).toBe(formatAmount(figure(row, 'ContractedCost')));
                }
                const sum = rows
                    .map((row) => figure(row, 'PricingQuantity'))
                    .reduce(add, parseAmount('0'));
                expect(formatAmount(sum)).toBe(quantity);
            }),
            { numRuns: 200 },
        );
    });
});
