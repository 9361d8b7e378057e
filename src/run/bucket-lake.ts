import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { RunError } from '../errors/index.ts';
import type { Erasure } from '../schema/commit.ts';
import { type CommitLog, textAt } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { runFolder } from './folders.ts';
import {
    type Batch,
    type BatchObject,
    deleteBatch,
    isOfObject,
    lakeInputs,
    liveBatches,
    manifestFile,
    parseBatch,
    storedBatches,
} from './lake.ts';

/*
 * The lake of a state in a bucket. What is in it is what its manifests there say; the working copy
 * has some of it, and batches that nobody published yet.
 */

/** Manifests read at a time. */
const concurrency = 16;

const folderKey = ({ input, id }: Pick<Batch, 'input' | 'id'>) => `lake/${input}/${id}`;
const keyIn = (batch: Batch, name: string) => `${folderKey(batch)}/${name}`;

/** Batches in the bucket, replaced ones too. One that goes while they are read is not among them. */
export async function bucketBatches(state: State): Promise<readonly Batch[]> {
    const keys: string[] = [];
    for await (const { key } of state.store.list('lake/')) {
        if (key.split('/').length === 4 && key.endsWith(`/${manifestFile}`)) keys.push(key);
    }
    const limit = pLimit(concurrency);
    const read = await Promise.all(keys.map((key) => limit(() => batchAt(state, key))));
    return read.filter((batch) => batch !== null);
}

async function batchAt(state: State, key: string): Promise<Batch | null> {
    try {
        const folder = join(state.folder, key, '..');
        return parseBatch(await textAt(state.store, key), folder);
    } catch (error) {
        if (error instanceof RunError && error.code === 'OBJECT_MISSING') return null;
        throw error;
    }
}

/**
 * Brings batches from the bucket into the working copy, or below another folder. The manifest of each
 * comes last: with it, all is there.
 * @throws RunError STATE_DAMAGED, OBJECT_MISSING when one went meanwhile, STORE_*
 */
export async function fetchBatches(
    state: State,
    batches: readonly Batch[],
    to?: string,
): Promise<void> {
    const rows = batches.flatMap((batch) =>
        Object.keys(batch.files).map((name) => keyIn(batch, name)),
    );
    await state.fetch(rows, to);
    await state.fetch(
        batches.map((batch) => keyIn(batch, manifestFile)),
        to,
    );
}

/** Puts batches of the working copy into the bucket, unless they are there: their manifests last. */
export async function publishBatches(state: State, batches: readonly Batch[]): Promise<void> {
    const rows = batches.flatMap((batch) =>
        Object.keys(batch.files).map((name) => keyIn(batch, name)),
    );
    await state.publish(rows);
    await state.publish(batches.map((batch) => keyIn(batch, manifestFile)));
}

/** Takes a batch out of the bucket: first what makes it one. */
export async function removeBatch(state: State, batch: Batch): Promise<void> {
    await state.store.remove(keyIn(batch, manifestFile));
    const rest: string[] = [];
    for await (const { key } of state.store.list(`${folderKey(batch)}/`)) rest.push(key);
    for (const key of rest) await state.store.remove(key);
}

/** Days after which nobody is still putting the files of a batch there. */
const publishingDays = 2;

/**
 * Takes files out of the bucket that no manifest speaks of: of a batch that was being removed, or
 * published, when that was cut off. Those of one that was erased go at once, others when nobody can
 * still be at it.
 */
export async function removeLeftovers(
    { store }: State,
    { erasures = [] }: Pick<CommitLog, 'erasures'>,
    now: string,
): Promise<void> {
    const entries: { folder: string; key: string; at: string }[] = [];
    for await (const { key, arrived_at = now } of store.list('lake/')) {
        entries.push({ folder: key.slice(0, key.lastIndexOf('/')), key, at: arrived_at });
    }
    const named = erasedFolders(erasures);
    const isOld = ({ at }: { readonly at: string }) =>
        Date.parse(now) - Date.parse(at) >= publishingDays * 86_400_000;
    for (const [folder, files] of Map.groupBy(entries, (entry) => entry.folder)) {
        if (files.some(({ key }) => key === `${folder}/${manifestFile}`)) continue;
        if (!named.has(folder) && !files.every(isOld)) continue;
        for (const { key } of files) await store.remove(key);
    }
}

/** The folders of batches that the log says were erased. */
const erasedFolders = (erasures: readonly Erasure[]): ReadonlySet<string> =>
    new Set(
        erasures.flatMap(({ batches }) =>
            batches.map(({ input, from }) => folderKey({ input, id: from })),
        ),
    );

/** An object as the tables of a run pin it. */
export interface PinnedObject extends Pick<BatchObject, 'key' | 'sha256'> {
    readonly input: string;
    readonly basis: string;
}

