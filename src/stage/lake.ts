import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../duck/engine.ts';
import { quoteName, quoteTable, quoteText } from '../duck/sql.ts';
import type { Table } from '../duck/table.ts';

/**
 * Event-scale relations as Parquet, by day, renamed into place whole. The view over the files is
 * part of the transaction of the stage.
 * @param sql a select that gives the columns of the contract.
 * @param lake folder of the run's Parquet, absolute.
 */
export async function fillLake(
    engine: Engine,
    table: Table,
    sql: string,
    lake: string,
): Promise<void> {
    const folder = join(lake, table.name);
    const partial = `${folder}.partial`;
    mkdirSync(partial, { recursive: true });
    const absent = await absentColumns(engine, table, sql);
    const stored = Object.keys(table.columns).filter((name) => !absent.has(name));
    const partition = table.partition
        ? `, partition_by (${quoteName(table.partition)}), write_partition_columns`
        : '';
    const target = table.partition ? partial : join(partial, 'data.parquet');
    await engine.run('set preserve_insertion_order = false');
    // Ids are all different: looking longer for a dictionary of them costs a tenth of the write.
    await engine.run(
        `copy (select ${stored.map(quoteName).join(', ')} from (${sql})) to ${quoteText(target)}
            (format parquet, compression lz4_raw, dictionary_size_limit 5000${partition})`,
    );
    await engine.run('set preserve_insertion_order = true');
    renameSync(partial, folder);
    await engine.run(
        `create view ${quoteTable(table.name)} as ${viewSql(table, absent, filesOf(folder))}`,
    );
}

/**
 * Columns that may be null and have no value at all, as most of a wide contract in a narrow log:
 * storing their nulls would cost as much as storing values. The first value found ends the search.
 */
async function absentColumns(
    engine: Engine,
    table: Table,
    sql: string,
): Promise<ReadonlySet<string>> {
    const absent = new Set<string>();
    for (const [name, of] of Object.entries(table.columns)) {
        if (!of.nullable) continue;
        const found = await engine.rows(
            `select 1 as found from (${sql}) where ${quoteName(name)} is not null limit 1`,
        );
        if (found.length === 0) absent.add(name);
    }
    return absent;
}

/** The files of a lake, or null when there is none: nothing was written. */
function filesOf(folder: string): string | null {
    return readdirSync(folder).length > 0 ? `${folder}/**/*.parquet` : null;
}

function viewSql(table: Table, absent: ReadonlySet<string>, files: string | null): string {
    const columns = Object.entries(table.columns).map(([name, { type }]) => {
        const value = files === null || absent.has(name) ? 'null' : quoteName(name);
        return `cast(${value} as ${type}) as ${quoteName(name)}`;
    });
    return files === null
        ? `select ${columns.join(', ')} where false`
        : `select ${columns.join(', ')} from read_parquet(${quoteText(files)}, hive_partitioning = false)`;
}

/**
 * Nulls in columns that may have none, as the files themselves counted them while they were
 * written (`null_count` of each column chunk): no row is read again.
 */
export async function lakeNullCount(engine: Engine, table: Table, lake: string): Promise<bigint> {
    const files = filesOf(join(lake, table.name));
    if (files === null) return 0n;
    const required = Object.entries(table.columns).filter(([, of]) => !of.nullable);
    const { null_count } = await engine.one(
        `select cast(coalesce(sum(coalesce(stats_null_count, num_values)), 0) as bigint) as null_count
         from parquet_metadata(${quoteText(files)})
         where path_in_schema in (${required.map(([name]) => quoteText(name)).join(', ')})`,
    );
    return null_count as bigint;
}
