import { test } from 'vitest';
import { holdsFor, runsOf } from '../support/arbitraries.ts';
import { forests, month, nightOfForest, sameFacts } from '../support/forests.ts';
import { chargeFacts, chargesOf, type Forest, lineFacts } from './slow-tree.ts';

/*
 * The pipeline against the oracle of trees, over random forests. TIEOUT_ORACLE_RUNS=500 asks for more
 * and new ones, TIEOUT_ORACLE_SEED brings back those of a failure; see slow-tree.ts.
 */
async function agrees(forest: Forest): Promise<void> {
    const { charges, lines } = await nightOfForest(forest);
    const expected = chargesOf(forest, month);
    sameFacts(forest, charges, chargeFacts(expected));
    sameFacts(forest, lines, lineFacts(forest, expected, month.end));
}

test('payers, pools, contracts, shares and lines of random trees', { timeout: 3_600_000 }, () =>
    holdsFor(forests(40), { runs: runsOf(1, 1), together: 2, shrinks: false }, agrees),
);
