/**
 * Currencies whose minor unit is no hundredth to Stripe (docs.stripe.com/currencies). It is not always
 * ISO 4217: MGA has no decimals here, and UGX and ISK keep two for old integrations' sake.
 */
export const stripeExponents: Readonly<Record<string, number>> = Object.fromEntries([
    ...'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'
        .split(' ')
        .map((currency) => [currency, 0] as const),
    ...'BHD JOD KWD OMR TND'.split(' ').map((currency) => [currency, 3] as const),
]);

/** Decimals of all others. */
export const stripeExponent = 2;
