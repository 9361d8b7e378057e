import { defineError } from './define.ts';

/** Errors of what counts: the log, closed periods, and runs that others overtook. */
export const stateErrors = {
    LOG_DAMAGED: defineError<{ store: string; key: string; detail: string }>(
        2,
        (p) => `${p.store}/${p.key} is not as the log left it: ${p.detail}`,
        () =>
            'Nothing was written. Restore the `commits` folder from a backup; nobody may edit, remove or add to it.',
    ),
    LOG_CONTENDED: defineError<{ store: string; attempts: number }>(
        75,
        (p) => `${p.store}: the next entry of the log was taken ${p.attempts} times in a row`,
        () => 'Find out who else writes there, then run the same command again.',
    ),
    STATE_UNSAFE: defineError<{ store: string }>(
        2,
        (p) =>
            `${p.store} overwrites what it should refuse to create again: of two runs at once neither would be told`,
        () =>
            'Keep `state` where If-None-Match is honoured: AWS S3, Ceph (without versions of objects), a folder. If nobody else ever writes there, say so: `alone: true`.',
    ),
    STATE_SPLIT: defineError<{ folder: string; store: string }>(
        2,
        (p) => `${p.folder} has a log of its own, and there is none in ${p.store}`,
        (p) =>
            `Closed months would be forgotten. Copy all of ${p.folder} to ${p.store}, \`commits\` last, or name another \`state.folder\`.`,
    ),
    STATE_DAMAGED: defineError<{ store: string; key: string; detail: string }>(
        2,
        (p) => `${p.store}/${p.key} is not as it was published: ${p.detail}`,
        (p) =>
            `Bring back its earlier version. Without one remove ${p.store}/${/^runs\/[^/]+\//.exec(p.key)?.[0] ?? p.key} and run the month again with the same --as-of.`,
    ),
    RUN_OUTRUN: defineError<{ period: string; run_id: string; other: string }>(
        75,
        (p) =>
            `while ${p.run_id} was running, ${p.other} became the run that speaks for ${p.period}`,
        () =>
            'Its lines stand, those of this run do not count. Let one schedule run at a time; run again to take in what is new.',
    ),
    PERIOD_CLOSED: defineError<{
        period: string;
        by: string;
        at: string;
        run_id: string;
        reason: string;
    }>(
        2,
        (p) =>
            `${p.period} was closed by ${p.by} at ${p.at} with ${p.run_id}${p.reason ? ` (${p.reason})` : ''}`,
        (p) =>
            `Its lines never change. If they must: \`tieout reopen --period ${p.period} --reason WHY\`, run, and close again.`,
    ),
    PERIOD_NOT_CLOSED: defineError<{ period: string }>(
        2,
        (p) => `${p.period} is not closed`,
        () => 'Nothing is to be done: a run may take its place.',
    ),
    CLOSE_REFUSED: defineError<{ period: string; detail: string; remedy: string }>(
        1,
        (p) => `${p.period} was not closed: ${p.detail}`,
        (p) => p.remedy,
    ),
    PARTIALS_UNUSABLE: defineError<{ run_id: string; reasons: readonly string[] }>(
        2,
        (p) =>
            `${p.run_id} cannot be priced anew from its partials:\n${p.reasons.map((of) => `    ${of}`).join('\n')}`,
        () =>
            'Leave out --partials: the month is then computed from its objects. Nothing was written.',
    ),
    INPUTS_CHANGED: defineError<{ run_id: string; problems: readonly string[] }>(
        2,
        (p) =>
            `${p.run_id} cannot be computed again, what it was made from is no longer there:\n${p.problems.map((of) => `    ${of}`).join('\n')}`,
        () =>
            'Bring it back, from an older version in the bucket or a backup. The run and its outputs are as they were.',
    ),
    BREAK_NOT_FOUND: defineError<{ id: string; period: string }>(
        2,
        (p) => `${p.period} has no break ${JSON.stringify(p.id)}`,
        (p) =>
            `Look for it: \`tieout break list --period ${p.period}\`. At least six characters of an id are needed.`,
    ),
    BREAK_AMBIGUOUS: defineError<{ id: string; breaks: readonly string[] }>(
        2,
        (p) =>
            `${p.breaks.length} breaks begin with ${p.id}: ${p.breaks
                .slice(0, 3)
                .map((of) => of.slice(0, 16))
                .join(', ')}`,
        () => 'Write more of the id.',
    ),
    PAYER_NOT_FOUND: defineError<{ payer_id: string; period: string; known: readonly string[] }>(
        2,
        (p) => `${p.period} has no payer ${JSON.stringify(p.payer_id)}`,
        (p) =>
            p.known.length > 0
                ? `It has ${p.known.slice(0, 5).join(', ')}${p.known.length > 5 ? ', ...' : ''}.`
                : 'Its run bills nobody.',
    ),
    APPROVAL_REFUSED: defineError<{
        what: string;
        why: 'nothing' | 'changed' | 'same';
        detail: string;
    }>(
        2,
        (p) =>
            ({
                nothing: `nothing of ${p.what} waits for approval`,
                changed: `${p.what} can't be approved: ${p.detail}`,
                same: `${p.what} was proposed by ${p.detail}, who can't approve it, too`,
            })[p.why],
        (p) =>
            ({
                nothing:
                    'Look what was said of it: `tieout break show ID`, or of a payer `tieout serve`.',
                changed: 'Nothing was entered. Look at it again, and let it be proposed anew.',
                same: 'Somebody else has to: --by NAME says who.',
            })[p.why],
    ),
    RELEASE_REFUSED: defineError<{
        payer_id: string;
        period: string;
        standing: string;
        kind: 'release' | 'withdraw' | 'approve';
    }>(
        2,
        (p) =>
            p.kind !== 'withdraw'
                ? `the lines of ${p.payer_id} in ${p.period} are not held, they are ${p.standing}`
                : `the lines of ${p.payer_id} in ${p.period} were not released, they are ${p.standing}`,
        () => 'Nothing is to be done.',
    ),
    DELIVERY_REFUSED: defineError<{ target: string; detail: string; remedy: string }>(
        2,
        (p) => `nothing was sent to ${p.target}: ${p.detail}`,
        (p) => p.remedy,
    ),
    OUTBOX_DAMAGED: defineError<{ store: string; key: string; detail: string }>(
        2,
        (p) => `${p.store}/${p.key} is not as a delivery left it: ${p.detail}`,
        () =>
            'Nothing was sent. Restore the `deliveries` folder from a backup; nobody may edit, remove or add to it.',
    ),
    DELIVERY_OUTRUN: defineError<{ target: string; parcel_key: string; by: string }>(
        75,
        (p) => `${p.parcel_key} is being delivered to ${p.target} by another start, of ${p.by}`,
        () => 'Let one delivery run at a time; run the same command again once it has ended.',
    ),
    DELIVERY_CHANGED: defineError<{ target: string; parcels: readonly string[] }>(
        2,
        (p) =>
            `${p.target} has other lines under the same key than would be sent now:\n${p.parcels.map((of) => `    ${of}`).join('\n')}`,
        () =>
            'Nothing was sent. If the run is the same as now, a setting of the target or a name changed since: put it back. If it is another: what was delivered never changes, so let `tieout backfill` bill the difference in the open month, and reopen nothing for it.',
    ),
    DELIVERY_UNANSWERED: defineError<{ target: string; detail: string }>(
        75,
        (p) => `nothing was sent to ${p.target}: ${p.detail}`,
        () =>
            'Start the same command again in a few minutes. If it says the same: the network of this machine, then the status page of the target.',
    ),
    DELIVERY_LOCKED_OUT: defineError<{ target: string; detail: string; remedy: string }>(
        2,
        (p) => `${p.target} does not let tieout in: ${p.detail}`,
        (p) => `${p.remedy} Then start the delivery again: it goes on where it was.`,
    ),
    ERASE_REFUSED: defineError<{ detail: string; remedy: string }>(
        2,
        (p) => `nothing was erased: ${p.detail}`,
        (p) => p.remedy,
    ),
    REOPEN_REFUSED: defineError<{ period: string; backfills: readonly string[] }>(
        2,
        (p) =>
            `${p.period} stays closed: later periods bill corrections of it, found by ${p.backfills.join(', ')}`,
        (p) =>
            `Run again, it would bill them a second time. First \`tieout backfill --revert ${p.backfills[0]} --reason WHY\`${p.backfills.length > 1 ? ', and so each of them' : ''}.`,
    ),
    CORRECTIONS_CHANGED: defineError<{ period: string; run_id: string; backfill: string }>(
        75,
        (p) =>
            `while ${p.run_id} was running, backfill ${p.backfill} changed what ${p.period} corrects`,
        () => 'The lines of this run do not count. Run again: the next one takes it in.',
    ),
    BACKFILL_OUTRUN: defineError<{ period: string; detail: string }>(
        75,
        (p) => `${p.period} was not corrected: ${p.detail}`,
        () => 'What was printed no longer holds. Run the same command again and look at it anew.',
    ),
    REVERT_REFUSED: defineError<{ id: string; period: string; detail: string; remedy: string }>(
        2,
        (p) => `backfill ${p.id} of ${p.period} was not reverted: ${p.detail}`,
        (p) => p.remedy,
    ),
    BACKFILL_UNKNOWN: defineError<{ id: string; known: readonly string[] }>(
        2,
        (p) =>
            `no applied backfill is called ${p.id}: ${p.known.length ? `the log names ${p.known.join(', ')}` : 'the log names none'}`,
        () =>
            'Only corrections of a closed period can be reverted. An open one is run again with what is right.',
    ),
    BACKFILL_DAMAGED: defineError<{ file: string; detail: string }>(
        2,
        (p) => `${p.file} is not as its backfill left it: ${p.detail}`,
        () =>
            'Nothing was written. Restore the `backfills` folder from a backup; nobody may edit, remove or add to it.',
    ),
    CORRECTION_UNBILLABLE: defineError<{ period: string; problems: readonly string[] }>(
        2,
        (p) => `${p.period} cannot bill its corrections: ${p.problems.join('; ')}`,
        () =>
            'Give these payers an account of that currency in the period again, or take the backfill out by `tieout backfill --revert`.',
    ),
    OPENINGS_REPLACED: defineError<{ period: string; before: string }>(
        2,
        (p) =>
            `${p.period} opened with what the month before no longer closes with: ${p.before} was run since`,
        (p) =>
            `Run \`tieout run --period ${p.period}\`, then the months after it, in their order; one that is closed needs \`tieout reopen\` first.`,
    ),
};
