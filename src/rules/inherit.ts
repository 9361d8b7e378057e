import { type Amount, formatAmount, multiply, parseAmount } from '../money/amount.ts';
import { readTerms } from '../schema/terms.ts';
import { forever, formatInstant, type Instant } from '../time/instant.ts';
import { type CompiledRate, describePattern, type Place, patternOf, rateId } from './card.ts';
import type { Problems } from './problems.ts';
import { raiseTerms } from './raise.ts';
import { decimalOf, priceScale, wholeDigits } from './rate.ts';
import { groupBy, type Span, spansOf } from './spans.ts';

/** The half-open time that is left of a rate. */
interface Piece {
    readonly from: Instant;
    readonly to: Instant;
}

/** Rates with this in common take each other's place. */
const slotOf = ({ rate }: Span) => JSON.stringify([rate.meter, rate.match_key, `${rate.priority}`]);

/**
 * The rates of a base card under the name of the card derived from it, without the time that the
 * derived card covers itself: for the same meter, pattern and priority its own rates take their
 * place. What is left meets them exactly. Each keeps the file and line where it is written.
 */
export function cutRates(
    base: readonly CompiledRate[],
    own: readonly CompiledRate[],
    head: Pick<CompiledRate, 'card' | 'card_version'>,
): readonly CompiledRate[] {
    const live = spansOf(own).filter(({ from, to }) => from < to);
    const bySlot = groupBy(live, slotOf);
    return spansOf(base).flatMap((span) => {
        const holes = bySlot.get(slotOf(span)) ?? [];
        const pieces = holes.reduce<readonly Piece[]>(
            (left, hole) => left.flatMap((piece) => without(piece, hole)),
            [span],
        );
        return pieces.map((piece) => renamed(span.rate, piece, head));
    });
}

function without(piece: Piece, hole: Piece): readonly Piece[] {
    if (hole.to <= piece.from || hole.from >= piece.to) return [piece];
    return [
        ...(piece.from < hole.from ? [{ from: piece.from, to: hole.from }] : []),
        ...(hole.to < piece.to ? [{ from: hole.to, to: piece.to }] : []),
    ];
}

function renamed(
    rate: CompiledRate,
    { from, to }: Piece,
    head: Pick<CompiledRate, 'card' | 'card_version'>,
): CompiledRate {
    const moved = {
        ...rate,
        ...head,
        effective_from: formatInstant(from),
        effective_to: to === forever ? null : formatInstant(to),
    };
    return { ...moved, rate_id: rateId(moved, patternOf(rate)) };
}

/** A rate as a markup makes it. */
interface Raised {
    readonly rate: CompiledRate;
    readonly made: CompiledRate;
    /** Every price of it as it became. */
    readonly prices: readonly string[];
}

/**
 * Raises every price of every model by a percentage, exactly: unit and list prices, fees, prices of
 * packages and steps, percents; not what bounds an amount (minimum, maximum) or takes off it
 * (discounts). A price that does not fit is a problem at the markup, told once with the first rate
 * and how many there are: it is one mistake.
 */
export function markUp(
    rates: readonly CompiledRate[],
    percent: string,
    at: Place,
    problems: Problems,
): readonly CompiledRate[] {
    const raise = decimalOf(percent);
    const below = raise && raise.units < -100n * 10n ** BigInt(raise.scale);
    if (!raise || below) {
        problems.add(at, 'BAD_MARKUP', `"${percent}" is not a percentage that can be added`, {
            remedy: 'Write a decimal of -100 or more, like "20" or "-7.5".',
        });
        return [];
    }
    const hundred = 100n * 10n ** BigInt(raise.scale);
    const factor = { units: hundred + raise.units, scale: raise.scale + 2 };
    const raised = rates.map((rate) => raisedRate(rate, factor));
    report('PRICE_TOO_FINE', isFine, `has more than ${priceScale} decimals`);
    report('PRICE_TOO_LARGE', isLarge, `is 10^${wholeDigits} or more`);
    return raised.map(({ made }) => made);

    function report(code: string, isWrong: (price: string) => boolean, what: string): void {
        const wrong = raised.filter(({ prices }) => prices.some(isWrong));
        const [first] = wrong;
        if (!first) return;
        const { rate, prices } = first;
        const price = prices.find(isWrong) ?? '';
        const others = wrong.length === 1 ? '' : `; ${wrong.length - 1} more like it`;
        const of =
            rate.terms === null
                ? `the price of a unit at ${rate.file}:${rate.line} for ` +
                  `${describePattern(patternOf(rate))}, ${rate.unit_price},`
                : `a price of the ${rate.model} rate at ${rate.file}:${rate.line} for ` +
                  `${describePattern(patternOf(rate))}`;
        problems.add(at, code, `${of} raised by ${percent}% is ${price}, which ${what}${others}`, {
            remedy: 'Prices are never rounded: give such rates a price of their own here.',
        });
    }
}

const isFine = (price: string) => (price.split('.')[1] ?? '').length > priceScale;
const isLarge = (price: string) =>
    (price.replace('-', '').split('.')[0] ?? '').length > wholeDigits;

function raisedRate(rate: CompiledRate, factor: Amount): Raised {
    const unit_price = formatAmount(multiply(parseAmount(rate.unit_price), factor));
    if (rate.terms === null) return { rate, made: { ...rate, unit_price }, prices: [unit_price] };
    const { terms, prices } = raiseTerms(readTerms(rate.terms), factor);
    return {
        rate,
        made: { ...rate, unit_price, terms: JSON.stringify(terms) },
        prices: [unit_price, ...prices],
    };
}
