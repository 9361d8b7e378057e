import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { RunError } from '../../src/errors/index.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';

/** How a store in memory behaves where real ones differ. */
export interface MemoryOptions {
    readonly address?: string;
    /** Bodies come in pieces of so many bytes. */
    readonly chunkBytes?: number;
}

/** An object store of a test: what S3 promises, without S3. The etag is the MD5, as S3 has it. */
export function memoryStore(
    files: Record<string, string | Uint8Array>,
    { address = 's3://memory', chunkBytes = 65_536 }: MemoryOptions = {},
): ObjectStore {
    const objects = new Map<string, Buffer>();
    const hashes = new Map<string, string>();
    for (const [key, body] of Object.entries(files)) objects.set(key, Buffer.from(body));
    return {
        address,
        async *list(prefix) {
            const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
            keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
            for (const key of keys) {
                const body = objects.get(key);
                if (body) yield { key, size: body.length, etag: md5(body) };
            }
        },
        async get(key, { ifEtag } = {}) {
            const body = objects.get(key);
            if (!body) throw new RunError('OBJECT_MISSING', { store: address, key });
            const etag = md5(body);
            if (ifEtag !== undefined && ifEtag !== etag) {
                const change = { store: address, key, expected: ifEtag, actual: etag };
                throw new RunError('OBJECT_CHANGED', change);
            }
            const stream = Readable.from(pieces(body, chunkBytes));
            const sha256 = hashes.get(key);
            return { stream, size: body.length, etag, ...(sha256 ? { sha256 } : {}) };
        },
        async put(key, body) {
            objects.set(key, Buffer.from(body));
            hashes.delete(key);
        },
        async create(key, body) {
            if (objects.has(key)) return false;
            objects.set(key, Buffer.from(body));
            return true;
        },
        async upload(key, file, sha256) {
            objects.set(key, readFileSync(file));
            hashes.set(key, sha256);
        },
        async remove(key) {
            objects.delete(key);
            hashes.delete(key);
        },
        async close() {},
    };
}

function* pieces(body: Buffer, bytes: number): Generator<Buffer> {
    // Copies: whoever writes into what was read must not change the object.
    for (let at = 0; at < body.length; at += bytes)
        yield Buffer.from(body.subarray(at, at + bytes));
}

function md5(body: Uint8Array): string {
    return createHash('md5').update(body).digest('hex');
}
