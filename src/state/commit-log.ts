import { createHash } from 'node:crypto';
import { text as textOfStream } from 'node:stream/consumers';
import pLimit from 'p-limit';
import { RunError } from '../errors/index.ts';
import { type Commit, commitSchema, type Erasure, erasureSchema } from '../schema/commit.ts';
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
    /** sha256 of the last entry; empty for none. The next one names it. */
    readonly head: string;
}

const empty: CommitLog = { commits: [], head: '' };

const prefix = 'commits/';
const keyOf = (number: number) => `${prefix}${String(number).padStart(8, '0')}.json`;
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
type Entry = Commit | Erasure;
/** Keys in the order of the schema, however the entry was put together. */
const textOf = (entry: Entry) =>
    `${JSON.stringify(entry.kind === 'erase' ? erasureSchema.parse(entry) : commitSchema.parse(entry))}\n`;

const countOf = ({ commits, erasures = [] }: CommitLog) => commits.length + erasures.length;
const withEntry = ({ commits, erasures }: CommitLog, entry: Entry, head: string): CommitLog =>
    entry.kind === 'erase'
        ? { commits, erasures: [...(erasures ?? []), entry], head }
        : { commits: [...commits, entry], ...(erasures ? { erasures } : {}), head };

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
        const entry: unknown = JSON.parse(text);
        return commitSchema.safeParse(entry).data ?? erasureSchema.safeParse(entry).data ?? null;
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
    draft: Omit<Commit, 'number' | 'previous'>,
    admit: (others: readonly Commit[]) => void,
): Promise<CommitLog> {
    return append(store, seen, draft, admit);
}

/** The same for what was erased, which nothing that others do can make untrue. */
export function appendErasure(
    store: ObjectStore,
    seen: CommitLog,
    draft: Omit<Erasure, 'number' | 'previous'>,
): Promise<CommitLog> {
    return append(store, seen, draft, () => {});
}

async function append(
    store: ObjectStore,
    seen: CommitLog,
    draft: Omit<Commit, 'number' | 'previous'> | Omit<Erasure, 'number' | 'previous'>,
    admit: (others: readonly Commit[]) => void,
): Promise<CommitLog> {
    let log = seen;
    for (let attempt = 1; attempt <= attemptLimit; attempt++) {
        const number = countOf(log) + 1;
        const text = textOf({ number, previous: log.head, ...draft });
        if (await store.create(keyOf(number), text)) {
            return withEntry(log, JSON.parse(text) as Entry, hashOf(text));
        }
        const now = await readLog(store, log);
        const there = [...now.commits, ...(now.erasures ?? [])].find((of) => of.number === number);
        if (there && textOf(there) === text) return now;
        const others = now.commits.filter((of) => of.number >= number);
        if (draft.kind !== 'erase' && isSaid(draft, others)) return now;
        admit(others);
        log = now;
    }
    throw new RunError('LOG_CONTENDED', { store: store.address, attempts: attemptLimit });
}

/** Whether the last of these runs of the period is this very run: it speaks, whoever entered it. */
function isSaid(draft: Omit<Commit, 'number' | 'previous'>, others: readonly Commit[]): boolean {
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
