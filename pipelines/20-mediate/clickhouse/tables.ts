import type { EventShape } from '../../../src/compile/shape.ts';

/*
 * Contracts of the temporary tables of a session of ClickHouse. Times are microseconds since 1970: no
 * type of ClickHouse holds all instants that a span of an account may have.
 */

const text = 'String';
const maybeText = 'Nullable(String)';
const micros = 'Int64';
const exact = 'Decimal(38, 12)';
const maybeExact = 'Nullable(Decimal(38, 12))';

const place = { object_no: 'Int64', line_no: 'Int64' };

/** Filled by the run: objects of the run by the paths that the server gives. */
export const objects = {
    name: 'objects',
    order: ['path'],
    columns: { path: text, etag: text, object_no: 'Int64' },
} as const;

/** Filled from accounts.paths. */
export const paths = {
    name: 'paths',
    order: ['account_id', 'valid_from_us'],
    columns: {
        account_id: text,
        ...{ valid_from_us: micros, valid_to_us: micros },
        ...{ payer_id: text, pool_id: text, currency: text, wallet_asset: text },
        ...{ wallet_shape: text, is_prepaid: 'Bool', book_id: text, channel_id: text },
        ...{ period_start_us: micros, period_end_us: micros },
    },
} as const;

/** Filled from run.parameters. */
export const parameters = {
    name: 'parameters',
    order: ['period_start_us'],
    columns: { period_start_us: micros, period_end_us: micros },
} as const;

/** Compiled from the config: stored rows of usage, with their fields where they are read there. */
export const usageRows = (shape: EventShape) => ({
    name: 'usage_rows',
    order: ['event_id'],
    columns: {
        ...place,
        is_read: 'UInt8',
        ...{ source: text, event_id: text, event_type: text, account_id: text },
        ...{ authorization_id: maybeText, event_us: micros },
        ...Object.fromEntries(shape.attributes.map((name) => [name, maybeText])),
        ...Object.fromEntries(
            shape.quantities.map(({ name, type }) => [
                name,
                type === 'integer' ? 'Nullable(Int64)' : maybeExact,
            ]),
        ),
    },
});

/** Compiled from the config: the same of debit logs. */
export const debitRows = {
    name: 'debit_rows',
    order: ['account_id'],
    columns: {
        ...place,
        ...{ is_read: 'UInt8', input: text, entry_id: text, entry_type: text },
        ...{ authorization_id: maybeText, event_id: maybeText, account_id: text },
        ...{ wallet_id: maybeText, asset: text, amount: exact, quantity: maybeExact },
        ...{
            unit: maybeText,
            unit_price: maybeExact,
            price_version: maybeText,
            meter: maybeText,
            aggregated: maybeText,
            grant_id: maybeText,
        },
        ...{ reversal_of: maybeText, occurred_us: 'Nullable(Int64)', booked_us: micros },
        ...{ expires_us: 'Nullable(Int64)', sequence: 'Nullable(Int64)' },
        ...{ balance_before: maybeExact, balance_after: maybeExact, money_amount: maybeExact },
        ...{ money_currency: maybeText, is_simple: 'UInt8' },
    },
} as const;

/** Filled from rows that are not read there: what they name, so that nothing it is linked with stays. */
export const seenKeys = {
    name: 'seen_keys',
    order: ['kind', 'seen'],
    columns: { kind: text, seen: text },
} as const;

export const entries = {
    name: 'entries',
    order: ['entry_id'],
    columns: {
        ...place,
        ...{ input: text, entry_id: text, entry_type: text, authorization_id: maybeText },
        ...{ event_id: maybeText, account_id: text, wallet_id: maybeText, asset: text },
        ...{ amount: exact, quantity: maybeExact, reversal_of: maybeText, booked_us: micros },
        ...{ sequence: 'Nullable(Int64)', opening: maybeExact, closing: maybeExact },
        ...{ payer_id: maybeText, is_in_period: 'UInt8', effect: exact, is_simple: 'UInt8' },
    },
} as const;

export const touchedEvents = {
    name: 'touched_events',
    order: ['event_id'],
    columns: { event_id: text },
} as const;

/** Rows that come back. */
export const returned = {
    name: 'returned',
    order: ['role', 'object_no', 'line_no'],
    columns: { role: text, ...place, is_read: 'UInt8' },
} as const;
