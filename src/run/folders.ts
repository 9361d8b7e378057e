import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256 } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { Certificate } from '../schema/certificate.ts';

/** Where the parts of one run are. */
export interface RunFolder {
    readonly runId: string;
    readonly folder: string;
    /** The engine's file: aggregates, contracts and control totals of the run. */
    readonly database: string;
    /** The same of the sales of channels, where there are any. */
    readonly sales: string;
    /** What objects hold, row by row, as Parquet: of event scale, shared by all runs. */
    readonly lake: string;
    /** Copies of every file of rules that the run was made from, by their sha256. */
    readonly rules: string;
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
        sales: join(folder, 'sales.duckdb'),
        lake: join(state, 'lake'),
        rules: join(folder, 'inputs', 'rules'),
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

/** A certificate as it was written; null when it is none. */
export function parseCertificate(text: string): Certificate | null {
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

/**
 * The certificate of a run whose every output is as its run left it.
 * @throws RunError OUTPUT_CHANGED
 */
export function wholeCertificate(run: RunFolder): Certificate {
    const { certificate, changes } = inspectOutput(run);
    if (certificate && changes.length === 0) return certificate;
    const command = commandOf(run.runId.slice(0, 'yyyy-MM'.length), certificate);
    throw new RunError('OUTPUT_CHANGED', { folder: run.output, files: changes, command });
}

/**
 * Makes a folder and those above it. Node's own way of doing so never ends where the system says of
 * a folder that it does not exist and can't be made, as it does below /proc.
 * @throws the error of the system at the first folder that cannot be made
 */
export function makeFolders(folder: string): void {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    if (dirname(folder) !== folder) makeFolders(dirname(folder));
    try {
        mkdirSync(folder);
    } catch (error) {
        // Somebody else may have made it in between.
        if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
    }
}

/** What makes a run again. A certificate that cannot be read does not say as of when. */
export function commandOf(period: string, certificate: Certificate | null): string {
    if (!certificate) return `tieout run --period ${period}`;
    const command = certificate.pipeline === 'reconcile' ? 'reconcile' : 'run';
    return `tieout ${command} --period ${period} --as-of ${certificate.as_of}`;
}

/** Writes a small file whole or not at all. */
export function writeWhole(path: string, text: string): void {
    const partial = `${path}.partial`;
    writeFileSync(partial, text, { flush: true });
    renameSync(partial, path);
}
