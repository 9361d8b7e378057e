import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Effects } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import { visible } from '../report/visible.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Config } from '../schema/config.ts';
import { openState } from '../state/open.ts';
import type { ObjectEntry, ObjectStore } from '../store/object-store.ts';
import { readStateLog } from './books.ts';
import { version } from './code.ts';
import { type BilledCorrections, correctionsThen } from './corrections.ts';
import { execute } from './execute.ts';
import {
    commandOf,
    type RunFolder,
    readCertificate,
    runFolder,
    wholeCertificate,
} from './folders.ts';
import { type IngestedObject, pinOf } from './ingest.ts';
import { itemsFile } from './items.ts';
import { readKeptRules } from './kept-rules.ts';
import type { InputListing } from './listing.ts';
import { openRun, withCorrections } from './pipeline.ts';
import type { RunOptions } from './prepare.ts';
import { openProject, type Project } from './project.ts';
import { fetchRun } from './published.ts';
import { stagesOf } from './stages.ts';

/** What came of computing a run once more. */
export interface Reproduction {
    /** As the run left it, and as it was made now. */
    readonly certificate: Certificate;
    readonly again: Certificate;
    /** Whether it is what the run was. */
    readonly isSame: boolean;
    /** Outputs that are not the same to the byte, sorted. */
    readonly differing: readonly string[];
    /** Whether another version of tieout, or other code of the same, made the run. */
    readonly isOtherCode: boolean;
    /** Where what was made now is, if it differs. */
    readonly folder: string;
}

/**
 * Computes a past run once more: by the rules that it kept, from the very objects that it read, for the
 * same month and as of the same instant, in a folder apart. It speaks for nothing, and the run is left
 * alone.
 * @throws RunError INPUTS_CHANGED with every object and copy that is not as it was, OUTPUT_CHANGED,
 * RUN_NOT_FOUND, RUN_OUTDATED
 */
export async function reproduceRun(
    of: Pick<Project, 'file' | 'folder' | 'state' | 'config'>,
    effects: Effects,
    runId: string,
): Promise<Reproduction> {
    const { file, folder, config } = of;
    const { run, corrections } = await foundRun(of, effects, runId);
    const certificate = pastRun(run);
    const aside = runFolder(join(of.state, 'reproductions'), runId);
    rmSync(aside.folder, { recursive: true, force: true });
    const project = projectThen(run, certificate, file, aside);
    // Where objects are now is what the config of today says; what they are, the run.
    const store = await effects.openStore({ ...project.config, store: config.store }, folder);
    try {
        const again = await computeAgain(effects, store, project, certificate, aside, corrections);
        const differing = differencesOf(certificate, again);
        const isSame = differing.length === 0 && again.run_digest === certificate.run_digest;
        if (isSame) rmSync(aside.folder, { recursive: true, force: true });
        const isOtherCode = again.run_fingerprint !== certificate.run_fingerprint;
        return { certificate, again, differing, isSame, isOtherCode, folder: aside.folder };
    } finally {
        // What was landed for it is not the lake of anything.
        rmSync(aside.lake, { recursive: true, force: true });
        await store.close();
    }
}

/** @throws RunError RUN_NOT_FOUND, USAGE, STATE_DAMAGED, STORE_* */
async function foundRun(
    of: Pick<Project, 'folder' | 'state' | 'config'>,
    effects: Effects,
    runId: string,
): Promise<{ readonly run: RunFolder; readonly corrections: BilledCorrections }> {
    if (!/^[\w-]+$/.test(runId)) {
        throw new RunError('USAGE', {
            detail: `${JSON.stringify(runId)} is not the id of a run`,
            remedy: 'Take it from certificate.json or the log.',
        });
    }
    const state = await openState(of, effects);
    try {
        const log = await readStateLog(state);
        const run = await fetchRun(state, log, runId);
        const said = readCertificate(run);
        const corrections = await correctionsThen({ state, log }, said ?? { rules: {} });
        return { run, corrections };
    } finally {
        await state.close();
    }
}

/** @throws RunError OUTPUT_CHANGED, USAGE for a run that no objects were read for */
function pastRun(run: RunFolder): Certificate {
    const { runId } = run;
    const certificate = wholeCertificate(run);
    const { repriced_from } = certificate;
    if (!repriced_from) return certificate;
    throw new RunError('USAGE', {
        detail: `${runId} was priced anew from the partials of ${repriced_from.run_id}: it read no objects`,
        remedy: `Reproduce that one: \`tieout run --reproduce ${repriced_from.run_id}\`.`,
    });
}

/**
 * The project as it was, by the copies that the run kept.
 * @throws RunError INPUTS_CHANGED, RUN_OUTDATED where it kept none
 */
