import type { Engine, Row } from '../duck/engine.ts';
import { formatAmount } from '../money/amount.ts';
import { figure } from '../report/figures.ts';
import { readTerms, type Terms } from '../schema/terms.ts';

/** What one step on the way from metered usage to what tiers see leaves of the quantity. */
export interface QuantityStep {
    readonly step: string;
    readonly quantity: string;
}

/** For which part of the period a line has its fees, minimum and maximum. */
export interface Proration {
    readonly numerator: string;
    readonly denominator: string;
    readonly from: string;
    readonly to: string;
}

/** From what was metered to what is charged; no steps where that is the same. */
export interface QuantityTrace {
    readonly quantities: readonly QuantityStep[];
    readonly proration?: Proration;
}

/** Reads how the quantity of a priced line was converted and lessened, and its share of the period. */
export async function quantityTrace(
    engine: Engine,
    line_id: string,
    written: string,
): Promise<QuantityTrace> {
    const terms = readTerms(written);
    const line = await engine.one(
        `select numerator, denominator, service_start, service_end
        from pricing.lines where line_id = $line_id`,
        { line_id },
    );
    const proration = {
        ...{ numerator: String(line.numerator), denominator: String(line.denominator) },
        ...{ from: String(line.service_start), to: String(line.service_end) },
    };
    return {
        quantities: await quantitySteps(engine, line_id, terms),
        ...(terms.proration ? { proration } : {}),
    };
}

async function quantitySteps(
    engine: Engine,
    line_id: string,
    terms: Terms,
): Promise<readonly QuantityStep[]> {
    if (terms.unit_conversion === undefined && terms.included === undefined) return [];
    // Sizes in the units of the stage, by its own formula: see pricing.quantities.
    const groups = await engine.rows(
        `select usages.group_id, lines.quantity_scale, rates.tier_scale,
            usages.quantity as metered,
            divide_rounded(
                case when usages.quantity < 0 and charges.is_clamped then 0
                    else abs(usages.quantity) end * charges.conversion_factor,
                charges.conversion_divisor,
                charges.conversion_rounding
            ) * charges.conversion_step as converted,
            quantities.sign, quantities.quantity as charged
        from pricing.usages as usages
        inner join pricing.charges as charges on usages.line_id = charges.line_id
        inner join pricing.lines as lines on usages.line_id = lines.line_id
        inner join rules.charges as rates
            on lines.rate_id = rates.rate_id and lines.quantity_scale = rates.quantity_scale
        inner join pricing.quantities as quantities
            on usages.line_id = quantities.line_id and usages.group_id = quantities.group_id
        where usages.line_id = $line_id
        order by usages.group_id desc`,
        { line_id },
    );
    return groups.flatMap((group) => groupSteps(terms, group));
}

function groupSteps({ unit_conversion, included, included_mode }: Terms, group: Row) {
    const text = (units: unknown, scale: unknown) =>
        formatAmount({ units: units as bigint, scale: Number.parseInt(String(scale), 10) });
    const sign = group.sign as bigint;
    const inTiers = (units: unknown) => text(sign * (units as bigint), group.tier_scale);
    const before = group.group_id === 'before' ? 'before this period, ' : '';
    const isWhole = included_mode === 'whole_once_exceeded';
    return [
        { step: `${before}metered`, quantity: text(group.metered, group.quantity_scale) },
        ...(unit_conversion === undefined
            ? []
            : [
                  {
                      step: `${before}${conversionText(unit_conversion)}`,
                      quantity: inTiers(group.converted),
                  },
              ]),
        ...(included === undefined
            ? []
            : [
                  {
                      step: `${before}less ${included} included${isWhole ? ', unless more is used' : ''}`,
                      quantity: inTiers(group.charged),
                  },
              ]),
    ];
}

function conversionText(of: NonNullable<Terms['unit_conversion']>): string {
    const { divide_by, multiply_by, rounding = 'none', decimals = '0' } = of;
    return [
        'unit conversion:',
        ...(multiply_by === undefined ? [] : [`x ${multiply_by}`]),
        ...(divide_by === undefined ? [] : [`/ ${divide_by}`]),
        ...(rounding === 'none' ? [] : [`rounded ${rounding}`]),
        ...(rounding === 'none' || decimals === '0' ? [] : [`to ${decimals} decimals`]),
    ].join(' ');
}

/** The same for people. */
export function quantityText({ quantities, proration }: QuantityTrace): readonly string[] {
    return [
        ...quantities.map(({ step, quantity }) => `           ${step}: ${figure(quantity)}`),
        ...(proration
            ? [
                  `           proration: ${proration.numerator}/${proration.denominator} of the period for fees, minimum and maximum, ${proration.from} to ${proration.to}`,
              ]
            : []),
    ];
}
