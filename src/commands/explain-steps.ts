import type { Engine } from '../duck/engine.ts';
import { formatAmount, parseAmount } from '../money/amount.ts';
import { readTerms, type Terms } from '../schema/terms.ts';

/** What one step on the way from tiers to an amount adds, in money. The first is what tiers give. */
export interface PriceStep {
    readonly step: string;
    readonly amount: string;
}

/** Money of whole numbers: as the stage cuts it, at the 24th decimal. */
const scale = 24;
const cut = (units: bigint, divisor: bigint) => (units * 10n ** BigInt(scale)) / divisor;

/**
 * How a priced line came from its tiers to its amount: discounts, maximum, minimum, and over the
 * term of a contract what was charged before. The steps add up to the amount, to the last digit.
 */
export async function priceSteps(
    engine: Engine,
    line_id: string,
    written: string,
): Promise<readonly PriceStep[]> {
    const terms = readTerms(written);
    const groups = await engine.rows(
        `select amounts.group_id, amounts.exact, discounted.sign,
            charges.maximum, charges.minimum, charges.rounding_divisor, rates.decimals,
            abs(coalesce(sum(tiers.amount), 0))::hugeint as tiers
        from pricing.amounts as amounts
        inner join pricing.discounted as discounted
            on amounts.line_id = discounted.line_id and amounts.group_id = discounted.group_id
        inner join pricing.charges as charges on amounts.line_id = charges.line_id
        inner join pricing.lines as lines on amounts.line_id = lines.line_id
        inner join rules.charges as rates
            on lines.rate_id = rates.rate_id and lines.quantity_scale = rates.quantity_scale
        left join pricing.tier_amounts as tiers
            on amounts.line_id = tiers.line_id and amounts.group_id = tiers.group_id
        where amounts.line_id = $line_id
        group by all
        order by amounts.group_id desc`,
        { line_id },
    );
    const discounts = await engine.rows(
        'select factor, subtrahend from pricing.discounts where line_id = $line_id order by position',
        { line_id },
    );
    return groups.flatMap((group) => {
        const isBefore = group.group_id === 'before';
        const sign = (group.sign as bigint) * (isBefore ? -1n : 1n);
        const divisor = (group.rounding_divisor as bigint) * 10n ** (group.decimals as bigint);
        const values = [
            ...discounted(terms, group.tiers as bigint, discounts as Discounts, divisor),
            ...bounded(terms, group.maximum as bigint | null, group.minimum as bigint | null),
        ];
        return differences(values, divisor).map(({ step, units }) => ({
            step: isBefore ? `less before this period, ${step}` : step,
            amount: formatAmount({ units: sign * units, scale }),
        }));
    });
}

type Discounts = readonly { readonly factor: bigint; readonly subtrahend: bigint }[];

/** A value in money units of `divisor`, or what a bound makes of the value before it. */
type Value =
    | { readonly step: string; readonly units: bigint; readonly divisor: bigint }
    | { readonly step: string; readonly of: (units: bigint) => bigint };

/** What the tiers give, and what each discount leaves of it, each in units finer by its percent. */
function discounted(
    { discounts: written, proration }: Terms,
    tiers: bigint,
    discounts: Discounts,
    end: bigint,
): readonly Value[] {
    const finer = written.map((of) =>
        'percent' in of ? 10n ** BigInt(parseAmount(of.percent).scale + 2) : 1n,
    );
    let divisor = finer.reduce((rest, by) => rest / by, end);
    let units = tiers;
    const part = proration ? ', for its part of the period' : '';
    const values: Value[] = [{ step: `tiers and fees${part}`, units, divisor }];
    written.forEach((of, index) => {
        const { factor = 1n, subtrahend = 0n } = discounts[index] ?? {};
        const left = units * factor - subtrahend;
        units = left < 0n ? 0n : left;
        divisor *= finer[index] ?? 1n;
        const what = 'percent' in of ? `${of.percent} percent` : of.amount;
        values.push({ step: `discount of ${what}`, units, divisor });
    });
    return values;
}

/** The minimum comes last: it wins. */
function bounded(
    { maximum: most, minimum: least }: Terms,
    maximum: bigint | null,
    minimum: bigint | null,
): readonly Value[] {
    return [
        ...(maximum === null
            ? []
            : [{ step: `maximum of ${most}`, of: (v: bigint) => (v > maximum ? maximum : v) }]),
        ...(minimum === null
            ? []
            : [{ step: `minimum of ${least}`, of: (v: bigint) => (v < minimum ? minimum : v) }]),
    ];
}

/** What each value adds to the one before it, each cut by itself: together they are the last one. */
function differences(values: readonly Value[], end: bigint) {
    let units = 0n;
    let before = 0n;
    return values.map((value) => {
        units = 'of' in value ? value.of(units) : value.units;
        const now = cut(units, 'of' in value ? end : value.divisor);
        const added = now - before;
        before = now;
        return { step: value.step, units: added };
    });
}
