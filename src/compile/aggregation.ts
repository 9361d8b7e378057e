import { quoteName, quoteText } from '../duck/sql.ts';
import { finePart, mantissa, quotient, scale, wholePart } from './exact.ts';

/**
 * Aggregations as SQL, for the meters of the nightly run and for `tieout quote` alike.
 *
 * What it means, where a word alone would not say:
 *
 * | what | how |
 * |---|---|
 * | which events | those in [start, end) that the filter lets pass; a null value is skipped |
 * | nothing left | quantity 0 |
 * | order of events | event_at, then event_id, then source, all by bytes |
 * | latest | the last in that order |
 * | average | sum / count, rounded half away from zero to 12 decimals |
 * | percentile | nearest rank: value number max(1, ceil(p x n / 100)) of the ascending |
 * | unique_count | different texts; with an operation: those whose last operation is not remove |
 * | weighted_sum | sum of level x time held / length of the period: the mean level, rounded as average |
 * | levels | a value holds until the next one; at equal instants the last in order holds |
 * | deltas | values are added up, in any order; for max, min, latest what is aggregated is the running level |
 * | opening | the level at start: as given, or what the events before start say, else 0 |
 * | window | `of` within each civil minute, hour, day or month that has events, then `kind` over these |
 * | the hour that comes twice at the end of summer time | two windows |
 */

export type AggregationKind =
    | 'sum'
    | 'count'
    | 'unique_count'
    | 'min'
    | 'max'
    | 'latest'
    | 'average'
    | 'percentile'
    | 'weighted_sum';

export interface Aggregation {
    readonly kind: AggregationKind;
    /** Compiled SQL: a number of up to 12 decimals, text for unique_count, null for count. */
    readonly value: string | null;
    /** Compiled SQL condition; `true` for none. */
    readonly filter: string;
    /** Decimal text, 0 to 100. */
    readonly percentile?: string | undefined;
    /** Default: levels. */
    readonly values?: 'levels' | 'deltas' | undefined;
    /** SQL giving add (or null) or remove; anything else stops the statement. */
    readonly operation?: string | null | undefined;
    readonly window?: AggregationWindow | undefined;
}

export interface AggregationWindow {
    readonly unit: 'minute' | 'hour' | 'day' | 'month';
    readonly of: AggregationKind;
    readonly zone: string;
}

export interface AggregateOptions {
    /**
     * A relation, or a select in parentheses, with event_at, event_id, source, the keys and what the
     * expressions name. A row without event_at is no event: it gives its keys a row of zero.
     */
    readonly relation: string;
    /** Columns; none of them may begin with `_` or be called quantity or event_count. */
    readonly keys: readonly string[];
    /** SQL timestamps: literals, or columns that are the same for all rows of a key. */
    readonly start: string;
    readonly end: string;
    /** SQL of the level at start; where it is null, earlier events say. Same for all rows of a key. */
    readonly opening?: string | null;
    /** The period whose mean weighted_sum is, when [start, end) is only a part of it. */
    readonly whole?: { readonly start: string; readonly end: string };
}

const outerKinds: readonly AggregationKind[] = [
    ...(['sum', 'min', 'max', 'latest', 'average', 'percentile'] as const),
];
const levelKinds: readonly AggregationKind[] = ['weighted_sum', 'min', 'max', 'latest'];

/** Whether parts of a period can be aggregated apart and added. */
export function isAdditive({ kind, window }: Pick<Aggregation, 'kind' | 'window'>): boolean {
    return (kind === 'sum' || kind === 'count') && window === undefined;
}

/** Whether events before the start matter: they say what the level is when it begins. */
export function isCarried({ kind, values }: Pick<Aggregation, 'kind' | 'values'>): boolean {
    return kind === 'weighted_sum' || values === 'deltas';
}

/** Everything about an aggregation that makes no sense, for people. */
export function aggregationProblems(of: Omit<Aggregation, 'filter'>): readonly string[] {
    const { kind, window, values, percentile } = of;
    const kinds = window ? [window.of, kind] : [kind];
    const inner = window?.of ?? kind;
    const ranked = kinds.filter((one) => one === 'percentile').length;
    return [
        inner === 'count'
            ? of.value !== null && 'a count takes no value: it counts events'
            : of.value === null && `${inner} needs a value`,
        ranked > 0 && percentile === undefined && 'percentile needs `percentile`, "0" to "100"',
        ranked === 0 && percentile !== undefined && '`percentile` is of the aggregation percentile',
        ranked > 1 && 'a percentile of percentiles would have two `percentile`',
        percentile !== undefined &&
            !/^(100(\.0+)?|\d{1,2}(\.\d{1,12})?)$/.test(percentile) &&
            `\`percentile\` is ${percentile}, not a decimal from 0 to 100`,
        of.operation != null && inner !== 'unique_count' && '`operation` is of unique_count',
        values !== undefined &&
            !levelKinds.includes(kind) &&
            `\`values\` is of ${levelKinds.join(', ')}`,
        values === 'deltas' && window && 'a level that is carried on has no window of its own',
        window && inner === 'weighted_sum' && 'weighted_sum has no window: it is a mean over time',
        window &&
            !outerKinds.includes(kind) &&
            `windows are put together by ${outerKinds.join(', ')}, not by ${kind}`,
    ].filter((problem) => typeof problem === 'string');
}

