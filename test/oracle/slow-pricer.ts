/**
 * The oracle of `tieout quote`: one line after the other, no SQL, nothing of src/, every number a
 * fraction. Written from issue 3 and design/product.md sections 3 and 4; where they are silent, from
 * what Lago and OpenMeter do. Kept apart from whoever writes the SQL: when the two differ, either may
 * be wrong. Modifiers are in slow-modifiers.ts, meters in slow-meter.ts.
 *
 * DECISIONS (the contract; f is everything from conversion to minimum)
 *
 * Numbers
 * | decimal | text `-?\d+(\.\d+)?`, at most 12 decimals; JSON number: QUOTE_NUMBER; else QUOTE_DECIMAL |
 * | `decimals` | digits as text or a JSON integer, 0 to 12: it counts, it is no amount; a switch is true or false, else QUOTE_CHOICE |
 * | quantity in between | exact, but rounded half away to 12 decimals where a division makes one: average (each window), weighted_sum, unit conversion with rounding none |
 * | amount in between | never rounded, not even by proration: fee x days / days is exact |
 * | amount_exact | the exact value, rounded half away to 24 decimals once, at the end; shortest text, no trailing zeros, never -0 |
 * | amount | rounded once from the exact value, not from amount_exact; all decimals written; half_away by default; decimals: `rounding.decimals`, else of the currency |
 * | quantity of the answer | as given or metered, before conversion and included; of this slice only under previously_billed; `flat` without usage: "1" |
 *
 * Tiers
 * | rows | only tiers entered, ascending; amounts of the model: after proration, before discounts, maximum, minimum; absolute usage (a negative quantity shows negative quantity and amount, and positive prices and fees) |
 * | from, to | from: bound of the tier before ("0" for the first), exclusive; to: own up_to, inclusive, null when open |
 * | entered | when the quantity is above `from`; q = bound is the lower tier |
 * | graduated | slice = min(q, up_to) - from; slice x unit_price + flat_fee for each tier entered |
 * | volume | one row: first tier with q <= up_to; its quantity is all of q |
 * | package in a tier | ceil(slice / package_size) x package_price (volume: of q); unit_price of the row null |
 * | unit_price left out | "0" when there is a flat_fee; neither, or unit_price and package together: QUOTE_TIERS |
 * | loads only if | bounds > 0 and ascending, only the last up_to null and it is: else QUOTE_TIERS; stairstep bounds alike, by dimension: none falls, one rises |
 * | per_unit | one row 0..null |
 * | package | one row 0..null, unit_price null, amount ceil(q / size) x price |
 * | stairstep | one row, unit_price null, flat_fee = amount = price; first step in order that holds all |
 * | stairstep by dimension | row from null, to the bounds as given or null, quantity null; dimension missing in the quantity: 0; in the step: not bounded; in the quantity but in no step: QUOTE_KEY; no unit_conversion, included: QUOTE_MODIFIER; below 0: QUOTE_USAGE |
 * | percentage | one row 0..null: quantity the amount that pays, unit_price percent/100, flat_fee all fixed fees; amount has per-event minimum and maximum in it; a row as soon as there is an event, free or not |
 * | graduated_percentage | as graduated with unit_price = percent/100 |
 * | dynamic | one row 0..null, unit_price 1 + markup/100 (markup left out: 0) |
 * | flat | one row 0..null, quantity "1", unit_price null, flat_fee = amount = prorated fee; the usage and its sign do not matter |
 *
 * Zero usage (the quantity that reaches the model is zero: after conversion and included)
 * | charge_zero_usage false | graduated, volume, graduated_percentage, stairstep: 0 and no row |
 * | charge_zero_usage true | the same: the first tier's flat_fee, the price of the first step; one row with quantity 0 |
 * | per_unit, package, percentage, dynamic | 0, no row, both ways (zero packages are begun) |
 * | flat, minimum | charged both ways: they are not fees of usage |
 *
 * Percentage by event
 * | order | at, id (bytes), place in the list; an event without `at` comes first |
 * | free | an event is wholly free while a limit is given, no given limit is reached, and its value fits in what is left of free_amount; the event that reaches a limit exactly is free, the next is not |
 * | event over free_amount | what is left of free_amount is free, the rest pays percent, and it pays the fixed fee; the free part is over |
 * | a limit of "0" | as if it were not given (Lago) |
 * | fee | percent x paid value + fixed fee, then max_per_event, then min_per_event; wholly free: nothing, no minimum either |
 * | value 0 | an event like others: fixed fee, minimum; a bare quantity of 0 is no event |
 * | negative value | mirror: minus the fee of its size, no free part touched or used; clamp: left out |
 * | which events | `meter.aggregation` sum or left out: event by event; another aggregation: its quantity is one amount. By event, unit_conversion and included: QUOTE_MODIFIER |
 *
 * Modifiers, in this order
 * | sign | mirror: f(|q|) with the sign put back, the whole of f, minimum too; clamp: q below 0 is 0; a negative amount by event: later steps work on its size |
 * | unit_conversion | exactly one of divide_by, multiply_by, above 0; rounding default none (decimals not looked at); decimals default 0; up: away from 0 of the exact quotient; nearest: half away |
 * | included | in converted units; subtract (default): max(0, q - included); whole_once_exceeded: 0 when q <= included, else all of q. The tiers count what is left |
 * | discounts | in the order given; percent 0..100 of what is left; amount at most what is left: never below 0; not prorated |
 * | maximum, minimum | minimum last: it wins |
 * | proration | of money per period: fee of flat, flat_fee of tiers, price of steps, minimum, maximum. Never: usage, included, bounds, unit and package prices, percents, fees per event, discounts |
 * | proration text | 0 to 1, else QUOTE_SPAN |
 * | proration span | half-open, from and to cut to the period; to before from, or an empty period: QUOTE_SPAN; an instant (RFC 3339) or a date (its first instant in the zone; default UTC) |
 * | unit day | civil date of `to` - civil date of `from`, in the zone, over the same of the period: parts add up, no matter the clock; a day changed at noon belongs to the later part |
 * | unit second | exact time, microseconds kept; a short or long day counts as it is |
 * | flat with unit_conversion or included | QUOTE_MODIFIER |
 *
 * previously_billed {quantity, amount}, both needed
 * | cumulative | previously_billed.quantity + quantity (quantity is the new slice), before conversion |
 * | events | those of all the period so far, whatever the meter: the metered quantity is the cumulative, recomputed, and that of the answer is what is left after previously_billed.quantity |
 * | amount_exact | f(cumulative) - previously_billed.amount |
 * | amount | round(f(cumulative)) - round(previously_billed.amount): slices add up to the cent |
 * | tiers | of the cumulative |
 * | groups | only with tier_scope pool, else QUOTE_MODIFIER |
 *
 * Groups (decimal texts only; `tier_scope` in charge or on the line, that in charge wins; contract_term is as line: its running total comes in by previously_billed)
 * | line, account (default line) | each rated and rounded on its own, fees, minimum, maximum and discounts too; amount = sum of the rounded; amount_exact = sum of the exact; tiers [] above, in each group its own |
 * | pool | sum of quantities rated once, rounded, the rounded amount split in units of its last decimal by largest remainder on quantities; equal remainders: by name (bytes); all quantities 0: equal weights; one negative: QUOTE_USAGE; amount_exact of a group = its amount; tiers above, [] in groups |
 * | groups of the answer | object by name, names ascending by bytes: {quantity, amount_exact, amount, tiers} |
 *
 * Meters
 * | which events | at in [period_start, period_end) where given; `filter`: {attribute: text or [texts]}, all must hold, a missing attribute never does |
 * | no meter | events alone: {aggregation: "sum"} |
 * | repeated id | same content: once; other content: QUOTE_EVENT; events without id are all different |
 * | field | default "value"; null: skipped; missing: QUOTE_EVENT, or skipped where the meter says `optional`; sum and count of nothing 0; every other of nothing 0 too |
 * | count | events, whatever their field |
 * | unique_count | different texts of field; with operation_field: add (default) or remove in order, those still in at the end; removing what is not in does nothing |
 * | latest | last in order of at, id (bytes), place: the larger id among equal instants |
 * | average | sum / count of the values that are there |
 * | percentile | nearest rank, `percentile` in percent "0" to "100": value number max(1, ceil(p/100 x n)) of the ascending |
 * | weighted_sum | sum of level x time held in the period / length of the period: the mean level (Lago); period needed: QUOTE_MISSING |
 * | levels, deltas | `values` of weighted_sum, min, max, latest, else QUOTE_MODIFIER; default levels (product.md: level held over time); levels: at equal instants the larger id holds; deltas are added, in any order |
 * | min, max, latest of deltas | of the level that the deltas add up to, from period_start (where there is none: from before the first event) to before period_end; deltas of one instant are one step; the level at the start is one of those looked at |
 * | opening | of weighted_sum and of deltas, else QUOTE_MODIFIER: the level at period_start; left out: events before it say (levels: the last, deltas: their sum), else 0; given: those events are ignored |
 * | window | "minute" "hour" "day" "month" or {unit, zone} (zone default UTC, by civil clock): the aggregation within each window that has events, then sum; with weighted_sum or deltas: QUOTE_MODIFIER. The two hours of one name at the end of summer time are two windows |
 * | at missing | QUOTE_EVENT where period, window, weighted_sum or deltas need it |
 * | percentile, operation_field | of the aggregations percentile and unique_count, else QUOTE_MODIFIER |
 *
 * Errors (code of the first found; several wrong at once may report another first)
 * | QUOTE_NUMBER QUOTE_DECIMAL | above |
 * | QUOTE_KEY | a key that is not known here, on the line, in charge, a tier, a step, meter, a modifier |
 * | QUOTE_MISSING | a key that is needed |
 * | QUOTE_CHOICE | a model, mode, aggregation, unit that does not exist |
 * | QUOTE_CURRENCY | no such currency |
 * | QUOTE_TIERS QUOTE_SPAN QUOTE_EVENT QUOTE_MODIFIER | above |
 * | QUOTE_USAGE | not exactly one of quantity, groups, meter with events (flat: at most one) |
 */
