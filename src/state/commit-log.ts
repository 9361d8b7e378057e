import { createHash } from 'node:crypto';
import { text as textOfStream } from 'node:stream/consumers';
import pLimit from 'p-limit';
import { RunError } from '../errors/index.ts';
import { type Commit, commitSchema, type Erasure, erasureSchema } from '../schema/commit.ts';
import { type Decision, decisionSchema, type Release, releaseSchema } from '../schema/decision.ts';
import type { ObjectStore } from '../store/object-store.ts';

/**
 * What counts, in order. Each entry is the next numbered object, created only if there is none of
 * that name, in one small write: of two writers one wins, on S3, on Ceph and in a folder alike, and
 * neither can overwrite. What no entry names does not count, however whole it looks.
 */
export interface CommitLog {
    /** Entries about runs. */
    readonly commits: readonly Commit[];
    /** Entries about what was erased; left out where nothing was. */
    readonly erasures?: readonly Erasure[];
    /** Entries about breaks and held payers; left out where nobody decided anything. */
    readonly decisions?: readonly (Decision | Release)[];
    /** sha256 of the last entry; empty for none. The next one names it. */
    readonly head: string;
}

const empty: CommitLog = { commits: [], head: '' };

const prefix = 'commits/';
const keyOf = (number: number) => `${prefix}${String(number).padStart(8, '0')}.json`;
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
type Entry = Commit | Erasure | Decision | Release;
/** What is to be entered: its number and what comes before it are the log's. */
type Draft<E extends Entry> = Omit<E, 'number' | 'previous'>;

const schemas = [commitSchema, erasureSchema, decisionSchema, releaseSchema] as const;
/** An entry with its keys in the order of its schema, however it was put together; null for none. */
const entryIn = (value: unknown): Entry | null =>
    schemas.map((schema) => schema.safeParse(value).data).find((of) => of !== undefined) ?? null;

const textOf = (entry: Entry) => {
    const whole = entryIn(entry);
    if (!whole) throw new Error(`not an entry of the log: ${JSON.stringify(entry)}`);
    return `${JSON.stringify(whole)}\n`;
};

const isCommit = (entry: Entry): entry is Commit => 'run_digest' in entry;

const allOf = ({ commits, erasures = [], decisions = [] }: CommitLog): readonly Entry[] => [
    ...commits,
    ...erasures,
    ...decisions,
];
const countOf = ({ commits, erasures = [], decisions = [] }: CommitLog) =>
    commits.length + erasures.length + decisions.length;

function withEntry(log: CommitLog, entry: Entry, head: string): CommitLog {
    if (isCommit(entry)) return { ...log, commits: [...log.commits, entry], head };
    if (entry.kind === 'erase') {
        return { ...log, erasures: [...(log.erasures ?? []), entry], head };
    }
    return { ...log, decisions: [...(log.decisions ?? []), entry], head };
}

/** Entries read at a time: a log of years has thousands. */
const concurrency = 16;

/** Writers that lose more often than this in a row do not race: something is wrong. */
const attemptLimit = 100;

/**
 * Reads all entries, or those after what was seen. A folder that does not exist yet has none; a bucket
 * must be there.
 * @throws RunError STORE_*, LOG_DAMAGED when one is missing, unreadable, or not the one that its successor saw
 */
export async function readLog(store: ObjectStore, seen = empty): Promise<CommitLog> {
    const keys: string[] = [];
    try {
        for await (const { key } of store.list(prefix)) keys.push(key);
    } catch (error) {
        const isMissing = error instanceof RunError && error.code === 'STORE_BUCKET_MISSING';
        if (isMissing && store.address.startsWith('folder:')) return empty;
        throw error;
    }
    const damaged = (key: string, detail: string) =>
        new RunError('LOG_DAMAGED', { store: store.address, key, detail });
    const gap = keys.findIndex((key, index) => key !== keyOf(index + 1));
    if (gap >= 0) throw damaged(keys[gap] ?? '', `${keyOf(gap + 1)} should come before it`);
    const limit = pLimit(concurrency);
    const after = keys.slice(countOf(seen));
    const texts = await Promise.all(after.map((key) => limit(() => textAt(store, key))));
    let log = seen;
    for (const [index, text] of texts.entries()) {
        const key = after[index] ?? '';
        const entry = parsed(text);
        const number = countOf(log) + 1;
        if (entry === null) throw damaged(key, 'it is not an entry of the log');
        if (entry.number !== number)
            throw damaged(key, `it says that it is number ${entry.number}`);
        if (entry.previous !== log.head) throw damaged(key, 'an entry before it was changed');
        log = withEntry(log, entry, hashOf(text));
    }
    return log;
}

