/**
 * The oracle of commitments and grants: one charge after the other, each from one grant after the
 * other, no SQL, nothing of src/, every number a fraction. The stage goes the other way round, grant
 * by grant over all charges at once: that both agree is the point. Prices are those of slow-pricer.
 *
 * DECISIONS
 * | order of work | quantity grants cover units; what is left is priced, with its modifiers; the commitment is counted; the charge is rounded; amount grants pay it |
 * | amount | the charge with its overage, before any grant pays; a true-up is beside it |
 * | commitment in money | committed x proration; a charge counts with its exact amount, a negative one takes back |
 * | commitment in units | committed x proration, to 12 decimals half away; units above cost what they add to the amount, at least 0, x factor; or their own price, and then only those within are priced |
 * | shortfall in units | costs what the lacking units would have added in the last window, at least 0 |
 * | true_up window | each window has the commitment, and its own shortfall |
 * | true_up cumulative | all windows have one commitment together; the shortfall is billed with the last |
 * | true_up none | as window, no shortfall is billed |
 * | overage price over money | above / price of a unit x price of overage: per_unit only |
 * | grants | priority, rollover, cost 0, narrow, expiry, start, id (bytes); in whole last decimals of the line; a charge not above 0 draws nothing |
 * | reach | product of the line in the scope, asset its currency, its instants in the window; what a line does not say limits nothing |
 */
import {
    compare,
    decimalText,
    type Fraction,
    fraction,
    instant,
    minus,
    one,
    over,
    parseDecimal,
    plus,
    roundedUnits,
    sum,
    times,
    unitsText,
    zero,
} from '../support/exact.ts';
import { below, byBytes, Refused, type Row } from './slow-meter.ts';
import { exactText, rated, tierRow } from './slow-pricer.ts';

export interface Charge {
    readonly no: number;
    readonly product: string | null;
    readonly asset: string;
    /** First and last instant it is for. */
    readonly span: readonly [bigint, bigint] | null;
    readonly size: Fraction;
}

export interface Grant {
    readonly id: string;
    readonly asset: string;
    readonly size: Fraction;
    readonly priority: bigint;
    readonly isRollover: boolean;
    readonly isPaid: boolean;
    readonly scope: readonly string[];
    readonly starts: bigint | null;
    readonly expires: bigint | null;
}

export interface Draw {
    readonly no: number;
    readonly id: string;
    readonly drawn: Fraction;
}

type Key = readonly bigint[];
const far = 10n ** 30n;
const flag = (of: boolean) => (of ? 1n : 0n);

function orderKey(grant: Grant): Key {
    return [
        grant.priority,
        flag(!grant.isRollover),
        flag(grant.isPaid),
        grant.scope.length === 0 ? far : BigInt(grant.scope.length),
        grant.expires ?? far,
        grant.starts ?? -far,
    ];
}

function byTurn(one: Grant, other: Grant): number {
    const [a, b] = [orderKey(one), orderKey(other)];
    const at = a.findIndex((value, index) => value !== b[index]);
    if (at < 0) return byBytes(one.id, other.id);
    return (a[at] ?? 0n) < (b[at] ?? 0n) ? -1 : 1;
}

function reaches(grant: Grant, { asset, product, span }: Charge): boolean {
    if (grant.asset !== asset) return false;
    if (grant.scope.length > 0 && product !== null && !grant.scope.includes(product)) return false;
    if (span === null) return true;
    const [first, last] = span;
    return (
        (grant.starts === null || grant.starts <= first) &&
        (grant.expires === null || last < grant.expires)
    );
}

const least = (a: Fraction, b: Fraction) => (below(a, b) ? a : b);
const most = (a: Fraction, b: Fraction) => (below(a, b) ? b : a);

