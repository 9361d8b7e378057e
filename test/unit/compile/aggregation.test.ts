import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
    type Aggregation,
    type AggregationKind,
    aggregateSql,
    aggregationProblems,
    isAdditive,
} from '../../../src/compile/aggregation.ts';
import { conversionSql, type UnitConversion } from '../../../src/compile/exact.ts';
import { Engine } from '../../../src/duck/engine.ts';
import { quoteText } from '../../../src/duck/sql.ts';
import { holdsFor, runsOf } from '../../support/arbitraries.ts';
import { type Case, type EventRow, reference } from './aggregation.reference.ts';

const engines: Engine[] = [];
const open = (threads: number) =>
    Engine.open({ file: ':memory:', memory: '1GB', threads, spill: '/tmp' });
beforeAll(async () => {
    engines.push(await open(1), await open(8));
});
afterAll(() => {
    for (const engine of engines) engine.close();
});

const stamp = (text: string) => `timestamp ${quoteText(text.replace('T', ' ').replace('Z', ''))}`;
const cell = (text: string | null | undefined, type: string) =>
    text == null ? `cast(null as ${type})` : `cast(${quoteText(text)} as ${type})`;

/** The relation of the rows, as a select in parentheses. */
function relationOf(rows: readonly EventRow[], type: string): string {
    const values = rows.map(
        ({ key, at, id, source, value, operation }) =>
            `(${quoteText(key)}, ${at === null ? 'cast(null as timestamp)' : stamp(at)}, ${quoteText(id)}, ${quoteText(source ?? '')}, ${cell(value, type)}, ${cell(operation, 'varchar')})`,
    );
    return `(select * from (values ${values.join(', ')}) as v(key, event_at, event_id, source, value, operation))`;
}

const trimmed = (of: unknown) => String(of).replace(/\.?0+$/, '') || '0';

function sqlOf(rows: readonly EventRow[], { of, start, end, opening }: Case): string {
    const inner = of.window?.of ?? of.kind;
    const isCount = inner === 'count';
    const type = isCount || inner === 'unique_count' ? 'varchar' : 'decimal(38,12)';
    return aggregateSql(
        { ...of, value: isCount ? null : 'value' },
        {
            relation: relationOf(rows, type),
            keys: ['key'],
            start: stamp(start),
            end: stamp(end),
            opening: opening == null ? null : cell(opening, 'decimal(38,12)'),
        },
    );
}

async function run(rows: readonly EventRow[], of: Case, on = engines): Promise<readonly string[]> {
    const sql = sqlOf(rows, of);
    const answers = await Promise.all(
        on.map(async (engine) => {
            const found = await engine.rows(sql);
            return found
                .map((row) => `${row.key} | ${trimmed(row.quantity)} | ${row.event_count}`)
                .sort();
        }),
    );
    const [answer = []] = answers;
    for (const other of answers) expect(other).toEqual(answer);
    return answer;
}

const period = { start: '2026-10-01T00:00:00Z', end: '2026-11-01T00:00:00Z' };
const noon = '2026-10-10T12:00:00Z';
type Options = Partial<Omit<Aggregation, 'kind' | 'value'>> & Pick<Case, 'opening'>;

/** Quantity of events written as [at, id, value, operation]. */
async function quantityOf(
    kind: AggregationKind,
    events: readonly (readonly [
        at: string | null,
        id: string,
        value: string | null,
        operation?: string,
    ])[],
    { opening, ...options }: Options = {},
    span = period,
): Promise<string> {
    const rows = events.map(([at, id, value, operation]) => ({
        ...{ key: 'k', at, id, value },
        operation: operation ?? null,
    }));
    const of: Case = {
        of: { kind, filter: 'true', ...options },
        ...span,
        opening: opening ?? null,
    };
    const found = await run(rows, of);
    // What the tables say and what the reference says can only be the same mistake twice.
    if ((options.filter ?? 'true') === 'true') expect(found).toEqual(reference(rows, of));
    return found.map((row) => row.split(' | ').slice(1).join(' | ')).join('; ');
}

const at = (day: number, value: string | null, id = `e${day}`) =>
    [`2026-10-${String(day).padStart(2, '0')}T00:00:00Z`, id, value] as const;

