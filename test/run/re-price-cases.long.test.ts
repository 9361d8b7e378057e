import { expect, test } from 'vitest';
import { expectedFiles, runCase } from '../../fixtures/cases.ts';
import { runPipeline } from '../../src/run/pipeline.ts';
import { rePrice } from '../../src/run/re-price.ts';

/*
 * Pools, sellers, commitments, grants, wallets and corrections: at the same prices nothing may move,
 * breaks and settlements included.
 */
test.each([
    'correction',
    'euro-payer',
    'pooled-departments',
    'prepaid-commitment',
    'reseller-channel',
    'term-in-three-months',
    'token-wallet',
    'two-grants',
])('case %s, priced anew from its partials, gives the same files', async (name) => {
    const files = await runCase(name, 1, async (project, effects, options) => {
        await runPipeline(project, effects, options);
        return rePrice(project, effects, options);
    });
    expect(files).toEqual(expectedFiles(name));
});
