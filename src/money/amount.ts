/** An exact decimal: `units` x 10^-`scale`. */
export interface Amount {
    readonly units: bigint;
    readonly scale: number;
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Reads plain decimal text: no exponent, no thousands. @throws RangeError for anything else. */
export function parseAmount(text: string): Amount {
    const match = decimal.exec(text);
    if (!match) throw new RangeError(`not a decimal number: ${text}`);
    const [, sign = '', whole = '', fraction = ''] = match;
    const units = BigInt(whole + fraction);
    return { units: sign ? -units : units, scale: fraction.length };
}

/** Decimal text without needless zeros, with at least `minScale` decimals. */
export function formatAmount(amount: Amount, options: { readonly minScale?: number } = {}): string {
    const minScale = options.minScale ?? 0;
    const { units, scale } = rescale(amount, Math.max(amount.scale, minScale));
    const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
    const whole = digits.slice(0, digits.length - scale);
    const fraction = digits.slice(digits.length - scale);
    let kept = fraction.length;
    while (kept > minScale && fraction[kept - 1] === '0') kept -= 1;
    const sign = units < 0n ? '-' : '';
    return kept === 0 ? `${sign}${whole}` : `${sign}${whole}.${fraction.slice(0, kept)}`;
}

/** The same value with more decimals. */
function rescale({ units, scale }: Amount, to: number): Amount {
    return { units: units * 10n ** BigInt(to - scale), scale: to };
}

/** Exact sum. */
export function add(one: Amount, other: Amount): Amount {
    const scale = Math.max(one.scale, other.scale);
    return { units: rescale(one, scale).units + rescale(other, scale).units, scale };
}

/** Exact product. */
export function multiply(one: Amount, other: Amount): Amount {
    return { units: one.units * other.units, scale: one.scale + other.scale };
}

export function negate({ units, scale }: Amount): Amount {
    return { units: -units, scale };
}

export function absolute({ units, scale }: Amount): Amount {
    return { units: units < 0n ? -units : units, scale };
}

/** -1, 0 or 1: below, at or above. */
export function compare(one: Amount, other: Amount): number {
    const { units } = add(one, negate(other));
    return units < 0n ? -1 : units > 0n ? 1 : 0;
}
