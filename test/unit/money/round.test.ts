import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
    add,
    compare,
    formatAmount,
    multiply,
    negate,
    parseAmount,
} from '../../../src/money/amount.ts';
import { type Rounding, round, roundShare } from '../../../src/money/round.ts';

const rounded = (text: string, scale: number, rounding?: Rounding) =>
    formatAmount(round(parseAmount(text), scale, rounding), { minScale: scale });

describe('half away from zero, the default', () => {
    test.each([
        ['2.345', 2, '2.35'],
        ['-2.345', 2, '-2.35'],
        ['2.344999999999', 2, '2.34'],
        ['-2.344999999999', 2, '-2.34'],
        ['0.005', 2, '0.01'],
        ['-0.005', 2, '-0.01'],
        ['0.004999', 2, '0.00'],
        ['-0.004999', 2, '0.00'],
        ['0.5', 0, '1'],
        ['-0.5', 0, '-1'],
        ['1.0005', 3, '1.001'],
        ['7', 2, '7.00'],
        ['99999999999999999999.995', 2, '100000000000000000000.00'],
    ])('%s to %i decimals is %s', (from, scale, to) => expect(rounded(from, scale)).toBe(to));
});

describe('half even', () => {
    test.each([
        ['2.345', 2, '2.34'],
        ['2.355', 2, '2.36'],
        ['-2.345', 2, '-2.34'],
        ['-2.355', 2, '-2.36'],
        ['0.5', 0, '0'],
        ['1.5', 0, '2'],
        ['-1.5', 0, '-2'],
        ['2.5', 0, '2'],
        ['2.50000000001', 0, '3'],
    ])('%s to %i decimals is %s', (from, scale, to) =>
        expect(rounded(from, scale, 'half_even')).toBe(to),
    );
});

describe('any rounding', () => {
    const anything = fc.record({
        units: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        scale: fc.integer({ min: 0, max: 12 }),
    });
    const places = fc.integer({ min: 0, max: 12 });
    const modes = fc.constantFrom<Rounding>('half_away', 'half_even');

    test('moves the value by half a unit at most, never changes a rounded one, and is odd', () => {
        fc.assert(
            fc.property(anything, places, modes, (amount, scale, mode) => {
                const result = round(amount, scale, mode);
                expect(result.scale).toBe(scale);
                const moved = add(result, negate(amount));
                const size = moved.units < 0n ? negate(moved) : moved;
                const twice = multiply(size, { units: 2n, scale: 0 });
                expect(compare(twice, { units: 1n, scale })).toBeLessThanOrEqual(0);
                expect(round(result, scale, mode)).toEqual(result);
                expect(round(negate(amount), scale, mode)).toEqual(negate(result));
            }),
        );
    });

    test('the two differ only where exactly half is left', () => {
        fc.assert(
            fc.property(anything, places, (amount, scale) => {
                const away = round(amount, scale, 'half_away');
                const even = round(amount, scale, 'half_even');
                if (away.units === even.units) return;
                expect(even.units % 2n).toBe(0n);
                const left = add(amount, negate(even));
                expect(compare(multiply(left, left), { units: 25n, scale: 2 * scale + 2 })).toBe(0);
            }),
        );
    });
});

describe('a share', () => {
    const share = (text: string, parts: bigint, whole: bigint, to: number) =>
        formatAmount(roundShare(parseAmount(text), parts, whole, to), { minScale: to });

    test.each([
        ['1200', 22n, 31n, 2, '851.61'],
        ['1200.00', 9n, 31n, 2, '348.39'],
        ['1', 1n, 2n, 0, '1'],
        ['1', 1n, 3n, 0, '0'],
        ['-1', 1n, 2n, 0, '-1'],
        ['-1', 1n, 3n, 0, '0'],
        ['0.155', 1n, 31n, 2, '0.01'],
        ['0.005', 1n, 1n, 2, '0.01'],
        ['7', 0n, 31n, 2, '0.00'],
        ['99999999999999999999999999', 1n, 3n, 12, '33333333333333333333333333.000000000000'],
    ])('%s x %s of %s to %i decimals is %s', (text, parts, whole, to, expected) => {
        expect(share(text, parts, whole, to)).toBe(expected);
    });

    test('of all is what rounding it is', () => {
        fc.assert(
            fc.property(
                fc.bigInt(-(10n ** 20n), 10n ** 20n),
                fc.integer({ min: 0, max: 6 }),
                (units, to) => {
                    const amount = { units, scale: 4 };
                    expect(roundShare(amount, 7n, 7n, to)).toEqual(round(amount, to));
                },
            ),
        );
    });
});
