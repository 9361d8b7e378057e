import { constants } from 'node:fs';
import {
    copyFile,
    type FileHandle,
    link,
    mkdir,
    open,
    readdir,
    realpath,
    rename,
    stat,
    unlink,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Readable } from 'node:stream';
import { RunError } from '../errors/index.ts';
import type { ObjectBody, ObjectEntry, ObjectStore } from './object-store.ts';

const chunkBytes = 1_048_576;

// Being written: another put, or the rest of one that died. Never an object.
const partialSuffix = '.partial';

/**
 * A folder as an object store: keys are paths below it, with `/`. A link may stay inside it;
 * one that leads out is refused, not skipped, because a listing must never be silently shorter.
 */
export function folderStore(folder: string): ObjectStore {
    const address = `folder:${folder}`;
    return {
        address,
        async *list(prefix) {
            const root = await openRoot(folder, address);
            yield* walk({ address, root, prefix }, '', [root]);
        },
        async get(key, { ifEtag } = {}) {
            const root = await openRoot(folder, address);
            try {
                const path = await insidePath(address, root, key, 'get');
                return await openObject(address, key, path, ifEtag);
            } catch (error) {
                throw asRunError(error, address, 'get', key);
            }
        },
        async put(key, body) {
            const root = await openRoot(folder, address);
            try {
                const path = join(root, ...segments(address, key, 'put'));
                await requireParentInside(address, root, key, path);
                await writeWhole(path, body);
            } catch (error) {
                throw asRunError(error, address, 'put', key);
            }
        },
        async create(key, body) {
            const root = await openRoot(folder, address);
            try {
                const path = join(root, ...segments(address, key, 'create'));
                await requireParentInside(address, root, key, path);
                return await createWhole(path, body);
            } catch (error) {
                throw asRunError(error, address, 'create', key);
            }
        },
        async upload(key, file) {
            const root = await openRoot(folder, address);
            try {
                const path = join(root, ...segments(address, key, 'upload'));
                await requireParentInside(address, root, key, path);
                await copyWhole(file, path);
            } catch (error) {
                throw asRunError(error, address, 'upload', key);
            }
        },
        async remove(key) {
            const root = await openRoot(folder, address);
            try {
                const path = join(root, ...segments(address, key, 'remove'));
                await requireParentInside(address, root, key, path);
                await unlink(path);
                await syncFolder(dirname(path));
            } catch (error) {
                const { code } = error as NodeJS.ErrnoException;
                if (code !== 'ENOENT' && code !== 'ENOTDIR')
                    throw asRunError(error, address, 'remove', key);
            }
        },
        async close() {},
    };
}

async function openRoot(folder: string, address: string): Promise<string> {
    const root = await realpath(folder).catch(() => null);
    if (root === null || !(await stat(root)).isDirectory()) {
        throw new RunError('STORE_BUCKET_MISSING', { store: address });
    }
    return root;
}

interface Walk {
    readonly address: string;
    readonly root: string;
    readonly prefix: string;
}

/** Objects of one folder and below, in key order. @param above real paths down to the folder */
async function* walk(
    of: Walk,
    under: string,
    above: readonly string[],
): AsyncGenerator<ObjectEntry> {
    const here = above.at(-1) ?? of.root;
    const names = await readdir(here, { withFileTypes: true }).catch((error) => {
        throw asRunError(error, of.address, 'list', under);
    });
    const found: { key: string; path: string }[] = [];
    for (const name of names) {
        const key = `${under}${name.name}`;
        if (key.endsWith(partialSuffix) || !mayMatch(key, of.prefix)) continue;
        const path = name.isSymbolicLink()
            ? await insidePath(of.address, of.root, key, 'list')
            : join(here, name.name);
        const entry = name.isSymbolicLink() ? await stat(path) : name;
        if (entry.isDirectory()) found.push({ key: `${key}/`, path });
        else if (entry.isFile()) found.push({ key, path });
    }
    for (const { key, path } of found.sort(byKeyBytes)) {
        if (!key.endsWith('/')) {
            const seen = key.startsWith(of.prefix) ? await stateOfListed(of, key, path) : null;
            if (seen !== null) yield { key, ...seen };
        } else if (above.includes(path)) {
            throw denied(of.address, 'list', `${key} is a link to a folder it is in`);
        } else {
            yield* walk(of, key, [...above, path]);
        }
    }
}

async function stateOfListed(of: Walk, key: string, path: string): Promise<State | null> {
    try {
        return await stateOf(path);
    } catch (error) {
        // Deleted since its folder was read: as if it had been deleted before.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw asRunError(error, of.address, 'list', key);
    }
}

/** Whether a file or anything in a folder of that name can have the prefix. */
function mayMatch(key: string, prefix: string): boolean {
    return key.startsWith(prefix) || prefix.startsWith(`${key}/`);
}

// With its closing slash a folder sorts exactly where its first object does.
function byKeyBytes(one: { key: string }, other: { key: string }): number {
    return Buffer.compare(Buffer.from(one.key), Buffer.from(other.key));
}

/** The parts of a key. @throws RunError STORE_ACCESS_DENIED unless it is a plain relative path */
function segments(address: string, key: string, operation: string): readonly string[] {
    const parts = key.split('/');
    if (key.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
        throw denied(address, operation, `${JSON.stringify(key)} is not a plain relative path`);
    }
    return parts;
}

