import type { DebitInput, UsageInput } from '../schema/config.ts';
import { debitPresets } from './debit-presets.ts';
import {
    type Decimals,
    firstOf,
    type Instants,
    type Preset,
    type Signs,
    type Source,
} from './preset.ts';
import { usagePresets } from './usage-presets.ts';

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
    'unit_price',
    'price_version',
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

/** How the fields of one input are read: its preset, and what the config says instead. */
export interface Reading {
    readonly fields: Readonly<Record<string, Source>>;
    readonly constants: Readonly<Record<string, string>>;
    readonly values: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly instants: Instants;
    readonly decimals: Decimals | null;
    readonly wrapper: string | null;
    readonly each: string | null;
    readonly signs: Signs | null;
    readonly envelope: Source | null;
}

/** Presets of flat rows, which any format can hold. All others are shapes of JSON. */
const flat: ReadonlySet<string> = new Set(['cloudevents', 'neutral', 'none']);

/** Whether an input can be read from CSV and Parquet too. */
export const isFlat = ({ preset }: UsageInput | DebitInput): boolean => flat.has(preset);

/** The neutral debit entry: every field under its own name. */
const neutral: Preset = { fields: Object.fromEntries(debitFields.map((field) => [field, field])) };

/** How a usage input is read. */
export const usageReading = (input: UsageInput): Reading =>
    readingOf(input, usagePresets[input.preset]);

const debitPreset = (input: DebitInput): Preset<DebitField> =>
    input.preset === 'neutral' ? neutral : debitPresets[input.preset](input);

/** Debit inputs whose captures end their holds, sorted. */
export const finalInputs = (inputs: readonly DebitInput[]): readonly string[] =>
    inputs
        .filter((input) => debitPreset(input).capturesEndHolds)
        .map(({ name }) => name)
        .sort();

/** How a debit input is read. */
export function debitReading(input: DebitInput): Reading {
    const reading = readingOf(input, debitPreset(input));
    const { minor_units: decimals } = input;
    return decimals ? { ...reading, decimals: { of: decimals, otherwise: null } } : reading;
}

function readingOf(input: UsageInput | DebitInput, preset: Preset): Reading {
    const { columns, constants, values, instants } = input;
    const known = Object.entries(preset.constants ?? {}).filter(([field]) => !(field in columns));
    return {
        fields: Object.fromEntries(
            Object.entries({ ...preset.fields, ...columns }).flatMap(([field, of]) =>
                of === undefined ? [] : [[field, sourceOf(of, preset.wrapper)]],
            ),
        ),
        constants: { ...(Object.fromEntries(known) as Record<string, string>), ...constants },
        values: merged(preset.values ?? {}, values),
        instants: instants === 'rfc3339' ? (preset.instants ?? instants) : instants,
        decimals: preset.decimals ?? null,
        wrapper: preset.wrapper ?? null,
        each: preset.each ?? null,
        signs: preset.signs ?? null,
        envelope: preset.envelope ?? null,
    };
}

/** Where something is that is called by its path or by a source. */
export function sourceOf(of: string | Source, wrapper?: string | null): Source {
    if (typeof of !== 'string') return of;
    return wrapper ? firstOf(`${wrapper}.${of}`, of) : { paths: [of] };
}

type Values = Readonly<Partial<Record<string, Readonly<Record<string, string>>>>>;

function merged(preset: Values, own: Values): Reading['values'] {
    const fields = [...new Set([...Object.keys(preset), ...Object.keys(own)])];
    return Object.fromEntries(fields.map((field) => [field, { ...preset[field], ...own[field] }]));
}

/** Field to column of an input that any format can hold. */
export function flatColumns(reading: Reading): Readonly<Record<string, string>> {
    return Object.fromEntries(
        Object.entries(reading.fields).flatMap(([field, { paths }]) =>
            paths.map((path) => [field, path]),
        ),
    );
}
