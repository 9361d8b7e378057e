import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { caseNames, casesFolder, expectedFiles, periodsOf, runCase } from '../fixtures/cases.ts';
import { amountFigure, sum } from '../src/report/figures.ts';

/*
 * Whole projects with every figure worked out by hand: fixtures/cases. `npm run cases:update` writes
 * what they give now. Three of one month here, the others: cases.slow.test.ts; those of several months, and all with
 * eight threads: cases.long.test.ts.
 */
const ofOneMonth = caseNames.filter((name) => periodsOf(name).length === 1);

test.each(ofOneMonth.slice(0, 3))('case %s gives its files, to the byte', async (name) => {
    expect(await runCase(name, 1)).toEqual(expectedFiles(name));
});

describe.each(caseNames)('case %s', (name) => {
    const out = expectedFiles(name);

    // What is written anew by a script must still be what the story says.
    test('its README has the total of every invoice and every margin', () => {
        const story = readFileSync(join(casesFolder, name, 'README.md'), 'utf8');
        const figures = periodsOf(name).flatMap((period) => {
            const rows = (file: string) =>
                parseCsv<Record<string, string>>(out[`${period}/${file}`] ?? '', {
                    ...{ columns: true, bom: true },
                });
            const lines = [...rows('line_items.csv'), ...rows('sale_lines.csv')];
            const invoices = Map.groupBy(lines, (of) => `${of.seller_id ?? ''} ${of.invoice_key}`);
            const totals = [...invoices].map(([, of]) => [
                of[0]?.payer_id,
                amountFigure(sum(of.map(({ amount = '' }) => amount)), of[0]?.currency ?? ''),
            ]);
            const margins = rows('margins.csv').map(({ seller_id, margin = '', currency = '' }) => [
                seller_id,
                amountFigure(margin, currency),
            ]);
            return [...totals, ...margins];
        });
        expect(figures.length).toBeGreaterThan(0);
        const missing = figures.filter(
            ([whose, figure]) => !new RegExp(`${whose}.*\\b${figure}\\b`).test(story),
        );
        expect(missing).toEqual([]);
    });
});
