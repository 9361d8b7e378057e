import type {
    charges,
    dimensionUsages,
    discounts,
    events,
    stepBounds,
    tiers,
    usages,
} from '../../pipelines/45-price/tables.ts';
import type { RowOf } from '../duck/table.ts';
import { parseAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import type { QuoteCharge, QuoteLine } from '../schema/quote.ts';
import { QuoteError } from './error.ts';
import { isOfAmounts } from './models.ts';
import { type Fraction, greatestCommonDivisor, prorated } from './proration.ts';
import { type TierText, tierTexts } from './tiers.ts';

/** A quantity or a list of event amounts of one group, as text. */
export interface GroupUsage {
    readonly group_id: string;
    readonly quantity: string;
    /** Amounts of events in their order, for models that look at each. */
    readonly events: readonly string[] | null;
}

/** A line in whole numbers: the rows that the pricing stage reads, and how to read its answer. */
export interface UnitLine {
    readonly charge: RowOf<typeof charges>;
    readonly tiers: readonly RowOf<typeof tiers>[];
    readonly stepBounds: readonly RowOf<typeof stepBounds>[];
    readonly discounts: readonly RowOf<typeof discounts>[];
    readonly usages: readonly RowOf<typeof usages>[];
    readonly dimensions: readonly RowOf<typeof dimensionUsages>[];
    readonly events: readonly RowOf<typeof events>[];
    readonly scales: Scales;
}

/** What the whole numbers of a line are of: 10^-quantity; 10^-amount (-final) over `denominator`. */
export interface Scales {
    readonly quantity: number;
    /** Of the amounts of tiers. */
    readonly amount: number;
    /** Of the amount after discounts. */
    readonly final: number;
    readonly denominator: bigint;
    /** Decimals the line is rounded to. */
    readonly decimals: number;
}

const digits = (text: string | undefined) => (text === undefined ? 0 : parseAmount(text).scale);
const ten = (exponent: number) => 10n ** BigInt(exponent);
const most = (scales: readonly number[]) => Math.max(0, ...scales);

/** Decimal text in units of 10^-scale, which must hold all its decimals. */
export function units(text: string, scale: number): bigint {
    const amount = parseAmount(text);
    return amount.units * ten(scale - amount.scale);
}

/** The largest size that a HUGEINT holds, with room for one doubling. */
const limit = 2n ** 126n;

/**
 * Puts a line into whole numbers, in units so small that nothing it computes is ever rounded.
 * @throws QuoteError QUOTE_RANGE when that takes more than 38 digits, QUOTE_TIERS, QUOTE_SPAN
 */
export function unitLine(line: QuoteLine, usage: readonly GroupUsage[]): UnitLine {
    const { charge } = line;
    const model = tierTexts(charge);
    const proration = prorated(charge.proration);
    const decimals = lineDecimals(line);
    const isByEvent = usage.some(({ events }) => events !== null);
    const scales = scalesOf(line, model, usage, decimals, proration, isByEvent);
    const steps = discountSteps(charge, scales);
    const row = chargeRow(line, model, scales, proration, isByEvent, usage);
    const made: UnitLine = {
        charge: row,
        tiers: model.tiers.map((tier, index) => tierRow(line.id, tier, index, scales, proration)),
        stepBounds: model.tiers.flatMap((tier, index) =>
            Object.entries(tier.bounds ?? {}).map(([dimension, bound]) => ({
                line_id: line.id,
                tier_no: BigInt(index + 1),
                dimension,
                to_quantity: units(bound, scales.quantity),
            })),
        ),
        discounts: steps.map((step, index) => ({
            line_id: line.id,
            position: BigInt(index + 1),
            ...step,
        })),
        usages: usage.map(({ group_id, quantity }) => ({
            line_id: line.id,
            group_id,
            quantity: units(quantity, rawScale(line, usage)),
        })),
        dimensions: dimensionRows(line, scales),
        events: usage.flatMap(({ group_id, events: values }) =>
            (values ?? []).map((value, index) => ({
                line_id: line.id,
                group_id,
                event_no: BigInt(index + 1),
                value: units(value, scales.quantity),
            })),
        ),
        scales,
    };
    requireRoom(made);
    return made;
}

function lineDecimals({ charge, currency }: QuoteLine): number {
    const stated = charge.rounding?.decimals;
    return stated === undefined ? (currencyExponent(currency) ?? 0) : Number.parseInt(stated, 10);
}

/** Decimals of the quantities as given. */
function rawScale(line: QuoteLine, usage: readonly GroupUsage[]): number {
    const previous = digits(line.previously_billed?.quantity);
    return most([previous, ...usage.map(({ quantity }) => digits(quantity))]);
}

interface Model {
    readonly kind: string;
    readonly tiers: readonly TierText[];
}

function scalesOf(
    line: QuoteLine,
    model: Model,
    usage: readonly GroupUsage[],
    decimals: number,
    proration: Fraction,
    isByEvent: boolean,
): Scales {
    const { charge, previously_billed } = line;
    const converted = conversionScale(charge, rawScale(line, usage));
    const quantity = most([
        converted,
        digits(charge.included),
        ...model.tiers.flatMap((tier) => [
            digits(tier.up_to ?? undefined),
            digits(tier.package_size ?? undefined),
            ...Object.values(tier.bounds ?? {}).map(digits),
        ]),
        ...(typeof line.quantity === 'object' ? Object.values(line.quantity).map(digits) : []),
        ...(isByEvent ? usage.flatMap(({ events }) => (events ?? []).map(digits)) : []),
        ...(charge.model === 'percentage' ? [digits(charge.free_amount)] : []),
    ]);
    const fees = most([
        ...model.tiers.flatMap((tier) => [
            digits(tier.flat_fee),
            digits(tier.package_price ?? undefined),
        ]),
        digits(charge.maximum),
        digits(charge.minimum),
        ...charge.discounts.map((of) => ('amount' in of ? digits(of.amount) : 0)),
        ...(charge.model === 'percentage'
            ? [charge.fixed_fee_per_event, charge.min_per_event, charge.max_per_event].map(digits)
            : []),
        digits(previously_billed?.amount),
        decimals,
    ]);
    const amount = Math.max(
        fees,
        quantity + most(model.tiers.map(({ unit_price }) => digits(unit_price))),
    );
    const discounted = charge.discounts.map((of) => ('percent' in of ? digits(of.percent) + 2 : 0));
    return {
        quantity,
        amount,
        final: amount + discounted.reduce((sum, of) => sum + of, 0),
        denominator: proration.denominator,
        decimals,
    };
}

function conversionScale(charge: QuoteCharge, raw: number): number {
    const of = charge.unit_conversion;
    if (!of) return raw;
    if (of.rounding !== 'none') return Number.parseInt(of.decimals, 10);
    return of.multiply_by === undefined ? 12 : Math.min(12, raw + digits(of.multiply_by));
}

type ChargeRow = RowOf<typeof charges>;

/** size x factor // divisor x step: from the units given to those of the tiers. */
function conversion(
    charge: QuoteCharge,
    raw: number,
    scale: number,
): Pick<
    ChargeRow,
    'conversion_factor' | 'conversion_divisor' | 'conversion_step' | 'conversion_rounding'
> {
    const of = charge.unit_conversion;
    const at = conversionScale(charge, raw);
    const [numerator, denominator] = of?.multiply_by
        ? [
              units(of.multiply_by, digits(of.multiply_by)) * ten(at),
              ten(digits(of.multiply_by) + raw),
          ]
        : of?.divide_by
          ? [ten(digits(of.divide_by) + at), units(of.divide_by, digits(of.divide_by)) * ten(raw)]
          : [1n, 1n];
    const common = greatestCommonDivisor(numerator, denominator);
    return {
        conversion_factor: numerator / common,
        conversion_divisor: denominator / common,
        conversion_step: ten(scale - at),
        conversion_rounding:
            of && (of.rounding === 'up' || of.rounding === 'down') ? of.rounding : 'half_away',
    };
}

function chargeRow(
    line: QuoteLine,
    model: Model,
    scales: Scales,
    proration: Fraction,
    isByEvent: boolean,
    usage: readonly GroupUsage[],
): ChargeRow {
    const { charge } = line;
    const perEvent = (text: string | undefined) =>
        text === undefined ? null : units(text, scales.amount) * scales.denominator;
    const bound = (text: string | undefined) =>
        text === undefined ? null : units(text, scales.final) * proration.numerator;
    const percentage = charge.model === 'percentage' ? charge : null;
    // Free of "0" is as if there were no free part.
    const free = (text: string | undefined, scale: number) => {
        const value = text === undefined ? 0n : units(text, scale);
        return value === 0n ? null : value;
    };
    const takesZero = ['graduated', 'volume', 'graduated_percentage', 'stairstep'];
    return {
        line_id: line.id,
        kind: isByEvent ? 'events' : isOfAmounts(charge.model) ? 'amount' : model.kind,
        is_clamped: charge.negative === 'clamp',
        ...conversion(charge, rawScale(line, usage), scales.quantity),
        included: units(charge.included ?? '0', scales.quantity),
        is_included_whole: charge.included_mode === 'whole_once_exceeded',
        is_zero_charged: charge.charge_zero_usage && takesZero.includes(charge.model),
        free_events: free(percentage?.free_events, 0),
        free_amount: free(percentage?.free_amount, scales.quantity),
        fixed_fee: perEvent(percentage?.fixed_fee_per_event) ?? 0n,
        event_minimum: perEvent(percentage?.min_per_event),
        event_maximum: perEvent(percentage?.max_per_event),
        maximum: bound(charge.maximum),
        minimum: bound(charge.minimum),
        rounding_divisor: ten(scales.final - scales.decimals) * scales.denominator,
        rounding_mode: charge.rounding?.mode ?? 'half_away',
    };
}

function tierRow(
    line_id: string,
    tier: TierText,
    index: number,
    scales: Scales,
    proration: Fraction,
): RowOf<typeof tiers> {
    const { quantity, amount, denominator } = scales;
    const isPackaged = tier.package_size !== null;
    return {
        line_id,
        tier_no: BigInt(index + 1),
        from_quantity: units(tier.from, quantity),
        to_quantity: tier.up_to === null ? null : units(tier.up_to, quantity),
        unit_price: units(tier.unit_price, amount - quantity) * denominator,
        flat_fee: units(tier.flat_fee, amount) * proration.numerator,
        package_size: isPackaged ? units(tier.package_size ?? '0', quantity) : null,
        package_price: isPackaged ? units(tier.package_price ?? '0', amount) * denominator : null,
    };
}

/** What each discount leaves: of a percent, that share, in finer units; of an amount, the rest. */
function discountSteps(
    charge: QuoteCharge,
    scales: Scales,
): readonly { readonly factor: bigint; readonly subtrahend: bigint }[] {
    let scale = scales.amount;
    return charge.discounts.map((of) => {
        if ('amount' in of) {
            return { factor: 1n, subtrahend: units(of.amount, scale) * scales.denominator };
        }
        const decimals = digits(of.percent);
        scale += decimals + 2;
        const left = 100n * ten(decimals) - units(of.percent, decimals);
        if (left < 0n) throw new QuoteError('QUOTE_DECIMAL', `a discount of ${of.percent} percent`);
        return { factor: left, subtrahend: 0n };
    });
}

function dimensionRows(line: QuoteLine, { quantity }: Scales): UnitLine['dimensions'] {
    if (line.charge.model !== 'stairstep') return [];
    if (typeof line.quantity !== 'object') return [];
    return Object.entries(line.quantity).map(([dimension, text]) => ({
        line_id: line.id,
        dimension,
        quantity: units(text, quantity),
    }));
}

/** An overflow would stop every line: a line that could come near one is refused on its own. */
function requireRoom(line: UnitLine): void {
    const given = line.usages.reduce((sum, { quantity }) => sum + size(quantity), 0n);
    const values = line.events.reduce((sum, { value }) => sum + size(value), 0n);
    if (!hasRoom(line, { given, values, eventCount: BigInt(line.events.length) })) {
        throw new QuoteError('QUOTE_RANGE', 'its exact amount takes more than 38 digits');
    }
}

const size = (value: bigint | null) => (value === null ? 0n : value < 0n ? -value : value);

/** How much a line has to price: its quantity as given, its events in units of tiers. */
export interface Usage {
    readonly given: bigint;
    readonly values: bigint;
    readonly eventCount: bigint;
}

/**
 * Whether nothing that a line computes of a usage can come near the largest whole number.
 * @param denominator by what its amounts will be multiplied yet.
 */
export function hasRoom(
    { charge, tiers, discounts }: Pick<UnitLine, 'charge' | 'tiers' | 'discounts'>,
    { given, values, eventCount }: Usage,
    denominator = 1n,
): boolean {
    const scaled = given * charge.conversion_factor;
    const converted = (scaled / charge.conversion_divisor + 1n) * charge.conversion_step;
    const quantity = converted + values;
    const amount = tiers.reduce(
        (sum, tier) =>
            sum +
            quantity * size(tier.unit_price) +
            size(tier.flat_fee) +
            (tier.package_size
                ? (quantity / tier.package_size + 1n) * size(tier.package_price)
                : 0n),
        eventCount * (size(charge.fixed_fee) + size(charge.event_minimum)),
    );
    const discounted = discounts.reduce(
        (sum, { factor, subtrahend }) => sum * factor + subtrahend,
        amount,
    );
    const amounts = [
        discounted,
        size(charge.maximum),
        size(charge.minimum),
        charge.rounding_divisor,
    ];
    return scaled < limit && amounts.every((value) => value * denominator < limit);
}
