import {
    bigint,
    defineTable,
    exactAmount,
    nullable,
    tableLike,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';

/*
 * What the debit logs hold as a whole, whatever the events: which accounts they speak of, and
 * whether their numbers have holes.
 */

export const logTotals = defineTable('recon.log_totals', {
    comment: 'One row per account, asset and wallet: what its debit log holds, whenever booked.',
    grain: ['account_id', 'asset', 'wallet_id'],
    columns: {
        account_id: varchar('Account that the log speaks of.'),
        asset: varchar('Asset.'),
        wallet_id: nullable(varchar('Wallet.')),
        entry_count: bigint('Entries.'),
        usage_entry_count: bigint('Those of the usage family.'),
        numbered_count: bigint('Those with a sequence number.'),
        captured: exactAmount('Captures, whatever was given back.'),
    },
});

/** Where nothing was ever debited, nothing can be missing. */
export const loggedAccounts = defineTable('recon.logged_accounts', {
    comment: 'One row per account that a debit log speaks of.',
    grain: ['account_id'],
    columns: { account_id: varchar('Account.') },
});

export const sequenceSpans = defineTable('recon.sequence_spans', {
    comment: 'One row per wallet and unbroken run of its sequence numbers.',
    grain: ['input', 'wallet_id', 'first_sequence'],
    columns: {
        input: varchar('Input.'),
        wallet_id: varchar('Wallet.'),
        account_id: varchar('Account whose wallet it is.'),
        asset: varchar('Asset.'),
        first_sequence: bigint('Lowest.'),
        last_sequence: bigint('Highest.'),
        last_at: timestamp('When the entry of the highest was booked.'),
    },
});

export const sequenceGaps = defineTable('recon.sequence_gaps', {
    comment: 'One row per wallet whose sequence numbers have holes: the log is not complete.',
    grain: ['input', 'wallet_id'],
    columns: {
        input: varchar('Input.'),
        wallet_id: varchar('Wallet.'),
        account_id: varchar('Account whose wallet it is.'),
        payer_id: nullable(varchar('Its payer.')),
        asset: varchar('Asset.'),
        first_sequence: bigint('Lowest seen.'),
        last_sequence: bigint('Highest seen.'),
        missing_count: bigint('Numbers that are missing.'),
        missing: varchar('The first of them.'),
        first_at: timestamp('Last entry before the first hole.'),
    },
});

/** The same of entries that an earlier run of the period read and this one does not look at again. */
export const carriedSequences = tableLike(
    'carried.sequence_spans',
    'What was seen before, as recon.sequence_spans.',
    sequenceSpans,
);
