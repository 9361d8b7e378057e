import { compareText } from '../export/order.ts';
import type { Break, PayerTotal } from '../schema/break.ts';
import type { Certificate } from '../schema/certificate.ts';
import { isCharged, type LineItem } from '../schema/line-item.ts';
import { compareDecimals, isZero, magnitude, negated, sum, summaryAmount } from './figures.ts';

/** A sum in one currency or asset. Decimal text. */
export interface Sum {
    readonly unit: string;
    readonly amount: string;
}

/** A payer whose lines wait, and whether money is the reason: the sum of its breaks. */
export interface HeldPayer extends PayerTotal {
    /** False: the sum is within the limit, but something has no price: usage of it, or a break. */
    readonly is_over_limit: boolean;
}

/** The answers of the first screen. */
export interface Headline {
    readonly pipeline: Certificate['pipeline'];
    readonly result: Certificate['result'];
    readonly line_count: number;
    readonly payer_count: number;
    /** Per currency: rounded lines of usage and fees, or what payers owe before rounding where no lines are written. */
    readonly rated: readonly Sum[];
    /** What wallets, and grants and prepaid commitments, paid of that; what commitments add to it. */
    readonly settled: readonly Sum[];
    readonly drawn: readonly Sum[];
    readonly promised: readonly Sum[];
    /** What is billed of closed periods, or taken off for them. */
    readonly corrected: readonly Sum[];
    /** All lines together: what is left to be paid. */
    readonly invoiced: readonly Sum[];
    /** Account-and-asset groups: all, without a log to compare with, and not adding up. */
    readonly group_count: number;
    readonly unauditable_count: number;
    readonly untied_count: number;
    readonly unexplained: readonly Sum[];
    readonly held: readonly HeldPayer[];
    /** Line amounts that may go out, and those that wait because their payer is held. */
    readonly ready_amounts: readonly Sum[];
    readonly held_amounts: readonly Sum[];
    /** The part of `ready_amounts` whose payers have no debit log. */
    readonly unaudited_amounts: readonly Sum[];
    readonly break_count: number;
    /** Sum of sizes, and sum with signs, of the breaks that have a price. */
    readonly break_sizes: readonly Sum[];
    readonly break_effects: readonly Sum[];
    readonly unpriced_break_count: number;
    /** Breaks that belong to no payer: they hold nobody, but the run is not clean. */
    readonly stray_break_count: number;
}

/** Sums decimal texts per currency or asset, ordered by it. */
export function sumsBy<T>(
    items: Iterable<T>,
    pick: (item: T) => { readonly unit: string | null; readonly amount: string | null },
): readonly Sum[] {
    const groups = new Map<string, string[]>();
    for (const item of items) {
        const { unit, amount } = pick(item);
        if (unit === null || amount === null) continue;
        const group = groups.get(unit);
        if (group) group.push(amount);
        else groups.set(unit, [amount]);
    }
    return [...groups]
        .sort(([a], [b]) => compareText(a, b))
        .map(([unit, amounts]) => ({ unit, amount: sum(amounts) }));
}

/** The answers of the first screen, of documents in the order of the report. */
export function headlineOf(
    certificate: Certificate,
    lines: readonly LineItem[],
    breaks: readonly Break[],
    payers: readonly PayerTotal[],
): Headline {
    const ties = certificate.tie_outs;
    const untied = ties.filter((tie) => !isZero(tie.unexplained));
    const { pipeline } = certificate;
    const lineSums = (some: readonly LineItem[]) =>
        sumsBy(some, (line) => ({ unit: line.currency, amount: line.amount }));
    const { held = [], ready = [] } = Object.groupBy(lines, (line) =>
        line.recon_status === 'held' ? 'held' : 'ready',
    );
    const sumsOf = (...types: readonly LineItem['line_type'][]) =>
        lineSums(lines.filter(({ line_type }) => types.includes(line_type)));
    const taken = (sums: readonly Sum[]) =>
        sums.map(({ unit, amount }) => ({ unit, amount: negated(amount) }));
    const payerSums = sumsBy(payers, (one) => ({ unit: one.currency, amount: one.amount_exact }));
    const moneyOf = (item: Break, amount: string | null) => ({ unit: item.currency, amount });
    return {
        pipeline,
        result: certificate.result,
        line_count: lines.length,
        payer_count: new Set(payers.map((payer) => payer.payer_id)).size,
        rated: pipeline === 'nightly' ? lineSums(lines.filter(isCharged)) : payerSums,
        settled: taken(sumsOf('wallet_settlement')),
        drawn: taken(sumsOf('balance_consumed', 'commitment_consumed')),
        promised: sumsOf('commitment_fee', 'overage', 'true_up'),
        corrected: sumsOf('debit_adjustment', 'credit_adjustment'),
        invoiced: lineSums(lines),
        group_count: ties.length,
        unauditable_count: ties.filter((tie) => tie.status === 'unauditable').length,
        untied_count: untied.length,
        unexplained: sumsBy(untied, (tie) => ({ unit: tie.asset, amount: tie.unexplained })),
        held: payers.filter((payer) => payer.recon_status === 'held').map(heldPayer),
        ready_amounts: lineSums(ready),
        held_amounts: lineSums(held),
        unaudited_amounts: lineSums(lines.filter((line) => line.recon_status === 'unauditable')),
        break_count: breaks.length,
        break_sizes: sumsBy(breaks, (item) =>
            moneyOf(item, item.money_amount === null ? null : magnitude(item.money_amount)),
        ),
        break_effects: sumsBy(breaks, (item) => moneyOf(item, item.money_amount)),
        unpriced_break_count: breaks.filter(
            (item) => item.money_amount === null && compareDecimals(item.amount, '0') !== 0,
        ).length,
        stray_break_count: breaks.filter((item) => item.payer_id === null).length,
    };
}

function heldPayer(payer: PayerTotal): HeldPayer {
    const is_over_limit = compareDecimals(payer.break_money, payer.hold_limit) > 0;
    return { ...payer, is_over_limit };
}

/** Why the lines of a payer wait, in words. Names of currencies are the caller's to escape. */
export function holdReason(payer: HeldPayer): string {
    const money = (amount: string) => summaryAmount(amount, payer.currency);
    const over = `breaks of ${money(payer.break_money)} are over its limit of ${money(payer.hold_limit)}`;
    const reasons = [
        ...(payer.is_over_limit ? [over] : []),
        ...(payer.unrated_count > 0 ? ['no rate prices some of its usage (unrated.csv)'] : []),
    ];
    return reasons.join('; ') || `a break or a fee has no price in ${payer.currency}`;
}
