import {
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
    grain: ['payer_id', 'account_id', 'product', 'meter', 'attributes', 'rate_id'],
    totals: { quantity: 'quantity', amount: 'amount' },
    columns: {
        payer_id: varchar('Account that pays.'),
        account_id: varchar('Account that used.'),
        product: varchar('Product.'),
        meter: varchar('Meter.'),
        attributes: varchar('Attributes that selected the rate.'),
        rate_id: varchar('Rate.'),
        unit: varchar('Unit.'),
        unit_price: quantity('Price of one unit.'),
        quantity: quantity('Quantity over the period.'),
        event_count: bigint('Events behind it.'),
        amount: exactAmount('Unrounded.'),
        currency: varchar('ISO 4217.'),
        service_start: timestamp('From here the rate was in force, within the period.'),
        service_end: timestamp('To here.'),
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
