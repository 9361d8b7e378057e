import { tz } from '@date-fns/tz';
import { addDays } from 'date-fns/addDays';
import { differenceInCalendarDays } from 'date-fns/differenceInCalendarDays';
import { formatISO } from 'date-fns/formatISO';
import { isValid } from 'date-fns/isValid';
import { parseISO } from 'date-fns/parseISO';
import { type Instant, parseInstant } from './instant.ts';

/** The civil date, yyyy-MM-dd, on which an instant falls in a zone. */
export function civilDay(instant: Instant, zone: string): string {
    // Cut to milliseconds downwards: no zone changes its date within one.
    const millis = instant / 1000n - (instant % 1000n < 0n ? 1n : 0n);
    const date = new Date(Number.parseInt(millis.toString(), 10));
    return formatISO(date, { in: tz(zone), representation: 'date' });
}

const utc = { in: tz('UTC') };

/** Whether the text is a date, yyyy-MM-dd, that exists. */
export function isDate(text: string): boolean {
    return /^\d{4}-\d\d-\d\d$/.test(text) && isValid(parseISO(text, utc));
}

/** The date after a date. */
export function nextDate(date: string): string {
    return formatISO(addDays(parseISO(date, utc), 1, utc), { ...utc, representation: 'date' });
}

/** Days since 1970 of a date: differences of them count days. */
export function dayNumber(date: string): bigint {
    return parseInstant(`${date}T00:00:00Z`) / 86_400_000_000n;
}

/** How many civil dates begin in a zone from the date of one instant up to that of another. */
export function civilDays(from: Instant, to: Instant, zone: string): bigint {
    return dayNumber(civilDay(to, zone)) - dayNumber(civilDay(from, zone));
}

/** How many days after a date another one is. */
export function daysBetween(date: string, later: string): number {
    return differenceInCalendarDays(parseISO(later, utc), parseISO(date, utc), utc);
}