import {
    compare,
    decimalText,
    type Fraction,
    fraction,
    minus,
    one,
    over,
    plus,
    roundedUnits,
    sum,
    times,
    unitsText,
    zero,
} from '../support/exact.ts';
import {
    aggregationOf,
    below,
    byBytes,
    eventAmounts,
    meterQuantity,
    negated,
    Refused,
    type Row,
    readChoice,
    readDecimal,
    readOptional,
    readRow,
    refuse,
} from './slow-meter.ts';
import {
    allocate,
    type Modifiers,
    modifierKeys,
    positive,
    readModifiers,
} from './slow-modifiers.ts';

/** What one tier contributes. */
interface Slice {
    readonly from: string | null;
    readonly to: unknown;
    readonly quantity: Fraction | null;
    readonly unit_price: Fraction | null;
    readonly flat_fee: Fraction;
    readonly amount: Fraction;
}

/** A quantity by dimension; one that is not by dimension has the single name ''. */
type Sizes = ReadonlyMap<string, Fraction>;
type Model = (sizes: Sizes, modifiers: Modifiers) => readonly Slice[];

const hundred = fraction(100n);
const percentOf = (percent: Fraction) => over(percent, hundred);
const packages = (size: Fraction, of: Fraction) => {
    const exact = over(size, of);
    return fraction((exact.top + exact.bottom - 1n) / exact.bottom);
};
const only = (sizes: Sizes) => sizes.get('') ?? refuse('QUOTE_MODIFIER', 'a quantity by dimension');