describe('aggregations: values', () => {
    const some = [at(2, '3'), at(3, '1'), at(4, null), at(5, '1.5')];
    test.each<readonly [AggregationKind, Options, string]>([
        ['sum', {}, '5.5 | 3'],
        ['min', {}, '1 | 3'],
        ['max', {}, '3 | 3'],
        ['latest', {}, '1.5 | 3'],
        ['average', {}, '1.833333333333 | 3'],
        ['percentile', { percentile: '50' }, '1.5 | 3'],
        ['unique_count', {}, '3 | 3'],
    ])('%s of some, one of them null', async (kind, options, expected) => {
        expect(await quantityOf(kind, some, options)).toBe(expected);
    });

    test('count counts events, whatever they hold', async () => {
        const rows = some.map(([when, id]) => ({ key: 'k', at: when, id, value: '' }));
        expect(await run(rows, { of: { kind: 'count', filter: 'true' }, ...period })).toEqual([
            'k | 4 | 4',
        ]);
    });

    const kinds: readonly (readonly [AggregationKind, Options])[] = [
        ...(['sum', 'count', 'min', 'max', 'latest', 'average', 'unique_count'] as const).map(
            (kind) => [kind, {}] as const,
        ),
        ['percentile', { percentile: '95' }],
        ['weighted_sum', {}],
        ['weighted_sum', { values: 'deltas' }],
        ['max', { values: 'deltas' }],
    ];
    test.each(kinds)(
        '%s %j of nothing is 0, where the key is named, and no row otherwise',
        async (kind, options) => {
            expect(await quantityOf(kind, [[null, '', null]], options)).toBe('0 | 0');
            const late = [['2026-11-01T00:00:00Z', 'e', '7']] as const;
            expect(await quantityOf(kind, late, options)).toBe('');
        },
    );

    test.each(kinds.slice(0, 8))('%s %j of one event', async (kind, options) => {
        const expected = kind === 'count' || kind === 'unique_count' ? '1' : '-7.25';
        expect(await quantityOf(kind, [at(9, '-7.25')], options)).toBe(`${expected} | 1`);
    });

    test('no keys: one row', async () => {
        const sql = aggregateSql(
            { kind: 'max', value: 'value', filter: 'true' },
            {
                relation: relationOf([{ key: 'k', at: noon, id: 'a', value: '2' }], 'bigint'),
                keys: [],
                start: stamp(period.start),
                end: stamp(period.end),
            },
        );
        for (const engine of engines) {
            expect(await engine.rows(sql)).toEqual([
                { quantity: '2.000000000000', event_count: 1n },
            ]);
        }
        expect(await engines[0]?.describe(sql)).toEqual([
            { name: 'quantity', type: 'DECIMAL(38,12)' },
            { name: 'event_count', type: 'BIGINT' },
        ]);
    });

    test('the filter, and the period: its start is inside, its end is not', async () => {
        const events = [
            ['2026-09-30T23:59:59.999999Z', 'a', '1'],
            ['2026-10-01T00:00:00Z', 'b', '2'],
            ['2026-10-31T23:59:59.999999Z', 'c', '4'],
            ['2026-11-01T00:00:00Z', 'd', '8'],
            [noon, 'e', '16'],
        ] as const;
        expect(await quantityOf('sum', events)).toBe('22 | 3');
        expect(await quantityOf('sum', events, { filter: "event_id <> 'e'" })).toBe('6 | 2');
        expect(await quantityOf('sum', events, { filter: 'null' })).toBe('');
    });

    test('ten times 0.1, twelve decimals, and numbers of 26 digits', async () => {
        const tenths = Array.from({ length: 10 }, (_, no) => at(2, '0.1', `e${no}`));
        expect(await quantityOf('sum', tenths)).toBe('1 | 10');
        const big = '12345678901234567890123456.123456789012';
        for (const kind of ['sum', 'max', 'latest', 'average'] as const) {
            expect(await quantityOf(kind, [at(2, big)])).toBe(`${big} | 1`);
        }
        expect(await quantityOf('weighted_sum', [['2026-10-01T00:00:00Z', 'a', big]])).toBe(
            `${big} | 1`,
        );
    });
});