/** What each charge draws, charge by charge, from the grants in their order. */
export function drawInOrder(charges: readonly Charge[], grants: readonly Grant[]): readonly Draw[] {
    const left = new Map(grants.map((grant) => [grant.id, grant.size]));
    const ordered = [...grants].sort(byTurn);
    const draws: Draw[] = [];
    for (const charge of [...charges].sort((a, b) => a.no - b.no)) {
        let unpaid = charge.size;
        for (const grant of ordered.filter((of) => reaches(of, charge))) {
            const drawn = least(unpaid, left.get(grant.id) ?? zero);
            if (!below(zero, drawn)) continue;
            unpaid = minus(unpaid, drawn);
            left.set(grant.id, minus(left.get(grant.id) ?? zero, drawn));
            draws.push({ no: charge.no, id: grant.id, drawn });
        }
    }
    return draws;
}

/** What of each size lies above a promise, in their order; and what the promise lacks. */
export function cutAt(sizes: readonly Fraction[], committed: Fraction) {
    let counted = zero;
    const above = sizes.map((size) => {
        const before = most(minus(counted, committed), zero);
        counted = plus(counted, size);
        return minus(most(minus(counted, committed), zero), before);
    });
    return { above, shortfall: most(minus(committed, counted), zero) };
}

const text = (row: Row, key: string) => (row[key] === undefined ? null : String(row[key]));
const decimal = (row: Row, key: string) => {
    const said = text(row, key);
    return said === null ? null : parseDecimal(said);
};

function readGrants(line: Row, kind: 'amount' | 'quantity', asset: string): readonly Grant[] {
    const rows = ((line.grants ?? []) as readonly Row[]).filter((of) => of[kind] !== undefined);
    const at = (row: Row, key: string) => (row[key] == null ? null : instant(String(row[key])));
    return rows.map((row) => ({
        id: String(row.id),
        asset: kind === 'quantity' ? asset : (text(row, 'asset') ?? asset),
        size: decimal(row, kind) ?? zero,
        priority: BigInt(text(row, 'priority') ?? '0'),
        isRollover: row.is_rollover === true,
        isPaid: below(zero, decimal(row, 'cost_basis') ?? zero),
        scope: [...new Set((row.scope ?? []) as string[])],
        starts: at(row, 'starts_at'),
        expires: at(row, 'expires_at'),
    }));
}

function spanOf(line: Row): readonly [bigint, bigint] | null {
    if (line.at !== undefined) return [instant(String(line.at)), instant(String(line.at))];
    const { period_start, period_end } = (line.meter ?? {}) as Row;
    if (period_start !== undefined && period_end !== undefined) {
        return [instant(String(period_start)), instant(String(period_end)) - 1n];
    }
    const times = ((line.events ?? []) as readonly Row[])
        .filter(({ at }) => at != null)
        .map(({ at }) => instant(String(at)))
        .sort((a, b) => (a < b ? -1 : 1));
    const [first, last] = [times[0], times.at(-1)];
    return first === undefined || last === undefined ? null : [first, last];
}

type Exponents = Readonly<Record<string, number>>;
type Rated = ReturnType<typeof rated>;

/** A window on its way: what was used, what of it is priced, and how. */
interface Window {
    readonly used: unknown;
    readonly covered: readonly Draw[];
    /** The line that is priced: with what quantity grants left. */
    readonly line: Row;
    readonly left: Fraction | null;
}

function windowsOf(line: Row, exponents: Exponents): readonly Window[] {
    const { commitment, grants: _, product, at: _at, ...rest } = line;
    const listed = (commitment as Row | undefined)?.window_quantities as string[] | undefined;
    const bare: Row = rest;
    const lines = listed?.map((quantity): Row => ({ ...bare, quantity })) ?? [bare];
    const used = lines.map((of) => rated(of, exponents).quantity);
    const given = readGrants(line, 'quantity', 'units');
    const draws = drawInOrder(
        used.map((of, no) => ({
            ...{ no, asset: 'units', product: (product as string) ?? null, span: spanOf(line) },
            size: given.length ? parseDecimal(String(of)) : zero,
        })),
        given,
    );
    return lines.map((of, no): Window => {
        const covered = draws.filter((draw) => draw.no === no);
        const isNumber = typeof used[no] === 'string' && line.groups === undefined;
        const left = isNumber
            ? minus(parseDecimal(String(used[no])), sum(covered.map(({ drawn }) => drawn)))
            : null;
        if (given.length === 0 || left === null) return { used: used[no], covered, line: of, left };
        return { used: used[no], covered, line: withQuantity(of, left), left };
    });
}

