import { z } from 'zod';
import { decimalText, instantText } from './line-item.ts';

/** What may be behind a difference, in the order in which several are said. */
export const causes = ['late_events', 'rate_change', 're_parenting', 'rule_fix'] as const;
export type Cause = (typeof causes)[number];

/** Several causes of one line: `late_events+rate_change`. */
const causeText = z.string().regex(/^[a-z_]+(\+[a-z_]+)*$/);

const digits = z.string().regex(/^-?\d+$/);

const moved = {
    currency: z.string(),
    /** What was billed: the run that was closed, with its corrections since. */
    old: decimalText,
    new: decimalText,
    delta: decimalText,
};

const line = z.strictObject({
    line_key: z.string(),
    line_type: z.string(),
    payer_id: z.string(),
    account_id: z.string(),
    product: z.string(),
    description: z.string(),
    service_start: instantText,
    service_end: instantText,
    ...moved,
    delta_minor: digits,
    cause: causeText,
});

/**
 * TIMING_LATE: what was debited in the period of an account, by the log as it was when the period was
 * billed and as it is now. It need not change a line: only a prepaid wallet pays for usage.
 */
const lateDebit = z.strictObject({
    payer_id: z.string(),
    account_id: z.string(),
    asset: z.string(),
    old: decimalText,
    new: decimalText,
    delta: decimalText,
});

/** Why differences of a payer are not billed as corrections. */
export const refusals = ['restate', 'held', 'closings', 'payer'] as const;
export type RefusalReason = (typeof refusals)[number];

const period = z.strictObject({
    /** yyyy-MM. */
    period: z.string(),
    is_closed: z.boolean(),
    /** The open period that bills the corrections of a closed one; null of an open one. */
    bills_in: z.string().nullable(),
    /** Corrections of it that counted as billed. */
    corrections: z.array(
        z.strictObject({
            kind: z.enum(['backfill', 'revert']),
            backfill_id: z.string(),
            bills_in: z.string(),
        }),
    ),
    refused: z.array(
        z.strictObject({ payer_id: z.string(), why: z.enum(refusals), detail: z.string() }),
    ),
    /** What the next month opens with once it is applied; null where that stays as it is. */
    closings: z.string().nullable(),
    payers: z.array(
        z.strictObject({
            payer_id: z.string(),
            payer_name: z.string(),
            ...moved,
            delta_minor: digits,
        }),
    ),
    products: z.array(z.strictObject({ payer_id: z.string(), product: z.string(), ...moved })),
    lines: z.array(line),
    /** Absent where the log still says what it said: most months. */
    late_debits: z.array(lateDebit).optional(),
});

/**
 * diff.json of a backfill: what was billed, what would be, and why. Never changed. It names no run, so that
 * the same differences are the same backfill, by whatever run they were found.
 */
export const backfillSchema = z.strictObject({
    document: z.literal('tieout/backfill/1'),
    periods: z.array(period),
});
export type Backfill = z.infer<typeof backfillSchema>;
export type BackfillPeriod = Backfill['periods'][number];
export type BackfillLine = BackfillPeriod['lines'][number];
export type Refusal = BackfillPeriod['refused'][number];

/** Lines whose differences are billed as corrections, once the backfill is applied. */
export function correctable({ lines, refused }: BackfillPeriod): readonly BackfillLine[] {
    const isRefused = new Set(refused.map(({ payer_id }) => payer_id));
    return lines.filter(({ payer_id }) => !isRefused.has(payer_id));
}

/** How the differences of a period were found: shown, and named by the log where they are applied. */
export interface Provenance {
    /** Null where no run speaks for the period. */
    readonly billed: { readonly run_id: string; readonly run_digest: string } | null;
    readonly candidate: { readonly run_id: string; readonly run_digest: string };
    readonly as_of: string;
    /** Lines of sellers to their buyers are not the same: they are not compared, nor corrected. */
    readonly has_other_sales: boolean;
    /** What the two were made of and is not the same. */
    readonly evidence: {
        readonly objects: {
            readonly added: number;
            readonly gone: number;
            readonly changed: number;
        };
        readonly rules: readonly string[];
        readonly is_other_code: boolean;
    };
}