describe('aggregations: ties', () => {
    test('latest: the greater id of equal instants, by bytes; then the greater source', async () => {
        const equal = [
            [noon, 'e10', '1'],
            [noon, 'e9', '2'],
            [noon, 'E99', '3'],
        ] as const;
        expect(await quantityOf('latest', equal)).toBe('2 | 3');
        expect(await quantityOf('latest', [...equal, [noon, 'é', '4'] as const])).toBe('4 | 4');
        const rows = ['s2', 's10', 's1'].map((source, index) => ({
            ...{ key: 'k', at: noon, id: 'e', source, value: `${index + 1}` },
        }));
        const of: Case = { of: { kind: 'latest', filter: 'true' }, ...period };
        expect(await run(rows, of)).toEqual(['k | 1 | 3']);
    });

    test('a microsecond is enough, and a null is not the latest', async () => {
        const events = [
            ['2026-10-10T12:00:00.000001Z', 'a', '1'],
            [noon, 'z', '2'],
            ['2026-10-10T13:00:00Z', 'n', null],
        ] as const;
        expect(await quantityOf('latest', events)).toBe('1 | 2');
    });
});

describe('aggregations: average', () => {
    test.each([
        [['1', '2'], '1.5'],
        [['1', '1', '0'], '0.666666666667'],
        [['-1', '-1', '0'], '-0.666666666667'],
        [['1', '0', '0'], '0.333333333333'],
        // Halves go away from zero.
        [['0.000000000001', '0'], '0.000000000001'],
        [['-0.000000000001', '0'], '-0.000000000001'],
        [['0.000000000003', '0'], '0.000000000002'],
        [['-0.000000000003', '0'], '-0.000000000002'],
        [['-5', '5'], '0'],
        [['-0.5', '0.2', '0.2'], '-0.033333333333'],
    ])('of %j is %s', async (values, expected) => {
        const events = values.map((value, index) => at(index + 1, value));
        expect(await quantityOf('average', events)).toBe(`${expected} | ${values.length}`);
    });
});

describe('aggregations: percentile, by nearest rank', () => {
    const five = ['15', '20', '35', '40', '50'].map((value, index) => at(9 - index, value));
    test.each([
        ['0', '15'],
        ['0.000000000001', '15'],
        ['20', '15'],
        ['20.000000000001', '20'],
        ['30', '20'],
        ['40', '20'],
        ['50', '35'],
        ['99.9', '50'],
        ['100', '50'],
        ['100.0', '50'],
    ])('p %s of five values is %s', async (percentile, expected) => {
        expect(await quantityOf('percentile', five, { percentile })).toBe(`${expected} | 5`);
    });

    test('p 95 of 20 is the 19th, of 21 the 20th: equal values each have a rank', async () => {
        const many = (count: number) =>
            Array.from({ length: count }, (_, no) => at(2, `${Math.floor(no / 2)}`, `e${no}`));
        expect(await quantityOf('percentile', many(20), { percentile: '95' })).toBe('9 | 20');
        expect(await quantityOf('percentile', many(21), { percentile: '95' })).toBe('9 | 21');
        expect(await quantityOf('percentile', many(22), { percentile: '95' })).toBe('10 | 22');
    });
});

