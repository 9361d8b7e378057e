import { type Aggregation, aggregateSql } from '../compile/aggregation.ts';
import type { Engine } from '../duck/engine.ts';
import { bigint, defineTable, nullable, quantity, type RowOf, varchar } from '../duck/table.ts';
import { formatAmount, parseAmount } from '../money/amount.ts';
import { replaceTable } from '../run/prepare.ts';
import type { QuoteLine, QuoteMeter } from '../schema/quote.ts';
import { isOfLevel, windowOf } from './check-meter.ts';
import { QuoteError } from './error.ts';
import {
    type MeteredEvent,
    meteredEvents,
    numberOf,
    operationOf,
    periodOf,
    plainMeter,
} from './metered-events.ts';
import { units } from './units.ts';

/**
 * Quantities of metered lines, as sets: lines whose meters have the same shape share one statement,
 * with the very aggregations of the nightly run.
 */

const meters = defineTable('quoted.meters', {
    comment: 'One row per line with a meter over events.',
    grain: ['line_no'],
    columns: {
        line_no: bigint('Line, from 0.'),
        shape_no: bigint('Lines of one shape are metered by one statement.'),
        start_us: bigint('Start of the period, microseconds since 1970.'),
        end_us: bigint('Its end.'),
        opening: nullable(quantity('Level at start; null where earlier events say.')),
    },
});

const events = defineTable('quoted.events', {
    comment: 'One row per event of a line that its meter looks at.',
    grain: ['line_no', 'place'],
    columns: {
        line_no: bigint('Line, from 0.'),
        shape_no: bigint('That of its line.'),
        place: varchar('In the list of the line, in digits of equal number: the last tie-break.'),
        event_id: varchar('Empty where the event has none.'),
        at_us: bigint('Microseconds since 1970; before all others where the event says nothing.'),
        number_value: nullable(quantity('What is aggregated.')),
        text_value: nullable(varchar('What a unique count counts.')),
        operation: nullable(varchar('add or remove, where the meter has operations.')),
    },
});

/** A line ready to be metered. */
export interface MeteredLine {
    readonly aggregation: Aggregation;
    readonly meter: Omit<RowOf<typeof meters>, 'line_no' | 'shape_no'>;
    readonly events: readonly Omit<RowOf<typeof events>, 'line_no' | 'shape_no'>[];
}

/** @throws QuoteError why the events of a line cannot be metered. */
export function meteredLine(line: QuoteLine): MeteredLine {
    const meter = line.meter ?? plainMeter;
    const { start, end } = periodOf(meter);
    const rows = meteredEvents(line).map((event) => eventRow(meter, event));
    requireRoom(meter, rows, end - start);
    return {
        aggregation: aggregationOf(meter),
        meter: { start_us: start, end_us: end, opening: meter.opening ?? null },
        events: rows,
    };
}

function eventRow(meter: QuoteMeter, metered: MeteredEvent): MeteredLine['events'][number] {
    const { aggregation, field, operation_field } = meter;
    const { event, at, place } = metered;
    const text = aggregation === 'unique_count' ? (event[field] ?? null) : null;
    const isNumber = aggregation !== 'unique_count' && aggregation !== 'count';
    return {
        place: place.toString().padStart(12, '0'),
        event_id: event.id ?? '',
        at_us: at,
        number_value: isNumber ? numberOf(metered, field) : null,
        text_value: text,
        operation:
            operation_field === undefined || text === null
                ? null
                : operationOf(metered, operation_field),
    };
}

/** What a meter is as an aggregation of the nightly run: windows of a quote are added up. */
function aggregationOf(meter: QuoteMeter): Aggregation {
    const { aggregation, percentile, operation_field, values } = meter;
    const window = windowOf(meter);
    return {
        kind: window ? 'sum' : aggregation,
        window: window && { ...window, of: aggregation },
        value:
            aggregation === 'count'
                ? null
                : aggregation === 'unique_count'
                  ? 'text_value'
                  : 'number_value',
        filter: 'true',
        // Without zeros that mean nothing: 095 and 95.0 are one shape.
        percentile: percentile === undefined ? undefined : formatAmount(parseAmount(percentile)),
        values: isOfLevel(meter) ? (values ?? 'levels') : undefined,
        operation: operation_field === undefined ? null : 'operation',
    };
}

