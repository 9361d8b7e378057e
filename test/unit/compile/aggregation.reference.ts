import type { Aggregation, AggregationKind } from '../../../src/compile/aggregation.ts';
import {
    compare,
    decimalText,
    type Fraction,
    fraction,
    instant,
    over,
    parseDecimal,
    plus,
    roundedUnits,
    sum,
    times,
    zero,
} from '../../support/exact.ts';

/** One row as the tests write it; `at` null is a row that only names its key. */
export interface EventRow {
    readonly key: string;
    readonly at: string | null;
    readonly id: string;
    readonly source?: string | undefined;
    readonly value: string | null;
    readonly operation?: string | null | undefined;
}

export interface Case {
    readonly of: Pick<
        Aggregation,
        'kind' | 'percentile' | 'values' | 'window' | 'operation' | 'filter'
    >;
    readonly start: string;
    readonly end: string;
    readonly opening?: string | null;
}

interface Seen {
    readonly at: bigint;
    readonly value: string;
    readonly operation: string;
}

const asQuantity = (value: Fraction) => fraction(roundedUnits(value, 12), 10n ** 12n);
const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const decimals = (events: readonly Seen[]) => events.map(({ value }) => parseDecimal(value));

function inOrder(events: readonly EventRow[]): readonly Seen[] {
    return events
        .flatMap((row) =>
            row.at === null || row.value === null
                ? []
                : [{ ...row, value: row.value, micros: instant(row.at) }],
        )
        .sort(
            (a, b) =>
                (a.micros < b.micros ? -1 : a.micros > b.micros ? 1 : 0) ||
                bytes(a.id, b.id) ||
                bytes(a.source ?? '', b.source ?? ''),
        )
        .map(({ micros, value, operation }) => ({
            at: micros,
            value,
            operation: operation ?? 'add',
        }));
}

function flat(kind: AggregationKind, events: readonly Seen[], percentile: string): Fraction {
    if (kind === 'count') return fraction(BigInt(events.length));
    if (kind === 'unique_count') {
        const inside = new Set<string>();
        for (const { value, operation } of events) {
            if (operation === 'add') inside.add(value);
            else inside.delete(value);
        }
        return fraction(BigInt(inside.size));
    }
    const values = decimals(events);
    const count = fraction(BigInt(values.length));
    const ascending = [...values].sort(compare);
    if (values.length === 0) return zero;
    if (kind === 'sum') return sum(values);
    if (kind === 'min') return ascending[0] ?? zero;
    if (kind === 'max') return ascending.at(-1) ?? zero;
    if (kind === 'latest') return values.at(-1) ?? zero;
    if (kind === 'average') return asQuantity(over(sum(values), count));
    // Nearest rank by its definition: the first value that p percent of the values do not exceed.
    const share = over(parseDecimal(percentile), fraction(100n));
    const at = ascending.findIndex(
        (_, index) => compare(fraction(BigInt(index + 1)), times(share, count)) >= 0,
    );
    return ascending[at] ?? zero;
}

/** The name of a civil window, offset included where clocks can show the same time twice. */
function windowOf(at: bigint, unit: string, zone: string): string {
    const parts = new Intl.DateTimeFormat('en-GB', {
        timeZone: zone,
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        timeZoneName: 'longOffset',
    }).formatToParts(new Date(Number(at / 1000n)));
    const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
    const length = ['month', 'day', 'hour', 'minute'].indexOf(unit) + 2;
    const civil = ['year', 'month', 'day', 'hour', 'minute'].slice(0, length).map(of).join('-');
    return length > 3 ? `${civil} ${of('timeZoneName')}` : civil;
}

/** Microsecond by microsecond would be slow: from change to change. */
function levels(events: readonly Seen[], { of, start, end, opening }: Case): Fraction {
    const [from, to] = [instant(start), instant(end)];
    const isDelta = of.values === 'deltas';
    const step = (level: Fraction, value: string) =>
        isDelta ? plus(level, parseDecimal(value)) : parseDecimal(value);
    const earlier = opening == null ? events.filter(({ at }) => at < from) : [];
    let level = earlier.reduce((of, { value }) => step(of, value), parseDecimal(opening ?? '0'));
    const instants = [...new Set(events.map(({ at }) => at))].filter((at) => at >= from && at < to);
    const edges = [...new Set([from, ...instants, to])];
    let area = zero;
    let seen: readonly Fraction[] = [];
    for (const [index, edge] of edges.slice(0, -1).entries()) {
        level = events
            .filter(({ at }) => at === edge)
            .reduce((of, { value }) => step(of, value), level);
        seen = [...seen, level];
        area = plus(area, times(level, fraction((edges[index + 1] ?? to) - edge)));
    }
    if (of.kind === 'weighted_sum') return asQuantity(over(area, fraction(to - from)));
    const ascending = [...seen].sort(compare);
    if (of.kind === 'latest') return seen.at(-1) ?? zero;
    return ascending.at(of.kind === 'min' ? 0 : -1) ?? zero;
}

/** Quantity and event count by key, one event after the other. */
export function reference(events: readonly EventRow[], test: Case): readonly string[] {
    const { of, start, end } = test;
    const isCarried = of.kind === 'weighted_sum' || of.values === 'deltas';
    const isGiven = test.opening != null;
    return [...Map.groupBy(events, ({ key }) => key)]
        .flatMap(([key, rows]) => {
            const all = inOrder(rows).filter(({ at }) => at < instant(end));
            const inside = all.filter(({ at }) => at >= instant(start));
            const used = isCarried && !isGiven ? all : inside;
            if (used.length === 0 && rows.every(({ at }) => at !== null)) return [];
            const p = of.percentile ?? '0';
            const { window } = of;
            const windows = window
                ? [
                      ...Map.groupBy(inside, ({ at }) =>
                          windowOf(at, window.unit, window.zone),
                      ).values(),
                  ]
                : [];
            const quantity = isCarried
                ? levels(used, test)
                : window
                  ? flat(
                        of.kind,
                        windows.map((some) => ({
                            at: some[0]?.at ?? 0n,
                            value: decimalText(flat(window.of, some, p)),
                            operation: 'add',
                        })),
                        p,
                    )
                  : flat(of.kind, inside, p);
            return [`${key} | ${decimalText(quantity)} | ${inside.length}`];
        })
        .sort();
}
