import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
    appendFileSync,
    cpSync,
    globSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { bigint, defineTable, varchar } from '../../src/duck/table.ts';
import { silent } from '../../src/effects.ts';
import { createControl } from '../../src/run/prepare.ts';
import { count, defineStage } from '../../src/stage/define.ts';
import { runStage } from '../../src/stage/run.ts';
import { beforehand } from '../support/beforehand.ts';
import {
    fails,
    raises,
    type TinyProject,
    tieout,
    tinyFiles,
    tinyProject,
} from '../support/terminal.ts';

const tiny = tinyFiles();
const first = 'data/usage/dt=2026-10-01/0.ndjson';

/** What the engine and the run as a whole may come to. */
describe('the engine', () => {
    test('ENGINE_MEMORY: far too little of it', async () => {
        const config = (of: string) => of.replace('512MB', '10MB');
        const said = await fails('ENGINE_MEMORY', 75, { config });
        expect(said.replaceAll(/[\d.]+ [KM]iB/g, 'n MiB')).toMatchInlineSnapshot(`
          "ENGINE_MEMORY: 10-ingest: out of memory at 10MB: Out of Memory Error: could not allocate block of size n MiB (n MiB/n MiB used)
            -> Raise \`engine.memory\` in tieout.yaml or free disk for spilling, then run again: it goes on at this stage.
          "
        `);
    });

    test('LIMIT_BREAKS: a debit log that did not come', async () => {
        const config = (of: string) => of.replace(/^limits: \{/m, 'limits: { breaks: 3,');
        const log = 'data/debits/dt=2026-10-01/log.ndjson';
        const files = { [log]: (tiny[log] ?? '').split('\n').slice(0, 1).join('\n') };
        expect(await fails('LIMIT_BREAKS', 1, { config, files })).toMatchInlineSnapshot(`
          "LIMIT_BREAKS: 6 breaks, more than the limit of 3
              by code: 5 METERED_NOT_DEBITED, 1 SEQUENCE_GAP
              by payer: 6 acme
            -> Nothing was written. So many have one cause: a debit log that did not come, a price or unit that one side does not know. Mend that and run again; raise \`limits.breaks\` only if they are meant.
          "
        `);
    });

    test('AMOUNT_OVERFLOW: a quantity no invoice holds', async () => {
        const files = {
            [first]: (tiny[first] ?? '').replace(':5000,', ':99999999999999,'),
            'rates.csv': (tiny['rates.csv'] ?? '').replaceAll(',,3\n', ',,3000000000000\n'),
        };
        expect(await fails('AMOUNT_OVERFLOW', 1, { files })).toMatchInlineSnapshot(`
          "AMOUNT_OVERFLOW: 40-rate: an amount has more than 14 digits before the point: Out of Range Error: Overflow in multiplication of DECIMAL(38) (99999999999999000000000000 * 3000000000000000000). You might want to add an explicit cast to a decimal with a smaller scale.
            -> Nothing was kept of this stage. Look for a wrong unit in a price or a quantity.
          "
        `);
    });

    test('ENGINE_LOCKED: another process works on the run', async () => {
        let holder: ReturnType<typeof spawn> | undefined;
        const before = async (project: TinyProject) => {
            const plan = await tieout('plan --period 2026-10 --json', { cwd: project.folder });
            const folder = join(project.folder, '.tieout/runs', JSON.parse(plan.out).run_id);
            mkdirSync(folder, { recursive: true });
            project.write(
                'hold.ts',
                `import { Engine } from '${join(import.meta.dirname, '../../src/duck/engine.ts')}';
                 await Engine.open({ file: '${join(folder, 'tables.duckdb')}', memory: '100MB', threads: 1, spill: '.' });
                 process.stdout.write('held');
                 setInterval(() => {}, 1000);`,
            );
            holder = spawn(process.execPath, ['hold.ts'], {
                cwd: project.folder,
                stdio: ['ignore', 'pipe', 'inherit'],
            });
            await once(holder.stdout ?? holder, 'data');
        };
        try {
            const said = await fails('ENGINE_LOCKED', 75, { before });
            expect(said.replaceAll(/held by \S+/g, 'held by NODE')).toMatchInlineSnapshot(`
              "ENGINE_LOCKED: PROJECT/.tieout/runs/2026-10-nightly-RUN/tables.duckdb is held by NODE (PID n)
                -> Another tieout works on this run: wait until it ends, or end it, then run again.
              "
            `);
        } finally {
            holder?.kill('SIGKILL');
        }
    });
});

describe('the disk', () => {
    test('DISK_FULL: a file of ours does not fit', async () => {
        const progress = {
            ...silent,
            begin: (name: string) => {
                const full = 'ENOSPC: no space left on device, write';
                if (name === 'write') throw Object.assign(new Error(full), { code: 'ENOSPC' });
            },
        };
        expect(await fails('DISK_FULL', 75, { progress })).toMatchInlineSnapshot(`
          "DISK_FULL: no space left under PROJECT/.tieout: ENOSPC: no space left on device, write
            -> Free some space, then run the same command again; it goes on where it stopped.
          "
        `);
    });

    /** A real one, where this process may mount: the engine meets it itself. */
    const disk = mkdtempSync(join(tmpdir(), 'tieout-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96k', 'tmpfs', disk]);
    afterAll(() => {
        if (mounted.status === 0) spawnSync('umount', [disk]);
        rmSync(disk, { recursive: true, force: true });
    });

    test.skipIf(mounted.status !== 0)('DISK_FULL: a full device', async () => {
        const config = (of: string) => `${of}state: ${disk}\n`;
        const said = await fails('DISK_FULL', 75, { config });
        // Which file meets the end of the disk first, of the engine or ours, is chance.
        const detail = /: ([^:]*Error: .*No|ENOSPC: no) space left on device.*/;
        expect(said).toMatch(detail);
        expect(said.replace(detail, '').replaceAll(disk, 'DISK')).toMatchInlineSnapshot(`
          "DISK_FULL: no space left under DISK
            -> Free some space, then run the same command again; it goes on where it stopped.
          "
        `);
        expect(globSync(join(disk, 'runs/*/output'))).toEqual([]);
    });
});

/** A stage of two selects, with whatever SQL a test gives it. */
describe('a stage that is wrong', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-stage-'));
    let engine: Engine;
    beforeAll(async () => {
        engine = await Engine.open({
            file: ':memory:',
            memory: '200MB',
            threads: 1,
            spill: folder,
        });
        await createControl(engine);
    });
    afterAll(() => {
        engine.close();
        rmSync(folder, { recursive: true, force: true });
    });

    const made = defineTable('made.things', {
        comment: 'Things.',
        grain: ['thing_id'],
        columns: { thing_id: varchar('Thing.'), size: bigint('Its size.') },
    });
    const run = (select: string, right = 1) => {
        writeFileSync(join(folder, 'made.things.sql'), select);
        const stage = defineStage({
            name: '90-make',
            folder,
            reads: [],
            writes: [made],
            conserves: [
                {
                    name: 'nothing is lost',
                    by: [],
                    left: count(made),
                    right: [{ relation: `(select ${right} as one)`, measure: 'one' }],
                },
            ],
        });
        return runStage(stage, { engine, upstream: select, position: 1 });
    };

    test('ENGINE_FAILED: SQL that is none', async () => {
        const said = await raises('ENGINE_FAILED', () => run('select 1 as thing_id, from nowhere'));
        expect(said).toMatchInlineSnapshot(`
          "ENGINE_FAILED: 90-make: Catalog Error: Table with name nowhere does not exist!
              Did you mean "pg_indexes"?
              
              LINE 1: describe (select 1 as thing_id, from nowhere)
                                                           ^
              describe (select 1 as thing_id, from nowhere)
            -> This is a defect of tieout. Keep the run folder and report it.
          "
        `);
    });

    test('CONTRACT_MISMATCH: a DOUBLE', async () => {
        const said = await raises('CONTRACT_MISMATCH', () =>
            run("select 'a' as thing_id, 1.5::double as size"),
        );
        expect(said).toMatchInlineSnapshot(`
          "CONTRACT_MISMATCH: 90-make/made.things: the select gives size DOUBLE, the contract says size BIGINT
            -> Change made.things.sql or the contract in pipelines/90-make/tables.ts, whichever is wrong.
          "
        `);
    });

    test('GRAIN_BROKEN: a key twice', async () => {
        const said = await raises('GRAIN_BROKEN', () =>
            run("select 'a' as thing_id, 1::bigint as size union all select 'a', 2"),
        );
        expect(said).toMatchInlineSnapshot(`
          "GRAIN_BROKEN: 90-make/made.things: more than one row for the same (thing_id):
              thing_id='a', row_count=2
            -> Nothing was kept of this stage. Look for a join that fans out in pipelines/90-make/made.things.sql.
          "
        `);
    });

    test('NOT_CONSERVED: one row less', async () => {
        const said = await raises('NOT_CONSERVED', () =>
            run("select 'a' as thing_id, 1::bigint as size", 2),
        );
        expect(said).toMatchInlineSnapshot(`
          "NOT_CONSERVED: 90-make/nothing is lost: rows of made.things = Σ one of (select 2 as one): 1 is not 2
            -> Something was lost or doubled in this stage, and nothing was kept of it. Keep the run folder and report it.
          "
        `);
    });
});

