import type { EventShape } from '../../src/compile/shape.ts';
import {
    bigint,
    boolean,
    defineTable,
    nullable,
    quantity,
    timestamp,
    typed,
    varchar,
} from '../../src/duck/table.ts';

/* Usage as it is compared: what each event is worth, and how much of it there is. */

/** Compiled from the config: what every metered event is worth and what its wallet should take. */
export const eventValues = (_shape: EventShape) =>
    defineTable('compiled.event_values', {
        comment:
            'One row per metered usage event: its worth in money and in the asset of its wallet.',
        grain: ['source', 'event_id'],
        storage: 'view',
        columns: {
            source: varchar('Producer.'),
            event_id: varchar('Id within the source.'),
            authorization_id: nullable(varchar('Authorization the event names, if any.')),
            account_id: varchar('Account that used.'),
            payer_id: varchar('Account that pays.'),
            currency: varchar('Currency of the payer.'),
            wallet_asset: varchar('Asset its wallet is debited in.'),
            wallet_shape: varchar('instant, two_phase or aggregated.'),
            is_in_period: boolean('Whether it belongs to the period.'),
            event_at: timestamp('When.'),
            event_on: typed('DATE', 'UTC day.'),
            is_unrated: boolean('Whether a part of it has no rate.'),
            rated_amount: typed('DECIMAL(38,24)', 'Exact worth in money.'),
            counted_quantity: nullable(quantity('What the wallet layer counts of it.')),
            products: varchar(
                'Products that its wallet pays for, with chr(31) between; empty where postpaid.',
            ),
        },
    });

/** Compiled from the config: the events of the period, counted and not compared. */
export const countedUsage = defineTable('compiled.counted_usage', {
    comment: 'One row per account and asset of its wallet: events of the period that count.',
    grain: ['account_id', 'asset'],
    storage: 'view',
    columns: {
        account_id: varchar('Account that used.'),
        asset: varchar('Asset its wallet is debited in.'),
        record_count: bigint('Events.'),
        amount: nullable(quantity('What the wallet layer counts of them; null for nothing.')),
    },
});
