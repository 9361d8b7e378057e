import { forever, type Instant } from '../time/instant.ts';
import { monthAfter, monthOf, monthStart } from '../time/period.ts';

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
    if (every === 'term') return [{ from, to, whole: { from, to } }];
    const end = to < until ? to : until;
    const windows: Window[] = [];
    let month = monthOf(from, zone);
    for (let start = monthStart(month, zone); start < end; ) {
        month = monthAfter(month, monthsOf[every]);
        const next = monthStart(month, zone);
        windows.push({
            from: start > from ? start : from,
            to: next < to ? next : to,
            whole: { from: start, to: next },
        });
        start = next;
    }
    return windows;
}

/** The begin of the month that comes so many after the one in which an instant lies. */
export function monthsLater(instant: Instant, count: number, zone: string): Instant {
    return monthStart(monthAfter(monthOf(instant, zone), count), zone);
}

/** Whether two spans have an instant in common. */
export function overlap(one: TimeSpan, other: TimeSpan): boolean {
    return one.from < other.to && other.from < one.to;
}

/** Whether a span has an end. */
export function isEnded({ to }: TimeSpan): boolean {
    return to < forever;
}
