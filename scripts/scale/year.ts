import { type Batch, liveBatches } from '../../src/run/lake.ts';
import { planMerges, type Sized } from '../../src/run/lake-compact.ts';
import { objectsReadInPlace } from '../../src/run/landing.ts';
import { expiredBatches } from '../../src/run/retention.ts';

/** What one input brings each night. */
export interface Daily {
    readonly objects: number;
    readonly bytes: number;
}

/** The lake of one input after some nights. */
export interface LakeAt {
    readonly night: number;
    /** Batches that are read, and the objects that they consist of in a bucket, manifests counted. */
    readonly batches: number;
    readonly objects: number;
    /** With those that others replaced a short time ago. */
    readonly storedObjects: number;
    /** Written in all nights so far to merge batches. */
    readonly rewrittenBytes: number;
}

const start = Date.parse('2026-01-01T00:00:00Z');
const instant = (night: number) => new Date(start + night * 86_400_000).toISOString();

/**
 * Lets nights pass over the lake of one input, with the very rules of the program: what is merged, what
 * is read, and when that which was replaced goes. No month is closed for long enough that rows may go.
 */
export function lakeOfYear(daily: Daily, nights = 365): readonly LakeAt[] {
    const files = daily.objects > objectsReadInPlace ? 1 : daily.objects;
    let stored: readonly Made[] = [];
    let rewrittenBytes = 0;
    const states: LakeAt[] = [];
    for (let night = 1; night <= nights; night += 1) {
        stored = [...stored, made(`${night}`.padStart(4, '0'), daily.bytes, files)];
        const merges = planMerges(sizedOf(stored));
        stored = [...stored, ...merges.map((merge) => mergedOf(merge, night))];
        rewrittenBytes += sum(merges.flat().map(({ bytes }) => bytes));
        const gone = new Set(
            expiredBatches(
                stored.map(({ batch }) => batch),
                instant(night),
                () => false,
            ),
        );
        stored = stored.filter(({ batch }) => !gone.has(batch));
        const live = new Set(liveBatches(stored.map(({ batch }) => batch)));
        const objectsOf = (of: readonly Made[]) => sum(of.map((one) => one.files + 1));
        states.push({
            ...{ night, batches: live.size, rewrittenBytes },
            objects: objectsOf(stored.filter(({ batch }) => live.has(batch))),
            storedObjects: objectsOf(stored),
        });
    }
    return states;
}

/** A batch with how many files it has beside its manifest. */
interface Made extends Sized {
    readonly files: number;
}

const sum = (values: readonly number[]) => values.reduce((total, of) => total + of, 0);

function sizedOf(stored: readonly Made[]): readonly Sized[] {
    const live = new Set(liveBatches(stored.map(({ batch }) => batch)));
    return stored.filter(({ batch }) => live.has(batch));
}

/** Of a batch the rules ask for its id, its first key, and what it replaces. */
function made(key: string, bytes: number, files: number, of: Partial<Batch> = {}): Made {
    const object = { key, size: bytes, etag: key, sha256: key, line_count: null, file: null };
    const batch: Batch = {
        ...{ id: key, folder: key, basis: '', input: 'usage', role: 'usage', format: 'parquet' },
        ...{ objects: [object], files: {}, ...of },
    };
    return { batch, bytes, files };
}

function mergedOf(merge: readonly Sized[], night: number): Made {
    const replaces = merge.map(({ batch }) => batch.id);
    const first = merge[0]?.batch.objects[0]?.key ?? '';
    const of = { id: `${first}-${night}`, replaces, replaced_at: instant(night) };
    return made(first, sum(merge.map(({ bytes }) => bytes)), 1, of);
}