describe('audits', () => {
    test('AUDIT_FAILED: suspense over its limit', async () => {
        const files = {
            [first]: `${tiny[first]}{"specversion":"1.0"}\nno json \u001b[31m at all\n`,
        };
        expect(await fails('AUDIT_FAILED', 1, { files })).toMatchInlineSnapshot(`
          "AUDIT_FAILED: 20-mediate/suspense-is-within-its-limit: 2 rows break the audit:
              role='usage', suspended_count=2, line_count=11, limits_suspense_percent=2, code='MALFORMED_JSON', code_count=1, first_at='usage/dt=2026-10-01/0.ndjson:7', first_text='no json \\u{1B}[31m at all'
              role='usage', suspended_count=2, line_count=11, limits_suspense_percent=2, code='MISSING_SOURCE', code_count=1, first_at='usage/dt=2026-10-01/0.ndjson:6', first_text='{"specversion":"1.0"}'
            -> Have the producer send these rows again in order, or accept the loss: raise \`limits.suspense_percent\` in tieout.yaml. No line was written.
          "
        `);
    });
});

describe('a finished run', () => {
    let finished: TinyProject;
    beforeAll(async () => {
        finished = tinyProject();
        const [ran] = await beforehand(finished, 'run --period 2026-10');
        expect(ran?.exit).toBe(0);
    });
    afterAll(() => finished.remove());

    /** The finished run in a project of its own, after something was done to its folder. */
    const finishedAnd = (work: (run: string) => void = () => {}) => ({
        hasRun: true,
        before: ({ folder }: TinyProject) => {
            cpSync(join(finished.folder, '.tieout'), join(folder, '.tieout'), { recursive: true });
            work(globSync(join(folder, '.tieout/runs/*'))[0] ?? '');
        },
    });
    const line = 'report --period 2026-10';

    test('RUN_NOT_FOUND: report or explain before any run', async () => {
        expect(await fails('RUN_NOT_FOUND', 2, { line })).toMatchInlineSnapshot(`
          "RUN_NOT_FOUND: no finished run of 2026-10 in PROJECT/.tieout
            -> Run \`tieout run --period yyyy-MM\` first.
          "
        `);
        const explain = 'explain abcdef';
        expect(await fails('RUN_NOT_FOUND', 2, { line: explain })).toMatchInlineSnapshot(`
          "RUN_NOT_FOUND: no finished run in PROJECT/.tieout
            -> Run \`tieout run --period yyyy-MM\` first.
          "
        `);
    });

    test('RUN_NOT_FOUND: somebody removed the folder of the run', async () => {
        const gone = finishedAnd((run) => rmSync(run, { recursive: true }));
        const explain = 'explain abcdef';
        expect(await fails('RUN_NOT_FOUND', 2, { line: explain, ...gone })).toMatchInlineSnapshot(`
          "RUN_NOT_FOUND: PROJECT/.tieout/runs/2026-10-nightly-RUN/tables.duckdb is gone: run 2026-10-nightly-RUN cannot be looked into
            -> Run \`tieout run --period yyyy-MM\` first.
          "
        `);
    });

    test('LINE_NOT_FOUND: an unknown key', async () => {
        const said = await fails('LINE_NOT_FOUND', 2, { line: 'explain abcdef', ...finishedAnd() });
        expect(said).toMatchInlineSnapshot(`
          "LINE_NOT_FOUND: no line and no break of 2026-10-nightly-RUN has a key that begins with abcdef
            -> Take the key from line_items.csv, sale_lines.csv or breaks.csv; a prefix of it is enough if it is unique.
          "
        `);
    });

    test('USAGE: the beginning of several keys', async () => {
        const said = await fails('USAGE', 2, { line: ['explain', ''], ...finishedAnd() });
        expect(said).toMatchInlineSnapshot(`
          "USAGE: "" is the beginning of 6 line keys
            -> Write more of the key, as it is in line_items.csv or sale_lines.csv.
          "
        `);
    });

    test('OUTPUT_CHANGED: files edited and removed', async () => {
        const edited = finishedAnd((run) => {
            appendFileSync(join(run, 'output/line_items.csv'), 'one more line\n');
            rmSync(join(run, 'output/breaks.csv'));
        });
        expect(await fails('OUTPUT_CHANGED', 2, { line, ...edited })).toMatchInlineSnapshot(`
          "OUTPUT_CHANGED: PROJECT/.tieout/runs/2026-10-nightly-RUN/output is not as its run left it: breaks.csv is missing, line_items.csv was changed
            -> Deliver nothing from it. \`tieout run --period 2026-10 --as-of 2026-11-05T00:00:00Z\` makes it anew from the same inputs.
          "
        `);
    });

    test.each([
        ['cut short', (text: string) => text.slice(0, 100)],
        ['emptied', () => ''],
        ['another document', () => '{}'],
    ])('OUTPUT_CHANGED: the certificate %s', async (_what, change) => {
        const edited = finishedAnd((run) => {
            const path = join(run, 'output/certificate.json');
            writeFileSync(path, change(readFileSync(path, 'utf8')));
        });
        const said = await fails('OUTPUT_CHANGED', 2, { line, ...edited });
        expect(said).toContain('is not as its run left it: certificate.json was changed\n');
    });

    test('RUN_DAMAGED: the tables cannot be read', async () => {
        const damaged = finishedAnd((run) =>
            writeFileSync(join(run, 'tables.duckdb'), 'no database'),
        );
        const said = await fails('RUN_DAMAGED', 75, { line, ...damaged });
        expect(said).toMatchInlineSnapshot(`
          "RUN_DAMAGED: PROJECT/.tieout/runs/2026-10-nightly-RUN/tables.duckdb cannot be opened: IO Error: The file "PROJECT/.tieout/runs/2026-10-nightly-RUN/tables.duckdb" exists, but it is not a valid DuckDB database file!
            -> Remove PROJECT/.tieout/runs/2026-10-nightly-RUN and run again with the same --period and --as-of: everything in it is made anew from the objects.
          "
        `);
    });

    test('RUN_DAMAGED: and the remedy works', async () => {
        const { folder, remove } = tinyProject();
        try {
            const [before] = await beforehand({ folder }, 'run --period 2026-10');
            const [run = ''] = globSync(join(folder, '.tieout/runs/*'));
            writeFileSync(join(run, 'tables.duckdb'), 'no database');
            rmSync(join(run, 'output'), { recursive: true });
            expect((await tieout('run --period 2026-10', { cwd: folder })).exit).toBe(75);
            rmSync(run, { recursive: true });
            expect(await tieout('run --period 2026-10', { cwd: folder })).toEqual(before);
        } finally {
            remove();
        }
    });
});
