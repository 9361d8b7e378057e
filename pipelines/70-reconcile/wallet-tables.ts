import {
    bigint,
    boolean,
    date,
    defineTable,
    exactAmount,
    hugeint,
    nullable,
    quantity,
    tableLike,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';
import { foundBreaks } from './tables.ts';

/*
 * What wallets hold and what moves them, whatever usage says: the roll-forward of each, and whether
 * the balances that its log states follow from each other.
 */

const wallet = {
    input: varchar('Input.'),
    account_id: varchar('Account that the log speaks of.'),
    asset: varchar('Asset.'),
    wallet_id: nullable(varchar('Wallet.')),
};
const walletGrain = ['input', 'account_id', 'asset', 'wallet_id'];

export const walletMovements = defineTable('recon.wallet_movements', {
    comment: 'One row per wallet, type of entry, and whether it was booked in the period.',
    grain: [...walletGrain, 'entry_type', 'is_in_period'],
    columns: {
        ...wallet,
        entry_type: varchar('What the entries do.'),
        is_in_period: boolean('Booked within the period of the payer.'),
        entry_count: bigint('Entries.'),
        numbered_count: bigint('Those with a sequence number.'),
        stated_count: bigint('Those that state a balance.'),
        amount: exactAmount('Sum of their amounts, as the log has them.'),
    },
});

export const statedEntries = defineTable('recon.stated_entries', {
    comment: 'One row per debit entry that states a balance of its wallet.',
    grain: ['input', 'entry_id'],
    storage: 'view',
    columns: {
        input: wallet.input,
        entry_id: varchar('Entry.'),
        account_id: wallet.account_id,
        asset: wallet.asset,
        wallet_id: wallet.wallet_id,
        sequence: nullable(bigint('Position in the wallet.')),
        booked_at: timestamp('When it was booked.'),
        booked_on: date('UTC day of that.'),
        is_in_period: boolean('Booked within the period of the payer.'),
        effect: quantity('What it changes in the balance.'),
        opening: quantity('What was there before it.'),
        closing: quantity('What was there after it.'),
    },
});

export const looseBalances = defineTable('recon.loose_balances', {
    comment: 'One row per wallet, place and balance that the entries next to it do not confirm.',
    grain: [...walletGrain, 'is_in_period', 'place', 'balance'],
    columns: {
        ...wallet,
        is_in_period: boolean('Of an entry that was booked within the period.'),
        place: nullable(bigint('Number of the entry that it is before; null without numbers.')),
        balance: quantity('What the wallet held there.'),
        net: bigint('Entries that state it as before them, less those that state it as after.'),
        at_us: hugeint('Sum of their instants in microseconds, with the same signs.'),
    },
});

export const oddEntries = defineTable('recon.odd_entries', {
    comment: 'One row per code, wallet and day with entries that are odd in themselves.',
    grain: ['code', ...walletGrain, 'booked_on', 'currency', 'rate_from'],
    columns: {
        code: varchar('Class of break that they show.'),
        ...wallet,
        booked_on: date('UTC day they were booked on.'),
        currency: nullable(varchar('Currency that the wallet converted to.')),
        rate_from: nullable(timestamp('Since when our rate of the asset holds.')),
        entry_count: bigint('Entries.'),
        amount: exactAmount('What they debited, or by how much their balances are off.'),
        money: exactAmount('What that is worth to us, less what it was worth to the wallet.'),
    },
});

export const walletBalances = defineTable('recon.wallet_balances', {
    comment: 'One row per wallet: what it held at first, what moved it, and what was left.',
    grain: walletGrain,
    columns: {
        payer_id: nullable(varchar('Latest payer; null for an unknown account.')),
        account_id: wallet.account_id,
        wallet_id: wallet.wallet_id,
        asset: wallet.asset,
        input: wallet.input,
        entry_count: bigint('Entries of the period, holds among them.'),
        opening: nullable(exactAmount('Stated before the first entry of the period.')),
        topped_up: exactAmount('Top-ups.'),
        granted: exactAmount('Grants.'),
        captured: exactAmount('Debits of usage.'),
        returned: exactAmount('Reversals and refunds.'),
        expired: exactAmount('Grants that expired.'),
        adjusted: exactAmount('Adjustments, with their sign.'),
        moved: exactAmount('All of that together.'),
        closing: nullable(exactAmount('opening + moved.')),
        stated: nullable(exactAmount('Stated after the last entry of the period.')),
        unexplained: nullable(exactAmount('closing - stated; null where the log does not say.')),
    },
});

export const discontinuities = defineTable('recon.discontinuities', {
    comment: 'One row per wallet whose balances do not follow from each other or from its entries.',
    grain: walletGrain,
    columns: {
        ...wallet,
        place_count: bigint('Balances that do not follow from the one before.'),
        entry_count: bigint('Entries whose balances differ by something else than they moved.'),
        first_at: nullable(timestamp('When the first was booked, where anything says it.')),
        first_place: varchar('The first of them, where entries are numbered.'),
    },
});

/** Breaks that no matching finds: they move no tie-out, and someone has to look at them. */
export const formBreaks = defineTable('recon.form_breaks', {
    comment:
        'One row per break of form: a wallet, a conversion or an event that is not as it should be.',
    grain: ['break_id'],
    columns: foundBreaks.columns,
});

export const unconvertedAccounts = defineTable('recon.unconverted_accounts', {
    comment: 'One row per account whose usage lacks a currency rate, and nothing else.',
    grain: ['payer_id', 'account_id'],
    columns: {
        payer_id: varchar('Payer.'),
        account_id: varchar('Account that used.'),
    },
});

/** The same of entries that an earlier run of the period read and this one does not look at again. */
export const carriedMovements = tableLike(
    'carried.wallet_movements',
    'What was counted before, as recon.wallet_movements.',
    walletMovements,
);
export const carriedBalances = tableLike(
    'carried.loose_balances',
    'What was found before, as recon.loose_balances.',
    looseBalances,
);
export const carriedOddEntries = tableLike(
    'carried.odd_entries',
    'What was found before, as recon.odd_entries.',
    oddEntries,
);
