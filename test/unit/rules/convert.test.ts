import { describe, expect, test } from 'vitest';
import { convertRates } from '../../../src/rules/convert.ts';
import { Problems } from '../../../src/rules/problems.ts';
import { modelParameters, modifiers } from '../../../src/schema/terms.ts';
import { loaded, printed } from './support.ts';

const from = '2026-01-01T00:00:00Z';

/** The rates of a card in USD with one charge, a line of flow YAML. */
const ratesOf = (charge: string) =>
    loaded({
        'rules/card.yaml': `card: list
version: "1"
currency: USD
charges:
  - { product: p, meter: m, ${charge} }
`,
    }).rates;

const at = (rate: string, to = 'EUR') => ({
    ...{ from: 'USD', to, on: '2026-09-30', rate, source: 'ECB', line: 2 },
});

function converted(charge: string, rate: string, to?: string) {
    const problems = new Problems();
    const [made] = convertRates(ratesOf(charge), at(rate, to), problems);
    return { made, problems: printed(problems.list) };
}

const one = `rates: [{ when: {}, from: ${from} }]`;
const unit = `model: per_unit, unit: u, rates: [{ when: {}, price: "2", from: ${from} }]`;

/** What a charge in USD is at 0.5: what is money halves, nothing else changes. */
const models: readonly (readonly [string, string, string, object])[] = [
    [
        'per_unit with all that bounds a charge',
        `${unit}, included: "7", discounts: [{ amount: "3" }, { percent: "10" }], maximum: "90", minimum: "5"`,
        '1',
        {
            ...{ unit_price: '1', included: '7', maximum: '45', minimum: '2.5' },
            discounts: [{ amount: '1.5' }, { percent: '10' }],
        },
    ],
    [
        'graduated',
        `model: graduated, unit: u, tiers: [{ up_to: "10", unit_price: "4", flat_fee: "3" }, { unit_price: "1" }], ${one}`,
        '2',
        {
            tiers: [
                { up_to: '10', unit_price: '2', flat_fee: '1.5' },
                { up_to: null, unit_price: '0.5' },
            ],
        },
    ],
    [
        'volume, of packages too',
        `model: volume, unit: u, tiers: [{ up_to: "10", unit_price: "4" }, { package_size: "100", package_price: "7" }], ${one}`,
        '2',
        {
            tiers: [
                { up_to: '10', unit_price: '2' },
                { up_to: null, package_size: '100', package_price: '3.5' },
            ],
        },
    ],
    [
        'package',
        `model: package, unit: u, package_size: "1000", package_price: "3", unit_conversion: { divide_by: "8" }, ${one}`,
        '0',
        {
            ...{ package_size: '1000', package_price: '1.5' },
            unit_conversion: { divide_by: '8' },
        },
    ],
    [
        'stairstep',
        `model: stairstep, unit: u, steps: [{ up_to: "5", price: "40" }, { price: "300" }], ${one}`,
        '0',
        {
            steps: [
                { up_to: '5', price: '20' },
                { up_to: null, price: '150' },
            ],
        },
    ],
    [
        'percentage of an amount in USD: what is free of it is in USD',
        `model: percentage, unit: USD, percent: "2.9", fixed_fee_per_event: "0.3", free_events: "1", free_amount: "100", min_per_event: "0.2", max_per_event: "5", ${one}`,
        '0',
        {
            ...{ percent: '1.45', fixed_fee_per_event: '0.15', free_events: '1' },
            ...{ free_amount: '100', min_per_event: '0.1', max_per_event: '2.5' },
        },
    ],
    [
        'percentage without parts for each event has a list price',
        `model: percentage, unit: USD, percent: "3", ${one}`,
        '0.015',
        { percent: '1.5' },
    ],
    [
        'graduated_percentage of an amount in USD: its bounds are in USD',
        `model: graduated_percentage, unit: USD, tiers: [{ up_to: "1000", percent: "3", flat_fee: "4" }, { percent: "2" }], ${one}`,
        '0',
        {
            tiers: [
                { up_to: '1000', percent: '1.5', flat_fee: '2' },
                { up_to: null, percent: '1' },
            ],
        },
    ],
    [
        'dynamic: all of the amount, not only the markup',
        `model: dynamic, unit: USD, markup_percent: "20", ${one}`,
        '0.6',
        { markup_percent: '-40' },
    ],
    [
        'flat',
        `model: flat, unit: u, fee: "50", bill: advance, proration: { unit: day }, ${one}`,
        '0',
        { fee: '25', bill: 'advance', proration: { unit: 'day' } },
    ],
    [
        'a stated list price',
        `model: package, unit: u, package_size: "10", package_price: "1", tier_scope: pool, rates: [{ when: {}, list_price: "0.3", from: ${from} }]`,
        '0.15',
        { package_price: '0.5', package_size: '10', tier_scope: 'pool' },
    ],
];

