import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { RunError } from '../../../src/errors/index.ts';
import { appendCommit, readLog } from '../../../src/state/commit-log.ts';
import type { ObjectEntry, ObjectStore } from '../../../src/store/object-store.ts';
import { type S3Tuning, s3Store } from '../../../src/store/s3.ts';
import { spoolObjects } from '../../../src/store/spool.ts';
import { type S3Server, startS3 } from '../../support/s3-server.ts';

const secret = 'never-in-an-error';

function setEnvironment(env: Readonly<Record<string, string>>): void {
    for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_REGION', 'AWS_ENDPOINT_URL']) {
        vi.stubEnv(name, undefined);
    }
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
}

async function list(store: ObjectStore, prefix = ''): Promise<readonly ObjectEntry[]> {
    const entries: ObjectEntry[] = [];
    for await (const entry of store.list(prefix)) entries.push(entry);
    return entries;
}

async function failure(work: Promise<unknown>): Promise<RunError> {
    const error = await work.then(
        () => new Error('it did not fail'),
        (reason: unknown) => reason,
    );
    if (!(error instanceof RunError)) throw error;
    return error;
}

afterEach(() => {
    vi.unstubAllEnvs();
});

describe('against a server', () => {
    let server: S3Server;
    let bucket = '';
    let count = 0;

    beforeAll(async () => {
        server = await startS3();
    });

    afterAll(async () => {
        await server.stop();
    });

    beforeEach(async () => {
        setEnvironment(server.env);
        count += 1;
        bucket = `store-test-${process.pid}-${count}`;
        await server.makeBucket(bucket);
    });

    const open = (name = bucket, tuning: Partial<S3Tuning> = {}) =>
        s3Store({ bucket: name, endpoint: server.endpoint, path_style: true }, tuning);

    test('lists all pages, in the order of the keys', async () => {
        const keys = ['a/1', 'a/10', 'a/2', 'a/3', 'b/1'];
        for (const key of keys) await server.put(bucket, key, key);
        for (const keysPerPage of [1, 2, 3, 5, 1000]) {
            const store = open(bucket, { keysPerPage });
            expect((await list(store)).map(({ key }) => key)).toEqual(keys);
            expect(await list(store, 'a/')).toHaveLength(4);
            expect(await list(store, 'none/')).toEqual([]);
            await store.close();
        }
    });

    test('lists and gets keys of any characters', async () => {
        // On one page: the embedded server sorts by locale but pages by code, and loses such keys.
        const keys = ['a/x y+z%41', 'a/ä😀', 'a/<&>"\'', 'A/~'];
        const store = open();
        for (const key of keys) await store.put(key, key);
        const found = (await list(store)).map(({ key }) => key);
        expect(found.sort()).toEqual(keys.sort());
        for (const key of keys) expect(await text((await store.get(key)).stream)).toBe(key);
        await store.close();
    });

    test('gets what was put, with the etag of the listing and without quotes', async () => {
        const store = open();
        await store.put('a/b c', 'hello');
        await store.put('bytes', new Uint8Array([0, 255]));
        const [entry, other] = await list(store);
        // When the store got it: `--arrived` goes by that.
        expect(Math.abs(Date.parse(entry?.arrived_at ?? '') - Date.now())).toBeLessThan(600_000);
        expect(entry).toEqual({
            key: 'a/b c',
            size: 5,
            etag: '5d41402abc4b2a76b9719d911017c592',
            arrived_at: entry?.arrived_at,
        });
        expect(other?.size).toBe(2);
        const body = await store.get('a/b c', { ifEtag: entry?.etag ?? '' });
        expect(body).toMatchObject({ size: 5, etag: entry?.etag });
        expect(await text(body.stream)).toBe('hello');
        expect(store.address).toBe(`s3://${bucket}`);
        await store.close();
    });

    test.each([
        ['in one request', 3],
        ['in parts', 20 * 1_048_576 + 7],
    ])('a file is uploaded %s, with its hash', async (_what, size) => {
        const dir = await mkdtemp(join(tmpdir(), 'tieout-upload-'));
        const file = join(dir, 'file');
        const bytes = Buffer.alloc(size, 'the quick brown fox ');
        await writeFile(file, bytes);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const store = open();
        await store.upload('runs/x/file', file, sha256);
        const body = await store.get('runs/x/file');
        expect(body).toMatchObject({ size, sha256 });
        const hash = createHash('sha256');
        for await (const chunk of body.stream) hash.update(chunk);
        expect(hash.digest('hex')).toBe(sha256);
        await expect(store.upload('none', join(dir, 'none'), sha256)).rejects.toThrow('ENOENT');
        expect((await failure(store.get('none'))).code).toBe('OBJECT_MISSING');
        await store.close();
        await rm(dir, { recursive: true });
    });

    test('an object is removed, and no other one; one that is not there is gone already', async () => {
        const store = open();
        await store.put('gone/a', 'one');
        await store.put('gone/ab', 'other');
        for (const key of ['gone/a', 'gone/a', 'gone/never']) await store.remove(key);
        const left: string[] = [];
        for await (const { key } of store.list('gone/')) left.push(key);
        expect(left).toEqual(['gone/ab']);
        await store.remove('gone/ab');
        await store.close();
    });

    // The embedded server ignores the condition and overwrites: there only one writer may exist.
    describe.runIf(process.env.TIEOUT_TEST_S3_ENDPOINT)('creating what may be there', () => {
        test('of sixteen writers of one key one has made it, and it is whole', async () => {
            const store = open();
            const names = Array.from({ length: 16 }, (_, at) => `writer ${at}`);
            const made = await Promise.all(names.map((name) => store.create('one', name)));
            expect(made.filter((isMade) => isMade)).toHaveLength(1);
            expect(await text((await store.get('one')).stream)).toBe(names[made.indexOf(true)]);
            expect(await store.create('one', 'late')).toBe(false);
            await store.close();
        });

        test('eight writers of the log make eight entries', async () => {
            const store = open();
            const names = Array.from({ length: 8 }, (_, at) => `run-${at}`);
            const hashes = { run_digest: 'd'.repeat(64), certificate_sha256: 'c'.repeat(64) };
            const write = (run_id: string) =>
                appendCommit(
                    store,
                    { commits: [], head: '' },
                    {
                        ...{
                            kind: 'run',
                            pipeline: 'nightly',
                            period: '2026-10',
                            run_id,
                            by: '',
                            reason: '',
                        },
                        ...{ ...hashes, at: '2026-11-05T09:00:00Z' },
                    },
                    () => {},
                );
            await Promise.all(names.map(write));
            const { commits } = await readLog(store);
            expect(commits.map(({ run_id }) => run_id).sort()).toEqual(names);
            await store.close();
        });
    });

    test('an object overwritten after it was listed: OBJECT_CHANGED', async () => {
        const store = open();
        await store.put('a', 'one');
        const [entry] = await list(store);
        await store.put('a', 'two');
        const error = await failure(store.get('a', { ifEtag: entry?.etag ?? '' }));
        expect(error.code).toBe('OBJECT_CHANGED');
        expect(error.params).toMatchObject({ expected: entry?.etag });
        await store.close();
    });

    test('missing bucket and missing key have their own codes', async () => {
        const nowhere = open('no-such-bucket-anywhere');
        for (const work of [
            () => list(nowhere),
            () => nowhere.get('a'),
            () => nowhere.put('a', ''),
        ]) {
            expect((await failure(work())).code).toBe('STORE_BUCKET_MISSING');
        }
        const store = open();
        expect((await failure(store.get('a'))).code).toBe('OBJECT_MISSING');
        await store.close();
        await nowhere.close();
    });

    test('a folder put into a bucket is spooled from it', async () => {
        const dir = await mkdtemp(join(tmpdir(), 'tieout-s3-'));
        await mkdir(join(dir, 'in/day'), { recursive: true });
        await writeFile(join(dir, 'in/day/a.ndjson'), '{"a":1}\n{"a":2}');
        await writeFile(join(dir, 'in/b.ndjson'), `${'x'.repeat(300_000)}\n`);
        await server.putFolder(bucket, join(dir, 'in'), 'usage/');
        const store = open();
        const entries = await list(store, 'usage/');
        const spooled = await spoolObjects({
            store,
            entries,
            dir: join(dir, 'spool'),
            format: 'auto',
            csv: { requiredColumns: [], delimiter: ',' },
            concurrency: 2,
            lineBytesLimit: 1_000_000,
        });
        expect(spooled.map(({ key, line_count }) => [key, line_count])).toEqual([
            ['usage/b.ndjson', 1],
            ['usage/day/a.ndjson', 2],
        ]);
        await store.close();
        await rm(dir, { recursive: true });
    });

    test('a wrong key is refused by servers that look', async ({ skip }) => {
        skip(!server.isReal, 'the embedded server checks no credentials');
        vi.stubEnv('AWS_SECRET_ACCESS_KEY', secret);
        const error = await failure(list(open()));
        expect(error.code).toBe('STORE_ACCESS_DENIED');
        expect(JSON.stringify(error)).not.toContain(secret);
    });
});

