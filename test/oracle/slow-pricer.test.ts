import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exponents, linesOf, models, quoteLines } from '../support/charges.ts';
import { minus, parseDecimal, plus, sum } from '../support/exact.ts';
import { type Answer, quote } from './slow-pricer.ts';

type Part = Record<string, unknown>;
const priced = (charge: Part, usage: string | Part, more: Part = {}) =>
    quote(
        {
            ...{ id: 'q', currency: 'USD', charge },
            ...(typeof usage === 'string' ? { quantity: usage } : usage),
            ...more,
        },
        exponents,
    );
type Priced = Extract<Answer, { amount: string }>;
const ok = (answer: Answer): Priced => {
    if ('error' in answer) throw new Error(JSON.stringify(answer.error));
    return answer;
};
const exact = (...of: Parameters<typeof priced>) => ok(priced(...of)).amount_exact;
const amount = (...of: Parameters<typeof priced>) => ok(priced(...of)).amount;
const code = (...of: Parameters<typeof priced>) => {
    const answer = priced(...of);
    return 'error' in answer ? answer.error.code : `priced at ${answer.amount}`;
};

const graduated = {
    model: 'graduated',
    tiers: [
        { up_to: '10', unit_price: '5', flat_fee: '200' },
        { up_to: null, unit_price: '1' },
    ],
};
const volume = { ...graduated, model: 'volume' };
const packs = { model: 'package', package_size: '1000', package_price: '2' };

