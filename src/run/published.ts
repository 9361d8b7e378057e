import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { Engine } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Commit } from '../schema/commit.ts';
import { type CommitLog, readLog, textAt } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { fetchObjects, publishSound } from './bucket-lake.ts';
import {
    certificateFile,
    inspectOutput,
    makeFolders,
    parseCertificate,
    type RunFolder,
    readCertificate,
    runFolder,
} from './folders.ts';
import { type Batch, lakeInputs, storedBatches } from './lake.ts';

/** Paths below the folder of the state, which are keys in its bucket. */
const runKey = (runId: string, ...names: readonly string[]) => ['runs', runId, ...names].join('/');
const outputKey = (runId: string, name: string) => runKey(runId, 'output', name);
const tablesKey = (runId: string) => runKey(runId, 'tables.duckdb');

/**
 * The certificate of a finished run: in the folder, or as the log names it in the bucket. Changes and
 * fetches nothing.
 */
export async function finishedRun(
    state: State,
    log: CommitLog,
    run: RunFolder,
): Promise<Certificate | null> {
    const own = readCertificate(run);
    if (!state.isBucket) return own;
    const entry = entryOfRun(log, run.runId);
    // Without an entry it is still to be published, which takes its tables.
    if (own) return entry || existsSync(run.database) ? own : null;
    return entry && publishedCertificate(state, entry);
}

/**
 * A run by its id, here with its output and tables.
 * @throws RunError RUN_NOT_FOUND where neither the folder nor the log knows it, STATE_DAMAGED, STORE_*
 */
export async function fetchRun(state: State, log: CommitLog, runId: string): Promise<RunFolder> {
    const entry = entryOfRun(log, runId);
    const run = entry ? await fetchOutput(state, entry) : runFolder(state.folder, runId);
    if (!entry && !existsSync(run.folder)) {
        throw new RunError('RUN_NOT_FOUND', { detail: `there is no run ${runId}` });
    }
    await fetchTables(state, run);
    return run;
}

/** The last entry that let a run speak; null when none ever did. */
export function entryOfRun({ commits }: CommitLog, runId: string): Commit | null {
    return commits.findLast((of) => of.kind === 'run' && of.run_id === runId) ?? null;
}

/** The certificate of a run as an entry names it, from the bucket; null where it is not there. */
export async function publishedCertificate(
    state: State,
    entry: Commit,
): Promise<Certificate | null> {
    try {
        const text = await textAt(state.store, outputKey(entry.run_id, certificateFile));
        return sha256(text) === entry.certificate_sha256 ? parseCertificate(text) : null;
    } catch (error) {
        if (error instanceof RunError && error.code === 'OBJECT_MISSING') return null;
        throw error;
    }
}

/**
 * Puts a finished run into the bucket of the state, before an entry of the log names it: its lake
 * first, what people read last. What an entry of others names is never written over: they came first.
 * @param seen the log as it was when the run began.
 */
export async function publishRun(
    state: State,
    seen: CommitLog,
    run: RunFolder,
    { certificate, isReused }: Executed,
): Promise<void> {
    if (!state.isBucket) return;
    const log = await readLog(state.store, seen);
    const { commits } = log;
    const others = commits.slice(seen.commits.length);
    const { period, outputs } = certificate;
    if (others.some((of) => of.kind === 'run' && of.period === period)) return;
    const { runId } = run;
    // A run that was fetched may have come without its tables: those are in the bucket.
    if (existsSync(run.database)) {
        await publishSound(state, log, await batchesOf(state, run));
        await state.publish(besideOutput(run).map((name) => runKey(runId, name)));
    }
    const names = [...Object.keys(outputs), certificateFile];
    const keys = names.map((name) => outputKey(runId, name));
    // Of a run that no entry names, what an earlier attempt left there proves nothing.
    const isNamed = entryOfRun(seen, runId) !== null;
    await state.publish(keys, { anew: !isReused || !isNamed });
}

/** What a run keeps beside what people read: its tables, those of sales, and copies of its rules. */
function besideOutput(run: RunFolder): readonly string[] {
    const rules = existsSync(run.rules)
        ? readdirSync(run.rules).map((name) => join(run.rules, name))
        : [];
    return [run.sales, ...rules.sort(), run.database]
        .filter((path) => existsSync(path))
        .map((path) => relative(run.folder, path).split(sep).join('/'));
}

/** The objects whose rows the tables of a run read. */
const objectsOf = (run: RunFolder) =>
    inOwnTables(run, async (engine) => {
        const rows = await engine.rows('select input, basis, key, sha256 from raw.objects');
        return rows.map(({ input, basis, key, sha256: hash }) => ({
            ...{ input: String(input), basis: String(basis) },
            ...{ key: String(key), sha256: String(hash) },
        }));
    });

/** The batches of the working copy that the tables of a run read, whichever folder they were made in. */
async function batchesOf(state: State, run: RunFolder): Promise<readonly Batch[]> {
    const paths = await inOwnTables(run, (engine) =>
        engine.rows('select distinct input, path from raw.objects'),
    );
    const read = new Set(
        paths.map(({ input, path }) => `${input}/${basename(dirname(String(path)))}`),
    );
    const { lake } = runFolder(state.folder, '');
    return lakeInputs(lake)
        .flatMap((input) => storedBatches(lake, input))
        .filter(({ input, id }) => read.has(`${input}/${id}`));
}