const single = (part: Partial<Slice>): readonly Slice[] => [
    ...[{ from: '0', to: null, unit_price: null, flat_fee: zero }].map((row) => ({
        ...{ ...row, quantity: zero, amount: zero },
        ...part,
    })),
];

function listOf(charge: Row, key: string): readonly unknown[] {
    const value = charge[key];
    if (value === undefined) refuse('QUOTE_MISSING', key);
    if (!Array.isArray(value) || value.length === 0) return refuse('QUOTE_TIERS', key);
    return value;
}

interface Tier {
    readonly from: Fraction;
    readonly to: Fraction | null;
    readonly price: (size: Fraction) => Omit<Slice, 'from' | 'to' | 'quantity'>;
}

function readTiers(charge: Row, isPercent: boolean, share: Fraction): readonly Tier[] {
    const priceKeys = isPercent ? ['percent'] : ['unit_price', 'package_size', 'package_price'];
    let from = zero;
    const tiers = listOf(charge, 'tiers');
    return tiers.map((of, at): Tier => {
        const row = readRow(of, 'tier', ['up_to', 'flat_fee', ...priceKeys]);
        if (row.up_to === undefined) refuse('QUOTE_MISSING', 'up_to');
        const to = row.up_to === null ? null : readDecimal(row, 'up_to');
        if ((to === null) !== (at === tiers.length - 1)) refuse('QUOTE_TIERS', 'the last is open');
        if (to && !below(from, to)) refuse('QUOTE_TIERS', 'the bounds do not rise');
        const tier = { from, to, price: readPrice(row, isPercent, share) };
        from = to ?? from;
        return tier;
    });
}

