import { join } from 'node:path';
import { RunError } from '../errors/index.ts';
import { backfillCsv } from '../export/backfill.ts';
import { canonicalJson, type JsonValue, sha256 } from '../export/json.ts';
import { type Backfill, backfillSchema } from '../schema/backfill.ts';
import { textAt } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { folderStore } from '../store/local.ts';
import type { ObjectStore } from '../store/object-store.ts';

/** A backfill as it is kept: named by what it says, so the same comparison is the same one. */
export interface KeptBackfill {
    readonly id: string;
    /** sha256 of its diff.json. */
    readonly diff_sha256: string;
    readonly folder: string;
    readonly backfill: Backfill;
}

const keyOf = (id: string, name: string) => `backfills/${id}/${name}`;

/**
 * Keeps what a backfill found, for good: `diff.csv` for people, then `diff.json`; of a bucket in the
 * working copy too, where people look. The same again is found and left.
 * @throws RunError BACKFILL_DAMAGED when something else is in its place
 */
export async function keepBackfill(state: State, backfill: Backfill): Promise<KeptBackfill> {
    const text = `${canonicalJson(backfillSchema.parse(backfill) as unknown as JsonValue)}\n`;
    const diff_sha256 = sha256(text);
    const id = diff_sha256.slice(0, 12);
    const stores = state.isBucket ? [state.store, folderStore(state.folder)] : [state.store];
    for (const store of stores) {
        await keep(store, keyOf(id, 'diff.csv'), backfillCsv(backfill));
        await keep(store, keyOf(id, 'diff.json'), text);
    }
    return { id, diff_sha256, folder: join(state.folder, 'backfills', id), backfill };
}

async function keep(store: ObjectStore, key: string, text: string): Promise<void> {
    if (await store.create(key, text)) return;
    if ((await textAt(store, key)) === text) return;
    throw damaged(store, key, 'another text is in its place');
}

const damaged = (store: ObjectStore, key: string, detail: string) =>
    new RunError('BACKFILL_DAMAGED', { file: `${store.address}/${key}`, detail });

/**
 * What a backfill that the log names found.
 * @throws RunError BACKFILL_DAMAGED unless it has the very bytes that the log vouches for
 */
export async function readBackfill(
    { store }: State,
    { backfill_id, diff_sha256 }: { readonly backfill_id: string; readonly diff_sha256: string },
): Promise<Backfill> {
    const key = keyOf(backfill_id, 'diff.json');
    const text = await textAt(store, key).catch((error: unknown) => {
        if (!(error instanceof RunError) || error.code !== 'OBJECT_MISSING') throw error;
        throw damaged(store, key, 'it is missing');
    });
    if (sha256(text) !== diff_sha256) throw damaged(store, key, 'it was changed');
    return backfillSchema.parse(JSON.parse(text));
}
