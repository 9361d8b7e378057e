import { expect, test } from 'vitest';
import { caseNames, expectedFiles, periodsOf, runCase } from '../fixtures/cases.ts';

const ofSeveralMonths = caseNames.filter((name) => periodsOf(name).length > 1);

test.each(ofSeveralMonths)('case %s gives its files, to the byte', async (name) => {
    expect(await runCase(name, 1)).toEqual(expectedFiles(name));
});

test.each(caseNames)('case %s gives the same bytes with eight threads', async (name) => {
    expect(await runCase(name, 8)).toEqual(expectedFiles(name));
});
