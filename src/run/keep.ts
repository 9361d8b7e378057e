import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventShape } from '../compile/shape.ts';
import { Engine, engineVersion } from '../duck/engine.ts';
import type { Effects } from '../effects.ts';
import type { CommitLog } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { readStateLog } from './books.ts';
import {
    bucketBatches,
    publishSound,
    removeBatch,
    removeLeftovers,
    staleLeftovers,
    staleness,
} from './bucket-lake.ts';
import { makeFolders, runFolder } from './folders.ts';
import {
    type Batch,
    basesOf,
    deleteBatch,
    lakeInputs,
    liveBatches,
    makingFolder,
    storedBatches,
} from './lake.ts';
import { compactInput, smallLimit } from './lake-compact.ts';
import type { Rewriting } from './lake-merge.ts';
import type { Project } from './project.ts';
import {
    expiredBatches,
    expiredObjects,
    expiredTables,
    type MayGo,
    type StoredTables,
    tablesHere,
    tablesInBucket,
} from './retention.ts';

/**
 * Keeps the state folder bounded, after a run: merges small batches of the lake, and deletes what may
 * go. It never changes a result, and never fails the run: what went wrong is said, and tried again
 * the next night.
 */
export async function keepBounded(
    project: Project,
    state: State,
    { now, progress }: Pick<Effects, 'now' | 'progress'>,
): Promise<void> {
    let said: readonly string[];
    try {
        said = await keep(project, state, now());
    } catch (error) {
        said = [notDone(error)];
    }
    if (said.length === 0) return;
    progress.begin('keep');
    progress.end(said.join('; '));
}

const notDone = (error: unknown) =>
    `not done: ${error instanceof Error ? error.message : String(error)}`;

async function keep(project: Project, books: State, now: string): Promise<readonly string[]> {
    const { state, config } = project;
    const log = await readStateLog(books);
    const may = await expiredObjects(books, log, now, config.keep.lake_days);
    const said = await compact(project, books, log, now, may);
    const inBucket = books.isBucket ? await bucketBatches(books) : [];
    if (books.isBucket) {
        // Whoever may not delete there still keeps the working copy small.
        const done = keepBucket(project, books, log, now, inBucket, may);
        said.push(...(await done.catch((error) => [notDone(error)])));
    }
    const { lake } = runFolder(state, '');
    for (const input of lakeInputs(lake)) {
        const here = storedBatches(lake, input);
        const folders = new Set(here.map(({ folder }) => folder));
        // What another machine replaced is of no more use here.
        const there = inBucket.filter((of) => of.input === input && !folders.has(of.folder));
        const gone = expiredBatches([...here, ...there], now, may);
        const own = gone.filter(({ folder }) => folders.has(folder));
        for (const batch of own) deleteBatch(lake, batch);
        if (own.length) said.push(`${input}: deleted ${namesOf(own)}`);
    }
    deleteLeftovers(join(lake, makingFolder), now);
    const tables = expiredTables(tablesHere(state), log, now, config.keep.run_days);
    for (const file of tables.flatMap(({ files }) => files)) rmSync(file);
    if (tables.length) said.push(`deleted the tables of ${runsOf(tables)}`);
    return said;
}

/** Merges small batches. What comes of it is put into the bucket, so that the others may go there too. */
async function compact(
    project: Project,
    books: State,
    log: CommitLog,
    now: string,
    may: MayGo,
): Promise<string[]> {
    const { lake } = runFolder(project.state, '');
    const inputs = lakeInputs(lake);
    // Nearly every night there is nothing to merge: then no engine is opened for it.
    if (!inputs.some((input) => storedBatches(lake, input).length > smallLimit)) return [];
    return withRewriting(project, now, async (of) => {
        const said: string[] = [];
        for (const input of inputs) {
            const stored = storedBatches(lake, input);
            const { merged, made } = await compactInput(
                of,
                stored,
                (object) => !may(input, object),
            );
            if (made.length > 0) said.push(`${input}: ${merged} batches became ${made.length}`);
            if (books.isBucket) await publishSound(books, log, made);
        }
        return said;
    });
}

/**
 * Deletes in the bucket what may go. Decided by what is in the bucket alone: what the working copy
 * has beside it may be known to nobody else. When somebody added to the log meanwhile it waits.
 */
async function keepBucket(
    { config }: Project,
    books: State,
    log: CommitLog,
    now: string,
    stored: readonly Batch[],
    may: MayGo,
): Promise<readonly string[]> {
    const stale = staleLeftovers(stored, staleness(log, stored));
    const expired = expiredBatches(stored, now, may);
    const gone = [...new Set([...stale, ...expired])];
    const tables = expiredTables(await tablesInBucket(books, now), log, now, config.keep.run_days);
    if ((await readStateLog(books)).head !== log.head) return [];
    await removeLeftovers(books, log, now);
    for (const batch of gone) await removeBatch(books, batch);
    for (const key of tables.flatMap(({ files }) => files)) await books.store.remove(key);
    return [
        ...(gone.length ? [`${books.address}: deleted ${namesOf(gone)}`] : []),
        ...(tables.length ? [`${books.address}: deleted the tables of ${runsOf(tables)}`] : []),
    ];
}

const runsOf = (tables: readonly StoredTables[]) => tables.map(({ run_id }) => run_id).join(', ');

const namesOf = (batches: readonly Batch[]) =>
    `${batches.length === 1 ? 'batch' : 'batches'} ${batches.map(({ id }) => id).join(', ')}`;

/** What batches of a project are rewritten with, in an engine of its own. */
export async function withRewriting<T>(
    { state, config }: Project,
    at: string,
    work: (of: Rewriting) => Promise<T>,
): Promise<T> {
    const { lake } = runFolder(state, '');
    makeFolders(lake);
    const engine = await Engine.open({
        file: ':memory:',
        memory: config.engine.memory,
        threads: config.engine.threads ?? 2,
        spill: join(lake, makingFolder, `${process.pid}-spill`),
    });
    const bases = basesOf(config, engineVersion);
    const inputOf = (batch: Batch) => bases.get(batch.input)?.get(batch.basis) ?? null;
    try {
        return await work({ engine, lake, shape: eventShape(config), at, inputOf });
    } finally {
        engine.close();
    }
}

/** Of a process that died. Two days later nobody is writing there. */
function deleteLeftovers(folder: string, now: string): void {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
        const path = join(folder, name);
        const age = Date.parse(now) - statSync(path).mtimeMs;
        if (age > 2 * 86_400_000) rmSync(path, { recursive: true, force: true });
    }
}

/** What the lake of a project holds, for those who ask: batches and objects by input. */
export function lakeContents(
    state: string,
): readonly { readonly input: string; readonly batches: number; readonly objects: number }[] {
    const { lake } = runFolder(state, '');
    return lakeInputs(lake).map((input) => {
        const live = liveBatches(storedBatches(lake, input));
        const objects = live.reduce((sum, batch) => sum + batch.objects.length, 0);
        return { input, batches: live.length, objects };
    });
}
