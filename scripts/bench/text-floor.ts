import { join } from 'node:path';
import { engineVersion } from '../../src/duck/engine.ts';
import { quoteText } from '../../src/duck/sql.ts';
import { costOf } from '../support/cost.ts';
import { openEngine, textFolder } from './data.ts';
import type { Measured, Setting } from './subject.ts';

const tokens = 'input_tokens bigint, cached_input_tokens bigint, output_tokens bigint';
const types = {
    usage: {
        ...{ specversion: 'varchar', source: 'varchar', id: 'varchar', type: 'varchar' },
        ...{ subject: 'varchar', time: 'timestamp', data: `struct(model varchar, ${tokens})` },
    },
    debits: {
        ...{ entry_id: 'varchar', entry_type: 'varchar', account_id: 'varchar', asset: 'varchar' },
        ...{ amount: 'decimal(18, 6)', booked_at: 'timestamp', event_id: 'varchar' },
        wallet_id: 'varchar',
    },
};

/** DuckDB's own typed read of the NDJSON.gz files: into memory, and into Parquet as an ingest must. */
export async function measure(setting: Setting): Promise<Measured> {
    const duck = await openEngine(setting);
    const reads = Object.entries(types).map(([side, columns]) => {
        const files = join(textFolder(setting), 'data', side, '*.ndjson.gz');
        const shape = Object.entries(columns).map(([name, type]) => `${name}: '${type}'`);
        return {
            side,
            select: `select * from read_ndjson(${quoteText(files)}, columns = {${shape.join(', ')}})`,
        };
    });
    const read = await costOf(async () => {
        for (const { side, select } of reads) await duck.run(`create table ${side} as ${select}`);
    });
    const written = await costOf(async () => {
        for (const { side, select } of reads) {
            const to = join(setting.folder, `${side}.typed`);
            await duck.run(`copy (${select}) to ${quoteText(to)} (format parquet)`);
        }
    });
    duck.close();
    return {
        parts: [
            { name: 'typed read', cost: read },
            { name: 'typed read into Parquet', cost: written },
        ],
        answer: null,
        says: `DuckDB ${engineVersion}, ${setting.threads} threads, ${setting.memory}`,
    };
}
