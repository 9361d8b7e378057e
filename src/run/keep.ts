import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventShape } from '../compile/shape.ts';
import { Engine, engineVersion } from '../duck/engine.ts';
import type { Effects } from '../effects.ts';
import type { State } from '../state/state.ts';
import { readStateLog } from './books.ts';
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
import { deleteTables, expiredBatches, expiredObjects } from './retention.ts';

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
        said = [`not done: ${error instanceof Error ? error.message : String(error)}`];
    }
    if (said.length === 0) return;
    progress.begin('keep');
    progress.end(said.join('; '));
}

async function keep(project: Project, books: State, now: string): Promise<readonly string[]> {
    const { state, config } = project;
    const { lake } = runFolder(state, '');
    const log = await readStateLog(books);
    const may = expiredObjects(state, log, now, config.keep.lake_days);
    const said: string[] = [];
    const inputs = lakeInputs(lake);
    // Nearly every night there is nothing to merge: then no engine is opened for it.
    if (inputs.some((input) => storedBatches(lake, input).length > smallLimit)) {
        await withRewriting(project, now, async (of) => {
            for (const input of inputs) {
                const { merged, made } = await compactInput(
                    of,
                    storedBatches(lake, input),
                    (object) => !may(input, object),
                );
                if (made > 0) said.push(`${input}: ${merged} batches became ${made}`);
            }
        });
    }
    for (const input of inputs) {
        const gone = expiredBatches(storedBatches(lake, input), now, may);
        for (const batch of gone) deleteBatch(lake, batch);
        if (gone.length) said.push(`${input}: deleted ${namesOf(gone)}`);
    }
    deleteLeftovers(join(lake, makingFolder), now);
    const runs = deleteTables(state, log, now, config.keep.run_days);
    if (runs.length) said.push(`deleted the tables of ${runs.join(', ')}`);
    return said;
}

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
