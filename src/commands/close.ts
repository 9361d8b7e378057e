import { join } from 'node:path';
import { RunError } from '../errors/index.ts';
import { entryOf, readStateLog } from '../run/books.ts';
import { closedWith } from '../run/closings.ts';
import { billsAll } from '../run/corrections.ts';
import { asDecided, readStanding } from '../run/items.ts';
import { isReplaced, openedWith } from '../run/openings.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Commit } from '../schema/commit.ts';
import type { Standing } from '../schema/item.ts';
import type { RunNews } from '../schema/outcome.ts';
import { appendCommit, type CommitLog, closedBy } from '../state/commit-log.ts';
import { standing } from '../state/corrections.ts';
import { requireSafe, type State } from '../state/state.ts';
import { parseInstant } from '../time/instant.ts';
import { parsePeriod } from '../time/period.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { requirePeriod } from './run.ts';

export interface CloseFlags {
    readonly period: string;
    readonly by: string;
    readonly reason?: string;
    /** Close although lines of some payers are held. */
    readonly withHeld?: boolean;
}

/**
 * `tieout close`: freezes a period by the digest of the run that speaks for it. From then on no run
 * takes its place.
 * @throws RunError CLOSE_REFUSED, RUN_NOT_FOUND, OUTPUT_CHANGED, STATE_*, LOG_*
 */
export async function close(flags: CloseFlags, context: CommandContext): Promise<Answer> {
    const period = requirePeriod(flags.period);
    return inState(projectOf(context), context, async (state) => {
        await requireSafe(state);
        const log = await readStateLog(state);
        const before = closedBy(log, period);
        if (before) return answerOf(before, `${period} is closed already`, { is_reused: true });
        const { run, certificate, standing } = await readStanding(state, log, period);
        requireClosable(certificate, standing, flags.withHeld ?? false);
        await requireOpenings(state, log, certificate);
        requireCorrections(log, certificate);
        const { by, reason = '' } = flags;
        const at = context.effects.now();
        const entry = { ...entryOf(run, certificate), kind: 'close', by, reason, at } as const;
        const after = await appendCommit(state.store, log, entry, (others) =>
            requireUntouched(period, others),
        );
        return answerOf(lastOf(after, period), `${period} is closed`, {
            certificate: asDecided(certificate, standing),
        });
    });
}

/**
 * `tieout reopen`: lets a run take the place of the closed one. What was closed stays in the log.
 * @throws RunError PERIOD_NOT_CLOSED, REOPEN_REFUSED, STATE_UNSAFE, USAGE without a reason, LOG_*
 */
export async function reopen(flags: CloseFlags, context: CommandContext): Promise<Answer> {
    const project = projectOf(context);
    const period = requirePeriod(flags.period);
    const { by, reason = '' } = flags;
    if (reason.trim() === '') {
        throw new RunError('USAGE', {
            detail: 'a period is not reopened without --reason',
            remedy: 'Say why, for those who read the log: --reason "price of March was wrong".',
        });
    }
    return inState(project, context, async (state) => {
        await requireSafe(state);
        const log = await readStateLog(state);
        const closed = closedBy(log, period);
        if (!closed) throw new RunError('PERIOD_NOT_CLOSED', { period });
        requireUncorrected(log, period);
        const { pipeline, run_id, run_digest, certificate_sha256 } = closed;
        const draft = { pipeline, period, run_id, run_digest, certificate_sha256, by, reason };
        const at = context.effects.now();
        const entry = { ...draft, kind: 'reopen', at } as const;
        const after = await appendCommit(state.store, log, entry, (others) =>
            requireUntouched(period, others),
        );
        return answerOf(lastOf(after, period), `${period} is open again`);
    });
}