describe('a rate in another currency', () => {
    test.each(models)('%s', (_name, charge, unit_price, terms) => {
        const { made, problems } = converted(charge, '0.5');
        expect(problems).toEqual([]);
        expect(made).toMatchObject({
            unit_price,
            currency: 'EUR',
            card: 'list',
            card_version: '1',
        });
        expect(JSON.parse(made?.terms ?? '{}')).toMatchObject(terms);
    });

    test.each(models)('at 1 is the same but for id and currency: %s', (_name, charge) => {
        const [rate] = ratesOf(charge);
        expect(converted(charge, '1').made).toEqual({
            ...{ ...rate, rate_id: `${rate?.rate_id}@EUR`, currency: 'EUR' },
        });
    });

    test.each([
        ['a bare price', '0.000003', '0.92', '0.00000276'],
        ['half away from zero at the twelfth decimal', '0.000000050001', '0.5', '0.000000025001'],
        ['below half', '0.000000100001', '0.333333333333', '0.000000033334'],
        ['into JPY', '0.000003', '151.237', '0.000453711'],
        ['into a currency with a long rate', '3', '0.123456789012', '0.370370367036'],
        ['nothing is nothing', '0', '0.92', '0'],
    ])('%s', (_name, price, rate, made) => {
        const charge = unit.replace('"2"', `"${price}"`);
        const { made: found, problems } = converted(charge, rate);
        expect([found?.unit_price, found?.terms, ...problems]).toEqual([made, null]);
    });

    test('every parameter of every model is money, or is known not to be', () => {
        const every = Object.values(modelParameters).flatMap((of) => Object.keys(of));
        const names = [...new Set([...every, ...Object.keys(modifiers)])].sort();
        // A name that is added is added here with what it means in another currency.
        expect(names).toEqual([
            ...['bill', 'charge_zero_usage', 'discounts', 'fee', 'fixed_fee_per_event'],
            ...['free_amount', 'free_events', 'included', 'included_mode', 'markup_percent'],
            ...['max_per_event', 'maximum', 'min_per_event', 'minimum', 'negative'],
            ...['package_price', 'package_size', 'percent', 'proration', 'rounding', 'steps'],
            ...['tier_scope', 'tiers', 'unit_conversion'],
        ]);
    });

    test('what is not known is refused, not left as it is', () => {
        const [rate] = ratesOf(`model: flat, unit: u, fee: "1", ${one}`);
        if (!rate) throw new Error('no rate');
        const terms = JSON.stringify({ ...JSON.parse(rate.terms ?? ''), deposit: '5' });
        const problems = new Problems();
        convertRates([{ ...rate, terms }], at('0.5'), problems);
        expect(printed(problems.list)).toEqual([
            'rules/card.yaml:5: CONVERSION_UNKNOWN in EUR at 0.5: nothing says whether deposit is money\n' +
                '    Take deposit out, or give payers in EUR a contract with a card in EUR.',
        ]);
    });

    test.each([
        [
            'a share of what may be in any currency',
            `model: percentage, unit: payment, percent: "2.9", ${one}`,
            '0.92',
            'CONVERSION_UNIT in EUR at 0.92: p is a share of an amount in "payment", and nothing says that this is USD\n' +
                '    Write `unit: USD` if the meter adds up money of that currency, or give payers in EUR a contract with a card in EUR.',
        ],
        [
            'a share of what is in another currency than the card',
            `model: dynamic, unit: EUR, ${one}`,
            '0.92',
            'CONVERSION_UNIT in EUR at 0.92: p is a share of an amount in "EUR", and nothing says that this is USD\n' +
                '    Write `unit: USD` if the meter adds up money of that currency, or give payers in EUR a contract with a card in EUR.',
        ],
        [
            'a price that twelve decimals would make another one',
            unit.replace('"2"', '"0.000000000005"'),
            '0.92',
            'CONVERSION_TOO_COARSE in EUR at 0.92: 0.000000000005 is 0.0000000000046, of which 12 decimals keep 0.000000000005\n' +
                '    Price larger units (`unit_conversion`), or give payers in EUR a contract with a card in EUR.',
        ],
        [
            'or nothing',
            unit.replace('"2"', '"0.000000000001"'),
            '0.4',
            'CONVERSION_TOO_COARSE in EUR at 0.4: 0.000000000001 is 0.0000000000004, of which 12 decimals keep 0\n' +
                '    Price larger units (`unit_conversion`), or give payers in EUR a contract with a card in EUR.',
        ],
        [
            'a price that cannot be meant',
            unit,
            '50000000000000',
            'CONVERSION_TOO_LARGE in EUR at 50000000000000: 2 is 100000000000000, which is 10^14 or more\n' +
                '    Look for a slipped decimal point in the currency rate, or give payers in EUR a contract with a card in EUR.',
        ],
    ])('refused: %s', (_name, charge, rate, problem) => {
        expect(converted(charge, rate).problems).toEqual([`rules/card.yaml:5: ${problem}`]);
    });

    test('a share of nothing has no currency: only its fees are converted', () => {
        const charge = `model: percentage, unit: token, percent: "0", fixed_fee_per_event: "0.2", ${one}`;
        const { made, problems } = converted(charge, '0.5');
        expect(problems).toEqual([]);
        expect(JSON.parse(made?.terms ?? '')).toMatchObject({ fixed_fee_per_event: '0.1' });
    });

    test('the same mistake of many rates is told once', () => {
        const price = '"0.000000000001"';
        const rates = ['a', 'b', 'c'].map(
            (x) => `{ when: { x: ${x} }, price: ${price}, from: ${from} }`,
        );
        const charge = `model: per_unit, unit: u, rates: [${rates.join(', ')}]`;
        const { problems } = converted(charge, '0.4');
        expect(problems).toEqual([
            expect.stringContaining('12 decimals keep 0; 2 more like it in list\n'),
        ]);
    });
});