describe('answers of a server that fails', () => {
    const stops: (() => void)[] = [];

    beforeEach(() => {
        setEnvironment({
            AWS_ACCESS_KEY_ID: 'key',
            AWS_SECRET_ACCESS_KEY: secret,
            AWS_SESSION_TOKEN: `token-${secret}`,
            AWS_EC2_METADATA_DISABLED: 'true',
        });
    });

    afterEach(() => {
        for (const stop of stops.splice(0)) stop();
    });

    /** A server on loopback that answers as told, and a store that talks to it. */
    async function stub(answer: RequestListener, tuning: Partial<S3Tuning> = {}) {
        let requests = 0;
        const server = createServer((request, response) => {
            requests += 1;
            answer(request, response);
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        const store = s3Store(
            { bucket: 'bucket', endpoint: `http://127.0.0.1:${port}`, path_style: true },
            { attempts: 2, ...tuning },
        );
        stops.push(() => {
            server.closeAllConnections();
            server.close();
            void store.close();
        });
        return { store, requests: () => requests };
    }

    const refusing =
        (status: number, code: string): RequestListener =>
        (request, response) => {
            // S3 repeats the token in some of its errors; so does this one, with all it was sent.
            const echo = JSON.stringify(request.headers).replaceAll(/[<&]/g, '');
            response.writeHead(status, { 'content-type': 'application/xml' });
            response.end(
                `<Error><Code>${code}</Code><Message>it was ${code}</Message>` +
                    `<Token-0>token-${secret}</Token-0><Headers>${echo}</Headers></Error>`,
            );
        };

    const answers = [
        [403, 'AccessDenied', 'STORE_ACCESS_DENIED', 1],
        [403, 'InvalidAccessKeyId', 'STORE_ACCESS_DENIED', 1],
        [403, 'SignatureDoesNotMatch', 'STORE_ACCESS_DENIED', 1],
        [400, 'ExpiredToken', 'STORE_ACCESS_DENIED', 1],
        [401, 'Unauthorized', 'STORE_ACCESS_DENIED', 1],
        [301, 'PermanentRedirect', 'STORE_ACCESS_DENIED', 1],
        [404, 'NoSuchBucket', 'STORE_BUCKET_MISSING', 1],
        [400, 'InvalidBucketName', 'STORE_BUCKET_MISSING', 1],
        [500, 'InternalError', 'STORE_UNREACHABLE', 2],
        [503, 'SlowDown', 'STORE_UNREACHABLE', 2],
        [429, 'TooManyRequests', 'STORE_UNREACHABLE', 2],
    ] as const;
    for (const [status, code, expected, attempts] of answers) {
        test(`${status} ${code} to list, get and put: ${expected}`, async () => {
            const { store, requests } = await stub(refusing(status, code));
            const works = {
                list: () => list(store, 'p'),
                get: () => store.get('k'),
                put: () => store.put('k', 'v'),
            };
            for (const [name, work] of Object.entries(works)) {
                const error = await failure(work());
                expect([name, error.code]).toEqual([name, expected]);
                expect(inspected(error)).not.toContain(secret);
                if (expected === 'STORE_BUCKET_MISSING') continue;
                expect(error.message).toContain(`${status} ${code}: it was ${code}`);
                expect(error.message).toContain(name === 'list' ? 'list p' : `${name} k`);
            }
            expect(requests()).toBe(3 * attempts);
        });
    }

    test('404 NoSuchKey to get: OBJECT_MISSING', async () => {
        const { store } = await stub(refusing(404, 'NoSuchKey'));
        expect((await failure(store.get('k'))).code).toBe('OBJECT_MISSING');
    });

    test('503 once, then an answer: nobody notices', async () => {
        let left = 1;
        const { store, requests } = await stub((request, response) => {
            if (left-- > 0) return refusing(503, 'SlowDown')(request, response);
            response.writeHead(200, { etag: '"e"', 'content-length': '2' });
            response.end('ok');
        });
        expect(await text((await store.get('k')).stream)).toBe('ok');
        expect(requests()).toBe(2);
    });

    test('nobody listens: STORE_UNREACHABLE', async () => {
        const { store } = await stub(() => {});
        stops.splice(0)[0]?.();
        const error = await failure(list(store));
        expect(error.code).toBe('STORE_UNREACHABLE');
        expect(error.params).toMatchObject({ attempts: 2 });
        expect(error.message).toMatch(/ECONNREFUSED|ECONNRESET/);
    });

    test('a server that accepts and says nothing: STORE_UNREACHABLE', async () => {
        const { store } = await stub(() => {}, { silenceMillis: 200 });
        expect((await failure(store.get('k'))).code).toBe('STORE_UNREACHABLE');
    });

    test('an answer that is not S3: STORE_UNREACHABLE', async () => {
        const { store } = await stub((_, response) => {
            response.writeHead(200, { 'content-type': 'text/html' });
            response.end('<html>Welcome to the airport <b>network</html>');
        });
        expect((await failure(list(store))).code).toBe('STORE_UNREACHABLE');
    });

    test('no credentials anywhere: STORE_ACCESS_DENIED', async () => {
        const { store, requests } = await stub(() => {});
        vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
        vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
        const error = await failure(list(store));
        expect(error.code).toBe('STORE_ACCESS_DENIED');
        expect(error.message).toContain('no usable credentials');
        expect(requests()).toBe(0);
    });

    test('the region is the one given, else that of the chain, else us-east-1', async () => {
        const seen: string[] = [];
        const answer: RequestListener = (request, response) => {
            seen.push(request.headers.authorization?.split('/')[2] ?? '');
            response.end('<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
        };
        const first = await stub(answer);
        await list(first.store);
        vi.stubEnv('AWS_REGION', 'eu-central-1');
        await list((await stub(answer)).store);
        expect(seen).toEqual(['us-east-1', 'eu-central-1']);
    });

    test('a key that pages repeat is given once; a listing without end is ended', async () => {
        const contents = (key: string) =>
            `<Contents><Key>${key}</Key><Size>1</Size><ETag>"e"</ETag></Contents>`;
        const page = (keys: readonly string[], next: string) => `<ListBucketResult>
            <IsTruncated>${next !== ''}</IsTruncated>
            ${next && `<NextContinuationToken>${next}</NextContinuationToken>`}
            ${keys.map(contents).join('')}
            </ListBucketResult>`;
        const pages: Record<string, string> = {
            '': page(['a', 'b'], '1'),
            1: page(['b', 'c'], '2'),
            2: page(['c'], ''),
        };
        const { store } = await stub((request, response) => {
            const token = new URL(request.url ?? '', 'http://x').searchParams;
            response.end(pages[token.get('continuation-token') ?? '']);
        });
        expect((await list(store)).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
        const endless = await stub((_, response) => void response.end(page(['a'], 'same')));
        const error = await failure(list(endless.store));
        expect(error.code).toBe('STORE_UNREACHABLE');
        expect(error.message).toContain('same page');
    });

    describe('in mid-body', () => {
        let dir = '';

        beforeEach(async () => {
            dir = await mkdtemp(join(tmpdir(), 'tieout-s3-'));
        });

        afterEach(async () => {
            await rm(dir, { recursive: true });
        });

        const body = `${'{"a":1}\n'.repeat(20_000)}`;
        const spool = (store: ObjectStore) =>
            spoolObjects({
                store,
                entries: [{ key: 'k', size: body.length, etag: 'e' }],
                dir,
                format: 'ndjson',
                csv: { requiredColumns: [], delimiter: ',' },
                concurrency: 1,
                lineBytesLimit: 1000,
            });
        const headers = { etag: '"e"', 'content-length': String(body.length) };
        const half = body.slice(0, body.length / 2);
        const breaking = {
            'a reset': (socket: Socket) => socket.resetAndDestroy(),
            'a close': (socket: Socket) => socket.end(),
            silence: () => {},
        };
        for (const [name, breakIt] of Object.entries(breaking)) {
            test(`${name} twice, then the whole: spooled`, async () => {
                let left = 2;
                const { store, requests } = await stub(
                    ({ socket }, response) => {
                        response.writeHead(200, headers);
                        if (left-- > 0) response.write(half, () => breakIt(socket));
                        else response.end(body);
                    },
                    { silenceMillis: 300 },
                );
                const [object] = await spool(store);
                expect(object?.line_count).toBe(20_000);
                expect(requests()).toBe(3);
            });

            test(`${name} every time: STORE_UNREACHABLE`, async () => {
                const { store, requests } = await stub(
                    ({ socket }, response) => {
                        response.writeHead(200, headers);
                        response.write(half, () => breakIt(socket));
                    },
                    { silenceMillis: 300 },
                );
                const error = await failure(spool(store));
                expect(error.code).toBe('STORE_UNREACHABLE');
                expect(error.params).toMatchObject({ operation: 'get k', attempts: 3 });
                expect(requests()).toBe(3);
            });
        }
    });
});

/** Everything a logger could make of an error, its causes included. */
function inspected(error: Error): string {
    const own = Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name));
    return JSON.stringify([error, ...own, error.stack, error.cause]);
}
