import {
    appendFile,
    mkdir,
    mkdtemp,
    readdir,
    readFile,
    rm,
    symlink,
    utimes,
    writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunError } from '../../../src/errors/index.ts';
import { folderStore } from '../../../src/store/local.ts';
import type { ObjectEntry } from '../../../src/store/object-store.ts';

let base = '';
let folder = '';

beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'tieout-folder-'));
    folder = join(base, 'objects');
    await mkdir(folder);
});

afterEach(async () => {
    await rm(base, { recursive: true });
});

async function write(key: string, body: string): Promise<void> {
    await mkdir(dirname(join(folder, key)), { recursive: true });
    await writeFile(join(folder, key), body);
}

async function list(prefix: string): Promise<readonly ObjectEntry[]> {
    const entries: ObjectEntry[] = [];
    for await (const entry of folderStore(folder).list(prefix)) entries.push(entry);
    return entries;
}

const keys = async (prefix: string) => (await list(prefix)).map(({ key }) => key);

async function failure(work: Promise<unknown>): Promise<RunError> {
    const error = await work.then(
        () => new Error('it did not fail'),
        (reason: unknown) => reason,
    );
    if (!(error instanceof RunError)) throw error;
    return error;
}

test('lists below the folder, in the order of the keys as bytes', async () => {
    const sorted = ['a-b', 'a.txt', 'a/b', 'a/c/d', 'a0', 'Ä', '😀', '豈'];
    for (const key of [...sorted].reverse()) await write(key, key);
    await mkdir(join(folder, 'empty'));
    const byBytes = [...sorted].sort((one, other) =>
        Buffer.compare(Buffer.from(one), Buffer.from(other)),
    );
    expect(await keys('')).toEqual(byBytes);
    expect((await list('a/c')).map(({ size }) => size)).toEqual([5]);
});

test('a prefix is text, as in S3, not a folder', async () => {
    for (const key of ['u/2026-10-01.gz', 'u/2026-10/x', 'u/2026-11/x', 'u2/y', 'v']) {
        await write(key, '');
    }
    expect(await keys('u/2026-10')).toEqual(['u/2026-10-01.gz', 'u/2026-10/x']);
    expect(await keys('u')).toEqual(['u/2026-10-01.gz', 'u/2026-10/x', 'u/2026-11/x', 'u2/y']);
    expect(await keys('u/')).toHaveLength(3);
    expect(await keys('none/')).toEqual([]);
    expect(await keys('v/')).toEqual([]);
});

test('gets what was put; the same etag in listing and answer', async () => {
    const store = folderStore(folder);
    await store.put('a/b/c', 'hello');
    await store.put('a/b/c', Buffer.from('hello again'));
    const [entry] = await list('');
    const body = await store.get('a/b/c', { ifEtag: entry?.etag ?? '' });
    expect(body).toMatchObject({ size: 11, etag: entry?.etag });
    expect(await text(body.stream)).toBe('hello again');
    expect(await readdir(join(folder, 'a/b'))).toEqual(['c']);
    expect(store.address).toBe(`folder:${folder}`);
});

test('a large object arrives whole', async () => {
    const large = Buffer.alloc(1_000_003, 'abcdefg');
    await folderStore(folder).put('large', large);
    const { stream } = await folderStore(folder).get('large');
    expect((await buffer(stream)).equals(large)).toBe(true);
});

test('what is being written is not an object', async () => {
    await write('a.partial', 'half');
    await write('a', 'whole');
    expect(await keys('')).toEqual(['a']);
});

test('rewritten with the same length: OBJECT_CHANGED', async () => {
    await write('a', 'one');
    const [entry] = await list('');
    await writeFile(join(folder, 'a'), 'two');
    await utimes(join(folder, 'a'), 1, 1);
    const error = await failure(folderStore(folder).get('a', { ifEtag: entry?.etag ?? '' }));
    expect(error.code).toBe('OBJECT_CHANGED');
    expect(error.params).toMatchObject({ expected: entry?.etag, actual: '3-1000000000' });
});

test('written to while it is read: OBJECT_CHANGED at the end', async () => {
    await write('a', 'one');
    const body = await folderStore(folder).get('a');
    await appendFile(join(folder, 'a'), 'two');
    expect((await failure(text(body.stream))).code).toBe('OBJECT_CHANGED');
});

