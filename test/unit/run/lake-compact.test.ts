import { describe, expect, test } from 'vitest';
import { type Batch, liveBatches } from '../../../src/run/lake.ts';
import { bigBytes, planMerges, type Sized, smallLimit } from '../../../src/run/lake-compact.ts';
import { mergeOf } from '../../../src/run/lake-merge.ts';

const batchOf = (id: string, keys: readonly string[]): Batch => ({
    ...{ id, folder: id, basis: 'basis', input: 'gateway', role: 'usage', format: 'ndjson' },
    objects: keys.map((key) => ({
        ...{ key, size: 1, etag: key, sha256: key, line_count: 1, file: null },
    })),
    files: {},
});

/** Night after night one batch of so many bytes; what there is, and what was written again. */
function nights(count: number, bytesOf: (night: number) => number) {
    let there: Sized[] = [];
    let most = 0;
    let rewritten = 0;
    for (let night = 0; night < count; night++) {
        const id = `${night}`.padStart(4, '0');
        there.push({ batch: batchOf(id, [`dt=${id}`]), bytes: bytesOf(night) });
        for (const merge of planMerges(there)) {
            const { objects } = mergeOf(merge.map(({ batch }) => batch));
            const bytes = merge.reduce((sum, one) => sum + one.bytes, 0);
            const keys = objects.map(({ key }) => key);
            there = there.filter((one) => !merge.includes(one));
            there.push({ batch: batchOf(`${id}-${keys.length}`, keys), bytes });
            rewritten += bytes;
        }
        most = Math.max(most, there.length);
    }
    const keys = there.flatMap(({ batch }) => batch.objects.map(({ key }) => key));
    return { there, most, rewritten, keys };
}

describe('of 400 nights', () => {
    const megabyte = 1_048_576;
    test.each([
        ['one megabyte each', () => megabyte],
        ['twenty megabytes each', () => 20 * megabyte],
        ['anything from nothing to twice what is big', (n: number) => (n % 9) * (bigBytes / 4)],
        ['what is big', () => bigBytes],
    ])('with %s no more batches are left than their bytes need', (_what, bytesOf) => {
        const { there, most, keys } = nights(400, bytesOf);
        const total = there.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(keys.length).toBe(400);
        expect(new Set(keys).size).toBe(400);
        expect(most).toBeLessThanOrEqual(smallLimit + Math.ceil(total / bigBytes));
    });

    test('each byte is written a few times again', () => {
        const { rewritten, there } = nights(400, () => 20 * megabyte);
        const total = there.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(rewritten / total).toBeLessThan(2);
    });
});

describe('a merge', () => {
    test('has an object once that two batches have', () => {
        const { sources, objects } = mergeOf([batchOf('A', ['a', 'b']), batchOf('B', ['b', 'c'])]);
        expect(objects.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
        expect(sources.map(({ numbers }) => [...numbers])).toEqual([
            [
                [1, 1],
                [2, 2],
            ],
            [[2, 3]],
        ]);
    });

    test('leaves out what may go', () => {
        const { sources, objects } = mergeOf(
            [batchOf('A', ['a']), batchOf('B', ['b', 'c'])],
            ({ key }) => key === 'c',
        );
        expect(objects.map(({ key }) => key)).toEqual(['c']);
        expect(sources.map(({ batch, numbers }) => [batch.id, ...numbers])).toEqual([
            ['B', [2, 1]],
        ]);
    });

    test('is read in the place of what it replaces, and those again when it is gone', () => {
        const [a, b] = [batchOf('A', ['a']), batchOf('B', ['b'])];
        const c = { ...batchOf('C', ['a', 'b']), replaces: ['A', 'B'] };
        expect(liveBatches([a, b, c])).toEqual([c]);
        expect(liveBatches([a, b])).toEqual([a, b]);
    });
});
