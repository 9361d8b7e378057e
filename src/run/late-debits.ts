import { add, formatAmount, negate, parseAmount } from '../money/amount.ts';
import type { BackfillPeriod } from '../schema/backfill.ts';
import type { LateDebit } from './line-differences.ts';

/** What a backfill that counts told of a period; -1 for one that was taken back. */
export interface Told {
    readonly sign: 1 | -1;
    readonly period: BackfillPeriod;
}

/**
 * Late debits that no backfill has told and billed yet: what the log says now against what it said when the
 * month was billed, and what backfills told since. Pure, in the order of accounts and assets.
 */
export function untoldDebits(
    found: readonly LateDebit[],
    told: readonly Told[],
): readonly LateDebit[] {
    const known = new Map<string, LateDebit & { readonly sum: string }>();
    for (const { sign, period } of told) {
        for (const late of countedIn(period)) {
            const before = known.get(keyOf(late));
            const delta = parseAmount(late.delta);
            const signed = sign === 1 ? delta : negate(delta);
            const sum = formatAmount(add(parseAmount(before?.sum ?? '0'), signed));
            known.set(keyOf(late), { ...(before ?? late), sum });
        }
    }
    const now = new Map(found.map((late) => [keyOf(late), late]));
    return [...new Set([...now.keys(), ...known.keys()])]
        .sort()
        .flatMap((key) => untold(now.get(key), known.get(key)))
        .filter(({ delta }) => parseAmount(delta).units !== 0n);
}

/** Late debits of payers whose differences the backfill billed. */
function countedIn({ refused, late_debits = [] }: BackfillPeriod): readonly LateDebit[] {
    const isRefused = new Set(refused.map(({ payer_id }) => payer_id));
    return late_debits.filter(({ payer_id }) => !isRefused.has(payer_id));
}

function untold(
    late: LateDebit | undefined,
    known: (LateDebit & { readonly sum: string }) | undefined,
): readonly LateDebit[] {
    if (!known) return late ? [late] : [];
    // Where the log says what it said when the month was billed, only what was told since is left.
    const { old, new: now } = late ?? { old: known.old, new: known.old };
    const { payer_id, account_id, asset } = late ?? known;
    const since = add(parseAmount(old), parseAmount(known.sum));
    const delta = add(parseAmount(now), negate(since));
    return [
        {
            ...{ payer_id, account_id, asset, old: formatAmount(since), new: now },
            delta: formatAmount(delta),
        },
    ];
}

const keyOf = ({ payer_id, account_id, asset }: LateDebit) =>
    JSON.stringify([payer_id, account_id, asset]);
