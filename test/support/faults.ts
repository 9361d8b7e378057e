import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { vi } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { RunError } from '../../src/errors/index.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';

/*
 * Everything that a night does to the world is counted, and one of it fails: what SQLite's tests do with
 * the disk, here with the disk, the engine and the object store. Only one night at a time may be
 * watched, for the disk and the engine are those of the process.
 */

/** How an operation fails. */
export type Manner =
    | 'once' // it does nothing, the next one works again
    | 'answered' // it is done, and says that it was not
    | 'for good'; // it does nothing, and nothing works from then on

export interface FaultAt {
    /** Counted from 1 over all operations. */
    readonly number: number;
    readonly manner: Manner;
}

/** A night under watch. */
export interface Watched {
    /** Every operation in order, as `disk renameSync`. */
    readonly operations: readonly string[];
    /** What failed, first. Empty when the night came to an end before. */
    readonly struck: readonly string[];
    /** The store of the night, watched too. */
    readonly watch: (store: ObjectStore) => ObjectStore;
    readonly stop: () => void;
}

const syncWrites = ['writeFileSync', 'renameSync', 'mkdirSync', 'rmSync'] as const;
const writes = ['open', 'rename', 'link', 'unlink', 'mkdir', 'rm'] as const;

/** Begins to count, and to fail where told. Whoever begins must `stop`. */
export function watching(fault?: FaultAt): Watched {
    const operations: string[] = [];
    const struck: string[] = [];
    const fails = (name: string): Manner | null => {
        const number = operations.push(name);
        if (!fault || number < fault.number) return null;
        if (number > fault.number && fault.manner !== 'for good') return null;
        struck.push(name);
        return fault.manner;
    };
    const spies = [...watchDisk(fails), ...watchEngine(fails)];
    syncBuiltinESMExports();
    return {
        operations,
        struck,
        watch: (store) => watchedStore(store, fails),
        stop: () => {
            for (const spy of spies) spy.mockRestore();
            syncBuiltinESMExports();
        },
    };
}

type Fails = (name: string) => Manner | null;
type Spy = { readonly mockRestore: () => void };
type Work = (...of: unknown[]) => unknown;

function broken(name: string): Error {
    return Object.assign(new Error(`EIO: injected fault, ${name}`), { code: 'EIO' });
}

/** Replaces a function by one that may fail; `halfway` is what a failure leaves behind. */
function spyOn(
    of: object,
    method: string,
    run: (original: Work, self: unknown, args: unknown[]) => unknown,
): Spy {
    const original = (of as Record<string, Work>)[method] as Work;
    return vi.spyOn(of as Record<string, Work>, method).mockImplementation(function (
        this: unknown,
        ...args: unknown[]
    ) {
        return run(original, this, args);
    });
}

function watchDisk(fails: Fails): readonly Spy[] {
    const sync = syncWrites.map((method) =>
        spyOn(fs, method, (original, self, args) => {
            const manner = fails(`disk ${method}`);
            if (manner === null) return original.apply(self, args);
            const [path, text, ...more] = args;
            // A disk that is full has taken the first half.
            if (method === 'writeFileSync' && typeof text === 'string')
                original(path, text.slice(0, text.length / 2), ...more);
            else if (manner === 'answered') original.apply(self, args);
            throw broken(method);
        }),
    );
    const others = writes.map((method) =>
        spyOn(fs.promises, method, async (original, self, args) => {
            const isRead = method === 'open' && args[1] !== 'w';
            const manner = isRead ? null : fails(`disk ${method}`);
            if (manner === null) return original.apply(self, args);
            if (manner === 'answered') {
                const made = await original.apply(self, args);
                if (method === 'open') await (made as fs.promises.FileHandle).close();
            }
            throw broken(method);
        }),
    );
    return [...sync, ...others];
}

function watchEngine(fails: Fails): readonly Spy[] {
    const failed = (statement: string) => {
        const detail = 'IO Error: injected fault';
        return new RunError('ENGINE_FAILED', { stage: 'engine', statement, detail });
    };
    const statements = ['run', 'rows'].map((method) =>
        spyOn(Engine.prototype, method, async (original, self, args) => {
            const sql = String(args[0]);
            const words = sql.trim().split(/\s+/, 4).join(' ');
            const manner = fails(`engine ${words}`);
            if (manner === null) return original.apply(self, args);
            if (manner === 'answered') await original.apply(self, args);
            throw failed(sql);
        }),
    );
    const open = spyOn(Engine, 'open', async (original, self, args) => {
        const manner = fails('engine open');
        if (manner === null) return original.apply(self, args);
        if (manner === 'answered') ((await original.apply(self, args)) as Engine).close();
        throw failed('open');
    });
    // Closed all the same: an open database would be locked against the next run of this process.
    const close = spyOn(Engine.prototype, 'close', (original, self, args) => {
        const manner = fails('engine close');
        original.apply(self, args);
        if (manner !== null) throw failed('close');
    });
    return [...statements, open, close];
}

function watchedStore(store: ObjectStore, fails: Fails): ObjectStore {
    const check = (name: string) => {
        const manner = fails(`store ${name}`);
        if (manner !== null) throw unreachable(store, name);
    };
    return {
        address: store.address,
        async *list(prefix) {
            check(`list ${prefix}`);
            yield* store.list(prefix);
        },
        async get(key, options) {
            check(`get ${key}`);
            return store.get(key, options);
        },
        async put(key, body) {
            check(`put ${key}`);
            await store.put(key, body);
        },
        async create(key, body) {
            const manner = fails(`store create ${key}`);
            if (manner === null) return store.create(key, body);
            if (manner === 'answered') await store.create(key, body);
            throw unreachable(store, `create ${key}`);
        },
        async upload(key, file, sha256) {
            const manner = fails(`store upload ${key}`);
            if (manner === null) return store.upload(key, file, sha256);
            if (manner === 'answered') await store.upload(key, file, sha256);
            throw unreachable(store, `upload ${key}`);
        },
        async remove(key) {
            const manner = fails(`store remove ${key}`);
            if (manner === null) return store.remove(key);
            if (manner === 'answered') await store.remove(key);
            throw unreachable(store, `remove ${key}`);
        },
        async close() {
            const manner = fails('store close');
            await store.close();
            if (manner !== null) throw unreachable(store, 'close');
        },
    };
}

function unreachable({ address }: ObjectStore, operation: string): RunError {
    const params = { store: address, operation, detail: 'injected fault', attempts: 1 };
    return new RunError('STORE_UNREACHABLE', params);
}
