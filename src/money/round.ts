import type { Amount } from './amount.ts';

/** Half away from zero is customary on invoices; half even is for those whose contracts say so. */
export type Rounding = 'half_away' | 'half_even';

/** An amount rounded to `scale` decimals. */
export function round(amount: Amount, scale: number, rounding: Rounding = 'half_away'): Amount {
    if (amount.scale <= scale) {
        return { units: amount.units * 10n ** BigInt(scale - amount.scale), scale };
    }
    const divisor = 10n ** BigInt(amount.scale - scale);
    const whole = amount.units / divisor;
    const twice = 2n * (amount.units - whole * divisor);
    const size = twice < 0n ? -twice : twice;
    const isUp =
        size > divisor || (size === divisor && (rounding === 'half_away' || whole % 2n !== 0n));
    return { units: isUp ? whole + (amount.units < 0n ? -1n : 1n) : whole, scale };
}

/** A share of an amount, of so many parts in so many, rounded half away from zero to `scale`. */
export function roundShare(
    { units, scale }: Amount,
    parts: bigint,
    whole: bigint,
    to: number,
): Amount {
    const divisor = 10n ** BigInt(scale) * whole;
    const exact = units * 10n ** BigInt(to) * parts;
    const half = exact < 0n ? -divisor : divisor;
    return { units: (2n * exact + half) / (2n * divisor), scale: to };
}
