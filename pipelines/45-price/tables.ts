import {
    amount,
    bigint,
    boolean,
    defineTable,
    exactAmount,
    hugeint,
    nullable,
    quantity,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';

/**
 * Money and quantities are whole numbers here, in units that each line chooses so that nothing it
 * computes has to be rounded: quantities in 10^-n, amounts in 10^-m of 1/d, where d is what fees are
 * prorated by. `src/quote/units.ts` chooses them; only the last step divides.
 */
const lineId = { line_id: varchar('Line that is priced.') };

/** How a quantity becomes an amount, of a line or of a rate. */
const chargeColumns = {
    kind: varchar('slices, whole, steps, amount, events or flat: how tiers apply.'),
    is_clamped: boolean('A negative quantity counts as zero, not as minus its size.'),
    conversion_factor: hugeint('Quantity x factor // divisor x step is the converted quantity.'),
    conversion_divisor: hugeint('See conversion_factor.'),
    conversion_step: hugeint('See conversion_factor.'),
    conversion_rounding: varchar('up, down or nearest, at the division.'),
    included: hugeint('Quantity that costs nothing.'),
    is_included_whole: boolean('Once more than that is used, all of it is charged.'),
    is_zero_charged: boolean('Zero usage enters the first tier.'),
    free_events: nullable(hugeint('Events that cost nothing, where limited.')),
    free_amount: nullable(hugeint('Amount of events that costs nothing, where limited.')),
    fixed_fee: hugeint('Per event.'),
    event_minimum: nullable(hugeint('Per event.')),
    event_maximum: nullable(hugeint('Per event.')),
    maximum: nullable(hugeint('Of the amount, after discounts.')),
    minimum: nullable(hugeint('Of the amount, after the maximum.')),
    rounding_divisor: hugeint('Amount over this is the amount in its last decimal.'),
    rounding_mode: varchar('half_away or half_even.'),
};
const tierColumns = {
    tier_no: bigint('From 1.'),
    from_quantity: hugeint('Exclusive.'),
    to_quantity: nullable(hugeint('Inclusive; null when open.')),
    unit_price: hugeint('Per unit of quantity.'),
    flat_fee: hugeint('Once the tier is entered.'),
    package_size: nullable(hugeint('Quantity of a package.')),
    package_price: nullable(hugeint('Price of a package begun.')),
};
const discountColumns = {
    position: bigint('From 1.'),
    factor: hugeint('What is left of a percent discount, in the units of the next step.'),
    subtrahend: hugeint('A fixed discount, in those units.'),
};

export const charges = defineTable('pricing.charges', {
    comment: 'One row per line: how its quantity becomes an amount.',
    grain: ['line_id'],
    columns: { ...lineId, ...chargeColumns },
});

export const tiers = defineTable('pricing.tiers', {
    comment: 'One row per tier of a line; a model without tiers has one.',
    grain: ['line_id', 'tier_no'],
    columns: { ...lineId, ...tierColumns },
});

export const stepBounds = defineTable('pricing.step_bounds', {
    comment: 'One row per bounded dimension of a step.',
    grain: ['line_id', 'tier_no', 'dimension'],
    columns: {
        ...lineId,
        tier_no: bigint('Step.'),
        dimension: varchar('What is counted.'),
        to_quantity: hugeint('Inclusive.'),
    },
});

export const discounts = defineTable('pricing.discounts', {
    comment:
        'One row per discount of a line, in order: amount x factor - subtrahend, never below 0.',
    grain: ['line_id', 'position'],
    columns: { ...lineId, ...discountColumns },
});

export const usages = defineTable('pricing.usages', {
    comment: 'One row per line and group: the quantity to price.',
    grain: ['line_id', 'group_id'],
    columns: {
        ...lineId,
        group_id: varchar('Group; empty when there is one.'),
        quantity: hugeint('Before conversion.'),
    },
});

export const dimensionUsages = defineTable('pricing.dimension_usages', {
    comment: 'One row per dimension of a quantity that has several.',
    grain: ['line_id', 'dimension'],
    columns: { ...lineId, dimension: varchar('Dimension.'), quantity: hugeint('Quantity.') },
});

export const events = defineTable('pricing.events', {
    comment: 'One row per event of a line that is priced by event.',
    grain: ['line_id', 'group_id', 'event_no'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        event_no: bigint('Order: by instant, id and place.'),
        value: hugeint('Amount of the event.'),
    },
});

export const quantities = defineTable('pricing.quantities', {
    comment: 'One row per line and group: the quantity that reaches the charge model.',
    grain: ['line_id', 'group_id'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        sign: hugeint('1, or -1 for a quantity below zero.'),
        quantity: hugeint('Size, converted, less what is included.'),
    },
});

export const eventFees = defineTable('pricing.event_fees', {
    comment: 'One row per event: the part that pays, and its fee.',
    grain: ['line_id', 'group_id', 'event_no'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        event_no: bigint('Event.'),
        paid: hugeint('Part of its value that pays, with its sign.'),
        fixed_fee: hugeint('With its sign.'),
        fee: hugeint('With its sign.'),
    },
});

export const tierAmounts = defineTable('pricing.tier_amounts', {
    comment: 'One row per line, group and tier entered: its quantity and amount.',
    grain: ['line_id', 'group_id', 'tier_no'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        tier_no: bigint('Tier.'),
        quantity: hugeint('Slice in the tier.'),
        flat_fee: hugeint('Fee that does not depend on the quantity.'),
        amount: hugeint('Amount of the tier.'),
    },
});

export const discounted = defineTable('pricing.discounted', {
    comment: 'One row per line and group: what the model gives, after discounts.',
    grain: ['line_id', 'group_id'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        sign: hugeint('1 or -1.'),
        amount: hugeint('Size, in the units of the end.'),
    },
});

export const amounts = defineTable('pricing.amounts', {
    comment: 'One row per line and group: the exact amount, and the same rounded once.',
    grain: ['line_id', 'group_id'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        exact: hugeint('Amount in the units of the line.'),
        rounded: hugeint('Amount in its last decimal.'),
    },
});

/** What follows is of a run, where a rate card says how usage is priced. */
const rateId = { rate_id: varchar('Rate.') };

export const terms = defineTable('rules.terms', {
    comment: 'One row per rate that is more than a price of one unit.',
    grain: ['rate_id'],
    columns: {
        ...rateId,
        model: varchar('Charge model.'),
        tier_scope: varchar('line, account, pool or contract_term: what is priced together.'),
        is_for_accounts: boolean('Charged to accounts, whether they used anything or not.'),
        is_for_all: boolean('Of those, to all that are active; else to those with usage.'),
        is_in_advance: boolean('A fee of the next period.'),
        is_by_event: boolean('Looks at each event.'),
        proration_unit: nullable(varchar('day or second; null without proration.')),
    },
});

const rateUnits = {
    ...rateId,
    quantity_scale: bigint('Decimals of the usage these units are for: 0, 6 or 12.'),
};

export const rateCharges = defineTable('rules.charges', {
    comment:
        'One row per rate with terms and scale of usage: the charge of a line, before proration.',
    grain: ['rate_id', 'quantity_scale'],
    columns: {
        ...rateUnits,
        ...chargeColumns,
        decimals: bigint('Decimals that a line is rounded to.'),
        tier_scale: bigint('Quantities of tiers are in 10 to minus this.'),
        amount_scale: bigint('Amounts of tiers are.'),
        quantity_limit: hugeint('Above this a whole number of 38 digits may not do.'),
    },
});

export const rateTiers = defineTable('rules.charge_tiers', {
    comment: 'One row per tier of such a charge.',
    grain: ['rate_id', 'quantity_scale', 'tier_no'],
    columns: {
        ...rateUnits,
        ...tierColumns,
        written_price: nullable(exactAmount('Price of one unit, where the tier has one.')),
    },
});

export const rateDiscounts = defineTable('rules.charge_discounts', {
    comment: 'One row per discount of such a charge.',
    grain: ['rate_id', 'quantity_scale', 'position'],
    columns: { ...rateUnits, ...discountColumns },
});

/** Filled from the contracts: a book that counts over a term is of one contract. */
export const bookContracts = defineTable('rules.book_contracts', {
    comment: 'One row per book with a rate that counts over the term of a contract.',
    grain: ['book_id'],
    columns: { book_id: varchar('The book.'), contract_id: varchar('Its contract.') },
});

/** Filled from the openings file of the config. */
export const openings = defineTable('rules.openings', {
    comment: 'One row per contract, product and meter: what its term counted before the period.',
    grain: ['contract_id', 'product', 'meter'],
    columns: {
        contract_id: varchar('Contract.'),
        product: varchar('Product of the charge.'),
        meter: varchar('Meter.'),
        quantity: quantity('Used before the period, in units of the meter.'),
    },
});

/** Compiled from the meters that are priced by event; empty when none is. */
export const pricedEvents = defineTable('compiled.priced_events', {
    comment: 'One row per event and token class of the meters that a rate prices event by event.',
    grain: ['meter', 'source', 'event_id', 'attributes'],
    storage: 'view',
    columns: {
        meter: varchar('Meter.'),
        source: varchar('Producer.'),
        event_id: varchar('Event.'),
        event_at: timestamp('When.'),
        account_id: varchar('Account that used.'),
        payer_id: varchar('Account that pays.'),
        pool_id: varchar('As metered.'),
        currency: varchar('Currency of the payer.'),
        book_id: varchar('As metered.'),
        channel_id: varchar('As metered.'),
        attributes: varchar('As metered.'),
        segment_at: timestamp('As metered.'),
        value: quantity('What it adds to the meter.'),
    },
});

export const payerPeriods = defineTable('pricing.payers', {
    comment: 'One row per payer: its period and the next one.',
    grain: ['payer_id'],
    columns: {
        payer_id: varchar('Account that pays.'),
        currency: varchar('ISO 4217.'),
        time_zone: varchar('Zone its period is counted in.'),
        period_start: timestamp('First instant of the period.'),
        period_end: timestamp('First instant after it.'),
        next_end: timestamp('First instant after the next one.'),
    },
});

export const accountRates = defineTable('pricing.account_rates', {
    comment: 'One row per rate that is charged to accounts, used or not, and account it holds for.',
    grain: ['rate_id', 'payer_id', 'pool_id', 'account_id'],
    columns: {
        ...rateId,
        payer_id: varchar('Account that pays.'),
        pool_id: varchar('Pool it counts in; empty unless its rate counts by one.'),
        account_id: varchar('Account that is charged.'),
        model: varchar('Charge model.'),
        tier_scope: varchar('line, account or pool.'),
        currency: varchar('ISO 4217, of the rate.'),
        is_foreign: boolean('Whether that is not the currency of the payer.'),
    },
});

export const unpricedFees = defineTable('suspense.unpriced_fees', {
    comment: 'One row per such rate and account whose payer pays in another currency: not charged.',
    grain: ['rate_id', 'payer_id', 'pool_id', 'account_id'],
    columns: {
        ...rateId,
        payer_id: varchar('Account that pays.'),
        pool_id: varchar('Pool it counts in; empty unless its rate counts by one.'),
        account_id: varchar('Account that is not charged.'),
        product: varchar('Product.'),
        meter: varchar('Meter.'),
        unit: varchar('Unit.'),
        currency: varchar('ISO 4217, of the rate.'),
        code: varchar('RATE_CURRENCY or CONVERSION_MISSING.'),
        evidence: nullable(varchar('Of a conversion, why it is missing.')),
    },
});

const member = {
    ...lineId,
    ...rateId,
    payer_id: varchar('Account that pays.'),
    pool_id: varchar('Pool or contract it counts in; empty unless its rate counts by one.'),
    account_id: varchar('Account that used; the payer, for a fee that all share.'),
    attributes: varchar('Attributes as metered; {} for a fee.'),
    quantity: quantity('Its usage; 1 of a flat fee.'),
    event_count: bigint('Events behind it.'),
};

export const members = defineTable('pricing.members', {
    comment: 'One row per line and what is priced in it: usage of an account with its attributes.',
    grain: ['line_id', 'account_id', 'attributes'],
    columns: { ...member, listed: exactAmount('Quantity x list price.') },
});

export const lines = defineTable('pricing.lines', {
    comment: 'One row per line: usage that is priced together, and for which part of the period.',
    grain: ['line_id'],
    columns: {
        ...lineId,
        ...rateId,
        payer_id: varchar('Account that pays.'),
        account_id: nullable(varchar('Account that used; null where all of a payer count.')),
        currency: varchar('ISO 4217.'),
        quantity: quantity('Sum of its members.'),
        opening: nullable(quantity('Used before in the term of its contract; null elsewhere.')),
        quantity_scale: bigint('Decimals in which its usage is a whole number.'),
        numerator: hugeint('Share of the period that fees are charged for.'),
        denominator: hugeint('Of this.'),
        service_start: timestamp('From here the rate was in force for it.'),
        service_end: timestamp('To here.'),
    },
});

export const lineAmounts = defineTable('pricing.line_amounts', {
    comment: 'One row per line: its amount in money.',
    grain: ['line_id'],
    totals: { amount: 'amount' },
    columns: {
        ...lineId,
        payer_id: varchar('Account that pays.'),
        currency: varchar('ISO 4217.'),
        amount: exactAmount('Exact; cut at the 24th decimal where a proration has no end.'),
        units: hugeint('The same as a whole number.'),
        rounded_units: hugeint('Rounded once, in its last decimal.'),
        decimals: bigint('Decimals of that.'),
    },
});

export const shares = defineTable('pricing.shares', {
    comment: 'One row per member of a line: its part of the amount.',
    grain: ['line_id', 'account_id', 'attributes'],
    totals: { quantity: 'quantity', amount: 'amount' },
    columns: {
        ...member,
        amount: exactAmount('Its part of the exact amount.'),
        rounded: amount('Its part of the rounded amount.'),
        rounded_units: hugeint('The same in the last decimal of the line.'),
        repriced: exactAmount('What the terms changed: amount - quantity x list price.'),
    },
});
