import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type BreakCode, breakCodes } from '../../../src/report/break-codes.ts';

/* The catalogue is whole: whatever it has is provoked somewhere, and nothing is raised that it has not. */

const root = join(import.meta.dirname, '../../..');
const textsIn = (folder: string, wanted: RegExp) =>
    readdirSync(join(root, folder))
        .filter((name) => wanted.test(name))
        .map((name) => readFileSync(join(root, folder, name), 'utf8'))
        .join('\n');

const fates = Map.groupBy(Object.entries(breakCodes), ([, { fate }]) => fate);
const codesOf = (fate: BreakCode['fate']) => (fates.get(fate) ?? []).map(([code]) => code);

test('codes that are no breaks: expected, or accepted', () => {
    expect(codesOf('counted')).toEqual(['DUP_METER_SAME', 'NON_USAGE']);
    expect(codesOf('accepted')).toEqual(['AMOUNT_ROUNDING']);
});

test.each(Object.keys(breakCodes))('%s has a test that begins with it and provokes it', (code) => {
    // What comes after a month was closed is no row of any stage: a backfill finds it.
    const tests =
        code === 'TIMING_LATE'
            ? textsIn('test/run', /^backfill-late\.slow\.test\.ts$/)
            : textsIn('test/stages', /^70-reconcile\..*\.test\.ts$/);
    expect(tests).toMatch(new RegExp(`['\`]${code}: `));
});

test('every code that reconciliation can give is in the catalogue', () => {
    const selects = textsIn('pipelines/70-reconcile', /\.sql$/).replaceAll(/--.*$/gm, '');
    const macros = readFileSync(join(root, 'pipelines/macros.sql'), 'utf8');
    // Codes are the only texts of capitals, but for rules (R1) and steps of functions.
    const raised = [...`${selects}${macros}`.matchAll(/'([A-Z][A-Z_]{5,})'/g)].map(([, of]) => of);
    expect(raised.length).toBeGreaterThan(20);
    expect([...new Set(raised)].filter((of) => !Object.hasOwn(breakCodes, `${of}`))).toEqual([]);
    const breaks = new Set(raised);
    const raisedElsewhere = ['TIMING_LATE'];
    expect(
        codesOf('break').filter((of) => !breaks.has(of) && !raisedElsewhere.includes(of)),
    ).toEqual([]);
});