function readPrice(row: Row, isPercent: boolean, share: Fraction): Tier['price'] {
    const flatFee = readOptional(row, 'flat_fee');
    const flat_fee = times(flatFee ?? zero, share);
    if (row.package_size === undefined && row.package_price === undefined) {
        const said = readOptional(row, isPercent ? 'percent' : 'unit_price');
        if (!said && !flatFee) refuse('QUOTE_TIERS', 'a tier without a price');
        const unit_price = isPercent ? percentOf(said ?? zero) : (said ?? zero);
        return (size) => ({
            ...{ unit_price, flat_fee },
            amount: plus(times(size, unit_price), flat_fee),
        });
    }
    if (row.unit_price !== undefined) refuse('QUOTE_TIERS', 'a price by unit and by package');
    const packageSize = positive(readDecimal(row, 'package_size'), 'package_size');
    const packagePrice = readDecimal(row, 'package_price');
    return (size) => ({
        ...{ unit_price: null, flat_fee },
        amount: plus(times(packages(size, packageSize), packagePrice), flat_fee),
    });
}

const textOrNull = (value: Fraction | null) => (value === null ? null : decimalText(value));

function sliceOf({ from, to, price }: Tier, quantity: Fraction): Slice {
    return { from: decimalText(from), to: textOrNull(to), quantity, ...price(quantity) };
}

function graduated(charge: Row, isPercent: boolean): Model {
    return (sizes, { share, chargesZero }) => {
        const size = only(sizes);
        const tiers = readTiers(charge, isPercent, share);
        if (size.top === 0n)
            return chargesZero ? tiers.slice(0, 1).map((t) => sliceOf(t, zero)) : [];
        const entered = tiers.filter(({ from }) => below(from, size));
        return entered.map((tier) => {
            const end = tier.to && below(tier.to, size) ? tier.to : size;
            return sliceOf(tier, minus(end, tier.from));
        });
    };
}

function volume(charge: Row): Model {
    return (sizes, { share, chargesZero }) => {
        const size = only(sizes);
        const tiers = readTiers(charge, false, share);
        if (size.top === 0n && !chargesZero) return [];
        const found = tiers.find(({ to }) => to === null || compare(size, to) <= 0);
        return found ? [sliceOf(found, size)] : [];
    };
}

function readBounds(up_to: unknown): Sizes | null {
    if (up_to === undefined) refuse('QUOTE_MISSING', 'up_to');
    if (up_to === null) return null;
    if (typeof up_to !== 'object') return new Map([['', readDecimal({ up_to }, 'up_to')]]);
    const row = readRow(up_to, 'up_to', null);
    return new Map(Object.keys(row).map((name) => [name, readDecimal(row, name)]));
}

/** Each bound of the step is above zero, none is below the step before's, one is above. */
function rises(bounds: Sizes, before: Sizes | null): boolean {
    const all = [...bounds];
    if (all.length === 0 || all.some(([, bound]) => !below(zero, bound))) return false;
    if (before === null) return true;
    // A bound that is not there is endless: it may appear no more once it is gone.
    const isNew = all.some(([name]) => !before.has(name));
    const falls = all.some(([name, bound]) => below(bound, before.get(name) ?? bound));
    const hasGone = [...before.keys()].some((name) => !bounds.has(name));
    return !isNew && !falls && (hasGone || all.some(([n, b]) => below(before.get(n) ?? b, b)));
}

