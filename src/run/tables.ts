import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../duck/engine.ts';
import type { Table } from '../duck/table.ts';
import { RunError } from '../errors/index.ts';
import type { Config } from '../schema/config.ts';
import { requireRowsHere } from './clickhouse/open.ts';
import { commandOf, inspectOutput, type RunFolder } from './folders.ts';
import { allRows, areMoved, copyTables, type RowsFound, rowsGone, showRows } from './moved-rows.ts';

interface Opening {
    readonly memory: string;
    readonly threads: number;
    /** Where the engine may spill. */
    readonly spill: string;
}

/** Opens the tables of a run for writing, alone. @throws RunError ENGINE_LOCKED, RUN_DAMAGED */
export async function openTables(run: RunFolder, options: Opening): Promise<Engine> {
    return open(run, options, false);
}

/** Opens the tables of a finished run. @throws RunError RUN_NOT_FOUND, ENGINE_LOCKED, RUN_DAMAGED */
export async function readTables(run: RunFolder, options: Opening): Promise<Engine> {
    if (!existsSync(run.database)) {
        throw new RunError('RUN_NOT_FOUND', {
            detail: `${run.database} is gone: run ${run.runId} cannot be looked into`,
        });
    }
    // Readers may be at it side by side, and each removes what it spilled.
    return open(run, { ...options, spill: `${options.spill}-${process.pid}` }, true);
}

interface Looking extends Opening {
    /** What the work reads. */
    readonly contracts?: readonly Table[];
    /** Left out where the work reads no row of an object. */
    readonly rows?: { readonly config: Config; readonly ifLost: 'tell' | 'refuse' };
}

/**
 * Works in the tables of a finished run, with its rows wherever they are now. What another version wrote may lack what this one reads:
 * that is no defect, and a run is soon made again.
 * @throws RunError RUN_OUTDATED, LAKE_ROWS_GONE, and as readTables
 */
export async function inTables<T>(
    run: RunFolder,
    { contracts = [], rows, ...options }: Looking,
    work: (engine: Engine, found: RowsFound) => Promise<T>,
): Promise<T> {
    if (rows?.ifLost === 'refuse') requireRowsHere(run, 'this');
    const engine = await readTables(run, options);
    try {
        await requireColumns(engine, run, contracts);
        if (!rows || !(await areMoved(engine))) return await work(engine, allRows);
    } catch (error) {
        throw outdated(run, error) ?? error;
    } finally {
        engine.close();
    }
    return inCopy(run, { ...options, rows }, work);
}

/** The same in a copy, which may be made to read rows elsewhere. */
async function inCopy<T>(
    run: RunFolder,
    { rows, ...options }: Opening & Required<Pick<Looking, 'rows'>>,
    work: (engine: Engine, found: RowsFound) => Promise<T>,
): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-rows-'));
    try {
        const engine = await Engine.open({ ...options, file: copyTables(run, folder) });
        try {
            return await work(engine, await showRows(engine, run, rows.config, rows.ifLost));
        } catch (error) {
            throw rowsGone(run, error) ?? outdated(run, error) ?? error;
        } finally {
            engine.close();
        }
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** A select of everything does not miss a column that is not there. */
async function requireColumns(
    engine: Engine,
    run: RunFolder,
    contracts: readonly Table[],
): Promise<void> {
    for (const { name, columns } of contracts) {
        const [table_schema = '', table_name = ''] = name.split('.');
        const found = await engine.rows(
            `select column_name from information_schema.columns
            where table_schema = $table_schema and table_name = $table_name`,
            { table_schema, table_name },
        );
        const there = new Set(found.map(({ column_name }) => column_name));
        const missing = Object.keys(columns).filter((column) => !there.has(column));
        // A run that only reconciled has no lines at all.
        if (there.size > 0 && missing.length > 0) {
            throw outdatedBy(run, `${name} has no ${missing.join(', ')}`);
        }
    }
}

/** The engine does not find a name in a run that is whole. */
function outdated(run: RunFolder, error: unknown): RunError | null {
    if (!(error instanceof RunError) || error.code !== 'ENGINE_FAILED') return null;
    const { detail } = (error as RunError<'ENGINE_FAILED'>).params;
    return /^(Binder|Catalog) Error/.test(detail) ? outdatedBy(run, detail, error) : null;
}

function outdatedBy(run: RunFolder, detail: string, cause?: unknown): RunError {
    const { certificate } = inspectOutput(run);
    const period = certificate?.period ?? run.runId.slice(0, 'yyyy-MM'.length);
    return new RunError(
        'RUN_OUTDATED',
        {
            run: run.runId,
            version: certificate?.tieout_version ?? 'which one is not known',
            detail,
            command: commandOf(period, certificate),
        },
        cause,
    );
}

/** What is in a run's folder is made anew when it can't be read: nobody has to repair a database. */
async function open(run: RunFolder, options: Opening, readOnly: boolean): Promise<Engine> {
    const existed = existsSync(run.database);
    try {
        return await Engine.open({ file: run.database, ...options, readOnly });
    } catch (error) {
        if (!existed || !(error instanceof RunError) || error.code !== 'ENGINE_FAILED') throw error;
        const { detail } = (error as RunError<'ENGINE_FAILED'>).params;
        throw new RunError(
            'RUN_DAMAGED',
            { folder: run.folder, file: run.database, detail },
            error,
        );
    }
}
