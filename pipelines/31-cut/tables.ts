import { bigint, boolean, date, defineTable, timestamp, varchar } from '../../src/duck/table.ts';
import { runBoundaries } from '../../src/stage/control.ts';
import { accountPaths, accountSpans } from '../10-ingest/tables.ts';
import { partials } from '../30-meter/tables.ts';

/** As the run that is re-priced had them. */
export const keptUsage = partials(
    'kept.usage',
    'Metered usage of the run that is re-priced, of meters whose days can be added.',
);
export const keptWholes = partials(
    'kept.wholes',
    'The same of meters that cannot be added up, where nothing cuts them in another way now.',
);
export const keptPaths = defineTable('kept.paths', {
    comment: 'Paths of accounts in the run that is re-priced.',
    grain: accountPaths.grain,
    columns: accountPaths.columns,
});
export const keptSpans = defineTable('kept.spans', {
    comment: 'Spans of accounts in the run that is re-priced.',
    grain: accountSpans.grain,
    columns: accountSpans.columns,
});
export const keptBoundaries = defineTable('kept.boundaries', {
    comment: 'Where metered usage was cut in the run that is re-priced.',
    grain: runBoundaries.grain,
    columns: runBoundaries.columns,
});

const owner = {
    payer_id: varchar('Account that pays at that time.'),
    pool_id: varchar('Account whose pool of tiers it counts in.'),
    wallet_asset: varchar('Asset its wallet is debited in at that time.'),
    currency: varchar('Currency of the payer.'),
    book_id: varchar('Cards that price it at that time.'),
    channel_id: varchar('Who sells it on to whom; empty where nobody does.'),
};

export const owners = defineTable('cut.owners', {
    comment: 'One row per account and whose its usage is or was at some time, numbered.',
    grain: ['is_kept', 'account_id', 'owner_no'],
    columns: {
        is_kept: boolean('Of the run that is re-priced; else as of today.'),
        account_id: varchar('Account that used.'),
        owner_no: bigint('From 1, for each account.'),
        ...owner,
    },
});

export const stretches = defineTable('cut.stretches', {
    comment: 'One row per account and stretch of its period with one owner.',
    grain: ['is_kept', 'account_id', 'from_at'],
    columns: {
        is_kept: boolean('Of the run that is re-priced; else as of today.'),
        account_id: varchar('Account that used.'),
        from_at: timestamp('First instant.'),
        to_at: timestamp('First instant after it.'),
        owner_no: bigint('Whose its usage is.'),
    },
});

const cell = {
    kept_owner_no: bigint('Whose its usage was.'),
    kept_segment_at: timestamp('Its rate segment was.'),
    owner_no: bigint('Whose its usage is.'),
    segment_at: timestamp('Its rate segment is.'),
};

export const spans = defineTable('cut.spans', {
    comment: 'One row per account and span within a day that neither the run nor today cuts.',
    grain: ['account_id', 'from_at'],
    columns: {
        account_id: varchar('Account that used.'),
        from_at: timestamp('First instant.'),
        event_on: date('UTC day.'),
        ...cell,
    },
});

export const days = defineTable('cut.days', {
    comment: 'One row per account and day that is cut in another way now: metered from its events.',
    grain: ['account_id', 'event_on'],
    columns: { account_id: varchar('Account that used.'), event_on: date('UTC day.') },
});

export const cutPartials = partials(
    'cut.partials',
    'Metered usage of all other days, with its owner and rate segment of today.',
);