function projectThen(
    run: RunFolder,
    certificate: Certificate,
    file: string,
    aside: RunFolder,
): Project {
    const { config, texts, problems } = readKeptRules(run, certificate);
    if (problems.length) throw new RunError('INPUTS_CHANGED', { run_id: run.runId, problems });
    if (config === null) {
        throw new RunError('RUN_OUTDATED', {
            run: run.runId,
            version: certificate.tieout_version,
            detail: 'it kept no copies of its rules',
            command: commandOf(certificate.period, certificate),
        });
    }
    const folder = join(file, '..');
    const project = openProject(
        join(folder, config),
        (path) => texts.get(relative(folder, path)) ?? null,
    );
    // Without a log: what it opened with is among its rules, or it opened with nothing.
    const known = new Map([...texts, ...project.texts]);
    return { ...project, texts: known, state: join(aside.folder, '..', '..') };
}

async function computeAgain(
    effects: Effects,
    store: ObjectStore,
    project: Project,
    certificate: Certificate,
    run: RunFolder,
    corrections: BilledCorrections,
): Promise<Certificate> {
    const { pipeline, period, as_of, accept_gone, arrived_by, inputs } = certificate;
    const options: RunOptions = {
        ...{ pipeline, period, as_of },
        ...(accept_gone ? { accept_gone } : {}),
        ...(arrived_by === undefined ? {} : { arrived_by }),
    };
    const listings = await pinned(store, project.config, certificate);
    const opened = withCorrections(await openRun(project, store, null, options), corrections);
    const stages = stagesOf(options, opened.inputs);
    const stated = new Map(inputs.map((of) => [`${of.input} ${of.key}`, of.sha256]));
    const work = { ...opened, listings, stages, run, previous: null, monthBefore: null };
    const made = await execute(effects, store, work, (objects) =>
        requireContent(certificate, objects, stated),
    );
    return made.certificate;
}

/**
 * The objects that a run read, as the store lists them now. Their ETags may be others, which say how
 * and when an object was written: what is in it must be the same.
 * @throws RunError INPUTS_CHANGED
 */
async function pinned(
    store: ObjectStore,
    config: Config,
    { run_id, inputs }: Certificate,
): Promise<readonly InputListing[]> {
    const problems: string[] = [];
    const listings: InputListing[] = [];
    const all = [
        ...config.usage.map((input) => ({ input, role: 'usage' as const })),
        ...config.debits.map((input) => ({ input, role: 'debits' as const })),
    ];
    for (const { input, role } of all) {
        const there = new Map<string, ObjectEntry>();
        for await (const entry of store.list(input.prefix)) there.set(entry.key, entry);
        const entries = inputs
            .filter((of) => of.input === input.name)
            .flatMap(({ key, size }) => {
                const entry = there.get(key);
                if (entry?.size === size) return [entry];
                const what = entry ? `has ${entry.size} bytes, had ${size}` : 'is gone';
                problems.push(`${store.address}/${visible(key)} ${what}`);
                return [];
            });
        listings.push({ input, role, entries, gone: [], counted_by: '', landed_count: 0 });
    }
    if (problems.length) throw new RunError('INPUTS_CHANGED', { run_id, problems });
    return listings;
}

/** @throws RunError INPUTS_CHANGED */
function requireContent(
    { run_id }: Certificate,
    objects: readonly IngestedObject[],
    stated: ReadonlyMap<string, string>,
): void {
    const problems = objects.flatMap((object) => {
        const { key, sha256 } = pinOf(object);
        const was = stated.get(`${object.input.name} ${key}`);
        return was === sha256 ? [] : [`${visible(key)} has sha256 ${sha256}, had ${was}`];
    });
    if (problems.length) throw new RunError('INPUTS_CHANGED', { run_id, problems });
}

/**
 * The report says by which code it was made: it differs when nothing else does. When a break was first
 * seen other runs said.
 */
function differencesOf(certificate: Certificate, again: Certificate): readonly string[] {
    const isSameCode = again.run_fingerprint === certificate.run_fingerprint;
    const names = new Set([...Object.keys(certificate.outputs), ...Object.keys(again.outputs)]);
    return [...names]
        .filter((name) => certificate.outputs[name] !== again.outputs[name])
        .filter((name) => isSameCode || name !== 'report.html')
        .filter((name) => name !== itemsFile)
        .sort();
}

/** What made a run and what makes one now, where that is not the same; for people. */
export function codeText({ certificate, isOtherCode }: Reproduction): string | null {
    if (!isOtherCode) return null;
    const { tieout_version } = certificate;
    return tieout_version === version
        ? `made by other code than this, of the same version ${version}`
        : `made by tieout ${tieout_version}, this is ${version}`;
}
