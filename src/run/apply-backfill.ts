import { isDeepStrictEqual } from 'node:util';
import type { Effects } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import { type BackfillLine, type BackfillPeriod, correctable } from '../schema/backfill.ts';
import type { Commit } from '../schema/commit.ts';
import { appendCommit, type CommitLog, closedBy, spokenFor } from '../state/commit-log.ts';
import {
    type Correction,
    correctionsIn,
    correctionsOf,
    openAfter,
    standing,
} from '../state/corrections.ts';
import type { State } from '../state/state.ts';
import { monthAfter } from '../time/period.ts';
import { type CandidateMaker, comparePeriod, type Found, payersIn } from './backfill.ts';
import { type KeptBackfill, readBackfill } from './backfills.ts';
import { commitRun, readStateLog } from './books.ts';
import { correctionLines, requireBillable } from './corrections.ts';
import type { RunResult } from './pipeline.ts';
import type { RunOptions } from './prepare.ts';
import type { Project } from './project.ts';
import { publishRun } from './published.ts';

/** Who does it, why, and when: for those who read the log. */
export type Note = Pick<Commit, 'by' | 'reason' | 'at'>;

/** A period with the candidate that it was compared with. */
export interface Compared extends Found {
    readonly options: RunOptions;
}

/** What became of the differences of a period. */
export interface Applied {
    readonly period: string;
    /**
     * unchanged: there was nothing to do. corrected: the log says that another period bills them.
     * run: the candidate speaks for the period now.
     */
    readonly how: 'unchanged' | 'corrected' | 'run';
    readonly bills_in: string | null;
    readonly line_count: number;
    readonly run: RunResult | null;
}

/**
 * Applies a backfill: the open period after a closed one bills its corrections from here on; of an open
 * period the candidate becomes the run that speaks. Closed ones come first, for what they are
 * corrected by belongs into the runs of the open ones.
 * @param make makes the run that is to speak for an open period, from its objects: one that was priced
 * anew proves no tie-out.
 * @throws RunError BACKFILL_OUTRUN when something came in between; what was applied before it stands
 */
export async function applyBackfill(
    project: Project,
    state: State,
    effects: Effects,
    seen: CommitLog,
    kept: KeptBackfill,
    compared: readonly Compared[],
    note: Note,
    make: CandidateMaker,
): Promise<readonly Applied[]> {
    const applied: Applied[] = [];
    let log = seen;
    const [closed = [], open = []] = [true, false].map((is) =>
        compared.filter(({ period }) => period.is_closed === is),
    );
    for (const { period, made } of closed) {
        const { length: line_count } = correctable(period);
        const { bills_in } = period;
        const isFound = line_count > 0 || period.closings !== null;
        const how = isFound ? 'corrected' : 'unchanged';
        if (isFound && bills_in !== null) {
            requireAsShown(log, period);
            const { id, diff_sha256 } = kept;
            const candidate_run_id = made.candidate.run_id;
            const backfill = { id, diff_sha256, bills_in, candidate_run_id };
            log = await append(state, log, 'backfill', period.period, backfill, note);
        }
        applied.push({ period: period.period, how, bills_in, line_count, run: null });
    }
    for (const one of open) {
        applied.push(await speak(project, state, effects, log, one, note, make));
        log = await readStateLog(state);
    }
    return applied.sort((one, other) => (one.period < other.period ? -1 : 1));
}

/**
 * Entries that came before the last one of ours are in the log by now, and may be of this period.
 * @throws RunError BACKFILL_OUTRUN
 */
function requireAsShown(log: CommitLog, { period, bills_in, corrections }: BackfillPeriod): void {
    const isSame =
        closedBy(log, period) !== null &&
        openAfter(log, period, (of) => monthAfter(of, 1)) === bills_in &&
        correctionsOf(log, period).length === corrections.length;
    if (isSame) return;
    const detail = 'what is closed, or corrected, is not what it was when it was compared';
    throw new RunError('BACKFILL_OUTRUN', { period, detail });
}

/** Adds an entry of corrections to the log, unless something touched one of its two periods. */
async function append(
    state: State,
    log: CommitLog,
    kind: 'backfill' | 'revert',
    period: string,
    backfill: NonNullable<Commit['backfill']>,
    { by, reason, at }: Note,
): Promise<CommitLog> {
    const closed = spokenFor(log, period, 'nightly');
    if (!closed) throw new Error(`a closed period has a run: ${period}`);
    const { pipeline, run_id, run_digest, certificate_sha256 } = closed;
    const of = { pipeline, period, run_id, run_digest, certificate_sha256 };
    const entry = { ...of, kind, by, reason, at, backfill };
    return appendCommit(state.store, log, entry, (others) => {
        const other = others.find(
            (one) =>
                one.period === period || (one.period === backfill.bills_in && one.kind !== 'run'),
        );
        if (!other) return;
        const detail = `somebody else added a ${other.kind} of ${other.period} to the log meanwhile`;
        throw new RunError('BACKFILL_OUTRUN', { period, detail });
    });
}

