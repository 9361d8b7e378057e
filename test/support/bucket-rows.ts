import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Engine } from '../../src/duck/engine.ts';
import { quoteList } from '../../src/duck/sql.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { keysOf } from './machines.ts';

/** Everything in the lake of a bucket as text, whether a manifest speaks of it or not. */
export async function bucketRows(store: ObjectStore, prefix = ''): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-rows-'));
    const keys = (await keysOf(store, `${prefix}lake/`)).filter((key) => key.endsWith('.parquet'));
    const files = await Promise.all(
        keys.map(async (key) => {
            const file = join(folder, key);
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, Buffer.concat(await (await store.get(key)).stream.toArray()));
            return file;
        }),
    );
    const options = { memory: '512MB', threads: 1, spill: join(folder, 'spill') };
    const engine = await Engine.open({ file: ':memory:', ...options });
    const rows = await engine.rows(`select cast(stored as varchar) as text
        from read_parquet(${quoteList(files)}, union_by_name = true) as stored`);
    engine.close();
    rmSync(folder, { recursive: true });
    return rows.map(({ text }) => String(text)).join('\n');
}