/** Looks at the bucket so often for rows that others replace at the same time. */
const attempts = 4;

/**
 * Brings the rows of objects into the working copy, unless they are there: the batches that hold them
 * today. Those of objects that are kept no more do not come. One that is replaced while it is brought
 * is looked for again.
 * @throws RunError STATE_DAMAGED, STORE_*
 */
export async function fetchObjects(state: State, objects: readonly PinnedObject[]): Promise<void> {
    const { lake } = runFolder(state.folder, '');
    const here = lakeInputs(lake).flatMap((input) => liveBatches(storedBatches(lake, input)));
    const missing = without(objects, here);
    if (missing.length === 0) return;
    for (let attempt = 1; ; attempt++) {
        const live = liveBatches(await bucketBatches(state));
        const wanted = live.filter((batch) => missing.some((object) => isOfObject(batch, object)));
        try {
            return await fetchBatches(state, wanted);
        } catch (error) {
            if (attempt === attempts || !(await isOneGone(state, wanted))) throw error;
        }
    }
}

async function isOneGone(state: State, wanted: readonly Batch[]): Promise<boolean> {
    const there = new Set((await bucketBatches(state)).map(folderKey));
    return wanted.some((batch) => !there.has(folderKey(batch)));
}

const pinOf = (
    input: string,
    basis: string,
    { key, sha256 }: Pick<BatchObject, 'key' | 'sha256'>,
) => JSON.stringify([input, basis, key, sha256]);
const pinsOf = ({ input, basis, objects }: Batch) =>
    objects.map((object) => pinOf(input, basis, object));

function without(
    objects: readonly PinnedObject[],
    batches: readonly Batch[],
): readonly PinnedObject[] {
    const held = new Set(batches.flatMap(pinsOf));
    return objects.filter((object) => !held.has(pinOf(object.input, object.basis, object)));
}

/** Whether a batch holds what was erased from the bucket. */
export type IsStale = (batch: Batch) => boolean;

const standInsOf = ({ erased = '' }: BatchObject) => erased.split(' ').filter(Boolean);

/**
 * A batch is stale when an entry of the log says that it held what was erased, or when one in the
 * bucket has an object of it with something erased that it still holds. None is when nothing was ever
 * erased.
 */
export function staleness(
    { erasures = [] }: Pick<CommitLog, 'erasures'>,
    bucket: readonly Batch[],
): IsStale {
    if (erasures.length === 0) return () => false;
    const named = erasedFolders(erasures);
    const erased = new Map<string, Set<string>>();
    for (const batch of bucket) {
        for (const object of batch.objects) {
            const pin = pinOf(batch.input, batch.basis, object);
            const known = erased.get(pin) ?? new Set();
            erased.set(pin, new Set([...known, ...standInsOf(object)]));
        }
    }
    return (batch) =>
        named.has(folderKey(batch)) ||
        batch.objects.some((object) => {
            const known = erased.get(pinOf(batch.input, batch.basis, object)) ?? new Set();
            const own = standInsOf(object);
            return [...known].some((standIn) => !own.includes(standIn));
        });
}

/** The same of the bucket as it is now. Asks it only when something was ever erased. */
async function stalenessNow(state: State, log: Pick<CommitLog, 'erasures'>): Promise<IsStale> {
    return staleness(log, log.erasures?.length ? await bucketBatches(state) : []);
}

/**
 * Publishes batches that are not stale: what was erased meanwhile does not come back, its rows are
 * there under another name.
 */
export async function publishSound(
    state: State,
    log: Pick<CommitLog, 'erasures'>,
    batches: readonly Batch[],
): Promise<void> {
    const isStale = await stalenessNow(state, log);
    await publishBatches(
        state,
        batches.filter((batch) => !isStale(batch)),
    );
}

/** Takes out of the working copy what was erased from the bucket, by whatever machine. */
export async function dropStale(state: State, log: Pick<CommitLog, 'erasures'>): Promise<void> {
    const { lake } = runFolder(state.folder, '');
    if (!state.isBucket || !log.erasures?.length || !existsSync(lake)) return;
    const isStale = await stalenessNow(state, log);
    for (const input of lakeInputs(lake)) {
        for (const batch of storedBatches(lake, input)) {
            if (isStale(batch)) deleteBatch(lake, batch);
        }
    }
}

/**
 * Stale batches in the bucket of which every object is also in one that is not: another machine
 * published them while it was erased, or the erasure was cut off. They may go.
 */
export function staleLeftovers(bucket: readonly Batch[], isStale: IsStale): readonly Batch[] {
    const sound = new Set(
        liveBatches(bucket)
            .filter((batch) => !isStale(batch))
            .flatMap(pinsOf),
    );
    return bucket.filter((batch) => isStale(batch) && pinsOf(batch).every((pin) => sound.has(pin)));
}
