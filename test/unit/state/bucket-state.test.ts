import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/duck/sql.ts';
import { RunError } from '../../../src/errors/index.ts';
import { bucketState } from '../../../src/state/bucket-state.ts';
import { folderState, requireSafe } from '../../../src/state/state.ts';
import { below } from '../../../src/store/below.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { type Fault, faultyStore } from '../../support/faulty-store.ts';
import { keysOf, textOf } from '../../support/machines.ts';
import { memoryStore } from '../../support/memory-store.ts';

let folder = '';
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tieout-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
}
const textIn = (path: string) => readFileSync(join(folder, path), 'utf8');

async function codeOf(work: Promise<unknown>): Promise<string> {
    const error = await work.then(
        () => 'it did not fail',
        (reason: unknown) => reason,
    );
    if (!(error instanceof RunError)) throw error;
    return error.code;
}

/** Overwrites what it should refuse, as the embedded server does. */
function careless(store: ObjectStore): ObjectStore {
    return {
        ...store,
        create: async (key, body) => {
            await store.put(key, body);
            return true;
        },
    };
}

const open = (store: ObjectStore, alone = false) => bucketState(store, { folder, alone });

describe('publish', () => {
    test('puts files under their paths, with their hash', async () => {
        write('lake/a.parquet', 'rows');
        const store = memoryStore({});
        await open(store).publish(['lake/a.parquet']);
        expect(await textOf(store, 'lake/a.parquet')).toBe('rows');
        expect((await store.get('lake/a.parquet')).sha256).toBe(sha256('rows'));
    });

    test('leaves alone what is there, unless it was made anew', async () => {
        write('lake/a', 'mine');
        const store = memoryStore({ 'lake/a': 'that of another' });
        const state = open(store);
        await state.publish(['lake/a']);
        expect(await textOf(store, 'lake/a')).toBe('that of another');
        await state.publish(['lake/a'], { anew: true });
        expect(await textOf(store, 'lake/a')).toBe('mine');
    });

    test('asks once for each folder, whatever is in it', async () => {
        const paths = ['lake/x/1', 'lake/x/2', 'lake/x/3', 'lake/y/1'];
        for (const path of paths) write(path, path);
        const store = faultyStore(memoryStore({ 'lake/x/1': 'lake/x/1' }), []);
        await open(store).publish(paths);
        expect([...store.operations].sort()).toEqual([
            ...['list lake/x/', 'list lake/y/'],
            ...['upload lake/x/2', 'upload lake/x/3', 'upload lake/y/1'],
        ]);
    });

    test('what is neither here nor there is missed', async () => {
        expect(await codeOf(open(memoryStore({})).publish(['lake/a']))).toBe('STATE_DAMAGED');
        await open(memoryStore({ 'lake/a': 'there' })).publish(['lake/a']);
    });

    test('of several that fail the first is told, once all have ended', async () => {
        const paths = ['a/1', 'a/2', 'a/3'];
        for (const path of paths) write(path, path);
        const faults: Fault[] = [{ kind: 'unreachable', key: 'a/2' }];
        const store = faultyStore(memoryStore({}), faults);
        expect(await codeOf(open(store).publish(paths))).toBe('STORE_UNREACHABLE');
        expect(await keysOf(store)).toEqual(['a/1', 'a/3']);
    });
});

