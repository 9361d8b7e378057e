import { parseAmount } from '../money/amount.ts';
import type { QuoteCharge } from '../schema/quote.ts';
import { civilDay, dayNumber } from '../time/civil.ts';
import { parseInstant } from '../time/instant.ts';
import { isZone } from '../time/zone.ts';
import { QuoteError } from './error.ts';

/** A share of a period, not reduced to decimals: 10 of 31 days is exactly that. */
export interface Fraction {
    readonly numerator: bigint;
    readonly denominator: bigint;
}

/**
 * The share of a period that fees are charged for: a decimal, or the days or the time of a span.
 * Days are civil dates in a zone, so that parts of a period add up whatever the clock does.
 * @throws QuoteError QUOTE_SPAN
 */
export function prorated(of: QuoteCharge['proration']): Fraction {
    if (of === undefined) return { numerator: 1n, denominator: 1n };
    if (typeof of === 'string') {
        const { units, scale } = parseAmount(of);
        const denominator = 10n ** BigInt(scale);
        if (units > denominator) throw new QuoteError('QUOTE_SPAN', `proration ${of} is above 1`);
        return reduced({ numerator: units, denominator });
    }
    if (!isZone(of.zone)) throw new QuoteError('QUOTE_SPAN', `${of.zone} is not a time zone`);
    const read = of.unit === 'day' ? dayOf : instantOf;
    const [from, to, start, end] = [of.from, of.to, of.period_start, of.period_end].map((text) =>
        read(text, of.zone),
    ) as [bigint, bigint, bigint, bigint];
    if (end <= start || instantOf(of.to, of.zone) < instantOf(of.from, of.zone)) {
        throw new QuoteError('QUOTE_SPAN', 'a span ends after it begins, and so does its period');
    }
    const within = (at: bigint) => (at < start ? start : at > end ? end : at);
    return reduced({ numerator: within(to) - within(from), denominator: end - start });
}

/** In lowest terms: 20 of 30 days takes no more digits than 2 of 3. */
function reduced({ numerator, denominator }: Fraction): Fraction {
    const common = greatestCommonDivisor(numerator, denominator);
    return { numerator: numerator / common, denominator: denominator / common };
}

export function greatestCommonDivisor(one: bigint, other: bigint): bigint {
    return other === 0n ? one : greatestCommonDivisor(other, one % other);
}

const day = /^\d{4}-\d{2}-\d{2}$/;

/** Days since 1970 of the civil date on which an instant falls in a zone, or of a date itself. */
function dayOf(text: string, zone: string): bigint {
    return dayNumber(day.test(text) ? text : civilDay(instantOf(text, zone), zone));
}

function instantOf(text: string, zone: string): bigint {
    try {
        return day.test(text) ? startOf(text, zone) : parseInstant(text);
    } catch {
        throw new QuoteError('QUOTE_SPAN', `${text} is not an instant with a zone, nor a date`);
    }
}

/** The first instant of a civil date: found by looking back from its noon. */
function startOf(date: string, zone: string): bigint {
    const noon = parseInstant(`${date}T12:00:00Z`);
    // A zone is at most 14 hours from UTC: the day begins within a day and a half around its noon.
    let low = noon - 129_600_000_000n;
    let high = noon + 129_600_000_000n;
    while (high - low > 1n) {
        const middle = low + (high - low) / 2n;
        if (civilDay(middle, zone) < date) low = middle;
        else high = middle;
    }
    return high;
}
