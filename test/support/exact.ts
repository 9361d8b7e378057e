/**
 * What the oracles share: exact fractions, instants, and which copy of a record counts. Nothing of
 * the project's own arithmetic, so that a mistake in one cannot be repeated by the other. Slow and
 * obvious on purpose.
 */

/** top / bottom, reduced, bottom above zero. */
export interface Fraction {
    readonly top: bigint;
    readonly bottom: bigint;
}

export const zero: Fraction = { top: 0n, bottom: 1n };
export const one: Fraction = { top: 1n, bottom: 1n };

function gcd(a: bigint, b: bigint): bigint {
    return b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b);
}

/** @throws RangeError when bottom is zero. */
export function fraction(top: bigint, bottom = 1n): Fraction {
    if (bottom === 0n) throw new RangeError('a fraction over zero');
    const sign = bottom < 0n ? -1n : 1n;
    const common = top === 0n ? bottom * sign : gcd(top, bottom);
    return { top: (top * sign) / common, bottom: (bottom * sign) / common };
}

/** Plain decimal text: digits, at most one point, maybe a minus. @throws RangeError otherwise. */
export function parseDecimal(text: string): Fraction {
    const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
    if (!match) throw new RangeError(`not a decimal: ${text}`);
    const [, sign, whole = '', digits = ''] = match;
    const top = BigInt(whole + digits);
    return fraction(sign === '-' ? -top : top, 10n ** BigInt(digits.length));
}

export function plus(a: Fraction, b: Fraction): Fraction {
    return fraction(a.top * b.bottom + b.top * a.bottom, a.bottom * b.bottom);
}

export function minus(a: Fraction, b: Fraction): Fraction {
    return plus(a, { top: -b.top, bottom: b.bottom });
}

export function times(a: Fraction, b: Fraction): Fraction {
    return fraction(a.top * b.top, a.bottom * b.bottom);
}

export function over(a: Fraction, b: Fraction): Fraction {
    return fraction(a.top * b.bottom, a.bottom * b.top);
}

export function sum(parts: readonly Fraction[]): Fraction {
    return parts.reduce(plus, zero);
}

/** Below zero, zero or above, as a is below, at or above b. */
export function compare(a: Fraction, b: Fraction): -1 | 0 | 1 {
    const difference = minus(a, b).top;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** `value` in units of 10^-decimals, cut towards zero: the digits that a log with those keeps. */
export function cutUnits(value: Fraction, decimals: number): bigint {
    return (value.top * 10n ** BigInt(decimals)) / value.bottom;
}

/** `value` in units of 10^-decimals, halves away from zero. */
export function roundedUnits(value: Fraction, decimals: number): bigint {
    const size = value.top < 0n ? -value.top : value.top;
    // floor(x + 1/2) of a size; the sign goes back on afterwards, so halves leave zero both ways.
    const units = (2n * size * 10n ** BigInt(decimals) + value.bottom) / (2n * value.bottom);
    return value.top < 0n ? -units : units;
}

/** The shortest decimal text, which is unique: compare these. @throws RangeError for thirds. */
export function decimalText(value: Fraction): string {
    let scale = 0;
    while (10n ** BigInt(scale) % value.bottom !== 0n) {
        scale += 1;
        if (scale > 60) throw new RangeError(`${value.top}/${value.bottom} is no decimal`);
    }
    return unitsText((value.top * 10n ** BigInt(scale)) / value.bottom, scale);
}

/** Units of 10^-scale as decimal text, all `scale` decimals written. */
export function unitsText(units: bigint, scale: number): string {
    const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
    const at = digits.length - scale;
    return `${units < 0n ? '-' : ''}${digits.slice(0, at)}${scale ? `.${digits.slice(at)}` : ''}`;
}

/** Microseconds since 1970 in UTC. */
export function instant(text: string): bigint {
    const form =
        /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:Z|([+-])(\d\d):(\d\d))$/;
    const match = form.exec(text);
    if (!match) throw new RangeError(`not an instant: ${text}`);
    const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => +part);
    const [, , , , , , , micros = '', sign, hours = '0', minutes = '0'] = match;
    const utc = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
    const east = (BigInt(hours) * 60n + BigInt(minutes)) * (sign === '-' ? -1n : 1n);
    return BigInt(utc) * 1000n + BigInt(micros.padEnd(6, '0')) - east * 60_000_000n;
}

/** Whether an instant lies in the half-open span. */
export function within(at: bigint, from: string, to: string | null): boolean {
    return instant(from) <= at && (to === null || at < instant(to));
}

/** The first step whose bound the value does not exceed; bounds are inclusive. */
export function bandOf(
    value: Fraction,
    steps: readonly { readonly up_to?: string; readonly is: string }[],
): string {
    const fits = (up_to: string) => compare(value, parseDecimal(up_to)) <= 0;
    const step = steps.find(({ up_to }) => up_to === undefined || fits(up_to));
    if (!step) throw new RangeError('the last step of a band must be open');
    return step.is;
}

/** Where a record lay: the key of its object, the line in it. */
export type Place = { readonly object: string; readonly line: number };

export interface Unique<T> {
    readonly kept: readonly T[];
    readonly duplicates: number;
    readonly conflicts: number;
}

/** One copy of each identity counts: that in the earlier object by key, then the earlier line. */
export function unique<T extends Place>(
    records: readonly T[],
    identity: (record: T) => string,
    content: (record: T) => string,
): Unique<T> {
    const kept = new Map<string, T>();
    const count = { duplicates: 0, conflicts: 0 };
    const order = (a: T, b: T) =>
        a.object === b.object ? a.line - b.line : a.object < b.object ? -1 : 1;
    for (const record of [...records].sort(order)) {
        const first = kept.get(identity(record));
        if (!first) kept.set(identity(record), record);
        else count[content(first) === content(record) ? 'duplicates' : 'conflicts'] += 1;
    }
    return { kept: [...kept.values()], ...count };
}
