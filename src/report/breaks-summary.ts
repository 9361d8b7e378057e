import { compareBreaks, compareText } from '../export/order.ts';
import { compare, parseAmount } from '../money/amount.ts';
import type { Break, BreakTotal } from '../schema/break.ts';
import { ACCEPTED_CODE, breakCodes } from './break-codes.ts';
import { magnitude } from './figures.ts';

/** One code with its totals per asset and currency. */
export interface CodeTotal {
    readonly code: string;
    readonly break_count: number;
    readonly totals: readonly BreakTotal[];
}

/**
 * Totals by code, the most frequent first; codes of equal count in the order of the catalogue. What
 * was accepted within tolerance is no open break and comes last, however much it is.
 */
export function codeTotals(totals: readonly BreakTotal[]): readonly CodeTotal[] {
    const groups = Map.groupBy(totals, (total) => total.code);
    const rank = new Map(Object.keys(breakCodes).map((code, index) => [code, index]));
    const acceptedLast = (code: string) => (code === ACCEPTED_CODE ? 1 : 0);
    const rankOf = (code: string) => rank.get(code) ?? rank.size;
    return [...groups]
        .map(([code, group]) => ({
            code,
            break_count: group.reduce((count, total) => count + total.break_count, 0),
            totals: group.toSorted(
                (a, b) =>
                    compareText(a.asset, b.asset) ||
                    compareText(a.currency ?? '', b.currency ?? ''),
            ),
        }))
        .sort(
            (a, b) =>
                acceptedLast(a.code) - acceptedLast(b.code) ||
                b.break_count - a.break_count ||
                rankOf(a.code) - rankOf(b.code) ||
                compareText(a.code, b.code),
        );
}

/**
 * Orders breaks by size within their own currency, so that amounts in different currencies are
 * never compared: each currency's largest, then each one's second, and so on. Breaks without a
 * price come after all priced ones, by size within their asset.
 */
export function largestFirst(breaks: Iterable<Break>): readonly Break[] {
    const { priced = [], unpriced = [] } = Object.groupBy(breaks, (item) =>
        item.money_amount === null ? 'unpriced' : 'priced',
    );
    return [
        ...interleaved(
            priced,
            (item) => item.currency ?? '',
            (item) => item.money_amount ?? '0',
        ),
        ...interleaved(
            unpriced,
            (item) => item.asset ?? '',
            (item) => item.amount,
        ),
    ];
}

function interleaved(
    items: readonly Break[],
    unitOf: (item: Break) => string,
    amountOf: (item: Break) => string,
): readonly Break[] {
    const groups = [...Map.groupBy(items, unitOf)]
        .sort(([a], [b]) => compareText(a, b))
        .map(([, group]) => bySize(group, amountOf));
    const longest = groups.reduce((length, group) => Math.max(length, group.length), 0);
    const ordered: Break[] = [];
    for (let rank = 0; rank < longest; rank += 1) {
        for (const group of groups) if (rank < group.length) ordered.push(group[rank]!);
    }
    return ordered;
}

/** Sizes are parsed once, not in every comparison. */
function bySize(items: readonly Break[], amountOf: (item: Break) => string): readonly Break[] {
    return items
        .map((item) => ({ item, size: parseAmount(magnitude(amountOf(item))) }))
        .sort((a, b) => compare(b.size, a.size) || compareBreaks(a.item, b.item))
        .map(({ item }) => item);
}