describe('models, worked on paper', () => {
    test.each([
        // quantity, 200 + 5 a unit up to 10, then 1 a unit
        ['0', '0'],
        ['0.5', '202.5'],
        ['9.999999', '249.999995'],
        ['10', '250'],
        ['10.000001', '250.000001'],
        ['12', '252'],
    ])('graduated: %s', (quantity, is) => expect(exact(graduated, quantity)).toBe(is));

    test.each([
        ['0', '0'],
        ['10', '250'],
        ['10.000001', '10.000001'],
        ['250', '250'],
    ])('volume: %s', (quantity, is) => expect(exact(volume, quantity)).toBe(is));

    test('the rows of tiers: what they say', () => {
        expect(ok(priced(graduated, '12')).tiers).toEqual([
            {
                ...{ from: '0', to: '10', quantity: '10' },
                ...{ unit_price: '5', flat_fee: '200', amount: '250' },
            },
            {
                ...{ from: '10', to: null, quantity: '2' },
                ...{ unit_price: '1', flat_fee: '0', amount: '2' },
            },
        ]);
        expect(ok(priced(volume, '12')).tiers).toEqual([
            {
                ...{ from: '10', to: null, quantity: '12' },
                ...{ unit_price: '1', flat_fee: '0', amount: '12' },
            },
        ]);
    });

    test('a fraction between two whole bounds', () => {
        const tiers = [
            { up_to: '99', unit_price: '1' },
            { up_to: '100', unit_price: '10' },
            { up_to: null, unit_price: '100' },
        ];
        expect(exact({ model: 'graduated', tiers }, '99.5')).toBe('104');
        expect(exact({ model: 'volume', tiers }, '99.5')).toBe('995');
    });

    test.each([
        ['0', '0'],
        ['0.000001', '2'],
        ['1000', '2'],
        ['1000.5', '4'],
        ['2700', '6'],
    ])('package: %s', (quantity, is) => expect(exact(packs, quantity)).toBe(is));

    test('packages within tiers: those begun in each', () => {
        const tiers = [
            { up_to: '1500', package_size: '1000', package_price: '3', flat_fee: '1' },
            { up_to: null, package_size: '100', package_price: '0.2' },
        ];
        // 2 of 1,000 and the fee; 1 of 100.
        expect(exact({ model: 'graduated', tiers }, '1501')).toBe('7.2');
        // 16 of 100.
        expect(exact({ model: 'volume', tiers }, '1501')).toBe('3.2');
    });

    const steps = [
        { up_to: '10', price: '50' },
        { up_to: null, price: '90' },
    ];
    test.each([
        ['0', '0'],
        ['0.1', '50'],
        ['10', '50'],
        ['10.1', '90'],
    ])('stairstep: %s', (quantity, is) =>
        expect(exact({ model: 'stairstep', steps }, quantity)).toBe(is),
    );

    const plans = [
        { up_to: { cpu: '4', memory: '16' }, price: '50' },
        { up_to: { cpu: '8', memory: '32' }, price: '80' },
        { up_to: null, price: '200' },
    ];
    test.each([
        [{ cpu: '4', memory: '16' }, '50'],
        [{ cpu: '4', memory: '16.5' }, '80'],
        [{ cpu: '1' }, '50'],
        [{ cpu: '9', memory: '1' }, '200'],
        [{ cpu: '0', memory: '0' }, '0'],
    ])('stairstep by dimension: %j', (quantity, is) =>
        expect(exact({ model: 'stairstep', steps: plans }, { quantity })).toBe(is),
    );

    test('percentage of a bare amount, which is one event', () => {
        const charge = { model: 'percentage', percent: '2.9', fixed_fee_per_event: '0.3' };
        expect(exact(charge, '100')).toBe('3.2');
        expect(exact(charge, '0')).toBe('0');
        expect(exact({ ...charge, max_per_event: '2' }, '100')).toBe('2');
        expect(exact({ ...charge, free_amount: '40' }, '100')).toBe('2.04');
        expect(exact({ ...charge, free_events: '1' }, '100')).toBe('0');
    });

    test('graduated percentage', () => {
        const tiers = [
            { up_to: '1000', percent: '2', flat_fee: '5' },
            { up_to: null, percent: '1.5', flat_fee: '1' },
        ];
        expect(exact({ model: 'graduated_percentage', tiers }, '1000')).toBe('25');
        expect(exact({ model: 'graduated_percentage', tiers }, '1200')).toBe('29');
    });

    test('dynamic: the amount of the events, or cost and markup', () => {
        const usage = { events: [{ value: '10.05' }, { value: '-0.05' }] };
        expect(exact({ model: 'dynamic' }, usage)).toBe('10');
        expect(exact({ model: 'dynamic', markup_percent: '12.5' }, usage)).toBe('11.25');
    });

    test('flat: a fee whatever the usage', () => {
        const charge = { model: 'flat', fee: '30' };
        expect(exact(charge, {})).toBe('30');
        expect(exact(charge, '-4')).toBe('30');
        expect(exact({ ...charge, proration: '0.25' }, {})).toBe('7.5');
    });
});

/** Six payments in order; the ids say which is first where the time is the same. */
const payments = ['100', '200', '300', '50', '0', '400'].map((value, at) => ({
    ...{ at: '2026-03-01T00:00:00Z', id: `p${at}`, value },
}));

describe('percentage event by event', () => {
    const charge = { model: 'percentage', percent: '1', fixed_fee_per_event: '0.1' };
    const of = (more: Part) => exact({ ...charge, ...more }, { events: payments });
    test.each([
        // 1,050 in six events: 10.5 + 0.6
        ['no free part', {}, '11.1'],
        ['free events', { free_events: '3' }, '4.8'],
        ['free amount hit exactly: 100 and 200 free', { free_amount: '300' }, '7.9'],
        ['free amount passed: 50 of 300 free, the fee due', { free_amount: '350' }, '7.4'],
        ['events end first', { free_events: '1', free_amount: '350' }, '10'],
        ['the amount ends first', { free_events: '5', free_amount: '250' }, '8.5'],
        ['a limit of 0 is none', { free_events: '0', free_amount: '300' }, '7.9'],
        // 1.5, 2.1, 2.5, 1.5, 1.5, 2.5
        ['minimum and maximum', { min_per_event: '1.5', max_per_event: '2.5' }, '11.6'],
        // free 100; of the 200, 50 pay: 1.5 (0.5 + 0.1 lifted); 2.5, 1.5, 1.5, 2.5
        [
            'the same with a free part',
            { min_per_event: '1.5', max_per_event: '2.5', free_amount: '250' },
            '9.5',
        ],
    ] as const)('%s', (_name, more, is) => expect(of(more)).toBe(is));

    test('a refund takes back what it cost; clamped, it is left out', () => {
        const events = [{ value: '100' }, { value: '-100' }];
        expect(exact(charge, { events })).toBe('0');
        expect(exact({ ...charge, negative: 'clamp' }, { events })).toBe('1.1');
    });
});

