import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import pLimit from 'p-limit';
import { RunError } from '../errors/index.ts';
import type { ObjectBody, ObjectEntry, ObjectStore } from './object-store.ts';

export type SpoolFormat = 'ndjson' | 'csv' | 'parquet';

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
    /** Bytes as stored, since the last call. Their sum is the size of the entries, retries or not. */
    readonly onProgress?: (at: { bytes: number; key: string }) => void;
}

const fetchAttempts = 3;
const firstPauseMillis = 100;
const inflateChunkBytes = 262_144;
const headBytes = 4;

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
 * Brings objects into a folder as plain files, each verified against its listing, whole and readable
 * line by line. A body that breaks is fetched again from its start, a bounded number of times.
 * @throws RunError OBJECT_*, CSV_HEADER_MISSING, STORE_*: always that of the first object that fails
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

// ---- decompression -----------------------------------------------------------------------------

type Compression = 'gzip' | 'zstd';

/** Takes the plain bytes of an object and says what they were. */
interface Plain {
    readonly format: SpoolFormat;
    readonly line_count: number | null;
}

async function writePlain(
    job: Job,
    stored: AsyncGenerator<Buffer>,
    file: FileHandle,
): Promise<Plain> {
    const sink = async (plain: AsyncIterable<Buffer>) => {
        const { head, rest } = await peek(plain);
        const format = formatOf(job, head);
        if (format === 'parquet') return writeParquet(job, head, rest, file);
        return { format, line_count: await writeText(job, format, head, rest, file) };
    };
    const { head, rest } = await peek(stored);
    const compression = compressionOf(head);
    const bytes = chain(head, rest);
    return compression ? inflated(job, compression, bytes, sink) : sink(bytes);
}

/** Reads until enough bytes are there to tell what they are, or none are left. */
async function peek(
    bytes: AsyncIterable<Buffer>,
): Promise<{ head: Buffer; rest: AsyncIterator<Buffer> }> {
    const rest = bytes[Symbol.asyncIterator]();
    let head: Buffer = Buffer.alloc(0);
    while (head.length < headBytes) {
        const next = await rest.next();
        if (next.done) break;
        head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    }
    return { head, rest };
}

async function* chain(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => rest };
}

function compressionOf(head: Buffer): Compression | null {
    if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
    const magic = head.length < headBytes ? 0 : head.readUInt32LE();
    return magic === zstdMagic || isSkippable(magic) ? 'zstd' : null;
}

async function inflated(
    job: Job,
    compression: Compression,
    bytes: AsyncGenerator<Buffer>,
    sink: (plain: AsyncIterable<Buffer>) => Promise<Plain>,
): Promise<Plain> {
    const damaged = (detail: string, cause?: unknown) =>
        new RunError(
            'OBJECT_COMPRESSION_DAMAGED',
            { store: job.options.store.address, key: job.entry.key, compression, detail },
            cause,
        );
    const inflater =
        compression === 'gzip'
            ? createGunzip({ chunkSize: inflateChunkBytes })
            : createZstdDecompress({ chunkSize: inflateChunkBytes });
    const source = compression === 'gzip' ? bytes : wholeFrames(bytes, damaged);
    try {
        const plain = await pipeline(source, inflater, sink);
        // Padding after the last gzip member is dropped by the decoder without a word.
        if (inflater.bytesWritten < job.entry.size) throw damaged('bytes after its end');
        return plain;
    } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        // The decoder closes early when it meets such padding at the start of a chunk.
        if (code === 'ERR_STREAM_PREMATURE_CLOSE') throw damaged('bytes after its end', error);
        if (/^(Z_|ZSTD_)/.test(code ?? '')) throw damaged(message, error);
        throw error;
    }
}

const zstdMagic = 0xfd2fb528;
const isSkippable = (magic: number) => magic >>> 4 === 0x184d2a5;

/**
 * Cuts zstd bytes where a frame ends. Node's decoder takes several frames, but silently drops what
 * follows the end of one in the same chunk: half of an object could vanish.
 */
async function* wholeFrames(
    bytes: AsyncIterable<Buffer>,
    damaged: (detail: string) => RunError,
): AsyncGenerator<Buffer> {
    let frame: Generator<Need, void, Buffer> = zstdFrame(damaged);
    let need = frame.next().value as Need;
    let kept = Buffer.alloc(0);
    let isInside = false;
    for await (const chunk of bytes) {
        let from = 0;
        for (let at = 0; at < chunk.length; ) {
            const step = Math.min(need.count, chunk.length - at);
            if (need.isRead) kept = Buffer.concat([kept, chunk.subarray(at, at + step)]);
            at += step;
            isInside = true;
            need = { ...need, count: need.count - step };
            while (need.count === 0) {
                const next = frame.next(kept);
                kept = Buffer.alloc(0);
                if (next.done) {
                    yield chunk.subarray(from, at);
                    from = at;
                    isInside = false;
                    frame = zstdFrame(damaged);
                }
                need = next.done ? (frame.next().value as Need) : next.value;
            }
        }
        if (from < chunk.length) yield chunk.subarray(from);
    }
    if (isInside) throw damaged('it ends inside a frame');
}

