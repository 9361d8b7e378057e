import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openProject } from '../../src/run/project.ts';
import { rePrice } from '../../src/run/re-price.ts';
import { appendCommit } from '../../src/state/commit-log.ts';
import { folderStore } from '../../src/store/local.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { beforehand } from '../support/beforehand.ts';
import { memoryStore } from '../support/memory-store.ts';
import {
    type Failing,
    fails,
    masked,
    raises,
    type TinyProject,
    testTerminal,
    tinyFiles,
    tinyProject,
} from '../support/terminal.ts';

const month = '--period 2026-10';
const close = ['close', '--period', '2026-10', '--by', 'ada'];

/** What was done before, line by line; then something happens to the folder. */
function once(
    lines: readonly (string | readonly string[])[],
    happens: (project: TinyProject) => unknown = () => {},
): Failing {
    return {
        hasRun: true,
        before: async (project) => {
            await beforehand(project, ...lines);
            await happens(project);
        },
    };
}

const run = `run ${month}`;
const hashes = { run_digest: 'd'.repeat(64), certificate_sha256: 'c'.repeat(64) };
const draft = {
    pipeline: 'nightly',
    ...{
        kind: 'run' as const,
        period: '2026-10',
        run_id: '2026-10-nightly-other',
        by: '',
        reason: '',
    },
    ...hashes,
    at: '2026-11-05T09:00:00Z',
} as const;
const entryOfAnother = `${JSON.stringify({ number: 1, previous: '', ...draft })}\n`;
const refusals: Readonly<Record<string, string>> = {
    'only reconciled': 'its latest run wrote no lines',
    'not over': 'and the month ends after that',
    held: 'lines of acme are held\n  -> Resolve their breaks',
};
const withHeld = [...close, '--with-held', '--reason', 'month end'];

