import { constants, copyFileSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { eventShape } from '../compile/shape.ts';
import type { Engine } from '../duck/engine.ts';
import { quoteName, quoteText } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { Config } from '../schema/config.ts';
import type { RunFolder } from './folders.ts';
import { type Batch, basesOf, liveBatches, storedBatches } from './lake.ts';
import { batchRows, isReadable } from './lake-merge.ts';

/*
 * Rows of a finished run that are no longer where the run read them: their batches were merged, or
 * the state folder lies elsewhere. The tables of the run stay untouched: in a copy of them, what reads
 * rows is made to read them where they lie in the lake today. (The engine cannot print its views so that
 * it understands them again: only a copy has them all as they were.)
 */

/** What of the rows of a run is not as the run read it: keys of objects. */
export interface RowsFound {
    /** Kept no more. */
    readonly lost: readonly string[];
    /** Something was erased from them since. */
    readonly erased: readonly string[];
}

export const allRows: RowsFound = { lost: [], erased: [] };

/** Whether any file that the views of a run read has gone. */
export async function areMoved(engine: Engine): Promise<boolean> {
    const rows = await engine.rows('select path from raw.objects group by path order by path');
    return rows.some(({ path }) => !existsSync(String(path)));
}

/** In the message of the engine where a statement reads rows that are not there. */
const goneMark = 'rows of the run are kept no more:';

/** Says what it means when the engine met rows that are not there. */
export function rowsGone(run: RunFolder, error: unknown): RunError | null {
    if (!(error instanceof RunError) || error.code !== 'ENGINE_FAILED') return null;
    const { detail } = (error as RunError<'ENGINE_FAILED'>).params;
    const [, keys] = detail.split(goneMark);
    if (keys === undefined) return null;
    return new RunError('LAKE_ROWS_GONE', {
        run: run.runId,
        keys: keys.split('\n')[0]?.trim() ?? '',
    });
}

/**
 * Copies the tables of a run into a folder.
 * @returns the file of the copy.
 */
export function copyTables({ database }: RunFolder, folder: string): string {
    const copy = join(folder, basename(database));
    for (const ending of ['', '.wal']) {
        if (!existsSync(`${database}${ending}`)) continue;
        copyFileSync(`${database}${ending}`, `${copy}${ending}`, constants.COPYFILE_FICLONE);
    }
    return copy;
}

/**
 * Makes a copy of the tables of a run read its rows from today's lake.
 * @param ifLost `refuse`: a statement that needs rows that are kept no more fails; `tell`: it goes
 * on without them.
 */
export async function showRows(
    engine: Engine,
    run: RunFolder,
    config: Config,
    ifLost: 'tell' | 'refuse',
): Promise<RowsFound> {
    const found = await findRows(engine, run, config);
    for (const role of ['usage', 'debits'] as const) await showRole(engine, role, found, ifLost);
    return found;
}

interface FoundRows extends RowsFound {
    readonly parts: Readonly<Record<Batch['role'], readonly string[]>>;
}

/** The selects over today's batches that give the rows of the objects of a run. */
async function findRows(engine: Engine, run: RunFolder, config: Config): Promise<FoundRows> {
    const bases = basesOf(config, engine.version);
    const inputOf = (batch: Batch) => bases.get(batch.input)?.get(batch.basis) ?? null;
    const of = { engine, shape: eventShape(config), inputOf };
    const objects = await engine.rows('select * from raw.objects order by object_no');
    const parts: Record<Batch['role'], string[]> = { usage: [], debits: [] };
    const lost: string[] = [];
    const erased: string[] = [];
    for (const [input, ofInput] of Map.groupBy(objects, (object) => String(object.input))) {
        const batches = liveBatches(storedBatches(run.lake, input));
        const places = placesIn(batches.filter((batch) => isReadable(of, batch)));
        const numbers = new Map<Batch, Map<number, number>>();
        for (const { object_no, key, sha256, basis, erased: before } of ofInput) {
            const place = places.get(JSON.stringify([key, sha256, basis]));
            if (!place) {
                lost.push(String(key));
                continue;
            }
            const { batch, number } = place;
            if ((batch.objects[number - 1]?.erased ?? null) !== before) erased.push(String(key));
            const own = numbers.get(batch) ?? new Map<number, number>();
            numbers.set(batch, own.set(number, Number.parseInt(String(object_no), 10)));
        }
        for (const [batch, own] of numbers) {
            parts[batch.role].push(await batchRows(of, { batch, numbers: own }));
        }
    }
    return { parts, lost, erased };
}

function placesIn(batches: readonly Batch[]) {
    return new Map(
        batches.flatMap((batch) =>
            batch.objects.map(({ key, sha256 }, index) => {
                const pin = JSON.stringify([key, sha256, batch.basis]);
                return [pin, { batch, number: index + 1 }] as const;
            }),
        ),
    );
}

/** Columns that say where a row is and what it is called; the rest is its content. */
const places = {
    usage: ['input', 'object_no', 'line_no', 'raw_text', 'suspense', 'source', 'event_id'],
    debits: ['input', 'object_no', 'line_no', 'entry_no', 'raw_text', 'suspense', 'entry_id'],
} as const;

async function showRole(
    engine: Engine,
    role: Batch['role'],
    { parts, lost }: FoundRows,
    ifLost: 'tell' | 'refuse',
): Promise<void> {
    const name = role === 'usage' ? 'usage_rows' : 'debit_rows';
    const columns = await engine.rows(
        `select column_name, data_type from duckdb_columns()
        where database_name = current_database() and schema_name = 'raw' and table_name = $name
            and column_name <> 'content'
        order by column_index`,
        { name },
    );
    const nulls = columns.map(
        ({ column_name, data_type }) =>
            `cast(null as ${data_type}) as ${quoteName(String(column_name))}`,
    );
    const some = `${lost.slice(0, 3).join(', ')}${lost.length > 3 ? ` and ${lost.length - 3} more` : ''}`;
    const isWrong = lost.length > 0 && ifLost === 'refuse';
    const where = isWrong ? `error(${quoteText(`${goneMark} ${some}`)}) is not null` : 'false';
    const none = `select ${nulls.join(', ')} where ${where}`;
    const content = columns
        .map(({ column_name }) => String(column_name))
        .filter((column) => !(places[role] as readonly string[]).includes(column))
        .map((column) => `${quoteName(column)} := ${quoteName(column)}`);
    await engine.run(`create or replace view raw.${name} as
        select *, struct_pack(${content.join(', ')}) as content
        from (${[none, ...parts[role]].join('\nunion all by name\n')})`);
}
