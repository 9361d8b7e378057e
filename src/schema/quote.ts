import { z } from 'zod';
import { strict } from './strict.ts';

/** Decimal text with at most 12 decimals; a JSON number is refused, whatever it is. */
const decimal = z.string().regex(/^-?\d+(\.\d{1,12})?$/, 'QUOTE_DECIMAL');
const positive = decimal.refine((text) => /[1-9]/.test(text) && !text.startsWith('-'), {
    error: 'QUOTE_DECIMAL',
});
const unsigned = decimal.refine((text) => !text.startsWith('-'), { error: 'QUOTE_DECIMAL' });
const instant = z.string();

/** Left out or null in the last one, which is open. */
const bound = <S extends z.ZodType>(of: S) => of.nullable().default(null as never);

// A price below zero would turn the sign of everything that is computed on sizes.
const tier = strict({
    up_to: bound(positive),
    unit_price: unsigned.optional(),
    flat_fee: unsigned.optional(),
    package_size: positive.optional(),
    package_price: unsigned.optional(),
});

const percentTier = strict({
    up_to: bound(positive),
    percent: unsigned,
    flat_fee: unsigned.optional(),
});

const step = strict({
    up_to: bound(z.union([positive, z.record(z.string(), positive)])),
    price: unsigned,
});

const modifiers = {
    unit_conversion: z
        .strictObject({
            divide_by: positive.optional(),
            multiply_by: positive.optional(),
            rounding: z.enum(['up', 'down', 'nearest', 'none']).default('none'),
            decimals: z
                .string()
                .regex(/^(\d|1[0-2])$/, 'QUOTE_DECIMAL')
                .default('0'),
        })
        .optional(),
    included: unsigned.optional(),
    included_mode: z.enum(['subtract', 'whole_once_exceeded']).default('subtract'),
    discounts: z
        .array(z.union([strict({ percent: unsigned }), strict({ amount: unsigned })]))
        .default([]),
    maximum: unsigned.optional(),
    minimum: unsigned.optional(),
    charge_zero_usage: z.boolean().default(false),
    negative: z.enum(['mirror', 'clamp']).default('mirror'),
    proration: z
        .union([
            unsigned,
            strict({
                from: instant,
                to: instant,
                period_start: instant,
                period_end: instant,
                unit: z.enum(['day', 'second']),
                zone: z.string().default('UTC'),
            }),
        ])
        .optional(),
    rounding: z
        .strictObject({
            mode: z.enum(['half_away', 'half_even']).default('half_away'),
            decimals: z
                .string()
                .regex(/^(\d|1[0-2])$/, 'QUOTE_DECIMAL')
                .optional(),
        })
        .optional(),
    tier_scope: z.enum(['line', 'account', 'pool']).default('line'),
};

const charge = z.discriminatedUnion('model', [
    strict({ model: z.literal('per_unit'), unit_price: unsigned, ...modifiers }),
    strict({ model: z.literal('graduated'), tiers: z.array(tier).min(1), ...modifiers }),
    strict({ model: z.literal('volume'), tiers: z.array(tier).min(1), ...modifiers }),
    strict({
        model: z.literal('package'),
        package_size: positive,
        package_price: unsigned,
        ...modifiers,
    }),
    strict({ model: z.literal('stairstep'), steps: z.array(step).min(1), ...modifiers }),
    strict({
        model: z.literal('percentage'),
        percent: unsigned,
        fixed_fee_per_event: unsigned.optional(),
        free_events: z
            .string()
            .regex(/^\d{1,9}$/, 'QUOTE_DECIMAL')
            .optional(),
        free_amount: unsigned.optional(),
        min_per_event: unsigned.optional(),
        max_per_event: unsigned.optional(),
        ...modifiers,
    }),
    strict({
        model: z.literal('graduated_percentage'),
        tiers: z.array(percentTier).min(1),
        ...modifiers,
    }),
    strict({
        model: z.literal('dynamic'),
        markup_percent: decimal.default('0'),
        ...modifiers,
    }),
    strict({ model: z.literal('flat'), fee: unsigned, ...modifiers }),
]);

