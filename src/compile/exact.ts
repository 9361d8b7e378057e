/**
 * Exact division in SQL, where a quotient of decimals would be a DOUBLE: quantities are taken apart
 * into whole numbers, divided as such, and rounded by a stated rule.
 */

/** Units of a quantity: 10^-12. */
export const scale = 1_000_000_000_000n;

/** The whole part of a DECIMAL(38,12), cut downwards. */
export const wholePart = (value: string) => `cast(floor(${value}) as hugeint)`;

/** What is left of it, in units: from 0 to below 10^12. */
export const finePart = (value: string) =>
    `cast((${value} - floor(${value})) * ${scale} as hugeint)`;

/**
 * (_whole + _fine / 10^12) / _divisor as _value, rounded half away from zero to 12 decimals, by long
 * division: no number on the way is longer than 38 digits as long as the result is not.
 * _fine is from 0 to below 10^12. The value is null where _divisor is 0.
 */
export function quotient(from: string): string {
    const floored = `select *,
        _whole // _divisor - case when _whole % _divisor < 0 then 1 else 0 end as _floor
    from (${from})`;
    const rest = `select *, (_whole - _floor * _divisor) * ${scale} + _fine as _rest
    from (${floored})`;
    // A half goes away from zero: up from a number above it, and down from one below.
    const isUp = '_rest % _divisor * 2 >= _divisor + case when _floor < 0 then 1 else 0 end';
    return `select * exclude (_whole, _fine, _floor, _rest, _divisor),
        cast(_floor as decimal(38,12)) + ${fromUnits(
            `_rest // _divisor + case when ${isUp} then 1 else 0 end`,
        )} as _value
    from (${rest})`;
}

/** A whole number of 10^-12 as a quantity. */
const fromUnits = (units: string) =>
    `cast(${units} as decimal(38,0)) * cast(0.000000000001 as decimal(12,12))`;

export interface UnitConversion {
    readonly divide_by?: string | undefined;
    readonly multiply_by?: string | undefined;
    readonly rounding: 'up' | 'down' | 'nearest' | 'none';
    readonly decimals: number;
}

/** Decimal text as a whole number of 10^-scale. */
export function mantissa(text: string): { readonly units: bigint; readonly scale: number } {
    const [whole = '', digits = ''] = text.split('.');
    return { units: BigInt(whole + digits), scale: digits.length };
}

/** Greatest common divisor. */
const common = (a: bigint, b: bigint): bigint => (b === 0n ? a : common(b, a % b));

/**
 * A quantity column in other units: up is away from zero, down towards it, nearest halves away from
 * it; none keeps 12 decimals, rounded as nearest.
 */
export function conversionSql(column: string, of: UnitConversion): string {
    const by = mantissa(of.multiply_by ?? of.divide_by ?? '1');
    const ten = 10n ** BigInt(by.scale);
    const decimals = of.rounding === 'none' ? 12 : of.decimals;
    const [top, bottom] = of.multiply_by === undefined ? [ten, by.units] : [by.units, ten];
    const [up, down] = [top * 10n ** BigInt(decimals), bottom * scale];
    const shared = common(up, down);
    const divisor = `cast(${down / shared} as hugeint)`;
    const size = `abs(${column})`;
    const units = `((${wholePart(size)} * ${scale} + ${finePart(size)}) * cast(${up / shared} as hugeint))`;
    const more = {
        up: `case when ${units} % ${divisor} > 0 then 1 else 0 end`,
        down: '0',
        nearest: `case when ${units} % ${divisor} >= ${divisor} - ${units} % ${divisor} then 1 else 0 end`,
    }[of.rounding === 'none' ? 'nearest' : of.rounding];
    const unit = decimals === 0 ? '1' : `0.${'1'.padStart(decimals, '0')}`;
    const converted = `cast(${units} // ${divisor} + ${more} as decimal(38,0))
        * cast(${unit} as decimal(${decimals + 1},${decimals}))`;
    return `cast(case when ${column} < 0 then -1 else 1 end * (${converted}) as decimal(38,12))`;
}