/** The text of a small object. */
export async function textAt(store: ObjectStore, key: string): Promise<string> {
    return textOfStream((await store.get(key)).stream);
}

function parsed(text: string): Entry | null {
    try {
        return entryIn(JSON.parse(text));
    } catch {
        return null;
    }
}

/**
 * Adds an entry after those that the writer has seen. When others were faster, `admit` looks at their
 * entries and throws if this one may no longer be made; otherwise it takes the next number. An
 * attempt whose answer was lost is found again, not made twice; nor is what another start of the
 * same run has said already.
 * @throws RunError LOG_CONTENDED, or what `admit` throws
 */
export function appendCommit(
    store: ObjectStore,
    seen: CommitLog,
    draft: Draft<Commit>,
    admit: (others: readonly Commit[]) => void,
): Promise<CommitLog> {
    return append(store, seen, draft, admit);
}

/** The same for what was erased, which nothing that others do can make untrue. */
export function appendErasure(
    store: ObjectStore,
    seen: CommitLog,
    draft: Draft<Erasure>,
): Promise<CommitLog> {
    return append(store, seen, draft, () => {});
}

/** The same for what a person decided: it says of what, and counts for nothing else. */
export function appendDecision(
    store: ObjectStore,
    seen: CommitLog,
    draft: Draft<Decision> | Draft<Release>,
): Promise<CommitLog> {
    return append(store, seen, draft, () => {});
}

async function append(
    store: ObjectStore,
    seen: CommitLog,
    draft: Draft<Commit> | Draft<Erasure> | Draft<Decision> | Draft<Release>,
    admit: (others: readonly Commit[]) => void,
): Promise<CommitLog> {
    let log = seen;
    for (let attempt = 1; attempt <= attemptLimit; attempt++) {
        const number = countOf(log) + 1;
        const text = textOf({ number, previous: log.head, ...draft } as Entry);
        if (await store.create(keyOf(number), text)) {
            return withEntry(log, JSON.parse(text) as Entry, hashOf(text));
        }
        const now = await readLog(store, log);
        const there = allOf(now).find((of) => of.number === number);
        if (there && textOf(there) === text) return now;
        const others = now.commits.filter((of) => of.number >= number);
        if ('run_digest' in draft && isSaid(draft, others)) return now;
        admit(others);
        log = now;
    }
    throw new RunError('LOG_CONTENDED', { store: store.address, attempts: attemptLimit });
}

/** Whether the last of these runs of the period is this very run: it speaks, whoever entered it. */
function isSaid(draft: Draft<Commit>, others: readonly Commit[]): boolean {
    if (draft.kind !== 'run') return false;
    const last = others.findLast((of) => of.kind === 'run' && of.period === draft.period);
    return last !== undefined && isSameRun(last, draft);
}

type OfRun = Pick<Commit, 'run_id' | 'run_digest' | 'certificate_sha256'>;

/** Whether two entries are about one run, and say that it left the same. */
export function isSameRun(one: OfRun, other: OfRun): boolean {
    return (
        one.run_id === other.run_id &&
        one.run_digest === other.run_digest &&
        one.certificate_sha256 === other.certificate_sha256
    );
}

/** The entry of the run that speaks for a period, of any pipeline or of one; null when none does. */
export function spokenFor(
    { commits }: CommitLog,
    period: string,
    pipeline?: Commit['pipeline'],
): Commit | null {
    const speaks = (of: Commit) =>
        of.kind === 'run' &&
        of.period === period &&
        (pipeline === undefined || of.pipeline === pipeline);
    return commits.findLast(speaks) ?? null;
}

/** The entry that closed a period, unless it was reopened since. */
export function closedBy({ commits }: CommitLog, period: string): Commit | null {
    const closes = ({ kind }: Commit) => kind === 'close' || kind === 'reopen';
    const last = commits.findLast((of) => closes(of) && of.period === period);
    return last?.kind === 'close' ? last : null;
}

/** Periods that a run speaks for, sorted. */
export function periodsOf({ commits }: CommitLog): readonly string[] {
    return [...new Set(commits.map(({ period }) => period))].sort();
}

/** What people decided about breaks, in the order of the log. */
export function decisionsIn({ decisions = [] }: CommitLog): readonly Decision[] {
    return decisions.filter((of) => of.kind === 'decide');
}

/** Which held payers people let go, or held again. */
export function releasesIn({ decisions = [] }: CommitLog): readonly Release[] {
    return decisions.filter((of) => of.kind !== 'decide');
}
