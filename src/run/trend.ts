import { RunError } from '../errors/index.ts';
import { compareText } from '../export/order.ts';
import { ACCEPTED_CODE } from '../report/break-codes.ts';
import { codeGroup } from '../report/code-groups.ts';
import { isZero } from '../report/figures.ts';
import { sumsBy } from '../report/headline.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Night } from '../schema/report.ts';
import type { CommitLog } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { readCertificate } from './folders.ts';
import { fetchOutput } from './published.ts';

/** Nights that a trend goes back at most: two months of a period that is still open. */
const LIMIT = 62;

/**
 * What the runs of a period found, night by night, as their certificates say; oldest first. A run whose
 * output is kept no more, or is no longer as it was written, is no point of it.
 * @throws RunError STORE_*
 */
export async function readTrend(
    state: State,
    log: CommitLog,
    period: string,
): Promise<readonly Night[]> {
    const entries = log.commits.filter((of) => of.kind === 'run' && of.period === period);
    const latest = new Map(entries.map((entry) => [entry.run_id, entry]));
    const nights: Night[] = [];
    for (const entry of [...latest.values()].slice(-LIMIT)) {
        try {
            const certificate = readCertificate(await fetchOutput(state, entry));
            if (certificate) nights.push(nightOf(certificate));
        } catch (error) {
            const isGone = error instanceof RunError && kept.has(error.code);
            if (!isGone) throw error;
        }
    }
    return nights.sort((a, b) => compareText(a.as_of, b.as_of) || compareText(a.run_id, b.run_id));
}

/** What is said of a run that is kept no more. */
const kept: ReadonlySet<string> = new Set(['RUN_NOT_FOUND', 'STATE_DAMAGED', 'OBJECT_MISSING']);

/** One night, of its certificate alone. */
export function nightOf({ run_id, as_of, breaks, payers, tie_outs }: Certificate): Night {
    const open = breaks.filter(({ code }) => code !== ACCEPTED_CODE);
    const groups = Map.groupBy(open, ({ code }) => codeGroup(code));
    const countOf = (of: typeof open) => of.reduce((sum, one) => sum + one.break_count, 0);
    const held = payers.filter(({ recon_status }) => recon_status === 'held');
    return {
        run_id,
        as_of,
        break_count: countOf(open),
        held_count: new Set(held.map(({ payer_id }) => payer_id)).size,
        untied_count: tie_outs.filter(({ unexplained }) => !isZero(unexplained)).length,
        money: sumsBy(payers, (of) => ({ unit: of.currency, amount: of.break_money })),
        groups: [...groups]
            .map(([group, of]) => ({ group, count: countOf(of) }))
            .sort((a, b) => compareText(a.group, b.group)),
    };
}
