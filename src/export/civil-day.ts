import { invariant } from '../assert.ts';
import { formatInstant, parseInstant } from '../time/instant.ts';

/** Days by zone and instant: the lines of a month begin and end at a few instants. */
const days = new Map<string, string>();

/** The civil date, YYYY-MM-DD, on which an instant falls in a zone. */
export function dayOf(instant: string, zone: string): string {
    const key = `${zone} ${instant}`;
    const known = days.get(key) ?? computedDay(instant, zone);
    days.set(key, known);
    return known;
}

function computedDay(instant: string, zone: string): string {
    const parts = new Map(
        formatter(zone)
            .formatToParts(new Date(instant))
            .map((part) => [part.type, part.value]),
    );
    return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
}

/** The last civil date, in a zone, of a time that ends before `end`: half-open becomes inclusive. */
export function lastDayBefore(end: string, zone: string): string {
    return dayOf(formatInstant(parseInstant(end) - 1n), zone);
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string): Intl.DateTimeFormat {
    const known = formatters.get(zone);
    if (known) return known;
    // Zones are checked where accounts are read: an unknown one here is a defect.
    const made = tryFormatter(zone);
    invariant(made !== undefined, 'EXPORT_ZONE_UNKNOWN', { zone });
    formatters.set(zone, made);
    return made;
}

function tryFormatter(timeZone: string): Intl.DateTimeFormat | undefined {
    try {
        return new Intl.DateTimeFormat('en-CA', {
            timeZone,
            calendar: 'gregory',
            numberingSystem: 'latn',
            year: 'numeric',
            month: '2-digit',
            day: '2-digit',
        });
    } catch {
        return undefined;
    }
}
