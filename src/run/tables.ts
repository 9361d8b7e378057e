import { existsSync } from 'node:fs';
import { Engine } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import type { RunFolder } from './folders.ts';

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
    return open(run, options, true);
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
