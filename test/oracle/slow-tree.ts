/**
 * The oracle of account trees: one event after the other, no SQL, nothing of src/, every number a
 * fraction. Written from GLOSSARY.md and design/product.md section 5: who pays, which pool counts, which
 * contract prices, who shares what, and in whose lines it is shown. What a charge model makes of a
 * quantity is for slow-pricer.ts.
 */
import {
    compare,
    cutUnits,
    decimalText,
    type Fraction,
    fraction,
    instant,
    parseDecimal,
    roundedUnits,
    sum,
    times,
    unitsText,
    within,
} from '../support/exact.ts';
import type { Row } from './slow-meter.ts';
import { allocate } from './slow-modifiers.ts';
import { rated } from './slow-pricer.ts';
import { type Account, pathOf, payerOf } from './slow-rater.ts';

/** One account over one span, with its three switches. */
export interface TreeAccount extends Account {
    readonly rate_at: 'self' | 'pool';
    readonly detail: 'breakdown' | 'summary';
}

/** A card that prices an account and those below it instead of the standard one. */
export interface TreeContract {
    readonly contract: string;
    readonly account_id: string;
    readonly card: string;
    readonly from: string;
    readonly to: string | null;
}

/** The one rate of a card for a meter: a bare price, or a charge that counts in a scope. */
export interface TreeRate {
    readonly card: string;
    readonly meter: string;
    readonly price: string | null;
    readonly charge: Row;
    /** A term of a contract is asked of properties only. */
    readonly scope: 'line' | 'account' | 'pool' | 'contract_term';
}

export interface TreeEvent {
    readonly account_id: string;
    readonly at: string;
    readonly meter: string;
    readonly kind: string;
    readonly quantity: string;
}

export interface Forest {
    readonly accounts: readonly TreeAccount[];
    readonly contracts: readonly TreeContract[];
    readonly rates: readonly TreeRate[];
    readonly events: readonly TreeEvent[];
}

/** A part of what was priced together: a member with its share. */
export interface TreeCharge {
    readonly payer_id: string;
    readonly account_id: string;
    /** Empty where the pool does not matter. */
    readonly pool_id: string;
    readonly meter: string;
    readonly kind: string;
    readonly card: string;
    readonly quantity: Fraction;
    readonly amount: Fraction;
    /** In minor units; null for a bare price, which is rounded on its line. */
    readonly rounded: bigint | null;
}

/** The card of whoever has no contract. */
export const standardCard = 'list';
const usd = { currency: 'USD', exponent: 2 } as const;

/** Who pays, which pool counts and which card prices what an account uses at an instant. */
function placeOf(forest: Forest, account_id: string, at: bigint) {
    const path = pathOf(forest.accounts, account_id, at) as readonly TreeAccount[] | null;
    if (!path) throw new RangeError(`${account_id} does not exist`);
    const payer_id = payerOf(path);
    const climb = (isOpen: (of: TreeAccount) => boolean) => {
        const end = path.find((of) => of.account_id === payer_id || !isOpen(of));
        return end?.account_id ?? payer_id;
    };
    const contract = path
        .map((of) =>
            forest.contracts.find(
                ({ account_id: id, from, to }) => id === of.account_id && within(at, from, to),
            ),
        )
        .find((of) => of !== undefined);
    return {
        payer_id,
        pool_id: climb(({ rate_at }) => rate_at === 'pool'),
        line_account_id: climb(({ detail }) => detail === 'summary'),
        card: contract?.card ?? standardCard,
    };
}

interface Used extends Omit<TreeCharge, 'amount' | 'rounded'> {
    readonly rate: TreeRate;
}

function usedBy(forest: Forest, event: TreeEvent): Used {
    const { account_id, meter, kind } = event;
    const { payer_id, pool_id, card } = placeOf(forest, account_id, instant(event.at));
    const rate = forest.rates.find((of) => of.card === card && of.meter === meter);
    if (!rate) throw new RangeError(`no rate of ${meter} on ${card}`);
    const pool = rate.price === null && rate.scope === 'pool' ? pool_id : '';
    const quantity = parseDecimal(event.quantity);
    return { payer_id, account_id, pool_id: pool, meter, kind, card, quantity, rate };
}

const groups = <T>(of: readonly T[], key: (one: T) => readonly unknown[]): readonly T[][] =>
    [...Map.groupBy(of, (one) => JSON.stringify(key(one)))]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, parts]) => parts);

const firstOf = <T>([one]: readonly T[]): T => {
    if (one === undefined) throw new RangeError('an empty group');
    return one;
};

