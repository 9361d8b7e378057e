import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
    type Amount,
    add,
    compare,
    formatAmount,
    multiply,
    negate,
    parseAmount,
} from '../../../src/money/amount.ts';

const amounts = fc
    .tuple(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.integer({ min: 0, max: 15 }))
    .map(([units, scale]): Amount => ({ units, scale }));
const text = (amount: Amount) => formatAmount(amount);

describe('decimal text', () => {
    test.each([
        ['0', '0'],
        ['-0', '0'],
        ['-0.00', '0'],
        ['007.10', '7.1'],
        ['-0.000000000001', '-0.000000000001'],
        ['100', '100'],
        ['12345678901234567890.123456', '12345678901234567890.123456'],
    ])('%s reads as %s', (from, to) => expect(text(parseAmount(from))).toBe(to));

    test.each(['', ' 1', '1 ', '+1', '1.', '.5', '1e3', '1,000', '0x1', 'NaN', '--1', '１', '1\n'])(
        '%j is not a decimal',
        (from) => expect(() => parseAmount(from)).toThrow(RangeError),
    );

    test('minScale keeps zeros, and adds them', () => {
        expect(formatAmount(parseAmount('12.5'), { minScale: 2 })).toBe('12.50');
        expect(formatAmount(parseAmount('12'), { minScale: 3 })).toBe('12.000');
        expect(formatAmount(parseAmount('12.5000'), { minScale: 2 })).toBe('12.50');
        expect(formatAmount(parseAmount('12.567'), { minScale: 2 })).toBe('12.567');
        expect(formatAmount(parseAmount('-0.004'), { minScale: 2 })).toBe('-0.004');
    });

    test('reading what was written gives the value back', () => {
        fc.assert(
            fc.property(amounts, fc.integer({ min: 0, max: 20 }), (amount, minScale) => {
                const back = parseAmount(formatAmount(amount, { minScale }));
                expect(compare(back, amount)).toBe(0);
            }),
        );
    });
});

describe('arithmetic is exact', () => {
    test('over scales', () => {
        expect(text(add(parseAmount('0.1'), parseAmount('0.2')))).toBe('0.3');
        expect(text(add(parseAmount('1'), parseAmount('-0.999')))).toBe('0.001');
        expect(text(multiply(parseAmount('60000000000'), parseAmount('0.000003')))).toBe('180000');
        expect(text(multiply(parseAmount('-1.5'), parseAmount('0.02')))).toBe('-0.03');
        expect(text(negate(parseAmount('-1.5')))).toBe('1.5');
    });

    test('sums and products keep the laws', () => {
        fc.assert(
            fc.property(amounts, amounts, amounts, (a, b, c) => {
                expect(text(add(a, b))).toBe(text(add(b, a)));
                expect(text(add(add(a, b), c))).toBe(text(add(a, add(b, c))));
                expect(text(multiply(a, add(b, c)))).toBe(
                    text(add(multiply(a, b), multiply(a, c))),
                );
                expect(text(add(a, negate(a)))).toBe('0');
            }),
        );
    });

    test('compare is by value, whatever the scale', () => {
        expect(compare(parseAmount('1.10'), parseAmount('1.1'))).toBe(0);
        expect(compare(parseAmount('-2'), parseAmount('1'))).toBe(-1);
        expect(compare(parseAmount('0.1'), parseAmount('0.09'))).toBe(1);
    });
});
