import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pLimit from 'p-limit';
import { RunError } from '../errors/index.ts';
import { chain, compressionOf, inflated, peek } from './inflate.ts';
import type { ObjectBody, ObjectEntry, ObjectStore } from './object-store.ts';
import {
    type FormatJob,
    formatOf,
    type Plain,
    type SpoolFormat,
    writeParquet,
    writeText,
} from './spool-formats.ts';

/** An object brought into the spool: proven whole, and lying there as a plain file. */
export interface SpooledObject {
    /** Position among the entries given, from 1. */
    readonly object_no: number;
    readonly key: string;
    readonly size: number;
    readonly etag: string;
    readonly versionId?: string;
    /** Of the bytes as stored, before anything was decompressed or normalised. */
    readonly sha256: string;
    readonly format: SpoolFormat;
    /** Absolute. A name made of the number, never of the key. */
    readonly path: string;
    /** Physical lines, the header and empty ones too. Null for Parquet. */
    readonly line_count: number | null;
}

export interface SpoolOptions {
    readonly store: ObjectStore;
    readonly entries: readonly ObjectEntry[];
    /** Only files of an earlier spool are removed from it; anything else in it stays. */
    readonly dir: string;
    readonly format: 'auto' | SpoolFormat;
    readonly csv: { readonly requiredColumns: readonly string[]; readonly delimiter: string };
    readonly concurrency: number;
    readonly lineBytesLimit: number;
    /** Bytes as stored, since the last call. They add up to the entries' sizes, retried or not. */
    readonly onProgress?: (at: { bytes: number; key: string }) => void;
}

const fetchAttempts = 3;
const firstPauseMillis = 100;

/** One object on its way into the spool. */
interface Job {
    readonly options: SpoolOptions;
    readonly entry: ObjectEntry;
    readonly object_no: number;
    readonly partial: string;
    /** False once an object before this one has failed: the run is lost whatever this one gives. */
    readonly isWanted: () => boolean;
    /** Bytes told to onProgress, over all attempts. */
    reported: number;
}

/**
 * Brings objects into a folder as plain files, each verified against its listing, whole and
 * readable line by line. A body that breaks is fetched again from its start, a bounded number of times.
 * @throws RunError OBJECT_*, CSV_HEADER_MISSING, STORE_*: always that of the first bad object
 */
export async function spoolObjects(options: SpoolOptions): Promise<readonly SpooledObject[]> {
    const dir = resolve(options.dir);
    await clearSpool(dir);
    const spooled: SpooledObject[] = [];
    let failure: { readonly object_no: number; readonly error: unknown } | null = null;
    const isBeforeFailure = (object_no: number) => !failure || object_no < failure.object_no;
    const limit = pLimit(options.concurrency);
    const work = options.entries.map((entry, index) =>
        limit(async () => {
            const object_no = index + 1;
            const isWanted = () => isBeforeFailure(object_no);
            if (!isWanted()) return;
            const partial = join(dir, `${fileNumber(object_no)}.partial`);
            try {
                const job = { options, entry, object_no, partial, isWanted, reported: 0 };
                spooled[index] = await spoolObject(job);
            } catch (error) {
                // Earlier objects have all begun and are let end, so the first failure is the same
                // one in every run, whichever was quicker.
                if (isWanted()) failure = { object_no, error };
            }
        }),
    );
    await Promise.all(work);
    if (failure) throw (failure as { error: unknown }).error;
    return spooled;
}

const fileNumber = (object_no: number) => String(object_no).padStart(6, '0');

/** An earlier attempt's files prove nothing about today's objects. */
async function clearSpool(dir: string): Promise<void> {
    await mkdir(dir, { recursive: true });
    const own = /^\d{6,}\.(partial|ndjson|csv|parquet)$/;
    for (const name of await readdir(dir)) {
        if (own.test(name)) await rm(join(dir, name));
    }
}

async function spoolObject(job: Job): Promise<SpooledObject> {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await fetchOnce(job);
        } catch (error) {
            await rm(job.partial, { force: true });
            if (!(error instanceof BrokenBody)) throw error;
            if (attempt === fetchAttempts) throw brokenForGood(job, error, attempt);
            await setTimeout(firstPauseMillis * attempt);
        }
    }
}

