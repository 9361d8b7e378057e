import { join, relative } from 'node:path';
import { RunError } from '../errors/index.ts';
import { renderBackfill } from '../report/backfill.ts';
import { counted } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import {
    type Applied,
    applyBackfill,
    type Compared,
    type Reverted,
    revertBackfill,
} from '../run/apply-backfill.ts';
import { comparePeriod } from '../run/backfill.ts';
import { type KeptBackfill, keepBackfill } from '../run/backfills.ts';
import { readStateLog } from '../run/books.ts';
import { refuseThere } from '../run/clickhouse/open.ts';
import { candidateOf } from '../run/pipeline.ts';
import type { RunOptions } from '../run/prepare.ts';
import { rePrice } from '../run/re-price.ts';
import { requireSafe } from '../state/state.ts';
import { monthAfter } from '../time/period.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { optionsOf, requirePeriod } from './run.ts';

export interface BackfillFlags {
    readonly from?: string;
    readonly to?: string;
    readonly reason?: string;
    readonly by: string;
    readonly asOf?: string;
    /** Price the stored partials anew instead of computing from objects. */
    readonly partials?: boolean;
    /** Let the log say what follows from it. */
    readonly apply?: boolean;
    /** Id of one that is to be taken back. */
    readonly revert?: string;
}

/**
 * `tieout backfill`: recomputes periods and shows, keeps and, when asked, applies what differs from what
 * was billed.
 * @throws RunError USAGE, PERIOD_INVALID, BACKFILL_*, LOG_*, OUTPUT_CHANGED, and as a run
 */
export async function backfill(flags: BackfillFlags, context: CommandContext): Promise<Answer> {
    const reason = (flags.reason ?? '').trim();
    if (reason === '') {
        throw new RunError('USAGE', {
            detail: 'nothing is computed anew without --reason',
            remedy: 'Say why, for those who get the lines: --reason "events of 30 October came late".',
        });
    }
    return flags.revert === undefined
        ? recompute({ ...flags, reason }, context)
        : takeBack(flags.revert, { ...flags, reason }, context);
}

type Reasoned = BackfillFlags & { readonly reason: string };

async function recompute(flags: Reasoned, context: CommandContext): Promise<Answer> {
    const { effects } = context;
    const project = projectOf(context);
    refuseThere(project, 'tieout backfill');
    const { by, reason } = flags;
    const at = effects.now();
    const wanted = wantedOf(flags, at);
    const make = flags.partials ? rePrice : candidateOf;
    return inState(project, context, async (state) => {
        await requireSafe(state);
        const log = await readStateLog(state);
        const compared: Compared[] = [];
        for (const options of wanted) {
            const found = await comparePeriod(project, state, effects, log, options, make);
            compared.push({ ...found, options: { ...options, as_of: found.made.as_of } });
        }
        const periods = compared.map(({ period }) => period);
        const kept = await keepBackfill(state, { document: 'tieout/backfill/1', periods });
        const note = { by, reason, at };
        const applied = flags.apply
            ? await applyBackfill(project, state, effects, log, kept, compared, note, candidateOf)
            : null;
        return answerOf(kept, compared, applied, flags, context);
    });
}

/** What is computed. Partials know what was there as of the instant of their run. */
function wantedOf(flags: BackfillFlags, now: string): readonly RunOptions[] {
    const { asOf, partials } = flags;
    if (partials && asOf !== undefined) {
        throw new RunError('USAGE', {
            detail: '--partials takes no --as-of: a month is priced anew as of the instant of its run',
            remedy: 'Leave out one of them.',
        });
    }
    return periodsOf(flags).map((period) =>
        optionsOf('nightly', { period, ...(asOf === undefined ? {} : { asOf }) }, now),
    );
}

/** The months of a range, in their order. */
function periodsOf({ from, to }: BackfillFlags): readonly string[] {
    if (from === undefined || to === undefined) {
        throw new RunError('USAGE', {
            detail: 'the range is not said',
            remedy: 'Name its first and last month: --from 2026-08 --to 2026-10.',
        });
    }
    const [first, last] = [requirePeriod(from), requirePeriod(to)];
    if (first > last) {
        throw new RunError('USAGE', {
            detail: `--from ${first} is after --to ${last}`,
            remedy: 'Name the earlier month first.',
        });
    }
    const months = [first];
    for (let month = first; month !== last; months.push(month)) month = monthAfter(month, 1);
    return months;
}

function answerOf(
    { id, folder, backfill: { periods } }: KeptBackfill,
    compared: readonly Compared[],
    applied: readonly Applied[] | null,
    { by, reason }: Reasoned,
    { cwd }: CommandContext,
): Answer {
    const isHeld = (applied ?? []).some(({ run }) => run?.certificate.result === 'held');
    const isRefused = periods.some(({ refused }) => refused.length > 0);
    const isFound = periods.some(({ lines, closings }) => lines.length > 0 || closings !== null);
    const next = isFound
        ? 'Nothing was applied. The same command with --apply does it.'
        : 'Nothing is to be applied.';
    const text = [
        `backfill   ${id}`,
        `because    ${visible(reason)}`,
        `kept in    ${relative(cwd, join(folder, 'diff.csv')) || '.'}`,
        '',
        renderBackfill(compared),
        '',
        ...(applied === null ? [next] : applied.map(appliedText)),
        '',
    ].join('\n');
    const outcomes = applied?.map(({ run, ...of }) => ({
        ...{ ...of, run_id: run?.run.runId ?? null },
    }));
    return {
        exit: applied !== null && (isHeld || isRefused) ? 1 : 0,
        text,
        json: {
            ...{ backfill_id: id, folder, by, reason, applied: outcomes ?? null },
            periods: compared.map(({ period, made }) => ({ ...period, ...made })),
        },
    };
}

function appliedText({ period, how, bills_in, line_count, run }: Applied): string {
    if (how === 'unchanged') return `${period}: nothing was to be applied`;
    if (how === 'run') return `${period}: ${run?.run.runId} speaks for it now`;
    return `${period}: ${counted(line_count, 'correction')} will be billed in ${bills_in}: \`tieout run --period ${bills_in}\``;
}

async function takeBack(
    id: string,
    { by, reason, from, to, apply, asOf, partials }: Reasoned,
    context: CommandContext,
): Promise<Answer> {
    if ([from, to, apply, asOf, partials].some((flag) => flag !== undefined)) {
        throw new RunError('USAGE', {
            detail: '--revert takes an id and a reason, and nothing else',
            remedy: 'Leave out --from, --to, --as-of, --partials and --apply.',
        });
    }
    const project = projectOf(context);
    const at = context.effects.now();
    const note = { by, reason, at, as_of: `${at.slice(0, 10)}T00:00:00Z` };
    const reverted = await inState(project, context, async (state) => {
        await requireSafe(state);
        return revertBackfill(project, state, context.effects, id, note);
    });
    const text = reverted.length
        ? reverted.map(revertedText).join('\n')
        : `backfill ${id} is reverted already; nothing was done`;
    return { exit: 0, text: `${text}\n`, json: { backfill_id: id, by, reason, reverted } };
}

function revertedText({ period, how, bills_in }: Reverted): string {
    const what =
        how === 'taken_out'
            ? `${bills_in} no longer bills its corrections`
            : `${bills_in} will bill the inverse of its corrections`;
    return `${period}: ${what}: \`tieout run --period ${bills_in}\``;
}