function stairstep(charge: Row): Model {
    const steps = listOf(charge, 'steps').map((of) => {
        const row = readRow(of, 'step', ['up_to', 'price']);
        return {
            up_to: row.up_to,
            bounds: readBounds(row.up_to),
            price: readDecimal(row, 'price'),
        };
    });
    const names = new Set(steps.flatMap(({ bounds }) => [...(bounds?.keys() ?? [])]));
    if (names.has('') && names.size > 1) refuse('QUOTE_TIERS', 'bounds of two kinds');
    for (const [at, { bounds }] of steps.entries()) {
        const isLast = at === steps.length - 1;
        if ((bounds === null) !== isLast) refuse('QUOTE_TIERS', 'the last is open');
        if (bounds && !rises(bounds, steps[at - 1]?.bounds ?? null)) {
            refuse('QUOTE_TIERS', 'the steps do not rise');
        }
    }
    return (sizes, { share, chargesZero }) => {
        const lost = [...sizes.keys()].filter((name) => names.size > 0 && !names.has(name));
        if (lost.length > 0) refuse('QUOTE_KEY', `no step bounds ${lost.join(', ')}`);
        const isZero = [...sizes.values()].every((size) => size.top === 0n);
        if (isZero && !chargesZero) return [];
        const holds = (bounds: Sizes | null) =>
            [...(bounds ?? [])].every(([name, to]) => compare(sizes.get(name) ?? zero, to) <= 0);
        const at = steps.findIndex(({ bounds }) => holds(bounds));
        const price = times(steps[at]?.price ?? zero, share);
        const quantity = sizes.get('') ?? null;
        const before = steps[at - 1]?.bounds?.get('') ?? zero;
        const to = steps[at]?.bounds;
        return [
            {
                from: quantity === null ? null : decimalText(before),
                to:
                    quantity === null
                        ? (steps[at]?.up_to ?? null)
                        : textOrNull(to?.get('') ?? null),
                ...{ quantity, unit_price: null, flat_fee: price, amount: price },
            },
        ];
    };
}

/** Percentage of each amount, in order. */
function percentage(charge: Row, clampsNegative: boolean) {
    const percent = percentOf(readDecimal(charge, 'percent'));
    const fixed = readOptional(charge, 'fixed_fee_per_event') ?? zero;
    const limit = (key: string) => {
        const said = readOptional(charge, key);
        return said && below(zero, said) ? said : null;
    };
    const [freeEvents, freeAmount] = [limit('free_events'), limit('free_amount')];
    const [least, most] = [
        readOptional(charge, 'min_per_event'),
        readOptional(charge, 'max_per_event'),
    ];
    const fee = (paid: Fraction): Fraction => {
        const amount = plus(times(paid, percent), fixed);
        const capped = most && below(most, amount) ? most : amount;
        return least && below(capped, least) ? least : capped;
    };
    return (amounts: readonly Fraction[]): readonly Slice[] => {
        let isFree = freeEvents !== null || freeAmount !== null;
        let [events, used, paid, fees, total] = [zero, zero, zero, zero, zero];
        const pay = (value: Fraction, isNegative: boolean) => {
            const signed = (of: Fraction) => (isNegative ? negated(of) : of);
            paid = plus(paid, signed(value));
            fees = plus(fees, signed(fixed));
            total = plus(total, signed(fee(value)));
        };
        for (const value of amounts) {
            if (below(value, zero)) {
                if (!clampsNegative) pay(negated(value), true);
                continue;
            }
            const left = freeAmount && minus(freeAmount, used);
            if (isFree && (left === null || compare(value, left) <= 0)) {
                events = plus(events, one);
                used = plus(used, value);
                const isLast = freeEvents !== null && compare(events, freeEvents) >= 0;
                isFree = !isLast && (freeAmount === null || below(used, freeAmount));
            } else {
                pay(isFree && left ? minus(value, left) : value, false);
                isFree = false;
            }
        }
        const row = { quantity: paid, unit_price: percent, flat_fee: fees, amount: total };
        return amounts.length === 0 ? [] : single(row);
    };
}

/** The keys of each model besides the modifiers, and how it rates a size. */
const models: Readonly<
    Record<string, { readonly keys: readonly string[]; readonly read: (charge: Row) => Model }>