describe('modifiers', () => {
    const unit = { model: 'per_unit', unit_price: '2' };
    test.each([
        ['0', true, '200', '200'],
        ['0', false, '0', '0'],
    ])('flat fees at zero usage: %s, %s', (quantity, charge_zero_usage, first, second) => {
        expect(exact({ ...graduated, charge_zero_usage }, quantity)).toBe(first);
        expect(exact({ ...volume, charge_zero_usage }, quantity)).toBe(second);
    });
    test('usage that is all included is zero usage to the model', () => {
        expect(exact({ ...graduated, included: '10' }, '10')).toBe('0');
        expect(exact({ ...graduated, included: '10', charge_zero_usage: true }, '10')).toBe('200');
    });

    test.each([
        [{ divide_by: '1000', rounding: 'up' }, '1001', '4'],
        [{ divide_by: '1000', rounding: 'down' }, '1999', '2'],
        [{ divide_by: '1000', rounding: 'nearest' }, '1500', '4'],
        [{ divide_by: '3', rounding: 'up', decimals: '1' }, '1', '0.8'],
        [{ divide_by: '3', rounding: 'none' }, '1', '0.666666666666'],
        [{ multiply_by: '60' }, '1.5', '180'],
    ])('unit conversion %j of %s', (unit_conversion, quantity, is) =>
        expect(exact({ ...unit, unit_conversion }, quantity)).toBe(is),
    );

    test('included: taken off, or gone once exceeded', () => {
        expect(exact({ ...unit, included: '10' }, '12')).toBe('4');
        expect(exact({ ...unit, included: '10' }, '8')).toBe('0');
        const whole = { ...unit, included: '10', included_mode: 'whole_once_exceeded' };
        expect(exact(whole, '10')).toBe('0');
        expect(exact(whole, '10.5')).toBe('21');
        // 2,500 less 600 is two packages begun.
        expect(exact({ ...packs, included: '600' }, '2500')).toBe('4');
        // Conversion first: 6,500 seconds are 109 minutes, 9 above what is included.
        const minutes = { divide_by: '60', rounding: 'up' };
        expect(exact({ ...unit, unit_conversion: minutes, included: '100' }, '6500')).toBe('18');
    });

    test('discounts each on what the one before left, never below zero', () => {
        const discounts = [{ percent: '10' }, { amount: '8' }, { percent: '50' }];
        // 20, 18, 10, 5
        expect(exact({ ...unit, discounts }, '10')).toBe('5');
        expect(exact({ ...unit, discounts }, '1')).toBe('0');
    });

    test('discounts, then maximum, then minimum', () => {
        const charge = { ...unit, discounts: [{ amount: '5' }], maximum: '10', minimum: '4' };
        expect(exact(charge, '10')).toBe('10');
        expect(exact(charge, '5')).toBe('5');
        expect(exact(charge, '4')).toBe('4');
        expect(exact(charge, '0')).toBe('4');
        expect(exact({ ...charge, minimum: '11' }, '10')).toBe('11');
    });

    test('negative usage: the mirror of f, or nothing', () => {
        expect(exact(graduated, '-12')).toBe('-252');
        expect(ok(priced(graduated, '-12')).tiers[1]).toMatchObject({
            quantity: '-2',
            amount: '-2',
        });
        expect(exact({ ...unit, minimum: '7' }, '-1')).toBe('-7');
        expect(exact({ ...unit, negative: 'clamp' }, '-1')).toBe('0');
        expect(exact({ ...unit, negative: 'clamp', minimum: '7' }, '-1')).toBe('7');
    });

    test('proration: money per period, never usage', () => {
        const charge = { ...graduated, proration: '0.5', included: '2' };
        expect(exact(charge, '12')).toBe('150');
        expect(exact({ ...charge, maximum: '200' }, '12')).toBe('100');
        expect(exact({ ...unit, proration: '0.5', minimum: '9' }, '1')).toBe('4.5');
        const steps = [{ up_to: null, price: '90' }];
        expect(exact({ model: 'stairstep', steps, proration: '0.1' }, '1')).toBe('9');
    });

    const month = (
        unit: string,
        from: string,
        to: string,
        period: [string, string],
        zone = 'UTC',
    ) =>
        exact(
            {
                ...{ model: 'flat', fee: '31' },
                proration: {
                    ...{ from, to, unit, zone },
                    ...{ period_start: period[0], period_end: period[1] },
                },
            },
            {},
        );
    test('proration: month ends as anchors', () => {
        const [january, february, march] = ['2026-01-31', '2026-02-28', '2026-03-31'] as const;
        // 28 days, of which 14; 31 days, of which one.
        expect(month('day', january, '2026-02-14', [january, february])).toBe('15.5');
        expect(month('day', february, '2026-03-01', [february, march])).toBe('1');
    });
    test('proration: days and seconds across a change of the clocks', () => {
        const march: [string, string] = ['2026-03-01', '2026-04-01'];
        expect(month('day', '2026-03-29', '2026-03-30', march, 'Europe/Berlin')).toBe('1');
        // 23 hours of 743.
        expect(month('second', '2026-03-29', '2026-03-30', march, 'Europe/Berlin')).toBe(
            '0.959623149394347240915209',
        );
        // Noon in Berlin: the day is the later part's.
        const noon = '2026-03-10T11:00:00Z';
        expect(month('day', '2026-03-01', noon, march, 'Europe/Berlin')).toBe('9');
        expect(month('day', noon, '2026-04-01', march, 'Europe/Berlin')).toBe('22');
        // 23:30 UTC is the next day there already.
        const late = '2026-03-10T23:30:00Z';
        expect(month('day', '2026-03-01', late, march, 'Europe/Berlin')).toBe('10');
        // Cut to the period.
        expect(month('second', '2026-02-01', '2026-05-01', march)).toBe('31');
    });
});

