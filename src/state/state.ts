import { resolve } from 'node:path';
import { RunError } from '../errors/index.ts';
import type { Config } from '../schema/config.ts';
import { folderStore } from '../store/local.ts';
import type { ObjectStore } from '../store/object-store.ts';

/**
 * The log of what counts and the runs it names. Either a folder, or a bucket with a folder as its
 * working copy: there a run is made, and counts for others once it is published.
 */
export interface State {
    /** How people know it: the folder, or `s3://bucket/prefix`. */
    readonly address: string;
    /** Where runs are made and read. */
    readonly folder: string;
    /** What holds the log. Keys are paths below the folder. */
    readonly store: ObjectStore;
    /** False: what is in the folder is in the state. */
    readonly isBucket: boolean;
    /**
     * Puts files of the folder into the bucket, each whole or not at all. What is there is left alone,
     * for what is published never changes, unless they were made `anew`.
     * @throws RunError STATE_DAMAGED when one is nowhere, STORE_*
     */
    readonly publish: (
        paths: readonly string[],
        options?: { readonly anew?: boolean },
    ) => Promise<void>;
    /**
     * Brings files of the bucket, each proven whole, to below the folder or another one; those that
     * are there with the same size are not fetched again.
     * @throws RunError STATE_DAMAGED when one is not there, or not as it was published, STORE_*
     */
    readonly fetch: (paths: readonly string[], to?: string) => Promise<void>;
    /** The config says that nobody else writes there. */
    readonly alone: boolean;
    /** Whether of two writers of one entry one is refused, tried out: one or two requests. */
    readonly tellsWritersApart: () => Promise<boolean>;
    readonly close: () => Promise<void>;
}

/** A state that is a folder: nothing of it is anywhere else. */
export function folderState(folder: string): State {
    return {
        address: folder,
        folder,
        store: folderStore(folder),
        isBucket: false,
        publish: async () => {},
        fetch: async () => {},
        alone: false,
        tellsWritersApart: async () => true,
        close: async () => {},
    };
}

/** Whoever is to write asks first. @throws RunError STATE_UNSAFE, STORE_* */
export async function requireSafe({ alone, tellsWritersApart, address }: State): Promise<void> {
    if (alone || (await tellsWritersApart())) return;
    throw new RunError('STATE_UNSAFE', { store: address });
}

/** The folder of a state, absolute: the state itself, or its working copy. */
export function stateFolder(state: Config['state'], base: string): string {
    return resolve(base, typeof state === 'string' ? state : state.folder);
}