/** What all members of a line used, at its rate, shared by what each used. */
function shared(members: readonly Used[]): readonly TreeCharge[] {
    const { rate } = firstOf(members);
    const weights = members.map(({ quantity }) => quantity);
    if (rate.price !== null) {
        const price = parseDecimal(rate.price);
        return members.map(({ rate: _, ...of }) => ({
            ...{ ...of, amount: times(of.quantity, price), rounded: null },
        }));
    }
    const line = { id: 'line', charge: rate.charge, quantity: decimalText(sum(weights)) };
    const { exact, units } = rated({ ...line, currency: usd.currency }, { USD: usd.exponent });
    const minor = allocate(units, weights);
    const amounts = cutByWeight(cutUnits(exact, 24), weights);
    return members.map(({ rate: _, ...of }, at) => ({
        ...of,
        amount: fraction(amounts[at] ?? 0n, 10n ** 24n),
        rounded: minor[at] ?? 0n,
    }));
}

/** Parts cut at the last digit; what is left goes to the largest, the first of equals. */
function cutByWeight(units: bigint, weights: readonly Fraction[]): readonly bigint[] {
    const whole = sum(weights);
    const parts = weights.map(
        ({ top, bottom }) => (units * top * whole.bottom) / (bottom * whole.top),
    );
    const largest = weights.toSorted((a, b) => compare(b, a))[0] as Fraction;
    const first = weights.findIndex((weight) => compare(weight, largest) === 0);
    const left = units - parts.reduce((total, part) => total + part, 0n);
    return parts.map((part, at) => (at === first ? part + left : part));
}

/** Everything used in the period, priced by what counts together. Zero usage makes no charge. */
export function chargesOf(
    forest: Forest,
    period: { readonly start: string; readonly end: string },
): readonly TreeCharge[] {
    const used = forest.events
        .filter(({ at }) => within(instant(at), period.start, period.end))
        .map((event) => usedBy(forest, event));
    const members = groups(used, (of) => [
        ...[of.payer_id, of.pool_id, of.account_id, of.kind, of.meter, of.card],
    ]).map((parts) => ({ ...firstOf(parts), quantity: sum(parts.map((of) => of.quantity)) }));
    const together = ({ rate, payer_id, pool_id, account_id, kind, meter, card }: Used) => {
        if (rate.price !== null) return [payer_id, account_id, kind, meter, card];
        const { scope } = rate;
        if (scope === 'contract_term') throw new RangeError('a term is longer than a period');
        const within = { pool: [pool_id], account: [account_id], line: [account_id, kind] };
        return [payer_id, meter, card, ...within[scope]];
    };
    return groups(members, together).flatMap(shared);
}

/** The account in whose lines an account is shown for a payer: the last answer in the period. */
function shownIn(forest: Forest, of: TreeCharge, end: string): string {
    const starts = [...new Set(forest.accounts.map(({ from }) => instant(from)))]
        .filter((at) => at < instant(end))
        .sort((a, b) => (a < b ? -1 : 1));
    const places = starts
        .filter((at) => pathOf(forest.accounts, of.account_id, at))
        .map((at) => placeOf(forest, of.account_id, at));
    return places.findLast((place) => place.payer_id === of.payer_id)?.line_account_id ?? '';
}

const text = (...parts: readonly unknown[]) => parts.join(' | ');
const minorText = (units: bigint) => unitsText(units, usd.exponent);

/** payer | account | pool | meter | kind | card | quantity | amount | rounded */
export function chargeFacts(charges: readonly TreeCharge[]): readonly string[] {
    return charges
        .map((of) =>
            text(
                ...[of.payer_id, of.account_id, of.pool_id, of.meter, of.kind, of.card],
                ...[decimalText(of.quantity), decimalText(of.amount)],
                of.rounded === null ? '' : minorText(of.rounded),
            ),
        )
        .sort();
}

/** payer | account | meter | kind | card | quantity | amount_exact | amount, one for each line. */
export function lineFacts(
    forest: Forest,
    charges: readonly TreeCharge[],
    end: string,
): readonly string[] {
    const shown = charges.map((of) => ({ ...of, account_id: shownIn(forest, of, end) }));
    return groups(shown, (of) => [
        ...[of.payer_id, of.account_id, of.pool_id, of.meter, of.kind, of.card],
    ])
        .map((parts) => {
            const { payer_id, account_id, meter, kind, card } = firstOf(parts);
            const amount = sum(parts.map((of) => of.amount));
            const isBare = parts.some(({ rounded }) => rounded === null);
            const units = isBare
                ? roundedUnits(amount, usd.exponent)
                : parts.reduce((total, { rounded }) => total + (rounded ?? 0n), 0n);
            const quantity = decimalText(sum(parts.map((of) => of.quantity)));
            return text(
                ...[payer_id, account_id, meter, kind, card, quantity, decimalText(amount)],
                minorText(units),
            );
        })
        .sort();
}
