import pLimit from 'p-limit';
import { readDeliveries } from '../deliver/outbox.ts';
import { RunError } from '../errors/index.ts';
import { readStateLog } from '../run/books.ts';
import { type RunSays, readRun, type StandingRun, standingBy } from '../run/items.ts';
import type { Commit, Erasure } from '../schema/commit.ts';
import type { Decision, Release } from '../schema/decision.ts';
import type { TargetDeliveries } from '../schema/delivery.ts';
import { type CommitLog, closedBy, periodsOf, readLog, spokenFor } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';

/** Any entry of the log. */
export type LogEntry = Commit | Erasure | Decision | Release;

/** Runs whose findings are kept at hand: what a run says never changes. */
const AT_HAND = 16;

/** How a period stands, for the list of all. */
export interface PeriodSummary extends StandingRun {
    readonly commit: Commit;
    readonly closed: Commit | null;
}

/** The stored runs, and what was decided about them, as they are at this moment. */
export class Library {
    readonly #state: State;
    readonly #runs = new Map<string, Promise<RunSays>>();
    /** By period: how it stood when the log ended so. */
    readonly #standings = new Map<string, { readonly head: string; readonly of: PeriodSummary }>();
    #log: CommitLog | null = null;
    /** One at a time looks into tables or outputs: each may take the memory of the config. */
    readonly alone = pLimit(1);

    constructor(state: State) {
        this.#state = state;
    }

    /** The log: what was read of it stands, so only what is new is read. */
    async log(): Promise<CommitLog> {
        this.#log = this.#log
            ? await readLog(this.#state.store, this.#log)
            : await readStateLog(this.#state);
        return this.#log;
    }

    /** Periods that a run speaks for, the latest first. */
    async periods(): Promise<readonly string[]> {
        const log = await this.log();
        return periodsOf(log)
            .filter((period) => spokenFor(log, period) !== null)
            .reverse();
    }

    /** How a period stands. @throws RunError RUN_NOT_FOUND, OUTPUT_CHANGED, STATE_*, STORE_* */
    async standing(period: string): Promise<PeriodSummary> {
        const log = await this.log();
        const commit = spokenFor(log, period);
        if (!commit) {
            throw new RunError('RUN_NOT_FOUND', { detail: `no run speaks for ${period}` });
        }
        const says = await this.run(commit);
        const known = this.#standings.get(period);
        if (known?.head === log.head) return known.of;
        const of = { ...standingBy(log, says), commit, closed: closedBy(log, period) };
        this.#standings.set(period, { head: log.head, of });
        for (const oldest of [...this.#standings.keys()].slice(0, -AT_HAND)) {
            this.#standings.delete(oldest);
        }
        return of;
    }

    /** What a run of the log says. Read once, and proven then: whoever enters something proves it anew. */
    async run(commit: Commit): Promise<RunSays> {
        const key = `${commit.run_id} ${commit.certificate_sha256}`;
        const known = this.#runs.get(key) ?? readRun(this.#state, commit);
        this.#runs.delete(key);
        this.#runs.set(key, known);
        for (const oldest of [...this.#runs.keys()].slice(0, -AT_HAND)) this.#runs.delete(oldest);
        try {
            return await known;
        } catch (error) {
            this.#runs.delete(key);
            throw error;
        }
    }

    /** What targets have of a period. @throws RunError OUTBOX_DAMAGED, STORE_* */
    deliveries(period: string): Promise<readonly TargetDeliveries[]> {
        return readDeliveries(this.#state.store, period);
    }

    /** All entries, the latest first. */
    async entries(): Promise<readonly LogEntry[]> {
        const { commits, erasures = [], decisions = [] } = await this.log();
        return [...commits, ...erasures, ...decisions].sort((a, b) => b.number - a.number);
    }

    /** The entry of a run of a period by its number. @throws RunError RUN_NOT_FOUND */
    async entry(period: string, number: number): Promise<Commit> {
        const { commits } = await this.log();
        const found = commits.find(
            (of) => of.kind === 'run' && of.period === period && of.number === number,
        );
        if (found) return found;
        const detail = `entry ${number} of the log names no run of ${period}`;
        throw new RunError('RUN_NOT_FOUND', { detail });
    }
}