/**
 * A select of the keys, quantity DECIMAL(38,12) and event_count BIGINT (events of the period that
 * have a value). Exact: divisions are of whole numbers.
 * @throws Error when the aggregation makes no sense; see aggregationProblems.
 */
export function aggregateSql(of: Aggregation, options: AggregateOptions): string {
    const [problem] = aggregationProblems(of);
    if (problem !== undefined) throw new Error(problem);
    const keys = options.keys.map(quoteName);
    const rows = rowsSql(of, options, keys);
    const made = of.window ? windowed(of, of.window, rows, keys) : unwindowed(of, rows, keys);
    return `select ${list([...keys, 'cast(coalesce(_value, 0) as decimal(38,12)) as quantity'])},
    cast(coalesce(_events, 0) as bigint) as event_count
from (${made})`;
}

const list = (parts: readonly string[]) => parts.join(', ');
const groupBy = (keys: readonly string[]) => (keys.length ? `group by ${list(keys)}` : '');
const partition = (keys: readonly string[]) => (keys.length ? `partition by ${list(keys)} ` : '');

/** The rows that count, under names of their own. */
function rowsSql(of: Aggregation, options: AggregateOptions, keys: readonly string[]): string {
    const { start, end } = options;
    const opening = options.opening ?? 'null';
    const kind = of.window?.of ?? of.kind;
    const isEvent = 'event_at is not null';
    const isThere = of.value === null ? isEvent : `${isEvent} and (${of.value}) is not null`;
    const type = kind === 'unique_count' ? 'varchar' : 'decimal(38,12)';
    const value = `case when ${isEvent} then cast(${of.value ?? '1'} as ${type}) end`;
    const isSince = `event_at >= ${start}`;
    const isBound = isCarried(of) ? `(${isSince} or (${opening}) is null)` : isSince;
    return `select ${list([...keys, 'event_at as _at', 'event_id as _id', 'source as _source'])},
    ${value} as _value,
    case when ${isThere} and ${isSince} then 1 else 0 end as _events,
    ${isCarried(of) ? levelColumns(options, opening) : ''}
    ${of.operation == null ? '' : `${operationSql(of.operation, isThere)} as _operation,`}
    ${of.window ? windowColumns(of.window) : ''}
from ${options.relation} as rows
where event_at is null
    or (event_at < ${end} and ${isBound} and ${isThere} and (${of.filter}))`;
}

function levelColumns({ start, end, whole }: AggregateOptions, opening: string): string {
    return `cast(${start} as timestamp) as _start, cast(${end} as timestamp) as _end,
    cast(coalesce(${opening}, 0) as decimal(38,12)) as _opening,
    ${span(whole?.start ?? start, whole?.end ?? end)} as _length,`;
}

/** Microseconds between two instants. */
const span = (from: string, to: string) =>
    `(epoch_us(cast(${to} as timestamp)) - epoch_us(cast(${from} as timestamp)))`;

function operationSql(operation: string, isThere: string): string {
    return `case
        when not (${isThere}) then 'add'
        when coalesce(cast(${operation} as varchar), 'add') in ('add', 'remove')
            then coalesce(cast(${operation} as varchar), 'add')
        else error('AGGREGATION_OPERATION: ' || cast(${operation} as varchar) || ' is neither add nor remove')
    end`;
}

/** The civil window of an event, and the offset of its clock, which tells equal hours apart. */
function windowColumns({ unit, zone }: AggregationWindow): string {
    const wall =
        zone === 'UTC' ? 'event_at' : `event_at at time zone 'UTC' at time zone ${quoteText(zone)}`;
    const isClock = unit === 'hour' || unit === 'minute';
    return `date_trunc(${quoteText(unit)}, ${wall}) as _window,
    ${isClock ? span('event_at', wall) : '0'} as _shift`;
}

function windowed(
    of: Aggregation,
    window: AggregationWindow,
    rows: string,
    keys: readonly string[],
): string {
    const windows = aggregated({ ...of, kind: window.of }, rows, [...keys, '_window', '_shift']);
    return aggregated(
        { ...of, operation: null },
        `select ${list([...keys, '_value', '_events', '_at'])}, '' as _id, '' as _source from (${windows})`,
        keys,
    );
}

function unwindowed(of: Aggregation, rows: string, keys: readonly string[]): string {
    if (of.kind === 'weighted_sum') return weightedSum(of, rows, keys);
    if (of.values === 'deltas') return runningLevel(of.kind, rows, keys);
    return aggregated(of, rows, keys);
}

