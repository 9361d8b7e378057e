import type { ObjectSet, ObjectSource } from '../../compile/clickhouse/objects.ts';
import { pinsSql, readableKey } from '../../compile/clickhouse/objects.ts';
import { eventShape } from '../../compile/shape.ts';
import { engineVersion } from '../../duck/engine.ts';
import { sha256 } from '../../duck/sql.ts';
import { RunError } from '../../errors/index.ts';
import type { Config } from '../../schema/config.ts';
import type { ObjectEntry } from '../../store/object-store.ts';
import type { IngestedObject } from '../ingest.ts';
import { type Batch, basisOf, type Input, type Role } from '../lake.ts';
import type { InputListing } from '../listing.ts';
import type { ClickSession } from './session.ts';

/** Objects of one input in one format, with what they are in the run. */
export interface PlacedSet extends ObjectSet {
    readonly of: Input;
    readonly role: Role;
    /** Key to its number in the run. */
    readonly numbers: ReadonlyMap<string, number>;
}

/** How the server reads the bucket of a project. */
export function sourceOf({ store, engine, limits }: Config): ObjectSource {
    const there = engine.clickhouse;
    if ('folder' in store || there === undefined) throw new Error('this is refused before');
    const { bucket, endpoint, region = 'us-east-1' } = store;
    const address = there.endpoint ?? endpoint;
    const base = address?.replace(/\/+$/, '');
    return {
        cluster: there.cluster,
        collection: there.collection,
        bucketUrl: base ? `${base}/${bucket}` : `https://${bucket}.s3.${region}.amazonaws.com`,
        pathPrefix: `${bucket}/`,
        lineBytes: limits.line_bytes,
    };
}

/** By its name: what an object is cannot be looked up before it is read. */
function formatOf(input: Input, key: string): 'ndjson' | 'parquet' | 'csv' {
    if (input.format !== 'auto') return input.format;
    const name = key.toLowerCase().replace(/\.(gz|zst)$/, '');
    if (name.endsWith('.csv')) return 'csv';
    return name.endsWith('.parquet') ? 'parquet' : 'ndjson';
}

/**
 * Numbers the objects of a run by input and key, as `ingest` does, and sorts them by format.
 * @throws RunError CLICKHOUSE_UNSUPPORTED for objects that the server cannot be asked for
 */
export function placedSets(listings: readonly InputListing[]): readonly PlacedSet[] {
    let before = 0;
    const reasons: string[] = [];
    const sets = listings.flatMap(({ input, role, entries }) => {
        const numbers = new Map(entries.map(({ key }, index) => [key, before + index + 1]));
        before += entries.length;
        for (const { key } of entries) {
            if (formatOf(input, key) === 'csv') reasons.push(`${key} is CSV`);
            if (!readableKey.test(key))
                reasons.push(`the key ${key} cannot stand in a list of keys`);
        }
        return [...Map.groupBy(entries, ({ key }) => formatOf(input, key))].map(([format, of]) => ({
            ...{ input: input.name, of: input, role, numbers },
            format: format as 'ndjson' | 'parquet',
            keys: of.map(({ key }) => key),
        }));
    });
    if (reasons.length)
        throw new RunError('CLICKHOUSE_UNSUPPORTED', { reasons: reasons.slice(0, 5) });
    return sets;
}

/** What is pinned of each object, as the server read it. */
type Pins = ReadonlyMap<string, { readonly sha256: string }>;

/**
 * Pins the objects of a set: the server hashes the bytes that it reads, and they are those listed.
 * @throws RunError OBJECT_CHANGED, OBJECT_MISSING
 */
export async function pinObjects(
    session: ClickSession,
    source: ObjectSource,
    store: string,
    { keys }: ObjectSet,
    entries: ReadonlyMap<string, ObjectEntry>,
): Promise<Pins> {
    const pins = new Map<string, { readonly sha256: string }>();
    for (const row of await session.rows(pinsSql(source, keys))) {
        const key = String(row.path).slice(source.pathPrefix.length);
        const listed = entries.get(key);
        const expected = `${listed?.etag} of ${listed?.size} bytes`;
        const actual = `${row.etag} of ${row.size} bytes`;
        if (expected !== actual) {
            throw new RunError('OBJECT_CHANGED', { store, key, expected, actual });
        }
        pins.set(key, { sha256: String(row.sha256) });
    }
    const missing = keys.find((key) => !pins.has(key));
    if (missing !== undefined) throw new RunError('OBJECT_MISSING', { store, key: missing });
    return pins;
}

/** The file of rows of a set that came back. @param wave `unread` there, or `touched` */
export const returnedFile = ({ input, format }: ObjectSet, wave: 'unread' | 'touched'): string =>
    `${input}.${format}.${wave}.parquet`;

/**
 * Objects of the run, as those of a lake are: of batches of which only some rows are here.
 * @param folder of rows that came back.
 */
export function pinnedObjects(
    config: Config,
    folder: string,
    set: PlacedSet,
    entries: ReadonlyMap<string, ObjectEntry>,
    pins: Pins,
    lineCounts: ReadonlyMap<number, number>,
): readonly IngestedObject[] {
    const basis = basisOf(config, set.of, set.role, eventShape(config), engineVersion);
    const objects = set.keys.map((key) => {
        const { size = 0, etag = '' } = entries.get(key) ?? {};
        const count = lineCounts.get(set.numbers.get(key) ?? 0) ?? 0;
        return {
            ...{ key, size, etag, sha256: pins.get(key)?.sha256 ?? '' },
            line_count: set.format === 'parquet' ? null : count,
            file: returnedFile(set, 'unread'),
        };
    });
    const batch: Batch = {
        ...{ id: sha256(JSON.stringify([basis, objects])).slice(0, 16), folder, basis },
        ...{ input: set.input, role: set.role, format: set.format, objects, files: {} },
    };
    return set.keys.map((key, index) => ({
        object_no: set.numbers.get(key) ?? 0,
        ...{ input: set.of, role: set.role, isNew: true, batch, number: index + 1 },
    }));
}