describe('what counts', () => {
    test.each([
        ['an entry is missing', (folder: string) => rmSync(join(folder, '00000001.json'))],
        [
            'an entry was renamed',
            (folder: string) =>
                renameSync(join(folder, '00000001.json'), join(folder, '00000007.json')),
        ],
        [
            'an entry was changed',
            (folder: string) => appendFileSync(join(folder, '00000001.json'), ' '),
        ],
        [
            'an entry is no entry',
            (folder: string) => writeFileSync(join(folder, '00000002.json'), '{}'),
        ],
    ])('LOG_DAMAGED: %s', async (_what, happens) => {
        const line = `report ${month}`;
        const before = async ({ folder }: TinyProject) => {
            mkdirSync(join(folder, '.tieout'));
            const store = folderStore(join(folder, '.tieout'));
            const log = await appendCommit(store, { commits: [], head: '' }, draft, () => {});
            await appendCommit(store, log, { ...draft, run_id: 'later' }, () => {});
            happens(join(folder, '.tieout/commits'));
        };
        expect(await fails('LOG_DAMAGED', 2, { line, before, hasRun: true })).toMatch(
            /^LOG_DAMAGED: folder:PROJECT\/.tieout\/commits\/0000000[27].json is not as the log left it: /,
        );
    });

    test('LOG_CONTENDED: every number is taken by another', async () => {
        const store = memoryStore({});
        const taken: ObjectStore = { ...store, create: async () => false };
        const seen = { commits: [], head: '' };
        const said = await raises('LOG_CONTENDED', () =>
            appendCommit(taken, seen, draft, () => {}),
        );
        expect(said).toMatchInlineSnapshot(`
          "LOG_CONTENDED: s3://memory: the next entry of the log was taken 100 times in a row
            -> Find out who else writes there, then run the same command again.
          "
        `);
    });

    test('RUN_OUTRUN: another run of the period came first', async () => {
        // Between the end of the work and the entry of the run, the entry of another appears.
        const end = (detail?: string) => {
            const state = detail?.match(/^(.*)\/runs\/.*\/output$/)?.[1];
            if (state === undefined) return;
            mkdirSync(join(state, 'commits'));
            writeFileSync(join(state, 'commits/00000001.json'), entryOfAnother);
        };
        const progress = { begin: () => {}, advance: () => {}, end };
        const said = await fails('RUN_OUTRUN', 75, { line: run, progress, hasRun: true });
        expect(said).toMatchInlineSnapshot(`
          "RUN_OUTRUN: while 2026-10-nightly-RUN was running, 2026-10-nightly-other became the run that speaks for 2026-10
            -> Its lines stand, those of this run do not count. Let one schedule run at a time; run again to take in what is new.
          "
        `);
    });

    test('PERIOD_CLOSED: a run with other inputs', async () => {
        const line = `${run} --as-of 2026-11-04T00:00:00Z`;
        const said = await fails('PERIOD_CLOSED', 2, { line, ...once([run, withHeld]) });
        expect(said).toMatchInlineSnapshot(`
          "PERIOD_CLOSED: 2026-10 was closed by ada at 2026-11-05T09:00:00Z with 2026-10-nightly-RUN (month end)
            -> Its lines never change. If they must: \`tieout reopen --period 2026-10 --reason WHY\`, run, and close again.
          "
        `);
    });

    test('PERIOD_NOT_CLOSED: nothing to reopen', async () => {
        const line = ['reopen', '--period', '2026-10', '--by', 'ada', '--reason', 'why not'];
        const said = await fails('PERIOD_NOT_CLOSED', 2, { line, ...once([run]) });
        expect(said).toMatchInlineSnapshot(`
          "PERIOD_NOT_CLOSED: 2026-10 is not closed
            -> Nothing is to be done: a run may take its place.
          "
        `);
    });

    test.each([
        ['only reconciled', [`reconcile ${month}`]],
        ['not over', ['run --period 2026-10 --as-of 2026-10-20T00:00:00Z']],
        ['held', [run]],
    ])('CLOSE_REFUSED: %s', async (what, lines) => {
        const config = (text: string) => text.replace(/^hold: .*$/m, 'hold: { absolute: "0" }');
        const said = await fails('CLOSE_REFUSED', 1, { line: close, config, ...once(lines) });
        expect(said).toContain(refusals[what]);
    });

    test('PARTIALS_UNUSABLE: a meter means something else since the run', async () => {
        const project = tinyProject();
        try {
            const cwd = project.folder;
            await beforehand(project, run);
            const text = tinyFiles()['tieout.yaml'] ?? '';
            project.write(
                'tieout.yaml',
                text.replace('cache_read: cached', 'cache_read: 2 * cached'),
            );
            const said = await raises('PARTIALS_UNUSABLE', () => {
                const { effects } = testTerminal({ cwd }).terminal;
                return rePrice(openProject(join(cwd, 'tieout.yaml')), effects, {
                    period: '2026-10',
                });
            });
            expect(masked(said, cwd)).toMatchInlineSnapshot(`
              "PARTIALS_UNUSABLE: 2026-10-nightly-RUN cannot be priced anew from its partials:
                  what events come to has changed (\`meters\`, \`derived\`, or the SQL of their stages)
                -> Leave out --partials: the month is then computed from its objects. Nothing was written.
              "
            `);
        } finally {
            project.remove();
        }
    });

    test('INPUTS_CHANGED: an object that a past run read is gone', async () => {
        const line = ['run', '--reproduce'];
        const before = async ({ folder: cwd }: TinyProject) => {
            await beforehand({ folder: cwd }, run);
            line.push(...readdirSync(join(cwd, '.tieout/runs')));
            rmSync(join(cwd, 'data/usage/dt=2026-10-01/0.ndjson'));
        };
        const said = await fails('INPUTS_CHANGED', 2, { before, hasRun: true, line });
        expect(said).toMatchInlineSnapshot(`
          "INPUTS_CHANGED: 2026-10-nightly-RUN cannot be computed again, what it was made from is no longer there:
              folder:PROJECT/data/usage/dt=2026-10-01/0.ndjson is gone
            -> Bring it back, from an older version in the bucket or a backup. The run and its outputs are as they were.
          "
        `);
    });

    describe('in a bucket', () => {
        const config = (text: string) => `${text}state: { bucket: books, prefix: acme }\n`;
        const entry = { 'commits/00000001.json': entryOfAnother };

        test('STATE_UNSAFE: the store overwrites what it should refuse', async () => {
            const store = memoryStore({});
            const state = { ...store, create: async () => true };
            const said = await fails('STATE_UNSAFE', 2, { config, state });
            expect(said).toMatchInlineSnapshot(`
              "STATE_UNSAFE: s3://memory overwrites what it should refuse to create again: of two runs at once neither would be told
                -> Keep \`state\` where If-None-Match is honoured: AWS S3, Ceph (without versions of objects), a folder. If nobody else ever writes there, say so: \`alone: true\`.
              "
            `);
        });

        test('STATE_SPLIT: the working copy was a state before', async () => {
            const before = (project: TinyProject) =>
                project.write('.tieout/commits/00000001.json', entryOfAnother);
            const state = memoryStore({});
            const said = await fails('STATE_SPLIT', 2, { config, state, before, hasRun: true });
            expect(said).toMatchInlineSnapshot(`
              "STATE_SPLIT: PROJECT/.tieout has a log of its own, and there is none in s3://memory
                -> Closed months would be forgotten. Copy all of PROJECT/.tieout to s3://memory, \`commits\` last, or name another \`state.folder\`.
              "
            `);
        });

        test('STATE_DAMAGED: an entry names a run that is not there', async () => {
            const state = memoryStore(entry);
            const line = `report ${month}`;
            const said = await fails('STATE_DAMAGED', 2, { config, state, line });
            expect(said).toMatchInlineSnapshot(`
              "STATE_DAMAGED: s3://memory/runs/2026-10-nightly-other/output/certificate.json is not as it was published: it is not there
                -> Bring back its earlier version. Without one remove s3://memory/runs/2026-10-nightly-other/ and run the month again with the same --as-of.
              "
            `);
        });

        test('STATE_DAMAGED: it is there, and says something else', async () => {
            const key = 'runs/2026-10-nightly-other/output/certificate.json';
            const state = memoryStore({ ...entry, [key]: '{}' });
            const line = `report ${month}`;
            const said = await fails('STATE_DAMAGED', 2, { config, state, line });
            expect(said).toMatchInlineSnapshot(`
              "STATE_DAMAGED: s3://memory/runs/2026-10-nightly-other/output/certificate.json is not as it was published: its sha256 is not the one that entry 1 of the log stands for
                -> Bring back its earlier version. Without one remove s3://memory/runs/2026-10-nightly-other/ and run the month again with the same --as-of.
              "
            `);
        });
    });

    test('RUN_NOT_FOUND: close before any run', async () => {
        const said = await fails('RUN_NOT_FOUND', 2, { line: close });
        expect(said).toContain('no finished run of 2026-10');
    });

    test('USAGE: reopen without a reason', async () => {
        const line = ['reopen', '--period', '2026-10', '--by', 'ada'];
        const said = await fails('USAGE', 2, { line, ...once([run, withHeld]) });
        expect(said).toContain('--reason');
    });
});