describe('money', () => {
    test('tiny prices over billions', () => {
        const charge = { model: 'per_unit', unit_price: '0.0000000375' };
        expect(priced(charge, '7000000001')).toMatchObject({
            ...{ amount_exact: '262.5000000375', amount: '262.50' },
        });
    });
    test.each([
        ['USD', '1.01'],
        ['JPY', '1'],
        ['KWD', '1.005'],
        ['CLF', '1.0050'],
    ])('%s', (currency, is) => {
        const charge = { model: 'per_unit', unit_price: '1.005' };
        expect(amount(charge, '1', { currency })).toBe(is);
    });
    test('halves', () => {
        const charge = { model: 'per_unit', unit_price: '0.005' };
        const half_even = { ...charge, rounding: { mode: 'half_even' } };
        expect([amount(charge, '1'), amount(charge, '3'), amount(charge, '-1')]).toEqual([
            ...['0.01', '0.02', '-0.01'],
        ]);
        expect([amount(half_even, '1'), amount(half_even, '3'), amount(half_even, '-1')]).toEqual([
            ...['0.00', '0.02', '0.00'],
        ]);
        expect(amount({ ...charge, rounding: { decimals: '3' } }, '1')).toBe('0.005');
    });
    test('20.66 by lines, not 20.67 by total', () => {
        const charge = { model: 'per_unit', unit_price: '10.333' };
        expect(priced(charge, { groups: { a: '1', b: '1' } })).toMatchObject({
            ...{ amount_exact: '20.666', amount: '20.66' },
        });
        expect(amount(charge, '2')).toBe('20.67');
    });
});

