import { z } from 'zod';
import { lateUsages } from './contract.ts';
import { deliveriesSchema } from './deliveries.ts';
import { focusSchema } from './focus.ts';
import { ladder } from './ladder.ts';
import { notifySchema } from './notice.ts';
import { decimal, name } from './scalars.ts';
import { strict } from './strict.ts';
import { didYouMean } from './suggest.ts';

const count = z.int().positive();
const whole = z.string().regex(/^\d+$/, {
    error: ({ input }) => `"${String(input)}" is not a whole number: write it like "200000"`,
});

const bucket = {
    bucket: z.string().min(1),
    endpoint: z.url().optional(),
    region: z.string().optional(),
    path_style: z.boolean().default(false),
};

const store = z.union([strict({ folder: z.string() }), strict(bucket)]);

/** A bucket in which the log and its runs are, and the folder in which they are made and read. */
const stateBucket = strict({
    ...bucket,
    prefix: z.string().default('').describe('What all keys of it begin with, like "tieout/acme".'),
    folder: z
        .string()
        .min(1)
        .default('.tieout')
        .describe('Working copy, beside the config: what is lost of it is fetched again.'),
    alone: z
        .boolean()
        .default(false)
        .describe('Nobody else writes there: for a store that overwrites what it should refuse.'),
});

const format = z.enum(['auto', 'ndjson', 'csv', 'parquet']).default('auto');

const quantitySource = z.union([
    z.string().transform((path) => ({ path, type: 'integer' as const, optional: false })),
    strict({
        path: z.string(),
        type: z.enum(['integer', 'decimal']).default('integer'),
        /** Missing counts as zero; without this a missing value suspends the row. */
        optional: z.boolean().default(false),
    }),
]);

