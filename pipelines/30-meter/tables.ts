import { type EventShape, shapeColumns } from '../../src/compile/shape.ts';
import {
    bigint,
    boolean,
    date,
    defineTable,
    nullable,
    quantity,
    tableLike,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';

/** Compiled from the config: events with derived attributes, payer, period and rate segment. */
export const compiledEvents = (shape: EventShape, derived: readonly string[]) =>
    defineTable('compiled.events', {
        comment:
            'One row per usage event that counts, with who pays and which rates were in force.',
        grain: ['source', 'event_id'],
        storage: 'view',
        columns: {
            source: varchar('Producer.'),
            event_id: varchar('Id within the source.'),
            event_type: varchar('What happened.'),
            account_id: varchar('Account that used.'),
            authorization_id: nullable(varchar('Authorization the event names, if any.')),
            ...shapeColumns(shape),
            event_at: timestamp('When it was used.'),
            ...Object.fromEntries(
                derived.map((name) => [name, nullable(varchar('Derived attribute.'))]),
            ),
            event_on: date('UTC day.'),
            segment_at: timestamp('Last instant at or before event_at at which any rate changed.'),
            payer_id: varchar('Account that pays.'),
            pool_id: varchar('Account whose pool of tiers it counts in.'),
            currency: varchar('Currency of the payer.'),
            wallet_asset: varchar('Asset its wallet is debited in.'),
            wallet_shape: varchar('instant, two_phase or aggregated.'),
            is_prepaid: boolean('Whether what that wallet was debited is paid for.'),
            book_id: varchar('Cards that price it.'),
            channel_id: varchar('Who sells it on to whom.'),
            is_in_period: boolean('Whether it belongs to the billing period of its payer.'),
        },
    });

const columns = {
    meter: varchar('Meter.'),
    account_id: varchar('Account that used.'),
    payer_id: varchar('Account that pays at that time.'),
    pool_id: varchar('Account whose pool of tiers it counts in.'),
    wallet_asset: varchar('Asset its wallet is debited in at that time.'),
    currency: varchar('Currency of the payer.'),
    book_id: varchar('Cards that price it at that time.'),
    channel_id: varchar('Who sells it on to whom at that time; empty where nobody does.'),
    attributes: varchar('Canonical JSON of the attributes that select a rate, keys sorted.'),
    unit: varchar('Unit of the quantity.'),
    segment_at: timestamp('Rates do not change between this instant and the next segment.'),
    event_on: date('UTC day: the partial can be kept and added.'),
    quantity: quantity('Aggregated quantity.'),
    event_count: bigint('Events behind it.'),
};
const grain = [
    ...['meter', 'account_id', 'payer_id', 'pool_id', 'wallet_asset', 'book_id'],
    ...['channel_id', 'attributes', 'segment_at', 'event_on'],
];

/** Compiled from the meters of the config. */
export const compiledMetered = defineTable('compiled.metered_usage', {
    comment: 'One row per meter, account, payer, book, attributes, rate segment and day.',
    grain,
    storage: 'view',
    columns,
});

/** A table of partials under another name: as another run had them, or as they were cut anew. */
export const partials = (name: string, comment: string) =>
    defineTable(name, { comment, grain, totals: { quantity: 'quantity' }, columns });

export const meteredUsage = partials(
    'metered.usage',
    'One row per meter, account, payer, book, attributes, rate segment and day.',
);

/** What an earlier run of the period metered of rows that this one does not look at again. */
export const carriedUsage = tableLike(
    'carried.metered_usage',
    'What was metered before, as metered.usage.',
    meteredUsage,
);