/** Keys, _value (null when there is none), _events and the first _at of rows by their keys. */
function aggregated(
    of: Pick<Aggregation, 'kind' | 'percentile' | 'operation'>,
    rows: string,
    keys: readonly string[],
): string {
    const ends = 'sum(_events) as _events, min(_at) as _at';
    const grouped = (value: string, from = rows) =>
        `select ${list([...keys, `${value} as _value`, ends])} from (${from}) ${groupBy(keys)}`;
    switch (of.kind) {
        case 'sum':
            return grouped('sum(_value)');
        case 'count':
            return grouped('nullif(sum(_events), 0)');
        case 'min':
        case 'max':
            return grouped(`${of.kind}(_value)`);
        case 'latest':
            return grouped('arg_max(_value, row(_at, _id, _source)) filter (_value is not null)');
        case 'unique_count': {
            const [from, unique] =
                of.operation == null
                    ? [rows, 'count(distinct _value)']
                    : [lastOperations(rows, keys), `count(_value) filter (_last = 'add')`];
            // Without an event there is nothing to count, which is not a count of zero.
            return grouped(`case when sum(_events) > 0 then ${unique} end`, from);
        }
        case 'average':
            return average(rows, keys, ends);
        case 'percentile':
            return grouped(
                `max(_value) filter (_no = ${rankSql(of.percentile ?? '0')})`,
                `select *, count(_value) over (${partition(keys)}) as _count,
        row_number() over (${partition(keys)}order by _value nulls last, _at, _id, _source) as _no
    from (${rows})`,
            );
        case 'weighted_sum':
            throw new Error('weighted_sum has no windows');
    }
}

/** For every text the operation that came last; adding it twice or removing what is out is nothing. */
function lastOperations(rows: string, keys: readonly string[]): string {
    return `select ${list([...keys, '_value'])},
        arg_max(_operation, row(_at, _id, _source)) as _last,
        sum(_events) as _events, min(_at) as _at
    from (${rows}) group by ${list([...keys, '_value'])}`;
}

/** max(1, ceil(p x n / 100)) in whole numbers. */
function rankSql(percentile: string): string {
    const { units, scale: decimals } = mantissa(percentile);
    const divisor = 100n * 10n ** BigInt(decimals);
    return `greatest(1, (cast(_count as hugeint) * ${units} + ${divisor - 1n}) // ${divisor})`;
}

function average(rows: string, keys: readonly string[], ends: string): string {
    const sums = `select ${list([...keys, 'sum(_value) as _sum', 'count(_value) as _divisor', ends])}
    from (${rows}) ${groupBy(keys)}`;
    return quotient(`select *, ${wholePart('_sum')} as _whole, ${finePart('_sum')} as _fine
    from (${sums})`);
}

/** The mean of a level over time: sum of value x microseconds, in whole numbers, over the length. */
function weightedSum(of: Aggregation, rows: string, keys: readonly string[]): string {
    const isDelta = of.values === 'deltas';
    const from = 'greatest(_at, _start)';
    const next = `lead(_at) over (${partition(keys)}order by _at nulls last, _id, _source)`;
    const held = isDelta
        ? span(from, '_end')
        : `greatest(${span(from, `least(coalesce(${next}, _end), _end)`)}, 0)`;
    const heldRows = `select *, ${held} as _held from (${rows})`;
    const first = isDelta ? 'max(_end)' : 'coalesce(min(_at), max(_end))';
    const areas = `select ${list(keys)}${keys.length ? ',' : ''}
        coalesce(sum(${wholePart('_value')} * _held), 0) as _area,
        coalesce(sum(${finePart('_value')} * _held), 0) as _area_fine,
        max(_opening) as _opening, ${span('max(_start)', first)} as _opening_held,
        max(_length) as _divisor, sum(_events) as _events, min(_at) as _at
    from (${heldRows}) ${groupBy(keys)}`;
    const opened = `select * exclude (_area, _area_fine, _opening, _opening_held),
        _area + ${wholePart('_opening')} * _opening_held as _area,
        _area_fine + ${finePart('_opening')} * _opening_held as _area_fine
    from (${areas})`;
    return quotient(`select * exclude (_area, _area_fine),
        _area + _area_fine // ${scale} as _whole, _area_fine % ${scale} as _fine
    from (${opened})`);
}

/** The least, the greatest or the last level that deltas add up to between start and end. */
function runningLevel(kind: AggregationKind, rows: string, keys: readonly string[]): string {
    // Deltas of one instant are one step: nobody saw what was between them.
    const level = `sum(_value) over (${partition(keys)}order by _at nulls last
            range between unbounded preceding and current row)`;
    const levels = `select *, _opening + coalesce(${level}, 0) as _level from (${rows})`;
    const atStart = 'max(_opening) + coalesce(sum(_value) filter (_at <= _start), 0)';
    const value = {
        min: `least(${atStart}, min(_level) filter (_at > _start))`,
        max: `greatest(${atStart}, max(_level) filter (_at > _start))`,
    }[kind === 'min' ? 'min' : 'max'];
    return `select ${list([
        ...keys,
        `${kind === 'latest' ? 'max(_opening) + coalesce(sum(_value), 0)' : value} as _value`,
    ])}, sum(_events) as _events, min(_at) as _at
    from (${levels}) ${groupBy(keys)}`;
}