describe('aggregations: unique_count', () => {
    const operation = 'operation';
    test.each<readonly [string, readonly (readonly [string, string])[], string]>([
        [
            'added and removed',
            [
                ['a', 'add'],
                ['b', 'add'],
                ['a', 'remove'],
            ],
            '1',
        ],
        [
            'added twice, removed once',
            [
                ['a', 'add'],
                ['a', 'add'],
                ['a', 'remove'],
            ],
            '0',
        ],
        [
            'removed before it was added',
            [
                ['a', 'remove'],
                ['a', 'add'],
            ],
            '1',
        ],
        [
            'removed and never there',
            [
                ['a', 'remove'],
                ['b', 'add'],
            ],
            '1',
        ],
        [
            'added again',
            [
                ['a', 'add'],
                ['a', 'remove'],
                ['a', 'add'],
            ],
            '1',
        ],
    ])('%s', async (_what, steps, expected) => {
        const events = steps.map(([value, of], index) => [...at(index + 1, value), of] as const);
        expect(await quantityOf('unique_count', events, { operation })).toBe(
            `${expected} | ${steps.length}`,
        );
    });

    test('equal instants: the greater id is the last; no operation is add', async () => {
        const removed = [
            [noon, 'b', 'x', 'remove'],
            [noon, 'a', 'x'],
        ] as const;
        expect(await quantityOf('unique_count', removed, { operation })).toBe('0 | 2');
        const added = [
            [noon, 'a', 'x', 'remove'],
            [noon, 'b', 'x'],
        ] as const;
        expect(await quantityOf('unique_count', added, { operation })).toBe('1 | 2');
    });

    test('another operation stops the statement, and says which', async () => {
        await expect(
            quantityOf('unique_count', [[noon, 'a', 'x', 'ADD']], { operation }),
        ).rejects.toThrow('AGGREGATION_OPERATION: ADD is neither add nor remove');
    });
});

describe('aggregations: weighted_sum', () => {
    // Ten days, so that shares are easy to see.
    const ten = { start: '2026-10-01T00:00:00Z', end: '2026-10-11T00:00:00Z' };
    const level = (events: Parameters<typeof quantityOf>[1], options: Options = {}) =>
        quantityOf('weighted_sum', events, options, ten);

    test('a level holds until the next one, and to the end', async () => {
        expect(await level([at(1, '10')])).toBe('10 | 1');
        expect(await level([at(6, '10')])).toBe('5 | 1');
        expect(await level([at(1, '10'), at(3, '20'), at(6, '0')])).toBe('8 | 3');
        expect(await level([at(6, '-10')])).toBe('-5 | 1');
    });

    test('deltas are added to what is there', async () => {
        const events = [at(1, '10'), at(3, '10'), at(6, '-20')];
        expect(await level(events, { values: 'deltas' })).toBe('8 | 3');
    });

    test('the opening: what events before say, and no longer than to the first event', async () => {
        const before = [
            ['2026-09-01T00:00:00Z', 'a', '100'],
            ['2026-09-02T00:00:00Z', 'b', '4'],
        ] as const;
        expect(await level(before)).toBe('4 | 0');
        expect(await level(before, { values: 'deltas' })).toBe('104 | 0');
        expect(await level([...before, at(6, '0')])).toBe('2 | 1');
        expect(await level([...before, at(6, '1')], { values: 'deltas' })).toBe('104.5 | 1');
        expect(await level([...before, at(1, '1')])).toBe('1 | 1');
    });

    test('a given opening: the events before it do not count', async () => {
        const events = [['2026-09-02T00:00:00Z', 'b', '4'], at(6, '0')] as const;
        expect(await level(events, { opening: '10' })).toBe('5 | 1');
        expect(await level(events, { opening: '10', values: 'deltas' })).toBe('10 | 1');
        expect(await level(events, { opening: '0' })).toBe('0 | 1');
        expect(await level([[null, '', null]], { opening: '3.5' })).toBe('3.5 | 0');
    });

    test('equal instants: of levels the greater id holds, deltas are all added', async () => {
        const equal = [
            ['2026-10-06T00:00:00Z', 'b', '10'],
            ['2026-10-06T00:00:00Z', 'a', '99'],
        ] as const;
        expect(await level(equal)).toBe('5 | 2');
        expect(await level(equal, { values: 'deltas' })).toBe('54.5 | 2');
    });

    test('by the microsecond, rounded half away from zero', async () => {
        const short = { start: '2026-10-01T00:00:00Z', end: '2026-10-01T00:00:00.000003Z' };
        const events = [['2026-10-01T00:00:00.000002Z', 'a', '1']] as const;
        expect(await quantityOf('weighted_sum', events, {}, short)).toBe('0.333333333333 | 1');
        const half = { start: '2026-10-01T00:00:00Z', end: '2026-10-01T00:00:00.000002Z' };
        const unit = (value: string) =>
            quantityOf('weighted_sum', [['2026-10-01T00:00:00.000001Z', 'a', value]], {}, half);
        expect(await unit('0.000000000001')).toBe('0.000000000001 | 1');
        expect(await unit('-0.000000000001')).toBe('-0.000000000001 | 1');
        expect(await unit('-3.000000000001')).toBe('-1.500000000001 | 1');
    });

    test('part of a period: the mean is of the whole, so that parts add up', async () => {
        const rows = [
            { key: 'k', at: '2026-10-01T00:00:00Z', id: 'a', value: '10' },
            { key: 'k', at: '2026-10-08T00:00:00Z', id: 'b', value: '20' },
        ];
        const part = (start: string, end: string) =>
            aggregateSql(
                { kind: 'weighted_sum', value: 'value', filter: 'true' },
                {
                    relation: relationOf(rows, 'bigint'),
                    keys: ['key'],
                    start: stamp(start),
                    end: stamp(end),
                    whole: { start: stamp(ten.start), end: stamp(ten.end) },
                },
            );
        const mid = '2026-10-06T00:00:00Z';
        const [engine] = engines;
        expect(await engine?.rows(part(ten.start, mid))).toMatchObject([
            { quantity: '5.000000000000', event_count: 1n },
        ]);
        expect(await engine?.rows(part(mid, ten.end))).toMatchObject([
            { quantity: '8.000000000000', event_count: 1n },
        ]);
    });

    test('running levels of deltas: max, min, latest; what is between equal instants is not seen', async () => {
        const deltas = { values: 'deltas' } as const;
        const events = [
            ['2026-09-01T00:00:00Z', 'a', '5'],
            at(3, '10'),
            at(4, '-12'),
            at(5, '100', 'e5'),
            at(5, '-99', 'e6'),
        ] as const;
        const of = (kind: AggregationKind, opening: string | null = null) =>
            quantityOf(kind, events, { ...deltas, opening }, ten);
        expect(await of('max')).toBe('15 | 4');
        expect(await of('min')).toBe('3 | 4');
        expect(await of('latest')).toBe('4 | 4');
        expect(await of('max', '0')).toBe('10 | 4');
        expect(await of('min', '0')).toBe('-2 | 4');
        // A change at the very start: the level before it was held for no time.
        expect(await quantityOf('max', [at(1, '-5')], { ...deltas, opening: '10' }, ten)).toBe(
            '5 | 1',
        );
    });
});

