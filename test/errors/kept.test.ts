import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../src/duck/engine.ts';
import { eraseFromLake } from '../../src/run/erase.ts';
import { runFolder } from '../../src/run/folders.ts';
import { openProject } from '../../src/run/project.ts';
import { inTables } from '../../src/run/tables.ts';
import { beforehand } from '../support/beforehand.ts';
import { fails, raises, type TinyProject, tinyProject } from '../support/terminal.ts';

const first = (project: TinyProject) => beforehand(project, 'run --period 2026-10');
const why = ['--reason', 'ticket 12', '--apply'];
const stable = (text: string) => text.replaceAll(/erased-[0-9a-f]{16}/g, 'erased-HASH');

describe('what is erased', () => {
    test('ERASE_REFUSED: a file still names it', async () => {
        const line = ['erase', '--account', 'acme-dev', ...why];
        const said = await fails('ERASE_REFUSED', 2, { line, before: first, hasRun: true });
        expect(stable(said)).toMatchInlineSnapshot(`
          "ERASE_REFUSED: nothing was erased: accounts.json still names it
            -> Write erased-HASH there in its place, then apply at once: before the next night.
          "
        `);
    });

    test('ERASE_REFUSED: no account has its stand-in', async () => {
        const line = ['erase', '--account', 'acme-dev', ...why];
        const before = async (project: TinyProject) => {
            await first(project);
            project.write(
                'accounts.json',
                '[{ "account_id": "acme", "name": "Acme", "currency": "USD", "time_zone": "UTC", "valid_from": "2025-01-01T00:00:00Z" }]',
            );
        };
        const said = await fails('ERASE_REFUSED', 2, { line, before, hasRun: true });
        expect(stable(said)).toMatchInlineSnapshot(`
          "ERASE_REFUSED: nothing was erased: accounts.json has no account erased-HASH: rows of it would count for nobody
            -> Write it there in the place of the account that it stands for, then apply at once.
          "
        `);
    });

    test('ERASE_REFUSED: rows are counted by it', async () => {
        const project = tinyProject();
        await first(project);
        const erasing = { kind: 'value', identifier: 'completion', stand_in: 'erased-1' } as const;
        const opened = openProject(join(project.folder, 'tieout.yaml'));
        const said = await raises('ERASE_REFUSED', () =>
            eraseFromLake(opened, erasing, '2026-11-05T09:00:00Z', () => {}),
        );
        project.remove();
        expect(said).toMatchInlineSnapshot(`
          "ERASE_REFUSED: nothing was erased: it stands where rows say what they are: an asset, a type, a unit or a meter
            -> Name more of the identifier: a stand-in there would change what is counted.
          "
        `);
    });

    test.each([
        ['erase takes --account or --value', ['erase', ...why]],
        ['erase takes --account or --value', ['erase', '--account', 'a', '--value', 'b', ...why]],
        ['"a" is too short', ['erase', '--value', 'a', ...why]],
        [
            '--reason names what is to be erased',
            ['erase', '--value', 'evt-3', '--reason', 'evt-3 asked'],
        ],
    ])('USAGE: %s', async (detail, line) => {
        expect(await fails('USAGE', 2, { line })).toContain(`USAGE: ${detail}`);
    });
});

test('LAKE_ROWS_GONE: what is asked needs rows that are kept no more', async () => {
    const project = tinyProject();
    await first(project);
    rmSync(join(project.folder, '.tieout/lake/gateway'), { recursive: true });
    const [folder = ''] = globSync(join(project.folder, '.tieout/runs/*'));
    const { config, state } = openProject(join(project.folder, 'tieout.yaml'));
    const run = runFolder(state, folder.split('/').at(-1) ?? '');
    const options = { memory: '512MB', threads: 1, spill: project.folder };
    const rows = { config, ifLost: 'refuse' } as const;
    const ask = (sql: string) =>
        inTables(run, { ...options, rows }, (engine: Engine) => engine.one(sql));
    // What needs no row is answered.
    expect(await ask('select count(*) as n from metered.usage')).not.toEqual({ n: 0n });
    const said = await raises('LAKE_ROWS_GONE', () => ask('select count(*) from raw.usage_rows'));
    project.remove();
    expect(said.replace(run.runId, 'RUN')).toMatchInlineSnapshot(`
      "LAKE_ROWS_GONE: rows that RUN read are kept no more, or cannot be read as they were: usage/dt=2026-10-01/0.ndjson, usage/dt=2026-10-02/0.ndjson
        -> What was billed stands in its tables and outputs. To look at rows again, use the tieout.yaml of the run, or reopen the period and run it while the store still has its objects.
      "
    `);
});
