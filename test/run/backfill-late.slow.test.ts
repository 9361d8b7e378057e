import { afterAll, expect, test } from 'vitest';
import { debitLine, lines, tieout, tinyProject } from '../support/terminal.ts';

/** October is closed without the debit of its ninth request; then the log of it comes. */
const project = tinyProject();
afterAll(project.remove);
const october = ['--period', '2026-10'];
const type = (...line: readonly string[]) =>
    tieout(line, { cwd: project.folder, now: '2026-11-20T00:00:00Z' });

test('TIMING_LATE: a debit that comes after its month was closed is told by a backfill', async () => {
    expect((await type('run', ...october)).exit).toBe(0);
    expect((await type('close', ...october, '--by', 'ada')).exit).toBe(0);
    project.write('data/debits/dt=2026-10-02/late.ndjson', lines([debitLine(9)]));
    const said = await type(
        ...['backfill', '--from', '2026-10', '--to', '2026-10', '--by', 'bob'],
        ...['--reason', 'a late log'],
    );
    expect(said).toMatchObject({ exit: 0, err: '' });
    const told = said.out.slice(said.out.indexOf('TIMING_LATE'));
    expect(told.replace(/\n\n[\s\S]*/, '')).toMatchInlineSnapshot(`
      "TIMING_LATE: debits of the month that the log did not have when it was billed
         payer    account      old       new     delta    asset
         acme     acme       0.054    0.0825    0.0285    USD"
    `);
    // The wallet is prepaid: what it paid now is no longer to be paid by invoice.
    expect(said.out).toMatch(/wallet.*late events/i);
});