> = {
    per_unit: {
        keys: ['unit_price'],
        read: (charge) => {
            const unit_price = readDecimal(charge, 'unit_price');
            return (sizes) => proportional(only(sizes), unit_price);
        },
    },
    graduated: { keys: ['tiers'], read: (charge) => graduated(charge, false) },
    volume: { keys: ['tiers'], read: volume },
    package: {
        keys: ['package_size', 'package_price'],
        read: (charge) => {
            const size = positive(readDecimal(charge, 'package_size'), 'package_size');
            const price = readDecimal(charge, 'package_price');
            return (sizes) => {
                const quantity = only(sizes);
                const amount = times(packages(quantity, size), price);
                return quantity.top === 0n ? [] : single({ quantity, amount });
            };
        },
    },
    stairstep: { keys: ['steps'], read: stairstep },
    percentage: {
        keys: [
            ...['percent', 'fixed_fee_per_event', 'free_events', 'free_amount'],
            ...['min_per_event', 'max_per_event'],
        ],
        read: (charge) => {
            const rate = percentage(charge, false);
            return (sizes) => rate([only(sizes)].filter(({ top }) => top !== 0n));
        },
    },
    graduated_percentage: { keys: ['tiers'], read: (charge) => graduated(charge, true) },
    dynamic: {
        keys: ['markup_percent'],
        read: (charge) => {
            const markup = readOptional(charge, 'markup_percent') ?? zero;
            return (sizes) => proportional(only(sizes), plus(one, percentOf(markup)));
        },
    },
    flat: {
        keys: ['fee'],
        read: (charge) => {
            const fee = readDecimal(charge, 'fee');
            return (_, { share }) => {
                const amount = times(fee, share);
                return single({ quantity: one, flat_fee: amount, amount });
            };
        },
    },
};

function proportional(quantity: Fraction, unit_price: Fraction): readonly Slice[] {
    const amount = times(quantity, unit_price);
    return quantity.top === 0n ? [] : single({ quantity, unit_price, amount });
}

export interface TierRow {
    readonly from: string | null;
    readonly to: unknown;
    readonly quantity: string | null;
    readonly unit_price: string | null;
    readonly flat_fee: string;
    readonly amount: string;
}

export interface GroupRow {
    readonly quantity: string;
    readonly amount_exact: string;
    readonly amount: string;
    readonly tiers: readonly TierRow[];
}

export type Answer =
    | {
          readonly id: string;
          readonly quantity: unknown;
          readonly amount_exact: string;
          readonly amount: string;
          readonly currency: string;
          readonly tiers: readonly TierRow[];
          readonly groups?: Readonly<Record<string, GroupRow>>;
      }
    | { readonly id: string; readonly error: { readonly code: string; readonly message: string } };

/** What f makes of one cumulative. */
interface Rated {
    readonly slices: readonly Slice[];
    readonly exact: Fraction;
}

/** The shortest text of a value rounded to 24 decimals, half away from zero. */
export const exactText = (value: Fraction) =>
    decimalText(fraction(roundedUnits(value, 24), 10n ** 24n));

export const tierRow = (slice: Slice): TierRow => ({
    ...slice,
    quantity: textOrNull(slice.quantity),
    unit_price: textOrNull(slice.unit_price),
    flat_fee: exactText(slice.flat_fee),
    amount: exactText(slice.amount),
});

function readLine(line: Row, exponents: Readonly<Record<string, number>>) {
    readRow(line, 'the line', [
        ...['id', 'charge', 'quantity', 'groups', 'meter', 'events', 'previously_billed'],
        ...['currency', 'tier_scope'],
    ]);
    const currency = String(line.currency ?? refuse('QUOTE_MISSING', 'currency'));
    const exponent = exponents[currency] ?? refuse('QUOTE_CURRENCY', currency);
    const said = readRow(line.charge, 'charge', null);
    const name = readChoice(said, 'model', Object.keys(models));
    const model = models[name];
    const charge = readRow(
        // The scope may stand on the line too.
        line.tier_scope === undefined ? said : { tier_scope: line.tier_scope, ...said },
        'charge',
        ['model', ...(model?.keys ?? []), ...modifierKeys],
    );
    const modifiers = readModifiers(charge, exponent);
    const converts = charge.unit_conversion !== undefined || charge.included !== undefined;
    if (name === 'flat' && converts) refuse('QUOTE_MODIFIER', 'flat looks at no quantity');
    if (!model) return refuse('QUOTE_CHOICE', name);
    return { line, name, charge, currency, modifiers, converts, rate: model.read(charge) };
}

