import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settledLines } from '../support/settlements.ts';
import { againstOracle, oracleLines } from './quote.world.ts';
import { settledQuote } from './slow-draw-down.ts';

/** Random commitments and grants through the stages and through the oracle. */
const { differences, expectAlone } = againstOracle(settledQuote);

describe('commitments and grants of a quote are what the oracle says', () => {
    test.each([1, 2, 3])('random lines, seed %i', async (seed) => {
        const lines = fc.sample(settledLines, { numRuns: Math.ceil(oracleLines / 3), seed });
        expect((await differences(lines)).slice(0, 3)).toEqual([]);
    });

    test('the answer does not depend on the lines around it', () =>
        expectAlone(fc.sample(settledLines, { numRuns: 40, seed: 4 })));
});
