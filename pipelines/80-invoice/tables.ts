import {
    amount,
    bigint,
    defineTable,
    exactAmount,
    hugeint,
    quantity,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';

/** Filled from the currency list: the exponent that a line is rounded to. */
export const currencies = defineTable('rules.currencies', {
    comment: 'One row per currency of a payer.',
    grain: ['currency'],
    columns: {
        currency: varchar('ISO 4217.'),
        exponent: bigint('Decimals of the minor unit.'),
    },
});

export const lineAccounts = defineTable('invoice.line_accounts', {
    comment: 'One row per payer and account: in whose lines it is shown.',
    grain: ['payer_id', 'account_id'],
    columns: {
        payer_id: varchar('Account that pays.'),
        account_id: varchar('Account that used.'),
        line_account_id: varchar('Itself, or an account above it that sums it up.'),
    },
});

export const lineItems = defineTable('invoice.line_items', {
    comment: 'One row per invoice line.',
    grain: ['line_key'],
    totals: { quantity: 'quantity', amount: 'amount_exact' },
    columns: {
        line_key: varchar('sha256 of what the line is: the same in every run.'),
        invoice_key: varchar('payer_id, period and currency.'),
        line_type: varchar('usage.'),
        payer_id: varchar('Account that pays.'),
        payer_name: varchar('Its name.'),
        account_id: varchar('Account that used, or that sums up those below it.'),
        account_name: varchar('Its name.'),
        product: varchar('Product.'),
        meter: varchar('Meter.'),
        attributes: varchar('Canonical JSON of the attributes that selected the rate.'),
        description: varchar('What the customer reads.'),
        period_start: timestamp('Billing period.'),
        period_end: timestamp('First instant after it.'),
        service_start: timestamp('The part of it this rate was in force for.'),
        service_end: timestamp('First instant after that.'),
        time_zone: varchar('Zone of the payer.'),
        quantity: quantity('Quantity.'),
        unit: varchar('Unit.'),
        unit_price: quantity('Price of one unit; where terms price it, the list price.'),
        rate_id: varchar('Rate.'),
        card: varchar('Rate card.'),
        card_version: varchar('Its version.'),
        amount_exact: exactAmount('Never rounded before this.'),
        amount: amount('Rounded once, to the exponent of the currency.'),
        amount_minor: hugeint('The same in minor units.'),
        currency: varchar('ISO 4217.'),
        recon_status: varchar('clear, held or unauditable.'),
    },
});
