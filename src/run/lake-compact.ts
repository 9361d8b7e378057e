import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Batch, type BatchObject, liveBatches } from './lake.ts';
import { isReadable, mergeOf, type Rewriting, replaceBatches } from './lake-merge.ts';

/*
 * Compaction. Every night adds a batch to each input; what is read of them costs a file each. Once
 * there are many small ones, they become one. Big ones stay: to write them again would cost more
 * than it saves. So of n nights at most `smallLimit` small batches are left, and as many big ones as
 * their bytes fill.
 */

/** More small batches of one input, basis and format than this are merged. */
export const smallLimit = 16;
/** From these bytes on a batch is big. */
export const bigBytes = 268_435_456;

/** Batches with their bytes, to be merged together. */
export interface Sized {
    readonly batch: Batch;
    readonly bytes: number;
}

const sizeOf = (batch: Batch): number =>
    Object.keys(batch.files).reduce((sum, name) => {
        const path = join(batch.folder, name);
        return sum + (existsSync(path) ? statSync(path).size : 0);
    }, 0);

/**
 * Which batches are to become one, if any: the small ones, in the order of their keys, which is that
 * of time, each time until what comes of them is big.
 */
export function planMerges(batches: readonly Sized[]): readonly (readonly Sized[])[] {
    const small = batches.filter(({ bytes }) => bytes < bigBytes).sort(byFirstKey);
    if (small.length <= smallLimit) return [];
    const merges: Sized[][] = [[]];
    let bytes = 0;
    for (const one of small) {
        if (bytes >= bigBytes) {
            merges.push([]);
            bytes = 0;
        }
        merges.at(-1)?.push(one);
        bytes += one.bytes;
    }
    return merges.filter((merge) => merge.length > 1);
}

function byFirstKey({ batch: one }: Sized, { batch: other }: Sized): number {
    const key = ({ objects, id }: Batch) => Buffer.from(`${objects[0]?.key ?? ''}\0${id}`);
    return Buffer.compare(key(one), key(other));
}

/**
 * Merges the small batches of one input where there are too many. Those of an input that has changed
 * since are left alone: nothing reads them but `explain`.
 * @param isKept objects that are left out are gone for good.
 * @returns how many batches became which.
 * @throws RunError LAKE_DAMAGED, ENGINE_*
 */
export async function compactInput(
    of: Rewriting,
    stored: readonly Batch[],
    isKept: (object: BatchObject) => boolean,
): Promise<{ readonly merged: number; readonly made: readonly Batch[] }> {
    const readable = liveBatches(stored).filter((batch) => isReadable(of, batch));
    const groups = Map.groupBy(readable, ({ basis, format }) => `${basis} ${format}`);
    const made: Batch[] = [];
    let merged = 0;
    for (const group of groups.values()) {
        const sized = group.map((batch) => ({ batch, bytes: sizeOf(batch) }));
        for (const merge of planMerges(sized)) {
            const batches = merge.map(({ batch }) => batch);
            const kept = mergeOf(batches, isKept);
            // What may go altogether is not written again.
            if (kept.objects.length === 0) continue;
            made.push(await replaceBatches(of, batches, kept));
            merged += batches.length;
        }
    }
    return { merged, made };
}
