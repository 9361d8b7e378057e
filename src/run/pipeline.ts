import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { resell } from '../../pipelines/85-resell/stage.ts';
import { nightly, reconciliation } from '../../pipelines/nightly.ts';
import { sha256 } from '../duck/sql.ts';
import type { Effects } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import { boundariesOf, sorted, sqlTimestamp } from '../rules/card.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Stage } from '../stage/define.ts';
import { inStage, readStageSql, runStage, stageFingerprint } from '../stage/run.ts';
import { textAt } from '../state/commit-log.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { daysOf } from '../time/period.ts';
import { commitRun, readStateLog, requireOpen } from './books.ts';
import { certify } from './certify.ts';
import { codeFingerprint, version } from './code.ts';
import { type BilledCorrections, correctionsBilled, requireBillable } from './corrections.ts';
import { makeFolders, type RunFolder, readCertificate, runFolder } from './folders.ts';
import { type InputListing, ingest, listInputs } from './ingest.ts';
import { openPeriod } from './openings.ts';
import { writeOutputs } from './outputs.ts';
import { metersByEvent, prepare, type RunOptions } from './prepare.ts';
import { requireConvertible } from './prices.ts';
import { type CompiledPeriod, compilePeriod, type Project, ratesOf } from './project.ts';
import { priceSales } from './sell.ts';
import { openTables } from './tables.ts';

/** A run before anything is read: what it would read, from what, as which run. */
export interface Plan extends CompiledPeriod {
    readonly options: RunOptions;
    /** With the openings of the period. */
    readonly project: Project;
    /** What it bills of closed periods. */
    readonly corrections: BilledCorrections;
    readonly listings: readonly InputListing[];
    readonly stages: readonly Stage[];
    readonly fingerprint: string;
    readonly run: RunFolder;
    /** The certificate of the finished identical run, if there is one. */
    readonly finished: Certificate | null;
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
    return accounts.startsWith('object:')
        ? textAt(store, accounts.slice('object:'.length))
        : project.readText(accounts);
}

/**
 * The project opened for a period, with its accounts; a run of it depends on their text.
 * @throws RunError ACCOUNTS_INVALID, CONTRACTS_INVALID, STORE_*
 */
export async function openAccounts(
    opened: Project,
    store: ObjectStore,
    options: Pick<RunOptions, 'period' | 'as_of'>,
): Promise<CompiledPeriod & { readonly project: Project }> {
    const text = await readAccounts(opened, store);
    const { rules, ...project } = await openPeriod(opened, options.period);
    // A file beside the config is among the rules since it was read.
    const { accounts } = opened.config;
    const object = accounts.startsWith('object:') ? { [accounts]: sha256(text) } : {};
    const open = { ...project, rules: { ...rules, ...object } };
    return { project: open, ...compilePeriod(open, text, options) };
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
    const { tree, promises, ...open } = await openAccounts(opened, store, options);
    requireConvertible(open.project, tree.conversions);
    const corrections = await correctionsBilled(opened.state, options);
    requireBillable(corrections, tree.paths, options.period);
    const rules = { ...open.project.rules, ...corrections.rules };
    const project = { ...open.project, rules };
    const listings = await listInputs(
        store,
        project.config,
        daysOf(options.period, new Date(options.as_of)),
    );
    const inputs = {
        config: project.config,
        assets: project.assets,
        boundaries: sorted(
            new Set([...boundariesOf(ratesOf(project)), ...promises.boundaries.map(sqlTimestamp)]),
        ),
        boundariesOf: (meter: string) =>
            boundariesOf(ratesOf(project).filter((rate) => rate.meter === meter)),
        byEvent: metersByEvent(project),
        hasSellers: tree.channels.length > 0,
    };
    const stages = options.pipeline === 'nightly' ? nightly(inputs) : reconciliation(inputs);
    const fingerprint = sha256(
        JSON.stringify([
            options,
            version,
            codeFingerprint(),
            Object.entries(project.rules).sort(),
            listings.map(({ input, entries }) => [input.name, entries]),
        ]),
    );
    const runId = `${options.period}-${options.pipeline}-${fingerprint.slice(0, 12)}`;
    const run = runFolder(project.state, runId);
    const finished = readCertificate(run);
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
    return withStore(project, effects, async (store) => {
        const log = await readStateLog(project.state);
        const plan = await planRun(project, store, options);
        requireOpen(log, options.period, plan.run.runId);
        const result = await compute(effects, store, plan);
        await commitRun(project.state, log, result.run, result.certificate, effects.now());
        return result;
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
    return withStore(project, effects, async (store) =>
        compute(effects, store, await planRun(project, store, options)),
    );
}

/** Works with the store of a project. @throws RunError DISK_FULL, STATE_UNUSABLE, and as the work */
export async function withStore<T>(
    project: Project,
    effects: Effects,
    work: (store: ObjectStore) => Promise<T>,
): Promise<T> {
    const store = await effects.openStore(project.config, project.folder);
    try {
        return await work(store);
    } catch (error) {
        throw unusableDisk(error, project.state) ?? error;
    } finally {
        await store.close();
    }
}

/** Makes the run of a plan, unless it is there. */
async function compute(effects: Effects, store: ObjectStore, plan: Plan): Promise<RunResult> {
    const { run, finished } = plan;
    const certificate = finished ?? (await execute(effects, store, plan));
    return { run, certificate, isReused: finished !== null };
}

/**
 * Whoever met the full disk (a file of ours, the engine, its spilling), a person hears the same. A
 * folder that can't be written is a matter of the config, not a defect.
 */
function unusableDisk(error: unknown, folder: string): RunError | null {
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

async function execute(effects: Effects, store: ObjectStore, plan: Plan): Promise<Certificate> {
    const { run, project, tree, options } = plan;
    const { config } = project;
    makeFolders(run.lake);
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
        const { channels, ...accounts } = tree;
        let upstream = sha256(
            JSON.stringify([
                options,
                Object.entries(project.rules).sort(),
                accounts,
                channels.map(({ level_no, ...of }) => [`${level_no}`, of]),
                objects.map(({ input, key, sha256 }) => [input, key, sha256]),
            ]),
        );
        for (const [index, stage] of plan.stages.entries()) {
            effects.progress.begin(stage.name);
            if (stage === resell) {
                await inStage('sales', () => priceSales(engine, project, tree, run.folder));
            }
            const { fingerprint } = await runStage(stage, {
                engine,
                upstream,
                position: index + 1,
                onCheck: (check) => effects.progress.advance(0, check),
            });
            upstream = fingerprint;
            effects.progress.end();
        }
        effects.progress.begin('write');
        const certificate = await inStage('write', async () =>
            writeOutputs(engine, run, {
                ...(await certify(engine, project, options, run.runId)),
                run_fingerprint: runFingerprint(plan, upstream),
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

/** Everything the result depends on: the content of the inputs, rules, SQL, code and parameters. */
function runFingerprint(plan: Plan, upstream: string): string {
    return sha256(JSON.stringify([plan.options, version, codeFingerprint(), upstream]));
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
