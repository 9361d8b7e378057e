/**
 * The oracle's meters: which quantity the events of a quote line come to. The decisions stand in
 * slow-pricer.ts. Also what the three files share: reading the JSON of a line, refusing it, rounding,
 * and civil time.
 */
import {
    compare,
    type Fraction,
    fraction,
    instant,
    minus,
    over,
    parseDecimal,
    plus,
    roundedUnits,
    sum,
    times,
    zero,
} from '../support/exact.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Why a line has no price. */
export class Refused extends Error {
    readonly code: string;
    constructor(code: string, message: string) {
        super(message);
        this.code = code;
    }
}

export function refuse(code: string, message: string): never {
    throw new Refused(code, message);
}

export function readRow(value: unknown, name: string, known: readonly string[] | null): Row {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return refuse('QUOTE_MISSING', `${name} is not an object`);
    }
    const unknown = Object.keys(value).filter((key) => known && !known.includes(key));
    if (unknown.length > 0) refuse('QUOTE_KEY', `${name}: ${unknown.join(', ')}`);
    return value as Row;
}

export function readDecimal(row: Row, key: string): Fraction {
    const value = row[key];
    if (value === undefined || value === null) refuse('QUOTE_MISSING', key);
    if (typeof value === 'number') refuse('QUOTE_NUMBER', key);
    if (typeof value !== 'string' || !/^-?\d+(\.\d{1,12})?$/.test(value)) {
        refuse('QUOTE_DECIMAL', `${key}: ${value}`);
    }
    return parseDecimal(value as string);
}

export const readOptional = (row: Row, key: string): Fraction | null =>
    row[key] === undefined ? null : readDecimal(row, key);

export function readChoice<T extends string>(row: Row, key: string, of: readonly T[], or?: T): T {
    const value = row[key] ?? or;
    if (value === undefined) return refuse('QUOTE_MISSING', key);
    return of.find((one) => one === value) ?? refuse('QUOTE_CHOICE', `${key}: ${value}`);
}

export function readInstant(row: Row, key: string): bigint | null {
    if (row[key] === undefined) return null;
    try {
        return instant(String(row[key]));
    } catch {
        return refuse('QUOTE_SPAN', `${key}: ${row[key]}`);
    }
}

/** A quantity that a division made: twelve decimals, half away from zero. */
export const asQuantity = (value: Fraction): Fraction =>
    fraction(roundedUnits(value, 12), 10n ** 12n);

export const below = (a: Fraction, b: Fraction) => compare(a, b) < 0;
export const negated = (value: Fraction): Fraction => ({ ...value, top: -value.top });
export const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Whole seconds that the clocks of a zone are ahead of UTC. */
export function offsetOf(at: bigint, zone: string): bigint {
    const second = at / 1_000_000n - (at % 1_000_000n < 0n ? 1n : 0n);
    const format = (() => {
        try {
            return new Intl.DateTimeFormat('en-US', {
                timeZone: zone,
                hourCycle: 'h23',
                ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
                ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
            });
        } catch {
            return refuse('QUOTE_SPAN', `zone: ${zone}`);
        }
    })();
    const parts = format.formatToParts(new Date(Number(second) * 1000));
    const read = (type: string) => Number(parts.find((part) => part.type === type)?.value);
    const civil = Date.UTC(
        ...([read('year'), read('month') - 1, read('day')] as const),
        ...([read('hour'), read('minute'), read('second')] as const),
    );
    return BigInt(civil) / 1000n - second;
}

/** Microseconds since 1970 as a clock on the wall of the zone shows them. */
export const wallOf = (at: bigint, zone: string) => at + offsetOf(at, zone) * 1_000_000n;

const aggregations = [
    ...(['sum', 'count', 'unique_count', 'min', 'max', 'latest'] as const),
    ...(['average', 'percentile', 'weighted_sum'] as const),
];

interface Event {
    /** Null: the event does not say when. */
    readonly at: bigint | null;
    readonly id: string;
    readonly row: Row;
}