async function insidePath(
    address: string,
    root: string,
    key: string,
    operation: string,
): Promise<string> {
    const path = join(root, ...segments(address, key, operation));
    const real = await realpath(path).catch((error) => {
        // Listed, yet not there: a link to nothing. To skip it would be a shorter listing.
        if (operation === 'list') throw denied(address, operation, `${key} is a link to nothing`);
        throw error;
    });
    if (!isInside(root, real)) throw denied(address, operation, `${key} leads outside the folder`);
    return real;
}

function isInside(root: string, path: string): boolean {
    return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}

async function requireParentInside(
    address: string,
    root: string,
    key: string,
    path: string,
): Promise<void> {
    for (let parent = dirname(path); ; parent = dirname(parent)) {
        const real = await realpath(parent).catch(() => null);
        if (real === null) continue;
        if (!isInside(root, real)) throw denied(address, 'put', `${key} leads outside the folder`);
        return;
    }
}

interface State {
    readonly size: number;
    readonly etag: string;
    readonly arrived_at: string;
}

/** A folder keeps no hash: its size and the nanosecond it was written stand for the content. */
async function stateOf(at: string | FileHandle): Promise<State> {
    const precise = { bigint: true } as const;
    const { size, mtimeNs, mtime } = await (typeof at === 'string'
        ? stat(at, precise)
        : at.stat(precise));
    return {
        size: Number.parseInt(String(size), 10),
        etag: `${size}-${mtimeNs}`,
        arrived_at: mtime.toISOString(),
    };
}

async function openObject(
    address: string,
    key: string,
    path: string,
    ifEtag: string | undefined,
): Promise<ObjectBody> {
    const file = await open(path, constants.O_RDONLY);
    try {
        const { size, etag } = await stateOf(file);
        if (!(await file.stat()).isFile())
            throw new RunError('OBJECT_MISSING', { store: address, key });
        if (ifEtag !== undefined && etag !== ifEtag) {
            const change = { store: address, key, expected: ifEtag, actual: etag };
            throw new RunError('OBJECT_CHANGED', change);
        }
        const bytes = readUnchanged(file, { store: address, key, expected: etag });
        const stream = Readable.from(bytes, { highWaterMark: 2 });
        // A stream destroyed before its first read never enters the generator that closes the file.
        stream.once('close', () => void file.close().catch(() => {}));
        return { stream, size, etag };
    } catch (error) {
        await file.close();
        throw error;
    }
}

/** S3 answers with one version of an object; a file can be written under the reader. */
async function* readUnchanged(
    file: FileHandle,
    at: { readonly store: string; readonly key: string; readonly expected: string },
): AsyncGenerator<Buffer> {
    for (;;) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes));
        if (bytesRead === 0) break;
        yield buffer.subarray(0, bytesRead);
    }
    const { etag: actual } = await stateOf(file);
    if (actual !== at.expected) throw new RunError('OBJECT_CHANGED', { ...at, actual });
}

/** A reader sees the old object or the new one, whole, also after a crash. */
async function writeWhole(path: string, body: Uint8Array | string): Promise<void> {
    const partial = `${path}${partialSuffix}`;
    await writeSynced(partial, body);
    await rename(partial, path);
    await syncFolder(dirname(path));
}

async function copyWhole(file: string, path: string): Promise<void> {
    const partial = `${path}${partialSuffix}`;
    await mkdir(dirname(path), { recursive: true });
    await copyFile(file, partial);
    await syncFolder(partial);
    await rename(partial, path);
    await syncFolder(dirname(path));
}

/** Tells writers of one process apart; their processes are by their number. */
let created = 0;

/** Whoever gives the whole file its name first has made it: a link never replaces a name. */
async function createWhole(path: string, body: Uint8Array | string): Promise<boolean> {
    created += 1;
    const partial = `${path}.${process.pid}-${created}${partialSuffix}`;
    await writeSynced(partial, body);
    try {
        await link(partial, path);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
    } finally {
        await unlink(partial);
    }
    await syncFolder(dirname(path));
    return true;
}

async function writeSynced(path: string, body: Uint8Array | string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'w');
    try {
        await file.writeFile(body);
        await file.sync();
    } finally {
        await file.close();
    }
}

async function syncFolder(path: string): Promise<void> {
    const folder = await open(path, constants.O_RDONLY);
    try {
        await folder.sync();
    } finally {
        await folder.close();
    }
}

function denied(address: string, operation: string, detail: string): RunError {
    return new RunError('STORE_ACCESS_DENIED', { store: address, operation, detail });
}

function asRunError(error: unknown, address: string, operation: string, key: string): unknown {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof RunError || code === undefined) return error;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
    if (isMissing && operation === 'get') {
        return new RunError('OBJECT_MISSING', { store: address, key });
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'ELOOP' || code === 'EROFS') {
        return denied(address, `${operation} ${key}`, message);
    }
    const params = {
        store: address,
        operation: `${operation} ${key}`,
        detail: message,
        attempts: 1,
    };
    return new RunError('STORE_UNREACHABLE', params, error);
}
