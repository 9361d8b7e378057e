import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { priceLines } from '../../src/quote/price.ts';
import { readLine } from '../../src/quote/read.ts';

/** `tieout quote` over events: what each meter makes of them, worked on paper. */
let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 1, spill: '/tmp' });
});
afterAll(() => engine.close());

type Part = Readonly<Record<string, unknown>>;
type Answer = Readonly<Record<string, unknown>>;

/** Events as a text table; `_` is null, an empty cell is not there, a day is one of March 2026. */
function eventsOf(text: string): readonly Part[] {
    const cells = (line: string) => line.split('|').map((cell) => cell.trim());
    const [head = [], ...rows] = text.trim().split('\n').map(cells);
    const read = (name: string, cell: string) =>
        cell === '_' ? null : name === 'at' && /^\d\d /.test(cell) ? march(cell) : cell;
    return rows.map((row) =>
        Object.fromEntries(
            head.flatMap((name, at) => {
                const cell = row[at] ?? '';
                return cell === '' ? [] : [[name, read(name, cell)]];
            }),
        ),
    );
}
const march = (text: string) => `2026-03-${text.replace(' ', 'T')}:00Z`;

const unit = { model: 'per_unit', unit_price: '1' };
const line = (meter: Part | undefined, events: unknown, more: Part = {}) => ({
    ...{ id: 'q', currency: 'USD', charge: unit, events },
    ...(meter ? { meter } : {}),
    ...more,
});

async function answersTo(lines: readonly object[]): Promise<readonly Answer[]> {
    const read = lines.map((of) => readLine(JSON.stringify(of)));
    return (await priceLines(engine, read)) as unknown as readonly Answer[];
}

async function metered(meter: Part, events: readonly Part[]): Promise<unknown> {
    const [answer] = await answersTo([line(meter, events)]);
    return answer?.quantity ?? answer?.error;
}

const readings = eventsOf(`
    at       | id | value | user | region | op
    03 00:00 | b  | 20    | u1   | eu     | add
    03 00:00 | a  | 5     | u2   | us     | add
    01 00:00 | c  | 11    | u1   | eu     | remove
    05 12:00 | d  | _     | u2   | eu     | remove
`);
const period = { period_start: march('01 00:00'), period_end: march('11 00:00') };

describe('one meter over four events', () => {
    test.each([
        // aggregation, and what else the meter says; the quantity
        ['sum', {}, '36'],
        ['count', {}, '4'], // one says nothing, and is an event all the same
        ['min', {}, '5'],
        ['max', {}, '20'],
        ['average', {}, '12'],
        ['latest', {}, '20'], // a and b at one instant: b, the larger id
        ['percentile', { percentile: '50' }, '11'],
        ['percentile', { percentile: '67' }, '20'],
        ['percentile', { percentile: '0' }, '5'],
        ['percentile', { percentile: '100.0' }, '20'],
        ['unique_count', { field: 'user' }, '2'],
        // in order c, a, b, d: u1 was not in; u2 in; u1 in; u2 out
        ['unique_count', { field: 'user', operation_field: 'op' }, '1'],
        ['sum', { filter: { region: 'eu' } }, '31'],
        ['sum', { filter: { region: ['eu', 'us'], user: 'u2' } }, '5'],
        ['sum', { filter: { nothing: 'eu' } }, '0'],
        ['sum', { period_start: march('01 00:01'), period_end: march('03 00:00') }, '0'],
        ['max', { period_start: march('03 00:00'), period_end: march('03 00:01') }, '20'],
        // a value of each day that has events, then the sum of these
        ['max', { window: 'day' }, '31'],
        ['latest', { window: 'day' }, '31'],
        ['average', { window: 'day' }, '23.5'],
        ['percentile', { window: 'day', percentile: '50' }, '16'],
        ['unique_count', { window: 'day', field: 'user' }, '4'],
        ['unique_count', { window: 'day', field: 'user', operation_field: 'op' }, '2'],
        ['unique_count', { window: 'month', field: 'user' }, '2'],
        ['count', { window: 'hour' }, '4'],
        ['sum', { window: { unit: 'minute' } }, '36'],
    ])('%s %j is %s', async (aggregation, more, quantity) => {
        expect(await metered({ aggregation, ...more }, readings)).toBe(quantity);
    });

    test.each(['sum', 'count', 'unique_count', 'min', 'max', 'latest', 'average'])(
        '%s of no events is zero, with windows too',
        async (aggregation) => {
            expect(await metered({ aggregation }, [])).toBe('0');
            expect(await metered({ aggregation, window: 'day' }, [])).toBe('0');
        },
    );
});

