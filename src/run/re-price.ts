import { constants, copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { repricing } from '../../pipelines/nightly.ts';
import type { Engine } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import type { Effects } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import type { Certificate } from '../schema/certificate.ts';
import { inStage } from '../stage/run.ts';
import { type CommitLog, spokenFor } from '../state/commit-log.ts';
import { correctionsOf } from '../state/corrections.ts';
import { openState } from '../state/open.ts';
import type { State } from '../state/state.ts';
import { latestNightly, readStateLog } from './books.ts';
import { certify, type Evidence, type Repriced } from './certify.ts';
import { codeFingerprint, version } from './code.ts';
import {
    makeFolders,
    type RunFolder,
    readCertificate,
    runFolder,
    wholeCertificate,
} from './folders.ts';
import { readItems } from './items.ts';
import { keepRules } from './kept-rules.ts';
import { writeOutputs } from './outputs.ts';
import {
    dropPartials,
    keepPartials,
    keepWholes,
    requireBasis,
    requirePayers,
    requireWhole,
    type Source,
    stateKept,
} from './partials.ts';
import { type OpenedPeriod, openRun, type RunResult } from './pipeline.ts';
import { prepare, type RunOptions } from './prepare.ts';
import type { Project } from './project.ts';
import { fetchRun, fetchTables } from './published.ts';
import { runFingerprint, runStages, upstreamOf } from './stages.ts';
import { openTables } from './tables.ts';
import { requireWorkable } from './too-many-breaks.ts';
import { unusableDisk } from './unusable-disk.ts';

/**
 * Prices a month anew with the cards, contracts and currency rates of today, from the partials of the
 * run that speaks for it and as of the same instant: no object is read. What that run found comparing
 * usage with debits stands. The run that comes of it is whole and speaks for nothing: no log names it.
 * Its lines are those of a run from objects, wherever no wallet paid.
 * @throws RunError PARTIALS_UNUSABLE where partials cannot say what comes of it, RUN_NOT_FOUND,
 * OUTPUT_CHANGED, RUN_DAMAGED, and as a run does
 */
export async function rePrice(
    project: Project,
    effects: Effects,
    { period }: Pick<RunOptions, 'period'>,
): Promise<RunResult> {
    const store = await effects.openStore(project.config, project.folder);
    const state = await openState(project, effects);
    try {
        const log = await readStateLog(state);
        requireUncorrected(log, period);
        const source = await sourceOf(state, log, period);
        const { as_of, run_fingerprint } = source.certificate;
        const options = { pipeline: 'nightly', period, as_of } as const;
        const opened = await openRun(project, store, { state, log }, options);
        const rules = Object.entries(opened.project.rules).sort();
        const code = [options, version, codeFingerprint()];
        const fingerprint = sha256(JSON.stringify([...code, rules, run_fingerprint]));
        const run = runFolder(project.state, `${period}-repriced-${fingerprint.slice(0, 12)}`);
        const finished = readCertificate(run);
        const certificate = finished ?? (await execute(effects, source, opened, run));
        return { run, certificate, isReused: finished !== null };
    } catch (error) {
        throw unusableDisk(error, project.state) ?? error;
    } finally {
        await store.close();
        await state.close();
    }
}

/**
 * Partials are those of the run that was closed: they do not know what was corrected since, and would
 * take it back.
 * @throws RunError PARTIALS_UNUSABLE
 */
function requireUncorrected(log: CommitLog, period: string): void {
    const corrections = correctionsOf(log, period);
    const run_id = spokenFor(log, period, 'nightly')?.run_id ?? period;
    if (corrections.length === 0) return;
    const ids = [...new Set(corrections.map(({ backfill_id }) => backfill_id))];
    const reasons = [`${period} was corrected since, by ${ids.join(', ')}`];
    throw new RunError('PARTIALS_UNUSABLE', { run_id, reasons });
}

/**
 * The run that speaks for a month; where that was priced anew itself, the one that read its objects.
 * @throws RunError RUN_NOT_FOUND, OUTPUT_CHANGED
 */
async function sourceOf(state: State, log: CommitLog, period: string): Promise<Source> {
    const latest = await latestNightly(state, log, period);
    if (!latest) {
        const detail = `no run of ${period} in ${state.address} wrote lines`;
        throw new RunError('RUN_NOT_FOUND', { detail });
    }
    const certificate = wholeCertificate(latest);
    const { repriced_from } = certificate;
    if (!repriced_from) {
        await fetchTables(state, latest);
        return { run: latest, certificate };
    }
    const run = await fetchRun(state, log, repriced_from.run_id);
    return { run, certificate: wholeCertificate(run) };
}

/** Partials for which another thread saves more than it costs. */
const partialsOfThread = 500_000;

function threadsFor({ certificate }: Source, { config }: Project): number {
    const { threads = availableParallelism() } = config.engine;
    const metered = certificate.totals.find(({ relation }) => relation === meteredUsage.name);
    const worth = Math.ceil(Number.parseInt(metered?.row_count ?? '0', 10) / partialsOfThread);
    return Math.max(1, Math.min(threads, worth));
}

async function execute(
    effects: Effects,
    source: Source,
    opened: OpenedPeriod,
    run: RunFolder,
): Promise<Certificate> {
    const { memory } = opened.project.config.engine;
    const spill = join(run.folder, 'spill');
    const options = { memory, threads: threadsFor(source, opened.project), spill };
    await copyTables(source.run, run, options);
    keepRules(run, opened.project);
    const engine = await openTables(run, options);
    try {
        // An attempt that was cut off is begun anew, so that nothing is lost by one transaction for all:
        // what is needed only in between is never written.
        const made = await engine.transaction(() => price(engine, effects, source, opened, run));
        await requireWorkable(engine, opened.project.config);
        const items = readItems(source.run);
        effects.progress.begin('write');
        const certificate = await inStage('write', async () =>
            writeOutputs(
                engine,
                run,
                {
                    ...(await evidenceOf(engine, source, opened, run)),
                    run_fingerprint: runFingerprint(opened.options, made),
                },
                // What was carried into the month then still is.
                { before: items, carried: items },
            ),
        );
        effects.progress.end(run.output);
        return certificate;
    } finally {
        engine.close();
        for (const folder of [run.scratch, spill]) rmSync(folder, { recursive: true, force: true });
    }
}

/** Runs the stages over the partials. Gives the fingerprint of all. */
async function price(
    engine: Engine,
    { progress }: Effects,
    source: Source,
    opened: OpenedPeriod,
    run: RunFolder,
): Promise<string> {
    progress.begin('partials');
    const again = await inStage('partials', () => open(engine, source, opened, run));
    progress.end();
    const stages = repricing(opened.inputs, again);
    const upstream = upstreamOf(opened, source.certificate.run_fingerprint);
    // Objects were read and rows mediated by the run that this one is made from.
    const made = await runStages(engine, { ...opened, run, stages }, upstream, progress, 1);
    await stateKept(engine);
    await dropPartials(engine);
    return made;
}

/**
 * The database of the run, as it was left: whatever an earlier attempt made of it is gone.
 * @throws RunError ENGINE_LOCKED when another process is at it, RUN_NOT_FOUND without a database
 */
async function copyTables(
    from: RunFolder,
    to: RunFolder,
    options: Parameters<typeof openTables>[1],
): Promise<void> {
    if (!existsSync(from.database)) {
        const detail = `${from.database} is gone: its partials cannot be had`;
        throw new RunError('RUN_NOT_FOUND', { detail });
    }
    if (existsSync(to.database)) (await openTables(to, options)).close();
    rmSync(to.folder, { recursive: true, force: true });
    makeFolders(to.folder);
    const partial = `${to.database}.partial`;
    copyFileSync(from.database, partial, constants.COPYFILE_FICLONE);
    renameSync(partial, to.database);
}

/** Makes the tables ready for the stages. Gives the meters that are metered again from all events. */
async function open(
    engine: Engine,
    source: Source,
    opened: OpenedPeriod,
    run: RunFolder,
): Promise<ReadonlySet<string>> {
    const { project } = opened;
    await requireBasis(engine, source, project);
    await requireWhole(engine, source, project);
    await keepPartials(engine, project);
    await prepare(engine, { ...opened, run });
    await requirePayers(engine, source);
    return keepWholes(engine, project);
}

function evidenceOf(
    engine: Engine,
    { certificate: { run_id, run_digest, completeness } }: Source,
    { project, options }: OpenedPeriod,
    run: RunFolder,
): Promise<Evidence> {
    const said = `Priced anew from the partials of ${run_id}: tie-outs, breaks and what wallets paid are as that run found them, at the prices that were in force then. They are not proved against these charges.`;
    const repriced: Repriced = {
        from: { run_id, run_digest },
        completeness: `${completeness} ${said}`,
    };
    const history = { from: run_id, looked_at: '0' };
    return certify(engine, project, options, run.runId, history, repriced);
}
