import { civilDay } from '../time/civil.ts';
import { forever, type Instant } from '../time/instant.ts';
import { monthAfter, monthStart } from '../time/period.ts';

/** A half-open span of time. */
export interface TimeSpan {
    readonly from: Instant;
    readonly to: Instant;
}

/** How often something begins anew. */
export type Every = 'month' | 'quarter' | 'year';

/** A window as its contract cuts it, with what it would be if the contract did not. */
export interface Window extends TimeSpan {
    readonly whole: TimeSpan;
    /** The month, yyyy-MM, and the civil date in which it begins. */
    readonly month: string;
    readonly date: string;
}

const monthsOf: Readonly<Record<Every, number>> = { month: 1, quarter: 3, year: 12 };

/**
 * The windows of a contract that begin before an instant, in order: whole months in the zone of who
 * pays, counted from the one in which the contract begins; or its term, which nothing cuts.
 */
export function windowsOf(
    every: Every | 'term',
    { from, to }: TimeSpan,
    { zone, until }: { readonly zone: string; readonly until: Instant },
): readonly Window[] {
    if (from >= until) return [];
    const date = civilDay(from, zone);
    const first = { month: date.slice(0, 7), date };
    if (every === 'term') return [{ from, to, whole: { from, to }, ...first }];
    const end = to < until ? to : until;
    const windows: Window[] = [];
    let { month } = first;
    for (let start = monthStart(month, zone); start < end; ) {
        const after = monthAfter(month, monthsOf[every]);
        const next = monthStart(after, zone);
        windows.push({
            from: start > from ? start : from,
            to: next < to ? next : to,
            whole: { from: start, to: next },
            ...(windows.length === 0 ? first : { month, date: `${month}-01` }),
        });
        start = next;
        month = after;
    }
    return windows;
}

/** Whether two spans have an instant in common. */
export function overlap(one: TimeSpan, other: TimeSpan): boolean {
    return one.from < other.to && other.from < one.to;
}

/** Whether a span has an end. */
export function isEnded({ to }: TimeSpan): boolean {
    return to < forever;
}