function readEvents(events: unknown): readonly Event[] {
    if (!Array.isArray(events)) return refuse('QUOTE_EVENT', 'events is not a list');
    const seen = new Map<string, string>();
    const kept = events.flatMap((of: unknown): readonly Event[] => {
        const row = readRow(of, 'event', null);
        for (const value of Object.values(row)) {
            if (typeof value === 'number') refuse('QUOTE_NUMBER', JSON.stringify(row));
        }
        let at: bigint | null = null;
        try {
            at = row.at === undefined || row.at === null ? null : instant(String(row.at));
        } catch {
            refuse('QUOTE_EVENT', `at: ${row.at}`);
        }
        const said = Object.entries(row).filter(([, value]) => value !== null);
        const content = JSON.stringify(said.sort(([a], [b]) => byBytes(a, b)));
        if (typeof row.id !== 'string') return [{ at, id: '', row }];
        const before = seen.get(row.id);
        if (before !== undefined && before !== content) refuse('QUOTE_EVENT', `id: ${row.id}`);
        seen.set(row.id, content);
        return before === undefined ? [{ at, id: row.id, row }] : [];
    });
    // A stable sort: equal ones stay in the order of the list.
    const time = (a: Event, b: Event) => {
        if (a.at === b.at) return 0;
        return a.at === null || (b.at !== null && a.at < b.at) ? -1 : 1;
    };
    return kept.sort((a, b) => time(a, b) || byBytes(a.id, b.id));
}

function passes(row: Row, filter: Row): boolean {
    return Object.entries(filter).every(([name, wanted]) =>
        [wanted].flat().some((one) => row[name] !== undefined && row[name] === one),
    );
}

function readMeter(of: unknown) {
    const row = readRow(of, 'meter', [
        ...['aggregation', 'field', 'filter', 'window', 'percentile', 'values', 'opening'],
        ...['operation_field', 'period_start', 'period_end', 'optional'],
    ]);
    const start = readInstant(row, 'period_start');
    const end = readInstant(row, 'period_end');
    if (start !== null && end !== null && start >= end) refuse('QUOTE_SPAN', 'an empty period');
    const whole = typeof row.window === 'string' ? { unit: row.window } : row.window;
    const window = whole === undefined ? null : readRow(whole, 'window', ['unit', 'zone']);
    const aggregation = readChoice(row, 'aggregation', aggregations);
    const isDelta =
        row.values !== undefined && readChoice(row, 'values', ['levels', 'deltas']) === 'deltas';
    const isLevel = aggregation === 'weighted_sum' || isDelta;
    const unused = {
        window: isLevel,
        values: !['weighted_sum', 'min', 'max', 'latest'].includes(aggregation),
        opening: !isLevel,
        percentile: aggregation !== 'percentile',
        operation_field: aggregation !== 'unique_count',
        optional: aggregation === 'count',
    };
    for (const [key, isUnused] of Object.entries(unused)) {
        if (isUnused && row[key] !== undefined) refuse('QUOTE_MODIFIER', `${key}: ${aggregation}`);
    }
    return {
        row,
        isDelta,
        aggregation,
        field: typeof row.field === 'string' ? row.field : 'value',
        filter: row.filter === undefined ? {} : readRow(row.filter, 'filter', null),
        unit: window && readChoice(window, 'unit', ['minute', 'hour', 'day', 'month']),
        zone: typeof window?.zone === 'string' ? window.zone : 'UTC',
        start,
        end,
    };
}

type Meter = ReturnType<typeof readMeter>;

/** The events that count, in order; those before the period only when asked for. */
function counted(meter: Meter, events: unknown, withEarlier: boolean): readonly Event[] {
    const { start, end, unit, isDelta } = meter;
    const needsTime = start !== null || end !== null || unit !== null || isDelta;
    return readEvents(events).filter(({ at, row }) => {
        if (needsTime && at === null) refuse('QUOTE_EVENT', 'an event without at');
        const early = at !== null && start !== null && at < start;
        const late = at !== null && end !== null && at >= end;
        const counts = (!early || withEarlier) && !late && passes(row, meter.filter);
        const isOptional = meter.aggregation === 'count' || meter.row.optional === true;
        if (counts && row[meter.field] === undefined && !isOptional) {
            refuse('QUOTE_EVENT', `an event without ${meter.field}`);
        }
        return counts;
    });
}

const valuesOf = (events: readonly Event[], field: string): readonly Fraction[] =>
    events
        .filter(({ row }) => row[field] !== undefined && row[field] !== null)
        .map(({ row }) => readDecimal(row, field));

/** The events' amounts one by one, for charges that look at each. */
export function eventAmounts(of: unknown, events: unknown): readonly Fraction[] {
    const meter = readMeter(of);
    return valuesOf(counted(meter, events, false), meter.field);
}

export const aggregationOf = (of: unknown) => readMeter(of).aggregation;

