import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { State } from '../state/state.ts';
import { bucketBatches, fetchBatches, publishBatches, removeBatch } from './bucket-lake.ts';
import { type Admit, type Erased, type Erasing, nothingErased, rewriteLake } from './erase.ts';
import { makeFolders, runFolder } from './folders.ts';
import {
    type Batch,
    deleteBatch,
    hashOf,
    lakeInputs,
    makingFolder,
    storedBatches,
} from './lake.ts';
import type { Project } from './project.ts';

/*
 * Erasure where the state is in a bucket: what its lake holds is brought to a folder aside, and erased
 * there as in any lake. What takes the place of a batch is published before an entry says so, and only
 * then does the batch go. The working copy forgets afterwards.
 */

/** So often the bucket is looked at again for what other machines published meanwhile. */
const rounds = 3;

/**
 * As `eraseFromLake`, for the lake of a bucket.
 * @param note enters into the log what was found and what took its place.
 * @throws RunError ERASE_REFUSED, LAKE_DAMAGED, STATE_DAMAGED, STORE_*
 */
export async function eraseFromBucket(
    project: Project,
    state: State,
    erasing: Erasing,
    at: string,
    admit: Admit,
    note: (found: Erased) => Promise<void>,
): Promise<Erased> {
    const { lake } = runFolder(project.state, '');
    const aside = join(lake, makingFolder, `${process.pid}-erase`);
    let all = nothingErased;
    try {
        let seen: ReadonlySet<string> = new Set();
        for (let round = 1; round <= rounds; round++) {
            const batches = await bucketBatches(state);
            if (round > 1 && batches.every(({ folder }) => seen.has(folder))) break;
            await bringAside(state, batches, aside);
            const found = await rewriteLake({ ...project, state: aside }, erasing, at, admit);
            all = together(all, found);
            if (admit === null) return all;
            const made = [...found.made.values()];
            await publishMade(state, made);
            if (round === 1 || found.holdings.length > 0) await note(found);
            for (const { batch } of found.holdings) await removeBatch(state, batch);
            seen = new Set([...batches, ...made].map((of) => inLake(state, of)));
        }
    } finally {
        rmSync(aside, { recursive: true, force: true });
    }
    await forgetHere(state);
    return all;
}

const together = (one: Erased, other: Erased): Erased => ({
    holdings: [...one.holdings, ...other.holdings],
    made: new Map([...one.made, ...other.made]),
});

/** Where a batch is in the working copy, if it is. */
const inLake = ({ folder }: State, { input, id }: Batch) =>
    join(runFolder(folder, '').lake, input, id);

/** Links what the working copy has as the manifests say, and fetches the rest. */
async function bringAside(state: State, batches: readonly Batch[], aside: string): Promise<void> {
    rmSync(aside, { recursive: true, force: true });
    makeFolders(aside);
    for (const batch of batches) {
        const { input, id, files } = batch;
        const folder = inLake(state, batch);
        const to = join(aside, 'lake', input, id);
        mkdirSync(to, { recursive: true });
        for (const [name, hash] of Object.entries(files)) {
            const file = join(folder, name);
            if (existsSync(file) && (await hashOf(file)) === hash) linkSync(file, join(to, name));
        }
    }
    await fetchBatches(state, batches, aside);
}

/** A new batch gets its place in the working copy, and from there in the bucket. */
async function publishMade(state: State, made: readonly Batch[]): Promise<void> {
    for (const batch of made) {
        const to = inLake(state, batch);
        mkdirSync(dirname(to), { recursive: true });
        if (!existsSync(to)) renameSync(batch.folder, to);
    }
    await publishBatches(state, made);
}

/** What is not in the bucket now was erased, or nobody published it: then nobody looked through it. */
async function forgetHere(state: State): Promise<void> {
    const { lake } = runFolder(state.folder, '');
    const there = new Set((await bucketBatches(state)).map((batch) => inLake(state, batch)));
    for (const input of lakeInputs(lake)) {
        for (const batch of storedBatches(lake, input)) {
            if (!there.has(batch.folder)) deleteBatch(lake, batch);
        }
    }
}