const input = {
    name,
    prefix: z.string(),
    /** Under the prefix, with {date} as yyyy-MM-dd: only days of the period and after are read. */
    dates: z.string().includes('{date}').optional(),
    format,
    delimiter: z.string().length(1).default(','),
    /** Field of tieout to path (NDJSON) or column (CSV, Parquet): overrides the preset. */
    columns: z.record(z.string(), z.string()).default({}),
    /** Fixed values for fields the input does not carry, e.g. source. */
    constants: z.record(z.string(), z.string()).default({}),
    values: z
        .record(z.string(), z.record(z.string(), z.string()))
        .default({})
        .describe('Of a field, what stands for what: { asset: { "700": USD } }.'),
    instants: z
        .enum(['rfc3339', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds'])
        .default('rfc3339')
        .describe('How times are written: numbers count from 1970.'),
};

const usagePreset = z.enum([
    'cloudevents',
    'openmeter',
    'm3ter',
    'metronome',
    'orb',
    'lago',
    'stripe_meter',
    'credyt',
    'none',
]);
const debitPreset = z.enum([
    'neutral',
    'credyt',
    'stripe_credits',
    'lago_wallet',
    'tigerbeetle',
    'orb_credits',
    'openmeter_credits',
    'none',
]);

const usageInput = strict({
    ...input,
    preset: usagePreset.default('cloudevents'),
    attributes: z.record(name, z.string()).default({}),
    quantities: z.record(name, quantitySource).default({}),
});

const debitInput = strict({
    ...input,
    preset: debitPreset.default('neutral'),
    minor_units: z
        .record(z.string(), z.int().min(0).max(12))
        .optional()
        .describe(
            'Amounts are whole numbers: of each asset, how many of their digits are decimals.',
        ),
    wallet_codes: z
        .array(whole)
        .default([])
        .describe('For tigerbeetle: the codes of accounts that are wallets.'),
});

/** Days of the week as a calendar names them, Monday first. */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const day = z.enum(weekdays, {
    error: ({ input }) =>
        `"${String(input)}" is not a day of the week. ${didYouMean(String(input), weekdays)}`,
});

/** A span of civil time: on the days and dates it names, on every day when it names none. */
const calendarWindow = strict({
    is: z.string().min(1).describe('The value of events in the window.'),
    days: z.array(day).min(1).optional().describe('Days of the week on which it begins.'),
    dates: z
        .array(z.string())
        .min(1)
        .optional()
        .describe('Dates on which it begins, like "2026-02-16"; with days, these as well.'),
    from: z.string().default('00:00').describe('First civil time, like "22:30".'),
    to: z
        .string()
        .default('24:00')
        .describe('First civil time after it; one before `from` is on the next day.'),
});

/** Civil times of the event in a zone; the first window that holds it names it. */
const calendar = strict({
    zone: z.string().describe('IANA time zone, like Asia/Shanghai.'),
    windows: z.array(calendarWindow).min(1),
    otherwise: z.string().min(1).describe('The value of events in no window.'),
});

const derived = z.union([
    strict({
        band: name,
        steps: z.array(strict({ up_to: whole.optional(), is: z.string() })).min(1),
    }),
    strict({
        map: name,
        values: z.record(z.string(), z.string()),
        otherwise: z.string().optional(),
    }),
    strict({ sql: z.string() }),
    strict({ calendar }),
]);

const aggregationKind = z.enum([
    'sum',
    'count',
    'unique_count',
    'min',
    'max',
    'latest',
    'average',
    'percentile',
    'weighted_sum',
]);

const above = decimal.refine((text) => /[1-9]/.test(text), 'must be above zero');

const meter = strict({
    meter: name,
    event_type: z.string().optional(),
    where: z.string().optional(),
    /** `formula` makes a quantity out of other meters; all others make it out of events. */
    aggregation: z.enum([...aggregationKind.options, 'formula']),
    unit: z.string(),
    attributes: z.array(name).default([]),
    /** Expression over the event: a number, or for unique_count a text. `value` says the same. */
    quantity: z.string().optional(),
    value: z.string().optional(),
    token_classes: z.record(name, z.string()).optional(),
    /** For percentile, "0" to "100". */
    percentile: z.string().optional(),
    /** `of` within each window, then `aggregation` over the windows. */
    window: strict({
        unit: z.enum(['minute', 'hour', 'day', 'month']),
        of: aggregationKind,
        zone: z.string().default('UTC'),
    }).optional(),
    /** Whether values are levels that hold, or steps from one level to the next. */
    values: z.enum(['levels', 'deltas']).optional(),
    /** Where the level at the start of the period comes from: events before it, or zero. */
    opening: z.enum(['carried', 'zero']).optional(),
    /** For unique_count: an expression that gives add or remove. */
    operation: z.string().optional(),
    unit_conversion: strict({
        divide_by: above.optional(),
        multiply_by: above.optional(),
        rounding: z.enum(['up', 'down', 'nearest', 'none']).default('none'),
        decimals: z.int().min(0).max(12).default(0),
    }).optional(),
    /** For formula: meters of the same attributes, decimals, + - * and ( ). */
    formula: z.string().optional(),
    /** false: only a part of formulas; nothing prices it. */
    rated: z.boolean().default(true),
});

/** What one unit of an asset is worth in money, from an instant until the next of that currency. */
const assetRate = strict({
    currency: z.string().describe('ISO 4217.'),
    rate: decimal.describe('Money of one unit, like "0.000002".'),
    from: z.string().describe('First instant, with its zone: 2026-01-01T00:00:00Z.'),
});

const asset = strict({
    kind: z.enum(['currency', 'unit']),
    precision: z.int().min(0).max(12),
    counts: name.optional(),
    rates: z.array(assetRate).optional(),
});

/** A server, or a cluster, that does the event-scale work of a night. Who asks is of the environment. */
const clickhouse = strict({
    url: z.url().describe('Of its HTTP interface, like "https://clickhouse.example:8443".'),
    database: z.string().min(1).optional(),
    cluster: name
        .optional()
        .describe('Reads objects on all nodes of it; left out, on the one server.'),
    collection: name
        .optional()
        .describe('Named collection of the server that opens the bucket; left out, its own role.'),
    endpoint: z
        .url()
        .optional()
        .describe('Of the bucket as the server reaches it, where that is not `store.endpoint`.'),
    returned_rows: count
        .default(2_000_000)
        .describe('More rows than that, whose outcome is not certain there, stop a run.'),
});

const wallet = strict({
    accounts: z.string(),
    asset: z.string(),
    shape: z.enum(['instant', 'two_phase', 'aggregated']),
    /** prepaid: what it was debited is paid for, and not invoiced again; postpaid: it only counts. */
    funding: z.enum(['prepaid', 'postpaid']).default('prepaid'),
});

const tolerance = strict({
    absolute: decimal.default('0'),
    percent: decimal.default('0'),
    cap: decimal.optional(),
    total: decimal
        .optional()
        .describe(
            'What may be accepted of a payer in a run, differences added without their signs; all ' +
                'of it is a break once it is more. None: no limit.',
        ),
});

/** tieout.yaml, as a person writes it. Unknown keys are errors. */
export const configSchema = strict({
    name,
    store,
    state: z
        .union([z.string().min(1), stateBucket])
        .default('.tieout')
        .describe('The log of what counts and its runs: a folder beside the config, or a bucket.'),
    rate_card: z.string(),
    /** A file beside the config: which accounts are priced by which cards instead, and when. */
    contracts: z.string().optional(),
    openings: z
        .string()
        .optional()
        .describe(
            'A CSV file beside the config: what terms and commitments counted before the period, ' +
                'and what was left of grants. Or `previous`: as the run of the period before says.',
        ),
    /** A CSV file beside the config: what prices are converted by for payers of other currencies. */
    currency_rates: z.string().optional(),
    /** Days before the period after which a row of it says nothing any more. */
    currency_rates_max_age_days: z.int().min(0).default(31),
    late_usage: z
        .enum(lateUsages)
        .default('delta')
        .describe(
            'What is found after a period was closed: delta bills the difference in the open one, ' +
                'restate asks to reopen it. A contract may say otherwise.',
        ),
    /** A file beside the config, or `object:KEY` in the store. */
    accounts: z.string(),
    assets: z.union([z.string(), z.record(z.string(), asset)]),
    usage: z.array(usageInput).min(1),
    debits: z.array(debitInput).default([]),
    derived: z.record(name, derived).default({}),
    meters: z.array(meter).min(1),
    /** What a debit may count, as an expression over the event. */
    counts: z.record(name, z.string()).default({}),
    /** Asset to the count its debits are in, or whose number they carry as quantity. */
    asset_counts: z.record(z.string(), name).default({}),
    wallets: z.array(wallet).default([]),
    tolerances: z.record(z.string(), tolerance).default({}),
    reconcile: ladder,
    hold: strict({ absolute: decimal.default('0'), percent: decimal.default('0') }).default({
        absolute: '0',
        percent: '0',
    }),
    decisions: strict({
        approve_above: decimal
            .optional()
            .describe(
                'Resolutions and releases worth more, in each currency, wait for a second person. None: one is enough.',
            ),
    }).prefault({}),
    open_hold_hours: count.default(24),
    limits: strict({
        objects: count.default(100_000),
        line_bytes: count.default(1_048_576),
        suspense_percent: decimal.default('1'),
        breaks: count
            .default(200_000)
            .describe('More breaks than that stop a run: they have one cause, and are no list.'),
    }).prefault({}),
    engine: strict({
        memory: z.string().default('6GB'),
        threads: count.optional(),
        concurrency: count.default(8),
        /** Whether a run goes on from the one before it of its period. */
        incremental: z.boolean().default(true),
        clickhouse: clickhouse.optional().describe('Does mediation, metering and matching there.'),
    }).prefault({}),
    keep: strict({
        lake_days: count
            .default(400)
            .describe(
                'Days after the close of all periods that need them for which rows are kept.',
            ),
        run_days: count
            .default(90)
            .describe('Days for which the tables of a run are kept once another took its place.'),
    }).prefault({}),
    deliveries: deliveriesSchema
        .optional()
        .describe('Where `tieout deliver` takes lines to, and what they are called there.'),
    /** What `tieout export focus` says of the seller and the service. */
    focus: focusSchema.optional(),
    /** Who is told of runs, reconciliations and closings. */
    notify: notifySchema.optional(),
});

export type Config = z.infer<typeof configSchema>;
export type UsageInput = Config['usage'][number];
export type DebitInput = Config['debits'][number];
export type Meter = Config['meters'][number];
export type Derived = Config['derived'][string];
export type Calendar = z.infer<typeof calendar>;
export type CalendarWindow = Calendar['windows'][number];
export type StateBucket = z.infer<typeof stateBucket>;
export type Asset = z.infer<typeof asset>;

export const assetFileSchema = z.array(
    z.object({
        asset: z.string(),
        kind: z.enum(['currency', 'unit']),
        precision: z.int().min(0).max(12),
        counts: z.string().optional(),
        rates: z.array(assetRate).optional(),
    }),
);