describe('aggregations: windows', () => {
    const max = (unit: 'minute' | 'hour' | 'day' | 'month', zone = 'UTC') =>
        ({ unit, of: 'max', zone }) as const;
    const values = [
        ['2026-10-10T11:59:59.999999Z', 'a', '1'],
        ['2026-10-10T12:00:00Z', 'b', '5'],
        ['2026-10-10T12:30:00Z', 'c', '3'],
        ['2026-10-10T13:00:00Z', 'd', '2'],
        ['2026-10-12T00:00:00Z', 'e', '7'],
    ] as const;
    test.each<readonly [Options & { kind?: AggregationKind }, string]>([
        [{ window: max('hour') }, '15'],
        [{ window: max('minute') }, '18'],
        [{ window: max('day') }, '12'],
        [{ window: max('month') }, '7'],
        [{ kind: 'max', window: { unit: 'day', of: 'sum', zone: 'UTC' } }, '11'],
        [{ kind: 'average', window: max('day') }, '6'],
        [{ kind: 'latest', window: { unit: 'day', of: 'count', zone: 'UTC' } }, '1'],
        [{ kind: 'percentile', percentile: '50', window: max('hour') }, '2'],
        [{ window: { unit: 'day', of: 'percentile', zone: 'UTC' }, percentile: '50' }, '9'],
        [{ window: { unit: 'day', of: 'average', zone: 'UTC' } }, '9.75'],
        [{ window: { unit: 'day', of: 'latest', zone: 'UTC' } }, '9'],
        [{ window: { unit: 'day', of: 'unique_count', zone: 'UTC' } }, '5'],
        [{ window: { unit: 'day', of: 'min', zone: 'UTC' } }, '8'],
    ])('%j', async ({ kind = 'sum', ...options }, expected) => {
        expect(await quantityOf(kind, values, options)).toBe(`${expected} | 5`);
    });

    test('a key without events has no window', async () => {
        for (const of of ['max', 'count', 'unique_count', 'average'] as const) {
            const window = { unit: 'day', of, zone: 'UTC' } as const;
            expect(await quantityOf('average', [[null, '', null]], { window })).toBe('0 | 0');
        }
    });

    test('days are civil days of the zone: 23 and 25 hours at the changes of the clocks', async () => {
        const zone = 'America/New_York';
        const autumn = { start: '2026-11-01T04:00:00Z', end: '2026-12-01T05:00:00Z' };
        // 1 November in New York: from 04:00 UTC to 05:00 UTC the next day.
        const events = [
            ['2026-11-01T04:00:00Z', 'a', '1'],
            ['2026-11-02T04:59:59.999999Z', 'b', '2'],
            ['2026-11-02T05:00:00Z', 'c', '4'],
        ] as const;
        expect(await quantityOf('sum', events, { window: max('day', zone) }, autumn)).toBe('6 | 3');
        const spring = { start: '2026-03-01T05:00:00Z', end: '2026-04-01T04:00:00Z' };
        // 8 March: from 05:00 UTC to 04:00 UTC the next day.
        const march = [
            ['2026-03-08T05:00:00Z', 'a', '1'],
            ['2026-03-09T03:59:59.999999Z', 'b', '2'],
            ['2026-03-09T04:00:00Z', 'c', '4'],
        ] as const;
        expect(await quantityOf('sum', march, { window: max('day', zone) }, spring)).toBe('6 | 3');
    });

    test('the hour that comes twice is two windows, and that of half an hour in Lord Howe', async () => {
        const autumn = { start: '2026-11-01T04:00:00Z', end: '2026-12-01T05:00:00Z' };
        const twice = [
            ['2026-11-01T05:30:00Z', 'a', '1'],
            ['2026-11-01T06:30:00Z', 'b', '2'],
        ] as const;
        const window = max('hour', 'America/New_York');
        expect(await quantityOf('sum', twice, { window }, autumn)).toBe('3 | 2');
        const april = { start: '2026-04-01T00:00:00Z', end: '2026-05-01T00:00:00Z' };
        const howe = [
            ['2026-04-04T14:45:00Z', 'a', '1'],
            ['2026-04-04T15:15:00Z', 'b', '2'],
            ['2026-04-04T15:45:00Z', 'c', '4'],
        ] as const;
        const half = max('hour', 'Australia/Lord_Howe');
        expect(await quantityOf('sum', howe, { window: half }, april)).toMatch(/ \| 3$/);
    });

    test('zones of three quarters of an hour', async () => {
        const window = max('hour', 'Asia/Kathmandu');
        // 12:15 UTC is 18:00 there.
        const events = [
            ['2026-10-10T12:14:59Z', 'a', '1'],
            ['2026-10-10T12:15:00Z', 'b', '2'],
            ['2026-10-10T13:14:59Z', 'c', '4'],
        ] as const;
        expect(await quantityOf('sum', events, { window })).toBe('5 | 3');
    });
});

