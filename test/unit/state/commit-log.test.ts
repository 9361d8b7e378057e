import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Commit } from '../../../src/schema/commit.ts';
import {
    appendCommit,
    appendErasure,
    closedBy,
    periodsOf,
    readLog,
    spokenFor,
} from '../../../src/state/commit-log.ts';
import { folderStore } from '../../../src/store/local.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { faultyStore } from '../../support/faulty-store.ts';
import { memoryStore } from '../../support/memory-store.ts';

const draft = (run: string, of: Partial<Commit> = {}): Omit<Commit, 'number' | 'previous'> => ({
    ...{ kind: 'run', pipeline: 'nightly', period: '2026-10', run_id: run, by: '', reason: '' },
    ...{ run_digest: 'd'.repeat(64), certificate_sha256: 'c'.repeat(64) },
    at: '2026-11-05T09:00:00Z',
    ...of,
});
const welcome = () => {};

async function append(store: ObjectStore, ...drafts: readonly ReturnType<typeof draft>[]) {
    for (const of of drafts) await appendCommit(store, await readLog(store), of, welcome);
    return readLog(store);
}

describe('the log', () => {
    test('is empty where nothing was ever written, even without its store', async () => {
        expect(await readLog(memoryStore({}))).toEqual({ commits: [], head: '' });
        expect(await readLog(folderStore('/nowhere/at/all'))).toEqual({ commits: [], head: '' });
    });

    test('numbers its entries and names the one before', async () => {
        const { commits } = await append(memoryStore({}), draft('a'), draft('b'));
        expect(commits.map(({ number, run_id }) => [number, run_id])).toEqual([
            [1, 'a'],
            [2, 'b'],
        ]);
        expect(commits[0]?.previous).toBe('');
        expect(commits[1]?.previous).toMatch(/^[0-9a-f]{64}$/);
    });

    test('reads on from what was seen, and gets no entry twice', async () => {
        const store = faultyStore(memoryStore({}), []);
        const seen = await append(store, draft('a'), draft('b'));
        await append(store, draft('c'));
        const before = store.operations.length;
        const log = await readLog(store, seen);
        expect(log).toEqual(await readLog(store));
        expect(store.operations.slice(before, before + 2)).toEqual([
            'list commits/',
            'get commits/00000003.json',
        ]);
    });

    test('says who speaks for a period, and whether it is closed', async () => {
        const store = memoryStore({});
        const one = await append(store, draft('a'), draft('b'), draft('x', { period: '2026-09' }));
        expect(spokenFor(one, '2026-10')?.run_id).toBe('b');
        expect(spokenFor(one, '2026-08')).toBeNull();
        expect(periodsOf(one)).toEqual(['2026-09', '2026-10']);
        expect(closedBy(one, '2026-10')).toBeNull();
        const two = await append(store, draft('b', { kind: 'close' }));
        expect(closedBy(two, '2026-10')?.run_id).toBe('b');
        expect(closedBy(two, '2026-09')).toBeNull();
        const three = await append(store, draft('b', { kind: 'reopen' }));
        expect(closedBy(three, '2026-10')).toBeNull();
    });
});

describe('entries about what was erased', () => {
    const erasure = {
        kind: 'erase',
        ...{ by: 'ada', reason: 'ticket 12', at: '2026-11-05T09:00:00Z' },
        ...{ stand_in: 'erased-0123456789abcdef', row_count: 2, batches: [] },
    } as const;

    test('have numbers among the others, and say nothing of runs', async () => {
        const store = memoryStore({});
        await append(store, draft('a'));
        await appendErasure(store, await readLog(store), erasure);
        const log = await append(store, draft('b'));
        expect(log.commits.map(({ number }) => number)).toEqual([1, 3]);
        expect(log.erasures).toMatchObject([{ number: 2, stand_in: erasure.stand_in }]);
        expect(spokenFor(log, '2026-10')?.run_id).toBe('b');
        expect(periodsOf(log)).toEqual(['2026-10']);
    });

    test('let a run that did not see them be entered after them', async () => {
        const store = memoryStore({});
        const seen = await append(store, draft('a'));
        await appendErasure(store, seen, erasure);
        const others: string[] = [];
        await appendCommit(store, seen, draft('b'), (of) =>
            others.push(...of.map(({ run_id }) => run_id)),
        );
        expect(others).toEqual([]);
        expect((await readLog(store)).commits.map(({ number }) => number)).toEqual([1, 3]);
    });
});

