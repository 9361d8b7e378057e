import {
    amount,
    bigint,
    defineTable,
    exactAmount,
    nullable,
    quantity,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';

export const charges = defineTable('rolled.charges', {
    comment: 'One row per payer, using account, product, attributes and rate over the period.',
    grain: ['payer_id', 'account_id', 'pool_id', 'product', 'meter', 'attributes', 'rate_id'],
    totals: { quantity: 'quantity', amount: 'amount' },
    columns: {
        payer_id: varchar('Account that pays.'),
        account_id: varchar('Account that used.'),
        pool_id: varchar('Pool or contract it counts in; empty unless its rate counts by one.'),
        product: varchar('Product.'),
        meter: varchar('Meter.'),
        attributes: varchar('Attributes that selected the rate.'),
        rate_id: varchar('Rate.'),
        unit: varchar('Unit.'),
        unit_price: quantity('Price of one unit; where terms price it, the list price.'),
        quantity: quantity('Quantity over the period.'),
        event_count: bigint('Events behind it.'),
        amount: exactAmount('Unrounded.'),
        currency: varchar('ISO 4217.'),
        service_start: timestamp('From here the rate was in force, within the period.'),
        service_end: timestamp('To here.'),
        line_id: nullable(varchar('What it was priced with; null for a bare price of one unit.')),
        rounded: nullable(amount('Its part of what that rounds to; null likewise.')),
        repriced: nullable(exactAmount('amount - quantity x list price; null likewise.')),
    },
});

export const chargeTiers = defineTable('rolled.charge_tiers', {
    comment: 'One row per line priced by terms and tier it entered.',
    grain: ['line_id', 'tier_no'],
    columns: {
        line_id: varchar('What was priced together: line_id of rolled.charges.'),
        tier_no: bigint('From 1.'),
        payer_id: varchar('Account that pays.'),
        account_id: nullable(varchar('Account that used; null where all of a payer count.')),
        rate_id: varchar('Rate.'),
        from_quantity: quantity('Exclusive.'),
        to_quantity: nullable(quantity('Inclusive; null when open.')),
        quantity: quantity('Slice in the tier.'),
        unit_price: nullable(exactAmount('Price of one unit, where the tier has one.')),
        flat_fee: exactAmount('Fees of the tier, or of its events.'),
        amount: exactAmount('Amount of the tier.'),
    },
});

export const payers = defineTable('rolled.payers', {
    comment: 'One row per payer that anything of this period belongs to.',
    grain: ['payer_id'],
    totals: { amount: 'amount' },
    columns: {
        payer_id: varchar('Account that pays.'),
        payer_name: varchar('Its name.'),
        currency: varchar('ISO 4217.'),
        time_zone: varchar('Zone its period is counted in.'),
        period_start: timestamp('First instant of the period.'),
        period_end: timestamp('First instant after it.'),
        amount: exactAmount('Sum of its charges, unrounded.'),
        path_count: nullable(bigint('Accounts it pays for.')),
    },
});