describe('aggregations: what they say of themselves', () => {
    test('only sums and counts without a window can be added', () => {
        expect(isAdditive({ kind: 'sum' })).toBe(true);
        expect(isAdditive({ kind: 'count' })).toBe(true);
        expect(isAdditive({ kind: 'sum', window: { unit: 'day', of: 'max', zone: 'UTC' } })).toBe(
            false,
        );
        expect(isAdditive({ kind: 'unique_count' })).toBe(false);
        expect(isAdditive({ kind: 'weighted_sum' })).toBe(false);
    });

    test.each<readonly [Omit<Aggregation, 'filter'>, string]>([
        [{ kind: 'count', value: 'x' }, 'a count takes no value: it counts events'],
        [{ kind: 'max', value: null }, 'max needs a value'],
        [{ kind: 'percentile', value: 'x' }, 'percentile needs `percentile`, "0" to "100"'],
        [
            { kind: 'max', value: 'x', percentile: '5' },
            '`percentile` is of the aggregation percentile',
        ],
        [
            { kind: 'percentile', value: 'x', percentile: '100.1' },
            '`percentile` is 100.1, not a decimal from 0 to 100',
        ],
        [{ kind: 'max', value: 'x', operation: 'y' }, '`operation` is of unique_count'],
        [
            { kind: 'average', value: 'x', values: 'deltas' },
            '`values` is of weighted_sum, min, max, latest',
        ],
        [
            { kind: 'weighted_sum', value: 'x', window: { unit: 'day', of: 'max', zone: 'UTC' } },
            'windows are put together by sum, min, max, latest, average, percentile, not by weighted_sum',
        ],
        [
            { kind: 'sum', value: 'x', window: { unit: 'day', of: 'weighted_sum', zone: 'UTC' } },
            'weighted_sum has no window: it is a mean over time',
        ],
    ])('%j: %s', (of, problem) => {
        expect(aggregationProblems(of)).toEqual([problem]);
    });

    test('what makes no sense is not compiled', () => {
        const options = { relation: 'r', keys: [], start: 'a', end: 'b' };
        expect(() => aggregateSql({ kind: 'max', value: null, filter: 'true' }, options)).toThrow(
            'max needs a value',
        );
    });
});

