import { tz } from '@date-fns/tz';
import { addDays } from 'date-fns/addDays';
import { addMonths } from 'date-fns/addMonths';
import { formatISO } from 'date-fns/formatISO';
import { startOfMonth } from 'date-fns/startOfMonth';
import { civilDay } from './civil.ts';
import { fromDate, type Instant } from './instant.ts';

/** A billing period: half-open, in UTC. */
export interface Period {
    readonly start: Instant;
    readonly end: Instant;
}

const month = /^(\d{4})-(0[1-9]|1[0-2])$/;

/** Whether the text names a period: yyyy-MM. */
export function isPeriod(text: string): boolean {
    return month.test(text);
}

/** The month `yyyy-MM` as it runs in a zone. @throws RangeError for anything else. */
export function parsePeriod(text: string, zone: string): Period {
    if (!isPeriod(text)) throw new RangeError(`not a month: ${text}`);
    const context = { in: tz(zone) };
    // Noon of the 15th falls into the month in every zone there is.
    const start = startOfMonth(new Date(`${text}-15T12:00:00Z`), context);
    // Not a month later: where midnight of the first does not exist, a month begins an hour late.
    const end = startOfMonth(addMonths(start, 1, context), context);
    return { start: fromDate(start), end: fromDate(end) };
}

/** The month, yyyy-MM, in which an instant falls in a zone. */
export function monthOf(instant: Instant, zone: string): string {
    return civilDay(instant, zone).slice(0, 7);
}

/** The month so many after another, or before it; both yyyy-MM. */
export function monthAfter(text: string, count: number): string {
    const [year, number] = text.split('-').map(Number);
    const months = (year ?? 0) * 12 + (number ?? 1) - 1 + count;
    const ofYear = `${(months % 12) + 1}`.padStart(2, '0');
    return `${`${Math.floor(months / 12)}`.padStart(4, '0')}-${ofYear}`;
}

/** Months and zones are few, are asked for again and again, and take milliseconds to find. */
const starts = new Map<string, Instant>();

/** The first instant of a month in a zone. */
export function monthStart(text: string, zone: string): Instant {
    const key = `${text} ${zone}`;
    const start = starts.get(key) ?? parsePeriod(text, zone).start;
    starts.set(key, start);
    return start;
}

/** Whether a month begins with an instant in a zone. */
export function isMonthStart(instant: Instant, zone: string): boolean {
    return monthStart(monthOf(instant, zone), zone) === instant;
}

/**
 * The UTC days, yyyy-MM-dd, in which data of a period may be stored: from a day before it (zones
 * east of UTC, debits booked early) to the day of `until`.
 */
export function daysOf(text: string, until: Date): readonly string[] {
    const context = { in: tz('UTC') };
    const first = addDays(new Date(`${text}-01T00:00:00Z`), -1, context);
    const days: string[] = [];
    for (let day = first; day <= until; day = addDays(day, 1, context)) {
        days.push(formatISO(day, { ...context, representation: 'date' }));
    }
    return days;
}
