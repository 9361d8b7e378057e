import { describe, expect, test } from 'vitest';
import type { Batch } from '../../../src/run/lake.ts';
import { expiredBatches, idleRuns, mayGo, type PeriodUse } from '../../../src/run/retention.ts';
import type { Commit } from '../../../src/schema/commit.ts';

const object = (key: string) => ({ key, sha256: `hash of ${key}` });

/** `2026-08 2026-09-03 a b`: closed on that day, having counted a and b; `-` for an open one. */
function use(text: string): PeriodUse {
    const [period = '', closed = '', ...keys] = text.split(' ');
    const inputs = keys.map((key) => ({
        ...{ input: 'gateway', size: 1, etag: '', lines: '1', events: '1' },
        ...{ duplicates: '0', conflicts: '0', suspended: '0' },
        ...object(key),
    }));
    return { period, closed_at: closed === '-' ? null : `${closed}T00:00:00Z`, inputs };
}

describe('an object may go', () => {
    test.each<[string, readonly string[], readonly string[]]>([
        ['never from an open period', ['2026-08 - a', '2026-09 2026-10-01'], []],
        [
            'once its period and the next one are closed',
            ['2026-08 2026-09-03 a', '2026-09 2026-10-01'],
            ['a'],
        ],
        ['not before the next period is closed: it may need it', ['2026-08 2026-09-03 a'], []],
        ['not while the next period is open', ['2026-08 2026-09-03 a', '2026-09 -'], []],
        [
            'not when one of its periods was closed too late',
            ['2026-08 2027-12-20 a', '2026-09 2026-10-01'],
            [],
        ],
        [
            'not when the next period was closed too late',
            ['2026-08 2026-09-03 a', '2026-09 2027-12-20'],
            [],
        ],
        [
            'only when all periods that counted it are closed',
            ['2026-08 2026-09-03 a b', '2026-09 2026-10-01 b', '2026-10 -'],
            ['a'],
        ],
        ['not when no period counted it', ['2026-08 2026-09-03', '2026-09 2026-10-01'], []],
    ])('%s', (_what, uses, expected) => {
        const may = mayGo(uses.map(use), '2027-12-31T00:00:00Z', 400);
        expect(['a', 'b'].filter((key) => may('gateway', object(key)))).toEqual(expected);
        expect(may('another input', object('a'))).toBe(false);
    });

    test('on the very day', () => {
        const uses = ['2026-08 2026-09-03 a', '2026-09 2026-09-03'].map(use);
        const on = (now: string) => mayGo(uses, now, 400)('gateway', object('a'));
        expect([on('2027-10-07T23:59:59Z'), on('2027-10-08T00:00:00Z')]).toEqual([false, true]);
    });

    test('not when what is stored under its key is something else', () => {
        const uses = ['2026-08 2026-09-03 a', '2026-09 2026-09-03'].map(use);
        const may = mayGo(uses, '2027-12-31T00:00:00Z', 400);
        expect(may('gateway', { key: 'a', sha256: 'another' })).toBe(false);
    });
});

/** `C a,b replaces A,B on 2026-11-05` */
function batch(text: string): Batch {
    const [id = '', keys = '', , replaces, , day] = text.split(' ');
    return {
        ...{ id, folder: id, basis: 'basis', input: 'gateway', role: 'usage', format: 'ndjson' },
        objects: keys.split(',').map((key) => ({
            ...object(key),
            ...{ size: 1, etag: '', line_count: 1, file: null },
        })),
        files: {},
        ...(replaces ? { replaces: replaces.split(','), replaced_at: `${day}T00:00:00Z` } : {}),
    };
}

describe('a batch is deleted', () => {
    test.each<[string, readonly string[], string, readonly string[]]>([
        ['never while its objects are needed', ['A a'], '2030-01-01', []],
        ['when all its objects may go', ['A x', 'B x,y', 'C a,x'], '2026-11-05', ['A', 'B']],
        [
            'not while somebody may still read what was replaced',
            ['A a', 'B b', 'C a,b replaces A,B on 2026-11-05'],
            '2026-11-06',
            [],
        ],
        [
            'two days after it was replaced',
            ['A a', 'B b', 'C a,b replaces A,B on 2026-11-05'],
            '2026-11-07',
            ['A', 'B'],
        ],
        [
            'only after those that it replaces: they would be read again',
            ['A x', 'C x replaces A on 2026-11-05', 'D x replaces C on 2026-11-06'],
            '2026-11-20',
            ['A'],
        ],
    ])('%s', (_what, stored, now, expected) => {
        const may = (_input: string, { key }: { key: string }) => key === 'x' || key === 'y';
        const expired = expiredBatches(stored.map(batch), `${now}T00:00:00Z`, may);
        expect(expired.map(({ id }) => id)).toEqual(expected);
    });
});

/** `run nightly 2026-08 r1 2026-09-01` */
function commit(text: string, index: number): Commit {
    const [kind, pipeline, period = '', run_id = '', day] = text.split(' ');
    const hashes = { previous: '', run_digest: '', certificate_sha256: '' };
    return {
        ...{ number: index + 1, ...hashes, by: '', reason: '', period, run_id },
        ...{ kind: kind as 'run', pipeline: pipeline as 'nightly', at: `${day}T00:00:00Z` },
    };
}

describe('tables of a run are of no use', () => {
    test.each<[string, readonly string[], string | null]>([
        ['never while it speaks', ['run nightly 2026-08 r1 2026-09-01'], null],
        [
            'since another took its place',
            ['run nightly 2026-08 r1 2026-09-01', 'run nightly 2026-08 r2 2026-09-02'],
            '2026-09-02T00:00:00Z',
        ],
        [
            'never while it is the last that wrote lines',
            ['run nightly 2026-08 r1 2026-09-01', 'run reconcile 2026-08 r2 2026-09-02'],
            null,
        ],
        [
            'not because of a run of another period',
            ['run nightly 2026-08 r1 2026-09-01', 'run nightly 2026-09 r2 2026-09-02'],
            null,
        ],
        [
            'since another took its place, although it was closed once',
            [
                'run nightly 2026-08 r1 2026-09-01',
                'close nightly 2026-08 r1 2026-09-02',
                'reopen nightly 2026-08 r1 2026-09-03',
                'run nightly 2026-08 r2 2026-09-04',
            ],
            '2026-09-04T00:00:00Z',
        ],
        [
            'never when an entry of another kind names it',
            [
                'run nightly 2026-08 r1 2026-09-01',
                'backfill nightly 2026-08 r1 2026-09-02',
                'run nightly 2026-08 r2 2026-09-04',
            ],
            null,
        ],
        ['since they were last written, when no entry names it', [], '2026-08-31T00:00:00Z'],
    ])('%s', (_what, commits, since) => {
        const written = { r1: '2026-08-31T00:00:00Z' };
        const idle = idleRuns({ commits: commits.map(commit) }, written);
        expect(idle).toEqual([{ run_id: 'r1', since }]);
    });
});
