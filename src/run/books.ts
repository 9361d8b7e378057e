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
    isSameRun,
    periodsOf,
    readLog,
    spokenFor,
} from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { folderStore } from '../store/local.ts';
import { certificateFile, commandOf, inspectOutput, type RunFolder } from './folders.ts';
import { fetchOutput, fetchTables } from './published.ts';

/**
 * The log of a state. One in a bucket must not be empty where its working copy has been a state by
 * itself: whatever was closed in that would be open again.
 * @throws RunError STATE_SPLIT, LOG_DAMAGED, STORE_*
 */
export async function readStateLog(state: State): Promise<CommitLog> {
    const log = await readLog(state.store);
    if (state.isBucket && log.commits.length === 0) {
        const own = await readLog(folderStore(state.folder));
        if (own.commits.length > 0) {
            throw new RunError('STATE_SPLIT', { folder: state.folder, store: state.address });
        }
    }
    return log;
}

/** The entry of the run that speaks for a period. @throws RunError RUN_NOT_FOUND */
export function requireSpoken(state: State, log: CommitLog, period: string): Commit {
    const commit = spokenFor(log, period);
    if (commit) return commit;
    throw new RunError('RUN_NOT_FOUND', {
        detail: `no finished run of ${period} in ${state.address}`,
    });
}

/**
 * The run that speaks for a period, to be looked into.
 * @throws RunError RUN_NOT_FOUND, LOG_DAMAGED, STATE_DAMAGED, STORE_*
 */
export async function latestRun(state: State, period: string): Promise<RunFolder> {
    const commit = requireSpoken(state, await readStateLog(state), period);
    const run = await fetchOutput(state, commit);
    await fetchTables(state, run);
    return run;
}

/** The output of the latest nightly run of a period: one that only reconciles bills nothing. */
export async function latestNightly(
    state: State,
    log: CommitLog,
    period: string,
): Promise<RunFolder | null> {
    const commit = spokenFor(log, period, 'nightly');
    return commit && fetchOutput(state, commit);
}

/** All periods that a run speaks for. */
export async function spokenPeriods(state: State): Promise<readonly string[]> {
    return periodsOf(await readStateLog(state));
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
    state: State,
    seen: CommitLog,
    run: RunFolder,
    certificate: Certificate,
    at: string,
    { by, reason }: Pick<Commit, 'by' | 'reason'> = { by: '', reason: '' },
): Promise<void> {
    const { period } = certificate;
    const about = entryOf(run, certificate);
    const speaks = spokenFor(seen, period);
    if (speaks && isSameRun(speaks, about)) return;
    const entry = { ...about, kind: 'run', by, reason, at } as const;
    await appendCommit(state.store, seen, entry, (others) => {
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
        command: commandOf(commit.period, isSame ? certificate : null),
    });
}
