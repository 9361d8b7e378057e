import { bigint, date, defineTable, quantity, timestamp, varchar } from '../../src/duck/table.ts';

/** Filled from the contracts that name a seller. */
export const channels = defineTable('accounts.channels', {
    comment: 'One row per channel and level of it: who sells to whom, by which book.',
    grain: ['channel_id', 'level_no'],
    columns: {
        channel_id: varchar('The channel.'),
        level_no: bigint('From 1, from the top down.'),
        seller_id: varchar('Account that sells.'),
        buyer_id: varchar('Account that buys, for itself or to sell on.'),
        sale_id: varchar('seller/buyer: what one invoice is under.'),
        pool_id: varchar('Account whose pool of tiers it counts in; at most the buyer.'),
        book_id: varchar('Cards that the seller sells by.'),
        currency: varchar('Currency of the buyer.'),
    },
});

export const sales = defineTable('metered.sales', {
    comment: 'One row per metered usage row and level of its channel.',
    grain: [
        ...['level_no', 'meter', 'account_id', 'payer_id', 'pool_id', 'wallet_asset', 'book_id'],
        ...['channel_id', 'attributes', 'segment_at', 'event_on'],
    ],
    totals: { quantity: 'quantity' },
    columns: {
        level_no: bigint('Level of the channel.'),
        seller_id: varchar('Account that sells.'),
        buyer_id: varchar('Account that buys.'),
        meter: varchar('Meter.'),
        account_id: varchar('Account that used.'),
        payer_id: varchar('seller/buyer.'),
        pool_id: varchar('Account whose pool of tiers it counts in.'),
        wallet_asset: varchar('As metered.'),
        currency: varchar('Currency of the buyer.'),
        book_id: varchar('Cards that the seller sells by.'),
        channel_id: varchar('The channel.'),
        attributes: varchar('As metered.'),
        unit: varchar('Unit of the quantity.'),
        segment_at: timestamp('As metered.'),
        event_on: date('As metered.'),
        quantity: quantity('As metered.'),
        event_count: bigint('As metered.'),
    },
});
