import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { resell } from '../../pipelines/85-resell/stage.ts';
import { nightly, reconciliation } from '../../pipelines/nightly.ts';
import { eventShape } from '../compile/shape.ts';
import { engineVersion } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import type { Effects } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import { boundariesOf, sorted, sqlTimestamp } from '../rules/card.ts';
import type { Certificate, History } from '../schema/certificate.ts';
import type { Commit } from '../schema/commit.ts';
import type { Stage } from '../stage/define.ts';
import { inStage, readStageSql, runStage, stageFingerprint } from '../stage/run.ts';
import { type CommitLog, spokenFor } from '../state/commit-log.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { daysOf } from '../time/period.ts';
import { commitRun, readStateLog, requireOpen } from './books.ts';
import { carry } from './carry.ts';
import { certify } from './certify.ts';
import { codeFingerprint, version } from './code.ts';
import { makeFolders, type RunFolder, readCertificate, runFolder } from './folders.ts';
import { type IngestedObject, ingest, lookAt, pinOf, storedRows } from './ingest.ts';
import { keepBounded } from './keep.ts';
import { basisOf, landedObjects } from './lake.ts';
import { type InputListing, listInputs } from './listing.ts';
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
export async function readAccounts(project: Project, store: ObjectStore): Promise<string> {
    const { accounts } = project.config;
    if (!accounts.startsWith('object:')) return project.readText(accounts);
    const { stream } = await store.get(accounts.slice('object:'.length));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
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
    const log = await readStateLog(opened.state);
    const text = await readAccounts(opened, store);
    const project = await openPeriod(opened, options.period);
    const { tree, promises } = compilePeriod(project, text, options);
    requireConvertible(project, tree.conversions);
    const shape = eventShape(project.config);
    const { lake } = runFolder(project.state, '');
    const listings = await listInputs(
        store,
        project.config,
        daysOf(options.period, new Date(options.as_of)),
        {
            before: certificateBefore(project, log, options),
            landed: (input, role) =>
                landedObjects(
                    lake,
                    input.name,
                    basisOf(project.config, input, role, shape, engineVersion),
                ),
            accept_gone: options.accept_gone ?? false,
        },
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
            Object.entries({ ...project.rules, [project.config.accounts]: sha256(text) }).sort(),
            listings.map(({ input, entries }) => [input.name, entries]),
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
        const certificate =
            finished ?? (await execute(effects, store, plan, runBefore(project, log, plan)));
        await commitRun(project.state, log, run, certificate, effects.now());
        if (finished === null) await keepBounded(project, effects);
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

async function execute(
    effects: Effects,
    store: ObjectStore,
    plan: Plan,
    previous: RunFolder | null,
): Promise<Certificate> {
    const { run, project, tree, options } = plan;
    const { config } = project;
    makeFolders(run.lake);
    makeFolders(run.folder);
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
        const history = await inStage('15-carry', () =>
            carry({
                ...{ engine, project, objects, previous },
                stages: plan.stages,
                lake: run.lake,
            }),
        );
        const { channels, ...accounts } = tree;
        let upstream = sha256(
            JSON.stringify([
                options,
                Object.entries(project.rules).sort(),
                accounts,
                history,
                channels.map(({ level_no, ...of }) => [`${level_no}`, of]),
                objects.map(pinnedAs),
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
        // From here on all rows can be looked up again, by those who ask why.
        await lookAt(engine, config, await storedRows(engine, config, objects));
        effects.progress.begin('write');
        const certificate = await inStage('write', async () =>
            writeOutputs(engine, run, {
                ...(await certify(engine, project, options, run.runId, {
                    ...history,
                    ...changedObjects(plan.listings, previous, objects),
                })),
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

/** Objects that are not what they were when they were counted before; nothing is said of none. */
function changedObjects(
    listings: readonly InputListing[],
    previous: RunFolder | null,
    objects: readonly IngestedObject[],
): Pick<History, 'overwritten' | 'gone'> {
    const now = new Map(objects.map((of) => [JSON.stringify([of.input.name, pinOf(of).key]), of]));
    const overwritten = (previous && readCertificate(previous)?.inputs) ?? [];
    const changed = overwritten
        .filter((of) => {
            const object = now.get(JSON.stringify([of.input, of.key]));
            return object !== undefined && pinOf(object).sha256 !== of.sha256;
        })
        .map(({ key }) => key);
    const gone = listings.flatMap((listing) => listing.gone);
    return {
        ...(changed.length ? { overwritten: changed } : {}),
        ...(gone.length ? { gone } : {}),
    };
}

/** The run that spoke for the period before this one. */
function runBefore({ state }: Project, log: CommitLog, { options, run }: Plan): RunFolder | null {
    const { commits } = log;
    const isOther = (of: Commit) => of.kind === 'run' && of.period === options.period;
    const commit = commits.findLast((of) => isOther(of) && of.run_id !== run.runId);
    return commit ? runFolder(state, commit.run_id) : null;
}

/** What spoke for the period last, whatever it was: what it counted is not lost silently. */
function certificateBefore(
    { state }: Project,
    log: CommitLog,
    { period }: RunOptions,
): Certificate | null {
    const commit = spokenFor(log, period);
    return commit && readCertificate(runFolder(state, commit.run_id));
}

/** What an object is to the result: of which input, under which name, with which bytes. */
const pinnedAs = (object: IngestedObject) => {
    const { key, sha256: hash } = pinOf(object);
    return [object.input.name, key, hash];
};

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
