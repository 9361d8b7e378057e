/**
 * The oracle of metering and rating: one event after the other, no SQL, nothing of src/, every
 * number a fraction. Written from design/product.md sections 2 to 5 and kept apart from whoever
 * writes the pipeline: when the two differ, either may be wrong.
 */
import {
    decimalText,
    type Fraction,
    instant,
    over,
    type Place,
    parseDecimal,
    roundedUnits,
    sum,
    times,
    type Unique,
    unique,
    within,
    zero,
} from '../support/exact.ts';

/** An event as it was delivered. Null: the field is not there; a quantity then counts as zero. */
export interface UsageEvent extends Place {
    readonly source: string;
    readonly event_id: string;
    readonly event_type: string;
    readonly account_id: string;
    readonly authorization_id?: string | null;
    /** RFC 3339 with a zone, up to six fractional digits. */
    readonly at: string;
    readonly attributes: Readonly<Record<string, string | null>>;
    /** Decimal text. */
    readonly quantities: Readonly<Record<string, string | null>>;
}

export interface Meter {
    readonly meter: string;
    /** Its filter. */
    readonly wants: (event: UsageEvent) => boolean;
    readonly attributes: readonly string[];
    /** Class to quantity; the class null stands for a meter without token classes. */
    readonly classes: readonly {
        readonly token_class: string | null;
        readonly quantity: (event: UsageEvent) => Fraction;
    }[];
}

export interface Rate {
    readonly meter: string;
    /** Attribute = value. One that is not here, or is '*', may have any value or none. */
    readonly when: Readonly<Record<string, string>>;
    readonly priority: number;
    readonly from: string;
    readonly to: string | null;
    readonly price: string;
    readonly price_per: string;
    readonly currency: string;
}

/** One account over one span. */
export interface Account {
    readonly account_id: string;
    readonly parent: string | null;
    readonly bill_to: 'self' | 'parent' | 'top';
    readonly from: string;
    readonly to: string | null;
}

/** What an account has when it pays: its currency, and the billing period in its own zone. */
export type Payer = { readonly currency: string; readonly start: string; readonly end: string };

export interface Book {
    readonly meters: readonly Meter[];
    readonly derived: Readonly<Record<string, (event: UsageEvent) => string | null>>;
    readonly rates: readonly Rate[];
    readonly accounts: readonly Account[];
    readonly payers: Readonly<Record<string, Payer>>;
    /** Currency to the decimals of its minor unit. */
    readonly exponents: Readonly<Record<string, number>>;
}

/** A quantity of an event; what is missing is zero. */
export const quantityOf = (event: UsageEvent, name: string): Fraction =>
    parseDecimal(event.quantities[name] ?? '0');

/** From the account up to its root at an instant; null when it does not exist then. */
export function pathOf(
    accounts: readonly Account[],
    id: string,
    at: bigint,
): readonly Account[] | null {
    const own = accounts.find((row) => row.account_id === id && within(at, row.from, row.to));
    if (!own) return null;
    if (own.parent === null) return [own];
    const above = pathOf(accounts, own.parent, at);
    if (!above) throw new RangeError(`${own.parent}, parent of ${id}, does not exist`);
    return [own, ...above];
}

/** Who is billed for what the first account of a path uses. */
export function payerOf(path: readonly Account[]): string {
    const [own, parent] = path;
    if (!own) throw new RangeError('an empty path');
    const payer = { self: own, parent: parent ?? own, top: path.at(-1) ?? own }[own.bill_to];
    return payer.account_id;
}

const named = (rate: Rate) => Object.entries(rate.when).filter(([, value]) => value !== '*');

/** Most attributes named, then priority, then the later start. @throws RangeError on a tie. */
export function bestRate(
    rates: readonly Rate[],
    meter: string,
    attributes: Readonly<Record<string, string | null>>,
    at: bigint,
): Rate | null {
    const order = (a: Rate, b: Rate) =>
        named(b).length - named(a).length ||
        b.priority - a.priority ||
        Number(instant(b.from) - instant(a.from));
    const [best, next] = rates
        .filter((rate) => rate.meter === meter && within(at, rate.from, rate.to))
        .filter((rate) => named(rate).every(([name, value]) => attributes[name] === value))
        .sort(order);
    if (best && next && order(best, next) === 0) {
        throw new RangeError(`a tie: ${rateName(best)} and ${rateName(next)}`);
    }
    return best ?? null;
}