describe('previously billed', () => {
    const nextSlice = (charge: Part, usage: string | Part, quantity: string, billed: string) =>
        ok(priced(charge, usage, { previously_billed: { quantity, amount: billed } }));

    test('packages of the cumulative: 1,400 then 1,300 are three, not four', () => {
        expect(amount(packs, '1400')).toBe('4.00');
        expect(nextSlice(packs, '1300', '1400', '4.00')).toMatchObject({
            ...{ quantity: '1300', amount_exact: '2', amount: '2.00' },
        });
    });
    test('a volume price that falls makes a negative difference', () => {
        expect(nextSlice(volume, '1', '10', '250')).toMatchObject({
            ...{ amount_exact: '-239', amount: '-239.00' },
        });
    });
    test('maximum and minimum are of the whole', () => {
        const charge = { model: 'per_unit', unit_price: '1', maximum: '10', minimum: '5' };
        expect(nextSlice(charge, '8', '7', '7').amount).toBe('3.00');
        expect(nextSlice(charge, '1', '1', '5').amount).toBe('0.00');
    });
    test('half cents add up', () => {
        const charge = { model: 'per_unit', unit_price: '0.005' };
        // 0.005 is 0.01; 0.010 is 0.01: nothing more is due, though the exact difference is 0.
        expect(nextSlice(charge, '1', '1', '0.01')).toMatchObject({ amount: '0.00' });
        expect(nextSlice(charge, '1', '1', '0.005')).toMatchObject({
            ...{ amount_exact: '0.005', amount: '0.00' },
        });
    });
    test('events are those of the whole period, whatever the meter', () => {
        const charge = { model: 'per_unit', unit_price: '1' };
        const events = [{ value: '5' }, { value: '9' }, { value: '7' }];
        const meter = (aggregation: string) => ({ meter: { aggregation }, events });
        // The month so far had a maximum of 8.
        expect(nextSlice(charge, meter('max'), '8', '8')).toMatchObject({
            quantity: '1',
            amount: '1.00',
        });
        expect(nextSlice(charge, meter('sum'), '8', '8')).toMatchObject({
            ...{ quantity: '13', amount: '13.00' },
        });
    });
});

describe('groups', () => {
    const usage = { groups: { g1: '3', g2: '12' } };
    test('each on its own', () => {
        const answer = ok(priced(graduated, usage));
        expect(answer).toMatchObject({ quantity: '15', amount: '467.00', tiers: [] });
        expect(answer.groups).toMatchObject({
            g1: { quantity: '3', amount: '215.00' },
            g2: { quantity: '12', amount: '252.00', tiers: [{ to: '10' }, { to: null }] },
        });
    });
    test('pooled: rated together, allocated by quantity', () => {
        const answer = ok(priced({ ...graduated, tier_scope: 'pool' }, usage));
        expect(answer).toMatchObject({ quantity: '15', amount: '255.00' });
        expect(answer.groups).toMatchObject({ g1: { amount: '51.00' }, g2: { amount: '204.00' } });
    });
    test('the cent that is left goes to the largest rest, then to the first name', () => {
        const charge = { model: 'flat', fee: '1', tier_scope: 'pool' };
        expect(ok(priced(charge, { groups: { c: '1', a: '1', b: '1' } })).groups).toMatchObject({
            ...{ a: { amount: '0.34' }, b: { amount: '0.33' }, c: { amount: '0.33' } },
        });
        expect(ok(priced(charge, { groups: { a: '1', b: '2' } })).groups).toMatchObject({
            ...{ a: { amount: '0.33' }, b: { amount: '0.67' } },
        });
        expect(ok(priced(charge, { groups: { a: '0', b: '0' } })).groups).toMatchObject({
            ...{ a: { amount: '0.50' }, b: { amount: '0.50' } },
        });
    });
});

