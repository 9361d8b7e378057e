import { expect, test } from 'vitest';
import { caseNames, expectedFiles, runCase } from '../../fixtures/cases.ts';

/** test/cases.test.ts runs them with one thread. */
test.each(caseNames)('case %s gives the same bytes with eight threads', async (name) => {
    expect(await runCase(name, 8)).toEqual(expectedFiles(name));
});
