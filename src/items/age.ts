import { parseInstant } from '../time/instant.ts';

/** Buckets of ages in days, as reconcilers keep them: the last day of each, and its name. */
const buckets = [
    [1, '0-1'],
    [7, '2-7'],
    [30, '8-30'],
    [60, '31-60'],
    [90, '61-90'],
] as const;

/** All names of buckets, youngest first. */
export const ageBuckets: readonly string[] = [...buckets.map(([, name]) => name), '90+'];

const microsADay = 86_400_000_000n;

/** Whole days between two instants; none below zero. */
export function daysBetween(from: string, to: string): number {
    const days = (parseInstant(to) - parseInstant(from)) / microsADay;
    return Number.parseInt((days < 0n ? 0n : days).toString(), 10);
}

export function ageBucket(days: number): string {
    return buckets.find(([last]) => days <= last)?.[1] ?? '90+';
}
