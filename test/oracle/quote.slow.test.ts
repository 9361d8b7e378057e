import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteLines } from '../support/charges.ts';
import { againstOracle, oracleLines } from './quote.world.ts';
import { quote } from './slow-pricer.ts';

/** Random lines through the pricing stage and through the oracle. */
const { differences, expectAlone } = againstOracle(quote);

describe('quote says what the oracle says', () => {
    test.each([1, 2, 3])('random lines, seed %i', async (seed) => {
        const lines = fc.sample(quoteLines, { numRuns: Math.ceil(oracleLines / 3), seed });
        expect((await differences(lines)).slice(0, 3)).toEqual([]);
    });

    test('the answer does not depend on the lines around it', () =>
        expectAlone(fc.sample(quoteLines, { numRuns: 60, seed: 4 })));
});