function withQuantity({ events: _, meter: _meter, ...line }: Row, quantity: Fraction): Row {
    return { ...line, quantity: decimalText(quantity) };
}

/** What a window comes to. */
interface Settled {
    readonly exact: Fraction;
    readonly overage: Fraction;
    readonly trueUp: Fraction;
    readonly priced: Rated;
}

function settledWindows(line: Row, windows: readonly Window[], exponents: Exponents) {
    const commitment = line.commitment as Row | undefined;
    const priced = windows.map((window) => rated(window.line, exponents));
    if (!commitment) {
        return priced.map((of): Settled => {
            return { exact: of.exact, overage: zero, trueUp: zero, priced: of };
        });
    }
    const spans =
        commitment.true_up === 'cumulative'
            ? [windows.map((_, index) => index)]
            : windows.map((_, index) => [index]);
    return spans.flatMap((of): readonly Settled[] =>
        commitment.quantity === undefined
            ? ofMoney(line, commitment, priced.slice(of[0], (of.at(-1) ?? 0) + 1))
            : ofUnits(line, commitment, windows.slice(of[0], (of.at(-1) ?? 0) + 1), exponents),
    );
}

const isBilled = ({ true_up }: Row) => true_up !== 'none';

function ofMoney(line: Row, commitment: Row, priced: readonly Rated[]): readonly Settled[] {
    const share = priced[0]?.of.modifiers.share ?? one;
    const committed = times(decimal(commitment, 'amount') ?? zero, share);
    const { above, shortfall } = cutAt(
        priced.map(({ exact }) => exact),
        committed,
    );
    const price = decimal(commitment, 'overage_unit_price');
    const unit = price && (decimal(line.charge as Row, 'unit_price') ?? one);
    const factor =
        price && unit ? over(price, unit) : (decimal(commitment, 'overage_factor') ?? one);
    return priced.map((of, index) => {
        const overage = times(above[index] ?? zero, factor);
        const isLast = index === priced.length - 1;
        return {
            exact: plus(minus(of.exact, above[index] ?? zero), overage),
            overage,
            trueUp: isLast && isBilled(commitment) ? shortfall : zero,
            priced: of,
        };
    });
}

function ofUnits(
    _line: Row,
    commitment: Row,
    windows: readonly Window[],
    exponents: Exponents,
): readonly Settled[] {
    const at = ({ line }: Window, quantity: Fraction) =>
        rated(withQuantity(line, quantity), exponents);
    const used = windows.map(({ left }) => left ?? zero);
    const share = windows[0] ? at(windows[0], zero).of.modifiers.share : one;
    const promised = times(decimal(commitment, 'quantity') ?? zero, share);
    const committed = fraction(roundedUnits(promised, 12), 10n ** 12n);
    const { above, shortfall } = cutAt(used, committed);
    const price = decimal(commitment, 'overage_unit_price');
    const factor = decimal(commitment, 'overage_factor') ?? one;
    return windows.map((window, index) => {
        const [all, beyond] = [used[index] ?? zero, above[index] ?? zero];
        const within = at(window, minus(all, beyond));
        const whole = at(window, all);
        const added = most(minus(whole.exact, within.exact), zero);
        const isLast = index === windows.length - 1;
        const lacking = isLast && isBilled(commitment) ? shortfall : zero;
        const full = at(window, plus(all, lacking));
        const overage = price ? times(beyond, price) : times(added, factor);
        const own = price ? within.exact : minus(whole.exact, added);
        return {
            exact: plus(own, overage),
            overage,
            trueUp: most(minus(full.exact, whole.exact), zero),
            priced: price ? within : whole,
        };
    });
}

