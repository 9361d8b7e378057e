import { join } from 'node:path';
import { engineVersion } from '../../src/duck/engine.ts';
import { floorQueries } from '../support/bench-data.ts';
import { costOf, type Part } from '../support/cost.ts';
import { openEngine, parquetOf } from './data.ts';
import type { Measured, Setting } from './subject.ts';

/** The least that a night must do, and a typed read of all columns, in the bare engine. */
export async function measure(setting: Setting): Promise<Measured> {
    const duck = await openEngine(setting);
    const parts: Part[] = [];
    const queries = floorQueries(join(setting.folder, 'data'));
    for (const [name, sql] of Object.entries(queries)) {
        parts.push({ name, cost: await costOf(() => duck.rows(sql)) });
    }
    const read = await costOf(async () => {
        for (const side of ['usage', 'debits']) {
            await duck.rows(`select min(columns(*)) from ${parquetOf(setting.folder, side)}`);
        }
    });
    duck.close();
    return {
        parts: [...parts, { name: 'typed read', cost: read }],
        answer: null,
        says: `DuckDB ${engineVersion}, ${setting.threads} threads, ${setting.memory}`,
    };
}
