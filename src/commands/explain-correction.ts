import { counted } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { readBackfill } from '../run/backfills.ts';
import { readStateLog } from '../run/books.ts';
import type { BackfillLine } from '../schema/backfill.ts';
import type { Commit } from '../schema/commit.ts';
import type { LineItem } from '../schema/line-item.ts';
import type { State } from '../state/state.ts';

/** What a line that corrects another comes from. */
export interface CorrectionExplanation {
    readonly run_id: string;
    readonly line: LineItem;
    /** Of the line that it corrects: what was billed, what is right, and why. */
    readonly corrects: BackfillLine & {
        readonly period: string;
        /** The run that was billed of its period. */
        readonly run_id: string;
        /** Corrections of its period that counted as billed, too. */
        readonly correction_count: number;
    };
    /** revert: the line takes back what a backfill corrected. */
    readonly backfill: Pick<Commit, 'kind' | 'by' | 'reason' | 'at'> & { readonly id: string };
}

/**
 * Reads what is behind a correction from the log and the backfill that it names; null where the line
 * is none.
 * @throws RunError LOG_DAMAGED, BACKFILL_DAMAGED
 */
export async function correctionTrace(
    state: State,
    run_id: string,
    line: LineItem,
): Promise<CorrectionExplanation | null> {
    const { backfill_id, corrects_line_key, corrects_period: period } = line;
    if (backfill_id === null || period === null) return null;
    const billsIn = run_id.slice(0, 'yyyy-MM'.length);
    // In a period that bills it the first entry is the one that put it there.
    const entry = (await readStateLog(state)).commits.find(
        (of) =>
            of.backfill?.id === backfill_id &&
            of.backfill.bills_in === billsIn &&
            of.period === period,
    );
    if (!entry?.backfill) throw new Error(`the log has backfill ${backfill_id} of ${period}`);
    const { diff_sha256 } = entry.backfill;
    const { periods } = await readBackfill(state, { backfill_id, diff_sha256 });
    const found = periods.find((of) => of.period === period);
    const corrected = found?.lines.find((of) => of.line_key === corrects_line_key);
    if (!corrected) throw new Error(`backfill ${backfill_id} has line ${corrects_line_key}`);
    const { kind, by, reason, at } = entry;
    return {
        ...{ run_id, line },
        corrects: {
            ...{ ...corrected, period, run_id: entry.run_id },
            correction_count: found?.corrections.length ?? 0,
        },
        backfill: { id: backfill_id, kind, by, reason, at },
    };
}

/** The same for people. */
export function correctionText({ run_id, line, ...of }: CorrectionExplanation): string {
    const { corrects, backfill } = of;
    const { currency } = line;
    const what = backfill.kind === 'revert' ? 'takes back' : 'corrects';
    const cause = corrects.cause.replaceAll('_', ' ').replaceAll('+', ' + ');
    return `${[
        `line       ${line.line_key}`,
        `run        ${run_id}`,
        `payer      ${visible(line.payer_id)}, for account ${visible(line.account_id)}`,
        `what       ${visible(line.description)}`,
        `amount     ${line.amount} ${currency}, a line of type ${line.line_type}`,
        `${what.padEnd(10)} line ${corrects.line_key} of ${corrects.period}`,
        `           ${corrects.old} ${currency} billed by ${billedBy(corrects)}, ${corrects.new} ${currency} right: ${corrects.delta} ${currency}`,
        `cause      ${cause}`,
        `backfill   ${backfill.id}, ${backfill.kind === 'revert' ? 'reverted' : 'applied'} by ${visible(backfill.by)} at ${backfill.at}`,
        `because    ${visible(backfill.reason)}`,
    ].join('\n')}\n`;
}

function billedBy({ run_id, correction_count }: CorrectionExplanation['corrects']): string {
    if (correction_count === 0) return run_id;
    return `${run_id} and ${counted(correction_count, 'correction')} since`;
}
