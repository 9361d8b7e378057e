import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { quoteText } from '../../src/duck/sql.ts';
import { silent } from '../../src/effects.ts';
import { type Erasing, eraseFromLake } from '../../src/run/erase.ts';
import { ingest } from '../../src/run/ingest.ts';
import { listInputs } from '../../src/run/listing.ts';
import { openProject } from '../../src/run/project.ts';
import { folderStore } from '../../src/store/local.ts';
import { lines, type TinyProject, tinyFiles, tinyProject, usageLine } from '../support/terminal.ts';

/* Which rows of the lake an erasure changes, and how. */

const odd = [
    { ...usageLine(1), id: 'for-ada-1', subject: 'ada' },
    { ...usageLine(2), id: 'x', subject: 'ada-dev' },
    { ...usageLine(3), id: 'y', subject: 'bob' },
];
let project: TinyProject;
let engine: Engine;

beforeAll(async () => {
    project = tinyProject({
        ...tinyFiles(),
        'data/usage/dt=2026-10-03/odd.ndjson': `${lines(odd)}{"cut": "ada", \n{"cut": "adam", \n`,
    });
    const { folder } = project;
    const options = { memory: '512MB', threads: 1, spill: join(folder, 'spill') };
    engine = await Engine.open({ file: ':memory:', ...options });
    mkdirSync(join(folder, 'data/usage/dt=2026-10-04'));
    await engine.run(`copy (
            select 'p1' as id, '/gateway' as source, 'llm.completion' as type, 'pat' as subject,
                timestamp '2026-10-04 01:00:00' as time,
                struct_pack(model := 'm1', input_tokens := 7, cached_input_tokens := 0,
                    output_tokens := 1) as data
        ) to ${quoteText(join(folder, 'data/usage/dt=2026-10-04/0.parquet'))} (format parquet)`);
    const { config } = openProject(join(folder, 'tieout.yaml'));
    const store = folderStore(join(folder, 'data'));
    const known = { before: null, landed: () => () => null, accept_gone: false };
    const days = ['2026-10-01', '2026-10-02', '2026-10-03', '2026-10-04'];
    const listings = await listInputs(store, config, days, known);
    const run = { lake: join(folder, '.tieout/lake'), scratch: join(folder, 'scratch') };
    await ingest(engine, store, config, listings, run, silent);
});

afterAll(() => {
    engine.close();
    project.remove();
});

/** The odd rows as they lie in the lake now. */
async function stored(): Promise<readonly string[]> {
    const file = join(project.folder, '.tieout/lake/gateway/*/rows.parquet');
    const rows = await engine.rows(`select event_id, account_id, raw_text
        from read_parquet(${quoteText(file)}) where object_no = 3 order by line_no`);
    return rows.map(({ event_id, account_id, raw_text }) => {
        const text = String(raw_text);
        return `${event_id} ${account_id} ${/^\{"(cut|erased)/.test(text) ? text : 'text'}`;
    });
}

const erase = (erasing: Erasing, admit: (() => void) | null) => {
    const opened = openProject(join(project.folder, 'tieout.yaml'));
    return eraseFromLake(opened, erasing, '2026-11-05T09:00:00Z', admit);
};

test('an account goes where it is a whole value, a text wherever it is', async () => {
    const before = await stored();
    expect(before).toEqual([
        ...['for-ada-1 ada text', 'x ada-dev text', 'y bob text'],
        ...['null null {"cut": "ada", ', 'null null {"cut": "adam", '],
    ]);
    const account = { kind: 'account', identifier: 'ada', stand_in: 'erased-1' } as const;
    const { holdings } = await erase(account, null);
    expect(holdings.map(({ rows, accounts }) => [[...rows], accounts])).toEqual([
        [[[3, 2]], ['ada']],
    ]);
    expect(await stored()).toEqual(before);
    await erase(account, () => {});
    expect(await stored()).toEqual([
        ...['for-ada-1 erased-1 {"erased":"erased-1"}', 'x ada-dev text', 'y bob text'],
        ...['null null {"erased":"erased-1"}', 'null null {"cut": "adam", '],
    ]);
    await erase({ kind: 'value', identifier: 'ada', stand_in: 'erased-2' }, () => {});
    expect(await stored()).toEqual([
        'for-erased-2-1 erased-1 {"erased":"erased-2"}',
        'x erased-2-dev {"erased":"erased-2"}',
        ...['y bob text', 'null null {"erased":"erased-1"}', 'null null {"erased":"erased-2"}'],
    ]);
    expect((await erase(account, null)).holdings).toEqual([]);
});

test('a Parquet object that lay there as it was becomes rows', async () => {
    const pat = { kind: 'account', identifier: 'pat', stand_in: 'erased-4' } as const;
    const lake = join(project.folder, '.tieout/lake/gateway');
    expect(globSync(join(lake, '*/*')).filter((file) => !/rows|batch/.test(file)).length).toBe(1);
    await erase(pat, () => {});
    expect(globSync(join(lake, '*/*')).filter((file) => !/rows|batch/.test(file))).toEqual([]);
    const rows = await engine.rows(
        `select event_id, account_id, raw_text, input_tokens
        from read_parquet(${quoteText(join(lake, '*/rows.parquet'))}) where event_id = 'p1'`,
    );
    const row = { event_id: 'p1', account_id: 'erased-4', raw_text: null, input_tokens: 7n };
    expect(rows).toEqual([row]);
});

test('a batch that may not be rewritten stays as it is', async () => {
    const before = await stored();
    const refused = erase({ kind: 'value', identifier: 'bob', stand_in: 'erased-3' }, () => {
        throw new Error('no');
    });
    await expect(refused).rejects.toThrow('no');
    expect(await stored()).toEqual(before);
});