/** Makes the candidate the run that speaks for an open period: with what it bills of closed ones now. */
async function speak(
    project: Project,
    state: State,
    effects: Effects,
    log: CommitLog,
    { period: shown, made: found, candidate, options }: Compared,
    { by, reason, at }: Note,
    make: CandidateMaker,
): Promise<Applied> {
    const { period, lines } = shown;
    const nothing = { period, how: 'unchanged', bills_in: null, line_count: 0, run: null } as const;
    if (lines.length === 0 && found.billed !== null) return nothing;
    const speaks = spokenFor(log, period, 'nightly')?.run_digest;
    if (speaks !== found.billed?.run_digest) {
        const detail = 'another run speaks for it since it was compared';
        throw new RunError('BACKFILL_OUTRUN', { period, detail });
    }
    const made = await make(project, effects, options);
    if (made.run.runId !== candidate.run.runId) {
        const again = await comparePeriod(project, state, effects, log, options, async () => made);
        if (!isDeepStrictEqual(usageOf(again.period.lines), usageOf(lines))) {
            const detail = candidate.certificate.repriced_from
                ? 'its objects give other lines than its partials: leave out --partials'
                : 'a second look gives other lines than were shown';
            throw new RunError('BACKFILL_OUTRUN', { period, detail });
        }
    }
    await publishRun(state, log, made.run, made);
    await commitRun(state, log, made.run, made.certificate, at, { by, reason });
    return { ...nothing, how: 'run', line_count: lines.length, run: made };
}

/** Without what the period bills of closed ones, and without causes: those are of its inputs. */
const usageOf = (lines: readonly BackfillLine[]) =>
    lines
        .filter(({ line_type }) => !line_type.endsWith('_adjustment'))
        .map(({ line_key, old, new: now }) => [line_key, old, now]);

/** What became of a backfill that was to be reverted. */
export interface Reverted {
    readonly period: string;
    /** Whether an open period no longer bills it, or a later one bills its inverse. */
    readonly how: 'taken_out' | 'inverted';
    readonly bills_in: string;
}

/**
 * Reverts what is left of a backfill. In a period that is still open its corrections are taken out; of
 * one that is closed the inverse is billed in the next open one. Nothing is left: nothing is done.
 * @throws RunError BACKFILL_UNKNOWN, REVERT_REFUSED, BACKFILL_OUTRUN, CORRECTION_UNBILLABLE
 */
export async function revertBackfill(
    project: Project,
    state: State,
    effects: Effects,
    id: string,
    note: Note & { readonly as_of: string },
): Promise<readonly Reverted[]> {
    const seen = await readStateLog(state);
    const known = [...new Set(seen.commits.flatMap(({ backfill }) => backfill?.id ?? []))].sort();
    if (!known.includes(id)) throw new RunError('BACKFILL_UNKNOWN', { id, known });
    const own = correctionsIn(seen).filter(({ backfill_id }) => backfill_id === id);
    const isReverted = ({ period }: Correction) =>
        own.some((of) => of.kind === 'revert' && of.period === period);
    const reverted: Reverted[] = [];
    let log = seen;
    for (const correction of own.filter((of) => !isReverted(of))) {
        const { period, bills_in: billed, diff_sha256 } = correction;
        const isClosed = closedBy(log, billed) !== null;
        await requireRevertible(state, log, correction, isClosed);
        const bills_in = isClosed ? openAfter(log, billed, (of) => monthAfter(of, 1)) : billed;
        if (isClosed)
            await requireInverse(project, state, effects, correction, bills_in, note.as_of);
        const backfill = { id, diff_sha256, bills_in };
        log = await append(state, log, 'revert', period, backfill, note);
        reverted.push({ period, how: isClosed ? 'inverted' : 'taken_out', bills_in });
    }
    return reverted;
}

/**
 * What the month after it opened with is taken back with it: nothing may count on that any more.
 * @throws RunError REVERT_REFUSED
 */
async function requireRevertible(
    state: State,
    log: CommitLog,
    correction: Correction,
    isClosed: boolean,
): Promise<void> {
    const { backfill_id: id, period, bills_in } = correction;
    const { periods } = await readBackfill(state, correction);
    if ((periods.find((of) => of.period === period)?.closings ?? null) === null) return;
    const refuse = (detail: string, remedy: string) => {
        throw new RunError('REVERT_REFUSED', { id, period, detail, remedy });
    };
    if (isClosed) {
        refuse(
            `${bills_in} opened with what it closes with, and is closed`,
            `First \`tieout reopen --period ${bills_in} --reason WHY\`.`,
        );
    }
    const later = standing(log, period).at(-1)?.backfill_id;
    if (later !== undefined && later !== id) {
        refuse(
            `backfill ${later} came after it and counts on what it closes with`,
            `First \`tieout backfill --revert ${later} --reason WHY\`.`,
        );
    }
}

/** That the next open period can bill the inverse is known before it has to. */
async function requireInverse(
    project: Project,
    state: State,
    effects: Effects,
    correction: Correction,
    period: string,
    as_of: string,
): Promise<void> {
    const options = { pipeline: 'nightly', period, as_of } as const;
    const { paths } = await payersIn(project, effects, options);
    requireBillable(await correctionLines(state, correction), paths, period);
}