describe('meters', () => {
    const at = (day: number, clock = '00:00:00') =>
        `2026-03-${String(day).padStart(2, '0')}T${clock}Z`;
    const readings = [
        { id: 'b', at: at(3), value: '20', region: 'eu', user: 'u1', op: 'add' },
        { id: 'a', at: at(3), value: '5', region: 'us', user: 'u2', op: 'add' },
        { id: 'c', at: at(1), value: '11', region: 'eu', user: 'u1', op: 'remove' },
        { id: 'd', at: at(5, '12:00:00'), value: null, region: 'eu', user: 'u2', op: 'remove' },
    ];
    const metered = (meter: Part, events: readonly Part[] = readings) =>
        ok(priced({ model: 'per_unit', unit_price: '1' }, { meter, events })).quantity;
    test.each([
        [{ aggregation: 'sum' }, '36'],
        [{ aggregation: 'count' }, '4'],
        [{ aggregation: 'min' }, '5'],
        [{ aggregation: 'max' }, '20'],
        [{ aggregation: 'average' }, '12'],
        // a and b at one instant: the larger id; d says nothing.
        [{ aggregation: 'latest' }, '20'],
        [{ aggregation: 'unique_count', field: 'user' }, '2'],
        // In order c, a, b, d: u1 was not in; u2 in, u1 in, u2 out.
        [{ aggregation: 'unique_count', field: 'user', operation_field: 'op' }, '1'],
        [{ aggregation: 'percentile', percentile: '50' }, '11'],
        [{ aggregation: 'percentile', percentile: '67' }, '20'],
        [{ aggregation: 'percentile', percentile: '0' }, '5'],
        [{ aggregation: 'sum', filter: { region: 'eu' } }, '31'],
        [{ aggregation: 'sum', filter: { region: ['eu', 'us'], user: 'u2' } }, '5'],
        [{ aggregation: 'max', window: 'day' }, '31'],
        [{ aggregation: 'sum', period_start: at(1, '00:00:01'), period_end: at(3) }, '0'],
        [{ aggregation: 'sum', period_start: at(3), period_end: at(4) }, '25'],
    ])('%j', (meter, is) => expect(metered(meter)).toBe(is));

    test('the average of thirds has twelve decimals', () => {
        const events = [{ value: '1' }, { value: '0' }, { value: '1' }];
        expect(metered({ aggregation: 'average' }, events)).toBe('0.666666666667');
    });
    test('nothing comes to zero', () => {
        for (const aggregation of ['sum', 'count', 'min', 'average', 'latest', 'unique_count']) {
            expect(metered({ aggregation }, [])).toBe('0');
        }
    });

    const level = { aggregation: 'weighted_sum', period_start: at(1), period_end: at(11) };
    const levels = [
        { id: 'b', at: at(3), value: '20' },
        { id: 'a', at: at(3), value: '5' },
        { id: 'c', at: at(8), value: '10' },
    ];
    test.each([
        // 2 days at 0, 5 at 20 (b after a), 3 at 10: 130 level days of 10
        ['levels', {}, levels, '13'],
        ['opening', { opening: '4' }, levels, '13.8'],
        // 0, then 25 for 5 days, then 35 for 3: 230
        ['deltas', { values: 'deltas' }, levels, '23'],
        ['deltas and opening', { values: 'deltas', opening: '-1' }, levels, '22'],
        ['from before', {}, [{ id: 'z', at: '2026-02-01T00:00:00Z', value: '7' }], '7'],
        [
            'opening rather than from before',
            { opening: '2' },
            [{ id: 'z', at: '2026-02-01T00:00:00Z', value: '7' }],
            '2',
        ],
    ] as const)('weighted sum: %s', (_name, more, events, is) =>
        expect(metered({ ...level, ...more }, events)).toBe(is),
    );

    test('windows by the clock of a zone; the hour that comes twice is two', () => {
        const events = [
            { id: '1', at: '2026-10-25T00:30:00Z', value: '3' },
            { id: '2', at: '2026-10-25T01:30:00Z', value: '4' },
            { id: '3', at: '2026-10-25T01:45:00Z', value: '2' },
        ];
        const window = (unit: string) => ({ unit, zone: 'Europe/Berlin' });
        expect(metered({ aggregation: 'max', window: window('hour') }, events)).toBe('7');
        expect(metered({ aggregation: 'max', window: window('day') }, events)).toBe('4');
    });
    test('an event that comes twice', () => {
        const one = { id: '1', at: at(1), value: '3' };
        expect(metered({ aggregation: 'sum' }, [one, { value: '3', id: '1', at: at(1) }])).toBe(
            '3',
        );
        const meter = { aggregation: 'sum' };
        const other = { events: [one, { ...one, value: '4' }], meter };
        expect(code({ model: 'dynamic' }, other)).toBe('QUOTE_EVENT');
    });
});