type Line = ReturnType<typeof readLine>;

function signedSlices(slices: readonly Slice[]): readonly Slice[] {
    return slices.map((slice) => ({
        ...slice,
        quantity: slice.quantity && negated(slice.quantity),
        amount: negated(slice.amount),
    }));
}

/** f of a quantity. */
function rateSizes({ name, modifiers, converts, rate }: Line, sizes: Sizes): Rated {
    const plain = sizes.get('');
    if (plain === undefined) {
        if (converts) refuse('QUOTE_MODIFIER', 'a quantity by dimension is not converted');
        if ([...sizes.values()].some((size) => below(size, zero))) refuse('QUOTE_USAGE', 'below 0');
        const slices = rate(sizes, modifiers);
        return { slices, exact: modifiers.after(sum(slices.map(({ amount }) => amount))) };
    }
    const isBelow = below(plain, zero) && name !== 'flat';
    const isMirrored = isBelow && !modifiers.clampsNegative;
    const size = isMirrored ? negated(plain) : isBelow ? zero : plain;
    const rated = name === 'flat' ? size : modifiers.before(size);
    const slices = rate(new Map([['', rated]]), modifiers);
    const exact = modifiers.after(sum(slices.map(({ amount }) => amount)));
    return isMirrored ? { slices: signedSlices(slices), exact: negated(exact) } : { slices, exact };
}

/** f of a list of events that are looked at one by one. */
function rateEvents({ charge, modifiers, converts }: Line, amounts: readonly Fraction[]): Rated {
    if (converts) refuse('QUOTE_MODIFIER', 'events are rated one by one');
    const slices = percentage(charge, modifiers.clampsNegative)(amounts);
    const total = sum(slices.map(({ amount }) => amount));
    const isBelow = below(total, zero);
    const owed = modifiers.after(isBelow ? negated(total) : total);
    return { slices, exact: isBelow ? negated(owed) : owed };
}

function readSizes(row: Row, key: string): Sizes {
    const value = row[key];
    if (typeof value !== 'object' || value === null) return new Map([['', readDecimal(row, key)]]);
    const parts = readRow(value, key, null);
    return new Map(Object.keys(parts).map((name) => [name, readDecimal(parts, name)]));
}

const sizesText = (sizes: Sizes): unknown =>
    sizes.has('')
        ? decimalText(sizes.get('') ?? zero)
        : Object.fromEntries([...sizes].map(([name, size]) => [name, decimalText(size)]));

function addSizes(a: Sizes, b: Sizes): Sizes {
    const names = new Set([...a.keys(), ...b.keys()]);
    if (names.has('') && names.size > 1) refuse('QUOTE_USAGE', 'quantities of two kinds');
    return new Map(
        [...names].map((name) => [name, plus(a.get(name) ?? zero, b.get(name) ?? zero)]),
    );
}

interface Billed {
    readonly quantity: Sizes;
    readonly amount: Fraction;
}

function readBilled(line: Row): Billed | null {
    if (line.previously_billed === undefined) return null;
    const row = readRow(line.previously_billed, 'previously_billed', ['quantity', 'amount']);
    return { quantity: readSizes(row, 'quantity'), amount: readDecimal(row, 'amount') };
}

interface Owed extends Rated {
    readonly units: bigint;
}

function owed({ modifiers }: Line, rated: Rated, billed: Billed | null): Owed {
    const units = modifiers.round(rated.exact);
    if (!billed) return { ...rated, units };
    const exact = minus(rated.exact, billed.amount);
    return { slices: rated.slices, exact, units: units - modifiers.round(billed.amount) };
}

const minusSizes = (a: Sizes, b: Sizes) =>
    addSizes(a, new Map([...b].map(([name, size]) => [name, negated(size)])));