/** How many bytes of a frame come next, and whether they must be looked at. */
interface Need {
    readonly count: number;
    readonly isRead: boolean;
}

/** Walks one frame (RFC 8878, 3.1): header, blocks until the last, checksum. */
function* zstdFrame(damaged: (detail: string) => RunError): Generator<Need, void, Buffer> {
    const read = (count: number): Need => ({ count, isRead: true });
    const skip = (count: number): Need => ({ count, isRead: false });
    const magic = (yield read(4)).readUInt32LE();
    if (isSkippable(magic)) {
        yield skip((yield read(4)).readUInt32LE());
        return;
    }
    if (magic !== zstdMagic) throw damaged('bytes after its end');
    const descriptor = (yield read(1)).readUInt8();
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
    yield skip((isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes);
    for (let isLast = false; !isLast; ) {
        const block = (yield read(3)).readUIntLE(0, 3);
        isLast = (block & 1) === 1;
        const isRepeatedByte = ((block >> 1) & 3) === 1;
        yield skip(isRepeatedByte ? 1 : block >> 3);
    }
    yield skip((descriptor & 4) === 0 ? 0 : 4);
}

// ---- formats -----------------------------------------------------------------------------------

const parquetMagic = 'PAR1';

function formatOf({ options, entry }: Job, head: Buffer): SpoolFormat {
    if (options.format !== 'auto') return options.format;
    if (head.toString('latin1', 0, 4) === parquetMagic) return 'parquet';
    const name = entry.key.toLowerCase().replace(/\.(gz|zst)$/, '');
    if (name.endsWith('.csv')) return 'csv';
    // A file that calls itself Parquet and is not must not be read as a page of bad lines.
    return name.endsWith('.parquet') ? 'parquet' : 'ndjson';
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

/** Copies Parquet as it is. Its footer says how long it is itself, so a cut at either end shows. */
async function writeParquet(
    job: Job,
    head: Buffer,
    rest: AsyncIterator<Buffer>,
    file: FileHandle,
): Promise<Plain> {
    const refused = (detail: string) =>
        new RunError('OBJECT_NOT_PARQUET', {
            store: job.options.store.address,
            key: job.entry.key,
            detail,
        });
    if (head.toString('latin1', 0, 4) !== parquetMagic)
        throw refused('it does not begin with PAR1');
    let size = 0;
    let tail = Buffer.alloc(0);
    for await (const chunk of chain(head, rest)) {
        await writeAll(file, chunk);
        size += chunk.length;
        tail = Buffer.concat([tail, chunk.subarray(-8)]).subarray(-8);
    }
    if (size < 12 || tail.toString('latin1', 4) !== parquetMagic) {
        throw refused('it does not end with PAR1');
    }
    if (tail.readUInt32LE() > size - 12) throw refused('its footer is longer than the file');
    return { format: 'parquet', line_count: null };
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

async function writeText(
    job: Job,
    format: 'ndjson' | 'csv',
    head: Buffer,
    rest: AsyncIterator<Buffer>,
    file: FileHandle,
): Promise<number> {
    const lines = new TextLines(job, format);
    const header: Buffer[] = [];
    let isHeaderKnown = format !== 'csv';
    const write = async (ready: Buffer) => {
        await writeAll(file, ready);
        if (isHeaderKnown) return;
        const end = ready.indexOf(lineFeed);
        header.push(Buffer.from(end < 0 ? ready : ready.subarray(0, end)));
        if (end < 0) return;
        isHeaderKnown = true;
        requireHeader(job, Buffer.concat(header).toString());
    };
    const isMarked = head.subarray(0, 3).equals(byteOrderMark);
    for await (const chunk of chain(isMarked ? head.subarray(3) : head, rest)) {
        await write(lines.push(chunk));
    }
    await write(lines.end());
    if (!isHeaderKnown) requireHeader(job, '');
    return lines.count;
}

/** A CSV without its header would be read with its first row as names: refused at once. */
function requireHeader({ options, entry }: Job, header: string): void {
    const { requiredColumns, delimiter } = options.csv;
    const missing = missingColumns(header, requiredColumns, delimiter);
    if (missing.length === 0) return;
    throw new RunError('CSV_HEADER_MISSING', {
        store: options.store.address,
        key: entry.key,
        header: header === '' ? 'an empty line' : header.slice(0, 200),
        missing: missing.join(', '),
    });
}

function missingColumns(
    header: string,
    required: readonly string[],
    delimiter: string,
): readonly string[] {
    if (header === '') return required.length ? required : ['every column'];
    if (required.length === 0) return [];
    const names = columnNames(header, delimiter);
    // The engine takes names in any case, and silently renames the second of two.
    const times = (column: string) =>
        names.filter((name) => name.toLowerCase() === column.toLowerCase()).length;
    return required.flatMap((column) => {
        if (!names.includes(column)) return [column];
        return times(column) > 1 ? [`a single ${column}`] : [];
    });
}

function columnNames(header: string, delimiter: string): readonly string[] {
    try {
        const [names] = parse(header, { delimiter, relax_column_count: true }) as string[][];
        return names ?? [];
    } catch {
        return []; // A quote that does not close: no name in it can be trusted.
    }
}

// ---- text --------------------------------------------------------------------------------------

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
// The engine reads NDJSON as one column split at 0x01, and stops at a bare carriage return. Both
// become a byte that no JSON text may hold: the row stays malformed and goes to suspense.
const columnSeparator = 0x01;
const illegalInJson = 0x02;

type TextProblem = 'nul' | 'return' | 'long';

/**
 * Turns chunks of bytes into UTF-8 lines that end in LF. Works on bytes alone, one pass, into one
 * buffer: no string is made of any line.
 */
class TextLines {
    /** Lines seen so far; after `end`, all of them. */
    count = 0;
    readonly #job: Job;
    readonly #isMasked: boolean;
    #buffer = Buffer.alloc(0);
    /** The first bytes of a character whose rest is in the next chunk. */
    #tail = Buffer.alloc(0);
    #lineBytes = 0;
    /** The last byte was a carriage return that has not been written yet. */
    #isReturned = false;

    constructor(job: Job, format: 'ndjson' | 'csv') {
        this.#job = job;
        this.#isMasked = format === 'ndjson';
    }

    /** Gives what is ready to be written; it is valid until the next call. */
    push(chunk: Buffer): Buffer {
        const room = this.#tail.length + chunk.length + 1;
        if (this.#buffer.length < room) this.#buffer = Buffer.allocUnsafe(room);
        const linesBefore = this.count;
        const { written, problem } = this.#copy(chunk);
        const end = written - unfinishedBytes(this.#buffer, written);
        const ready = this.#buffer.subarray(0, end);
        // What comes first in the bytes is reported, however they were cut into chunks.
        if (!isUtf8(ready)) throw this.#notText(badLine(ready, linesBefore), 'invalid UTF-8');
        if (problem) throw this.#refused(problem);
        this.#tail = Buffer.from(this.#buffer.subarray(end, written));
        return ready;
    }

    /** The last line counts without an LF, and is given one. */
    end(): Buffer {
        if (this.#tail.length > 0) throw this.#notText(this.count + 1, 'invalid UTF-8');
        if (this.#lineBytes === 0 && !this.#isReturned) return Buffer.alloc(0);
        this.count += 1;
        return Buffer.from([lineFeed]);
    }

    /** Copies a chunk into the buffer, normalised, up to the first byte that cannot be. */
    #copy(chunk: Buffer): { written: number; problem: TextProblem | null } {
        const buffer = this.#buffer;
        const limit = this.#job.options.lineBytesLimit;
        let written = this.#tail.copy(buffer);
        let { count } = this;
        let lineBytes = this.#lineBytes;
        let isReturned = this.#isReturned;
        let problem: TextProblem | null = null;
        for (let at = 0; at < chunk.length && problem === null; at += 1) {
            let byte = chunk[at] as number;
            if (byte === lineFeed) {
                count += 1;
                lineBytes = 0;
                isReturned = false;
                buffer[written++] = byte;
                continue;
            }
            if (isReturned) {
                isReturned = false;
                if (!this.#isMasked) problem = 'return';
                lineBytes += 1;
                buffer[written++] = illegalInJson;
            }
            if (byte === carriageReturn) {
                isReturned = true;
            } else {
                if (byte === 0) problem ??= 'nul';
                if (byte === columnSeparator && this.#isMasked) byte = illegalInJson;
                lineBytes += 1;
                buffer[written++] = byte;
            }
            if (lineBytes > limit) problem ??= 'long';
        }
        this.count = count;
        this.#lineBytes = lineBytes;
        this.#isReturned = isReturned;
        return { written, problem };
    }

    #refused(problem: TextProblem): RunError {
        const line = this.count + 1;
        if (problem === 'nul') return this.#notText(line, 'a NUL byte');
        if (problem === 'return') return this.#notText(line, 'a carriage return inside a line');
        const { store, lineBytesLimit: limit } = this.#job.options;
        const at = { store: store.address, key: this.#job.entry.key, line };
        return new RunError('OBJECT_LINE_TOO_LONG', { ...at, limit });
    }

    #notText(line: number, detail: string): RunError {
        const { options, entry } = this.#job;
        const at = { store: options.store.address, key: entry.key, line };
        return new RunError('OBJECT_NOT_TEXT', { ...at, detail });
    }
}

/** How many bytes at the end are a character whose last bytes have not come yet: 0 to 3. */
function unfinishedBytes(buffer: Buffer, end: number): number {
    for (let back = 1; back <= 3 && back <= end; back += 1) {
        const byte = buffer[end - back] as number;
        if (byte < 0x80) return 0;
        if (byte < 0xc0) continue;
        const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        return back < length ? back : 0;
    }
    return 0;
}

function badLine(ready: Buffer, linesBefore: number): number {
    let line = linesBefore + 1;
    for (let from = 0; ; line += 1) {
        const end = ready.indexOf(lineFeed, from);
        if (end < 0 || !isUtf8(ready.subarray(from, end))) return line;
        from = end + 1;
    }
}
