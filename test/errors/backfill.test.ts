import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backfill } from '../../src/commands/backfill.ts';
import { close, reopen } from '../../src/commands/close.ts';
import type { CommandContext } from '../../src/commands/command.ts';
import { silent } from '../../src/effects.ts';
import { applyBackfill, revertBackfill } from '../../src/run/apply-backfill.ts';
import { comparePeriod } from '../../src/run/backfill.ts';
import { keepBackfill, readBackfill } from '../../src/run/backfills.ts';
import { commitRun, readStateLog } from '../../src/run/books.ts';
import { candidateOf, type RunResult, runPipeline } from '../../src/run/pipeline.ts';
import { openProject } from '../../src/run/project.ts';
import type { Commit } from '../../src/schema/commit.ts';
import { appendCommit, type CommitLog } from '../../src/state/commit-log.ts';
import { folderState } from '../../src/state/state.ts';
import { folderStore } from '../../src/store/local.ts';
import { openStore } from '../../src/store/open.ts';
import { accountsWith, monthsProject, used } from '../support/months.ts';
import { lines, masked, raises } from '../support/terminal.ts';

/*
 * October is closed, November was run once it was over; then an object of October came late, and a
 * backfill put its correction into November.
 */
const project = monthsProject({ 'contracts.yaml': 'contracts: []\n' });
afterAll(project.remove);
const cwd = project.folder;
const at = '2026-12-05T09:00:00Z';
const effects = {
    openStore: async (...[config, folder]: Parameters<CommandContext['effects']['openStore']>) =>
        openStore(config.store, folder),
    ...{ now: () => at, progress: silent },
};
const context: CommandContext = { effects, environment: {}, configFile: null, cwd };
const opened = () => openProject(join(cwd, 'tieout.yaml'));
const optionsOf = (period: string) =>
    ({ pipeline: 'nightly', period, as_of: '2026-12-05T00:00:00Z' }) as const;
const note = { by: 'bob', reason: 'late' };
const october = { ...note, period: '2026-10' };
const november = { ...note, period: '2026-11' };

/** The state of the project. */
const books = () => folderState(opened().state);
let before: CommitLog;
let run: RunResult;
let id = '';
beforeAll(async () => {
    await runPipeline(opened(), effects, optionsOf('2026-10'));
    await close(october, context);
    run = await runPipeline(opened(), effects, optionsOf('2026-11'));
    before = await readStateLog(books());
    project.write(
        'data/usage/late.ndjson',
        lines([used('x', 'north', '2026-10-30', { calls: 9 })]),
    );
    await backfill({ ...note, from: '2026-10', to: '2026-10', apply: true }, context);
    id = (await readStateLog(books())).commits.at(-1)?.backfill?.id ?? '';
});
/** What the log vouches for a backfill by. */
const hashOf = async (of: string) =>
    (await readStateLog(books())).commits.find(({ backfill }) => backfill?.id === of)?.backfill
        ?.diff_sha256 ?? '';
/** Compares a month by one log, and applies what was found by another. */
async function applied(period: string, seen: CommitLog, log: CommitLog) {
    const options = optionsOf(period);
    const found = await comparePeriod(opened(), books(), effects, seen, options, candidateOf);
    const kept = await keepBackfill(books(), {
        ...{ document: 'tieout/backfill/1', periods: [found.period] },
    });
    const compared = [{ ...found, options }];
    const later = { ...note, reason: 'the same, later', at };
    return applyBackfill(opened(), books(), effects, log, kept, compared, later, candidateOf);
}
const shown = (text: string) =>
    masked(text, cwd).replaceAll(/\b(?=\w*\d)[0-9a-f]{12}\b/g, 'BACKFILL');

