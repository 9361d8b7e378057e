import { describe, expect, test } from 'vitest';
import { staleLeftovers, staleness } from '../../../src/run/bucket-lake.ts';
import type { Batch } from '../../../src/run/lake.ts';
import type { Erasure } from '../../../src/schema/commit.ts';

/** `m x:1 y / a b`: batch m of objects x, of which 1 was erased, and y; it replaces a and b. */
function batchOf(text: string, basis = 'basis'): Batch {
    const [held = '', replaced = ''] = text.split(' / ');
    const [id = '', ...objects] = held.split(' ');
    return {
        ...{ id, folder: id, basis, input: 'gateway', role: 'usage', format: 'ndjson', files: {} },
        objects: objects.map((object) => {
            const [key = '', ...erased] = object.split(':');
            const pin = { key, size: 1, etag: key, sha256: key, line_count: 1, file: null };
            return { ...pin, ...(erased.length ? { erased: erased.join(' ') } : {}) };
        }),
        ...(replaced ? { replaces: replaced.split(' ') } : {}),
    };
}

const erasure = (...from: readonly string[]): Erasure => ({
    ...{ number: 1, previous: '', kind: 'erase', by: 'ada', reason: 'ticket 12', row_count: 1 },
    ...{ at: '2026-11-05T09:00:00Z', stand_in: `erased-${'0'.repeat(16)}` },
    batches: from.map((id) => ({ input: 'gateway', from: id, to: '' })),
});

describe('a batch is stale', () => {
    test.each<[string, string, readonly string[], boolean]>([
        ['when the log says that it was erased', 'a x', ['b x:1 / a'], true],
        ['when the bucket has an object of it erased', 'm x y', ['b x:1 / a'], true],
        ['when more was erased than of it', 'm x:1', ['b x:1:2 / c'], true],
        ['not when the same was erased of it', 'm x:1 y', ['b x:1 / a'], false],
        ['not when it has other objects', 'm y', ['b x:1 / a'], false],
    ])('%s', (_what, batch, bucket, expected) => {
        const isStale = staleness(
            { erasures: [erasure('a')] },
            bucket.map((of) => batchOf(of)),
        );
        expect(isStale(batchOf(batch))).toBe(expected);
        expect(
            staleness(
                {},
                bucket.map((of) => batchOf(of)),
            )(batchOf(batch)),
        ).toBe(false);
    });

    test('not when its rows were made otherwise: the other rows cannot stand for them', () => {
        const isStale = staleness({ erasures: [erasure('a')] }, [batchOf('b x:1')]);
        expect(isStale(batchOf('m x', 'another basis'))).toBe(false);
    });
});

test.each<[string, readonly string[], readonly string[]]>([
    ['that were erased and replaced', ['a x', 'b x:1 / a'], ['a']],
    [
        'that others published meanwhile, once all of it is elsewhere',
        ['m x y', 'b x:1', 'c y'],
        ['m'],
    ],
    ['not those of which an object is nowhere else', ['m x y', 'b x:1'], []],
    ['not those of which an object is only in what is replaced', ['m x y / c', 'b x:1', 'c y'], []],
])('stale batches may go: %s', (_what, bucket, expected) => {
    const batches = bucket.map((of) => batchOf(of));
    const isStale = staleness({ erasures: [erasure('a')] }, batches);
    expect(staleLeftovers(batches, isStale).map(({ id }) => id)).toEqual(expected);
});
