import { describe, expect, test } from 'vitest';
import { config, gpu, over, type Values } from './30-meter.world.ts';

/** Meters whose days cannot be added: one row for all of the period in which no rate changes. */
const seats = {
    meter: 'seats',
    event_type: 'seat',
    aggregation: 'weighted_sum',
    unit: 'seat',
    attributes: ['model'],
    value: 'gpu_seconds',
};
const meterOf = (changes: Readonly<Record<string, unknown>>) =>
    config({ meters: [{ ...seats, attributes: [], ...changes }] });
const event = (event_at: string, gpu_seconds: string, more: Values = {}): Values => ({
    ...{ event_type: 'seat', event_at, event_on: event_at.slice(0, 10), gpu_seconds },
    ...more,
});
const metered =
    'select attributes, segment_at, event_on, quantity, event_count from compiled.metered_usage order by all';
const start = '0001-01-01T00:00:00Z';

describe('30-meter: over the whole period', () => {
    const events = [
        event('2026-10-05 00:00:00', '4'),
        event('2026-10-05 12:00:00', '10'),
        event('2026-10-20 00:00:00', '1'),
    ];
    test.each<readonly [Readonly<Record<string, unknown>>, string]>([
        [{ aggregation: 'max' }, '10'],
        [{ aggregation: 'min' }, '1'],
        [{ aggregation: 'latest' }, '1'],
        [{ aggregation: 'average' }, '5'],
        [{ aggregation: 'percentile', percentile: '50' }, '4'],
        [{ aggregation: 'unique_count', value: 'model' }, '1'],
        [{ window: { unit: 'day', of: 'max' }, aggregation: 'sum' }, '11'],
        [{ window: { unit: 'day', of: 'count' }, aggregation: 'max', value: undefined }, '2'],
        [{ aggregation: 'sum', unit_conversion: { divide_by: '10', rounding: 'up' } }, '2'],
        [{ aggregation: 'sum', unit_conversion: { divide_by: '7' } }, '2.142857142857'],
    ])('%j: %s', async (changes, quantity) => {
        expect(await over({ config: meterOf(changes), events }, metered)).toEqual([
            `{} | ${start} | 2026-10-01 | ${quantity} | 3`,
        ]);
    });

    test('by account, payer and attributes; what is outside of the period is not seen', async () => {
        const of = config({ meters: [{ ...seats, aggregation: 'max' }] });
        const some = [
            event('2026-09-30 23:59:59', '100'),
            event('2026-10-01 00:00:00', '1'),
            event('2026-10-02 00:00:00', '2', { model: 'haiku' }),
            event('2026-10-03 00:00:00', '3', { account_id: 'b' }),
            event('2026-11-01 00:00:00', '100'),
        ];
        expect(
            await over(
                { config: of, events: some, paths: [{}, { account_id: 'b' }] },
                'select account_id, attributes, quantity from compiled.metered_usage order by all',
            ),
        ).toEqual([
            'a | {"model":"haiku"} | 2',
            'a | {"model":"opus-4"} | 1',
            'b | {"model":"opus-4"} | 3',
        ]);
    });

    test('once for each span in which no rate of the meter changes', async () => {
        const boundaries = ['2026-09-15 00:00:00', '2026-10-10 00:00:00', '2026-12-01 00:00:00'];
        const of = meterOf({ aggregation: 'max' });
        expect(await over({ config: of, events, boundaries }, metered)).toEqual([
            '{} | 2026-09-15T00:00:00Z | 2026-10-01 | 10 | 2',
            '{} | 2026-10-10T00:00:00Z | 2026-10-10 | 1 | 1',
        ]);
    });

    test('beside meters that are added by day, which stay as they are', async () => {
        const jobs = { ...gpu, event_type: 'seat' };
        const both = config({ meters: [jobs, { ...seats, attributes: [], aggregation: 'max' }] });
        const query =
            'select meter, event_on, quantity from compiled.metered_usage order by meter, event_on';
        expect(await over({ config: both, events }, query)).toEqual([
            'gpu | 2026-10-05 | 14',
            'gpu | 2026-10-20 | 1',
            'seats | 2026-10-01 | 10',
        ]);
    });
});

