import type { CurrencyRate } from '../compile/conversions.ts';
import { type Amount, add, compare, formatAmount, multiply, parseAmount } from '../money/amount.ts';
import { round } from '../money/round.ts';
import { readTerms, type Terms } from '../schema/terms.ts';
import type { CompiledRate } from './card.ts';
import type { Problems } from './problems.ts';
import { priceScale, wholeDigits } from './rate.ts';

/** Money of the card. */
const money: ReadonlySet<string> = new Set([
    ...['unit_price', 'flat_fee', 'package_price', 'price', 'fee', 'fixed_fee_per_event'],
    ...['min_per_event', 'max_per_event', 'minimum', 'maximum'],
]);

/** Quantities, and words. What is free or included of a metered amount is in the unit of the meter. */
const kept: ReadonlySet<string> = new Set([
    ...['model', 'up_to', 'package_size', 'unit_conversion', 'included', 'included_mode'],
    ...['free_events', 'free_amount', 'charge_zero_usage', 'negative', 'proration', 'rounding'],
    ...['tier_scope', 'bill'],
]);

/** Prices rounded by more than this part of themselves are refused: they would be other prices. */
const finest = 1000n;

const hundred = parseAmount('100');
/** A percent is a price of a hundredth of a unit. */
const percentScale = priceScale - 2;

/** One conversion of one rate as it goes on. */
interface Work {
    readonly rate: CompiledRate;
    readonly factor: Amount;
    readonly wrong: Wrong[];
}

interface Wrong {
    readonly code: string;
    readonly rate: CompiledRate;
    readonly message: string;
    readonly remedy: string;
}

/** The id of a rate as it is in another currency than its card's. */
export function convertedId(rate_id: string, currency: string): string {
    return `${rate_id}@${currency}`;
}

/**
 * The rates of a card in another currency: every price of theirs x one rate, rounded half away from
 * zero to twelve decimals, once. Then they are prices like any other. Notes what cannot be converted
 * exactly enough, or at all, once for each reason.
 */
export function convertRates(
    rates: readonly CompiledRate[],
    by: CurrencyRate,
    problems: Problems,
): readonly CompiledRate[] {
    const wrong: Wrong[] = [];
    const factor = parseAmount(by.rate);
    const made = rates.map((rate): CompiledRate => {
        const work = { rate, factor, wrong };
        const terms = rate.terms === null ? null : termsIn(readTerms(rate.terms), work);
        return {
            ...rate,
            rate_id: convertedId(rate.rate_id, by.to),
            unit_price: priceIn(rate.unit_price, work),
            terms: terms && JSON.stringify(terms),
            currency: by.to,
        };
    });
    for (const [code, [first, ...others]] of Map.groupBy(wrong, (of) => of.code)) {
        if (!first) continue;
        const { rate, message, remedy } = first;
        const rest = new Set(others.map((of) => of.rate)).size;
        const more = rest ? `; ${rest} more like it in ${rate.card}` : '';
        const at = { file: rate.file, line: Number.parseInt(`${rate.line}`, 10) };
        problems.add(at, code, `in ${by.to} at ${by.rate}: ${message}${more}`, {
            remedy: `${remedy}, or give payers in ${by.to} a contract with a card in ${by.to}.`,
        });
    }
    return made;
}

function termsIn(terms: Terms, work: Work): Terms {
    requireUnit(terms, work);
    return partIn(terms, work) as unknown as Terms;
}

/** Terms, or a tier or step of them. */
function partIn(part: object, work: Work): Readonly<Record<string, unknown>> {
    const entries = Object.entries(part).map(([name, value]): readonly [string, unknown] => {
        if (name === 'tiers' || name === 'steps') {
            return [name, (value as readonly object[]).map((of) => partIn(of, work))];
        }
        if (name === 'discounts') {
            return [name, (value as readonly Discount[]).map((of) => discountIn(of, work))];
        }
        if (name === 'percent') return [name, rounded(String(value), work, percentScale)];
        if (name === 'markup_percent') return [name, markupIn(String(value), work)];
        if (money.has(name)) return [name, priceIn(String(value), work)];
        if (!kept.has(name)) {
            work.wrong.push({
                code: 'CONVERSION_UNKNOWN',
                rate: work.rate,
                message: `nothing says whether ${name} is money`,
                remedy: `Take ${name} out`,
            });
        }
        return [name, value];
    });
    return Object.fromEntries(entries);
}

type Discount = Readonly<Record<'percent' | 'amount', string | undefined>>;

/** A percent of a discount takes off, whatever the currency. */
function discountIn(discount: Discount, work: Work): object {
    const { amount } = discount;
    return amount === undefined ? discount : { amount: priceIn(amount, work) };
}

const priceIn = (price: string, work: Work) => rounded(price, work, priceScale);

/** What a metered amount is multiplied by is more than the markup: all of it is converted. */
function markupIn(percent: string, work: Work): string {
    const whole = rounded(formatAmount(add(hundred, parseAmount(percent))), work, percentScale);
    return formatAmount(add(parseAmount(whole), { units: -100n, scale: 0 }));
}

/** A price x the rate, rounded once. */
function rounded(price: string, { rate, factor, wrong }: Work, scale: number): string {
    const exact = multiply(parseAmount(price), factor);
    const made = round(exact, scale);
    const text = formatAmount(made);
    const off = add(made, { units: -exact.units, scale: exact.scale });
    const error = { units: (off.units < 0n ? -off.units : off.units) * finest, scale: off.scale };
    if (compare(error, exact) > 0) {
        wrong.push({
            code: 'CONVERSION_TOO_COARSE',
            rate,
            message: `${price} is ${formatAmount(exact)}, of which ${scale} decimals keep ${text}`,
            remedy: 'Price larger units (`unit_conversion`)',
        });
    }
    if (made.units >= 10n ** BigInt(scale + wholeDigits)) {
        wrong.push({
            code: 'CONVERSION_TOO_LARGE',
            rate,
            message: `${price} is ${text}, which is 10^${wholeDigits} or more`,
            remedy: 'Look for a slipped decimal point in the currency rate',
        });
    }
    return text;
}

/** A share of an amount is in the currency of that amount, which only the unit can say. */
function requireUnit(terms: Terms, { rate, wrong }: Work): void {
    if (!isOfAmount(terms) || rate.unit === rate.currency) return;
    wrong.push({
        code: 'CONVERSION_UNIT',
        rate,
        message: `${rate.product} is a share of an amount in "${rate.unit}", and nothing says that this is ${rate.currency}`,
        remedy: `Write \`unit: ${rate.currency}\` if the meter adds up money of that currency`,
    });
}

function isOfAmount(terms: Terms): boolean {
    const isShare = (percent: string) => /[1-9]/.test(percent);
    if (terms.model === 'dynamic') return true;
    if (terms.model === 'percentage') return isShare(terms.percent);
    return terms.model === 'graduated_percentage' && terms.tiers.some((of) => isShare(of.percent));
}
