import { globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../src/duck/sql.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { s3Store } from '../../src/store/s3.ts';
import { bucketRows } from '../support/bucket-rows.ts';
import {
    keysOf,
    machine,
    type Places,
    removeMachines,
    textOf,
    tinyObjects,
} from '../support/machines.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { type TinyProject, tieout } from '../support/terminal.ts';

/** The state in a bucket: what a machine forgets is in it, and what is in it is whole. */
afterAll(removeMachines);
const month = ['--period', '2026-10'];
describe('on a server', () => {
    const bucket = `state-${process.pid}`;
    let server: S3Server;
    let places: Places;
    let store: ObjectStore;
    let first: TinyProject;
    let runId = '';

    const type = ({ folder: cwd }: TinyProject, ...line: readonly string[]) =>
        tieout([...line, ...month], { cwd });
    const outputOf = ({ folder }: TinyProject) => join(folder, `.tieout/runs/${runId}/output`);

    beforeAll(async () => {
        server = await startS3();
        for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
        await server.makeBucket(bucket);
        const at = { bucket, endpoint: server.endpoint, path_style: true };
        store = s3Store(at);
        places = { store: at, state: { ...at, prefix: 'books/acme', alone: !server.isReal } };
        for (const [key, body] of Object.entries(tinyObjects())) await store.put(key, body);
        first = machine(places);
        const { exit, out, err } = await tieout(['run', ...month, '--json'], { cwd: first.folder });
        expect(exit, err).toBe(0);
        runId = JSON.parse(out).run_id;
    });
    afterAll(async () => {
        vi.unstubAllEnvs();
        await store.close();
        await server.stop();
    });

    test('a run is published whole, and its entry names it', async () => {
        const keys = await keysOf(store, 'books/acme/');
        const names = readdirSync(outputOf(first));
        expect(keys).toEqual(
            expect.arrayContaining([
                'books/acme/commits/00000001.json',
                `books/acme/runs/${runId}/tables.duckdb`,
                ...names.map((name) => `books/acme/runs/${runId}/output/${name}`),
            ]),
        );
        expect(keys.filter((key) => key.includes('/lake/'))).not.toEqual([]);
        expect(keys.filter((key) => /partial|scratch|spill|\.wal$/.test(key))).toEqual([]);
        const entry = JSON.parse(await textOf(store, 'books/acme/commits/00000001.json'));
        const certificate = readFileSync(join(outputOf(first), 'certificate.json'));
        expect(entry).toMatchObject({ run_id: runId, certificate_sha256: sha256(certificate) });
        expect(globSync(join(first.folder, '.tieout/commits/*'))).toEqual([]);
    });

    test('another machine looks into it: report, and explain to the event', async () => {
        const other = machine(places);
        const [here, there] = [await type(first, 'report'), await type(other, 'report')];
        expect(there.err).toBe('');
        expect(there.out).toBe(here.out.replaceAll(first.folder, other.folder));
        expect(there.exit).toBe(here.exit);
        const lines = readFileSync(join(outputOf(other), 'line_items.csv'), 'utf8').split('\n');
        const key = lines.find((line) => line.includes('m1'))?.split(',')[0] ?? '';
        const explained = await type(other, 'explain', key, '--raw');
        expect(explained).toEqual(await type(first, 'explain', key, '--raw'));
        expect(explained.out).toContain('evt-1');
        for (const { folder } of [first, other])
            rmSync(join(folder, '.tieout/runs'), { recursive: true });
    });

    test('a run that finished elsewhere is not made again', async () => {
        const other = machine(places);
        expect((await type(other, 'plan')).out).toContain('reused: this run has finished');
        expect(globSync(join(other.folder, '.tieout/**/*'))).toEqual([]);
        const again = await type(other, 'run');
        expect(again).toMatchObject({ exit: 0, err: '' });
        expect(again.out).toContain('finished before; nothing was done');
        expect(readdirSync(join(other.folder, '.tieout/runs', runId))).toEqual(['output']);
        expect(await keysOf(store, 'books/acme/commits/')).toHaveLength(1);
    });

    test('what was edited on one machine is brought back', async () => {
        const file = join(outputOf(first), 'line_items.csv');
        await type(first, 'report');
        writeFileSync(file, 'more for us\n');
        expect((await type(first, 'report')).exit).toBe(0);
        expect(readFileSync(file, 'utf8')).toMatch(/^line_key,/);
    });

    test('what was changed in the bucket is refused, and found by name', async () => {
        const key = `books/acme/runs/${runId}/output/breaks.csv`;
        const before = await textOf(store, key);
        await store.put(key, before.replace('acme', 'emca'));
        const said = await type(machine(places), 'report');
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toMatch(/^STATE_DAMAGED: s3:.*\/output\/breaks.csv is not as it was publ/);
        await store.put(key, before);
        expect(await type(machine(places), 'report')).toMatchObject({ exit: 0, err: '' });
    });

    test('a month is closed from a machine that never ran it', async () => {
        const other = machine(places);
        const said = await type(other, 'close', '--by', 'ada', '--with-held');
        expect(said).toMatchObject({ exit: 0, err: '' });
        expect((await type(first, 'close', '--by', 'bob')).out).toContain('closed already');
        const late = ['run', '--as-of', '2026-11-04T00:00:00Z'];
        expect((await type(first, ...late)).err).toMatch(
            /^PERIOD_CLOSED: 2026-10 was closed by ada/,
        );
        const open = await type(other, 'reopen', '--by', 'ada', '--reason', 'a price was wrong');
        expect(open.out).toContain('2026-10 is open again');
        expect(await keysOf(store, 'books/acme/commits/')).toHaveLength(3);
    });

    test('a server that overwrites is found out, and only one who is alone may write', async () => {
        const careless = machine({
            ...places,
            state: { ...places.state, prefix: 'other', alone: false },
        });
        const [run, doctor] = [
            await type(careless, 'run'),
            await tieout('doctor', { cwd: careless.folder }),
        ];
        if (server.isReal) {
            expect(run.exit).toBe(0);
            expect(doctor.out).toMatch(/^ok {3}state .*of two runs at once one is told$/m);
            return;
        }
        expect(run).toMatchObject({ exit: 2, out: '' });
        expect(run.err).toMatch(/^STATE_UNSAFE: s3:.*\/other overwrites what it should refuse/);
        expect(doctor.exit).toBe(2);
        expect(doctor.out).toMatch(/^BAD {2}state .*STATE_UNSAFE: .*\n {5}-> .*alone: true/m);
        expect(await keysOf(store, 'other/')).toEqual(['other/probe.json']);
        const alone = await tieout('doctor', { cwd: first.folder });
        expect(alone.out).toMatch(/^ok {3}state .*`alone` says that there are none$/m);
    });

    test('an identifier leaves the rows of the bucket', async () => {
        const isThere = async () => (await bucketRows(store, 'books/acme/')).includes('evt-3');
        expect(await isThere()).toBe(true);
        const why = ['--value', 'evt-3', '--reason', 'ticket 12', '--by', 'ada', '--apply'];
        const said = await tieout(['erase', ...why], { cwd: machine(places).folder });
        expect(said).toMatchObject({ exit: 0, err: '' });
        expect(said.out).toMatch(/rows +2 in 2 batches/);
        expect(await isThere()).toBe(false);
        const lake = await keysOf(store, 'books/acme/lake/');
        expect(lake.filter((key) => key.endsWith('/batch.json'))).toHaveLength(2);
        expect(lake).toHaveLength(4);
        const again = await tieout(['erase', ...why], { cwd: machine(places).folder });
        expect(again.out).toMatch(/rows +0 in 0 batches/);
    });

    test('a bucket that is not there is no empty log', async () => {
        const said = await type(
            machine({ state: { ...places.state, bucket: 'no-such-bucket-anywhere' } }),
            'report',
        );
        expect(said.err).toMatch(
            /^STORE_BUCKET_MISSING: s3:\/\/no-such-bucket-anywhere does not exist/,
        );
    });
});
