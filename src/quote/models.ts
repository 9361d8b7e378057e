import type { QuoteLine } from '../schema/quote.ts';

/** Models whose quantity is an amount. */
export function isOfAmounts(model: string): boolean {
    return model === 'percentage' || model === 'dynamic';
}

/**
 * Whether each event of a line is priced on its own. A markup is the same on the sum; and any
 * other aggregation makes one amount.
 */
export function isPricedByEvent({ charge, events, meter }: QuoteLine): boolean {
    return (
        charge.model === 'percentage' &&
        events !== undefined &&
        (meter?.aggregation ?? 'sum') === 'sum'
    );
}
