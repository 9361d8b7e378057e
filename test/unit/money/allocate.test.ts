import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/assert.ts';
import { allocate } from '../../../src/money/allocate.ts';

const sum = (parts: readonly bigint[]) => parts.reduce((total, part) => total + part, 0n);
const size = (value: bigint) => (value < 0n ? -value : value);

describe('allocate', () => {
    test.each([
        ['equal remainders go in the order given', 100n, [1n, 1n, 1n], [34n, 33n, 33n]],
        ['the largest remainders first', 10n, [1n, 5n, 6n], [1n, 4n, 5n]],
        ['a weight of zero gets nothing', 7n, [0n, 1n, 0n], [0n, 7n, 0n]],
        ['a negative sum is split alike', -100n, [1n, 1n, 1n], [-34n, -33n, -33n]],
        ['nothing is split into nothing', 0n, [3n, 4n], [0n, 0n]],
        ['fewer units than parts', 2n, [1n, 1n, 1n, 1n], [1n, 1n, 0n, 0n]],
        ['one part is the whole', 5n, [9n], [5n]],
    ])('%s', (_what, units, weights, parts) => expect(allocate(units, weights)).toEqual(parts));

    test('no weight at all, or one below zero, is a defect', () => {
        expect(() => allocate(1n, [])).toThrow(InvariantError);
        expect(() => allocate(1n, [0n, 0n])).toThrow('ALLOCATE_NO_WEIGHT');
        expect(() => allocate(1n, [2n, -1n])).toThrow('ALLOCATE_NEGATIVE_WEIGHT');
    });

    const units = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
    const weights = fc
        .array(fc.bigInt({ min: 0n, max: 10n ** 15n }), { minLength: 1, maxLength: 30 })
        .filter((all) => all.some((weight) => weight > 0n));

    test('the parts are the whole, and each is within one unit of its exact share', () => {
        fc.assert(
            fc.property(units, weights, (whole, all) => {
                const parts = allocate(whole, all);
                const total = sum(all);
                expect(sum(parts)).toBe(whole);
                parts.forEach((part, index) => {
                    const off = part * total - whole * (all[index] ?? 0n);
                    expect(size(off)).toBeLessThan(total);
                });
            }),
        );
    });

    test('is odd, and a larger weight never gets less', () => {
        fc.assert(
            fc.property(units, weights, (whole, all) => {
                const parts = allocate(whole, all);
                expect(allocate(-whole, all)).toEqual(parts.map((part) => -part));
                const sizes = parts.map(size);
                const ranked = all
                    .map((weight, index) => ({ weight, part: sizes[index] ?? 0n }))
                    .sort((a, b) => (a.weight < b.weight ? -1 : a.weight > b.weight ? 1 : 0));
                for (const [index, one] of ranked.entries()) {
                    const next = ranked[index + 1];
                    if (next && next.weight > one.weight) expect(next.part >= one.part).toBe(true);
                }
            }),
        );
    });

    test('scaling all weights changes nothing', () => {
        fc.assert(
            fc.property(units, weights, fc.bigInt({ min: 1n, max: 1000n }), (whole, all, by) => {
                const scaled = all.map((weight) => weight * by);
                expect(allocate(whole, scaled)).toEqual(allocate(whole, all));
            }),
        );
    });
});
