import { type Amount, formatAmount, parseAmount } from '../money/amount.ts';
import { chargesAccounts } from '../schema/terms.ts';
import { formatInstant, type Instant, parseInstant } from '../time/instant.ts';
import {
    type CompiledRate,
    canonicalJson,
    type Pattern,
    type Place,
    rateId,
    sorted,
} from './card.ts';
import type { Problems } from './problems.ts';
import { compileTerms, defaultListPrice, type TermsText } from './terms.ts';

/** One rate as it was written, in the card or in a CSV file. */
export interface RateText {
    readonly when: Readonly<Record<string, string>>;
    /** Null for a model that has no one price. */
    readonly price: string | null;
    /** Stated instead of what follows from the terms. */
    readonly listPrice: string | null;
    readonly from: string;
    readonly to: string | null;
    readonly priority: string;
    readonly at: Place;
    readonly terms: TermsText;
}

/** What every rate of a charge takes from the card and the charge. */
export interface ChargeHead
    extends Pick<
        CompiledRate,
        'card' | 'card_version' | 'product' | 'description' | 'meter' | 'currency' | 'unit'
    > {
    /** The prices are for this many units. */
    readonly pricePer: bigint;
}

/** Decimals of a unit price, and the whole digits that leave room for an amount. */
export const priceScale = 12;
export const wholeDigits = 14;

/** Compiles one rate. Notes every problem of it; null when it has any. */
export function compileRate(
    text: RateText,
    head: ChargeHead,
    problems: Problems,
): CompiledRate | null {
    const before = problems.list.length;
    const pattern = readPattern(text, problems);
    const { model } = text.terms;
    const price = text.price === null ? null : readPrice(text, head.pricePer, problems);
    const { listPrice } = text;
    const terms = compileTerms(text.terms, { unitPrice: price, listPrice }, text.at, problems);
    const listed = terms ? (listPrice ?? defaultListPrice(terms)) : null;
    const unitPrice =
        listed === null
            ? price
            : readPrice({ ...text, price: listed }, 1n, problems, 'the list price');
    if (terms && chargesAccounts(terms)) requireAllUsage(text, pattern, problems);
    const from = readInstant('from', text.from, text.at, problems);
    const to = text.to === null ? null : readInstant('to', text.to, text.at, problems);
    const priority = readPriority(text, problems);
    if (problems.list.length > before || from === null || unitPrice === null) return null;
    const { pricePer: _, ...columns } = head;
    const mask = sorted(Object.keys(pattern));
    const rate = {
        ...columns,
        mask,
        match_key: canonicalJson(pattern),
        specificity: BigInt(mask.length),
        priority,
        effective_from: formatInstant(from),
        effective_to: to === null ? null : formatInstant(to),
        unit_price: unitPrice,
        model,
        terms: terms && JSON.stringify(terms),
        file: text.at.file,
        line: BigInt(text.at.line),
    };
    return { rate_id: rateId(rate, pattern), ...rate };
}

/** The attributes that are not wildcards. */
function readPattern({ when, at }: RateText, problems: Problems): Pattern {
    const pattern: Record<string, string> = {};
    for (const [name, value] of Object.entries(when)) {
        if (value === '*') continue;
        pattern[name] = value;
        if (value === '') {
            problems.add(at, 'EMPTY_ATTRIBUTE', `${name} is empty`, {
                remedy: 'Write the value it must have, or * for any value.',
            });
        } else if (value !== value.trim()) {
            problems.add(
                at,
                'BAD_VALUE',
                `${name} "${value}" begins or ends with a space, so no usage would match it`,
                { remedy: `Write "${value.trim()}".` },
            );
        } else if (value.includes('*')) {
            problems.add(
                at,
                'BAD_VALUE',
                `${name} "${value}" is not a pattern that can be matched`,
                {
                    remedy: 'A * stands for a whole value, alone. Write one rate per value.',
                },
            );
        }
    }
    return pattern;
}

/** What is charged to accounts, whether they used anything or not, can look at no attribute. */
function requireAllUsage({ at }: RateText, pattern: Pattern, problems: Problems): void {
    const [name] = Object.keys(pattern);
    if (name === undefined) return;
    problems.add(
        at,
        'ZERO_USAGE_PATTERN',
        `a flat fee, or one with charge_zero_usage, is charged without usage, which has no ${name}`,
        { remedy: 'Write `when: {}`.' },
    );
}

function readPrice(
    { price, at }: Pick<RateText, 'price' | 'at'>,
    pricePer: bigint,
    problems: Problems,
    what = 'price',
): string | null {
    const amount = decimalOf(price ?? '');
    if (!amount) {
        problems.add(at, 'BAD_PRICE', `${what} "${price}" is not a plain decimal`, {
            remedy: 'Write digits and one point, like 0.5: no thousands, currency or exponent.',
        });
        return null;
    }
    const divisor = pricePer * 10n ** BigInt(amount.scale);
    const scaled = amount.units * 10n ** BigInt(priceScale);
    const units = scaled / divisor;
    const per = pricePer === 1n ? 'a unit' : `${pricePer} units`;
    if (units * divisor !== scaled) {
        problems.add(
            at,
            'PRICE_TOO_FINE',
            `${what} ${price} for ${per} is not a whole number of 10^-${priceScale} per unit`,
            { remedy: 'Prices are never rounded: use fewer decimals, or another price_per.' },
        );
        return null;
    }
    if ((units < 0n ? -units : units) >= 10n ** BigInt(priceScale + wholeDigits)) {
        problems.add(
            at,
            'PRICE_TOO_LARGE',
            `${what} ${price} for ${per} is 10^${wholeDigits} or more`,
            {
                remedy: 'No amount can be that large: look for a slipped decimal point.',
            },
        );
        return null;
    }
    return formatAmount({ units, scale: priceScale });
}

/** Plain decimal text, or null. */
export function decimalOf(text: string): Amount | null {
    try {
        return parseAmount(text);
    } catch (error) {
        if (error instanceof RangeError) return null;
        throw error;
    }
}

// Outside of these an instant is a typing mistake, and the engine's calendar has its own ideas.
const earliest = parseInstant('1900-01-01T00:00:00Z');
const latest = parseInstant('9999-12-31T00:00:00Z');

/** An instant with a zone; anything else is noted and null. */
export function readInstant(
    what: string,
    text: string,
    at: Place,
    problems: Problems,
): Instant | null {
    try {
        const instant = parseInstant(text);
        if (instant >= earliest && instant <= latest) return instant;
        problems.add(at, 'BAD_INSTANT', `${what} ${text} is not between the years 1900 and 9999`, {
            remedy: 'Look at the year. A rate without an end has no "to".',
        });
    } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        problems.add(at, 'BAD_INSTANT', `${what} "${text}" is not an instant`, {
            remedy: 'Write day, time and zone: 2026-03-01T00:00:00Z.',
        });
    }
    return null;
}

function readPriority({ priority, at }: RateText, problems: Problems): bigint {
    if (/^-?\d{1,9}$/.test(priority)) return BigInt(priority);
    problems.add(at, 'BAD_PRIORITY', `priority "${priority}" is not a whole number`, {
        remedy: 'Write one like 10; the higher wins. Leave it empty for 0.',
    });
    return 0n;
}