export function meterQuantity(of: unknown, events: unknown): Fraction {
    const meter = readMeter(of);
    if (meter.aggregation === 'weighted_sum') return weightedSum(meter, events);
    if (meter.isDelta) return extremeLevel(meter, events);
    const all = counted(meter, events, false);
    if (meter.unit === null) return aggregate(meter, all);
    const windows = Map.groupBy(all, ({ at }) => windowOf(at ?? 0n, meter));
    return sum([...windows.values()].map((some) => aggregate(meter, some)));
}

function windowOf(at: bigint, { unit, zone }: Meter): string {
    // All instants are after 1970, so division cuts down.
    const civil = new Date(Number(wallOf(at, zone) / 1000n)).toISOString();
    const length = { month: 7, day: 10, hour: 13, minute: 16 }[unit ?? 'day'];
    const isClock = unit === 'hour' || unit === 'minute';
    return civil.slice(0, length) + (isClock ? ` ${offsetOf(at, zone)}` : '');
}

function aggregate(meter: Meter, events: readonly Event[]): Fraction {
    if (meter.aggregation === 'count') return fraction(BigInt(events.length));
    if (meter.aggregation === 'unique_count') return fraction(uniqueCount(meter, events));
    const values = valuesOf(events, meter.field);
    const ascending = [...values].sort(compare);
    const count = BigInt(values.length);
    switch (meter.aggregation) {
        case 'sum':
            return sum(values);
        case 'min':
            return ascending[0] ?? zero;
        case 'max':
            return ascending.at(-1) ?? zero;
        case 'latest':
            return values.at(-1) ?? zero;
        case 'average':
            return count === 0n ? zero : asQuantity(over(sum(values), fraction(count)));
        default: {
            const p = readDecimal(meter.row, 'percentile');
            if (below(p, zero) || below(fraction(100n), p)) refuse('QUOTE_CHOICE', 'percentile');
            const exact = over(times(p, fraction(count)), fraction(100n));
            const rank = (exact.top + exact.bottom - 1n) / exact.bottom;
            return ascending[Number(rank < 1n ? 1n : rank) - 1] ?? zero;
        }
    }
}

function uniqueCount({ field, row }: Meter, events: readonly Event[]): bigint {
    const inside = new Set<string>();
    for (const event of events) {
        const value = event.row[field];
        if (value === undefined || value === null) continue;
        const name = row.operation_field;
        const operation =
            typeof name === 'string'
                ? readChoice(event.row, name, ['add', 'remove'], 'add')
                : 'add';
        if (operation === 'add') inside.add(String(value));
        else inside.delete(String(value));
    }
    return BigInt(inside.size);
}

/** The least, greatest or last level of those that were held, however shortly. */
function extremeLevel(meter: Meter, events: unknown): Fraction {
    const { row, start, field } = meter;
    const opening = readOptional(row, 'opening');
    const all = counted(meter, events, opening === null);
    const steps = [...Map.groupBy(all, ({ at }) => at)].map(([at, some]) => ({
        isAfter: start === null || (at ?? start) > start,
        step: sum(valuesOf(some, field)),
    }));
    const first = steps.filter(({ isAfter }) => !isAfter).map(({ step }) => step);
    const levels = [plus(opening ?? zero, sum(first))];
    for (const { step } of steps.filter(({ isAfter }) => isAfter)) {
        levels.push(plus(levels.at(-1) ?? zero, step));
    }
    if (meter.aggregation === 'latest') return levels.at(-1) ?? zero;
    const ascending = [...levels].sort(compare);
    return (meter.aggregation === 'min' ? ascending[0] : ascending.at(-1)) ?? zero;
}

function weightedSum(meter: Meter, events: unknown): Fraction {
    const { start, end, row, field, isDelta } = meter;
    if (start === null || end === null) return refuse('QUOTE_MISSING', 'the period');
    const opening = readOptional(row, 'opening');
    let level = opening ?? zero;
    let since = start;
    let area = zero;
    for (const event of counted(meter, events, opening === null)) {
        const [value] = valuesOf([event], field);
        if (!value) continue;
        const at = event.at ?? start;
        if (at > start) {
            area = plus(area, times(level, fraction(at - since)));
            since = at;
        }
        level = isDelta ? plus(level, value) : value;
    }
    area = plus(area, times(level, fraction(end - since)));
    return asQuantity(over(area, minus(fraction(end), fraction(start))));
}
