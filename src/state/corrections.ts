import type { Commit } from '../schema/commit.ts';
import { type CommitLog, closedBy } from './commit-log.ts';

/** Corrections of one closed period by one backfill, as an open period bills them. */
export interface Correction {
    /** revert: the inverse, of a backfill that was billed in a period that is closed now. */
    readonly kind: 'backfill' | 'revert';
    readonly backfill_id: string;
    /** sha256 of its diff.json. */
    readonly diff_sha256: string;
    /** The closed period. */
    readonly period: string;
    readonly bills_in: string;
    readonly by: string;
    readonly reason: string;
    readonly at: string;
}

/**
 * All corrections that count, in the order of the log. A reversal in the period that bills a backfill
 * takes it out; in a later one it is a correction of its own, with the other sign.
 */
export function correctionsIn({ commits }: Pick<CommitLog, 'commits'>): readonly Correction[] {
    let counting: readonly Correction[] = [];
    for (const commit of commits) {
        const correction = correctionOf(commit);
        if (!correction) continue;
        const taken = correction.kind === 'revert' ? revertedBy(counting, correction) : null;
        counting = taken ? counting.filter((of) => of !== taken) : [...counting, correction];
    }
    return counting;
}

/** Every correction that the log ever made, also those that were taken out again. */
export function everyCorrection({ commits }: Pick<CommitLog, 'commits'>): readonly Correction[] {
    return commits.flatMap((commit) => correctionOf(commit) ?? []);
}

function correctionOf({ kind, backfill, period, by, reason, at }: Commit): Correction | null {
    if ((kind !== 'backfill' && kind !== 'revert') || !backfill) return null;
    const { id: backfill_id, diff_sha256, bills_in } = backfill;
    return { kind, backfill_id, diff_sha256, period, bills_in, by, reason, at };
}

/** What a reversal takes out of the period that would bill it; null where it is billed elsewhere. */
function revertedBy(counting: readonly Correction[], revert: Correction): Correction | null {
    const isSame = (of: Correction) =>
        of.kind === 'backfill' &&
        of.backfill_id === revert.backfill_id &&
        of.period === revert.period &&
        of.bills_in === revert.bills_in;
    return counting.findLast(isSame) ?? null;
}

/** What a period bills of closed ones. */
export function billedIn(log: Pick<CommitLog, 'commits'>, period: string): readonly Correction[] {
    return correctionsIn(log).filter(({ bills_in }) => bills_in === period);
}

/** What later periods bill of a closed one. */
export function correctionsOf(
    log: Pick<CommitLog, 'commits'>,
    period: string,
): readonly Correction[] {
    return correctionsIn(log).filter((of) => of.period === period);
}

/** Backfills of a period that later ones bill and that nothing takes back. */
export function standing(log: Pick<CommitLog, 'commits'>, period: string): readonly Correction[] {
    const all = correctionsOf(log, period);
    const isReverted = ({ backfill_id }: Correction) =>
        all.some((of) => of.kind === 'revert' && of.backfill_id === backfill_id);
    return all.filter((of) => of.kind === 'backfill' && !isReverted(of));
}

/** The earliest period after another that is not closed: it bills what corrects that one. */
export function openAfter(log: CommitLog, period: string, next: (of: string) => string): string {
    let open = next(period);
    while (closedBy(log, open)) open = next(open);
    return open;
}
