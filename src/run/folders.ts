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
    /** What objects hold, row by row, as Parquet: of event scale, and kept with the run. */
    readonly lake: string;
    /** Objects on their way into the lake; gone when the run ends. */
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

/** An output folder as it is found: its certificate, and what is not as that says. */
export interface FoundOutput {
    readonly certificate: Certificate | null;
    /** For people: `breaks.csv is missing`. */
    readonly changes: readonly string[];
}

/** Compares an output folder with its certificate, file by file. */
export function inspectOutput(run: RunFolder): FoundOutput {
    const file = join(run.output, certificateFile);
    if (!existsSync(file)) return { certificate: null, changes: [`${certificateFile} is missing`] };
    const certificate = parseCertificate(readFileSync(file, 'utf8'));
    if (!certificate) return { certificate, changes: [`${certificateFile} was changed`] };
    const changes = Object.entries(certificate.outputs).flatMap(([name, hash]) => {
        const path = join(run.output, name);
        if (!existsSync(path)) return [`${name} is missing`];
        return sha256(readFileSync(path)) === hash ? [] : [`${name} was changed`];
    });
    return { certificate, changes };
}

function parseCertificate(text: string): Certificate | null {
    try {
        const certificate = JSON.parse(text) as Certificate | null;
        return certificate?.outputs && certificate.run_digest ? certificate : null;
    } catch {
        return null;
    }
}

/**
 * The certificate of a finished run, or null. Finished means that every file it names is there with
 * the very bytes it names: a run that someone edited is not one.
 */
export function readCertificate(run: RunFolder): Certificate | null {
    const { certificate, changes } = inspectOutput(run);
    return changes.length === 0 ? certificate : null;
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
