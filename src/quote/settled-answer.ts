import { formatAmount } from '../money/amount.ts';
import {
    type AmountAnswer,
    type DrawnAnswer,
    exactText,
    groupAnswer,
    minorText,
    type QuoteAnswer,
    type SettledAnswer,
    totalQuantity,
} from './answer.ts';
import type { Drawn } from './draw-down.ts';
import type { Priced, Settlement } from './settle.ts';

type WindowAnswer = AmountAnswer & SettledAnswer;

/** The answer to a line whose amount is known: what grants made of it. */
export function drawnAnswer(
    plain: QuoteAnswer,
    amount: bigint,
    { job, unit }: Priced,
    drawn: Drawn | undefined,
): QuoteAnswer {
    if (!job.line.grants) return plain;
    const { tiers, currency, groups, ...head } = plain;
    return {
        ...head,
        ...drawnOf({ job, unit }, drawn?.draws ?? [], amount),
        tiers,
        currency,
        ...(groups ? { groups } : {}),
    };
}

type Draws = Drawn['draws'];
const total = (of: readonly bigint[]) => of.reduce((sum, one) => sum + one, 0n);

/** What was drawn of each grant, in the order of their turns. */
function byGrant(draws: Draws): readonly { readonly grant_id: string; readonly sum: bigint }[] {
    return [...Map.groupBy(draws, ({ turn }) => turn)]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([, rows]) => ({
            grant_id: rows[0]?.grant_id ?? '',
            sum: total(rows.map(({ drawn }) => drawn)),
        }));
}

/** Units first, then money, as they were drawn; and what is left to pay. */
function drawnOf(
    { job, unit }: Pick<Priced, 'job' | 'unit'>,
    draws: Draws,
    amount: bigint,
    covered: Draws = job.covered,
): SettledAnswer {
    const { decimals } = unit.scales;
    const scale = job.coveredScale;
    return {
        drawn: [
            ...byGrant(covered).map(({ grant_id, sum }): DrawnAnswer => {
                return { grant_id, quantity: formatAmount({ units: sum, scale }) };
            }),
            ...byGrant(draws).map(({ grant_id, sum }): DrawnAnswer => {
                return { grant_id, amount: minorText(sum, decimals) };
            }),
        ],
        remaining: minorText(amount - total(draws.map(({ drawn }) => drawn)), decimals),
    };
}

/** The answer to a line with a commitment: its windows, and what they come to together. */
export function committedAnswer(
    priced: Priced,
    settlement: Settlement,
    drawn: Drawn | undefined,
): QuoteAnswer {
    const { line } = priced.job;
    const charges = drawn?.charges ?? [];
    const windows = charges.map((_, index) => windowAnswer(priced, settlement, drawn, index));
    const head = { id: line.id };
    const [only] = windows;
    if (!line.commitment?.window_quantities && only) {
        return { ...head, ...only, currency: line.currency };
    }
    const { decimals } = priced.unit.scales;
    const amount = total(charges.map(({ rounded }) => rounded));
    return {
        ...head,
        quantity: totalQuantity(priced.job.usage),
        amount_exact: exactText(total(charges.map(({ exact }) => exact)), settlement.divisor),
        amount: minorText(amount, decimals),
        overage: minorText(total(charges.map((of) => of.rounded_overage)), decimals),
        true_up: minorText(total((drawn?.trueUps ?? []).map((of) => of.rounded)), decimals),
        ...(line.grants ? drawnOf(priced, drawn?.draws ?? [], amount) : {}),
        tiers: [],
        currency: line.currency,
        windows,
    };
}

function windowAnswer(
    priced: Priced,
    { divisor }: Settlement,
    drawn: Drawn | undefined,
    index: number,
): WindowAnswer {
    const { job, points, unit, groups } = priced;
    const { decimals } = unit.scales;
    const charge = drawn?.charges[index];
    const group = groups.get(points.charged[index] ?? '');
    const usage = job.usage[index];
    if (!charge || !group || !usage) throw new Error(`line ${job.line.id} has no window ${index}`);
    const charge_no = BigInt(index + 1);
    const of = <R extends { readonly charge_no: bigint }>(rows: readonly R[]) =>
        rows.filter((row) => row.charge_no === charge_no);
    const due = drawn?.trueUps.find(({ commitment_id }) => commitment_id === String(charge_no));
    const { quantity, tiers } = groupAnswer(
        job.line,
        unit,
        [{ ...usage, group_id: group.group_id }],
        group,
    );
    return {
        quantity,
        amount_exact: exactText(charge.exact, divisor),
        amount: minorText(charge.rounded, decimals),
        overage: minorText(charge.rounded_overage, decimals),
        true_up: minorText(due?.rounded ?? 0n, decimals),
        ...(job.line.grants
            ? drawnOf(priced, of(drawn?.draws ?? []), charge.rounded, of(job.covered))
            : {}),
        tiers,
    };
}
