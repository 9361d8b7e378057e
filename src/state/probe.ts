import type { ObjectStore } from '../store/object-store.ts';

/** Stays there: a store that refuses to create it again has shown in one request what it can do. */
const probeKey = 'probe.json';

/**
 * Whether the store refuses to create what is there. One that overwrites it instead (some servers do,
 * and buckets with versions on others) cannot tell two writers of the log apart.
 */
export async function refusesToOverwrite(store: ObjectStore): Promise<boolean> {
    const text = '{"written_to_see": "whether it can be created twice"}\n';
    for (let attempt = 1; attempt <= 2; attempt++) {
        if (!(await store.create(probeKey, text))) return true;
    }
    return false;
}