/** Digits before the point that a sum of quantities has room for, and a level times microseconds. */
const [largestSum, largestArea] = [10n ** 25n, 10n ** 37n];

/** An overflow would stop every line: a line that could come near one is refused on its own. */
function requireRoom(meter: QuoteMeter, rows: MeteredLine['events'], length: bigint): void {
    const size = (text: string) => {
        const value = units(text, 12) / 10n ** 12n;
        return (value < 0n ? -value : value) + 1n;
    };
    const sum = rows.reduce(
        (total, { number_value }) => total + (number_value === null ? 0n : size(number_value)),
        size(meter.opening ?? '0'),
    );
    const isTooLarge =
        sum > largestSum || (meter.aggregation === 'weighted_sum' && sum * length > largestArea);
    if (isTooLarge) {
        throw new QuoteError('QUOTE_RANGE', 'its metered quantity takes more than 38 digits');
    }
}

/** Lines inserted at once: one text carries them to the engine. */
const batch = 50_000;

/** Meters all lines, by their number in the file; each has a quantity, if only of zero. */
export async function meterLines(
    engine: Engine,
    lines: ReadonlyMap<number, MeteredLine>,
): Promise<ReadonlyMap<number, string>> {
    if (lines.size === 0) return new Map();
    const shapeOf = ({ aggregation }: MeteredLine) => JSON.stringify(aggregation);
    const shapes = [...Map.groupBy(lines, ([, line]) => shapeOf(line)).values()];
    await fill(engine, shapes);
    const quantities = new Map<number, string>();
    for (const [shapeNo, [first]] of shapes.entries()) {
        if (!first) continue;
        const rows = await engine.rows(shapeSql(first[1].aggregation, shapeNo));
        for (const { line_no, quantity } of rows) {
            quantities.set(Number.parseInt(String(line_no), 10), String(quantity));
        }
    }
    await engine.run(`drop table ${events.name}`);
    return quantities;
}

/** Lines of a shape lie together, so that a statement reads only their events. */
async function fill(
    engine: Engine,
    shapes: readonly (readonly (readonly [number, MeteredLine])[])[],
): Promise<void> {
    const keyed = shapes.flatMap((lines, shapeNo) =>
        lines.map(([lineNo, line]) => ({
            line,
            key: { line_no: BigInt(lineNo), shape_no: BigInt(shapeNo) },
        })),
    );
    const eventRows = keyed.flatMap(({ key, line }) =>
        line.events.map((event) => ({ ...key, ...event })),
    );
    await replaceTable(
        engine,
        meters,
        keyed.map(({ key, line }) => ({ ...key, ...line.meter })),
    );
    await replaceTable(engine, events, []);
    for (let from = 0; from < eventRows.length; from += batch) {
        await engine.insert(events, eventRows.slice(from, from + batch));
    }
}

/** A row without an instant is no event, but gives its line a quantity where there are none. */
function shapeSql(aggregation: Aggregation, shapeNo: number): string {
    const of = `select line_no, make_timestamp(start_us) as start_at, make_timestamp(end_us) as end_at, opening
        from ${meters.name} where shape_no = ${shapeNo}`;
    const relation = `(select of.*, null::timestamp as event_at, '' as event_id, '' as source,
        null::decimal(38,12) as number_value, null::varchar as text_value, null::varchar as operation
    from (${of}) as of
    union all by name
    select of.*, make_timestamp(events.at_us) as event_at, events.event_id, events.place as source,
        events.number_value, events.text_value, events.operation
    from (${of}) as of inner join ${events.name} as events on of.line_no = events.line_no
    where events.shape_no = ${shapeNo})`;
    const sql = aggregateSql(aggregation, {
        relation,
        keys: ['line_no'],
        start: 'start_at',
        end: 'end_at',
        opening: 'opening',
    });
    return `select line_no, quantity from (${sql}) order by line_no`;
}
