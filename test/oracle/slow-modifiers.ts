/**
 * The oracle's modifiers: what happens to a quantity before the charge model and to its amount
 * after it. The decisions stand in slow-pricer.ts.
 */
import {
    cutUnits,
    type Fraction,
    fraction,
    instant,
    minus,
    one,
    over,
    roundedUnits,
    sum,
    times,
    zero,
} from '../support/exact.ts';
import {
    asQuantity,
    below,
    type Row,
    readChoice,
    readDecimal,
    readOptional,
    readRow,
    refuse,
    wallOf,
} from './slow-meter.ts';

export const modifierKeys = [
    ...['unit_conversion', 'included', 'included_mode', 'discounts', 'maximum', 'minimum'],
    ...['charge_zero_usage', 'negative', 'proration', 'rounding', 'tier_scope'],
] as const;

const hundred = fraction(100n);

function readCount(row: Row, key: string): number | null {
    const value = row[key];
    if (value === undefined) return null;
    if (!/^\d{1,2}$/.test(String(value)) || Number(value) > 12) refuse('QUOTE_DECIMAL', key);
    return Number(value);
}

function readSwitch(row: Row, key: string): boolean {
    const value = row[key] ?? false;
    return typeof value === 'boolean' ? value : refuse('QUOTE_CHOICE', `${key}: ${value}`);
}

/** Whole units of 10^-decimals of a value that is not negative. */
function unitsOf(size: Fraction, decimals: number, mode: 'up' | 'down' | 'nearest' | 'half_even') {
    const cut = cutUnits(size, decimals);
    const rest = minus(size, fraction(cut, 10n ** BigInt(decimals)));
    if (mode === 'down' || rest.top === 0n) return cut;
    if (mode === 'up') return cut + 1n;
    const half = fraction(1n, 2n * 10n ** BigInt(decimals));
    if (below(rest, half)) return cut;
    const isTie = !below(half, rest);
    return isTie && mode === 'half_even' && cut % 2n === 0n ? cut : cut + 1n;
}

function readConversion(of: unknown): (size: Fraction) => Fraction {
    if (of === undefined) return (size) => size;
    const row = readRow(of, 'unit_conversion', [
        ...['divide_by', 'multiply_by', 'rounding', 'decimals'],
    ]);
    const divideBy = readOptional(row, 'divide_by');
    const multiplyBy = readOptional(row, 'multiply_by');
    if ((divideBy === null) === (multiplyBy === null)) refuse('QUOTE_MISSING', 'divide_by');
    const factor = multiplyBy ?? over(one, positive(divideBy ?? one, 'divide_by'));
    positive(factor, 'multiply_by');
    const mode = readChoice(row, 'rounding', ['up', 'down', 'nearest', 'none'], 'none');
    const decimals = readCount(row, 'decimals') ?? 0;
    return (size) => {
        const exact = times(size, factor);
        if (mode === 'none') return asQuantity(exact);
        return fraction(unitsOf(exact, decimals, mode), 10n ** BigInt(decimals));
    };
}

export function positive(value: Fraction, name: string): Fraction {
    return below(zero, value) ? value : refuse('QUOTE_DECIMAL', `${name} is not above zero`);
}

function readIncluded(charge: Row): (size: Fraction) => Fraction {
    const included = readOptional(charge, 'included') ?? zero;
    const mode = readChoice(
        charge,
        'included_mode',
        ['subtract', 'whole_once_exceeded'],
        'subtract',
    );
    return (size) => {
        if (!below(included, size)) return zero;
        return mode === 'subtract' ? minus(size, included) : size;
    };
}

function readDiscounts(of: unknown): (size: Fraction) => Fraction {
    if (of !== undefined && !Array.isArray(of)) return refuse('QUOTE_MISSING', 'discounts');
    const steps = (of ?? []).map((discount: unknown) => {
        const row = readRow(discount, 'discount', ['percent', 'amount']);
        const percent = readOptional(row, 'percent');
        const amount = readOptional(row, 'amount');
        if ((percent === null) === (amount === null)) refuse('QUOTE_MISSING', 'percent or amount');
        if (percent && (below(percent, zero) || below(hundred, percent))) {
            refuse('QUOTE_DECIMAL', 'percent');
        }
        return (size: Fraction) => {
            if (percent) return times(size, over(minus(hundred, percent), hundred));
            return below(size, amount ?? zero) ? zero : minus(size, amount ?? zero);
        };
    });
    return (size) => steps.reduce((left: Fraction, step) => step(left), size);
}

