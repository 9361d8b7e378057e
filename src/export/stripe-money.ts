import { type Amount, parseAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import { stripeExponent, stripeExponents } from '../money/stripe.ts';

/** They keep two decimals for old integrations' sake, and both must be 00. */
const WHOLE_AS_TWO_DECIMAL = new Set('ISK UGX'.split(' '));

export type StripeAmount =
    | { readonly amount: bigint }
    | {
          readonly code: 'STRIPE_CURRENCY_UNKNOWN' | 'STRIPE_AMOUNT_NOT_REPRESENTABLE';
          readonly message: string;
      };

/**
 * A decimal amount as the integer Stripe takes for it, or why there is none. The amount is never
 * changed to fit: one that Stripe cannot carry is for a person to decide.
 * @param text decimal text, already rounded to the currency.
 * @param currency ISO 4217, upper case.
 */
export function stripeAmount(text: string, currency: string): StripeAmount {
    if (currencyExponent(currency) === undefined) {
        return {
            code: 'STRIPE_CURRENCY_UNKNOWN',
            message: `${currency} is not an ISO 4217 currency`,
        };
    }
    const exponent = exponentOf(currency);
    // Of the three digits of a three-decimal currency the last must be 0.
    const step = exponent === 3 ? 10n : WHOLE_AS_TWO_DECIMAL.has(currency) ? 100n : 1n;
    const { units, scale } = parseAmount(text);
    const scaled = units * 10n ** BigInt(exponent);
    const divisor = 10n ** BigInt(scale);
    if (scaled % (divisor * step) !== 0n) {
        return {
            code: 'STRIPE_AMOUNT_NOT_REPRESENTABLE',
            message: `${text} ${currency}: Stripe takes ${exponent} decimals in steps of ${step}`,
        };
    }
    return { amount: scaled / divisor };
}

/** What Stripe's integer of minor units is in the currency. */
export function stripeDecimal(minor: bigint, currency: string): Amount {
    return { units: minor, scale: exponentOf(currency) };
}

const exponentOf = (currency: string) => stripeExponents[currency] ?? stripeExponent;
