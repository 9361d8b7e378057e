import { type EventShape, shapeColumns } from '../../src/compile/shape.ts';
import {
    bigint,
    type Column,
    date,
    defineTable,
    nullable,
    opaque,
    quantity,
    type Table,
    tableLike,
    timestamp,
    typed,
    varchar,
} from '../../src/duck/table.ts';

const place = {
    object_no: bigint('Object the row came from.'),
    line_no: bigint('Line in it, from 1.'),
};

const entryPlace = {
    ...place,
    entry_no: bigint('Entry of the line, from 1: a line may hold several.'),
};
const entryGrain = Object.keys(entryPlace);

const usageIdentity = {
    source: nullable(varchar('Producer. With event_id the identity of an event.')),
    event_id: nullable(varchar('Id within the source.')),
    event_type: nullable(varchar('What happened.')),
    account_id: nullable(varchar('Account that used.')),
    authorization_id: nullable(varchar('Authorization the event names, if any.')),
    event_at: nullable(timestamp('When it was used.')),
};

const debitColumns = {
    entry_id: nullable(varchar('Id of the entry in its log.')),
    entry_type: nullable(
        varchar('authorize, capture, release, expire, reverse, refund, adjust, ...'),
    ),
    authorization_id: nullable(varchar('Groups the life of one hold.')),
    event_id: nullable(varchar('Usage event it pays for.')),
    account_id: nullable(varchar('Account whose wallet it is.')),
    wallet_id: nullable(varchar('Wallet.')),
    asset: nullable(varchar('What is debited.')),
    amount: nullable(quantity('Magnitude in the asset; the sign comes from the type.')),
    quantity: nullable(quantity('What the wallet layer thought it sold.')),
    unit: nullable(varchar('Unit of that quantity.')),
    unit_price: nullable(quantity('Price of one of it that the wallet charged, in the asset.')),
    price_version: nullable(varchar('What the wallet calls the version of its prices.')),
    meter: nullable(varchar('What an aggregated debit counts.')),
    aggregated: nullable(varchar('day, when the entry stands for a day.')),
    grant_id: nullable(varchar('Grant touched, for split debits.')),
    reversal_of: nullable(varchar('Entry that is undone.')),
    occurred_at: nullable(timestamp('When the usage happened.')),
    booked_at: nullable(timestamp('When the wallet layer accepted it.')),
    expires_at: nullable(timestamp('When a hold lapses.')),
    sequence: nullable(bigint('Position in the wallet.')),
    balance_before: nullable(quantity('What the wallet held before it, as the log states it.')),
    balance_after: nullable(quantity('What the wallet held after it.')),
    money_amount: nullable(quantity('What a debit of units was worth in money, to the wallet.')),
    money_currency: nullable(varchar('Currency of that.')),
};

const rowHead = {
    input: varchar('Input of tieout.yaml.'),
    ...place,
    raw_text: nullable(varchar('The line as it was stored. Null for Parquet, which has none.')),
    suspense: nullable(varchar('Why the row cannot be used: CODE or CODE:field.')),
};

/** The code comes last, for it is computed last. */
function checkedColumns<C extends Readonly<Record<'suspense', Column>>>({
    suspense,
    ...columns
}: C) {
    return { ...columns, suspense };
}

/** Compiled from the config: every stored row, typed, with a code where it cannot be used. */
export const usageRows = (shape: EventShape) =>
    defineTable('raw.usage_rows', {
        comment: 'One row per stored line of usage.',
        grain: ['object_no', 'line_no'],
        storage: 'view',
        columns: {
            ...rowHead,
            ...usageIdentity,
            ...shapeColumns(shape),
            content: opaque('Everything the event says that tieout reads, as one value.'),
        },
    });

/** Compiled from the config: every stored debit row. */
export const debitRows = defineTable('raw.debit_rows', {
    comment: 'One row per entry of a stored line of a debit log.',
    grain: entryGrain,
    storage: 'view',
    columns: {
        input: rowHead.input,
        ...entryPlace,
        raw_text: rowHead.raw_text,
        suspense: rowHead.suspense,
        ...debitColumns,
        content: opaque('Everything the entry says that tieout reads, as one value.'),
    },
});

/** Rows as stored, with the last word on whether they can be used. */
export const usageChecked = (shape: EventShape) =>
    defineTable('mediated.usage_checked', {
        comment: 'One row per stored line of usage, with what makes it unusable.',
        grain: ['object_no', 'line_no'],
        storage: 'view',
        columns: checkedColumns(usageRows(shape).columns),
    });
export const debitChecked = defineTable('mediated.debit_checked', {
    comment: 'One row per entry of a stored line of a debit log, with what makes it unusable.',
    grain: entryGrain,
    storage: 'view',
    columns: checkedColumns(debitRows.columns),
});

const repeatKeys = (name: string) =>
    defineTable(name, {
        isPartial: true,
        comment: 'One row per hash of an id that more than one usable row carries.',
        grain: ['key_hash'],
        columns: {
            key_hash: typed('UBIGINT', 'Hash of the id; a collision only costs a second look.'),
        },
    });
export const usageRepeatKeys = repeatKeys('mediated.usage_repeat_keys');
export const debitRepeatKeys = repeatKeys('mediated.debit_repeat_keys');

