import { z } from 'zod';
import type { QuoteCharge } from './quote.ts';
import { strict } from './strict.ts';
import { choice, positive, text, unsigned } from './written.ts';

/**
 * The terms of a charge on a rate card: the parameters of its model and its modifiers, by the names
 * that `tieout quote` has for them. They may stand on the charge, for all of its rates, or on a rate.
 */

const upTo = positive('up_to')
    .nullable()
    .default(null)
    .describe('Inclusive bound; left out (or null) in the last one, which is open.');

const tiers = z.array(
    strict({
        up_to: upTo,
        unit_price: unsigned('unit_price').optional().describe('Price of one unit in the tier.'),
        flat_fee: unsigned('flat_fee').optional().describe('Once the tier is entered.'),
        package_size: positive('package_size').optional().describe('Units of a package.'),
        package_price: unsigned('package_price').optional().describe('Price of a package begun.'),
    }),
);

const percentTiers = z.array(
    strict({
        up_to: upTo,
        percent: unsigned('percent').describe('Of the slice in the tier.'),
        flat_fee: unsigned('flat_fee').optional().describe('Once the tier is entered.'),
    }),
);

const steps = z.array(strict({ up_to: upTo, price: unsigned('price').describe('Of the step.') }));

/** Model to its parameters. Which of them a rate must have, once joined, is for src/rules. */
export const modelParameters = {
    graduated: { tiers: tiers.optional().describe('Each slice at the price of its own tier.') },
    volume: { tiers: tiers.optional().describe('All of it at the price of one tier.') },
    package: {
        package_size: positive('package_size').optional().describe('Units of a package.'),
        package_price: unsigned('package_price').optional().describe('Price of a package begun.'),
    },
    stairstep: { steps: steps.optional().describe('The price of the step it falls in.') },
    percentage: {
        percent: unsigned('percent').optional().describe('Of the metered amount.'),
        fixed_fee_per_event: unsigned('fixed_fee_per_event').optional(),
        free_events: text('free_events')
            .regex(/^\d{1,9}$/, 'free_events must be a whole number, like "10"')
            .optional(),
        free_amount: unsigned('free_amount').optional(),
        min_per_event: unsigned('min_per_event').optional(),
        max_per_event: unsigned('max_per_event').optional(),
    },
    graduated_percentage: {
        tiers: percentTiers.optional().describe('Each slice at the percent of its own tier.'),
    },
    dynamic: {
        markup_percent: unsigned('markup_percent')
            .optional()
            .describe('Added to the metered amount.'),
    },
    flat: {
        fee: unsigned('fee').optional().describe('For the period.'),
        bill: choice('bill', ['arrears', 'advance'])
            .optional()
            .describe('advance: the fee of the next period.'),
    },
} as const;

export type ChargeModel = keyof typeof modelParameters | 'per_unit';
export const chargeModels = ['per_unit', ...Object.keys(modelParameters)] as const;

export const tierScopes = ['line', 'account', 'pool', 'contract_term'] as const;

const wholeText = (what: string) =>
    text(what).regex(/^(\d|1[0-2])$/, `${what} must be a whole number from "0" to "12"`);

/** What any model may be changed by, in the order in which it applies. */
export const modifiers = {
    unit_conversion: strict({
        divide_by: positive('divide_by').optional(),
        multiply_by: positive('multiply_by').optional(),
        rounding: choice('rounding', ['up', 'down', 'nearest', 'none']).optional(),
        decimals: wholeText('decimals').optional(),
    })
        .optional()
        .describe('From units of the meter to units of the prices.'),
    included: unsigned('included').optional().describe('Quantity that costs nothing.'),
    included_mode: choice('included_mode', ['subtract', 'whole_once_exceeded'])
        .optional()
        .describe('Whether only what is above it is charged, or all once it is exceeded.'),
    discounts: z
        .array(
            strict({
                percent: unsigned('percent').optional(),
                amount: unsigned('amount').optional(),
            }),
        )
        .optional()
        .describe('In order, each of what the one before it left: a percent or an amount.'),
    maximum: unsigned('maximum').optional().describe('The most that the charge comes to.'),
    minimum: unsigned('minimum').optional().describe('The least; it wins over the maximum.'),
    charge_zero_usage: z
        .boolean({ error: 'charge_zero_usage is true or false, without quotes' })
        .optional()
        .describe('Charged to every active account, whether it used anything or not.'),
    negative: choice('negative', ['mirror', 'clamp'])
        .optional()
        .describe('What a quantity below zero is: minus its size, or nothing.'),
    proration: strict({
        unit: choice('unit', ['day', 'second']).describe(
            'What the share of a period is counted in.',
        ),
    })
        .optional()
        .describe('Fees, minimum and maximum for the part of the period that the rate held.'),
    rounding: strict({
        mode: choice('mode', ['half_away', 'half_even']).describe('Of halves, at the line.'),
    })
        .optional()
        .describe('How the line is rounded.'),
    tier_scope: z
        .enum(tierScopes, {
            error: ({ input }) =>
                `tier_scope: ${JSON.stringify(input)} is not line, account, pool or contract_term`,
        })
        .optional()
        .describe(
            'What is counted together: a line, an account, all accounts of a payer, or these over the whole term of their contract.',
        ),
} as const;

export const modifierNames = Object.keys(modifiers);

/** What a rate of any model may say beside its terms. */
export const listPrice = unsigned('list_price')
    .optional()
    .describe('What the wallet layer takes for one unit before the total of the period is known.');

type InQuote<C> = C extends unknown ? Omit<C, 'proration' | 'tier_scope'> : never;

/** What makes an amount of a quantity: a charge as a quote has it, and what only a card can say. */
export type Terms = InQuote<QuoteCharge> & {
    readonly tier_scope: (typeof tierScopes)[number];
    readonly proration?: { readonly unit: 'day' | 'second' };
    readonly bill?: 'arrears' | 'advance';
};

/** Terms as rules.rates keeps them. */
export function readTerms(text: string): Terms {
    return JSON.parse(text) as Terms;
}

/** The charge of terms, as the pricing stage takes it: without what depends on the period. */
export function chargeOf({ proration: _, bill: __, ...charge }: Terms): QuoteCharge {
    // What is counted together is for the stage: a charge by itself prices one quantity.
    const { tier_scope } = charge;
    return {
        ...charge,
        tier_scope: tier_scope === 'contract_term' ? 'line' : tier_scope,
    } as QuoteCharge;
}

/** Whether the tiers of a rate count over the term of a contract. */
export function countsOverTerm(terms: string | null): boolean {
    return terms !== null && readTerms(terms).tier_scope === 'contract_term';
}

/** Parts of a percentage that look at each event. */
export const eventParts = [
    ...['fixed_fee_per_event', 'free_events', 'free_amount', 'min_per_event', 'max_per_event'],
];

/** Whether the price of an amount depends on the events it is made of. */
export function isByEvent(terms: Terms): boolean {
    if (terms.model !== 'percentage') return false;
    const parts = terms as Readonly<Record<string, unknown>>;
    const isOfTotal = terms.unit_conversion !== undefined || terms.included !== undefined;
    return (
        eventParts.some((name) => parts[name] !== undefined) ||
        (terms.negative === 'clamp' && !isOfTotal)
    );
}

/** Whether a rate is charged to accounts, whether they used anything or not. */
export function chargesAccounts(terms: Terms): boolean {
    return terms.model === 'flat' || terms.charge_zero_usage;
}
