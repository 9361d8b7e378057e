import { invariant } from '../assert.ts';

/**
 * Splits a whole number of minor units by weight: each part within one unit of its exact share,
 * all parts together the whole. What is left after cutting goes to the largest remainders; equal
 * ones in the order given (largest remainder method, also named after Hamilton).
 * @param weights not negative, not all zero.
 */
export function allocate(units: bigint, weights: readonly bigint[]): readonly bigint[] {
    const total = weights.reduce((sum, weight) => sum + weight, 0n);
    invariant(
        weights.every((weight) => weight >= 0n),
        'ALLOCATE_NEGATIVE_WEIGHT',
        { weights: weights.map(String) },
    );
    invariant(total > 0n, 'ALLOCATE_NO_WEIGHT', { units: units.toString() });
    const sign = units < 0n ? -1n : 1n;
    const size = units * sign;
    const parts = weights.map((weight) => (size * weight) / total);
    const left = size - parts.reduce((sum, part) => sum + part, 0n);
    const byRemainder = weights
        .map((weight, index) => ({ index, remainder: (size * weight) % total }))
        .sort((one, other) =>
            one.remainder === other.remainder
                ? one.index - other.index
                : one.remainder > other.remainder
                  ? -1
                  : 1,
        );
    for (let at = 0n; at < left; at += 1n) {
        const { index } = byRemainder[Number.parseInt(at.toString(), 10)] ?? { index: 0 };
        parts[index] = (parts[index] ?? 0n) + 1n;
    }
    return parts.map((part) => part * sign);
}
