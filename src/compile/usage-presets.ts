import type { UsageInput } from '../schema/config.ts';
import { firstOf, type Preset } from './preset.ts';
import type { UsageField } from './presets.ts';

/*
 * Usage events in the shapes that others write them in. What a shape has no field for, above all a
 * source, is a constant that tieout.yaml may override: docs/inputs.md has a table for each.
 */

/**
 * CloudEvents 1.0 (cloudevents/spec, v1.0.2): `source` + `id` identify an event, `subject` is the
 * account by convention, and for Parquet or CSV the attributes are columns of the same names.
 */
const cloudevents: Preset<UsageField> = {
    fields: {
        source: 'source',
        event_id: 'id',
        event_type: 'type',
        account_id: 'subject',
        event_at: 'time',
    },
    envelope: {
        paths: ['specversion'],
        sql: (version) => [`${version} is distinct from '1.0'`],
    },
};

/** OpenMeter: CloudEvents as they are sent, or as its list of events gives them back, in `event`. */
const openmeter: Preset<UsageField> = {
    wrapper: 'event',
    fields: cloudevents.fields,
    envelope: {
        paths: ['event.specversion', 'specversion'],
        sql: (listed, sent) => [`coalesce(${listed}, ${sent}, '1.0') <> '1.0'`],
    },
};

/** m3ter measurements: `uid` is unique for an organisation, `account` is the code of the account. */
const m3ter: Preset<UsageField> = {
    fields: { event_id: 'uid', event_type: 'meter', account_id: 'account', event_at: 'ts' },
    constants: { source: 'm3ter' },
};

const metronome: Preset<UsageField> = {
    fields: {
        event_id: 'transaction_id',
        event_type: 'event_type',
        account_id: 'customer_id',
        event_at: 'timestamp',
    },
    constants: { source: 'metronome' },
};

/** Orb: as they are sent, or as a search gives them back, where the key is called `id`. */
const orb: Preset<UsageField> = {
    fields: {
        event_id: firstOf('idempotency_key', 'id'),
        event_type: 'event_name',
        account_id: firstOf('external_customer_id', 'customer_id'),
        event_at: 'timestamp',
    },
    constants: { source: 'orb' },
};

/**
 * Lago: a transaction_id is unique within its subscription only, which is therefore the source. The
 * account is the customer, in events that still name one, else the subscription.
 */
const lago: Preset<UsageField> = {
    fields: {
        source: firstOf('external_subscription_id', 'external_customer_id'),
        event_id: 'transaction_id',
        event_type: 'code',
        account_id: firstOf('external_customer_id', 'external_subscription_id'),
        event_at: 'timestamp',
    },
    instants: 'seconds',
};

/** Stripe meter events, with the default keys of their payload. */
const stripeMeter: Preset<UsageField> = {
    fields: {
        event_id: 'identifier',
        event_type: 'event_name',
        account_id: 'payload.stripe_customer_id',
        event_at: 'timestamp',
    },
    constants: { source: 'stripe' },
    instants: 'seconds',
};

/** Credyt events as they are read back: each with its customer. */
const credyt: Preset<UsageField> = {
    fields: {
        event_id: 'id',
        event_type: 'event_type',
        account_id: 'customer_id',
        event_at: 'occurred_at',
    },
    constants: { source: 'credyt' },
};

export const usagePresets: Readonly<Record<UsageInput['preset'], Preset>> = {
    cloudevents,
    openmeter,
    m3ter,
    metronome,
    orb,
    lago,
    stripe_meter: stripeMeter,
    credyt,
    none: { fields: {} },
};
