import { add, formatAmount, parseAmount } from '../money/amount.ts';
import type { CoveredJob, Cut } from './cover.ts';
import type { GroupUsage } from './units.ts';

/**
 * The quantities at which a line is priced, as groups: its usage, and where a committed quantity
 * needs to know what units above it add, or what units that are lacking would have added.
 */
export interface Points {
    readonly usage: readonly GroupUsage[];
    /** Group of each window: what it is charged for. */
    readonly charged: readonly string[];
    /** Group of its part within the commitment, where its units above it cost a factor. */
    readonly within: readonly (string | null)[];
    /** By window at whose end a shortfall is due: the group of what was promised. */
    readonly promised: ReadonlyMap<bigint, string>;
}

export function pointsOf({ line, left }: CoveredJob, cut: Cut | null): Points {
    if (cut === null) {
        return {
            usage: left,
            charged: left.map(({ group_id }) => group_id),
            within: left.map(() => null),
            promised: new Map(),
        };
    }
    // Units above have a price of their own, or are priced by what they add.
    const isApart = line.commitment?.overage_unit_price !== undefined;
    const windows = left.map(({ quantity }, index) => ({
        name: String(index + 1),
        quantity: isApart ? (cut.within[index] ?? '0') : quantity,
        within: isApart || cut.above[index] === '0' ? null : (cut.within[index] ?? null),
    }));
    const promised = [...cut.shortfalls].map(([due, shortfall]) => ({
        due,
        name: `${due} promised`,
        quantity: formatAmount(
            add(
                parseAmount(left[Number.parseInt(due.toString(), 10) - 1]?.quantity ?? '0'),
                parseAmount(shortfall),
            ),
        ),
    }));
    const group = (group_id: string, quantity: string) => ({ group_id, quantity, events: null });
    return {
        usage: [
            ...windows.map(({ name, quantity }) => group(name, quantity)),
            ...windows.flatMap(({ name, within }) =>
                within === null ? [] : [group(`${name} within`, within)],
            ),
            ...promised.map(({ name, quantity }) => group(name, quantity)),
        ],
        charged: windows.map(({ name }) => name),
        within: windows.map(({ name, within }) => (within === null ? null : `${name} within`)),
        promised: new Map(promised.map(({ due, name }) => [due, name])),
    };
}
