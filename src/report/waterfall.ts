import { compareText } from '../export/order.ts';
import type { Break, TieOut } from '../schema/break.ts';
import type { Certificate } from '../schema/certificate.ts';
import { isZero, sum } from './figures.ts';

/**
 * From rated to debited for one payer and asset: `rated - debited = broken + rounding + repriced +
 * unexplained`, exactly. Unauditable groups stand apart: they have no debits to compare with.
 */
export interface Waterfall {
    readonly payer_id: string;
    readonly payer_name: string;
    readonly asset: string;
    readonly status: TieOut['status'];
    readonly account_count: number;
    /** Accounts that do not add up: their `unexplained` may offset each other in the sum. */
    readonly untied_count: number;
    readonly rated: string;
    readonly debited: string;
    readonly difference: string;
    readonly broken: string;
    /** The parts of `broken`; what the list of breaks lacks of it, if anything, comes last. */
    readonly breaks: readonly { readonly code: string; readonly amount: string }[];
    readonly rounding: string;
    /** What tiers, fees, minimums and discounts changed once the total of the period was known. */
    readonly repriced: string;
    readonly unexplained: string;
}

/**
 * The code under which a waterfall shows what no break in its own list accounts for: the other leg
 * of a break between two accounts or assets, which is listed under the first.
 */
export const NOT_LISTED = 'NOT_LISTED';

/**
 * One waterfall per payer, asset and status. Those that need a reader come first: unexplained, then
 * broken, then unauditable, then all the rest; each by payer and asset.
 */
export function waterfalls(
    certificate: Certificate,
    breaks: readonly Break[],
): readonly Waterfall[] {
    const names = new Map(certificate.payers.map((payer) => [payer.payer_id, payer.payer_name]));
    const payerOf = new Map(certificate.tie_outs.map((tie) => [tie.account_id, tie.payer_id]));
    const statusOf = new Map(certificate.tie_outs.map((tie) => [tieKey(tie), tie.status]));
    const breaksOf = Map.groupBy(breaks, (item) => {
        const account_id = item.account_id ?? '';
        const payer_id = item.payer_id ?? payerOf.get(account_id) ?? '';
        const asset = item.asset ?? '';
        const status = statusOf.get(tieKey({ payer_id, account_id, asset })) ?? 'tied';
        return groupKey({ payer_id, asset, status });
    });
    return [...Map.groupBy(certificate.tie_outs, groupKey)]
        .map(([key, ties]) => waterfallOf(ties, breaksOf.get(key) ?? [], names))
        .sort(
            (a, b) =>
                urgency(a) - urgency(b) ||
                compareText(a.payer_id, b.payer_id) ||
                compareText(a.asset, b.asset) ||
                compareText(a.status, b.status),
        );
}

function tieKey(tie: Pick<TieOut, 'payer_id' | 'account_id' | 'asset'>): string {
    return JSON.stringify([tie.payer_id, tie.account_id, tie.asset]);
}

function groupKey(tie: Pick<TieOut, 'payer_id' | 'asset' | 'status'>): string {
    return JSON.stringify([tie.payer_id, tie.asset, tie.status]);
}

function waterfallOf(
    ties: readonly TieOut[],
    breaks: readonly Break[],
    names: ReadonlyMap<string, string>,
): Waterfall {
    const { payer_id, asset, status } = ties[0]!;
    const total = (pick: (tie: TieOut) => string) => sum(ties.map(pick));
    const broken = total((tie) => tie.broken);
    return {
        payer_id,
        payer_name: names.get(payer_id) ?? payer_id,
        asset,
        status,
        account_count: ties.length,
        untied_count: ties.filter((tie) => !isZero(tie.unexplained)).length,
        rated: total((tie) => tie.rated),
        debited: total((tie) => tie.debited),
        difference: total((tie) => tie.difference),
        broken,
        breaks: partsOf(broken, breaks),
        rounding: total((tie) => tie.rounding),
        repriced: total((tie) => tie.repriced),
        unexplained: total((tie) => tie.unexplained),
    };
}

function partsOf(broken: string, breaks: readonly Break[]): Waterfall['breaks'] {
    const parts = [...Map.groupBy(breaks, (item) => item.code)]
        .map(([code, group]) => ({ code, amount: sum(group.map((item) => item.amount)) }))
        .filter((part) => !isZero(part.amount))
        .sort((a, b) => compareText(a.code, b.code));
    const rest = sum([broken, ...parts.map((part) => minus(part.amount))]);
    return isZero(rest) ? parts : [...parts, { code: NOT_LISTED, amount: rest }];
}

function minus(amount: string): string {
    return amount.startsWith('-') ? amount.slice(1) : `-${amount}`;
}

function urgency(one: Waterfall): number {
    if (one.untied_count > 0) return 0;
    if (!isZero(one.broken) || one.breaks.length > 0) return 1;
    return one.status === 'unauditable' ? 2 : 3;
}