function rateUsage(of: Line, billed: Billed | null): Owed & { readonly quantity: unknown } {
    const { line, name } = of;
    if (line.events === undefined) {
        if (line.quantity === undefined) {
            return { ...owed(of, rateSizes(of, new Map([['', one]])), billed), quantity: '1' };
        }
        const slice = readSizes(line, 'quantity');
        const all = billed ? addSizes(billed.quantity, slice) : slice;
        return { ...owed(of, rateSizes(of, all), billed), quantity: sizesText(slice) };
    }
    const meter = line.meter ?? { aggregation: 'sum' };
    const byAmount = name === 'percentage' || name === 'dynamic';
    const aggregation = aggregationOf(
        byAmount ? { aggregation: 'sum', ...readRow(meter, 'meter', null) } : meter,
    );
    const whole = { ...readRow(meter, 'meter', null), aggregation };
    const metered: Sizes = new Map([['', meterQuantity(whole, line.events)]]);
    const byEvent = byAmount && aggregation === 'sum';
    const slice = billed ? minusSizes(metered, billed.quantity) : metered;
    const rated =
        byEvent && name === 'percentage'
            ? rateEvents(of, eventAmounts(whole, line.events))
            : rateSizes(of, metered);
    return { ...owed(of, rated, billed), quantity: sizesText(slice) };
}

function rateGroups(of: Line, billed: Billed | null) {
    const { line, modifiers } = of;
    const row = readRow(line.groups, 'groups', null);
    const names = Object.keys(row).sort(byBytes);
    if (names.length === 0) refuse('QUOTE_USAGE', 'no groups');
    const sizes = names.map((name) => readDecimal(row, name));
    const quantity = decimalText(sum(sizes));
    const text = (units: bigint) => unitsText(units, modifiers.decimals);
    if (!modifiers.isPooled) {
        if (billed) refuse('QUOTE_MODIFIER', 'previously_billed is of all groups');
        const parts = sizes.map((size) => owed(of, rateSizes(of, new Map([['', size]])), null));
        const groups = parts.map(({ exact, units, slices }, at) => ({
            quantity: decimalText(sizes[at] ?? zero),
            ...{ amount_exact: exactText(exact), amount: text(units) },
            tiers: slices.map(tierRow),
        }));
        const units = parts.reduce((all, part) => all + part.units, 0n);
        const exact = sum(parts.map((part) => part.exact));
        return { quantity, exact, units, slices: [], groups: byName(names, groups) };
    }
    if (sizes.some((size) => below(size, zero))) refuse('QUOTE_USAGE', 'a group below zero');
    const pooled: Sizes = new Map([['', sum(sizes)]]);
    const all = rateSizes(of, billed ? addSizes(billed.quantity, pooled) : pooled);
    const whole = owed(of, all, billed);
    const groups = allocate(whole.units, sizes).map((units, at) => ({
        quantity: decimalText(sizes[at] ?? zero),
        ...{ amount_exact: decimalText(fraction(units, 10n ** BigInt(modifiers.decimals))) },
        ...{ amount: text(units), tiers: [] },
    }));
    return { quantity, ...whole, groups: byName(names, groups) };
}

const byName = (names: readonly string[], groups: readonly GroupRow[]) =>
    Object.fromEntries(names.map((name, at) => [name, groups[at] as GroupRow]));

/** What is made of a line, as fractions: for oracles that go on from there. @throws Refused */
export function rated(line: Row, exponents: Readonly<Record<string, number>>) {
    const of = readLine(line, exponents);
    const given = ['quantity', 'groups', 'events'].filter((key) => line[key] !== undefined);
    const isLoose = line.meter !== undefined && line.events === undefined;
    if (given.length > 1 || isLoose || (given.length === 0 && of.name !== 'flat')) {
        refuse('QUOTE_USAGE', 'one of quantity, groups, meter with events');
    }
    const billed = readBilled(line);
    const owed = line.groups === undefined ? rateUsage(of, billed) : rateGroups(of, billed);
    return { of, ...owed };
}

/** The answer of `tieout quote` to one line. @param exponents decimals of each known currency. */
export function quote(line: Row, exponents: Readonly<Record<string, number>>): Answer {
    const id = String(line.id);
    try {
        const { of, quantity, exact, units, slices, ...rest } = rated(line, exponents);
        return {
            ...{ id, quantity, amount_exact: exactText(exact), currency: of.currency },
            amount: unitsText(units, of.modifiers.decimals),
            tiers: slices.map(tierRow),
            ...rest,
        };
    } catch (error) {
        if (error instanceof Refused) {
            return { id, error: { code: error.code, message: error.message } };
        }
        throw error;
    }
}
