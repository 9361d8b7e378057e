import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { RunError } from '../errors/index.ts';
import type { ObjectPlace } from './text-lines.ts';

const inflateChunkBytes = 262_144;
const headBytes = 4;

export type Compression = 'gzip' | 'zstd';

/** Reads until enough bytes are there to tell what they are, or none are left. */
export async function peek(
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

export async function* chain(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => rest };
}

/** How bytes are compressed, by their first ones; null for plain bytes. */
export function compressionOf(head: Buffer): Compression | null {
    if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
    const magic = head.length < headBytes ? 0 : head.readUInt32LE();
    return magic === zstdMagic || isSkippable(magic) ? 'zstd' : null;
}

/**
 * Gives the plain bytes of a compressed object to a sink.
 * @throws RunError OBJECT_COMPRESSION_DAMAGED unless every stored byte belongs to a whole stream
 */
export async function inflated<T>(
    at: ObjectPlace & { readonly size: number },
    compression: Compression,
    bytes: AsyncGenerator<Buffer>,
    sink: (plain: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
    const damaged = (detail: string, cause?: unknown) =>
        new RunError(
            'OBJECT_COMPRESSION_DAMAGED',
            { store: at.store, key: at.key, compression, detail },
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
        if (inflater.bytesWritten < at.size) throw damaged('bytes after its end');
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
    for await (const chunk of bytes) {
        let from = 0;
        for (let at = 0; at < chunk.length; ) {
            const step = Math.min(need.count, chunk.length - at);
            if (need.isRead) kept = Buffer.concat([kept, chunk.subarray(at, at + step)]);
            at += step;
            need = { ...need, count: need.count - step };
            while (need.count === 0) {
                const next = frame.next(kept);
                kept = Buffer.alloc(0);
                if (next.done) {
                    yield chunk.subarray(from, at);
                    from = at;
                    frame = zstdFrame(damaged);
                }
                need = next.done ? (frame.next().value as Need) : next.value;
            }
        }
        if (from < chunk.length) yield chunk.subarray(from);
    }
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
