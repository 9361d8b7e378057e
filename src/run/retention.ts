import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../duck/sql.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Commit } from '../schema/commit.ts';
import { type CommitLog, closedBy, periodsOf, spokenFor } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { monthAfter } from '../time/period.ts';
import { certificateFile, runFolder } from './folders.ts';
import type { Batch, BatchObject } from './lake.ts';
import { publishedCertificate } from './published.ts';

/*
 * What may go. In doubt everything stays: a row that a period may still need is worth more than the
 * disk it lies on.
 */

const dayMs = 86_400_000;
const daysBetween = (from: string, to: string): number =>
    Math.floor((Date.parse(to) - Date.parse(from)) / dayMs);

/** Whether an object of an input is only of use to periods that were closed long ago. */
export type MayGo = (input: string, object: Pick<BatchObject, 'key' | 'sha256'>) => boolean;

/** What one period is to objects: those that its run counted, and when it was closed. */
export interface PeriodUse {
    readonly period: string;
    /** Null while it is open. */
    readonly closed_at: string | null;
    readonly inputs: Pick<Certificate, 'inputs'>['inputs'];
}

const pinOf = (input: string, { key, sha256: hash }: Pick<BatchObject, 'key' | 'sha256'>) =>
    JSON.stringify([input, key, hash]);

/**
 * An object may go when every period that counted it, and the one after the last of them, which may
 * have to, were closed more than some days ago. One that no period counted stays.
 */
export function mayGo(uses: readonly PeriodUse[], now: string, days: number): MayGo {
    const closed = new Map(uses.map(({ period, closed_at }) => [period, closed_at]));
    const isLongClosed = (period: string) => {
        const at = closed.get(period) ?? null;
        return at !== null && daysBetween(at, now) >= days;
    };
    const counted = new Map<string, string[]>();
    for (const { period, inputs } of uses) {
        for (const { input, ...object } of inputs) {
            const pin = pinOf(input, object);
            counted.set(pin, [...(counted.get(pin) ?? []), period]);
        }
    }
    return (input, object) => {
        const periods = (counted.get(pinOf(input, object)) ?? []).sort();
        const last = periods.at(-1);
        return last !== undefined && [...periods, monthAfter(last, 1)].every(isLongClosed);
    };
}

/**
 * What the periods of the log use. Null when it is not known of one of them: its certificate is not
 * there, or not the one that the log names.
 */
export async function usesOf(state: State, log: CommitLog): Promise<readonly PeriodUse[] | null> {
    const uses: PeriodUse[] = [];
    for (const period of periodsOf(log)) {
        const commit = spokenFor(log, period);
        const certificate = commit && (await namedCertificate(state, commit));
        if (!certificate) return null;
        const closed_at = closedBy(log, period)?.at ?? null;
        uses.push({ period, closed_at, inputs: certificate.inputs });
    }
    return uses;
}

/** In the folder, or where another machine published it. */
async function namedCertificate(state: State, commit: Commit): Promise<Certificate | null> {
    const file = join(runFolder(state.folder, commit.run_id).output, certificateFile);
    const text = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
    if (sha256(text) === commit.certificate_sha256) return JSON.parse(text.toString('utf8'));
    return state.isBucket ? publishedCertificate(state, commit) : null;
}

/** Which objects may go as of now; none while no period has been closed for long enough. */
export async function expiredObjects(
    state: State,
    log: CommitLog,
    now: string,
    days: number,
): Promise<MayGo> {
    const isAny = periodsOf(log).some((period) => {
        const closed = closedBy(log, period);
        return closed !== null && daysBetween(closed.at, now) >= days;
    });
    const uses = isAny ? await usesOf(state, log) : null;
    return uses ? mayGo(uses, now, days) : () => false;
}

/** Days for which a batch that another one replaced is kept for those who still read it. */
const replacedDays = 2;

/**
 * Batches that may be deleted: replaced ones that nobody can still be reading, and those of which all
 * objects may go. One that says which others it replaces stays as long as any of them is there.
 */
