import type { EventShape } from '../../src/compile/shape.ts';
import {
    bigint,
    boolean,
    defineTable,
    exactAmount,
    hugeint,
    nullable,
    quantity,
    tableLike,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';
import { compiledEvents } from '../30-meter/tables.ts';

/*
 * Why usage and debits differ, in amounts that add up: of each break in which both sides are
 * compared, and of everything between rated and debited.
 */

export const disputes = defineTable('recon.disputes', {
    comment: 'One row per break in which usage and debits of one account and asset are compared.',
    grain: ['break_id'],
    columns: {
        break_id: varchar('Break.'),
        code: varchar('Its code.'),
        account_id: varchar('Account.'),
        asset: varchar('Asset.'),
        is_money: boolean('Whether the asset is a currency.'),
        event_id: nullable(varchar('Usage event; null where a day is compared.')),
        break_key: varchar('Event, or account and day.'),
        expected: exactAmount('What usage says.'),
        actual: exactAmount('What was debited.'),
        at_our_price: exactAmount('What the quantity that was debited for is worth at our price.'),
        expected_units: hugeint('Expected, in units of the 24th decimal.'),
        part_units: hugeint('Quantity that was debited for; 1 where both sides agree on it.'),
        whole_units: hugeint('Quantity that was counted; 1 where both sides agree on it.'),
        rounding_limit: exactAmount('Half a unit of the last digit of the asset for each debit.'),
        detail: varchar('The quantities, or the unit, that differ; empty for none.'),
    },
});

/** What 30-meter metered of them, row by row: few of all events. */
export const disputedEvents = (shape: EventShape, derived: readonly string[]) => ({
    ...tableLike(
        'recon.disputed_events',
        'One row per event of a dispute, as compiled.events.',
        compiledEvents(shape, derived),
    ),
    isPartial: true as const,
});

/** Compiled from the meters of the config. */
export const disputedParts = defineTable('compiled.disputed_parts', {
    comment: 'One row per event of a dispute, meter and attributes: what a rate prices of it.',
    grain: ['source', 'event_id', 'meter', 'attributes'],
    storage: 'view',
    columns: {
        source: varchar('Producer.'),
        event_id: varchar('Event.'),
        meter: varchar('Meter.'),
        book_id: varchar('Cards that price it.'),
        currency: varchar('Currency of the payer.'),
        attributes: varchar('Canonical JSON of the attributes that select a rate.'),
        segment_at: timestamp('Rate segment.'),
        quantity: quantity('Quantity.'),
    },
});

export const priceVersions = defineTable('recon.price_versions', {
    comment:
        'One row per dispute whose debit agrees with prices that were in force at another time.',
    grain: ['break_id'],
    columns: {
        break_id: varchar('Break.'),
        worth: exactAmount('What the usage is worth at those prices.'),
        at_their_price: exactAmount('The same for the quantity that was debited for.'),
        rate_ids: varchar('The rates that are others than those in force, with spaces between.'),
        effective_from: timestamp('Since when the latest of them holds.'),
        effective_to: nullable(timestamp('First instant at which one of them ended.')),
    },
});

export const statedPrices = defineTable('recon.stated_prices', {
    comment: 'One row per dispute whose debits state a price of their own.',
    grain: ['break_id'],
    columns: {
        break_id: varchar('Break.'),
        worth: nullable(
            exactAmount(
                'Quantities x unit prices of its debits; null unless all of them state both.',
            ),
        ),
        unit_prices: nullable(varchar('Prices, with commas between.')),
        price_versions: nullable(varchar('What the wallet calls the version of its prices.')),
    },
});

/** The same of breaks that this run does not look at again. */
export const carriedStatedPrices = tableLike(
    'carried.stated_prices',
    'What was found before, as recon.stated_prices.',
    statedPrices,
);

/** The same of breaks that this run does not look at again. */
export const carriedVersions = tableLike(
    'carried.price_versions',
    'What was found before, as recon.price_versions.',
    priceVersions,
);

export const breakCauses = defineTable('recon.break_causes', {
    comment: 'One row per dispute and cause: the amounts of all of them are the break.',
    grain: ['break_id', 'cause_no'],
    columns: {
        break_id: varchar('Break.'),
        cause_no: bigint('Their order: quantity, price, rounding.'),
        cause: varchar(
            'quantity, price_version, rounding, debit_arithmetic, conversion or unexplained_price.',
        ),
        account_id: varchar('Account.'),
        asset: varchar('Asset.'),
        amount: exactAmount('Its part of expected - actual.'),
        rate_ids: nullable(varchar('Of price_version: the rates of ours that were charged.')),
        effective_from: nullable(timestamp('Of price_version: since when they hold.')),
        detail: varchar('The figures behind it.'),
    },
});

export const differenceCauses = defineTable('recon.difference_causes', {
    comment:
        'One row per account, asset and cause: rated - debited, all of it, by what made the difference.',
    grain: ['account_id', 'asset', 'cause'],
    columns: {
        payer_id: varchar('Its latest payer; empty for an unknown account.'),
        account_id: varchar('Account.'),
        asset: varchar('Asset.'),
        cause: varchar('What made it: a cause of breaks, or of the tie-out.'),
        cause_count: bigint('Breaks behind it; matches of a rounding; 0 where nothing is counted.'),
        amount: exactAmount('Its part of rated - debited.'),
    },
});