/**
 * Looks into the tables of a run. One that was killed after it was whole has some of its tables in a
 * file of the engine's own: they are put in order.
 */
async function inOwnTables<T>(run: RunFolder, work: (engine: Engine) => Promise<T>): Promise<T> {
    const readOnly = !existsSync(`${run.database}.wal`);
    const engine = await openAlone(run.database, run, readOnly);
    try {
        return await work(engine);
    } finally {
        engine.close();
    }
}

/** A finished run, and whether it had finished before. */
export interface Executed {
    readonly certificate: Certificate;
    readonly isReused: boolean;
}

/** Small: nothing is computed in it. @throws RunError ENGINE_LOCKED */
function openAlone(file: string, { folder }: RunFolder, readOnly = false): Promise<Engine> {
    const small = { memory: '512MB', threads: 1, spill: join(folder, 'spill') };
    return Engine.open({ file, ...small, readOnly });
}

/**
 * The output of a run as an entry of the log names it: in the folder, or brought there from the
 * bucket. Whatever else was there of the run goes: it is not what counts.
 * @throws RunError STATE_DAMAGED, STORE_*, ENGINE_LOCKED when a process works on that very run
 */
export async function fetchOutput(state: State, entry: Commit): Promise<RunFolder> {
    const run = runFolder(state.folder, entry.run_id);
    if (!state.isBucket || isAsEntered(run, entry)) return run;
    await dropTables(run);
    makeFolders(run.folder);
    const to = mkdtempSync(join(run.folder, 'fetched-'));
    try {
        const fetched = runFolder(to, entry.run_id);
        const { runId, output } = fetched;
        await state.fetch([outputKey(runId, certificateFile)], to);
        const bytes = readFileSync(join(output, certificateFile));
        // Only of a certificate that the log names are the names of files taken.
        const certificate =
            sha256(bytes) === entry.certificate_sha256
                ? parseCertificate(bytes.toString('utf8'))
                : null;
        const names = Object.keys(certificate?.outputs ?? {});
        await state.fetch(
            names.map((name) => outputKey(runId, name)),
            to,
        );
        if (!isAsEntered(fetched, entry)) throw notAsEntered(state, fetched, entry);
        takePlace(fetched, run, entry);
    } finally {
        rmSync(to, { recursive: true, force: true });
    }
    return run;
}

/** Whether an output is the very one that the log names, file by file. */
function isAsEntered(run: RunFolder, { certificate_sha256 }: Commit): boolean {
    const file = join(run.output, certificateFile);
    if (!existsSync(file) || sha256(readFileSync(file)) !== certificate_sha256) return false;
    return inspectOutput(run).changes.length === 0;
}

function notAsEntered(state: State, fetched: RunFolder, entry: Commit): RunError {
    const [name = ''] = (inspectOutput(fetched).changes[0] ?? certificateFile).split(' ');
    const isCertificate =
        sha256(readFileSync(join(fetched.output, certificateFile))) !== entry.certificate_sha256;
    const key = outputKey(entry.run_id, isCertificate ? certificateFile : name);
    const detail = `its sha256 is not the one that entry ${entry.number} of the log stands for`;
    return new RunError('STATE_DAMAGED', { store: state.address, key, detail });
}

/** Another process may have brought the same output meanwhile: that one is as good. */
function takePlace(fetched: RunFolder, run: RunFolder, entry: Commit): void {
    if (isAsEntered(run, entry)) return;
    rmSync(run.output, { recursive: true, force: true });
    try {
        renameSync(fetched.output, run.output);
    } catch (error) {
        if (!isAsEntered(run, entry)) throw error;
    }
}

/** Tables of a run whose output is not there are not those of the run that counts. */
async function dropTables(run: RunFolder): Promise<void> {
    if (!existsSync(run.database)) return;
    try {
        (await openAlone(run.database, run)).close();
    } catch (error) {
        const isLocked = error instanceof RunError && error.code === 'ENGINE_LOCKED';
        if (isLocked) throw error;
    }
    for (const file of [run.database, `${run.database}.wal`]) rmSync(file, { force: true });
}

/**
 * Brings the tables of a run whose output is there, unless they are in the folder.
 * @throws RunError STATE_DAMAGED, STORE_*
 */
export async function fetchTables(state: State, run: RunFolder): Promise<void> {
    if (!state.isBucket || existsSync(run.database)) return;
    const keys: string[] = [];
    for await (const { key } of state.store.list(runKey(run.runId, ''))) keys.push(key);
    const output = outputKey(run.runId, '');
    // Its tables last: where they are, all is.
    const beside = keys.filter((key) => !key.startsWith(output) && key !== tablesKey(run.runId));
    await state.fetch(beside);
    // Of a run that others replaced long ago they are kept no more.
    if (keys.includes(tablesKey(run.runId))) await state.fetch([tablesKey(run.runId)]);
}

/**
 * Brings the rows behind the tables of a run, as far as they are kept: for who asks for events.
 * @throws RunError STATE_DAMAGED, STORE_*, ENGINE_LOCKED
 */
export async function fetchLake(state: State, run: RunFolder): Promise<void> {
    if (!state.isBucket || !existsSync(run.database)) return;
    await fetchObjects(state, await objectsOf(run));
}
