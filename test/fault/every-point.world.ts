import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { failure } from '../../src/commands/failure.ts';
import { readStateLog } from '../../src/run/books.ts';
import { certificateFile, readCertificate, runFolder } from '../../src/run/folders.ts';
import { runPipeline } from '../../src/run/pipeline.ts';
import { openProject } from '../../src/run/project.ts';
import type { Certificate } from '../../src/schema/certificate.ts';
import { folderState } from '../../src/state/state.ts';
import { type FaultAt, type Watched, watching } from '../support/faults.ts';
import { memoryStore } from '../support/memory-store.ts';
import { defaults, type TestProject, testProject } from '../support/project.ts';
import { tinyFiles } from '../support/terminal.ts';

/*
 * One operation of a whole night fails; then the same command runs again. Whichever it was: nothing
 * half-written looks whole, the log has one entry of the run, and the bytes are those of a night that
 * never failed.
 */
const tiny = tinyFiles();
const objects = Object.fromEntries(
    Object.entries(tiny)
        .filter(([name]) => name.startsWith('data/'))
        .map(([name, text]) => [name.slice('data/'.length), text]),
);
const beside = Object.fromEntries(
    Object.entries(tiny).filter(([name]) => !name.startsWith('data/')),
);

/** A night with a fault, or without one. */
interface Attempt {
    readonly watched: Watched;
    /** What it gave; null when it failed. */
    readonly certificate: Certificate | null;
    readonly error: unknown;
}

async function attempt(project: TestProject, fault?: FaultAt): Promise<Attempt> {
    const opened = openProject(join(project.folder, 'tieout.yaml'));
    const watched = watching(fault);
    const openStore = async () => watched.watch(memoryStore(objects));
    try {
        const effects = { ...project.effects, openStore };
        const { certificate } = await runPipeline(opened, effects, defaults);
        return { watched, certificate, error: null };
    } catch (error) {
        return { watched, certificate: null, error };
    } finally {
        watched.stop();
    }
}

const stateOf = ({ folder }: TestProject) => join(folder, '.tieout');

/** Whatever has the name of an output is one, to the byte; whatever the log names is there. */
async function nothingHalf(project: TestProject): Promise<void> {
    const state = stateOf(project);
    for (const output of globSync(join(state, 'runs/*/output'))) {
        const run = runFolder(state, output.split('/').at(-2) ?? '');
        expect(readCertificate(run), 'an output that is not whole').not.toBeNull();
    }
    const { commits } = await readStateLog(folderState(state));
    expect(commits.length).toBeLessThanOrEqual(1);
    for (const { run_id } of commits) {
        expect(existsSync(join(runFolder(state, run_id).output, certificateFile))).toBe(true);
    }
}

/** The files of the one run, by name. What a crash left behind would be among them. */
function filesOf(project: TestProject): Readonly<Record<string, string>> {
    const found = readdirSync(stateOf(project), { recursive: true, encoding: 'utf8' }).sort();
    // A few bytes of a writer that could not take them away; no listing has them.
    const names = found.filter((name) => !/^commits\/.*\.partial$/.test(name));
    const texts = globSync(join(stateOf(project), 'runs/*/output/*')).map((path) => [
        path.slice(path.lastIndexOf('/') + 1),
        readFileSync(path, 'latin1'),
    ]);
    return { names: names.join('\n'), ...Object.fromEntries(texts) };
}

/** A night in which nothing fails: how many operations it has, and what is there afterwards. */
export async function soundNight(): Promise<{
    readonly operations: readonly string[];
    readonly certificate: Certificate;
    readonly files: Readonly<Record<string, string>>;
}> {
    const project = testProject(beside, memoryStore({}));
    try {
        const { watched, certificate, error } = await attempt(project);
        if (!certificate) throw error;
        return { operations: watched.operations, certificate, files: filesOf(project) };
    } finally {
        project.remove();
    }
}

/**
 * A night with a fault and the same night again.
 * @returns what failed; null when the night was over before.
 */
export async function survives(
    fault: FaultAt,
    sound: Awaited<ReturnType<typeof soundNight>>,
): Promise<string | null> {
    const project = testProject(beside, memoryStore({}));
    try {
        const first = await attempt(project, fault);
        await nothingHalf(project);
        const [struck = null] = first.watched.struck;
        if (first.certificate) expect(first.certificate).toEqual(sound.certificate);
        // Never the fault of whoever wrote the config or the data.
        else expect(failure(first.error).exit, String(first.error)).toBeGreaterThan(2);
        const again = await attempt(project);
        if (!again.certificate) throw again.error;
        await nothingHalf(project);
        expect(again.certificate).toEqual(sound.certificate);
        expect(filesOf(project)).toEqual(sound.files);
        expect((await readStateLog(folderState(stateOf(project)))).commits).toHaveLength(1);
        return struck;
    } catch (error) {
        throw new Error(`operation ${fault.number} (${fault.manner})`, { cause: error });
    } finally {
        project.remove();
    }
}
