import { tz } from '@date-fns/tz';
import { formatISO } from 'date-fns';
import type { Instant } from './instant.ts';

/** The civil date, yyyy-MM-dd, on which an instant falls in a zone. */
export function civilDay(instant: Instant, zone: string): string {
    // Cut to milliseconds downwards: no zone changes its date within one.
    const millis = instant / 1000n - (instant % 1000n < 0n ? 1n : 0n);
    const date = new Date(Number.parseInt(millis.toString(), 10));
    return formatISO(date, { in: tz(zone), representation: 'date' });
}
