import type { QuoteEvent, QuoteLine, QuoteMeter } from '../schema/quote.ts';
import { isOfLevel, readInstant } from './check-meter.ts';
import { QuoteError } from './error.ts';

/** An event that a meter looks at. */
export interface MeteredEvent {
    readonly event: QuoteEvent;
    /** Microseconds since 1970; `earliest` when the event does not say. */
    readonly at: bigint;
    /** In the list of the line, from 0. */
    readonly place: number;
}

/** A meter that was left out adds up what the field `value` says. */
export const plainMeter: QuoteMeter = { aggregation: 'sum', field: 'value', filter: {} };

/** Before and after every instant that can be written; an event without one comes first. */
export const earliest = -(10n ** 17n);
export const latest = 10n ** 18n;

const named = ({ id }: QuoteEvent, place: number) => (id == null ? `number ${place + 1}` : id);

/**
 * The events that count: each id once, of the period, and passed by the filter. A level that no
 * opening is given for also counts those before the period.
 * @throws QuoteError QUOTE_EVENT
 */
export function meteredEvents(line: QuoteLine): readonly MeteredEvent[] {
    const meter = line.meter ?? plainMeter;
    const { start, end } = periodOf(meter);
    const from = isOfLevel(meter) && meter.opening === undefined ? earliest : start;
    const needsInstant =
        isOfLevel(meter) || [meter.period_start, meter.period_end, meter.window].some(Boolean);
    return uniqueEvents(line.events ?? []).flatMap(({ event, place }) => {
        if (needsInstant && event.at == null) {
            throw new QuoteError(
                'QUOTE_EVENT',
                `event ${named(event, place)} has no at, which a period, a window or a level needs`,
            );
        }
        const at = instantOf(event, place);
        const counts = at >= from && at < end && passes(meter, event);
        if (counts) requireField(meter, event, place);
        return counts ? [{ event, at, place }] : [];
    });
}

/** A field that no event has is most likely misspelt, and would come to zero without a word. */
function requireField(meter: QuoteMeter, event: QuoteEvent, place: number): void {
    const { aggregation, field, optional } = meter;
    if (aggregation === 'count' || optional || event[field] !== undefined) return;
    const remedy = `Add it, correct meter.field, or write "optional": true in the meter to count it as nothing.`;
    const message = `event ${named(event, place)} has no ${field}, which the meter counts`;
    throw new QuoteError('QUOTE_EVENT', message, remedy);
}

/** The period of a meter, open where it is not bounded. */
export function periodOf({ period_start, period_end }: QuoteMeter) {
    const read = (text: string | undefined, or: bigint) =>
        text === undefined ? or : (readInstant(text) ?? or);
    return { start: read(period_start, earliest), end: read(period_end, latest) };
}

function instantOf({ at, ...event }: QuoteEvent, place: number): bigint {
    if (at == null) return earliest;
    const instant = readInstant(at);
    if (instant !== null) return instant;
    throw new QuoteError(
        'QUOTE_EVENT',
        `event ${named(event, place)}: at is ${at}, not an instant with a zone, as 2026-03-01T00:00:00Z`,
    );
}

/** The same id with the same content counts once; with another content nothing can be priced. */
function uniqueEvents(events: readonly QuoteEvent[]): readonly Omit<MeteredEvent, 'at'>[] {
    const seen = new Map<string, string>();
    return events.flatMap((event, place) => {
        if (event.id == null) return [{ event, place }];
        // A field that is null says as little as one that is missing.
        const said = Object.entries(event).filter(([, value]) => value !== null);
        const content = JSON.stringify(said.sort(([one], [other]) => (one < other ? -1 : 1)));
        const before = seen.get(event.id);
        if (before === content) return [];
        if (before !== undefined) {
            throw new QuoteError(
                'QUOTE_EVENT',
                `event ${event.id} is there twice and differs: ${before}, ${content}`,
            );
        }
        seen.set(event.id, content);
        return [{ event, place }];
    });
}

function passes({ filter }: QuoteMeter, event: QuoteEvent): boolean {
    return Object.entries(filter).every(([name, wanted]) => {
        const value = event[name];
        return (
            value != null &&
            (typeof wanted === 'string' ? value === wanted : wanted.includes(value))
        );
    });
}

const decimal = /^-?\d+(\.\d{1,12})?$/;

/** The field of an event as decimal text; null when it says nothing. @throws QuoteError QUOTE_DECIMAL */
export function numberOf({ event, place }: MeteredEvent, field: string): string | null {
    const value = event[field];
    if (value == null || decimal.test(value)) return value ?? null;
    throw new QuoteError(
        'QUOTE_DECIMAL',
        `event ${named(event, place)}: ${field} is ${value}, not a decimal of up to 12 places`,
    );
}

/** What an event does to the texts that a unique count counts. @throws QuoteError QUOTE_CHOICE */
export function operationOf({ event, place }: MeteredEvent, field: string): string | null {
    const value = event[field];
    if (value == null || value === 'add' || value === 'remove') return value ?? null;
    throw new QuoteError(
        'QUOTE_CHOICE',
        `event ${named(event, place)}: ${field} is ${value}, neither add nor remove`,
    );
}

/** Amounts of the events that pay, in the order of their instant, id and place. */
export function paidAmounts(line: QuoteLine): readonly string[] {
    const field = (line.meter ?? plainMeter).field;
    return [...meteredEvents(line)]
        .sort(
            (one, other) =>
                (one.at < other.at ? -1 : one.at > other.at ? 1 : 0) ||
                Buffer.compare(
                    Buffer.from(one.event.id ?? ''),
                    Buffer.from(other.event.id ?? ''),
                ) ||
                one.place - other.place,
        )
        .flatMap((event) => numberOf(event, field) ?? []);
}
