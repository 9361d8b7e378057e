import type { QuoteLine } from '../schema/quote.ts';
import type { GroupUsage } from './units.ts';

/** A line on its way to a price. */
export interface Job {
    /** Ids may repeat in a file; keys do not. */
    readonly key: string;
    readonly line: QuoteLine;
    /** As metered: one for each group, or for each window of a commitment in their order. */
    readonly usage: readonly GroupUsage[];
}