describe('backfills', () => {
    test('REOPEN_REFUSED: a later month bills corrections of it', async () => {
        const said = await raises('REOPEN_REFUSED', () => reopen(october, context));
        expect(shown(said)).toMatchInlineSnapshot(`
          "REOPEN_REFUSED: 2026-10 stays closed: later periods bill corrections of it, found by BACKFILL
            -> Run again, it would bill them a second time. First \`tieout backfill --revert BACKFILL --reason WHY\`.
          "
        `);
    });

    test('CORRECTIONS_CHANGED: a run began before the backfill and ended after it', async () => {
        const other = { ...run.certificate, run_digest: 'e'.repeat(64) };
        const said = await raises('CORRECTIONS_CHANGED', () =>
            commitRun(books(), before, run.run, other, at),
        );
        expect(shown(said)).toMatchInlineSnapshot(`
          "CORRECTIONS_CHANGED: while 2026-11-nightly-RUN was running, backfill BACKFILL changed what 2026-11 corrects
            -> The lines of this run do not count. Run again: the next one takes it in.
          "
        `);
    });

    test('CLOSE_REFUSED: the run of the month lacks its corrections', async () => {
        const said = await raises('CLOSE_REFUSED', () => close(november, context));
        expect(shown(said)).toMatchInlineSnapshot(`
          "CLOSE_REFUSED: 2026-11 was not closed: its latest run does not bill the corrections of earlier periods that the log has now
            -> Run it again: \`tieout run --period 2026-11\`.
          "
        `);
    });

    test('BACKFILL_OUTRUN: somebody else corrected the month meanwhile', async () => {
        const said = await raises('BACKFILL_OUTRUN', () => applied('2026-10', before, before));
        expect(shown(said)).toMatchInlineSnapshot(`
          "BACKFILL_OUTRUN: 2026-10 was not corrected: somebody else added a backfill of 2026-10 to the log meanwhile
            -> What was printed no longer holds. Run the same command again and look at it anew.
          "
        `);
    });

    test('BACKFILL_OUTRUN: the log has it already when its turn comes', async () => {
        const after = await readStateLog(books());
        const said = await raises('BACKFILL_OUTRUN', () => applied('2026-10', before, after));
        expect(said).toContain('is not what it was when it was compared');
    });

    test('BACKFILL_OUTRUN: another run speaks for an open month', async () => {
        const after = await readStateLog(books());
        const other = { ...before.commits[0], run_digest: 'e'.repeat(64), period: '2026-11' };
        const log = { ...after, commits: [...after.commits, other as Commit] };
        const said = await raises('BACKFILL_OUTRUN', () => applied('2026-11', after, log));
        expect(said).toContain('another run speaks for it since it was compared');
    });

    test('BACKFILL_UNKNOWN: none of that id', async () => {
        const said = await raises('BACKFILL_UNKNOWN', () =>
            backfill({ ...note, revert: '000000000000' }, context),
        );
        expect(shown(said)).toMatchInlineSnapshot(`
          "BACKFILL_UNKNOWN: no applied backfill is called BACKFILL: the log names BACKFILL
            -> Only corrections of a closed period can be reverted. An open one is run again with what is right.
          "
        `);
    });

    test('BACKFILL_DAMAGED: somebody edited what the log vouches for', async () => {
        const { state } = opened();
        const file = join(state, 'backfills', id, 'diff.json');
        const text = readFileSync(file, 'utf8');
        appendFileSync(file, ' ');
        const said = await raises('BACKFILL_DAMAGED', () =>
            runPipeline(opened(), effects, optionsOf('2026-11')),
        );
        writeFileSync(file, text);
        expect(shown(said)).toMatchInlineSnapshot(`
          "BACKFILL_DAMAGED: folder:PROJECT/.tieout/backfills/BACKFILL/diff.json is not as its backfill left it: it was changed
            -> Nothing was written. Restore the \`backfills\` folder from a backup; nobody may edit, remove or add to it.
          "
        `);
        const missing = { backfill_id: '000000000000', diff_sha256: '' };
        expect(
            await raises('BACKFILL_DAMAGED', () => readBackfill(folderState(state), missing)),
        ).toContain('it is missing');
    });

    test('CORRECTION_UNBILLABLE: the payer of a correction pays for nobody any more', async () => {
        const moved = accountsWith('south').replace(
            'account_id: north,',
            'account_id: north, parent: south,',
        );
        project.write('accounts.yaml', moved);
        const said = await raises('CORRECTION_UNBILLABLE', () =>
            runPipeline(opened(), effects, optionsOf('2026-11')),
        );
        project.write('accounts.yaml', accountsWith('north'));
        expect(shown(said)).toMatchInlineSnapshot(`
          "CORRECTION_UNBILLABLE: 2026-11 cannot bill its corrections: backfill BACKFILL of 2026-10: north pays for no account
            -> Give these payers an account of that currency in the period again, or take the backfill out by \`tieout backfill --revert\`.
          "
        `);
    });

    test.each([
        [
            'the next month is closed',
            true,
            '2026-11 opened with what it closes with, and is closed',
        ],
        ['a later one counts on it', false, 'came after it and counts on what it closes with'],
    ])('REVERT_REFUSED: %s', async (_what, isClosed, sentence) => {
        const state = mkdtempSync(join(tmpdir(), 'tieout-revert-'));
        const [{ number: _, previous: __, ...first } = {} as Commit] = before.commits;
        const { periods } = await readBackfill(books(), {
            ...{ backfill_id: id, diff_sha256: await hashOf(id) },
        });
        const kept = await Promise.all(
            ['1', '2'].map((closings) =>
                keepBackfill(folderState(state), {
                    ...{ document: 'tieout/backfill/1' },
                    periods: periods.map((of) => ({ ...of, closings })),
                }),
            ),
        );
        const add = async (more: Partial<Commit>) =>
            appendCommit(
                folderStore(state),
                await readStateLog(folderState(state)),
                { ...first, ...more },
                () => {},
            );
        await add({});
        for (const { id: of, diff_sha256 } of kept) {
            await add({ kind: 'backfill', backfill: { id: of, diff_sha256, bills_in: '2026-11' } });
        }
        if (isClosed) await add({ kind: 'close', period: '2026-11' });
        const said = await raises('REVERT_REFUSED', () =>
            revertBackfill({ ...opened(), state }, folderState(state), effects, kept[0]?.id ?? '', {
                ...{ ...note, at, as_of: at },
            }),
        );
        rmSync(state, { recursive: true });
        expect(said).toContain(sentence);
    });

    test.each([
        ['no reason', { from: '2026-10', to: '2026-10' }, 'without --reason'],
        ['no range', { reason: 'why', from: '2026-10' }, 'the range is not said'],
        ['the wrong way round', { reason: 'why', from: '2026-11', to: '2026-10' }, 'is after --to'],
        [
            'partials of another instant',
            { reason: 'why', from: '2026-10', to: '2026-10', partials: true, asOf: '2026-12-01' },
            '--partials takes no --as-of',
        ],
        [
            'a revert of a range',
            { reason: 'why', revert: 'x', from: '2026-10' },
            'and nothing else',
        ],
    ])('USAGE: %s', async (_what, flags, sentence) => {
        const said = await raises('USAGE', () => backfill({ by: 'bob', ...flags }, context));
        expect(said).toContain(sentence);
    });

    test('PERIOD_INVALID: a month that has not begun', async () => {
        const flags = { ...note, from: '2027-01', to: '2027-01' };
        const said = await raises('PERIOD_INVALID', () => backfill(flags, context));
        expect(said).toContain('it has not begun');
    });
});