async function fetchOnce(job: Job): Promise<SpooledObject> {
    const { options, entry, object_no, partial } = job;
    const body = await options.store.get(entry.key, { ifEtag: entry.etag });
    // A connection that breaks when nobody reads any more must not end the process.
    body.stream.on('error', () => {});
    try {
        requireListed(job, body);
        const hash = createHash('sha256');
        const file = await open(partial, 'w');
        let plain: Plain;
        try {
            plain = await writePlain(job, storedBytes(job, body, hash), file);
        } finally {
            await file.close();
        }
        // Not synced: a spool never outlives its run, a crashed one is fetched again.
        const path = join(resolve(options.dir), `${fileNumber(object_no)}.${plain.format}`);
        await rename(partial, path);
        return {
            object_no,
            key: entry.key,
            size: entry.size,
            etag: entry.etag,
            ...(body.versionId === undefined ? {} : { versionId: body.versionId }),
            sha256: hash.digest('hex'),
            format: plain.format,
            path,
            line_count: plain.line_count,
        };
    } finally {
        body.stream.destroy();
    }
}

/** A body that ended or broke before its end. Another attempt may get it whole. */
class BrokenBody extends Error {
    readonly received: number;

    constructor(received: number, cause?: unknown) {
        super('the body broke', { cause });
        this.received = received;
    }
}

function brokenForGood({ options, entry }: Job, broken: BrokenBody, attempts: number): RunError {
    const at = { store: options.store.address, key: entry.key };
    if (broken.cause === undefined) {
        return new RunError('OBJECT_SHORT', {
            ...at,
            expected: entry.size,
            actual: broken.received,
        });
    }
    const { message } = broken.cause as Error;
    const detail = `${message} after ${broken.received} of ${entry.size} bytes`;
    const failed = { store: at.store, operation: `get ${entry.key}`, detail, attempts };
    return new RunError('STORE_UNREACHABLE', failed, broken.cause);
}

function requireListed(job: Job, body: ObjectBody): void {
    const { size, etag } = job.entry;
    if (body.etag !== etag) throw changed(job, etag, body.etag);
    if (body.size !== size) throw changed(job, `${size} bytes`, `${body.size} bytes`);
}

function changed({ options, entry }: Job, expected: string, actual: string): RunError {
    const at = { store: options.store.address, key: entry.key };
    return new RunError('OBJECT_CHANGED', { ...at, expected, actual });
}

/** The bytes as stored, counted and hashed. Ends only where the object ends. */
async function* storedBytes(
    job: Job,
    body: ObjectBody,
    hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Buffer> {
    const { size, key } = job.entry;
    let received = 0;
    try {
        for await (const chunk of body.stream as AsyncIterable<Buffer>) {
            if (!job.isWanted()) throw new Error('an earlier object failed');
            received += chunk.length;
            if (received > size) throw changed(job, `${size} bytes`, `at least ${received} bytes`);
            hash.update(chunk);
            if (received > job.reported) {
                job.options.onProgress?.({ bytes: received - job.reported, key });
                job.reported = received;
            }
            yield chunk;
        }
    } catch (error) {
        throw error instanceof RunError || !job.isWanted()
            ? error
            : new BrokenBody(received, error);
    }
    if (received < size) throw new BrokenBody(received);
}

async function writePlain(
    job: Job,
    stored: AsyncGenerator<Buffer>,
    file: FileHandle,
): Promise<Plain> {
    const { options, entry } = job;
    const at = { store: options.store.address, key: entry.key };
    const of: FormatJob = { at, options };
    const sink = async (plain: AsyncIterable<Buffer>) => {
        const { head, rest } = await peek(plain);
        const format = formatOf(of, head);
        if (format === 'parquet') return writeParquet(of, head, rest, file);
        return { format, line_count: await writeText(of, format, head, rest, file) };
    };
    const { head, rest } = await peek(stored);
    const compression = compressionOf(head);
    const bytes = chain(head, rest);
    return compression
        ? inflated({ ...at, size: entry.size }, compression, bytes, sink)
        : sink(bytes);
}