describe('writers at once', () => {
    test('who lost looks at what came between, and takes the next number', async () => {
        const store = memoryStore({});
        const seen = await readLog(store);
        await append(store, draft('first'));
        const others: string[] = [];
        const log = await appendCommit(store, seen, draft('second'), (commits) =>
            others.push(...commits.map(({ run_id }) => run_id)),
        );
        expect(others).toEqual(['first']);
        expect(log.commits.map(({ run_id }) => run_id)).toEqual(['first', 'second']);
    });

    test.each<[string, Partial<Commit>, readonly string[] | null]>([
        ['another start of the very run has entered it', {}, ['a']],
        ['it left other bytes', { certificate_sha256: 'e'.repeat(64) }, null],
        ['it came to something else', { run_digest: 'e'.repeat(64) }, null],
        ['it closed the period, which is not the same', { kind: 'close' }, null],
    ])('%s', async (_what, of, runs) => {
        const store = memoryStore({});
        const seen = await readLog(store);
        await append(store, draft('a', of));
        const refused = () => {
            throw new Error('asked');
        };
        const later = draft('a', { at: '2026-11-05T10:00:00Z' });
        const work = appendCommit(store, seen, later, refused);
        if (runs === null) return expect(work).rejects.toThrow('asked');
        return expect((await work).commits.map(({ run_id }) => run_id)).toEqual(runs);
    });

    test('that run was entered, and then another one of the period: it does not speak', async () => {
        const store = memoryStore({});
        const seen = await readLog(store);
        await append(store, draft('a'), draft('b'), draft('c', { period: '2026-09' }));
        const others: string[] = [];
        const later = draft('a', { at: '2026-11-05T10:00:00Z' });
        await appendCommit(store, seen, later, (commits) =>
            others.push(...commits.map(({ run_id }) => run_id)),
        );
        expect(others).toEqual(['a', 'b', 'c']);
    });

    test('who may no longer write writes nothing', async () => {
        const store = memoryStore({});
        const seen = await readLog(store);
        const before = await append(store, draft('first'));
        const refused = appendCommit(store, seen, draft('second'), () => {
            throw new Error('the period is taken');
        });
        await expect(refused).rejects.toThrow('the period is taken');
        expect(await readLog(store)).toEqual(before);
    });

    test('an attempt whose answer was lost is found again, not made twice', async () => {
        const store = faultyStore(memoryStore({}), [{ kind: 'answer' }]);
        const seen = await readLog(store);
        await expect(appendCommit(store, seen, draft('a'), welcome)).rejects.toThrow('injected');
        const log = await appendCommit(store, seen, draft('a'), () => {
            throw new Error('it is our own');
        });
        expect(log.commits.map(({ run_id }) => run_id)).toEqual(['a']);
    });

    describe('in a folder', () => {
        let folder = '';
        beforeAll(() => {
            folder = mkdtempSync(join(tmpdir(), 'tieout-log-'));
        });
        afterAll(() => rmSync(folder, { recursive: true, force: true }));

        test('sixteen writers make sixteen entries, in some order', async () => {
            const names = Array.from({ length: 16 }, (_, at) => `run-${at}`);
            const seen = await readLog(folderStore(folder));
            await Promise.all(
                names.map((name) => appendCommit(folderStore(folder), seen, draft(name), welcome)),
            );
            const { commits } = await readLog(folderStore(folder));
            expect(commits.map(({ run_id }) => run_id).sort()).toEqual([...names].sort());
            expect(readdirSync(join(folder, 'commits'))).toHaveLength(16);
        });

        test('creating what is there changes nothing and leaves nothing', async () => {
            const store = folderStore(folder);
            expect(await store.create('one', 'mine')).toBe(true);
            expect(await store.create('one', 'yours')).toBe(false);
            const { stream } = await store.get('one');
            expect(Buffer.concat(await stream.toArray()).toString()).toBe('mine');
            expect(readdirSync(folder).sort()).toEqual(['commits', 'one']);
        });
    });
});
