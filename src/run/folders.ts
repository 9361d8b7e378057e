import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { Certificate } from '../schema/certificate.ts';

/** Where the parts of one run are. */
export interface RunFolder {
    readonly runId: string;
    readonly folder: string;
    /** The engine's file: aggregates, contracts and control totals of the run. */
    readonly database: string;
    /** Event-scale Parquet. */
    readonly lake: string;
    /** Verified plain copies of the objects, and the lines read from them; gone when the run ends. */
    readonly scratch: string;
    /** What people and other systems read. Exists only when it is whole. */
    readonly output: string;
}

/** The layout of a run below the state folder. */
export function runFolder(state: string, runId: string): RunFolder {
    const folder = join(state, 'runs', runId);
    return {
        runId,
        folder,
        database: join(folder, 'tables.duckdb'),
        lake: join(folder, 'lake'),
        scratch: join(folder, 'scratch'),
        output: join(folder, 'output'),
    };
}

export const certificateFile = 'certificate.json';

/**
 * The certificate of a finished run, or null. Finished means that every file it names is there with
 * the very bytes it names: a run that someone edited is not one.
 */
export function readCertificate(run: RunFolder): Certificate | null {
    const file = join(run.output, certificateFile);
    if (!existsSync(file)) return null;
    const certificate = JSON.parse(readFileSync(file, 'utf8')) as Certificate;
    const isWhole = Object.entries(certificate.outputs).every(([name, hash]) => {
        const path = join(run.output, name);
        return existsSync(path) && sha256(readFileSync(path)) === hash;
    });
    return isWhole ? certificate : null;
}

/** Writes a small file whole or not at all. */
export function writeWhole(path: string, text: string): void {
    const partial = `${path}.partial`;
    writeFileSync(partial, text, { flush: true });
    renameSync(partial, path);
}

/** Remembers which run speaks for a period from now on. */
export function setLatest(state: string, period: string, runId: string): void {
    const folder = join(state, 'latest');
    mkdirSync(folder, { recursive: true });
    writeWhole(join(folder, period), `${runId}\n`);
}

/** The run that speaks for a period. @throws RunError RUN_NOT_FOUND */
export function latestRun(state: string, period: string): RunFolder {
    const file = join(state, 'latest', period);
    if (!existsSync(file)) {
        throw new RunError('RUN_NOT_FOUND', { detail: `no finished run of ${period} in ${state}` });
    }
    return runFolder(state, readFileSync(file, 'utf8').trim());
}

/** All runs that speak for a period, by period. */
export function latestRuns(state: string): readonly RunFolder[] {
    const folder = join(state, 'latest');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
        .filter((name) => !name.endsWith('.partial'))
        .sort()
        .map((period) => latestRun(state, period));
}
