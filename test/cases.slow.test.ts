import { expect, test } from 'vitest';
import { caseNames, expectedFiles, periodsOf, runCase } from '../fixtures/cases.ts';

const ofOneMonth = caseNames.filter((name) => periodsOf(name).length === 1);

test.each(ofOneMonth.slice(3))('case %s gives its files, to the byte', async (name) => {
    expect(await runCase(name, 1)).toEqual(expectedFiles(name));
});