/** Identity of a rate in words: meter, what it names, priority, start. */
export function rateName(rate: Rate): string {
    const when = JSON.stringify(Object.fromEntries(named(rate).sort(byName)));
    return `${rate.meter} ${when} p${rate.priority} from ${instant(rate.from)}`;
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
    a < b ? -1 : 1;

/** What one event comes to under one meter and class. */
export interface Priced {
    readonly payer_id: string;
    readonly account_id: string;
    readonly meter: string;
    /** Canonical JSON, keys sorted, null where the event does not say. */
    readonly attributes: string;
    readonly currency: string;
    /** Name of the rate; or UNRATED, or RATE_CURRENCY: then the amount is zero and not a price. */
    readonly rate: string;
    readonly quantity: Fraction;
    readonly amount: Fraction;
}

/** Null: no such account then. Empty: no meter wants it, or it is of another period. */
export function priceEvent(event: UsageEvent, book: Book): readonly Priced[] | null {
    const at = instant(event.at);
    const path = pathOf(book.accounts, event.account_id, at);
    if (!path) return null;
    const payer_id = payerOf(path);
    const payer = book.payers[payer_id];
    if (!payer) throw new RangeError(`nothing known of the payer ${payer_id}`);
    if (!within(at, payer.start, payer.end)) return [];
    const read = (name: string) => book.derived[name]?.(event) ?? event.attributes[name] ?? null;
    const priced = (of: Meter, { token_class, quantity }: Meter['classes'][number]): Priced => {
        const pairs = of.attributes.map((name) => [name, read(name)] as const);
        const own = token_class === null ? [] : [['token_class', token_class] as const];
        const attributes = Object.fromEntries([...pairs, ...own].sort(byName));
        const found = bestRate(book.rates, of.meter, attributes, at);
        const rate = found?.currency === payer.currency ? found : null;
        const price = rate ? over(parseDecimal(rate.price), parseDecimal(rate.price_per)) : zero;
        return {
            payer_id,
            account_id: event.account_id,
            meter: of.meter,
            attributes: JSON.stringify(attributes),
            currency: payer.currency,
            rate: rate ? rateName(rate) : found ? 'RATE_CURRENCY' : 'UNRATED',
            quantity: quantity(event),
            amount: times(quantity(event), price),
        };
    };
    const wanting = book.meters.filter((meter) => meter.wants(event));
    return wanting.flatMap((meter) => meter.classes.map((of) => priced(meter, of)));
}

/** Everything a record says, in one text: equal values make equal texts however written. */
function contentOf(event: UsageEvent): string {
    const quantities = Object.entries(event.quantities).map(
        ([name, text]) => [name, text === null ? null : decimalText(parseDecimal(text))] as const,
    );
    return JSON.stringify([
        event.event_type,
        event.account_id,
        event.authorization_id ?? null,
        instant(event.at).toString(),
        // A field that is missing and one that is null say the same: nothing.
        [...Object.entries(event.attributes), ...quantities]
            .filter(([, value]) => value !== null)
            .sort(byName),
    ]);
}

/** A line of the bill, or of what could not be billed. Numbers as their shortest decimal text. */
export interface Line extends Omit<Priced, 'amount' | 'quantity'> {
    readonly quantity: string;
    readonly amount_exact: string;
    /** Rounded once, half away from zero, in minor units. */
    readonly amount_minor: bigint;
    readonly event_count: number;
}

export interface Bill extends Unique<UsageEvent> {
    readonly lines: readonly Line[];
    readonly unrated: readonly Line[];
    /** Events of accounts that did not exist: set aside before copies are looked for. */
    readonly unknown: number;
}

/** Rates everything that was delivered. Lines in the order of their keys. */
export function rateUsage(events: readonly UsageEvent[], book: Book): Bill {
    const known = events.filter((of) => pathOf(book.accounts, of.account_id, instant(of.at)));
    const counted = unique(known, (of) => JSON.stringify([of.source, of.event_id]), contentOf);
    // Zero usage makes no line (charge_zero_usage is false).
    const priced = counted.kept
        .flatMap((event) => priceEvent(event, book) ?? [])
        .filter(({ quantity }) => quantity.top !== 0n);
    const keyOf = ({ payer_id, account_id, meter, attributes, rate }: Priced) =>
        JSON.stringify([payer_id, account_id, meter, attributes, rate]);
    const groups = [...Map.groupBy(priced, keyOf)].sort(byName).map(([, parts]) => parts);
    const lines = groups.map((parts) => lineOf(parts as [Priced], book));
    const isUnrated = ({ rate }: Line) => rate === 'UNRATED' || rate === 'RATE_CURRENCY';
    return {
        ...counted,
        lines: lines.filter((line) => !isUnrated(line)),
        unrated: lines.filter(isUnrated),
        unknown: events.length - known.length,
    };
}

function lineOf(parts: readonly [Priced, ...Priced[]], book: Book): Line {
    const [{ amount: _, ...usage }] = parts;
    const amount = sum(parts.map((part) => part.amount));
    return {
        ...usage,
        quantity: decimalText(sum(parts.map((part) => part.quantity))),
        amount_exact: decimalText(amount),
        amount_minor: roundedUnits(amount, book.exponents[usage.currency] ?? Number.NaN),
        event_count: parts.length,
    };
}