/** @throws RunError CLOSE_REFUSED */
function requireClosable(certificate: Certificate, { payers }: Standing, withHeld: boolean): void {
    const { period, pipeline, as_of } = certificate;
    const refuse = (detail: string, remedy: string) => {
        throw new RunError('CLOSE_REFUSED', { period, detail, remedy });
    };
    if (pipeline !== 'nightly') {
        refuse(
            'its latest run wrote no lines, it only reconciled',
            `Run \`tieout run --period ${period}\` first.`,
        );
    }
    // The last zone on earth to end a month does so half a day after UTC.
    const end = parsePeriod(period, 'Etc/GMT+12').end;
    if (parseInstant(as_of) < end) {
        refuse(
            `its latest run knows only what was there before ${as_of}, and the month ends after that`,
            `Run it again once the month is over: \`tieout run --period ${period}\`.`,
        );
    }
    const held = payers.filter(({ standing }) => standing === 'held');
    if (held.length > 0 && !withHeld) {
        refuse(
            `lines of ${held.map(({ payer_id }) => payer_id).join(', ')} are held`,
            'Resolve their breaks (`tieout break resolve`), let them go (`tieout release`), or close with --with-held: held lines stay unbilled.',
        );
    }
}

/**
 * What a month opened with has to be what the one before closed with, and stay it: that one is closed
 * first.
 * @throws RunError CLOSE_REFUSED
 */
async function requireOpenings(
    state: State,
    log: CommitLog,
    certificate: Certificate,
): Promise<void> {
    const { period } = certificate;
    const before = openedWith(certificate);
    if (before === null) return;
    const closed = await closedWith(state, log, before);
    if (isReplaced(certificate, before, closed)) {
        const latest = closed?.run.runId ?? `the run of ${before}`;
        throw new RunError('CLOSE_REFUSED', {
            period,
            detail: `what it opened with is not what ${latest}, the latest run of the month before, closed with`,
            remedy: `Run it again from there: \`tieout run --period ${period}\`.`,
        });
    }
    if (closedBy(log, before)) return;
    throw new RunError('CLOSE_REFUSED', {
        period,
        detail: `it opened with what ${before} closed with, and ${before} may still change`,
        remedy: `Close the months in their order: \`tieout close --period ${before}\`.`,
    });
}

/**
 * What a backfill put into the period is billed by it: closed without that, nobody ever would.
 * @throws RunError CLOSE_REFUSED
 */
function requireCorrections(log: CommitLog, certificate: Certificate): void {
    if (billsAll(log, certificate)) return;
    const { period } = certificate;
    throw new RunError('CLOSE_REFUSED', {
        period,
        detail: 'its latest run does not bill the corrections of earlier periods that the log has now',
        remedy: `Run it again: \`tieout run --period ${period}\`.`,
    });
}

/**
 * Reopened and run again, a period would bill what a later one bills as its corrections.
 * @throws RunError REOPEN_REFUSED
 */
function requireUncorrected(log: CommitLog, period: string): void {
    const backfills = standing(log, period).map(({ backfill_id }) => backfill_id);
    if (backfills.length > 0) throw new RunError('REOPEN_REFUSED', { period, backfills });
}

/** What others did with the period meanwhile has to be looked at by a person. */
function requireUntouched(period: string, others: readonly Commit[]): void {
    const other = others.find((of) => of.period === period || of.backfill?.bills_in === period);
    if (!other) return;
    throw new RunError('RUN_OUTRUN', { period, run_id: `this command`, other: other.run_id });
}

const lastOf = ({ commits }: CommitLog, period: string): Commit => {
    const closes = ({ kind }: Commit) => kind === 'close' || kind === 'reopen';
    const last = commits.findLast((of) => of.period === period && closes(of));
    if (!last) throw new Error('an entry that was just added is there');
    return last;
};

function answerOf(commit: Commit, headline: string, news: Partial<RunNews> = {}): Answer {
    const { run_id, run_digest } = commit;
    const run = { run_id, run_digest, is_reused: false, certificate: null, ...news };
    const rows: readonly (readonly [string, string])[] = [
        ['run', commit.run_id],
        ['digest', commit.run_digest],
        ['by', commit.by],
        ['at', commit.at],
        ...(commit.reason ? ([['because', commit.reason]] as const) : []),
        ['entry', join('commits', `${String(commit.number).padStart(8, '0')}.json`)],
    ];
    const text = rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n');
    return { exit: 0, text: `${headline}\n${text}\n`, json: commit, run };
}
