import { createHash } from 'node:crypto';
import { RunError } from '../errors/index.ts';
import { type Commit, commitSchema } from '../schema/commit.ts';
import type { ObjectStore } from '../store/object-store.ts';

/**
 * What counts, in order. Each entry is the next numbered object, created only if there is none of
 * that name, in one small write: of two writers one wins, on S3, on Ceph and in a folder alike, and
 * neither can overwrite. What no entry names does not count, however whole it looks.
 */
export interface CommitLog {
    readonly commits: readonly Commit[];
    /** sha256 of the last entry; empty for none. The next one names it. */
    readonly head: string;
}

const prefix = 'commits/';
const keyOf = (number: number) => `${prefix}${String(number).padStart(8, '0')}.json`;
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
/** Keys in the order of the schema, however the entry was put together. */
const textOf = (commit: Commit) => `${JSON.stringify(commitSchema.parse(commit))}\n`;

/** Writers that lose more often than this in a row do not race: something is wrong. */
const attemptLimit = 100;

/**
 * Reads all entries. A store that does not exist yet has none.
 * @throws RunError LOG_DAMAGED when one is missing, unreadable, or not the one that its successor saw
 */
export async function readLog(store: ObjectStore): Promise<CommitLog> {
    const keys: string[] = [];
    try {
        for await (const { key } of store.list(prefix)) keys.push(key);
    } catch (error) {
        if (error instanceof RunError && error.code === 'STORE_BUCKET_MISSING') return empty;
        throw error;
    }
    let log: CommitLog = empty;
    for (const [index, key] of keys.entries()) {
        const damaged = (detail: string) =>
            new RunError('LOG_DAMAGED', { store: store.address, key, detail });
        if (key !== keyOf(index + 1)) throw damaged(`${keyOf(index + 1)} should come before it`);
        const text = await textAt(store, key);
        const commit = parsed(text);
        if (commit === null) throw damaged('it is not an entry of the log');
        if (commit.number !== index + 1)
            throw damaged(`it says that it is number ${commit.number}`);
        if (commit.previous !== log.head) throw damaged('an entry before it was changed');
        log = { commits: [...log.commits, commit], head: hashOf(text) };
    }
    return log;
}

const empty: CommitLog = { commits: [], head: '' };

/** The text of a small object. */
export async function textAt(store: ObjectStore, key: string): Promise<string> {
    const { stream } = await store.get(key);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): Commit | null {
    try {
        return commitSchema.safeParse(JSON.parse(text)).data ?? null;
    } catch {
        return null;
    }
}

/**
 * Adds an entry after those that the writer has seen. When others were faster, `admit` looks at their
 * entries and throws if this one may no longer be made; otherwise it takes the next number. An
 * attempt whose answer was lost is found again, not made twice.
 * @throws RunError LOG_CONTENDED, or what `admit` throws
 */
export async function appendCommit(
    store: ObjectStore,
    seen: CommitLog,
    draft: Omit<Commit, 'number' | 'previous'>,
    admit: (others: readonly Commit[]) => void,
): Promise<CommitLog> {
    let log = seen;
    for (let attempt = 1; attempt <= attemptLimit; attempt++) {
        const number = log.commits.length + 1;
        const text = textOf({ number, previous: log.head, ...draft });
        if (await store.create(keyOf(number), text)) {
            return { commits: [...log.commits, JSON.parse(text) as Commit], head: hashOf(text) };
        }
        const now = await readLog(store);
        const there = now.commits[number - 1];
        if (there && textOf(there) === text) return now;
        admit(now.commits.slice(log.commits.length));
        log = now;
    }
    throw new RunError('LOG_CONTENDED', { store: store.address, attempts: attemptLimit });
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
