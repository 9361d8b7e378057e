/**
 * What runs on every change takes a few of a matrix or of many random worlds, always the same ones;
 * `npm run test:long` says TIEOUT_RUNS=all.
 */
export const takesAll = process.env.TIEOUT_RUNS === 'all';

/** A few of a matrix, from its first to its last. */
export function fewOf<T>(all: readonly T[], few: number): readonly T[] {
    if (takesAll || few >= all.length) return all;
    const step = few > 1 ? (all.length - 1) / (few - 1) : 0;
    return Array.from({ length: few }, (_, at) => all[Math.round(at * step)] as T);
}
