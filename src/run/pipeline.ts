import type { PipelineInputs } from '../../pipelines/nightly.ts';
import { eventShape } from '../compile/shape.ts';
import { engineVersion } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import type { Effects } from '../effects.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Stage } from '../stage/define.ts';
import { type CommitLog, spokenFor, textAt } from '../state/commit-log.ts';
import { openState } from '../state/open.ts';
import { requireSafe, type State } from '../state/state.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { daysOf } from '../time/period.ts';
import { boundariesIn } from './basis.ts';
import { commitRun, readStateLog, requireOpen } from './books.ts';
import { dropStale } from './bucket-lake.ts';
import { requireDoneThere } from './clickhouse/open.ts';
import { codeFingerprint, version } from './code.ts';
import { type BilledCorrections, correctionsBilled, requireBillable } from './corrections.ts';
import { execute, removeScraps } from './execute.ts';
import { type RunFolder, readCertificate, runFolder } from './folders.ts';
import { runOfMonthBefore } from './items.ts';
import { keepBounded } from './keep.ts';
import { basisOf, landedObjects } from './lake.ts';
import { type InputListing, listInputs } from './listing.ts';
import { type Books, openPeriod } from './openings.ts';
import { metersByEvent, type RunOptions } from './prepare.ts';
import { requireConvertible } from './prices.ts';
import { type CompiledPeriod, compilePeriod, type Project } from './project.ts';
import {
    type Executed,
    entryOfRun,
    fetchLake,
    fetchOutput,
    fetchTables,
    finishedRun,
    publishRun,
} from './published.ts';
import { stagesOf } from './stages.ts';
import { unusableDisk } from './unusable-disk.ts';

/** A project as it is in the period of a run. */
export interface OpenedPeriod extends CompiledPeriod {
    readonly options: RunOptions;
    /** With the openings of the period. */
    readonly project: Project;
    /** What it bills of closed periods. */
    readonly corrections: BilledCorrections;
    /** What its stages are declared from. */
    readonly inputs: PipelineInputs;
}

/** A run before anything is read: what it would read, from what, as which run. */
export interface Plan extends Omit<OpenedPeriod, 'inputs'> {
    readonly listings: readonly InputListing[];
    readonly stages: readonly Stage[];
    readonly fingerprint: string;
    readonly run: RunFolder;
    /** The certificate of the finished identical run, if there is one. */
    readonly finished: Certificate | null;
}

export interface RunResult extends Executed {
    readonly run: RunFolder;
}

/** Reads the accounts from beside the config, or from the store for `object:KEY`. */
export async function readAccounts(project: Project, store: ObjectStore): Promise<string> {
    const { accounts } = project.config;
    if (!accounts.startsWith('object:')) return project.readText(accounts);
    const kept = project.texts.get(accounts);
    if (kept !== undefined) return kept;
    return textAt(store, accounts.slice('object:'.length));
}

/** What is known of a project beside its files and objects. */
interface Known extends Books {
    /** The run that spoke for the period before; null for none, or where nobody wants to know. */
    readonly previous: RunFolder | null;
}

/**
 * Reads the accounts of a project, and what it is in a period. Touches nothing.
 * @param books null where the project holds what a run once opened with, or nothing.
 * @throws RunError ACCOUNTS_INVALID, CONTRACTS_INVALID, RULES_INVALID, STORE_*
 */
export async function openRun(
    opened: Project,
    store: ObjectStore,
    books: Books | null,
    options: RunOptions,
): Promise<OpenedPeriod> {
    const text = await readAccounts(opened, store);
    const period = await openPeriod(opened, books, options.period);
    const { accounts } = period.config;
    // A file beside the config is among the rules since it was read.
    const isObject = accounts.startsWith('object:');
    const project = {
        ...period,
        rules: { ...period.rules, ...(isObject ? { [accounts]: sha256(text) } : {}) },
        texts: new Map([...period.texts, ...(isObject ? [[accounts, text] as const] : [])]),
    };
    const { tree, promises } = compilePeriod(project, text, options);
    requireConvertible(project, tree.conversions);
    const corrections = await correctionsBilled(books, options);
    return withCorrections(
        { options, project, tree, promises, inputs: inputsOf(project, tree, promises) },
        corrections,
    );
}

/** What the stages of a period are declared from. */
function inputsOf(
    project: Project,
    { channels }: CompiledPeriod['tree'],
    promises: CompiledPeriod['promises'],
): PipelineInputs {
    const boundaries = boundariesIn(project, promises);
    return {
        config: project.config,
        assets: project.assets,
        boundaries: boundaries.all,
        boundariesOf: boundaries.of,
        byEvent: metersByEvent(project),
        hasSellers: channels.length > 0,
    };
}

/**
 * An opened period with what it bills of closed ones: another backfill, another run.
 * @throws RunError CORRECTION_UNBILLABLE
 */
export function withCorrections(
    opened: Omit<OpenedPeriod, 'corrections'>,
    corrections: BilledCorrections,
): OpenedPeriod {
    requireBillable(corrections, opened.tree.paths, opened.options.period);
    const rules = { ...opened.project.rules, ...corrections.rules };
    return { ...opened, corrections, project: { ...opened.project, rules } };
}

/**
 * Decides what a run is: its objects, stages and fingerprint. Touches nothing.
 * @throws RunError ACCOUNTS_INVALID, CONTRACTS_INVALID, RULES_INVALID, STORE_*, LIMIT_OBJECTS
 */
