import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, expect, test } from 'vitest';
import { takesAll } from '../support/how-many.ts';
import { monthsProject, used } from '../support/months.ts';
import { lines, tieout } from '../support/terminal.ts';

/*
 * north has a grant of 100.00. October used 75.00 of it and is closed; 100 calls at 0.05 come late. The
 * grant pays them too: nothing is to be paid, but November may not open with 25.00 that are not there.
 */
const project = monthsProject({
    'contracts.yaml': `contracts:
  - contract: north-1
    account: north
    from: 2026-10-01T00:00:00Z
    cards: [{ card: card.yaml }]
    grants: [{ grant: hello, amount: "100.00" }]
`,
});
afterAll(project.remove);
const cwd = project.folder;
project.write(
    'tieout.yaml',
    `${readFileSync(join(cwd, 'tieout.yaml'), 'utf8')}openings: previous\n`,
);
let now = '2026-11-05T09:00:00Z';
const type = (...line: readonly string[]) => tieout(line, { cwd, now });
const backfill = (...more: readonly string[]) =>
    type(
        'backfill',
        '--from',
        '2026-10',
        '--to',
        '2026-10',
        '--reason',
        'late',
        '--by',
        'bob',
        ...more,
    );

/** What a month has left of the grant, and its lines of other months. */
async function made(period: string) {
    const { out } = await type('run', '--period', period, '--json');
    const rows = (name: string) =>
        parse<Record<string, string>>(readFileSync(join(JSON.parse(out).folder, name), 'utf8'), {
            columns: true,
        });
    return {
        left: rows('closings.csv').map(({ quantity }) => quantity),
        corrections: rows('line_items.csv')
            .filter(({ corrects_period }) => corrects_period !== '')
            .map(({ line_type, amount }) => `${line_type} ${amount}`),
    };
}

let id = '';
test('a correction that a grant pays takes it from what the next month opens with', async () => {
    expect(await made('2026-10')).toEqual({ left: ['25'], corrections: [] });
    await type('close', '--period', '2026-10', '--by', 'ada');
    expect(await made('2026-11')).toEqual({ left: ['23'], corrections: [] });
    project.write(
        'data/usage/late.ndjson',
        lines([used('x', 'north', '2026-10-30', { calls: 100 })]),
    );
    const said = await backfill('--apply');
    expect(said).toMatchObject({ exit: 0, err: '' });
    expect(said.out).toContain('2026-11 would open with something else');
    id = /^backfill +(\w+)/.exec(said.out)?.[1] ?? '';
    expect(await made('2026-11')).toEqual({
        left: ['18'],
        corrections: ['credit_adjustment -5.00', 'debit_adjustment 5.00'],
    });
    expect((await backfill('--apply')).out).toContain('2026-10: nothing was to be applied');
});

test('reverted, it opens with what was there', async () => {
    await type('backfill', '--revert', id, '--reason', 'no');
    expect(await made('2026-11')).toEqual({ left: ['23'], corrections: [] });
});

test.runIf(takesAll)('once November is closed, it cannot open with anything else', async () => {
    await backfill('--apply');
    now = '2026-12-05T09:00:00Z';
    expect((await made('2026-11')).left).toEqual(['18']);
    expect((await type('close', '--period', '2026-11', '--by', 'ada')).exit).toBe(0);
    const reverted = await type('backfill', '--revert', id, '--reason', 'no');
    expect(reverted).toMatchObject({ exit: 2, out: '' });
    expect(reverted.err).toContain('REVERT_REFUSED');
    project.write(
        'data/usage/later.ndjson',
        lines([used('y', 'north', '2026-10-29', { calls: 20 })]),
    );
    const again = await backfill('--apply');
    expect(again.exit).toBe(1);
    expect(again.out).toContain(
        'north: the next month was opened with something else of contract north-1',
    );
    expect(again.out).toContain('2026-10: nothing was to be applied');
    expect((await made('2026-12')).left).toEqual(['15']);
});
