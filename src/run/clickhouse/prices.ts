import { meteredUsage } from '../../../pipelines/30-meter/tables.ts';
import { rate } from '../../../pipelines/40-rate/stage.ts';
import type { Engine } from '../../duck/engine.ts';
import { createTableSql, quoteName } from '../../duck/sql.ts';
import { fillTables } from '../../stage/run.ts';
import { loadMacros } from '../prepare.ts';

/**
 * Chooses rates for what was metered, by the SQL of 40-rate, in a database of its own: what usage is
 * worth has to be known where it is compared with debits, before the stage runs.
 * @param metered selects of metered usage.
 * @param read is given the rates: `rated.rate_choices` is what it sees.
 */
export async function withRates(
    engine: Engine,
    metered: readonly string[],
    read: () => Promise<void>,
): Promise<void> {
    const main = String((await engine.one('select current_database() as name')).name);
    await engine.run("attach ':memory:' as rating");
    try {
        await engine.run('use rating');
        await loadMacros(engine);
        for (const { name } of rate.reads.filter((table) => table !== meteredUsage)) {
            const [schema = ''] = name.split('.');
            await engine.run(`create schema if not exists ${quoteName(schema)}`);
            await engine.run(`create table ${name} as select * from ${quoteName(main)}.${name}`);
        }
        await engine.runAll(createTableSql(meteredUsage));
        for (const select of metered) {
            await engine.run(`insert into ${meteredUsage.name} by name ${select}`);
        }
        await fillTables(rate, engine, () => true);
        await read();
    } finally {
        await engine.run(`use ${quoteName(main)}`);
        await engine.run('detach database if exists rating');
    }
}
