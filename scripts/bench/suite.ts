import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { medians, type Part } from '../support/cost.ts';
import { type Answer, differences, parseAnswer } from './answer.ts';
import { makeCsv, makeData, makeText, parquetBytes } from './data.ts';
import { missingPeers } from './peers.ts';
import { type Measured, type Setting, type Size, type Subject, subjects } from './subject.ts';

/** What the suite is asked for. */
export interface Wanted {
    readonly events: string;
    /** The most events for what would take unbearably long with all. */
    readonly smallEvents: string;
    readonly runs: number;
    readonly dir: string;
    readonly memory: string;
    readonly threads: number;
    /** Names of subjects; empty for all. */
    readonly only: readonly string[];
    readonly skipsPeers: boolean;
    /** Whether peers that are not there are installed, or left out. */
    readonly installsPeers: boolean;
    /** The program that nights are run with. */
    readonly cli: string;
    /** What else a reader should know of the machine; empty for nothing. */
    readonly note: string;
}

/** All runs of one subject. */
export interface Result {
    readonly subject: Subject;
    readonly events: string;
    /** Medians. */
    readonly parts: readonly Part[];
    readonly says: string;
    /** Whether it does the job, and so is compared with others that do. */
    readonly doesJob: boolean;
}

/** How large the Parquet of both sides is. */
export interface DataSize {
    readonly events: string;
    readonly bytes: number;
}

/** What came of the whole suite. */
export interface Outcome {
    readonly data: readonly DataSize[];
    readonly results: readonly Result[];
    /** Why subjects were left out, by name. */
    readonly skipped: ReadonlyMap<string, string>;
    /** What failed, or came to other totals. */
    readonly problems: readonly string[];
}

type Say = (line: string) => void;

/** Measures every subject in a process of its own, round after round, and compares what they come to. */
export async function runSuite(wanted: Wanted, say: Say): Promise<Outcome> {
    const chosen = choose(wanted);
    const missing = missingPeers(chosen, wanted.installsPeers, say);
    const skipped = new Map<string, string>();
    for (const { name, peer } of chosen) {
        const why = peer && missing.get(peer);
        if (why) skipped.set(name, why);
    }
    const measured = chosen.filter(({ name }) => !skipped.has(name));
    const data = await makeAll(wanted, measured, say);
    const runs = new Map<Subject, Measured[]>();
    const problems: string[] = [];
    for (let round = 1; round <= wanted.runs; round += 1) {
        const isLast = round === wanted.runs;
        for (const subject of measured.filter((of) => !of.isOnce || isLast)) {
            say(`run ${round} of ${wanted.runs}: ${subject.name}`);
            try {
                const run = await inChild(subject, settingOf(wanted, subject.size));
                runs.set(subject, [...(runs.get(subject) ?? []), run]);
            } catch (error) {
                problems.push(`${subject.name}: ${error instanceof Error ? error.message : error}`);
            }
        }
    }
    const results = [...runs].map(([subject, of]) => resultOf(wanted, subject, of));
    return { data, results, skipped, problems: [...problems, ...contradictions(wanted, runs)] };
}

function choose({ only, skipsPeers, events, smallEvents }: Wanted): readonly Subject[] {
    const unknown = only.filter((name) => !subjects.some((of) => of.name === name));
    if (unknown.length) throw new RangeError(`no subject is called ${unknown.join(', ')}`);
    const isSmall = BigInt(events) <= BigInt(smallEvents);
    return subjects.filter(
        ({ name, peer }) =>
            (only.length === 0 || only.includes(name)) &&
            !(skipsPeers && peer) &&
            // With all events no more than those, the night over all is the one to compare with.
            !(isSmall && name === 'small-night'),
    );
}

/** Where and how large the data of a size is. */
function settingOf(
    { dir, events, smallEvents, memory, threads, cli }: Wanted,
    size: Size,
): Setting {
    const isSmall = size === 'small' && BigInt(smallEvents) < BigInt(events);
    const count = isSmall ? smallEvents : events;
    const folder = join(dir, size === 'rates' ? 'rates' : count);
    return { folder, events: count, memory, threads, cli };
}

/** Makes what is needed of each size. */
async function makeAll(
    wanted: Wanted,
    chosen: readonly Subject[],
    say: Say,
): Promise<readonly DataSize[]> {
    const made = new Map<string, DataSize>();
    for (const size of ['all', 'small'] as const) {
        const of = chosen.filter((subject) => subject.size === size);
        if (of.length === 0) continue;
        const setting = settingOf(wanted, size);
        if (!made.has(setting.events)) say(`data of ${setting.events} events`);
        await makeData(setting);
        if (of.some(({ needs }) => needs === 'text')) await makeText(setting);
        if (of.some(({ needs }) => needs === 'csv')) await makeCsv(setting);
        const { events } = setting;
        made.set(events, { events, bytes: parquetBytes(setting) });
    }
    return [...made.values()];
}

/** One run in a process of its own, whose memory is then that of the subject. */
async function inChild(subject: Subject, setting: Setting): Promise<Measured> {
    mkdirSync(setting.folder, { recursive: true });
    const into = join(setting.folder, `${subject.name}.json`);
    rmSync(into, { force: true });
    const child = spawn(
        process.execPath,
        [
            ...['--max-old-space-size=8192', join(import.meta.dirname, 'child.ts')],
            ...[subject.module ?? subject.name, JSON.stringify(setting), into],
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const err: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const code = await new Promise<number | null>((done, fail) => {
        child.on('error', fail);
        child.on('close', done);
    });
    if (!existsSync(into)) {
        throw new Error(`its process ended with ${code}: ${Buffer.concat(err).toString('utf8')}`);
    }
    const came = parseAnswer(readFileSync(into, 'utf8')) as Measured | { readonly error: string };
    rmSync(into);
    if ('error' in came) throw new Error(came.error);
    return came;
}

function resultOf(wanted: Wanted, subject: Subject, runs: readonly Measured[]): Result {
    return {
        ...{ subject, events: settingOf(wanted, subject.size).events },
        parts: medians(runs.map(({ parts }) => parts)),
        says: runs[0]?.says ?? '',
        doesJob: runs.some(({ answer }) => answer !== null),
    };
}

/** Whoever does the same job over the same data must come to the same, to the last digit, in every run. */
function contradictions(
    wanted: Wanted,
    runs: ReadonlyMap<Subject, readonly Measured[]>,
): readonly string[] {
    const found = new Set<string>();
    const answers: { name: string; events: string; answer: Answer }[] = [];
    for (const [{ name, size }, measured] of runs) {
        const digests = new Set(measured.flatMap(({ digest }) => digest ?? []));
        if (digests.size > 1) found.add(`${name}: its runs have ${digests.size} digests`);
        const { events } = settingOf(wanted, size);
        for (const { answer } of measured) if (answer) answers.push({ name, events, answer });
    }
    for (const [index, one] of answers.entries()) {
        for (const other of answers.slice(0, index).filter((of) => of.events === one.events)) {
            const places = differences(other.answer, one.answer).join('; ');
            if (places) found.add(`${one.name} differs from ${other.name}: ${places}`);
        }
    }
    return [...found];
}
