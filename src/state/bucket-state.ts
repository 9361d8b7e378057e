import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import pLimit from 'p-limit';
import { RunError } from '../errors/index.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { refusesToOverwrite } from './probe.ts';
import type { State } from './state.ts';

export interface BucketOptions {
    /** The working copy, absolute. */
    readonly folder: string;
    /** Nobody else writes there, so the store need not tell writers apart. */
    readonly alone: boolean;
}

/** Files under way at a time: each may be in several parts. */
const concurrency = 4;
const fetchAttempts = 3;
const firstPauseMillis = 100;

/** A state in a bucket. @param bucket with keys below the prefix of the state. */
export function bucketState(bucket: ObjectStore, { folder, alone }: BucketOptions): State {
    const store = alone ? lookingFirst(bucket) : bucket;
    return {
        address: store.address,
        folder,
        store,
        isBucket: true,
        async publish(paths, { anew = false } = {}) {
            const there = anew ? new Map<string, number>() : await sizesOf(store, paths);
            const missing = paths.filter((path) => !there.has(path));
            await eachOf(missing, (path) => publishFile(store, path, folder));
        },
        async fetch(paths, to = folder) {
            const there = await sizesOf(store, paths);
            await eachOf(paths, (path) => fetchFile(store, path, to, there.get(path)));
        },
        alone,
        tellsWritersApart: () => refusesToOverwrite(bucket),
        close: () => bucket.close(),
    };
}

/**
 * Creates nothing of which it finds that it is there. That is no lock: of two writers at once both
 * may find nothing. But one who is not alone after all is told so, most of the time.
 */
function lookingFirst(store: ObjectStore): ObjectStore {
    return {
        ...store,
        async create(key, body) {
            for await (const entry of store.list(key)) if (entry.key === key) return false;
            return store.create(key, body);
        },
    };
}

async function eachOf(
    paths: readonly string[],
    work: (path: string) => Promise<void>,
): Promise<void> {
    const limit = pLimit(concurrency);
    const done = await Promise.allSettled(paths.map((path) => limit(() => work(path))));
    // All have ended, so nothing goes on behind the back of whoever is told of the first failure.
    const failed = done.find((of) => of.status === 'rejected');
    if (failed) throw failed.reason;
}

/** Sizes of what is there of these files: one listing for each folder that they are in. */
async function sizesOf(
    store: ObjectStore,
    paths: readonly string[],
): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for (const folder of new Set(paths.map(dirname))) {
        for await (const { key, size } of store.list(`${folder}/`)) sizes.set(key, size);
    }
    return sizes;
}

async function publishFile(store: ObjectStore, path: string, folder: string): Promise<void> {
    const file = join(folder, path);
    if ((await sizeOf(file)) === null) {
        throw damaged(store, path, 'it is neither there nor in the working copy');
    }
    await store.upload(path, file, await hashOf(file));
}

async function sizeOf(file: string): Promise<number | null> {
    return stat(file).then(
        ({ size }) => size,
        () => null,
    );
}

async function hashOf(file: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file)) hash.update(chunk);
    return hash.digest('hex');
}

async function fetchFile(
    store: ObjectStore,
    path: string,
    to: string,
    there: number | undefined,
): Promise<void> {
    if (there === undefined) throw damaged(store, path, 'it is not there');
    const file = join(to, path);
    if ((await sizeOf(file)) === there) return;
    await mkdir(dirname(file), { recursive: true });
    // Another process may fetch the same file: each writes its own, and the last name given stands.
    const partial = `${file}.${process.pid}.partial`;
    for (let attempt = 1; ; attempt++) {
        try {
            const wrong = await download(store, path, partial);
            if (wrong === null) return await rename(partial, file);
            if (attempt === fetchAttempts) throw damaged(store, path, wrong);
        } catch (error) {
            await rm(partial, { force: true });
            if (error instanceof RunError) throw error;
            if (attempt === fetchAttempts) throw unreachable(store, path, error, attempt);
        }
        await setTimeout(firstPauseMillis * attempt);
    }
}

/** Writes what arrives into a file. Gives what is wrong with it; null when it is what was put. */
async function download(store: ObjectStore, path: string, file: string): Promise<string | null> {
    const { stream, size, sha256 } = await store.get(path);
    const hash = createHash('sha256');
    let count = 0;
    const counting = new Transform({
        transform(chunk: Buffer, _encoding, done) {
            hash.update(chunk);
            count += chunk.length;
            done(null, chunk);
        },
    });
    await pipeline(stream, counting, createWriteStream(file, { flush: true }));
    if (count !== size) return `${count} of ${size} bytes arrived`;
    const arrived = hash.digest('hex');
    // Without one it was put there by other means, as from a backup: then its size has to do.
    if (sha256 === undefined || arrived === sha256) return null;
    return `sha256 is ${arrived}, not ${sha256}`;
}

function damaged({ address }: ObjectStore, key: string, detail: string): RunError {
    return new RunError('STATE_DAMAGED', { store: address, key, detail });
}

function unreachable(
    { address }: ObjectStore,
    key: string,
    error: unknown,
    attempts: number,
): unknown {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    // The disk of the working copy is full, or can't be written.
    if (/^(ENOSPC|EDQUOT|EACCES|EROFS|EPERM)$/.test(code ?? '') && syscall !== 'read') return error;
    const operation = `get ${key}`;
    return new RunError('STORE_UNREACHABLE', {
        store: address,
        operation,
        detail: message,
        attempts,
    });
}
