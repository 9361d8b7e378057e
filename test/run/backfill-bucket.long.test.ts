import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { s3Store } from '../../src/store/s3.ts';
import { keysOf, textOf } from '../support/machines.ts';
import { monthsFiles, used } from '../support/months.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { lines, type TinyProject, tieout, tinyProject } from '../support/terminal.ts';

/*
 * The state is in a bucket, and every command is typed on a machine that has nothing of it: what one
 * found and applied, another one bills, explains and takes back.
 */
describe('on a server', () => {
    const bucket = `backfill-${process.pid}`;
    const now = '2026-11-05T09:00:00Z';
    const machines: TinyProject[] = [];
    let server: S3Server;
    let places: object;
    let store: ObjectStore;
    let id = '';

    function machine(): TinyProject {
        const files = monthsFiles();
        const config = (files['tieout.yaml'] ?? '').replace('store: { folder: data }\n', '');
        const own = Object.entries(files).filter(([name]) => !name.startsWith('data/'));
        const one = tinyProject({
            ...Object.fromEntries(own),
            'tieout.yaml': `${config}${stringify(places)}`,
        });
        machines.push(one);
        return one;
    }
    const type = (line: string, { folder: cwd } = machine()) => tieout(line, { cwd, now });
    const backfill = 'backfill --from 2026-10 --to 2026-10 --reason late --by bob';

    beforeAll(async () => {
        server = await startS3();
        for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
        await server.makeBucket(bucket);
        const at = { bucket, endpoint: server.endpoint, path_style: true };
        store = s3Store(at);
        places = { store: at, state: { ...at, prefix: 'books', alone: !server.isReal } };
        for (const [name, text] of Object.entries(monthsFiles())) {
            if (name.startsWith('data/')) await store.put(name.slice('data/'.length), text);
        }
        await type('run --period 2026-10');
        await type('close --period 2026-10 --by ada');
        await type('run --period 2026-11');
        const late = lines([used('late', 'north', '2026-10-30', { calls: 100 })]);
        await store.put('usage/late.ndjson', late);
    });
    afterAll(async () => {
        vi.unstubAllEnvs();
        for (const { remove } of machines) remove();
        await store.close();
        await server.stop();
    });

    test('what is found is kept there; the candidate speaks for nothing and stays here', async () => {
        const here = machine();
        const said = await type(backfill, here);
        expect(said).toMatchObject({ exit: 0, err: '' });
        const kept = await keysOf(store, 'books/backfills/');
        expect(kept.map((key) => key.split('/').at(-1))).toEqual(['diff.csv', 'diff.json']);
        for (const key of kept) {
            const copy = join(here.folder, '.tieout', key.slice('books/'.length));
            expect(readFileSync(copy, 'utf8')).toBe(await textOf(store, key));
        }
        expect(await keysOf(store, 'books/commits/')).toHaveLength(3);
        const runs = await keysOf(store, 'books/runs/');
        const published = new Set(runs.map((key) => key.split('/')[2]));
        const candidates = globSync(join(here.folder, '.tieout/runs/2026-10-*/output'));
        expect(published.size).toBe(2);
        expect(candidates).toHaveLength(2);
    });

    test('applied on one machine, another bills it and a third explains it', async () => {
        const said = await type(`${backfill} --apply`);
        expect(said.out).toContain('1 correction will be billed in');
        id = /^backfill +(\w+)/.exec(said.out)?.[1] ?? '';
        expect((await type(`${backfill} --apply`)).out).toContain('nothing was to be applied');
        const early = await type('close --period 2026-11 --by ada --with-held');
        expect(early.err).toContain('CLOSE_REFUSED');
        const there = machine();
        const { out } = await type('run --period 2026-11 --json', there);
        const { folder } = JSON.parse(out);
        const written = readFileSync(join(folder, 'line_items.csv'), 'utf8');
        const key = /^(\w+),.*,debit_adjustment,/m.exec(written)?.[1] ?? '';
        const explained = await type(`explain ${key}`);
        expect(explained).toMatchObject({ exit: 0, err: '' });
        expect(explained.out).toContain('50.00 USD billed by 2026-10-nightly-');
        expect(explained.out).toMatch(/^backfill +\w+, applied by bob/m);
        expect((await type('report --period 2026-11')).out).toContain(
            'Corrections of closed periods',
        );
    });

    test('what was changed in the bucket is refused; a copy here decides nothing', async () => {
        const key = `books/backfills/${id}/diff.json`;
        const here = machine();
        await type('run --period 2026-11', here);
        here.write(`.tieout/${key.slice('books/'.length)}`, '{}');
        expect((await type('run --period 2026-11', here)).exit).toBe(0);
        const text = await textOf(store, key);
        await store.put(key, `${text} `);
        expect((await type('run --period 2026-11')).err).toMatch(
            /^BACKFILL_DAMAGED: s3:.*\/diff\.json is not as its backfill left it: it was changed/,
        );
        await store.put(key, text);
    });

    test('an open month: the run that is applied is published before its entry', async () => {
        await store.put(
            'usage/n.ndjson',
            lines([used('n9', 'north', '2026-11-03', { calls: 20 })]),
        );
        const said = await type(`${backfill.replaceAll('2026-10', '2026-11')} --apply`);
        const [, runId = ''] =
            /2026-11: (2026-11-nightly-\w+) speaks for it now/.exec(said.out) ?? [];
        expect(await keysOf(store, `books/runs/${runId}/`)).toContain(
            `books/runs/${runId}/output/certificate.json`,
        );
        const again = await type('run --period 2026-11');
        expect(again.out).toContain('finished before; nothing was done');
    });

    test('reverted on another machine', async () => {
        const said = await type(`backfill --revert ${id} --reason wrong --by eve`);
        expect(said.out).toContain('2026-10: 2026-11 no longer bills its corrections');
        const { out } = await type('run --period 2026-11 --json');
        expect(JSON.parse(out).certificate.corrections).toBeUndefined();
    });
});
