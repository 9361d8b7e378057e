import { allocate } from '../money/allocate.ts';
import { add, parseAmount } from '../money/amount.ts';
import type { LineItem } from '../schema/line-item.ts';

/** What paid some of a line before its invoice: the asset of a wallet, or a grant. */
export interface Paid {
    readonly line_key: string;
    readonly payer_id: string;
    /** In whose lines it is shown. */
    readonly account_id: string;
    readonly product: string;
    readonly asset: string;
    /** Null of a wallet. */
    readonly grant_id: string | null;
    readonly amount_minor: bigint;
    /** The same in the asset, in 10^-12 of its unit. */
    readonly asset_units: bigint;
}

/** A piece of a charge: what one of these paid of it, or what remains to be paid. */
export interface Piece {
    readonly paid: Paid | null;
    readonly amount_minor: bigint;
}

/** Decimals of an asset or a quantity in whole numbers. */
export const unitScale = 12;

/** Decimal text of at most so many places, or with zeros beyond, in whole numbers of 10^-12. */
export function unitsOf(text: string): bigint {
    const { units, scale } = add(parseAmount(text), { units: 0n, scale: 24 });
    return units / 10n ** BigInt(scale - unitScale);
}

/** Splits a whole number by weights of which none counts below zero; without any, the first has it. */
export function splitBy(units: bigint, weights: readonly bigint[]): readonly bigint[] {
    const sizes = weights.map((weight) => (weight < 0n ? 0n : weight));
    if (sizes.some((size) => size > 0n)) return allocate(units, sizes);
    return sizes.map((_, at) => (at === 0 ? units : 0n));
}

/**
 * Cuts charges into pieces: each payment its own, what remains to be paid the last. All pieces of a
 * charge are its amount. A grant in money pays overage of the line that it draws on too: what is more than
 * the line belongs to the overage of its payer and product, as far as there is any.
 */
export function piecesOf(
    lines: readonly LineItem[],
    paid: readonly Paid[],
): ReadonlyMap<string, readonly Piece[]> {
    const byLine = Map.groupBy(paid, ({ line_key }) => line_key);
    const isOverage = ({ line_type }: LineItem) => line_type === 'overage';
    const overages = Map.groupBy(lines.filter(isOverage), groupOf);
    const beyond = new Map<string, Paid[]>();
    const pieces = new Map<string, readonly Piece[]>();
    for (const line of lines.filter((of) => !isOverage(of))) {
        const own = byLine.get(line.line_key) ?? [];
        if (!overages.has(groupOf(line))) {
            pieces.set(line.line_key, withRest(line, own));
            continue;
        }
        const { within, above } = cutAt(line.amount_minor, own);
        pieces.set(line.line_key, withRest(line, within));
        beyond.set(groupOf(line), [...(beyond.get(groupOf(line)) ?? []), ...above]);
    }
    for (const [group, of] of overages) {
        let left: readonly Paid[] = beyond.get(group) ?? [];
        for (const [at, line] of of.entries()) {
            // The last one takes all that is left: nothing that was paid may be lost.
            const isLast = at === of.length - 1;
            const cut = isLast ? { within: left, above: [] } : cutAt(line.amount_minor, left);
            pieces.set(line.line_key, withRest(line, cut.within));
            left = cut.above;
        }
    }
    return pieces;
}

const groupOf = ({ payer_id, product }: LineItem) => JSON.stringify([payer_id, product]);

/** Payments up to a size, in their order, and those beyond; wallets pay lines only. */
function cutAt(
    size: bigint,
    paid: readonly Paid[],
): { readonly within: readonly Paid[]; readonly above: readonly Paid[] } {
    const within: Paid[] = [];
    const above: Paid[] = [];
    let room = size;
    for (const one of paid) {
        const fits = one.grant_id === null || one.amount_minor <= room;
        const taken = fits ? one.amount_minor : room > 0n ? room : 0n;
        room -= taken;
        if (fits) {
            within.push(one);
            continue;
        }
        const weights = [taken, one.amount_minor - taken];
        const [here = 0n, there = 0n] = splitBy(one.asset_units, weights);
        if (taken > 0n) within.push({ ...one, amount_minor: taken, asset_units: here });
        above.push({ ...one, amount_minor: one.amount_minor - taken, asset_units: there });
    }
    return { within, above };
}

/** One piece each for what paid, and one for the rest, unless it is nothing. */
function withRest({ amount_minor }: LineItem, paid: readonly Paid[]): readonly Piece[] {
    const pieces = paid.map((one): Piece => ({ paid: one, amount_minor: one.amount_minor }));
    const rest = amount_minor - paid.reduce((sum, one) => sum + one.amount_minor, 0n);
    return rest === 0n && pieces.length > 0
        ? pieces
        : [...pieces, { paid: null, amount_minor: rest }];
}
