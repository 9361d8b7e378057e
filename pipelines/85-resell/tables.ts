import { defineTable, exactAmount, nullable, quantity, varchar } from '../../src/duck/table.ts';
import { unratedUsage } from '../40-rate/tables.ts';
import { unpricedFees } from '../45-price/tables.ts';
import { closings, lineItems } from '../80-invoice/tables.ts';

/** Filled from the database of the sales: what buyers pay their sellers. */
export const soldCharges = defineTable('sold.charges', {
    comment: 'One row per sale, using account, product, attributes and rate over the period.',
    grain: [
        ...['seller_id', 'buyer_id', 'account_id', 'pool_id', 'product', 'meter', 'attributes'],
        'rate_id',
    ],
    totals: { quantity: 'quantity', amount: 'amount' },
    columns: {
        seller_id: varchar('Account that sells.'),
        buyer_id: varchar('Account that buys.'),
        account_id: varchar('Account that used.'),
        pool_id: varchar('Pool or contract it counts in; empty unless its rate counts by one.'),
        product: varchar('Product.'),
        meter: varchar('Meter.'),
        attributes: varchar('Attributes that selected the rate.'),
        rate_id: varchar('Rate.'),
        quantity: quantity('Quantity over the period.'),
        amount: exactAmount('Unrounded.'),
        currency: varchar('ISO 4217.'),
    },
});

const parties = {
    seller_id: varchar('Account that sells.'),
    buyer_id: varchar('Account that buys.'),
};

/** Filled from the database of the sales. */
export const soldLineItems = defineTable('sold.line_items', {
    comment: 'One row per line of a seller to its buyer, who is its payer.',
    grain: ['line_key'],
    columns: { ...parties, ...lineItems.columns },
});

/** Filled from the database of the sales, where the terms of contracts of sellers count. */
export const soldClosings = defineTable('sold.closings', {
    comment: 'One row per contract, product and meter: what its term counted, sales alone.',
    grain: [...closings.grain],
    columns: closings.columns,
});

/** Filled from the database of the sales. */
export const soldUnrated = defineTable('sold.unrated_usage', {
    comment: 'One row per sale that no rate of the seller matches: never priced at zero.',
    grain: [...unratedUsage.grain],
    columns: { ...parties, ...unratedUsage.columns },
});

/** Filled from the database of the sales. */
export const soldUnpriced = defineTable('sold.unpriced_fees', {
    comment: 'One row per fee of a seller in another currency than its buyer pays: not charged.',
    grain: ['seller_id', ...unpricedFees.grain],
    columns: { ...parties, ...unpricedFees.columns },
});

export const margins = defineTable('sold.margins', {
    comment: 'One row per seller, product and currency.',
    grain: ['seller_id', 'product', 'currency'],
    columns: {
        seller_id: varchar('Account that sells.'),
        product: varchar('Product.'),
        currency: varchar('ISO 4217.'),
        bought: exactAmount('What it pays, to the operator or a seller above.'),
        own_use: exactAmount('The part of that for accounts that it sells nothing to.'),
        sold: exactAmount('What it is paid.'),
        margin: nullable(exactAmount('sold - (bought - own_use); null over two currencies.')),
    },
});
