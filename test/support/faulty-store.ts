import { Readable } from 'node:stream';
import { RunError } from '../../src/errors/index.ts';
import type { ObjectBody, ObjectEntry, ObjectStore } from '../../src/store/object-store.ts';

/** What goes wrong, and with which operation. */
export interface Fault {
    readonly kind:
        | 'unreachable' // error before any answer, of any operation
        | 'answer' // a create, an upload or a removal is done, and its answer is lost
        | 'reset' // the connection breaks in mid-body
        | 'short' // the body ends early without an error
        | 'etag' // the answer names another etag
        | 'bytes' // another byte in the middle, same length and etag
        | 'shuffle' // a listing whose pages come in another order
        | 'repeat'; // a listing that gives its first object twice
    /** The operation it hits, counted from 1 over all of them. Any when left out. */
    readonly operation?: number;
    /** Only operations on this key (of a listing: this prefix). */
    readonly key?: string;
    /** How often it strikes: once unless told; Infinity for a fault that stays. */
    readonly times?: number;
    /** Bytes of the body that still come; half of it unless told. */
    readonly after?: number;
}

/** A store that fails as told, and remembers what it was asked. */
export interface FaultyStore extends ObjectStore {
    /** Every operation in order, as `get KEY`. */
    readonly operations: readonly string[];
    /** How many faults struck. A test of a fault that never struck proves nothing. */
    readonly struck: number;
}

/** Wraps a store and makes chosen operations fail, as SQLite's tests do with the disk. */
export function faultyStore(store: ObjectStore, faults: readonly Fault[]): FaultyStore {
    const operations: string[] = [];
    const left = faults.map(({ times = 1 }) => times);
    let struck = 0;
    const strike = (number: number, key: string, kinds: readonly Fault['kind'][]) => {
        const index = faults.findIndex(
            (fault, at) =>
                kinds.includes(fault.kind) &&
                (left[at] ?? 0) > 0 &&
                (fault.operation === undefined || fault.operation === number) &&
                (fault.key === undefined || fault.key === key),
        );
        if (index < 0) return null;
        left[index] = (left[index] ?? 0) - 1;
        struck += 1;
        return faults[index] ?? null;
    };
    const begin = (name: string, key: string) => {
        const number = operations.push(`${name} ${key}`);
        if (strike(number, key, ['unreachable'])) throw unreachable(store.address, name, key);
        return number;
    };
    return {
        address: store.address,
        operations,
        get struck() {
            return struck;
        },
        async *list(prefix) {
            const number = begin('list', prefix);
            const entries: ObjectEntry[] = [];
            for await (const entry of store.list(prefix)) entries.push(entry);
            const fault = strike(number, prefix, ['shuffle', 'repeat']);
            yield* fault ? disturbed(entries, fault) : entries;
        },
        async get(key, options) {
            const number = begin('get', key);
            const fault = strike(number, key, ['reset', 'short', 'etag', 'bytes']);
            // A wrong etag is the answer's: it reaches the caller as the store would have given it.
            const body = await store.get(key, fault?.kind === 'etag' ? {} : options);
            return fault ? spoilt(body, fault) : body;
        },
        async put(key, body) {
            begin('put', key);
            await store.put(key, body);
        },
        async create(key, body) {
            const number = begin('create', key);
            const isMade = await store.create(key, body);
            if (strike(number, key, ['answer'])) throw unreachable(store.address, 'create', key);
            return isMade;
        },
        async upload(key, file, sha256) {
            const number = begin('upload', key);
            await store.upload(key, file, sha256);
            if (strike(number, key, ['answer'])) throw unreachable(store.address, 'upload', key);
        },
        async remove(key) {
            const number = begin('remove', key);
            await store.remove(key);
            if (strike(number, key, ['answer'])) throw unreachable(store.address, 'remove', key);
        },
        close: () => store.close(),
    };
}

function unreachable(store: string, name: string, key: string): RunError {
    const operation = `${name} ${key}`;
    const detail = 'injected fault';
    return new RunError('STORE_UNREACHABLE', { store, operation, detail, attempts: 1 });
}

function disturbed(entries: readonly ObjectEntry[], { kind }: Fault): readonly ObjectEntry[] {
    if (kind === 'repeat') return [...entries.slice(0, 1), ...entries];
    const half = Math.ceil(entries.length / 2);
    return [...entries.slice(half), ...entries.slice(0, half)];
}

function spoilt(body: ObjectBody, fault: Fault): ObjectBody {
    if (fault.kind === 'etag') return { ...body, etag: `another-${body.etag}` };
    const after = fault.after ?? Math.floor(body.size / 2);
    return { ...body, stream: Readable.from(spoiltBytes(body.stream, fault.kind, after)) };
}

async function* spoiltBytes(
    stream: AsyncIterable<Buffer>,
    kind: Fault['kind'],
    after: number,
): AsyncGenerator<Buffer> {
    let given = 0;
    for await (const chunk of stream) {
        const at = after - given;
        given += chunk.length;
        if (given <= after) {
            yield chunk;
        } else if (kind === 'bytes') {
            yield at >= 0 ? flipped(chunk, at) : chunk;
        } else {
            yield chunk.subarray(0, at);
            if (kind === 'short') return;
            throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
        }
    }
}

/** The same bytes with the lowest bit of one of them turned: a letter stays a letter. */
function flipped(chunk: Buffer, at: number): Buffer {
    const copy = Buffer.from(chunk);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
}
