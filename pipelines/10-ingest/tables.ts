import {
    amount,
    bigint,
    boolean,
    defineTable,
    nullable,
    quantity,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';

/** Filled by the ingest code, not by SQL: what was pinned before it was read. */
export const rawObjects = defineTable('raw.objects', {
    comment: 'One row per object read by this run, pinned by size, ETag and SHA-256.',
    grain: ['object_no'],
    columns: {
        object_no: bigint(
            'Order of reading: by input, then by key. The earlier object wins a conflict.',
        ),
        input: varchar('Input of tieout.yaml.'),
        role: varchar('usage or debits.'),
        key: varchar('Key in the store.'),
        size: bigint('Bytes as stored.'),
        etag: varchar('ETag, or what the store has instead.'),
        sha256: varchar('SHA-256 of the bytes as stored.'),
        format: varchar('ndjson, csv or parquet.'),
        path: varchar('Where its rows were in the lake when the run read them.'),
        line_count: nullable(bigint('Physical lines counted while spooling. Null for Parquet.')),
        basis: varchar('What its rows were made by: input, types, parser, engine.'),
        erased: nullable(varchar('Stand-ins of what was erased from its rows.')),
    },
});

/** One row per account and span of its master data, as the accounts file states it. */
export const accountSpans = defineTable('accounts.spans', {
    comment: 'One row per account and span of time.',
    grain: ['account_id', 'valid_from'],
    columns: {
        account_id: varchar('Account.'),
        name: varchar('Name as people know it.'),
        valid_from: timestamp('First instant of the span.'),
        valid_to: timestamp('First instant after it.'),
    },
});

/** One row per account and span in which its path to the root and its book do not change. */
export const accountPaths = defineTable('accounts.paths', {
    comment:
        'One row per account and span of an unchanged path and book: who pays, in what, for when.',
    grain: ['account_id', 'valid_from'],
    columns: {
        account_id: varchar('Account that uses.'),
        account_name: varchar('Its name.'),
        valid_from: timestamp('First instant of the span.'),
        valid_to: timestamp('First instant after it.'),
        path: varchar('Account ids from the root, joined by " > ".'),
        payer_id: varchar('Account that pays.'),
        payer_name: varchar('Its name.'),
        pool_id: varchar('Account whose pool of tiers it counts in; at most the payer.'),
        line_account_id: varchar('Account in whose lines its usage is shown; at most the payer.'),
        book_id: varchar('Cards that price its usage: those of a contract, or of the config.'),
        channel_id: varchar('Who sells its usage on to whom; empty where nobody does.'),
        currency: varchar('Currency of the payer, ISO 4217.'),
        time_zone: varchar('Zone of the payer, IANA.'),
        period_start: timestamp('Billing period in the zone of the payer.'),
        period_end: timestamp('First instant after it.'),
        wallet_asset: varchar('Asset the wallet layer debits for this account.'),
        wallet_shape: varchar('instant, two_phase or aggregated.'),
        is_prepaid: boolean('Whether what that wallet was debited is paid for.'),
    },
});

/** Assets, their precision, and the difference a match may have. */
export const assets = defineTable('rules.assets', {
    comment: 'One row per asset a debit may be in.',
    grain: ['asset'],
    columns: {
        asset: varchar('Code.'),
        kind: varchar('currency or unit.'),
        precision: bigint('Decimals the wallet keeps.'),
        counts: nullable(varchar('For a unit: which count of the event it is.')),
        tolerance: quantity('Accepted difference of one match, absolute.'),
        tolerance_percent: quantity('Accepted share of the expected amount, in percent.'),
        tolerance_cap: nullable(quantity('Limit of that share.')),
        tolerance_total: nullable(quantity('Limit of what is accepted of a payer in a run.')),
    },
});

/** What assets are worth in money: a currency itself, a unit what the config says. */
export const assetRates = defineTable('rules.asset_rates', {
    comment: 'One row per asset, currency and instant from which one unit is worth so much of it.',
    grain: ['asset', 'currency', 'rate_from'],
    columns: {
        asset: varchar('Code.'),
        currency: varchar('ISO 4217; of a currency itself.'),
        rate_from: timestamp('First instant; 0001-01-01 for money.'),
        rate_to: nullable(timestamp('First instant of the next; null for the last.')),
        is_first: boolean('Whether none is before it: it is for all that was booked earlier, too.'),
        rate: amount('Money of one unit; 1 for money.'),
    },
});
