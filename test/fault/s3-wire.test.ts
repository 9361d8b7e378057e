import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { appendCommit, readLog } from '../../src/state/commit-log.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { s3Store } from '../../src/store/s3.ts';
import { spoolObjects } from '../../src/store/spool.ts';
import { type S3Proxy, startProxy, type WireFault } from '../support/s3-proxy.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { lines, usageLine } from '../support/terminal.ts';

/** What goes wrong between us and S3, on a wire of our own: HTTP as it is, one fault a request. */
const bucket = `tieout-wire-${process.pid}`;
const text = lines(Array.from({ length: 200 }, (_, at) => usageLine(1, { at })));
let server: S3Server;
let proxy: S3Proxy;
let store: ObjectStore;
let dir: string;

beforeAll(async () => {
    server = await startS3();
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    await server.makeBucket(bucket);
    await server.put(bucket, 'plain/a.ndjson', text);
    await server.put(bucket, 'gzip/a.ndjson.gz', gzipSync(text));
    proxy = await startProxy(server.endpoint, server.isReal);
    const options = { bucket, endpoint: proxy.endpoint, path_style: true };
    store = s3Store(options, { attempts: 3, silenceMillis: 300 });
    dir = mkdtempSync(join(tmpdir(), 'tieout-wire-'));
});
afterAll(async () => {
    vi.unstubAllEnvs();
    await store?.close();
    await proxy?.stop();
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
});

/** The first `times` requests of a method have the fault, whatever else goes over the wire. */
function strike(fault: WireFault, method: string, times: number): void {
    let left = times;
    proxy.rule((of) => {
        if (of.method !== method || /list-type/.test(of.path) || left === 0) return null;
        left -= 1;
        return fault;
    });
}

async function fetchAll(prefix = 'plain/'): Promise<readonly string[]> {
    const entries = [];
    for await (const entry of store.list(prefix)) entries.push(entry);
    const spooled = await spoolObjects({
        ...{ store, entries, dir, format: 'auto', concurrency: 1, lineBytesLimit: 1_000_000 },
        csv: { requiredColumns: [], delimiter: ',' },
    });
    return spooled.map(({ line_count }) => String(line_count));
}

describe('an object is fetched', () => {
    test.each<WireFault>(['unavailable', 'lost', 'cut', 'reset', 'short', 'stall', 'slow'])(
        '%s once, then it is whole',
        async (fault) => {
            const before = proxy.struck.length;
            strike(fault, 'GET', 1);
            expect(await fetchAll()).toEqual(['200']);
            expect(proxy.struck.slice(before)).toHaveLength(1);
        },
    );

    test.each<[WireFault, string, number]>([
        ['unavailable', 'STORE_UNREACHABLE', 3],
        ['lost', 'STORE_UNREACHABLE', 3],
        ['cut', 'STORE_UNREACHABLE', 3],
        ['reset', 'STORE_UNREACHABLE', 3],
        ['short', 'STORE_UNREACHABLE', 3],
        ['stall', 'STORE_UNREACHABLE', 3],
        ['shrunk', 'OBJECT_CHANGED', 1],
    ])('%s for good: %s, after %i requests', async (fault, code, requests) => {
        const before = proxy.struck.length;
        strike(fault, 'GET', Number.POSITIVE_INFINITY);
        await expect(fetchAll()).rejects.toMatchObject({ code, exit: 75 });
        expect(proxy.struck.slice(before)).toHaveLength(requests);
    });

    test('another byte of a compressed object is noticed', async () => {
        strike('bytes', 'GET', 1);
        await expect(fetchAll('gzip/')).rejects.toMatchObject({
            code: 'OBJECT_COMPRESSION_DAMAGED',
        });
    });
});

describe('an entry of the log is made', () => {
    const draft = {
        kind: 'run',
        pipeline: 'nightly',
        period: '2026-10',
        run_id: '',
        run_digest: 'd'.repeat(64),
        certificate_sha256: 'c'.repeat(64),
        by: '',
        reason: '',
        at: '2026-11-05T09:00:00Z',
    } as const;

    test.each<WireFault>(['unavailable', 'lost', 'cut'])(
        '%s once: it is there, once',
        async (fault) => {
            proxy.rule(() => null);
            const seen = await readLog(store);
            strike(fault, 'PUT', 1);
            const run_id = `run-${fault}`;
            const log = await appendCommit(store, seen, { ...draft, run_id }, () => {});
            expect(log.commits.map((of) => of.run_id).filter((of) => of === run_id)).toEqual([
                run_id,
            ]);
            expect((await readLog(store)).commits).toEqual(log.commits);
        },
    );

    test('nobody knows whether it was made: the next attempt finds it and makes no other', async () => {
        proxy.rule(() => null);
        const seen = await readLog(store);
        const entry = { ...draft, run_id: 'unknown' };
        proxy.rule(({ number }) => (number === 1 ? 'cut' : 'unavailable'));
        const made = appendCommit(store, seen, entry, () => {});
        await expect(made).rejects.toMatchObject({ code: 'STORE_UNREACHABLE', exit: 75 });
        proxy.rule(() => null);
        const log = await appendCommit(store, seen, entry, () => {});
        expect(log.commits.filter(({ run_id }) => run_id === 'unknown')).toHaveLength(1);
    });
});
