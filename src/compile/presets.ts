import type { DebitInput, UsageInput } from '../schema/config.ts';

/** The fixed fields of a usage event, in contract order. */
export const usageFields = [
    'source',
    'event_id',
    'event_type',
    'account_id',
    'authorization_id',
    'event_at',
] as const;

/** The fixed fields of a debit entry, in contract order. */
export const debitFields = [
    'entry_id',
    'entry_type',
    'authorization_id',
    'event_id',
    'account_id',
    'wallet_id',
    'asset',
    'amount',
    'quantity',
    'unit',
    'meter',
    'aggregated',
    'grant_id',
    'reversal_of',
    'occurred_at',
    'booked_at',
    'expires_at',
    'sequence',
    'balance_before',
    'balance_after',
    'money_amount',
    'money_currency',
] as const;

export type UsageField = (typeof usageFields)[number];
export type DebitField = (typeof debitFields)[number];

/**
 * CloudEvents 1.0 (cloudevents/spec, v1.0.2): `source` + `id` identify an event, `subject` is the
 * account by convention, and for Parquet or CSV the attributes are columns of the same names.
 */
const cloudevents: Partial<Record<UsageField, string>> = {
    source: 'source',
    event_id: 'id',
    event_type: 'type',
    account_id: 'subject',
    event_at: 'time',
};

/** The neutral debit entry: every field under its own name. */
const neutral = Object.fromEntries(debitFields.map((field) => [field, field]));

/** Field to path for one usage input: the preset, then what the config overrides. */
export function usageColumns(input: UsageInput): Readonly<Record<string, string>> {
    return { ...(input.preset === 'cloudevents' ? cloudevents : {}), ...input.columns };
}

/** Field to path for one debit input. */
export function debitColumns(input: DebitInput): Readonly<Record<string, string>> {
    return { ...(input.preset === 'neutral' ? neutral : {}), ...input.columns };
}
