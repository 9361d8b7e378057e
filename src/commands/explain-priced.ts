import { lineAccounts } from '../compile/meter-parts.ts';
import type { Engine, Row } from '../duck/engine.ts';
import { figure } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { trimmed } from '../run/decimals.ts';
import type { LineItem } from '../schema/line-item.ts';
import { type QuantityTrace, quantityText, quantityTrace } from './explain-quantity.ts';
import { type PriceStep, priceSteps } from './explain-steps.ts';

/** What a line was priced together with, and the tiers that all of it entered. */
export interface PricedTrace extends QuantityTrace {
    readonly terms: string;
    readonly quantity: string;
    readonly amount: string;
    readonly rounded: string;
    readonly line_count: string;
    readonly tiers: readonly Row[];
    readonly steps: readonly PriceStep[];
}

/** How rates with terms came to a line: more than one where it sums up accounts priced apart. */
export async function pricedTraces(
    engine: Engine,
    line: LineItem,
): Promise<readonly PricedTrace[]> {
    const charges = await engine.rows(
        `select distinct charges.line_id, rates.terms
        from rolled.charges as charges
        inner join rules.rates as rates on charges.rate_id = rates.rate_id
        where charges.line_id is not null and charges.payer_id = $payer_id
            and charges.account_id in (${lineAccounts()}) and charges.product = $product
            and charges.meter = $meter and charges.attributes = $attributes
            and charges.rate_id = $rate_id
        order by charges.line_id`,
        {
            ...{ payer_id: line.payer_id, account_id: line.account_id, product: line.product },
            ...{ meter: line.meter, attributes: line.attributes, rate_id: line.rate_id },
        },
    );
    return Promise.all(
        charges.map(({ line_id, terms }) => pricedTrace(engine, String(line_id), String(terms))),
    );
}

async function pricedTrace(engine: Engine, line_id: string, terms: string): Promise<PricedTrace> {
    const whole = await engine.one(
        `select sum(quantity) as quantity, sum(amount) as amount, sum(rounded) as rounded,
            count(*) as line_count
        from rolled.charges where line_id = $line_id`,
        { line_id },
    );
    return {
        terms,
        quantity: trimmed(whole.quantity),
        amount: trimmed(whole.amount),
        rounded: trimmed(whole.rounded),
        line_count: String(whole.line_count),
        ...(await quantityTrace(engine, line_id, terms)),
        tiers: await engine.rows(
            `select tier_no, from_quantity, to_quantity, quantity, unit_price, flat_fee, amount
            from rolled.charge_tiers where line_id = $line_id order by tier_no`,
            { line_id },
        ),
        steps: await priceSteps(engine, line_id, terms),
    };
}

/** The terms in full, the tiers entered, and what the line is a share of. */
export function pricedText(line: LineItem, priced: PricedTrace): readonly string[] {
    const { quantity, amount, rounded, line_count } = priced;
    const share =
        line_count === '1'
            ? []
            : [
                  `           its share of ${figure(quantity)} ${line.unit}, ${amount}, rounded once to ${rounded} for ${figure(line_count)} lines`,
              ];
    return [
        `priced     ${visible(priced.terms)}`,
        ...quantityText(priced),
        ...priced.tiers.map((tier) => {
            const bound =
                tier.to_quantity === null ? 'up' : `to ${figure(trimmed(tier.to_quantity))}`;
            const price = tier.unit_price === null ? '' : ` x ${trimmed(tier.unit_price)}`;
            return `           from ${figure(trimmed(tier.from_quantity))} ${bound}: ${figure(trimmed(tier.quantity))}${price}, fees ${trimmed(tier.flat_fee)}: ${trimmed(tier.amount)}`;
        }),
        ...stepsText(priced),
        ...share,
    ];
}

/** From what the tiers give to the amount; of a single step the tiers have said all. */
function stepsText({ steps, amount }: PricedTrace): readonly string[] {
    if (steps.length < 2) return [];
    return [
        ...steps.map(({ step, amount: added }) => `           ${visible(step)}: ${added}`),
        `           together: ${amount}`,
    ];
}

/** Whether what was priced is a fee of the period, not usage. */
export const isFee = (priced: readonly PricedTrace[]) =>
    priced.some(({ terms }) => JSON.parse(terms).model === 'flat');
