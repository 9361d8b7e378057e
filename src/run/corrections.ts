import type { corrections, correctionTotals } from '../../pipelines/80-invoice/tables.ts';
import type { AccountPath } from '../compile/accounts.ts';
import { sha256 } from '../duck/sql.ts';
import type { RowOf } from '../duck/table.ts';
import { RunError } from '../errors/index.ts';
import { correctable } from '../schema/backfill.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { CommitLog } from '../state/commit-log.ts';
import { billedIn, type Correction, everyCorrection } from '../state/corrections.ts';
import type { State } from '../state/state.ts';
import { readBackfill } from './backfills.ts';
import type { Books } from './openings.ts';
import type { RunOptions } from './prepare.ts';

/** What a run bills of closed periods, and what it is made from. */
export interface BilledCorrections {
    readonly lines: readonly RowOf<typeof corrections>[];
    readonly totals: readonly RowOf<typeof correctionTotals>[];
    /** Rules of the run: another backfill, another run. */
    readonly rules: Readonly<Record<string, string>>;
}

const nothing: BilledCorrections = { lines: [], totals: [], rules: {} };

/**
 * What the log says that a period bills of closed ones. A run that only reconciles bills nothing.
 * @throws RunError BACKFILL_DAMAGED, LOG_DAMAGED
 */
export async function correctionsBilled(
    books: Books | null,
    { pipeline, period }: Pick<RunOptions, 'pipeline' | 'period'>,
): Promise<BilledCorrections> {
    if (pipeline !== 'nightly' || books === null) return nothing;
    return readCorrections(books.state, billedIn(books.log, period));
}

/**
 * What a past run billed of closed periods, whatever counts now.
 * @throws RunError BACKFILL_DAMAGED, LOG_DAMAGED
 */
export async function correctionsThen(
    { state, log }: Books,
    { rules }: Pick<Certificate, 'rules'>,
): Promise<BilledCorrections> {
    const named = everyCorrection(log).filter(
        (of) => rules[ruleOf(of)] === rulesOf([of])[ruleOf(of)],
    );
    return readCorrections(state, named);
}

async function readCorrections(
    state: State,
    billed: readonly Correction[],
): Promise<BilledCorrections> {
    const read = await Promise.all(billed.map((of) => correctionLines(state, of)));
    return {
        lines: read.flatMap(({ lines }) => lines),
        totals: read.flatMap(({ totals }) => totals),
        rules: rulesOf(billed),
    };
}

const ruleOf = ({ kind, backfill_id, period }: Correction) => `${kind} ${backfill_id} of ${period}`;
const isRule = (name: string) => /^(backfill|revert) [0-9a-f]{12} of \d{4}-\d\d$/.test(name);

/** By what it says on the lines: the differences and the reason, not who or when. */
function rulesOf(billed: readonly Correction[]): Readonly<Record<string, string>> {
    return Object.fromEntries(
        billed.map((of) => [ruleOf(of), sha256(JSON.stringify([of.diff_sha256, of.reason]))]),
    );
}

/** Whether a run bills of closed periods exactly what the log says. */
export function billsAll(log: CommitLog, { period, rules }: Certificate): boolean {
    const billed = Object.entries(rules).filter(([name]) => isRule(name));
    const said = Object.entries(rulesOf(billedIn(log, period)));
    return JSON.stringify(billed.sort()) === JSON.stringify(said.sort());
}

/** Rules of a run that people wrote: without those that the log made. */
export function writtenRules({ rules }: Pick<Certificate, 'rules'>): Certificate['rules'] {
    return Object.fromEntries(Object.entries(rules).filter(([name]) => !isRule(name)));
}

/** The lines of one of them, with the totals that its backfill states. @throws BACKFILL_DAMAGED */
export async function correctionLines(
    state: State,
    correction: Correction,
): Promise<Pick<BilledCorrections, 'lines' | 'totals'>> {
    const { kind, backfill_id, period, reason } = correction;
    const { periods } = await readBackfill(state, correction);
    const found = periods.find((of) => of.period === period);
    if (!found) throw new Error(`backfill ${backfill_id} corrects ${period}`);
    const sign = kind === 'revert' ? -1n : 1n;
    const head = { kind, backfill_id, corrects_period: period };
    const what = kind === 'revert' ? 'Correction taken back of' : 'Correction of';
    const refused = new Set(found.refused.map(({ payer_id }) => payer_id));
    return {
        lines: correctable(found).map((line) => ({
            ...head,
            corrects_line_key: line.line_key,
            payer_id: line.payer_id,
            account_id: line.account_id,
            product: line.product,
            description: `${what} ${period}: ${line.description} (${reason})`,
            service_start: line.service_start,
            service_end: line.service_end,
            amount_minor: sign * BigInt(line.delta_minor),
            currency: line.currency,
        })),
        totals: found.payers
            .filter(({ payer_id }) => !refused.has(payer_id))
            .map(({ payer_id, currency, delta_minor }) => ({
                ...{ ...head, payer_id, currency, amount_minor: sign * BigInt(delta_minor) },
            })),
    };
}

/**
 * Every correction has a payer who is billed in its currency: else it would be on no invoice.
 * @throws RunError CORRECTION_UNBILLABLE
 */
export function requireBillable(
    { totals }: Pick<BilledCorrections, 'totals'>,
    paths: readonly Paying[],
    period: string,
): void {
    const problems = totals.flatMap(({ backfill_id, corrects_period, ...of }) => {
        const why = whyUnbillable(of, paths);
        return why === null ? [] : [`backfill ${backfill_id} of ${corrects_period}: ${why}`];
    });
    if (problems.length > 0) throw new RunError('CORRECTION_UNBILLABLE', { period, problems });
}

/** Who pays for an account, and in what. */
export type Paying = Pick<AccountPath, 'payer_id' | 'currency'>;

/** Why a period can't bill a payer in a currency; null when it can. */
export function whyUnbillable(
    { payer_id, currency }: { readonly payer_id: string; readonly currency: string },
    paths: readonly Paying[],
): string | null {
    const own = paths.find((path) => path.payer_id === payer_id);
    if (!own) return `${payer_id} pays for no account`;
    return own.currency === currency
        ? null
        : `${payer_id} pays in ${own.currency}, not ${currency}`;
}