export function expiredBatches(
    stored: readonly Batch[],
    now: string,
    may: MayGo,
): readonly Batch[] {
    const replacedAt = new Map(
        stored.flatMap(({ replaces = [], replaced_at = '' }) =>
            replaces.map((id) => [id, replaced_at] as const),
        ),
    );
    const here = new Set(stored.map(({ id }) => id));
    return stored.filter(({ id, input, objects, replaces = [] }) => {
        if (replaces.some((other) => here.has(other))) return false;
        const at = replacedAt.get(id);
        if (at !== undefined) return daysBetween(at, now) >= replacedDays;
        return objects.every((object) => may(input, object));
    });
}

/** A folder of the runs, and since when nothing needs its tables. */
export interface IdleRun {
    readonly run_id: string;
    /** An instant; null while its tables are needed. */
    readonly since: string | null;
}

/**
 * Since when the tables of runs are of no use: of one that spoke for a period, since another does; of
 * one that no entry names, since it was last written.
 * @param written run id to the instant at which its tables were written last.
 */
export function idleRuns(
    { commits }: Pick<CommitLog, 'commits'>,
    written: Readonly<Record<string, string>>,
): readonly IdleRun[] {
    const log = { commits, head: '' };
    const speaking = new Set(
        periodsOf(log).flatMap((period) =>
            ([undefined, 'nightly', 'reconcile'] as const).map(
                (pipeline) => spokenFor(log, period, pipeline)?.run_id,
            ),
        ),
    );
    return Object.entries(written).map(([run_id, at]) => {
        if (speaking.has(run_id)) return { run_id, since: null };
        const own = commits.findLast((of) => of.run_id === run_id);
        if (!own) return { run_id, since: at };
        // Whatever else an entry may say of it, it is a reason to keep it.
        if (!['run', 'close', 'reopen'].includes(own.kind)) return { run_id, since: null };
        const next = commits.find(
            ({ kind, period, number }) =>
                kind === 'run' && period === own.period && number > own.number,
        );
        return { run_id, since: next?.at ?? null };
    });
}

/** Files of tables of a run, and when the last of them was written. */
export interface StoredTables {
    readonly run_id: string;
    readonly files: readonly string[];
    readonly written_at: string;
}

/** Those that nothing needed for some days. */
export function expiredTables(
    stored: readonly StoredTables[],
    log: CommitLog,
    now: string,
    days: number,
): readonly StoredTables[] {
    const written = Object.fromEntries(stored.map((of) => [of.run_id, of.written_at]));
    const idle = idleRuns(log, written).filter(
        ({ since }) => since !== null && daysBetween(since, now) >= days,
    );
    const runs = new Set(idle.map(({ run_id }) => run_id));
    return stored.filter(({ run_id }) => runs.has(run_id));
}

/** Tables in the folder of a state. */
export function tablesHere(folder: string): readonly StoredTables[] {
    const runs = join(folder, 'runs');
    return (existsSync(runs) ? readdirSync(runs).sort() : []).flatMap((run_id) => {
        const files = globSync(join(runFolder(folder, run_id).folder, '*.duckdb*'));
        const times = files.map((file) => statSync(file).mtime.toISOString());
        const written_at = times.sort().at(-1);
        return written_at === undefined ? [] : [{ run_id, files, written_at }];
    });
}

/**
 * Tables in the bucket of a state, by their keys. Where it does not say when they arrived it was
 * just now.
 */
export async function tablesInBucket(
    { store }: State,
    now: string,
): Promise<readonly StoredTables[]> {
    const found: { run_id: string; file: string; at: string }[] = [];
    for await (const { key, arrived_at = now } of store.list('runs/')) {
        const [, run_id] = /^runs\/([^/]+)\/[^/]+\.duckdb$/.exec(key) ?? [];
        if (run_id !== undefined) found.push({ run_id, file: key, at: arrived_at });
    }
    return [...Map.groupBy(found, ({ run_id }) => run_id)].map(([run_id, of]) => ({
        run_id,
        files: of.map(({ file }) => file),
        written_at:
            of
                .map(({ at }) => at)
                .sort()
                .at(-1) ?? now,
    }));
}
