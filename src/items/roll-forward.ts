import { compareText } from '../export/order.ts';
import { absolute, add, compare, parseAmount } from '../money/amount.ts';
import type { Break } from '../schema/break.ts';
import type { Item } from '../schema/item.ts';

/** What a run found, and what was followed before it. */
export interface Found {
    readonly period: string;
    readonly run_id: string;
    readonly as_of: string;
    readonly breaks: Iterable<Break>;
    /** Items as the run that spoke for the period before left them; none for the first. */
    readonly before: readonly Item[];
    /** Items as the run of the period before left them. Its own and those carried into it. */
    readonly carried: readonly Item[];
    /** Asset to the difference that a match in it may have. */
    readonly tolerances: ReadonlyMap<string, string>;
}

const keyOf = ({ period, break_id }: Pick<Item, 'period' | 'break_id'>) => `${period} ${break_id}`;

/**
 * Follows the breaks of a run: what is new, what is still there, what is gone, and what the other side
 * of has arrived in a later period. An item of an earlier period stays until its own runs find it no
 * more, or a break of this period with the same id takes it back to zero,
 * within tolerance. Pure, and ordered.
 */
export function rollForward(found: Found): readonly Item[] {
    const { period, run_id, as_of, before } = found;
    const known = new Map(before.map((item) => [keyOf(item), item]));
    const own = [...found.breaks].map((of): Item => {
        const earlier = known.get(keyOf({ ...of, period }));
        return {
            ...factsOf(of),
            period,
            first_seen_at: earlier?.first_seen_at ?? as_of,
            first_seen_run: earlier?.first_seen_run ?? run_id,
            last_seen_at: as_of,
            cleared_at: null,
            cleared_by: null,
        };
    });
    const there = [...own, ...carriedItems(found)];
    const here = new Set(there.map(keyOf));
    const gone = before
        .filter((of) => !here.has(keyOf(of)))
        .map((of): Item => {
            if (of.cleared_by === 'gone') return of;
            return { ...of, cleared_at: as_of, cleared_by: 'gone' };
        });
    const items = [...there, ...gone];
    const offset = offsetBreaks(items, found.tolerances);
    return items
        .map((of) => {
            if (of.cleared_by === 'gone' || !offset.has(of.break_id)) return of;
            const cleared_at = known.get(keyOf(of))?.cleared_at ?? as_of;
            return { ...of, cleared_at, cleared_by: 'offset' as const };
        })
        .sort(compareItems);
}

function factsOf(of: Break) {
    const { break_id, code, break_key, payer_id, account_id, asset, amount } = of;
    const { money_amount, currency, first_at, accepted_by } = of;
    const facts = { break_id, code, break_key, payer_id, account_id, asset, amount };
    return { ...facts, money_amount, currency, first_at, accepted_by };
}

/** What is open of earlier periods, as the run of the period before has it. */
function carriedItems({ period, carried }: Found): readonly Item[] {
    return carried.filter((of) => of.period < period && of.cleared_at === null);
}

/**
 * Breaks that stand in several periods and come to nothing together, within tolerance: each side clears
 * the other.
 */
function offsetBreaks(
    items: readonly Item[],
    tolerances: Found['tolerances'],
): ReadonlySet<string> {
    const there = items.filter(({ cleared_by }) => cleared_by !== 'gone');
    const byBreak = Map.groupBy(there, ({ break_id }) => break_id);
    const isOffset = (sides: readonly Item[]) => {
        if (new Set(sides.map(({ period }) => period)).size < 2) return false;
        const amounts = sides.map(({ amount }) => parseAmount(amount));
        const tolerance = parseAmount(tolerances.get(sides[0]?.asset ?? '') ?? '0');
        const isOfForm = amounts.every(({ units }) => units === 0n);
        return !isOfForm && compare(absolute(amounts.reduce(add)), tolerance) <= 0;
    };
    return new Set([...byBreak].filter(([, of]) => isOffset(of)).map(([id]) => id));
}

/** The order of items wherever they are written. */
export function compareItems(a: Item, b: Item): number {
    return compareText(a.period, b.period) || compareText(a.break_id, b.break_id);
}
