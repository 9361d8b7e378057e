import { allocate } from '../money/allocate.ts';
import { formatAmount } from '../money/amount.ts';
import { round } from '../money/round.ts';
import type { QuoteLine } from '../schema/quote.ts';
import { tierTexts } from './tiers.ts';
import { type GroupUsage, type UnitLine, units } from './units.ts';

/** What the pricing stage says of one line and group. */
export interface PricedGroup {
    readonly group_id: string;
    readonly exact: bigint;
    readonly rounded: bigint;
    readonly sign: bigint;
    readonly tiers: readonly {
        readonly tier_no: bigint;
        readonly quantity: bigint;
        readonly flat_fee: bigint;
        readonly amount: bigint;
    }[];
}

interface TierAnswer {
    readonly from: string | null;
    readonly to: string | Readonly<Record<string, string>> | null;
    readonly quantity: string | null;
    readonly unit_price: string | null;
    readonly flat_fee: string;
    readonly amount: string;
}

export interface AmountAnswer {
    readonly quantity: string | Readonly<Record<string, string>>;
    readonly amount_exact: string;
    readonly amount: string;
    readonly tiers: readonly TierAnswer[];
}

/** What a charge draws from a grant: money, or units that were not priced. */
export type DrawnAnswer =
    | { readonly grant_id: string; readonly amount: string }
    | { readonly grant_id: string; readonly quantity: string };

/** What commitments and grants make of an amount. */
export interface SettledAnswer {
    /** Of the amount, what lies above the commitment. */
    readonly overage?: string;
    /** Beside the amount: what the shortfall costs. */
    readonly true_up?: string;
    readonly drawn?: readonly DrawnAnswer[];
    /** Amount less what was drawn in money. */
    readonly remaining?: string;
}

export type QuoteAnswer = AmountAnswer &
    SettledAnswer & {
        readonly id: string;
        readonly currency: string;
        readonly groups?: Readonly<Record<string, AmountAnswer>>;
        readonly windows?: readonly (AmountAnswer & SettledAnswer)[];
    };

/** Decimals of an exact amount; what needs more is rounded there once. */
const exactDecimals = 24;

/** A whole number of `divisor` to one as text. */
export function exactText(value: bigint, divisor: bigint): string {
    const size = value < 0n ? -value : value;
    const twice = (2n * size * 10n ** BigInt(exactDecimals)) / divisor;
    const nearest = (twice + 1n) / 2n;
    return formatAmount({ units: value < 0n ? -nearest : nearest, scale: exactDecimals });
}

const divisorOf = (scale: number, denominator: bigint) => 10n ** BigInt(scale) * denominator;

/** A whole number of last decimals as text, all of them written. */
export function minorText(value: bigint, decimals: number): string {
    return formatAmount({ units: value, scale: decimals }, { minScale: decimals });
}

/** The answer to one line from what the pricing stage made of it. */
export function answerOf(
    line: QuoteLine,
    unit: UnitLine,
    usage: readonly GroupUsage[],
    priced: readonly PricedGroup[],
): QuoteAnswer {
    const head = { id: line.id };
    if (line.groups && line.charge.tier_scope === 'pool') {
        return { ...head, ...pooled(line, unit, usage, priced), currency: line.currency };
    }
    const answers = priced.map(
        (group) => [group.group_id, groupAnswer(line, unit, usage, group)] as const,
    );
    if (!line.groups) {
        const [only] = answers;
        if (!only) throw new Error(`line ${line.id} has no amount`);
        return { ...head, ...only[1], currency: line.currency };
    }
    const total = <K extends 'exact' | 'rounded'>(of: K) =>
        priced.reduce((sum, group) => sum + group[of], 0n);
    const { final, denominator, decimals } = unit.scales;
    return {
        ...head,
        quantity: totalQuantity(usage),
        amount_exact: exactText(total('exact'), divisorOf(final, denominator)),
        amount: minorText(total('rounded'), decimals),
        currency: line.currency,
        groups: Object.fromEntries(answers),
        tiers: [],
    };
}

/** All that was used, as text. */
export function totalQuantity(usage: readonly GroupUsage[]): string {
    const scale = 12;
    const sum = usage.reduce((total, { quantity }) => total + units(quantity, scale), 0n);
    return formatAmount({ units: sum, scale });
}

