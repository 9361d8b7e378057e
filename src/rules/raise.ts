import { type Amount, add, formatAmount, multiply, negate, parseAmount } from '../money/amount.ts';
import type { Terms } from '../schema/terms.ts';

/** Prices of terms, by key. Not among them: minimum, maximum, discounts, and what is free. */
const prices: ReadonlySet<string> = new Set([
    ...['unit_price', 'flat_fee', 'package_price', 'price', 'fee', 'percent'],
    'fixed_fee_per_event',
]);

/** Terms with every price of their model multiplied, and those prices, each as it became. */
export function raiseTerms(
    terms: Terms,
    factor: Amount,
): { readonly terms: Terms; readonly prices: readonly string[] } {
    const raised: string[] = [];
    const times = (text: string, by: Amount) => {
        const price = formatAmount(multiply(parseAmount(text), by));
        raised.push(price);
        return price;
    };
    const walk = (of: unknown): unknown => {
        if (Array.isArray(of)) return of.map(walk);
        if (typeof of !== 'object' || of === null) return of;
        return Object.fromEntries(
            Object.entries(of).map(([key, value]) => {
                // A percent of a discount takes off, it is no price.
                if (key === 'discounts') return [key, value];
                if (key === 'markup_percent') return [key, compounded(String(value), factor)];
                return prices.has(key) && typeof value === 'string'
                    ? [key, times(value, factor)]
                    : [key, walk(value)];
            }),
        );
    };
    const compounded = (percent: string, by: Amount) => {
        const hundred = parseAmount('100');
        const whole = multiply(add(hundred, parseAmount(percent)), by);
        const markup = formatAmount(add(whole, negate(hundred)));
        raised.push(markup);
        return markup;
    };
    return { terms: walk(terms) as Terms, prices: raised };
}