/** Draws of one kind, by grant in the order of their turns. */
function byGrant(draws: readonly Draw[], grants: readonly Grant[]) {
    return [...grants].sort(byTurn).flatMap(({ id }) => {
        const own = draws.filter((draw) => draw.id === id).map(({ drawn }) => drawn);
        return own.length ? [{ grant_id: id, sum: sum(own) }] : [];
    });
}

/** The answer of `tieout quote` to a line with a commitment or grants. */
export function settledQuote(line: Row, exponents: Exponents): Row {
    const id = String(line.id);
    try {
        return { id, ...answer(line, exponents), currency: line.currency };
    } catch (error) {
        if (error instanceof Refused) {
            return { id, error: { code: error.code, message: error.message } };
        }
        throw error;
    }
}

function answer(line: Row, exponents: Exponents): Row {
    const windows = windowsOf(line, exponents);
    const settled = settledWindows(line, windows, exponents);
    const { modifiers } = (settled[0] as Settled).priced.of;
    const { decimals } = modifiers;
    // Without a commitment slices and groups have been rounded in their own way already.
    const units = settled.map(({ exact, priced }) =>
        line.commitment ? modifiers.round(exact) : priced.units,
    );
    const money = (of: bigint) => unitsText(of, decimals);
    const whole = (of: bigint) => fraction(of, 10n ** BigInt(decimals));
    const cut = (of: Fraction) => whole((of.top * 10n ** BigInt(decimals)) / of.bottom);
    const payers = readGrants(line, 'amount', String(line.currency)).map((grant) => ({
        ...grant,
        size: cut(grant.size),
    }));
    const reach = { product: (line.product as string) ?? null, span: spanOf(line) };
    const paid = drawInOrder(
        units.map((of, no) => ({
            ...{ no, asset: String(line.currency), ...reach },
            size: whole(of),
        })),
        payers,
    );
    const coverers = readGrants(line, 'quantity', 'units');
    const drawnOf = (nos: readonly number[]) => {
        const own = paid.filter(({ no }) => nos.includes(no));
        const covered = nos.flatMap((no) => windows[no]?.covered ?? []);
        const owed = nos.reduce((all, no) => all + (units[no] ?? 0n), 0n);
        const left = minus(whole(owed), sum(own.map(({ drawn }) => drawn)));
        const drawn = [
            ...byGrant(covered, coverers).map(({ grant_id, sum: of }) => ({
                ...{ grant_id, quantity: decimalText(of) },
            })),
            ...byGrant(own, payers).map(({ grant_id, sum: of }) => ({
                ...{ grant_id, amount: money(roundedUnits(of, decimals)) },
            })),
        ];
        return line.grants ? { drawn, remaining: money(roundedUnits(left, decimals)) } : {};
    };
    const windowAnswers = settled.map(({ exact, overage, trueUp, priced }, no) => ({
        quantity: windows[no]?.used,
        ...{ amount_exact: exactText(exact), amount: money(units[no] ?? 0n) },
        ...(line.commitment
            ? {
                  overage: money(modifiers.round(overage)),
                  true_up: money(modifiers.round(trueUp)),
              }
            : {}),
        ...drawnOf([no]),
        tiers: priced.slices.map(tierRow),
        ...('groups' in priced && priced.groups ? { groups: priced.groups } : {}),
    }));
    if ((line.commitment as Row | undefined)?.window_quantities === undefined) {
        return windowAnswers[0] as Row;
    }
    const total = (of: (one: Settled) => Fraction) =>
        settled.reduce((all, each) => all + modifiers.round(of(each)), 0n);
    return {
        quantity: decimalText(sum(windows.map(({ used }) => parseDecimal(String(used))))),
        amount_exact: exactText(sum(settled.map(({ exact }) => exact))),
        amount: money(units.reduce((all, of) => all + of, 0n)),
        overage: money(total(({ overage }) => overage)),
        true_up: money(total(({ trueUp }) => trueUp)),
        ...drawnOf(windows.map((_, no) => no)),
        tiers: [],
        windows: windowAnswers,
    };
}

/** Whether a is at most b. */
export const atMost = (a: Fraction, b: Fraction) => compare(a, b) <= 0;