const doubts = (name: string, what: string, at: Readonly<Record<string, Column>> = place) =>
    defineTable(name, {
        isPartial: true,
        comment: `One row per ${what} that may not count: unusable, or maybe a repeat.`,
        grain: Object.keys(at),
        columns: {
            ...at,
            source: nullable(varchar('Source, or the input of a debit log.')),
            record_id: nullable(varchar('event_id or entry_id.')),
            raw_text: rowHead.raw_text,
            suspense: rowHead.suspense,
            content: opaque('Everything it says that tieout reads, as one value.'),
        },
    });
export const usageDoubts = doubts('mediated.usage_doubts', 'stored line of usage');
export const debitDoubts = doubts('mediated.debit_doubts', 'entry of a debit log', entryPlace);

const repeats = (name: string, keyed: string, at: Readonly<Record<string, Column>> = place) =>
    defineTable(name, {
        comment: `One row per copy of ${keyed} after the first: a duplicate or a conflict.`,
        grain: Object.keys(at),
        columns: {
            ...at,
            kind: varchar(
                'duplicate: same content. conflict: another content under the same identity.',
            ),
            source: varchar('Source, or the input of a debit log.'),
            record_id: varchar('event_id or entry_id.'),
            first_object_no: bigint('Where the copy that counts is.'),
            first_line_no: bigint('Its line.'),
            content: varchar('What this copy says, as JSON.'),
        },
    });
export const usageRepeats = repeats('mediated.usage_repeats', 'an event');
export const debitRepeats = repeats('mediated.debit_repeats', 'a debit entry', entryPlace);

/** What an earlier run of the period found of rows that this one does not look at again. */
const carriedLike = (name: string, of: Table, without: readonly string[] = []) =>
    tableLike(`carried.${name}`, `What was found before, as ${of.name}.`, of, without);
export const carriedUsageRepeats = carriedLike('usage_repeats', usageRepeats);
export const carriedDebitRepeats = carriedLike('debit_repeats', debitRepeats);

export const sharedEventIds = defineTable('mediated.shared_event_ids', {
    isPartial: true,
    comment: 'One row per event_id that more than one source uses: no debit can name one of them.',
    grain: ['event_id'],
    columns: { event_id: varchar('Ambiguous id.') },
});

/** The events that count: unique, usable, of known accounts, in and around the period. */
export const usageEvents = (shape: EventShape) =>
    defineTable('mediated.usage_events', {
        isPartial: true,
        comment: 'One row per usage event that counts.',
        grain: ['source', 'event_id'],
        repeatable: { keys: 'mediated.usage_repeat_keys', hash: 'hash(event_id)' },
        storage: 'lake',
        columns: {
            source: varchar('Producer.'),
            event_id: varchar('Id within the source.'),
            event_type: varchar('What happened.'),
            account_id: varchar('Account that used.'),
            authorization_id: usageIdentity.authorization_id,
            ...shapeColumns(shape),
            event_at: timestamp('When it was used.'),
            event_on: date('UTC day of event_at.'),
            ...place,
        },
    });

/** The entries that count, each once. */
export const debitEntries = defineTable('mediated.debit_entries', {
    isPartial: true,
    comment: 'One row per debit entry that counts.',
    grain: ['input', 'entry_id'],
    repeatable: { keys: 'mediated.debit_repeat_keys', hash: 'hash(entry_id)' },
    storage: 'lake',
    totals: { amount: 'amount' },
    columns: {
        input: varchar('Input of tieout.yaml.'),
        ...debitColumns,
        entry_id: varchar('Id of the entry in its log.'),
        entry_type: varchar('What it does.'),
        account_id: varchar('Account whose wallet it is.'),
        asset: varchar('What is debited.'),
        amount: quantity('Magnitude in the asset.'),
        booked_at: timestamp('When the wallet layer accepted it.'),
        booked_on: date('UTC day of booked_at.'),
        ...place,
    },
});

const suspended = (name: string, what: string, at: Readonly<Record<string, Column>> = place) =>
    defineTable(name, {
        comment: `One row per ${what} that cannot be used, with the evidence.`,
        grain: Object.keys(at),
        columns: {
            ...at,
            code: varchar('Why.'),
            field: nullable(varchar('Which field.')),
            record_id: nullable(varchar('Its id, where it has one.')),
            raw_text: nullable(
                varchar('The line as it was stored; what was read of a Parquet row.'),
            ),
        },
    });
export const suspendedUsage = suspended('suspense.usage_rows', 'stored line of usage');
export const suspendedDebits = suspended('suspense.debit_rows', 'entry of a debit log', entryPlace);
export const carriedSuspendedUsage = carriedLike('suspended_usage', suspendedUsage);
export const carriedSuspendedDebits = carriedLike('suspended_debits', suspendedDebits);

/** The first proof of a run: no line of any object is unaccounted for. */
export const objectLines = defineTable('mediated.object_lines', {
    comment: 'One row per object: where each of its lines went.',
    grain: ['object_no'],
    columns: {
        object_no: bigint('Object.'),
        spooled_count: nullable(
            bigint('Lines counted while spooling, without the header. Null for Parquet.'),
        ),
        line_count: bigint('Lines the engine read.'),
        row_count: bigint('Rows that they hold: one each, more where a line has several entries.'),
        record_count: bigint('Rows that became an event or an entry.'),
        duplicate_count: bigint('Exact repeats.'),
        conflict_count: bigint('Same identity, another content.'),
        suspended_count: bigint('Unusable.'),
    },
});
export const carriedLines = carriedLike('object_lines', objectLines, ['spooled_count']);