describe('what has no price', () => {
    const unit = { model: 'per_unit', unit_price: '1' };
    const tiers = (...up_to: readonly (string | null)[]) => ({
        ...{ model: 'graduated', tiers: up_to.map((of) => ({ up_to: of, unit_price: '1' })) },
    });
    test.each([
        ['a bounded last tier', tiers('10'), '1', 'QUOTE_TIERS'],
        ['an open one before the last', tiers(null, null), '1', 'QUOTE_TIERS'],
        ['equal bounds', tiers('10', '10', null), '1', 'QUOTE_TIERS'],
        ['bounds that fall', tiers('10', '5', null), '1', 'QUOTE_TIERS'],
        ['a bound of zero', tiers('0', null), '1', 'QUOTE_TIERS'],
        ['a number as a price', { model: 'per_unit', unit_price: 1 }, '1', 'QUOTE_NUMBER'],
        ['an exponent', { model: 'per_unit', unit_price: '1e3' }, '1', 'QUOTE_DECIMAL'],
        ['a model', { model: 'tiered' }, '1', 'QUOTE_CHOICE'],
        ['a key', { ...unit, unitprice: '1' }, '1', 'QUOTE_KEY'],
        ['a price that is not there', { model: 'per_unit' }, '1', 'QUOTE_MISSING'],
        ['a share above one', { ...unit, proration: '1.1' }, '1', 'QUOTE_SPAN'],
        ['no usage', unit, {}, 'QUOTE_USAGE'],
        ['two usages', unit, { quantity: '1', groups: { a: '1' } }, 'QUOTE_USAGE'],
    ] as const)('%s', (_name, charge, usage, is) => expect(code(charge, usage)).toBe(is));
    test('an unknown currency', () => {
        expect(code(unit, '1', { currency: 'XXQ' })).toBe('QUOTE_CURRENCY');
    });
});