describe('order', () => {
    test('without ids the last in the list of equal instants is the latest, the 11th after the 10th', async () => {
        const events = Array.from({ length: 11 }, (_, at) => ({
            at: march('03 00:00'),
            value: `${at + 1}`,
        }));
        expect(await metered({ aggregation: 'latest' }, events)).toBe('11');
        const level = { aggregation: 'weighted_sum', ...period, period_start: march('03 00:00') };
        expect(await metered(level, events)).toBe('11');
    });

    test('an event without an instant comes before all that have one', async () => {
        const events = [{ id: 'a', at: '0001-01-01T00:00:00Z', value: '1' }, { value: '2' }];
        expect(await metered({ aggregation: 'latest' }, events)).toBe('1');
    });

    test('an instant is what it is in any zone', async () => {
        const events = [
            { id: 'a', at: '2026-03-03T01:00:00+02:00', value: '1' },
            { id: 'b', at: '2026-03-02T22:59:59.999999Z', value: '2' },
        ];
        expect(await metered({ aggregation: 'latest' }, events)).toBe('1');
    });

    test('the same id with the same content counts once', async () => {
        const [first] = readings;
        const again = Object.fromEntries(Object.entries(first ?? {}).reverse());
        expect(await metered({ aggregation: 'sum' }, [...readings, again])).toBe('36');
        expect(await metered({ aggregation: 'count' }, [...readings, again])).toBe('4');
    });
});

describe('windows on the days a clock is changed', () => {
    const autumn = eventsOf(`
        at                   | value
        2026-10-25T00:30:00Z | 3
        2026-10-25T01:30:00Z | 4
        2026-10-25T01:45:00Z | 2
    `);
    // 23:30 is already the 29th in Berlin; 02:00 to 03:00 does not happen.
    const spring = eventsOf(`
        at       | value
        28 23:30 | 5
        29 00:30 | 3
        29 01:30 | 4
    `);
    test.each([
        ['the hour that comes twice is two hours', autumn, 'hour', 'Europe/Berlin', '7'],
        ['the long day is one', autumn, 'day', 'Europe/Berlin', '4'],
        ['hours around the one that is not there', spring, 'hour', 'Europe/Berlin', '12'],
        ['the short day is one', spring, 'day', 'Europe/Berlin', '5'],
        ['the same by another clock', spring, 'day', 'UTC', '9'],
        ['the name of a zone in small letters', spring, 'day', 'europe/berlin', '5'],
    ])('%s', async (_what, events, of, zone, quantity) => {
        const window = { unit: of, zone };
        expect(await metered({ aggregation: 'max', window }, events)).toBe(quantity);
    });
});

describe('levels', () => {
    const levels = eventsOf(`
        at       | id | value
        03 00:00 | b  | 20
        03 00:00 | a  | 5
        08 00:00 | c  | 10
    `);
    const before = eventsOf(`
        at                   | value
        2026-02-01T00:00:00Z | 7
    `);
    test.each([
        // 2 days at 0, 5 at 20 (b after a), 3 at 10: 130 level days of 10
        ['levels', {}, levels, '13'],
        ['with an opening', { opening: '4' }, levels, '13.8'],
        // 0, then 25 for 5 days, then 35 for 3: 230
        ['deltas', { values: 'deltas' }, levels, '23'],
        ['deltas with an opening', { values: 'deltas', opening: '-1' }, levels, '22'],
        ['an event before the period is its opening', {}, before, '7'],
        ['unless one is given', { opening: '2' }, before, '2'],
        ['nothing but an opening', { opening: '2' }, [], '2'],
        ['nothing at all', {}, [], '0'],
        ['an event at the end is of the next period', {}, [{ at: march('11 00:00') }], '0'],
    ])('weighted_sum of %s', async (_what, more, events, quantity) => {
        const meter = { aggregation: 'weighted_sum', ...period, ...more };
        expect(await metered(meter, events)).toBe(quantity);
    });

    // Seats: 8 before the month, then 10, 5 (two at one instant), 12, 9.
    const seats = eventsOf(`
        at                   | id | value
        2026-02-01T00:00:00Z | a  | 8
        03 00:00             | b  | 2
        04 00:00             | c  | 2
        04 00:00             | d  | -7
        05 00:00             | e  | 7
        06 00:00             | f  | -3
    `);
    test.each([
        ['max', {}, '12'],
        ['min', {}, '5'],
        ['latest', {}, '9'],
        ['max', { opening: '100' }, '104'],
        ['min', { opening: '100' }, '97'],
        ['max', { period_end: march('05 00:00') }, '10'],
        ['max', { period_start: march('06 00:00') }, '9'], // the step at the start has been made
        ['max', { period_start: march('06 00:01') }, '9'],
    ])('%s of deltas, %j, is the running level', async (aggregation, more, quantity) => {
        const meter = { aggregation, values: 'deltas', ...period, ...more };
        expect(await metered(meter, seats)).toBe(quantity);
    });

    test('without a period deltas begin before the first event, at the opening or at zero', async () => {
        const meter = { values: 'deltas' };
        expect(await metered({ aggregation: 'min', ...meter }, seats)).toBe('0');
        expect(await metered({ aggregation: 'min', opening: '3', ...meter }, seats)).toBe('3');
        expect(await metered({ aggregation: 'max', opening: '3', ...meter }, [])).toBe('3');
    });
});