describe('conversion to other units', () => {
    test.each<readonly [string, Partial<UnitConversion>, string]>([
        ['1000001', { divide_by: '1000000', rounding: 'up' }, '2'],
        ['1000000', { divide_by: '1000000', rounding: 'up' }, '1'],
        ['-1000001', { divide_by: '1000000', rounding: 'up' }, '-2'],
        ['1999999', { divide_by: '1000000', rounding: 'down' }, '1'],
        ['-1999999', { divide_by: '1000000', rounding: 'down' }, '-1'],
        ['1500000', { divide_by: '1000000', rounding: 'nearest' }, '2'],
        ['-1500000', { divide_by: '1000000', rounding: 'nearest' }, '-2'],
        ['1499999', { divide_by: '1000000', rounding: 'nearest' }, '1'],
        ['1', { divide_by: '3', rounding: 'none' }, '0.333333333333'],
        ['2', { divide_by: '3', rounding: 'none' }, '0.666666666667'],
        ['2', { divide_by: '3', rounding: 'up', decimals: 2 }, '0.67'],
        ['2', { divide_by: '0.5', rounding: 'none' }, '4'],
        ['2.5', { multiply_by: '0.1', rounding: 'nearest', decimals: 1 }, '0.3'],
        ['0.000000000001', { multiply_by: '0.5', rounding: 'none' }, '0.000000000001'],
        ['0', { divide_by: '7', rounding: 'up' }, '0'],
        ['99999999999999', { divide_by: '1024', rounding: 'none' }, '97656249999.999023437500'],
    ])('%s by %j is %s', async (quantity, of, expected) => {
        const sql = conversionSql('q', { rounding: 'none', decimals: 0, ...of });
        const [row] = (await engines[0]?.rows(
            `select ${sql} as made from (select cast(${quoteText(quantity)} as decimal(38,12)) as q)`,
        )) ?? [{}];
        expect(trimmed(row?.made)).toBe(trimmed(expected));
    });
});

const instants = fc
    .tuple(
        fc.integer({ min: -2, max: 6 }),
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom(0, 0, 1),
    )
    .map(([hours, quarter, micros]) => {
        const time = Date.UTC(2026, 10, 1, 3) + hours * 3_600_000 + quarter * 900_000;
        return `${new Date(time).toISOString().slice(0, 19)}.00000${micros}Z`;
    });
