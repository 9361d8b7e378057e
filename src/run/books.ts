import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Commit } from '../schema/commit.ts';
import {
    appendCommit,
    type CommitLog,
    closedBy,
    periodsOf,
    readLog,
    spokenFor,
} from '../state/commit-log.ts';
import { folderStore } from '../store/local.ts';
import { certificateFile, inspectOutput, type RunFolder, runFolder } from './folders.ts';

/** The log of the state folder of a project. */
export function readStateLog(state: string): Promise<CommitLog> {
    return readLog(folderStore(state));
}

/** The run that speaks for a period. @throws RunError RUN_NOT_FOUND, LOG_DAMAGED */
export async function latestRun(state: string, period: string): Promise<RunFolder> {
    const commit = spokenFor(await readStateLog(state), period);
    if (!commit) {
        throw new RunError('RUN_NOT_FOUND', { detail: `no finished run of ${period} in ${state}` });
    }
    return runFolder(state, commit.run_id);
}

/** The latest nightly run of a period: one that only reconciles bills nothing. Null without one. */
export function latestNightly(state: string, log: CommitLog, period: string): RunFolder | null {
    const commit = spokenFor(log, period, 'nightly');
    return commit && runFolder(state, commit.run_id);
}

/** All runs that speak for a period, by period. */
export async function latestRuns(state: string): Promise<readonly RunFolder[]> {
    const log = await readStateLog(state);
    return periodsOf(log).flatMap((period) => {
        const commit = spokenFor(log, period);
        return commit ? [runFolder(state, commit.run_id)] : [];
    });
}

/**
 * A closed period has its run: no other takes its place.
 * @throws RunError PERIOD_CLOSED
 */
export function requireOpen(log: CommitLog, period: string, runId: string): void {
    const close = closedBy(log, period);
    if (!close || close.run_id === runId) return;
    const { by, at, run_id, reason } = close;
    throw new RunError('PERIOD_CLOSED', { period, by, at, run_id, reason });
}

/** What every entry about a finished run says. */
export function entryOf(
    run: RunFolder,
    { pipeline, period, run_digest }: Pick<Certificate, 'pipeline' | 'period' | 'run_digest'>,
): Pick<Commit, 'pipeline' | 'period' | 'run_id' | 'run_digest' | 'certificate_sha256'> {
    const certificate = readFileSync(join(run.output, certificateFile));
    const { runId: run_id } = run;
    return { pipeline, period, run_id, run_digest, certificate_sha256: sha256(certificate) };
}

/**
 * Makes a finished run the one that speaks for its period, unless it already does.
 * @param seen the log as it was when the run began.
 * @throws RunError PERIOD_CLOSED, RUN_OUTRUN when another run of the period came first,
 * CORRECTIONS_CHANGED when it lacks corrections that it has to bill
 */
export async function commitRun(
    state: string,
    seen: CommitLog,
    run: RunFolder,
    certificate: Certificate,
    at: string,
    { by, reason }: Pick<Commit, 'by' | 'reason'> = { by: '', reason: '' },
): Promise<void> {
    const { period, run_digest } = certificate;
    const speaks = (of: Commit | null) => of?.run_id === run.runId && of.run_digest === run_digest;
    if (speaks(spokenFor(seen, period))) return;
    const entry = { ...entryOf(run, certificate), kind: 'run', by, reason, at } as const;
    await appendCommit(folderStore(state), seen, entry, (others) => {
        const changed = others.find(({ backfill }) => backfill?.bills_in === period)?.backfill;
        if (changed) {
            const backfill = changed.id;
            throw new RunError('CORRECTIONS_CHANGED', { period, run_id: run.runId, backfill });
        }
        for (const other of others.filter((of) => of.period === period)) {
            if (other.kind !== 'run') continue;
            throw new RunError('RUN_OUTRUN', { period, run_id: run.runId, other: other.run_id });
        }
        requireOpen({ commits: others, head: '' }, period, run.runId);
    });
}

/**
 * The certificate of a run whose every file is as it was when the run was entered.
 * @throws RunError OUTPUT_CHANGED
 */
export function wholeOutput(run: RunFolder, commit: Commit): Certificate {
    const { certificate, changes } = inspectOutput(run);
    const isSame =
        certificate !== null &&
        entryOf(run, certificate).certificate_sha256 === commit.certificate_sha256;
    if (certificate && isSame && changes.length === 0) return certificate;
    throw new RunError('OUTPUT_CHANGED', {
        folder: run.output,
        files: isSame ? changes : ['certificate.json was changed'],
        command: `tieout run --period ${commit.period}`,
    });
}
