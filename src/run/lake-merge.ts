import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { EventShape } from '../compile/shape.ts';
import type { Engine } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import {
    type Batch,
    type BatchObject,
    type BatchSource,
    type Input,
    isTogether,
    keepBatch,
    makingFolder,
    ownFiles,
    rowsFile,
    togetherSql,
    verifyBatch,
} from './lake.ts';
import { typedRows, writeRows } from './landing.ts';

/** What it takes to write a batch that takes the place of others. */
export interface Rewriting {
    readonly engine: Engine;
    readonly lake: string;
    readonly shape: EventShape;
    /** The instant at which it takes their place. */
    readonly at: string;
    /**
     * The input of a batch as it is configured now; null when the batch was read otherwise, and rows
     * that lie in files of their own cannot be read the same way.
     */
    readonly inputOf: (batch: Batch) => Input | null;
}

/** Whether the rows of a batch can be read as they were when it was made. */
export const isReadable = ({ inputOf }: Pick<Rewriting, 'inputOf'>, batch: Batch): boolean =>
    isTogether(batch) || inputOf(batch) !== null;

/** The select of the rows of a batch, its objects numbered as given. */
export async function batchRows(
    { engine, shape, inputOf }: Pick<Rewriting, 'engine' | 'shape' | 'inputOf'>,
    source: BatchSource,
): Promise<string> {
    if (isTogether(source.batch)) return togetherSql(source);
    const input = inputOf(source.batch);
    if (!input) throw new Error('only batches that can be read are rewritten');
    return typedRows(engine, input, source.batch.role, ownFiles(source), shape);
}

/** Some objects of batches, in the order and with the numbers that they get together. */
export interface Merge {
    readonly sources: readonly BatchSource[];
    readonly objects: readonly BatchObject[];
}

/** All objects of some batches together: each once, although two of them may have it. */
export function mergeOf(
    batches: readonly Batch[],
    isKept: (object: BatchObject) => boolean = () => true,
): Merge {
    const objects: BatchObject[] = [];
    const pins = new Set<string>();
    const sources = batches.map((batch) => {
        const numbers = new Map<number, number>();
        for (const [index, object] of batch.objects.entries()) {
            const { key, size, etag, sha256 } = object;
            const pin = JSON.stringify([key, size, etag, sha256]);
            if (pins.has(pin) || !isKept(object)) continue;
            pins.add(pin);
            objects.push({ ...object, file: null });
            numbers.set(index + 1, objects.length);
        }
        return { batch, numbers };
    });
    return { sources: sources.filter(({ numbers }) => numbers.size > 0), objects };
}

/**
 * Writes one batch that takes the place of others of the same input, basis and format: whole, or not
 * at all. The others stay where they are, for those who still read them.
 * @param rewrite what becomes of the select of their rows: it gives as many.
 * @throws RunError LAKE_DAMAGED when one of them is not what was landed
 */
export async function replaceBatches(
    of: Rewriting,
    batches: readonly Batch[],
    { sources, objects }: Merge,
    rewrite: (sql: string) => string = (sql) => sql,
): Promise<Batch> {
    const [first] = batches;
    if (!first) throw new Error('nothing takes the place of nothing');
    const { basis, input, role, format } = first;
    for (const { batch } of sources) await verifyBatch(batch);
    const folder = join(of.lake, makingFolder, `${process.pid}-${input}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    try {
        const parts: string[] = [];
        for (const source of sources) parts.push(await batchRows(of, source));
        const rows = parts.join('\nunion all by name\n');
        const file = join(folder, rowsFile);
        await writeRows(of.engine, rewrite(rows), file);
        await requireSameCount(of.engine, rows, file);
        return await keepBatch(of.lake, folder, {
            ...{ basis, input, role, format, objects },
            replaces: batches.map(({ id }) => id).sort(),
            replaced_at: of.at,
        });
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

async function requireSameCount(engine: Engine, rows: string, file: string): Promise<void> {
    const { before, after } = await engine.one(`select
        (select count(*) from (${rows})) as before,
        (select count(*) from read_parquet(${quoteText(file)})) as after`);
    if (before !== after) throw new Error(`${before} rows were to be written, ${after} were`);
}