/** The share of the period in which the money per period is owed. */
function readProration(of: unknown): Fraction {
    if (of === undefined) return one;
    if (typeof of !== 'object') {
        const share = readDecimal({ proration: of }, 'proration');
        return below(share, zero) || below(one, share) ? refuse('QUOTE_SPAN', 'proration') : share;
    }
    const row = readRow(of, 'proration', [
        ...['from', 'to', 'period_start', 'period_end', 'unit', 'zone'],
    ]);
    const zone = typeof row.zone === 'string' ? row.zone : 'UTC';
    const at = (key: string) => momentOf(row[key], zone, key);
    const [from, to, start, end] = [at('from'), at('to'), at('period_start'), at('period_end')];
    if (to < from) refuse('QUOTE_SPAN', 'to is before from');
    const unit = readChoice(row, 'unit', ['day', 'second']);
    const clock = (moment: bigint) => (unit === 'day' ? dayOf(moment, zone) : moment);
    const cut = (moment: bigint) => (moment < start ? start : moment > end ? end : moment);
    const whole = clock(end) - clock(start);
    if (whole <= 0n) refuse('QUOTE_SPAN', 'an empty period');
    return fraction(clock(cut(to)) - clock(cut(from)), whole);
}

const dayLength = 86_400_000_000n;

/** Days since 1970 on the calendar of the zone. */
const dayOf = (at: bigint, zone: string) => wallOf(at, zone) / dayLength;

/** An instant as it is; a date: the first second that the zone gives that date. */
export function momentOf(value: unknown, zone: string, key: string): bigint {
    if (typeof value !== 'string') return refuse('QUOTE_MISSING', key);
    try {
        if (!/^\d{4}-\d\d-\d\d$/.test(value)) return instant(value);
    } catch {
        return refuse('QUOTE_SPAN', `${key}: ${value}`);
    }
    const midnight = instant(`${value}T00:00:00Z`);
    // The zone's midnight is within a day of UTC's; halve until a second is left.
    let early = midnight / 1_000_000n - 86_400n;
    let late = midnight / 1_000_000n + 86_400n;
    while (late - early > 1n) {
        const middle = (early + late) / 2n;
        if (wallOf(middle * 1_000_000n, zone) < midnight) early = middle;
        else late = middle;
    }
    return late * 1_000_000n;
}

export function readModifiers(charge: Row, exponent: number) {
    const rounding = readRow(charge.rounding ?? {}, 'rounding', ['mode', 'decimals']);
    const mode = readChoice(rounding, 'mode', ['half_away', 'half_even'], 'half_away');
    const decimals = readCount(rounding, 'decimals') ?? exponent;
    const share = readProration(charge.proration);
    const convert = readConversion(charge.unit_conversion);
    const afterIncluded = readIncluded(charge);
    const discounted = readDiscounts(charge.discounts);
    const maximum = readOptional(charge, 'maximum');
    const minimum = readOptional(charge, 'minimum');
    return {
        share,
        decimals,
        clampsNegative: readChoice(charge, 'negative', ['mirror', 'clamp'], 'mirror') === 'clamp',
        chargesZero: readSwitch(charge, 'charge_zero_usage'),
        isPooled:
            readChoice(
                charge,
                'tier_scope',
                ['line', 'account', 'pool', 'contract_term'],
                'line',
            ) === 'pool',
        /** From what was metered to what the model rates. Sizes, never negative. */
        before: (size: Fraction) => afterIncluded(convert(size)),
        /** From what the model says to what is owed. Sizes, never negative. */
        after(size: Fraction): Fraction {
            const left = discounted(size);
            const cap = maximum && times(maximum, share);
            const capped = cap && below(cap, left) ? cap : left;
            const floor = minimum && times(minimum, share);
            return floor && below(capped, floor) ? floor : capped;
        },
        /** In units of the last decimal. */
        round(value: Fraction): bigint {
            if (mode === 'half_away') return roundedUnits(value, decimals);
            const isNegative = value.top < 0n;
            const size = isNegative ? { ...value, top: -value.top } : value;
            const units = unitsOf(size, decimals, mode);
            return isNegative ? -units : units;
        },
    };
}

export type Modifiers = ReturnType<typeof readModifiers>;

/** Parts as near to their shares as whole units allow: what is left goes to the largest rest. */
export function allocate(units: bigint, weights: readonly Fraction[]): readonly bigint[] {
    const total = sum(weights);
    const even = total.top === 0n;
    const size = fraction(units < 0n ? -units : units);
    const shares = weights.map((weight) =>
        times(size, even ? fraction(1n, BigInt(weights.length)) : over(weight, total)),
    );
    const cut = shares.map((share) => share.top / share.bottom);
    const rest = (at: number) => minus(shares[at] ?? zero, fraction(cut[at] ?? 0n));
    const order = [...shares.keys()].sort((a, b) =>
        below(rest(b), rest(a)) ? -1 : below(rest(a), rest(b)) ? 1 : a - b,
    );
    let left = size.top - cut.reduce((all, part) => all + part, 0n);
    for (const at of order) {
        if (left === 0n) break;
        cut[at] = (cut[at] ?? 0n) + 1n;
        left -= 1n;
    }
    return cut.map((part) => (units < 0n ? -part : part));
}