describe('fetch', () => {
    async function published(): Promise<ObjectStore> {
        write('lake/a', 'some rows');
        const store = memoryStore({});
        await open(store).publish(['lake/a']);
        rmSync(join(folder, 'lake'), { recursive: true });
        return store;
    }

    test('brings what is missing, also to elsewhere', async () => {
        const state = open(await published());
        await state.fetch(['lake/a']);
        expect(textIn('lake/a')).toBe('some rows');
        await state.fetch(['lake/a'], join(folder, 'else'));
        expect(textIn('else/lake/a')).toBe('some rows');
    });

    test('does not bring what is here, and brings anew what is shorter', async () => {
        const store = faultyStore(await published(), []);
        write('lake/a', 'SOME ROWS');
        await open(store).fetch(['lake/a']);
        expect(textIn('lake/a')).toBe('SOME ROWS');
        write('lake/a', 'some');
        await open(store).fetch(['lake/a']);
        expect(textIn('lake/a')).toBe('some rows');
        expect(store.operations).toEqual(['list lake/', 'list lake/', 'get lake/a']);
    });

    test.each<[Fault['kind'], number, string | null]>([
        ['reset', 2, null],
        ['reset', 3, 'STORE_UNREACHABLE'],
        ['short', 2, null],
        ['short', 3, 'STATE_DAMAGED'],
        ['bytes', 2, null],
        ['bytes', 3, 'STATE_DAMAGED'],
        ['unreachable', 1, 'STORE_UNREACHABLE'],
    ])('a body with the fault %s, %i times: %s', async (kind, times, code) => {
        const store = faultyStore(await published(), [{ kind, key: 'lake/a', times }]);
        const work = open(store).fetch(['lake/a']);
        if (code === null) {
            await work;
            expect(textIn('lake/a')).toBe('some rows');
        } else {
            expect(await codeOf(work)).toBe(code);
        }
        expect(store.struck).toBe(times);
        // Nothing that is not whole has the name of the file, or is left.
        expect(readdirSync(join(folder, 'lake'))).toEqual(code === null ? ['a'] : []);
    });

    test('what is not there: STATE_DAMAGED, by its key', async () => {
        const work = open(memoryStore({})).fetch(['runs/x/tables.duckdb']);
        await expect(work).rejects.toThrow('s3://memory/runs/x/tables.duckdb is not as it was');
    });

    test('what came there without a hash is taken by its size', async () => {
        await open(memoryStore({ 'lake/a': 'from a backup' })).fetch(['lake/a']);
        expect(textIn('lake/a')).toBe('from a backup');
    });
});

describe('who may write', () => {
    test.each<[string, ObjectStore, boolean, boolean]>([
        ['a store that refuses', memoryStore({}), false, true],
        ['the same, by one who is alone', memoryStore({}), true, true],
        ['a store that overwrites', careless(memoryStore({})), false, false],
        ['the same, by one who is alone', careless(memoryStore({})), true, true],
    ])('%s', async (_what, store, alone, isSafe) => {
        const state = open(store, alone);
        if (isSafe) await requireSafe(state);
        else expect(await codeOf(requireSafe(state))).toBe('STATE_UNSAFE');
    });

    test('a folder always: it creates by a link', () => requireSafe(folderState(folder)));

    test('it costs two requests, and one ever after', async () => {
        const store = faultyStore(memoryStore({}), []);
        await requireSafe(open(store));
        expect(store.operations).toEqual(['create probe.json', 'create probe.json']);
        await requireSafe(open(store));
        expect(store.operations).toHaveLength(3);
    });

    test('one who is alone looks first, and so does not write over the entry of another', async () => {
        const store = careless(memoryStore({ 'commits/1': 'theirs', 'commits/22': 'x' }));
        const state = open(store, true);
        expect(await state.store.create('commits/1', 'mine')).toBe(false);
        expect(await state.store.create('commits/2', 'mine')).toBe(true);
        expect(await textOf(store, 'commits/1')).toBe('theirs');
    });
});

describe('a part of a store', () => {
    test.each(['books', '/books/', 'a/b'])('under %s', async (prefix) => {
        const whole = memoryStore({ bookshop: 'other', top: 'other' });
        const part = below(whole, prefix);
        const start = prefix.replaceAll(/^\/|\/$/g, '');
        await part.put('x/1', 'put');
        expect(await part.create('x/2', 'created')).toBe(true);
        write('file', 'uploaded');
        await part.upload('x/3', join(folder, 'file'), sha256('uploaded'));
        expect(await keysOf(part)).toEqual(['x/1', 'x/2', 'x/3']);
        expect(await keysOf(part, 'x/3')).toEqual(['x/3']);
        expect(await textOf(part, 'x/3')).toBe('uploaded');
        expect(await textOf(whole, `${start}/x/1`)).toBe('put');
        await part.remove('x/2');
        expect(await keysOf(whole, `${start}/`)).toEqual([`${start}/x/1`, `${start}/x/3`]);
        expect(part.address).toBe(`s3://memory/${start}`);
    });

    test('without a prefix is all of it', () => {
        const whole = memoryStore({});
        expect(below(whole, '')).toBe(whole);
    });
});