/** The answer of one group. */
export function groupAnswer(
    line: QuoteLine,
    unit: UnitLine,
    usage: readonly GroupUsage[],
    group: PricedGroup,
): AmountAnswer {
    const { final, denominator, decimals } = unit.scales;
    const previous = line.previously_billed;
    const billed = previous ? units(previous.amount, final) * denominator : 0n;
    const billedMinor = previous ? roundedText(previous.amount, decimals, line) : 0n;
    return {
        quantity: answeredQuantity(line, usage, group.group_id),
        amount_exact: exactText(group.exact - billed, divisorOf(final, denominator)),
        amount: minorText(group.rounded - billedMinor, decimals),
        tiers: tierAnswers(line, unit, group),
    };
}

function roundedText(text: string, decimals: number, line: QuoteLine): bigint {
    const scale = 12;
    const mode = line.charge.rounding?.mode ?? 'half_away';
    return round({ units: units(text, scale), scale }, decimals, mode).units;
}

function answeredQuantity(
    line: QuoteLine,
    usage: readonly GroupUsage[],
    group_id: string,
): AmountAnswer['quantity'] {
    if (typeof line.quantity === 'object') return line.quantity;
    const of = usage.find((one) => one.group_id === group_id);
    if (
        line.charge.model === 'flat' &&
        line.quantity === undefined &&
        !line.events &&
        !line.groups
    ) {
        return '1';
    }
    const scale = 12;
    const previous = units(line.previously_billed?.quantity ?? '0', scale);
    return formatAmount({ units: units(of?.quantity ?? '0', scale) - previous, scale });
}

function tierAnswers(line: QuoteLine, unit: UnitLine, group: PricedGroup): readonly TierAnswer[] {
    const { scales, charge } = unit;
    const { tiers, kind } = tierTexts(line.charge);
    const divisor = divisorOf(scales.amount, scales.denominator);
    // Events come with their own signs: those of their tiers are as they are.
    const isNegative = group.sign < 0n && kind !== 'flat' && charge.kind !== 'events';
    return group.tiers.map(({ tier_no, quantity, flat_fee, amount }) => {
        const tier = tiers[Number.parseInt(tier_no.toString(), 10) - 1];
        if (!tier) throw new Error(`line ${line.id} has no tier ${tier_no}`);
        const sign = isNegative ? -1n : 1n;
        const isStep = kind === 'steps';
        return {
            from: isStep ? null : shortest(tier.from),
            to: isStep
                ? emptyIsNull(tier.bounds)
                : tier.up_to === null
                  ? null
                  : shortest(tier.up_to),
            quantity: isStep
                ? null
                : formatAmount({
                      units: quantity * (kind === 'flat' ? 1n : sign),
                      scale: kind === 'flat' ? 0 : scales.quantity,
                  }),
            unit_price: tier.isPriced ? shortest(tier.unit_price) : null,
            flat_fee: exactText(flat_fee, divisor),
            amount: exactText(amount * sign, divisor),
        };
    });
}

function shortest(text: string): string {
    return formatAmount({ units: units(text, 14), scale: 14 });
}

function emptyIsNull(
    bounds: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | null {
    return bounds && Object.keys(bounds).length > 0 ? bounds : null;
}

/** One amount for all groups together, then split among them by their quantities. */
function pooled(
    line: QuoteLine,
    unit: UnitLine,
    usage: readonly GroupUsage[],
    priced: readonly PricedGroup[],
): Omit<QuoteAnswer, 'id' | 'currency'> {
    const [all] = priced;
    if (!all) throw new Error(`line ${line.id} has no amount`);
    const total = groupAnswer(line, unit, usage, all);
    const { decimals } = unit.scales;
    const groups = Object.entries(line.groups ?? {}).sort(([one], [other]) =>
        Buffer.compare(Buffer.from(one), Buffer.from(other)),
    );
    const weights = groups.map(([, text]) => units(text, 12));
    const isEmpty = weights.every((weight) => weight === 0n);
    const amount = units(total.amount, decimals);
    const parts = allocate(amount, isEmpty ? weights.map(() => 1n) : weights);
    return {
        ...total,
        groups: Object.fromEntries(
            groups.map(([name, text], index) => {
                const part = minorText(parts[index] ?? 0n, decimals);
                const exact = formatAmount({ units: parts[index] ?? 0n, scale: decimals });
                return [
                    name,
                    { quantity: shortest(text), amount_exact: exact, amount: part, tiers: [] },
                ];
            }),
        ),
    };
}