test('missing folder and missing object have their own codes', async () => {
    const nowhere = folderStore(join(base, 'nowhere'));
    expect((await failure(nowhere.get('a'))).code).toBe('STORE_BUCKET_MISSING');
    expect((await failure(nowhere.put('a', ''))).code).toBe('STORE_BUCKET_MISSING');
    expect((await failure(nowhere.list('')[Symbol.asyncIterator]().next())).code).toBe(
        'STORE_BUCKET_MISSING',
    );
    await write('file/below', '');
    const aFile = folderStore(join(folder, 'file/below'));
    expect((await failure(aFile.get('a'))).code).toBe('STORE_BUCKET_MISSING');
    for (const key of ['none', 'file', 'file/below/deeper']) {
        expect((await failure(folderStore(folder).get(key))).code).toBe('OBJECT_MISSING');
    }
});

test('a key is a plain relative path', async () => {
    await writeFile(join(base, 'secret'), 'secret');
    await write('a', '');
    for (const key of [
        '../secret',
        'a/../../secret',
        'b/../a',
        '/etc/passwd',
        'a//b',
        './a',
        '',
        'a/',
        'a\0',
    ]) {
        const got = await failure(folderStore(folder).get(key));
        expect([key, got.code]).toEqual([key, 'STORE_ACCESS_DENIED']);
        const put = await failure(folderStore(folder).put(key, 'x'));
        expect([key, put.code]).toEqual([key, 'STORE_ACCESS_DENIED']);
    }
    expect(await readFile(join(base, 'secret'), 'utf8')).toBe('secret');
});

test('a link inside the folder is followed', async () => {
    await write('real/a', 'one');
    await symlink(join(folder, 'real'), join(folder, 'linked'));
    await symlink('real/a', join(folder, 'b'));
    expect(await keys('')).toEqual(['b', 'linked/a', 'real/a']);
    expect(await text((await folderStore(folder).get('linked/a')).stream)).toBe('one');
});

test('a link out of the folder is refused, never skipped', async () => {
    await mkdir(join(base, 'outside'));
    await writeFile(join(base, 'outside/a'), 'secret');
    await write('in/a', 'one');
    await symlink(join(base, 'outside'), join(folder, 'out'));
    await symlink(join(base, 'outside/a'), join(folder, 'in/b'));
    for (const prefix of ['', 'in/', 'out/']) {
        expect((await failure(list(prefix))).code).toBe('STORE_ACCESS_DENIED');
    }
    expect(await keys('in/a')).toEqual(['in/a']);
    for (const key of ['out/a', 'in/b']) {
        expect((await failure(folderStore(folder).get(key))).code).toBe('STORE_ACCESS_DENIED');
    }
    const put = await failure(folderStore(folder).put('out/new/deep', 'x'));
    expect(put.code).toBe('STORE_ACCESS_DENIED');
    expect(await readdir(join(base, 'outside'))).toEqual(['a']);
});

test('a link to nothing, and one to a folder it is in, are refused', async () => {
    await symlink(join(folder, 'nothing'), join(folder, 'broken'));
    expect((await failure(list(''))).message).toContain('broken is a link to nothing');
    await rm(join(folder, 'broken'));
    await write('a/b', '');
    await symlink('..', join(folder, 'a/loop'));
    expect((await failure(list(''))).message).toContain('a/loop/ is a link to a folder it is in');
});

test('a file is uploaded whole, over what was there', async () => {
    const file = join(base, 'file');
    await writeFile(file, 'uploaded');
    await write('a/b', 'before');
    const store = folderStore(folder);
    for (const key of ['a/b', 'new/c']) {
        await store.upload(key, file, '');
        expect(await text((await store.get(key)).stream)).toBe('uploaded');
    }
    expect(await keys('')).toEqual(['a/b', 'new/c']);
    expect(await readdir(join(folder, 'a'))).toEqual(['b']);
    expect((await failure(store.upload('../out', file, ''))).code).toBe('STORE_ACCESS_DENIED');
});

test('a file is removed; one that is not there is gone already; nothing outside can be', async () => {
    await write('a/b', 'text');
    await writeFile(join(base, 'outside'), '');
    const store = folderStore(folder);
    for (const key of ['a/b', 'a/b', 'never/there']) await store.remove(key);
    expect(await keys('')).toEqual([]);
    expect((await failure(store.remove('../outside'))).code).toBe('STORE_ACCESS_DENIED');
    expect(await readdir(base)).toContain('outside');
});
