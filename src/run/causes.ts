import { type Amount, add, compare, multiply, negate, parseAmount } from '../money/amount.ts';
import { type Cause, causes } from '../schema/backfill.ts';
import type { Changed } from './evidence.ts';
import type { Cell, LineDifference, Priced } from './line-differences.ts';

/** What the causes of a line are looked for in. */
export interface CauseFacts {
    readonly changed: Changed;
    readonly cells: readonly Cell[];
    /** Payers of whom one of the runs left usage without a price. */
    readonly unrated: ReadonlySet<string>;
}

/**
 * Names the causes of a line: all that may be, never one of several that can't be told apart. A line
 * of usage is decided by the usage of its account: a quantity that moved to another payer or account is
 * re-parenting; one that came or went is late events, or what is metered; a price that differs is a
 * rate change. All other lines follow the usage of their payer. What nothing explains is a rule fix.
 */
export function causeFinder({ cells, ...facts }: CauseFacts): (line: LineDifference) => string {
    const { changed } = facts;
    const ofMeter = new Map(
        [...Map.groupBy(cells, meterOf)].map(([key, of]) => {
            const accounts = [...Map.groupBy(of, accountOf).values()];
            return [key, movementOf(accounts)] as const;
        }),
    );
    const found = new Map(
        [...Map.groupBy(cells, accountOf).values()].flatMap((account) => {
            const [first] = account;
            const meter = ofMeter.get(first ? meterOf(first) : '') ?? nowhere;
            const price = priceCauses(account, changed);
            const quantity = quantityCauses(account, meter, facts);
            return account.map((cell) => {
                const isSame = riseOf([cell]).units === 0n;
                return [cellOf(cell), isSame ? price : [...quantity, ...price]] as const;
            });
        }),
    );
    const ofPayer = new Map(
        [...Map.groupBy(cells, ({ payer_id }) => payer_id)].map(([payer_id, own]) => [
            payer_id,
            [...new Set(own.flatMap((cell) => found.get(cellOf(cell)) ?? []))],
        ]),
    );
    return (line) => {
        if (line.line_type.endsWith('_adjustment')) return 'correction';
        const own = line.line_type === 'usage' ? (found.get(cellOf(line)) ?? []) : [];
        if (own.length > 0) return textOf([...own, ...byTerms(line, changed)]);
        const followed = line.line_type === 'fee' ? [] : (ofPayer.get(line.payer_id) ?? []);
        return textOf([...followed, ...besides(line, changed)]);
    };
}

type Keys = Pick<Cell, 'account_id' | 'meter' | 'attributes' | 'payer_id'>;
const meterOf = ({ meter, attributes }: Keys) => JSON.stringify([meter, attributes]);
const accountOf = (of: Keys) => JSON.stringify([of.account_id, meterOf(of)]);
const cellOf = (of: Keys) => JSON.stringify([of.payer_id, accountOf(of)]);

/** Causes, each with whether it may have been one. */
type Weighed = readonly (readonly [Cause, boolean])[];
const those = (weighed: Weighed) => weighed.flatMap(([cause, is]) => (is ? [cause] : []));

function textOf(found: readonly Cause[]): string {
    const said = causes.filter((cause) => found.includes(cause));
    return said.length > 0 ? said.join('+') : 'rule_fix';
}

/** By how much the quantity of some cells rose or fell. */
function riseOf(cells: readonly Cell[]): Amount {
    const none: Amount = { units: 0n, scale: 0 };
    return cells.reduce(
        (sum, { old_quantity, new_quantity }) =>
            add(sum, add(parseAmount(new_quantity), negate(parseAmount(old_quantity)))),
        none,
    );
}

/** Whether quantities went from some parts to others, and whether that is all. */
interface Movement {
    readonly isMoved: boolean;
    readonly isWhole: boolean;
}
const nowhere: Movement = { isMoved: false, isWhole: false };

function movementOf(parts: readonly (readonly Cell[])[]): Movement {
    const rises = parts.map((part) => riseOf(part).units);
    const isMoved = rises.some((of) => of > 0n) && rises.some((of) => of < 0n);
    return { isMoved, isWhole: isMoved && riseOf(parts.flat()).units === 0n };
}

/** Why the usage of an account is another one. @param meter among all accounts. */
function quantityCauses(
    account: readonly Cell[],
    meter: Movement,
    { changed, unrated }: Omit<CauseFacts, 'cells'>,
): readonly Cause[] {
    const payers = movementOf(account.map((of) => [of]));
    if (changed.accounts && (payers.isWhole || meter.isWhole)) return ['re_parenting'];
    const isUnrated = account.some(({ payer_id }) => unrated.has(payer_id));
    const isNew = account.every(({ old_prices }) => old_prices === null);
    const isMoved = payers.isMoved || meter.isMoved || isNew;
    const found: Weighed = [
        ['late_events', changed.objects],
        ['rate_change', changed.prices && isUnrated],
        ['re_parenting', changed.accounts && isMoved],
        ['rule_fix', changed.other],
    ];
    return those(found);
}

/** Only where both runs have a price there are two to compare. */
function priceCauses(account: readonly Cell[], changed: Changed): readonly Cause[] {
    const listed = (prices: readonly (string | null)[]) =>
        [...new Set(prices.filter((price) => price !== null))].sort().join();
    const old = listed(account.map(({ old_prices }) => old_prices));
    const now = listed(account.map(({ new_prices }) => new_prices));
    if (old === '' || now === '' || old === now) return [];
    if (changed.prices) return ['rate_change'];
    const found: Weighed = [
        ['re_parenting', changed.accounts],
        ['rule_fix', changed.other],
    ];
    return those(found);
}

/** Terms (tiers, minimums) make of a quantity what no price of one unit shows. */
function byTerms({ old_exact, new_exact }: LineDifference, { prices }: Changed): readonly Cause[] {
    const isLinear = (of: Priced | null) =>
        of === null ||
        compare(
            multiply(parseAmount(of.quantity), parseAmount(of.unit_price)),
            parseAmount(of.amount_exact),
        ) === 0;
    return prices && !(isLinear(old_exact) && isLinear(new_exact)) ? ['rate_change'] : [];
}

/** What may have caused a line of the same usage, or one that is beside usage. */
function besides({ line_type }: LineDifference, changed: Changed): readonly Cause[] {
    const isAlone = !(changed.prices || changed.accounts || changed.other);
    const found: Weighed = [
        // Wallets pay by debits, which come in objects too.
        ['late_events', changed.objects && (line_type === 'wallet_settlement' || isAlone)],
        ['rate_change', changed.prices],
        ['re_parenting', changed.accounts],
        ['rule_fix', changed.other],
    ];
    return those(found);
}
