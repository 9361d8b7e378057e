import { describe, expect, test } from 'vitest';
import { currencyExponent, isCurrency } from '../../../src/money/currency.ts';

describe('ISO 4217', () => {
    test.each([
        ['USD', 2],
        ['EUR', 2],
        ['JPY', 0],
        ['KRW', 0],
        ['ISK', 0],
        ['UGX', 0],
        ['BHD', 3],
        ['KWD', 3],
        ['CLF', 4],
    ])('%s has %i decimals', (code, digits) => {
        expect(currencyExponent(code)).toBe(digits);
        expect(isCurrency(code)).toBe(true);
    });

    test.each(['usd', 'Usd', 'US', 'USDT', 'ZZZ', '', ' USD', 'credits', '840', 'toString'])(
        '%j is no currency',
        (code) => {
            expect(currencyExponent(code)).toBeUndefined();
            expect(isCurrency(code)).toBe(false);
        },
    );
});
