import { createReadStream } from 'node:fs';
import type { Engine } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import type { Config } from '../schema/config.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { spoolObjects } from '../store/spool.ts';

/**
 * Fetches objects of a run again and gives the wanted lines, by `key:line`. The bytes must be those
 * that the run read. Parquet has no lines and gives none.
 * @throws RunError OBJECT_CHANGED, OBJECT_MISSING, STORE_*
 */
export async function rawLines(
    engine: Engine,
    store: ObjectStore,
    wanted: readonly { readonly key: string; readonly line: bigint }[],
    folder: string,
    config: Config,
): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const [key, places] of Map.groupBy(wanted, (place) => place.key)) {
        const pinned = await engine.one(
            'select size, etag, sha256, format from raw.objects where key = $key order by object_no limit 1',
            { key },
        );
        if (pinned.format === 'parquet') continue;
        const [object] = await spoolObjects({
            store,
            entries: [
                { key, size: Number.parseInt(String(pinned.size), 10), etag: String(pinned.etag) },
            ],
            dir: folder,
            format: pinned.format as 'ndjson' | 'csv',
            csv: { requiredColumns: [], delimiter: ',' },
            concurrency: 1,
            lineBytesLimit: config.limits.line_bytes,
        });
        if (!object || object.sha256 !== pinned.sha256) {
            throw new RunError('OBJECT_CHANGED', {
                store: store.address,
                key,
                expected: String(pinned.sha256),
                actual: String(object?.sha256),
            });
        }
        const lines = new Set(places.map(({ line }) => line));
        let number = 0n;
        for await (const text of linesOf(object.path)) {
            number += 1n;
            if (lines.has(number)) found.set(`${key}:${number}`, text);
        }
    }
    return found;
}

/** Lines that end in LF and in nothing else: JSON text may hold U+2028, which readline breaks at. */
async function* linesOf(path: string): AsyncGenerator<string> {
    let rest = '';
    for await (const chunk of createReadStream(path, 'utf8')) {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        yield* parts;
    }
    if (rest !== '') yield rest;
}