describe('what is done with the quantity', () => {
    const tiers = [
        { up_to: '30', unit_price: '1' },
        { up_to: null, unit_price: '0.5' },
    ];
    test('tiers, packages and steps take it like any other', async () => {
        const meter = { aggregation: 'sum' };
        const [graduated, packs, steps] = await answersTo([
            line(meter, readings, { charge: { model: 'graduated', tiers } }),
            line(meter, readings, {
                charge: { model: 'package', package_size: '10', package_price: '3' },
            }),
            line(meter, readings, {
                charge: {
                    model: 'stairstep',
                    steps: [
                        { up_to: '36', price: '7' },
                        { up_to: null, price: '9' },
                    ],
                },
            }),
        ]);
        expect([graduated?.amount, packs?.amount, steps?.amount]).toEqual([
            ...['33.00', '12.00', '7.00'],
        ]);
    });

    test('events are those of the period so far: what was billed is taken off, nothing added', async () => {
        const previously_billed = { quantity: '30', amount: '30' };
        const more = { charge: { model: 'graduated', tiers }, previously_billed };
        expect(
            await answersTo([
                line({ aggregation: 'sum' }, readings, more),
                line({ aggregation: 'max' }, readings, more),
            ]),
        ).toMatchObject([
            { quantity: '6', amount: '3.00' },
            { quantity: '-10', amount: '-10.00' },
        ]);
    });

    test('amounts of events: a markup on their sum, a percentage of each, a percentage of the largest', async () => {
        const percentage = { model: 'percentage', percent: '10', fixed_fee_per_event: '1' };
        const answers = await answersTo([
            line({ aggregation: 'sum' }, readings, {
                charge: { model: 'dynamic', markup_percent: '50' },
            }),
            line({ aggregation: 'sum' }, readings, { charge: percentage }),
            line({ aggregation: 'max' }, readings, { charge: percentage }),
        ]);
        expect(answers).toMatchObject([
            { quantity: '36', amount: '54.00' },
            { quantity: '36', amount: '6.60' },
            { quantity: '20', amount: '3.00' },
        ]);
    });

    test('refunds by event show once as negative in their tier', async () => {
        const charge = { model: 'percentage', percent: '10' };
        const [answer] = await answersTo([line(undefined, [{ value: '-50' }], { charge })]);
        expect(answer).toMatchObject({
            ...{ amount: '-5.00', tiers: [{ quantity: '-50', amount: '-5' }] },
        });
    });

    test('the example of the README', async () => {
        const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
        const [asked = '', answered] = readme
            .split('\n')
            .filter((text) => text.startsWith('{"id"'));
        const [answer] = await priceLines(engine, [readLine(asked)]);
        expect(JSON.stringify(answer)).toBe(answered);
    });

    test('an event without the field counts as nothing where the meter says so', async () => {
        const events = [{ value: '36' }, { other: '5' }, { value: null }];
        expect(await metered({ aggregation: 'sum', optional: true }, events)).toBe('36');
        // Null is said: there is no value. Events that do not count need none.
        expect(await metered({ aggregation: 'sum' }, [{ value: null }])).toBe('0');
        expect(await metered({ aggregation: 'count' }, events)).toBe('3');
        const filter = { value: '36' };
        expect(await metered({ aggregation: 'sum', filter }, events)).toBe('36');
    });

    test('events without a meter are a sum of their values', async () => {
        expect(await answersTo([line(undefined, readings)])).toMatchObject([
            { quantity: '36', amount: '36.00' },
        ]);
    });
});