export async function planRun(
    opened: Project,
    store: ObjectStore,
    known: Known,
    options: RunOptions,
): Promise<Plan> {
    const { state, log, previous } = known;
    const { project, tree, promises, corrections, inputs } = await openRun(
        opened,
        store,
        { state, log },
        options,
    );
    const { config } = project;
    requireDoneThere(project);
    const { lake } = runFolder(project.state, '');
    const shape = eventShape(config);
    const days = daysOf(options.period, new Date(options.as_of));
    const listings = await listInputs(store, config, days, {
        before: previous && readCertificate(previous),
        landed: (input, role) =>
            landedObjects(lake, input.name, basisOf(config, input, role, shape, engineVersion)),
        accept_gone: options.accept_gone ?? false,
        arrived_by: options.arrived_by,
    });
    const stages = stagesOf(options, inputs);
    const fingerprint = sha256(
        JSON.stringify([
            options,
            version,
            codeFingerprint(),
            Object.entries(project.rules).sort(),
            // When an object arrived does not say what is in it.
            listings.map(({ input, entries }) => [
                input.name,
                entries.map(({ arrived_at: _, ...entry }) => entry),
            ]),
        ]),
    );
    const runId = `${options.period}-${options.pipeline}-${fingerprint.slice(0, 12)}`;
    const run = runFolder(project.state, runId);
    const finished = await finishedRun(state, log, run);
    const made = { options, project, tree, promises, corrections, listings, stages };
    return { ...made, fingerprint, run, finished };
}

/**
 * Runs a pipeline for a period: from objects to lines, breaks and certificate. The same inputs
 * give the same bytes; a finished identical run is left alone. A run that was cut off is taken up
 * at its first incomplete stage.
 * @throws RunError of any family; nothing half-written is left where a whole output would be.
 */
export async function runPipeline(
    project: Project,
    effects: Effects,
    options: RunOptions,
): Promise<RunResult> {
    return withStore(project, effects, async (store, state) => {
        await requireSafe(state);
        const log = await readStateLog(state);
        const plan = await planOn(project, store, { state, log }, options);
        requireOpen(log, options.period, plan.run.runId);
        const made = await compute(effects, store, { state, log }, plan);
        if (state.isBucket) effects.progress.begin('publish');
        await publishRun(state, log, made.run, made);
        if (state.isBucket) effects.progress.end(state.address);
        await commitRun(state, log, made.run, made.certificate, effects.now());
        if (!made.isReused) await keepBounded(project, state, effects);
        return made;
    });
}

/**
 * A run as any other that no entry of the log names: it may be of a closed period, for it speaks for
 * none. What it would bill is compared with what was billed.
 * @throws RunError as runPipeline, but for what the log says
 */
export async function candidateOf(
    project: Project,
    effects: Effects,
    options: RunOptions,
): Promise<RunResult> {
    return withStore(project, effects, async (store, state) => {
        const books = { state, log: await readStateLog(state) };
        return compute(effects, store, books, await planOn(project, store, books, options));
    });
}

/**
 * Works with the store and the state of a project.
 * @throws RunError DISK_FULL, STATE_UNUSABLE, and as the work
 */
export async function withStore<T>(
    project: Project,
    effects: Effects,
    work: (store: ObjectStore, state: State) => Promise<T>,
): Promise<T> {
    const store = await effects.openStore(project.config, project.folder);
    const state = await openState(project, effects);
    try {
        return await work(store, state);
    } catch (error) {
        throw unusableDisk(error, project.state) ?? error;
    } finally {
        await store.close();
        await state.close();
    }
}

/** The plan of a run that knows what was counted before. */
async function planOn(
    project: Project,
    store: ObjectStore,
    { state, log }: Books,
    options: RunOptions,
): Promise<Plan> {
    await dropStale(state, log);
    const spoken = spokenFor(log, options.period);
    const previous = spoken && (await fetchOutput(state, spoken));
    // Only the lake knows which objects that are gone can be read.
    if (previous && options.accept_gone) {
        await fetchTables(state, previous);
        await fetchLake(state, previous);
    }
    return planRun(project, store, { state, log, previous }, options);
}

/** Makes the run of a plan, unless it is there. */
async function compute(
    effects: Effects,
    store: ObjectStore,
    { state, log }: Books,
    plan: Plan,
): Promise<RunResult> {
    const { run, options, finished } = plan;
    // One that was killed when its output was whole left them: nobody else would take them away.
    if (finished) removeScraps(run);
    const executed = finished
        ? await reused(state, log, run, finished)
        : await execute(effects, store, {
              ...plan,
              previous: await runBefore(state, log, options, run),
              monthBefore: await runOfMonthBefore(state, log, options.period),
          });
    return { run, ...executed };
}

/** A run that had finished, with its output in the folder. */
async function reused(
    state: State,
    log: CommitLog,
    run: RunFolder,
    finished: Certificate,
): Promise<Executed> {
    const entry = entryOfRun(log, run.runId);
    if (entry) await fetchOutput(state, entry);
    return { certificate: readCertificate(run) ?? finished, isReused: true };
}

/**
 * The run that spoke for a period before, here with all that it left; null for none. One whose output
 * was changed is made again, and does not go on from itself.
 */
async function runBefore(
    state: State,
    { commits }: CommitLog,
    { period }: RunOptions,
    itself: RunFolder,
): Promise<RunFolder | null> {
    const commit = commits.findLast(
        (of) => of.kind === 'run' && of.period === period && of.run_id !== itself.runId,
    );
    if (!commit) return null;
    const run = await fetchOutput(state, commit);
    await fetchTables(state, run);
    await fetchLake(state, run);
    return run;
}