describe('30-meter: a level that is held', () => {
    // Ten days of a period make shares easy to see.
    const ten = { period_start: '2026-10-01', period_end: '2026-10-11' };
    const levels = [event('2026-10-01 00:00:00', '10'), event('2026-10-06 00:00:00', '0')];
    const quantities = 'select attributes, quantity, event_count from compiled.metered_usage';

    test('the mean over the period', async () => {
        expect(
            await over({ config: meterOf({}), events: levels, paths: [ten] }, quantities),
        ).toEqual(['{} | 5 | 2']);
    });

    test('carried in from before the period, by its attributes', async () => {
        const events = [
            event('2026-03-01 00:00:00', '99'),
            event('2026-08-01 00:00:00', '8'),
            event('2026-08-01 00:00:00', '3', { model: 'haiku' }),
            event('2026-08-02 00:00:00', '0', { model: 'gone' }),
            event('2026-10-06 00:00:00', '2'),
        ];
        const of = config({ meters: [seats] });
        expect(
            await over({ config: of, events, paths: [ten] }, `${quantities} order by all`),
        ).toEqual(['{"model":"haiku"} | 3 | 0', '{"model":"opus-4"} | 5 | 1']);
    });

    test('opening zero: what was before does not count, what came in an earlier span does', async () => {
        const events = [event('2026-08-01 00:00:00', '8'), event('2026-10-04 00:00:00', '10')];
        const of = meterOf({ opening: 'zero' });
        const boundaries = ['2026-10-06 00:00:00'];
        expect(await over({ config: of, events, paths: [ten], boundaries }, metered)).toEqual([
            `{} | ${start} | 2026-10-01 | 2 | 1`,
            '{} | 2026-10-06T00:00:00Z | 2026-10-06 | 5 | 0',
        ]);
    });

    test('spans of rates are shares of one mean: they add up to that without a change', async () => {
        const events = [
            event('2026-08-01 00:00:00', '3'),
            event('2026-10-03 07:11:13', '10'),
            event('2026-10-08 00:00:00', '4'),
        ];
        const total = 'select round(sum(quantity), 9) as q from compiled.metered_usage';
        const world = { config: meterOf({}), events, paths: [ten] };
        const boundaries = ['2026-10-03 08:00:00', '2026-10-08 00:00:00', '2026-10-09 01:02:03'];
        expect(await over({ ...world, boundaries }, total)).toEqual(await over(world, total));
    });

    test('a contract is for the time in which it holds, from the level it has then', async () => {
        const paths = [
            { ...ten, valid_to: '2026-10-04' },
            { ...ten, valid_from: '2026-10-04', book_id: 'deal' },
        ];
        const query = 'select book_id, quantity from compiled.metered_usage order by book_id';
        const events = [event('2026-10-01 00:00:00', '10')];
        expect(await over({ config: meterOf({}), events, paths }, query)).toEqual([
            'deal | 7',
            'standard | 3',
        ]);
    });

    test('payers pay for the time in which the account is theirs, from the level it has then', async () => {
        const paths = [
            { ...ten, payer_id: 'p1', valid_to: '2026-10-04' },
            { ...ten, payer_id: 'p2', valid_from: '2026-10-04', valid_to: '2026-10-08' },
            { ...ten, payer_id: 'p2', valid_from: '2026-10-09' },
        ];
        const query =
            'select payer_id, quantity, event_count from compiled.metered_usage order by payer_id';
        const events = [event('2026-10-01 00:00:00', '10')];
        // p2 has it for six days: on the day in between there is no such account.
        expect(await over({ config: meterOf({}), events, paths }, query)).toEqual([
            'p1 | 3 | 1',
            'p2 | 6 | 0',
        ]);
    });

    test('deltas: the mean, and the greatest level of the period', async () => {
        const events = [
            event('2026-08-01 00:00:00', '6'),
            event('2026-10-02 00:00:00', '4'),
            event('2026-10-06 00:00:00', '5', { event_type: 'leave' }),
        ];
        const steps = {
            event_type: undefined,
            value: "case when event_type = 'leave' then 0 - gpu_seconds else gpu_seconds end",
            values: 'deltas',
        };
        const world = { events, paths: [ten] };
        expect(await over({ ...world, config: meterOf(steps) }, quantities)).toEqual([
            '{} | 7.1 | 2',
        ]);
        const peak = meterOf({ ...steps, aggregation: 'max' });
        expect(await over({ ...world, config: peak }, quantities)).toEqual(['{} | 10 | 2']);
    });

    test('an account without events has no row', async () => {
        expect(await over({ config: meterOf({}), events: [] }, quantities)).toEqual([]);
    });
});

