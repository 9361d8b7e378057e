import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountsWith, cardAt, monthsProject, used } from '../support/months.ts';
import { lines, tieout } from '../support/terminal.ts';

/*
 * October is closed and November open when images turn out to cost 1.20 from the beginning: what a
 * backfill finds from partials is what it finds from objects.
 */
const project = monthsProject();
afterAll(project.remove);
const cwd = project.folder;
const now = '2026-12-05T09:00:00Z';
const type = (line: string) => tieout(line, { cwd, now });
const backfill = (period: string, more = '') =>
    type(`backfill --from ${period} --to ${period} --reason prices --by bob ${more}`);
const idOf = (out: string) => /^backfill +(\w+)/.exec(out)?.[1];
const entries = () => readdirSync(join(cwd, '.tieout/commits')).sort();
const lastEntry = () =>
    JSON.parse(readFileSync(join(cwd, '.tieout/commits', entries().at(-1) ?? ''), 'utf8'));

beforeAll(async () => {
    project.write(
        'data/usage/november.ndjson',
        lines([used('n5', 'north', '2026-11-09', { images: 5 })]),
    );
    await type('run --period 2026-10');
    await type('close --period 2026-10 --by ada');
    await type('run --period 2026-11');
    project.write('card.yaml', cardAt('1.20'));
});

test('a closed month: the same differences by the same causes are the same backfill', async () => {
    const said = await backfill('2026-10', '--partials');
    expect(said).toMatchObject({ exit: 0, err: '' });
    expect(said.out).toMatch(/^new +2026-10-repriced-\w+, as of 2026-12-05T00:00:00Z$/m);
    expect(said.out).not.toContain('another version of tieout');
    expect(said.out).toMatch(/pictures +10\.00 +12\.00 +2\.00 +rate change$/m);
    expect(idOf((await backfill('2026-10')).out)).toBe(idOf(said.out));
});

test('applied, the open month bills them', async () => {
    const said = await backfill('2026-10', '--partials --apply');
    expect(said.out).toContain('2026-10: 1 correction will be billed in 2026-11');
    expect(lastEntry().backfill.candidate_run_id).toMatch(/^2026-10-repriced-/);
});

test('an open month: the run that speaks for it is from objects, with its corrections', async () => {
    const said = await backfill('2026-11', '--partials --apply');
    expect(said.out).toMatch(/^new +2026-11-repriced-/m);
    expect(said.out).toMatch(/2026-11: 2026-11-nightly-\w+ speaks for it now/);
    const { run_id } = lastEntry();
    const file = join(cwd, '.tieout/runs', run_id, 'output/line_items.csv');
    expect(readFileSync(file, 'utf8')).toMatch(/debit_adjustment,.*,2\.00,/);
    expect((await type('run --period 2026-11')).out).toContain('nothing was done');
});

test('what partials cannot say is refused: who pays is another one now', async () => {
    project.write('accounts.yaml', accountsWith('south'));
    const said = await backfill('2026-10', '--partials');
    expect(said).toMatchObject({ exit: 2, out: '' });
    expect(said.err).toContain('PARTIALS_UNUSABLE');
    expect(said.err).toContain('Leave out --partials');
});
