import { add, compare, formatAmount, parseAmount } from '../money/amount.ts';
import { boundedLast, boundProblems } from '../schema/bounds.ts';
import type { QuoteCharge } from '../schema/quote.ts';
import { QuoteError } from './error.ts';

/** A tier of any model as text. `from` is exclusive, `up_to` inclusive. */
export interface TierText {
    readonly from: string;
    readonly up_to: string | null;
    readonly unit_price: string;
    readonly flat_fee: string;
    readonly package_size: string | null;
    readonly package_price: string | null;
    /** Steps of several dimensions have a bound for each. */
    readonly bounds?: Readonly<Record<string, string>>;
    /** Whether an answer shows a unit price. */
    readonly isPriced: boolean;
}

const open = { from: '0', up_to: null, package_size: null, package_price: null } as const;

/** Every charge model as tiers, and how they apply. @throws QuoteError QUOTE_TIERS */
export function tierTexts(charge: QuoteCharge): {
    readonly kind: 'slices' | 'whole' | 'steps' | 'flat';
    readonly tiers: readonly TierText[];
} {
    switch (charge.model) {
        case 'per_unit':
            return { kind: 'slices', tiers: [priced({ unit_price: charge.unit_price })] };
        case 'package':
            return { kind: 'slices', tiers: [packaged(charge.package_size, charge.package_price)] };
        case 'percentage':
            return { kind: 'slices', tiers: [priced({ unit_price: fractionOf(charge.percent) })] };
        case 'dynamic':
            return {
                kind: 'slices',
                tiers: [priced({ unit_price: markedUp(charge.markup_percent) })],
            };
        case 'flat':
            return {
                kind: 'flat',
                tiers: [{ ...open, unit_price: '0', flat_fee: charge.fee, isPriced: false }],
            };
        case 'graduated':
        case 'volume':
            requireBounds(
                'tiers',
                charge.tiers.map(({ up_to }) => up_to),
            );
            return {
                kind: charge.model === 'graduated' ? 'slices' : 'whole',
                tiers: linked(charge.tiers.map(tierOf)),
            };
        case 'graduated_percentage':
            requireBounds(
                'tiers',
                charge.tiers.map(({ up_to }) => up_to),
            );
            return {
                kind: 'slices',
                tiers: linked(
                    charge.tiers.map(({ up_to, percent, flat_fee }) => ({
                        ...priced({ unit_price: fractionOf(percent), flat_fee: flat_fee ?? '0' }),
                        up_to,
                    })),
                ),
            };
        case 'stairstep':
            return stepsOf(charge);
    }
}

function priced(of: { readonly unit_price: string; readonly flat_fee?: string }): TierText {
    return { ...open, flat_fee: '0', ...of, isPriced: true };
}

function packaged(package_size: string, package_price: string): TierText {
    return {
        ...open,
        unit_price: '0',
        flat_fee: '0',
        package_size,
        package_price,
        isPriced: false,
    };
}

/** Percent as a fraction, exactly: two more decimals. */
function fractionOf(percent: string): string {
    const { units, scale } = parseAmount(percent);
    return formatAmount({ units, scale: scale + 2 });
}

function markedUp(percent: string): string {
    return formatAmount(add(parseAmount('1'), parseAmount(fractionOf(percent))));
}

type WrittenTier = Extract<QuoteCharge, { readonly model: 'graduated' }>['tiers'][number];

function tierOf(tier: WrittenTier): TierText {
    const { up_to, unit_price, flat_fee, package_size, package_price } = tier;
    const isPackaged = package_size !== undefined || package_price !== undefined;
    if (isPackaged && (unit_price !== undefined || !package_size || !package_price)) {
        throw new QuoteError(
            'QUOTE_TIERS',
            'a tier has a unit_price, or a package_size with its package_price',
        );
    }
    if (!isPackaged && unit_price === undefined && flat_fee === undefined) {
        throw new QuoteError('QUOTE_TIERS', 'a tier without any price');
    }
    const fee = { flat_fee: flat_fee ?? '0', up_to };
    return isPackaged
        ? { ...packaged(package_size ?? '', package_price ?? ''), ...fee }
        : { ...priced({ unit_price: unit_price ?? '0' }), ...fee };
}

/** Each tier begins where the one before it ends. */
function linked(tiers: readonly TierText[]): readonly TierText[] {
    return tiers.map((tier, index) => ({ ...tier, from: tiers[index - 1]?.up_to ?? '0' }));
}

/** Bounds above zero that rise; the last one open, and only it. */
function requireBounds(what: 'tiers' | 'steps', bounds: readonly (string | null)[]): void {
    const [problem] = boundProblems(what, bounds);
    if (problem) throw new QuoteError('QUOTE_TIERS', problem.message, problem.remedy);
}

type Stairstep = Extract<QuoteCharge, { readonly model: 'stairstep' }>;

function stepsOf({ steps }: Stairstep): {
    readonly kind: 'whole' | 'steps';
    readonly tiers: readonly TierText[];
} {
    const priceOf = (price: string) => ({
        ...open,
        unit_price: '0',
        flat_fee: price,
        isPriced: false,
    });
    const isDimensional = steps.some(({ up_to }) => typeof up_to === 'object' && up_to !== null);
    if (!isDimensional) {
        requireBounds(
            'steps',
            steps.map(({ up_to }) => up_to as string | null),
        );
        const tiers = steps.map(({ up_to, price }) => ({
            ...priceOf(price),
            up_to: up_to as string | null,
        }));
        return { kind: 'whole', tiers: linked(tiers) };
    }
    requireDimensions(steps);
    return {
        kind: 'steps',
        tiers: steps.map(({ up_to, price }) => ({
            ...priceOf(price),
            bounds: typeof up_to === 'object' && up_to !== null ? up_to : {},
        })),
    };
}

/** From step to step no dimension falls and one rises; the last step is open. */
function requireDimensions(steps: Stairstep['steps']): void {
    const end = steps.at(-1)?.up_to ?? null;
    if (end !== null) {
        const { message, remedy } = boundedLast('steps', steps.length - 1, JSON.stringify(end));
        throw new QuoteError('QUOTE_TIERS', message, remedy);
    }
    steps.slice(0, -1).forEach(({ up_to }, index) => {
        const before = steps[index - 1]?.up_to;
        if (typeof up_to !== 'object' || up_to === null || typeof before === 'string') {
            throw new QuoteError(
                'QUOTE_TIERS',
                `step ${index + 1}: a bound by dimension is needed`,
            );
        }
        if (before == null) return;
        const changes = Object.keys({ ...before, ...up_to }).map((dimension) =>
            risen(before[dimension], up_to[dimension]),
        );
        if (changes.some((change) => change < 0) || !changes.some((change) => change > 0)) {
            throw new QuoteError('QUOTE_TIERS', `step ${index + 1}: its bounds do not rise`);
        }
    });
}

/** A dimension that a step does not bound is above every bound. */
function risen(before: string | undefined, after: string | undefined): number {
    if (before === undefined) return after === undefined ? 0 : -1;
    return after === undefined ? 1 : compare(parseAmount(after), parseAmount(before));
}