describe('what cannot be metered is said of that line only', () => {
    const one = (event: Part) => [{ at: march('01 00:00'), value: '1', id: 'e1', ...event }];
    const sum = { aggregation: 'sum' };
    const levels = { aggregation: 'weighted_sum', ...period };
    const huge = '99999999999999999999999999999999999';
    test.each([
        ['a value that is text', sum, one({ value: 'x' }), 'QUOTE_DECIMAL', /e1: value is x/],
        ['an exponent', { aggregation: 'max' }, one({ value: '1e3' }), 'QUOTE_DECIMAL', /1e3/],
        ['an instant without zone', sum, one({ at: '2026-03-01T00:00:00' }), 'QUOTE_EVENT', /zone/],
        [
            'an unknown operation',
            { aggregation: 'unique_count', operation_field: 'op' },
            one({ op: 'join' }),
            'QUOTE_CHOICE',
            /op is join, neither add nor remove/,
        ],
        [
            'an id with two contents',
            sum,
            [...one({}), ...one({ value: '2' })],
            'QUOTE_EVENT',
            /e1 is there twice/,
        ],
        ['no instant in a period', { ...sum, ...period }, [{ value: '1' }], 'QUOTE_EVENT', /no at/],
        ['no instant in a window', { ...sum, window: 'day' }, [{}], 'QUOTE_EVENT', /number 1/],
        ['no field', sum, [{ id: 'e', valeu: '1' }], 'QUOTE_EVENT', /event e has no value/],
        [
            'no field to count once',
            { aggregation: 'unique_count', field: 'user' },
            [{}],
            'QUOTE_EVENT',
            /event number 1 has no user/,
        ],
        [
            'optional of a count',
            { aggregation: 'count', optional: true },
            [],
            'QUOTE_MODIFIER',
            /leave it out/,
        ],
        ['no percentile', { aggregation: 'percentile' }, [], 'QUOTE_MISSING', /percentile/],
        [
            'a percentile of 101',
            { aggregation: 'percentile', percentile: '101' },
            [],
            'QUOTE_CHOICE',
            /101/,
        ],
        ['a percentile of a sum', { ...sum, percentile: '5' }, [], 'QUOTE_MODIFIER', /leave it/],
        ['no period of a level', { aggregation: 'weighted_sum' }, [], 'QUOTE_MISSING', /period/],
        ['a level by the day', { ...levels, window: 'day' }, [], 'QUOTE_MODIFIER', /window/],
        ['levels of a sum', { ...sum, values: 'levels' }, [], 'QUOTE_MODIFIER', /values/],
        ['an opening of a max', { aggregation: 'max', opening: '1' }, [], 'QUOTE_MODIFIER', /open/],
        ['an operation of a sum', { ...sum, operation_field: 'op' }, [], 'QUOTE_MODIFIER', /oper/],
        [
            'an empty period',
            { ...sum, ...period, period_end: period.period_start },
            [],
            'QUOTE_SPAN',
            /empty/,
        ],
        ['a period of dates', { ...sum, period_end: '2026-03-01' }, [], 'QUOTE_SPAN', /zone/],
        [
            'an unknown zone',
            { ...sum, window: { unit: 'day', zone: 'Europe/Berlim' } },
            [],
            'QUOTE_SPAN',
            /Berlim/,
        ],
        ['an unknown aggregation', { aggregation: 'median' }, [], 'QUOTE_CHOICE', /median/],
        ['a meter without events', sum, undefined, 'QUOTE_USAGE', /events/],
        ['too many digits to add', sum, one({ value: huge }), 'QUOTE_RANGE', /38 digits/],
        [
            'too many digits to hold',
            levels,
            one({ value: huge.slice(0, 25) }),
            'QUOTE_RANGE',
            /38 digits/,
        ],
        ['half a character', sum, one({ id: '\ud800' }), 'QUOTE_JSON', /surrogate/],
    ])('%s', async (_what, meter, events, code, message) => {
        const good = line(sum, readings);
        const [before, bad, after] = await answersTo([good, line(meter, events), good]);
        expect(bad).toMatchObject({
            error: { code, message: expect.stringMatching(message) },
        });
        expect([before?.quantity, after?.quantity]).toEqual(['36', '36']);
    });

    test('a meter and groups are two usages', async () => {
        const [answer] = await answersTo([line(sum, readings, { groups: { a: '1' } })]);
        expect(answer).toMatchObject({ error: { code: 'QUOTE_USAGE' } });
    });

    test('any text may be counted', async () => {
        const meter = { aggregation: 'unique_count', field: 'name' };
        const names = ["'; drop table quoted.events --", '\u0000', '\u0001', '😀', '\\ud800', ''];
        const events = names.map((name) => ({ name }));
        expect(await metered(meter, events)).toBe('6');
    });
});