describe('30-meter: formulas', () => {
    const parts = [
        { ...seats, meter: 'peak', aggregation: 'max', rated: false },
        { ...seats, meter: 'total', aggregation: 'sum', rated: false },
    ];
    const compound = {
        meter: 'score',
        aggregation: 'formula',
        unit: 'point',
        attributes: ['model'],
        formula: 'peak * 2.5 + total - 1',
    };
    const query =
        'select meter, attributes, event_on, quantity, event_count from compiled.metered_usage order by all';

    test('of the meters of the same account and attributes; its parts are not metered alone', async () => {
        const events = [
            event('2026-10-05 00:00:00', '4'),
            event('2026-10-06 00:00:00', '6'),
            event('2026-10-06 00:00:00', '1', { model: 'haiku' }),
        ];
        const of = config({ meters: [...parts, compound] });
        expect(await over({ config: of, events }, query)).toEqual([
            'score | {"model":"haiku"} | 2026-10-01 | 2.5 | 1',
            'score | {"model":"opus-4"} | 2026-10-01 | 24 | 2',
        ]);
    });

    test('a meter without usage is zero; a product is rounded to 12 decimals', async () => {
        const jobs = { ...parts[1], meter: 'jobs', event_type: 'job' };
        const of = config({
            meters: [
                ...parts,
                jobs,
                { ...compound, formula: '-(jobs - peak) * peak * 0.000000000001' },
            ],
        });
        const events = [event('2026-10-05 00:00:00', '1.5')];
        // 2.25 x 10^-12 is nearer to two units of the last decimal.
        expect(await over({ config: of, events }, query)).toEqual([
            'score | {"model":"opus-4"} | 2026-10-01 | 0.000000000002 | 1',
        ]);
    });

    test('in other units', async () => {
        const converted = { ...compound, unit_conversion: { divide_by: '10', rounding: 'up' } };
        const of = config({ meters: [...parts, converted] });
        expect(
            await over({ config: of, events: [event('2026-10-05 00:00:00', '4')] }, query),
        ).toEqual(['score | {"model":"opus-4"} | 2026-10-01 | 2 | 1']);
    });
});

describe('30-meter: the worth of what cannot be added', () => {
    const worth =
        'select source, rated_amount, is_unrated, counted_quantity, event_at from compiled.event_values order by all';
    const events = [event('2026-10-05 00:00:00', '4'), event('2026-10-06 00:00:00', '10')];
    const prices = [{ meter: 'seats', attributes: '{}', unit_price: '0.5' }];
    const peak = { aggregation: 'max' };

    test('no event is worth a share of it: it is one row, worth all of it', async () => {
        expect(await over({ config: meterOf(peak), events, prices }, worth)).toEqual([
            'tieout | 5 | false | _ | 2026-10-01T00:00:00Z',
        ]);
    });

    test('without a price it is unrated', async () => {
        expect(await over({ config: meterOf(peak), events }, worth)).toEqual([
            'tieout | 0 | true | _ | 2026-10-01T00:00:00Z',
        ]);
    });

    test('a wallet of units counts the events themselves', async () => {
        const of = config({
            meters: [{ ...seats, attributes: [], aggregation: 'max' }],
            counts: { tokens: 'output_tokens' },
        });
        const paths = [{ wallet_asset: 'TOK' }];
        const counted = events.map((one) => ({ ...one, output_tokens: '7' }));
        expect(await over({ config: of, events: counted, prices, paths }, worth)).toEqual([
            's | 0 | false | 7 | 2026-10-05T00:00:00Z',
            's | 0 | false | 7 | 2026-10-06T00:00:00Z',
        ]);
    });

    test('what pays for it is the product of its price, in money and in units', async () => {
        const paidFor = 'select source, products from compiled.event_values order by all';
        const of = meterOf(peak);
        const named = [{ ...prices[0], product: 'seats' }];
        expect(await over({ config: of, events, prices: named }, paidFor)).toEqual([
            'tieout | seats',
        ]);
        const quota = [{ is_prepaid: 'false' }];
        expect(await over({ config: of, events, prices: named, paths: quota }, paidFor)).toEqual([
            'tieout | ',
        ]);
        const units = [{ wallet_asset: 'TOK' }];
        expect(await over({ config: of, events, prices: named, paths: units }, paidFor)).toEqual([
            's | seats',
            's | seats',
        ]);
    });

    test('all values of a period are what its usage costs', async () => {
        const both = config({
            meters: [
                { ...gpu, event_type: 'seat' },
                { ...seats, attributes: [], aggregation: 'max' },
            ],
        });
        const all = [...prices, { meter: 'gpu', attributes: '{}', unit_price: '0.07' }];
        const query = `select (select sum(rated_amount) from compiled.event_values)
            = (select sum(quantity * unit_price) from metered.usage
                inner join rated.rate_choices using (meter, attributes, segment_at)) as agrees`;
        expect(await over({ config: both, events, prices: all }, query)).toEqual(['true']);
    });
});