const window = z.enum(['minute', 'hour', 'day', 'month']);

/**
 * What events come to. `src/compile/aggregation.ts` says what each aggregation means; here
 *
 * | what | how |
 * |---|---|
 * | window | the aggregation within each window, then the sum; not of a level |
 * | values | levels or deltas, of weighted_sum, min, max and latest only |
 * | opening | the level at period_start, of weighted_sum and of deltas only |
 * | no period | all events; a level begins before the first, at the opening or at zero |
 * | an event without the field | QUOTE_EVENT, unless optional; null says that there is no value |
 * | what would do nothing | QUOTE_MODIFIER |
 */
const meter = strict({
    aggregation: z.enum([
        ...(['sum', 'count', 'unique_count', 'min', 'max'] as const),
        ...(['latest', 'average', 'percentile', 'weighted_sum'] as const),
    ]),
    field: z.string().default('value'),
    optional: z.boolean().optional(),
    filter: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
    window: z.union([window, strict({ unit: window, zone: z.string().default('UTC') })]).optional(),
    percentile: unsigned.optional(),
    values: z.enum(['levels', 'deltas']).optional(),
    opening: decimal.optional(),
    operation_field: z.string().optional(),
    period_start: instant.optional(),
    period_end: instant.optional(),
});

/** One event of a quote: its instant, id and value, and whatever else a filter looks at. */
const event = z.record(z.string(), z.union([z.string(), z.null()]));

/**
 * What the customer promised to use, and what happens above it and below it. `amount` is money, as
 * the charge is; `quantity` is in units of the quantity of the line, before any conversion.
 */
const commitment = strict({
    amount: unsigned.optional(),
    quantity: unsigned.optional(),
    /** Quantities of the windows in which it is counted: each is priced on its own. */
    window_quantities: z.array(decimal).min(1).optional(),
    /** Times the price that the part above has anyway; 1 when neither is given. */
    overage_factor: unsigned.optional(),
    overage_unit_price: unsigned.optional(),
    /** At the end of each window, once at the end of all, or never. */
    true_up: z.enum(['window', 'cumulative', 'none']).default('window'),
});

/** What a line may draw: money, or units of its quantity. */
const grant = strict({
    id: z.string(),
    amount: unsigned.optional(),
    quantity: unsigned.optional(),
    asset: z.string().optional(),
    /** Lower draws first. It ranks, it is no amount: a JSON integer will do. */
    priority: z
        .union([z.string().regex(/^-?\d{1,15}$/, 'QUOTE_DECIMAL'), z.int().transform(String)])
        .default('0'),
    is_rollover: z.boolean().default(false),
    cost_basis: unsigned.default('0'),
    /** Products it is for; none means all. */
    scope: z.array(z.string()).default([]),
    starts_at: instant.nullable().optional(),
    expires_at: instant.nullable().optional(),
});

/** One line of `tieout quote --file`. Unknown keys are refused. */
export const quoteLine = strict({
    id: z.string(),
    charge,
    quantity: z.union([decimal, z.record(z.string(), decimal)]).optional(),
    groups: z.record(z.string(), decimal).optional(),
    meter: meter.optional(),
    events: z.array(event).optional(),
    previously_billed: strict({ quantity: decimal, amount: decimal }).optional(),
    commitment: commitment.optional(),
    grants: z.array(grant).optional(),
    /** What the charge is for, and when: what grants look at. Left out, no grant is out of reach. */
    product: z.string().optional(),
    at: instant.optional(),
    currency: z.string(),
});

export type QuoteLine = z.infer<typeof quoteLine>;
export type QuoteCharge = QuoteLine['charge'];
export type QuoteMeter = z.infer<typeof meter>;
export type QuoteEvent = z.infer<typeof event>;
export type QuoteCommitment = z.infer<typeof commitment>;
export type QuoteGrant = z.infer<typeof grant>;