const decimals = fc.constantFrom(
    ...['0', '1', '-1', '7', '0.000000000001', '-0.000000000001', '2.5', '-3.333333333333'],
    ...['99999999999999', '-99999999999999.999999999999', '1000000'],
);
const eventRows = fc.array(
    fc.record({
        key: fc.constantFrom('a', 'b'),
        at: fc.option(instants, { freq: 12 }),
        id: fc.constantFrom('e1', 'e2', 'e10', 'E', 'é'),
        value: fc.option(decimals, { freq: 8 }),
        operation: fc.constantFrom('add', 'remove', null),
    }),
    { minLength: 1, maxLength: 14 },
);
const units = fc.constantFrom('minute' as const, 'hour' as const, 'day' as const, 'month' as const);
const zones = fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu', 'Europe/Berlin');
const plainKinds = [
    'sum',
    'unique_count',
    'min',
    'max',
    'latest',
    'average',
    'percentile',
] as const;
const cases: fc.Arbitrary<Case> = fc
    .record({
        kind: fc.constantFrom(...plainKinds, 'weighted_sum' as const, 'weighted_sum' as const),
        percentile: fc.constantFrom('0', '33.3', '50', '95', '100'),
        values: fc.constantFrom('levels' as const, 'deltas' as const, undefined),
        window: fc.option(
            fc.record({ unit: units, of: fc.constantFrom(...plainKinds), zone: zones }),
        ),
        opening: fc.option(decimals),
        hasOperation: fc.boolean(),
    })
    .map(({ kind, percentile, values, window, opening, hasOperation }) => {
        const isLevel =
            kind === 'weighted_sum' || kind === 'min' || kind === 'max' || kind === 'latest';
        const isWindowed =
            window &&
            kind !== 'weighted_sum' &&
            kind !== 'unique_count' &&
            !(kind === 'percentile' && window.of === 'percentile');
        const inner = isWindowed ? window.of : kind;
        const isCarried = !isWindowed && isLevel && values === 'deltas';
        return {
            of: {
                kind,
                filter: 'true',
                percentile:
                    kind === 'percentile' || inner === 'percentile' ? percentile : undefined,
                values: isLevel && !isWindowed ? values : undefined,
                window: isWindowed ? window : undefined,
                operation: inner === 'unique_count' && hasOperation ? 'operation' : null,
            },
            start: '2026-11-01T02:00:00Z',
            end: '2026-11-01T08:00:00.000001Z',
            opening: kind === 'weighted_sum' || isCarried ? opening : null,
        };
    });

describe('aggregations: properties', () => {
    /** (key, at, id) is an identity: of equal ones the first is kept. */
    const distinct = (rows: readonly EventRow[]) => [
        ...new Map(rows.map((row) => [`${row.key}|${row.at}|${row.id}`, row])).values(),
    ];

    test('the SQL says what one row after the other says, on one thread and on eight', () =>
        holdsFor(fc.tuple(eventRows, cases), { runs: runsOf(300, 100) }, async ([rows, of]) => {
            const events = distinct(rows).map((row) => ({
                ...row,
                operation: of.of.operation == null ? null : row.operation,
            }));
            expect(await run(events, of)).toEqual(reference(events, of));
        }));

    test('the order of rows does not matter', () =>
        holdsFor(
            fc.tuple(
                eventRows.chain((rows) => {
                    const events = distinct(rows);
                    return fc.tuple(
                        fc.constant(events),
                        fc.shuffledSubarray(events, { minLength: events.length }),
                    );
                }),
                cases,
            ),
            { runs: runsOf(60, 30) },
            async ([[events, shuffled], of]) => {
                expect(await run(shuffled, of)).toEqual(await run(events, of));
            },
        ));

    test('many events, eight threads: the same as one', async () => {
        const relation = `(select 'k' || (range % 7) as key,
            timestamp '2026-10-01' + to_seconds(range * 7919 % 2000000) as event_at,
            'e' || range as event_id, 's' as source,
            cast(range * 31 % 1009 as decimal(38,12)) as value from range(200000))`;
        const kinds: readonly Omit<Aggregation, 'value' | 'filter'>[] = [
            { kind: 'latest' },
            { kind: 'average' },
            { kind: 'percentile', percentile: '95' },
            { kind: 'unique_count' },
            { kind: 'weighted_sum' },
            { kind: 'weighted_sum', values: 'deltas' },
            { kind: 'sum', window: { unit: 'hour', of: 'latest', zone: 'Europe/Berlin' } },
        ];
        for (const of of kinds) {
            const sql = `${aggregateSql(
                { value: 'value', filter: 'value <> 3', ...of },
                {
                    relation,
                    keys: ['key'],
                    start: "timestamp '2026-10-02'",
                    end: "timestamp '2026-10-20'",
                },
            )} order by key`;
            const [one, eight] = await Promise.all(engines.map((engine) => engine.rows(sql)));
            expect(eight).toEqual(one);
            expect(one).toHaveLength(7);
        }
    });
});
