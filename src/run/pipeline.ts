import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { resell } from '../../pipelines/85-resell/stage.ts';
import { nightly, type PipelineInputs, reconciliation } from '../../pipelines/nightly.ts';
import type { Engine } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import type { Effects, Progress } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Stage } from '../stage/define.ts';
import { inStage, readStageSql, runStage, stageFingerprint } from '../stage/run.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { daysOf } from '../time/period.ts';
import { boundariesIn } from './basis.ts';
import { commitRun, readStateLog, requireOpen } from './books.ts';
import { certify } from './certify.ts';
import { codeFingerprint, version } from './code.ts';
import { makeFolders, type RunFolder, readCertificate, runFolder } from './folders.ts';
import { type IngestedObject, type InputListing, ingest, listInputs } from './ingest.ts';
import { keepRules } from './kept-rules.ts';
import { openPeriod } from './openings.ts';
import { writeOutputs } from './outputs.ts';
import { metersByEvent, prepare, type RunOptions } from './prepare.ts';
import { requireConvertible } from './prices.ts';
import { type CompiledPeriod, compilePeriod, type Project } from './project.ts';
import { priceSales } from './sell.ts';
import { openTables } from './tables.ts';

/** A project as it is in the period of a run. */
export interface OpenedPeriod extends CompiledPeriod {
    readonly options: RunOptions;
    /** With the openings of the period. */
    readonly project: Project;
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

/** The stages of a pipeline. */
export function stagesOf({ pipeline }: RunOptions, inputs: PipelineInputs): readonly Stage[] {
    return pipeline === 'nightly' ? nightly(inputs) : reconciliation(inputs);
}

export interface RunResult {
    readonly run: RunFolder;
    readonly certificate: Certificate;
    /** True when an identical run had finished before and nothing was done. */
    readonly isReused: boolean;
}

/** Reads the accounts from beside the config, or from the store for `object:KEY`. */
async function readAccounts(project: Project, store: ObjectStore): Promise<string> {
    const { accounts } = project.config;
    if (!accounts.startsWith('object:')) return project.readText(accounts);
    const kept = project.texts.get(accounts);
    if (kept !== undefined) return kept;
    const { stream } = await store.get(accounts.slice('object:'.length));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
}

/**
 * Reads the accounts of a project, and what it is in a period. Touches nothing.
 * @throws RunError ACCOUNTS_INVALID, CONTRACTS_INVALID, RULES_INVALID, STORE_*
 */
export async function openRun(
    opened: Project,
    store: ObjectStore,
    options: RunOptions,
): Promise<OpenedPeriod> {
    const text = await readAccounts(opened, store);
    const period = await openPeriod(opened, options.period);
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
    const boundaries = boundariesIn(project, promises);
    const inputs = {
        config: project.config,
        assets: project.assets,
        boundaries: boundaries.all,
        boundariesOf: boundaries.of,
        byEvent: metersByEvent(project),
        hasSellers: tree.channels.length > 0,
    };
    return { options, project, tree, promises, inputs };
}

/**
 * Decides what a run is: its objects, stages and fingerprint. Touches nothing.
 * @throws RunError ACCOUNTS_INVALID, CONTRACTS_INVALID, RULES_INVALID, STORE_*, LIMIT_OBJECTS
 */
export async function planRun(
    opened: Project,
    store: ObjectStore,
    options: RunOptions,
): Promise<Plan> {
    const { project, tree, promises, inputs } = await openRun(opened, store, options);
    const listings = await listInputs(
        store,
        project.config,
        daysOf(options.period, new Date(options.as_of)),
        options.arrived_by,
    );
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
    const finished = readCertificate(run);
    return { options, project, tree, promises, listings, stages, fingerprint, run, finished };
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
    const store = await effects.openStore(project.config, project.folder);
    try {
        const log = await readStateLog(project.state);
        const plan = await planRun(project, store, options);
        const { run, finished } = plan;
        requireOpen(log, options.period, run.runId);
        const certificate = finished ?? (await execute(effects, store, plan));
        await commitRun(project.state, log, run, certificate, effects.now());
        return { run, certificate, isReused: finished !== null };
    } catch (error) {
        throw unusableDisk(error, project.state) ?? error;
    } finally {
        await store.close();
    }
}

/**
 * Whoever met the full disk (a file of ours, the engine, its spilling), a person hears the same. A
 * folder that can't be written is a matter of the config, not a defect.
 */
export function unusableDisk(error: unknown, folder: string): RunError | null {
    const { message: detail = String(error), code = '' } = error as NodeJS.ErrnoException;
    if (/ENOSPC|EDQUOT|no space left|could not write file/i.test(detail)) {
        return new RunError(
            'DISK_FULL',
            { folder, detail: engineSentence(error) ?? detail },
            error,
        );
    }
    const isRefused = /^(EACCES|EPERM|EROFS|ENOTDIR|EEXIST)$/.test(code) || isNoFolder(error);
    return isRefused ? new RunError('STATE_UNUSABLE', { folder, detail }, error) : null;
}

/** Below /proc a folder can't be made: it is said not to exist. */
const isNoFolder = (error: unknown) =>
    (error as NodeJS.ErrnoException).code === 'ENOENT' &&
    (error as NodeJS.ErrnoException).syscall === 'mkdir';

/** What the engine said itself, without the statement that met it. */
function engineSentence(error: unknown): string | null {
    if (!(error instanceof RunError) || error.code !== 'ENGINE_FAILED') return null;
    return (error as RunError<'ENGINE_FAILED'>).params.detail.split('\n')[0] ?? null;
}

/** What a run is made from, and where. */
export type Work = Omit<Plan, 'fingerprint' | 'finished'>;

/**
 * Makes a run: from its objects to its certificate.
 * @param admit looks at the objects once they are here and proven whole, before any is used.
 */
export async function execute(
    effects: Effects,
    store: ObjectStore,
    plan: Work,
    admit: (objects: readonly IngestedObject[]) => void = () => {},
): Promise<Certificate> {
    const { run, project, options } = plan;
    const { config } = project;
    makeFolders(run.lake);
    keepRules(run, project);
    const engine = await openTables(run, {
        memory: config.engine.memory,
        threads: config.engine.threads ?? availableParallelism(),
        spill: join(run.folder, 'spill'),
    });
    try {
        // Only now is the run ours alone: another process would hold the database.
        rmSync(run.scratch, { recursive: true, force: true });
        rmSync(run.output, { recursive: true, force: true });
        // In one transaction: every statement alone would wait for the disk.
        await inStage('prepare', () => engine.transaction(() => prepare(engine, plan)));
        const objects = await inStage('10-ingest', () =>
            ingest(engine, store, config, plan.listings, run, effects.progress),
        );
        admit(objects);
        const upstream = upstreamOf(
            plan,
            objects.map(({ input, key, sha256 }) => [input, key, sha256]),
        );
        const run_fingerprint = runFingerprint(
            options,
            await runStages(engine, plan, upstream, effects.progress),
        );
        effects.progress.begin('write');
        const certificate = await inStage('write', async () =>
            writeOutputs(engine, run, {
                ...(await certify(engine, project, options, run.runId)),
                run_fingerprint,
            }),
        );
        effects.progress.end(run.output);
        return certificate;
    } finally {
        engine.close();
        rmSync(run.scratch, { recursive: true, force: true });
        rmSync(join(run.folder, 'spill'), { recursive: true, force: true });
    }
}

/** What stages are run for: the accounts and rules of a period, and the folder of the run. */
type Staged = Pick<Plan, 'options' | 'project' | 'tree' | 'run' | 'stages'>;

/**
 * What the first stage is made from.
 * @param of what it reads, by its content.
 */
export function upstreamOf(
    {
        options,
        project,
        tree: { channels, ...accounts },
    }: Pick<Staged, 'options' | 'project' | 'tree'>,
    of: unknown,
): string {
    return sha256(
        JSON.stringify([
            options,
            Object.entries(project.rules).sort(),
            accounts,
            channels.map(({ level_no, ...level }) => [`${level_no}`, level]),
            of,
        ]),
    );
}

/**
 * Runs the stages one after the other, each made from the one before. Gives the fingerprint of all.
 * @param before stages of the pipeline that are complete without them.
 */
export async function runStages(
    engine: Engine,
    { stages, project, tree, run }: Staged,
    upstream: string,
    progress: Progress,
    before = 0,
): Promise<string> {
    let made = upstream;
    for (const [index, stage] of stages.entries()) {
        progress.begin(stage.name);
        if (stage === resell) {
            await inStage('sales', () => priceSales(engine, project, tree, run.folder));
        }
        const { fingerprint } = await runStage(stage, {
            engine,
            upstream: made,
            position: before + index + 1,
            onCheck: (check) => progress.advance(0, check),
        });
        made = fingerprint;
        progress.end();
    }
    return made;
}

/** Everything the result depends on: the content of the inputs, rules, SQL, code and parameters. */
export function runFingerprint(options: RunOptions, made: string): string {
    return sha256(JSON.stringify([options, version, codeFingerprint(), made]));
}

/** Stages of a plan with the sha256 of their SQL: what `plan` prints. */
export function describeStages(
    stages: readonly Stage[],
): readonly { readonly stage: string; readonly outputs: number; readonly sql_sha256: string }[] {
    return stages.map((stage) => {
        const sql = readStageSql(stage);
        return {
            stage: stage.name,
            outputs: stage.writes.length,
            sql_sha256: stageFingerprint(stage, sql, ''),
        };
    });
}
