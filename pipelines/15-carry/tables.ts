import {
    bigint,
    date,
    defineTable,
    exactAmount,
    nullable,
    quantity,
    timestamp,
    typed,
    varchar,
} from '../../src/duck/table.ts';

/*
 * What an earlier run of the period found of the rows that this run does not look at again. Empty
 * in a run that looks at all rows. Filled by src/run/carry.ts; the stages add it to what they find.
 */

const place = {
    object_no: bigint('Object the row came from, in the numbers of this run.'),
    line_no: bigint('Line in it, from 1.'),
};

const repeats = (name: string) =>
    defineTable(name, {
        comment: 'One row per copy after the first that was found before: as mediated.*_repeats.',
        grain: ['object_no', 'line_no'],
        columns: {
            ...place,
            kind: varchar('duplicate or conflict.'),
            source: varchar('Source, or the input of a debit log.'),
            record_id: varchar('event_id or entry_id.'),
            first_object_no: bigint('Where the copy that counts is.'),
            first_line_no: bigint('Its line.'),
            content: varchar('What this copy says, as JSON.'),
        },
    });
export const carriedUsageRepeats = repeats('carried.usage_repeats');
export const carriedDebitRepeats = repeats('carried.debit_repeats');

const suspended = (name: string) =>
    defineTable(name, {
        comment: 'One row per unusable line that was found before: as suspense.*_rows.',
        grain: ['object_no', 'line_no'],
        columns: {
            ...place,
            code: varchar('Why.'),
            field: nullable(varchar('Which field.')),
            record_id: nullable(varchar('Its id, where it has one.')),
            raw_text: nullable(varchar('The line as it was stored.')),
        },
    });
export const carriedSuspendedUsage = suspended('carried.suspended_usage');
export const carriedSuspendedDebits = suspended('carried.suspended_debits');

export const carriedLines = defineTable('carried.object_lines', {
    comment: 'One row per object with lines that were counted before: as mediated.object_lines.',
    grain: ['object_no'],
    columns: {
        object_no: bigint('Object, in the numbers of this run.'),
        line_count: bigint('Lines the engine read.'),
        record_count: bigint('Lines that became an event or an entry.'),
        duplicate_count: bigint('Exact repeats.'),
        conflict_count: bigint('Same identity, another content.'),
        suspended_count: bigint('Unusable.'),
    },
});

export const carriedUsage = defineTable('carried.metered_usage', {
    comment: 'One row per combination that was metered before: as metered.usage.',
    grain: [
        ...['meter', 'account_id', 'payer_id', 'pool_id', 'wallet_asset', 'book_id', 'channel_id'],
        ...['attributes', 'segment_at', 'event_on'],
    ],
    columns: {
        meter: varchar('Meter.'),
        account_id: varchar('Account that used.'),
        payer_id: varchar('Account that pays.'),
        pool_id: varchar('Account whose pool of tiers it counts in.'),
        wallet_asset: varchar('Asset its wallet is debited in.'),
        currency: varchar('Currency of the payer.'),
        book_id: varchar('Cards that price it.'),
        channel_id: varchar('Who sells it on.'),
        attributes: varchar('As metered.'),
        unit: varchar('Unit of the quantity.'),
        segment_at: timestamp('As metered.'),
        event_on: date('As metered.'),
        quantity: quantity('As metered.'),
        event_count: bigint('As metered.'),
    },
});

export const carriedOutcomes = defineTable('carried.outcomes', {
    comment: 'One row per outcome that stays as it was found before: as recon.outcomes.',
    grain: [
        ...['fate', 'code', 'break_key', 'usage_account_id', 'debit_account_id', 'debit_asset'],
        ...['products', 'rate_at'],
    ],
    columns: {
        fate: varchar('As found.'),
        code: varchar('As found.'),
        break_key: varchar('As found.'),
        usage_payer_id: nullable(varchar('As found.')),
        usage_account_id: nullable(varchar('As found.')),
        usage_asset: nullable(varchar('As found.')),
        debit_payer_id: nullable(varchar('As found.')),
        debit_account_id: nullable(varchar('As found.')),
        debit_asset: nullable(varchar('As found.')),
        event_id: nullable(varchar('As found.')),
        authorization_id: nullable(varchar('As found.')),
        expected: exactAmount('As found; of matches less what is looked at again.'),
        actual: exactAmount('The same.'),
        money: nullable(exactAmount('The same.')),
        currency: nullable(varchar('As found.')),
        captured: exactAmount('As expected.'),
        products: varchar('As found.'),
        rate_at: nullable(timestamp('As found.')),
        usage_count: bigint('As expected.'),
        entry_count: bigint('As expected.'),
        first_at: nullable(timestamp('As found.')),
        entry_ids: varchar('As found.'),
        detail: varchar('As found.'),
        paid: exactAmount('As expected.'),
    },
});

export const carriedSides = defineTable('carried.sides', {
    comment: 'One row per side, account and asset that was counted before: as recon.sides.',
    grain: ['side', 'account_id', 'asset'],
    columns: {
        side: varchar('usage or debits.'),
        account_id: varchar('Account.'),
        asset: varchar('Asset.'),
        record_count: bigint('As counted.'),
        amount: nullable(exactAmount('As counted.')),
    },
});

export const carriedLogs = defineTable('carried.log_totals', {
    comment: 'One row per account, asset and wallet that was counted before: as recon.log_totals.',
    grain: ['account_id', 'asset', 'wallet_id'],
    columns: {
        account_id: varchar('Account.'),
        asset: varchar('Asset.'),
        wallet_id: nullable(varchar('Wallet.')),
        entry_count: bigint('As counted.'),
        usage_entry_count: bigint('As counted.'),
        numbered_count: bigint('As counted.'),
        captured: exactAmount('As counted.'),
    },
});

export const carriedSequences = defineTable('carried.sequence_spans', {
    comment: 'One row per unbroken run of numbers that was seen before: as recon.sequence_spans.',
    grain: ['input', 'wallet_id', 'first_sequence'],
    columns: {
        input: varchar('Input.'),
        wallet_id: varchar('Wallet.'),
        account_id: varchar('As seen.'),
        asset: varchar('As seen.'),
        first_sequence: bigint('Lowest.'),
        last_sequence: bigint('Highest.'),
        last_at: timestamp('As seen.'),
    },
});

/** Hashes of the keys that link a stored row to others, by the place of the row. */
export const keyColumns = {
    ...place,
    event_hash: nullable(typed('UBIGINT', 'Hash of the event id.')),
    authorization_hash: nullable(typed('UBIGINT', 'Hash of the authorization id.')),
    entry_hash: nullable(typed('UBIGINT', 'Hash of the entry id; null of usage.')),
    reversal_hash: nullable(typed('UBIGINT', 'Hash of the entry that is undone.')),
    day_hash: nullable(typed('UBIGINT', 'Hash of account and day, where a debit may be for one.')),
    account_hash: nullable(typed('UBIGINT', 'Hash of the account id.')),
};

/** All of them, in the order in which a stage that reads some may name them. */
export const carried = [
    carriedUsageRepeats,
    carriedDebitRepeats,
    carriedSuspendedUsage,
    carriedSuspendedDebits,
    carriedLines,
    carriedUsage,
    carriedOutcomes,
    carriedSides,
    carriedLogs,
    carriedSequences,
] as const;
