import { quoteText } from '../duck/sql.ts';
import { type Calendar, type CalendarWindow, weekdays } from '../schema/config.ts';
import { nearestWord } from '../schema/suggest.ts';
import { isDate, nextDate } from '../time/civil.ts';
import { isZone } from '../time/zone.ts';
import type { Wrong } from './wrong.ts';

/**
 * Calendars as SQL. What a window means, where a word alone would not say:
 *
 * | what | how |
 * |---|---|
 * | times | of the wall clock in the zone: [from, to) |
 * | `to` before `from` | the window runs over midnight and belongs to the day it begins on |
 * | several windows hold an event | the first one names it |
 * | days and dates | on any of these; without both, every day |
 * | the hour that comes twice at the end of summer time | in the window both times |
 * | the hour that is left out at its beginning | has no events: a window in it is empty |
 */
export function calendarSql({ windows, otherwise }: Calendar, civil: string): string {
    const cases = windows.map(
        (window) => `when ${windowSql(window, civil)} then ${quoteText(window.is)}`,
    );
    return `case ${cases.join(' ')} else ${quoteText(otherwise)} end`;
}

/** The civil time of an event in a zone, of which `calendarSql` takes days and times. */
export function civilSql(zone: string): string {
    return zone === 'UTC' ? 'event_at' : `timezone(${quoteText(zone)}, timezone('UTC', event_at))`;
}

const midnight = '00:00:00';
const dayEnd = '24:00:00';
const clock = /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?$/;

/** `hh:mm` and `hh:mm:ss` are one time. */
const withSeconds = (text: string) => (text.length === 5 ? `${text}:00` : text);

function windowSql(window: CalendarWindow, civil: string): string {
    const [from, to] = [withSeconds(window.from), withSeconds(window.to)];
    const time = `cast(${civil} as time)`;
    const after = from === midnight ? [] : [`${time} >= time ${quoteText(from)}`];
    const before = to === dayEnd ? [] : [`${time} < time ${quoteText(to)}`];
    const today = daysSql(window, civil, 0);
    if (from < to) return all([...after, ...before, ...today]);
    // What is left of yesterday's window is in it because of yesterday.
    const late = all([...after, ...today]);
    return `(${late} or ${all([...before, ...daysSql(window, civil, 1)])})`;
}

const all = (conditions: readonly string[]) =>
    conditions.length ? `(${conditions.join(' and ')})` : 'true';

/** The condition that a window begins `ago` days before the civil day; none when it always does. */
function daysSql({ days, dates }: CalendarWindow, civil: string, ago: 0 | 1): readonly string[] {
    if (!days && !dates) return [];
    const numbers = (days ?? []).map((day) => ((weekdays.indexOf(day) + ago) % 7) + 1);
    const on = (dates ?? []).map((date) => (ago ? nextDate(date) : date));
    const conditions = [
        ...(numbers.length ? [`isodow(${civil}) in (${numbers.join(', ')})`] : []),
        ...(on.length
            ? [`cast(${civil} as date) in (${on.map((of) => `date ${quoteText(of)}`).join(', ')})`]
            : []),
    ];
    return [`(${conditions.join(' or ')})`];
}

/** Everything that is wrong with a calendar at a path of the config. */
export function checkCalendar(
    { zone, windows }: Calendar,
    path: readonly (string | number)[],
    wrong: Wrong,
): void {
    if (!isZone(zone)) {
        const near = nearestWord(zone, Intl.supportedValuesOf('timeZone'));
        wrong(
            [...path, 'zone'],
            'UNKNOWN_ZONE',
            `${zone} is not an IANA time zone`,
            near ? `Did you mean ${near}?` : 'Write it like America/New_York.',
        );
    }
    windows.forEach((window, at) => {
        checkWindow(window, [...path, 'windows', at], wrong);
    });
}

function checkWindow(
    { from, to, dates }: CalendarWindow,
    path: readonly (string | number)[],
    wrong: Wrong,
): void {
    const times = [
        ['from', from, clock.test(from)],
        ['to', to, clock.test(to) || withSeconds(to) === dayEnd],
    ] as const;
    for (const [key, text, isTime] of times) {
        if (isTime) continue;
        wrong(
            [...path, key],
            'BAD_TIME',
            `${text} is not a time of the day`,
            'Write it like "08:30" or "08:30:15"; only `to` can be "24:00".',
        );
    }
    if (times.every(([, , isTime]) => isTime) && withSeconds(from) === withSeconds(to)) {
        wrong(
            path,
            'EMPTY_WINDOW',
            `the window ends at ${to}, when it begins`,
            'Leave from and to out for a whole day.',
        );
    }
    (dates ?? []).forEach((date, at) => {
        if (isDate(date)) return;
        wrong(
            [...path, 'dates', at],
            'BAD_DATE',
            `${date} is not a date`,
            'Write it like "2026-02-16".',
        );
    });
}