describe('properties', () => {
    const run = { numRuns: 300 };
    const read = (line: Part) => ok(quote(line, exponents));
    const total = (texts: readonly string[]) => sum(texts.map(parseDecimal));

    test.each(Object.keys(models))('%s: every random line has a price', (model) => {
        fc.assert(
            fc.property(linesOf(model), (line) => {
                expect(quote(line, exponents)).toHaveProperty('amount');
            }),
            run,
        );
    });
    test('groups add up to the line', () => {
        const grouped = quoteLines.filter(({ groups }) => groups !== undefined);
        fc.assert(
            fc.property(grouped, (line) => {
                const answer = read(line);
                const parts = Object.values(answer.groups ?? {}).map((group) => group.amount);
                expect(total(parts)).toEqual(parseDecimal(answer.amount));
            }),
            run,
        );
    });
    const plain = quoteLines.filter(
        ({ quantity, charge, previously_billed }) =>
            typeof quantity === 'string' && charge.model !== 'flat' && !previously_billed,
    );
    test('mirrored: f(-q) = -f(q)', () => {
        const mirrored = plain.filter(
            ({ charge, quantity }) =>
                charge.negative !== 'clamp' && !/^-?[0.]*$/.test(`${quantity}`),
        );
        fc.assert(
            fc.property(mirrored, (line) => {
                const text = String(line.quantity);
                const other = text.startsWith('-') ? text.slice(1) : `-${text}`;
                const [a, b] = [read(line), read({ ...line, quantity: other })];
                expect(total([a.amount_exact, b.amount_exact])).toEqual(parseDecimal('0'));
                expect(total([a.amount, b.amount])).toEqual(parseDecimal('0'));
            }),
            run,
        );
    });
    test('slices, each billed as a difference, add up to the whole to the last unit', () => {
        fc.assert(
            fc.property(plain, fc.constantFrom('0', '1', '10', '99.5', '1400'), (line, before) => {
                const first = read({ ...line, quantity: before });
                for (const kept of [first.amount, first.amount_exact]) {
                    // What is kept of an exact amount must be an amount that can be given.
                    if (!/^-?\d+(\.\d{1,12})?$/.test(kept)) continue;
                    const rest = read({
                        ...line,
                        previously_billed: { quantity: before, amount: kept },
                    });
                    const whole = plus(parseDecimal(String(line.quantity)), parseDecimal(before));
                    const { top, bottom } = whole;
                    const text = decimalOf(top, bottom);
                    const once = read({ ...line, quantity: text });
                    expect(total([first.amount, rest.amount])).toEqual(parseDecimal(once.amount));
                }
            }),
            run,
        );
    });
    test('the order of events and of groups does not matter', () => {
        const many = quoteLines.filter(({ events, groups }) => Boolean(events ?? groups));
        fc.assert(
            fc.property(many, (line) => {
                const { groups } = line;
                // Of events at one instant without ids the place in the list decides: name them.
                const events =
                    Array.isArray(line.events) &&
                    line.events.map((event: Part, at) => ({ id: `n${at}`, ...event }));
                const [one, other] = events
                    ? [{ events }, { events: events.toReversed() }]
                    : [
                          {},
                          { groups: Object.fromEntries(Object.entries(groups ?? {}).toReversed()) },
                      ];
                expect(quote({ ...line, ...other }, exponents)).toEqual(
                    quote({ ...line, ...one }, exponents),
                );
            }),
            run,
        );
    });
    test('more usage never lowers what the slices of tiers cost', () => {
        const graduatedLines = linesOf('graduated').filter(
            ({ quantity, charge, previously_billed }) =>
                typeof quantity === 'string' &&
                !previously_billed &&
                charge.included_mode !== 'whole_once_exceeded',
        );
        fc.assert(
            fc.property(graduatedLines, fc.constantFrom('0.5', '1', '100'), (line, more) => {
                const { top, bottom } = plus(
                    parseDecimal(String(line.quantity)),
                    parseDecimal(more),
                );
                const [a, b] = [read(line), read({ ...line, quantity: decimalOf(top, bottom) })];
                const isNegative = String(line.quantity).startsWith('-');
                const rise = minus(parseDecimal(b.amount_exact), parseDecimal(a.amount_exact));
                // A minimum is owed at zero and mirrored below it: the only way down.
                if (!isNegative) expect(rise.top >= 0n).toBe(true);
            }),
            run,
        );
    });
});

function decimalOf(top: bigint, bottom: bigint): string {
    const units = (top * 10n ** 12n) / bottom;
    const digits = (units < 0n ? -units : units).toString().padStart(13, '0');
    return `${units < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`;
}
