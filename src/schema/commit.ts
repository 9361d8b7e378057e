import { z } from 'zod';
import { instantText } from './line-item.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * One entry of the log of what counts: which run speaks for a period, whether it is closed, and what
 * corrects it in a later one.
 */
export const commitSchema = z.strictObject({
    /** From 1, without gaps: also the name of its object. */
    number: z.int().positive(),
    /** sha256 of the entry before it; empty for the first. */
    previous: z.union([hash, z.literal('')]),
    kind: z.enum(['run', 'close', 'reopen', 'backfill', 'revert']),
    /** One that only reconciles writes no lines. */
    pipeline: z.enum(['nightly', 'reconcile']),
    /** yyyy-MM. Of a backfill, the closed period that is corrected. */
    period: z.string(),
    /** The run that speaks for the period from here on, or that was closed, reopened or corrected. */
    run_id: z.string(),
    run_digest: hash,
    /** sha256 of its certificate: the certificate names every output with its own. */
    certificate_sha256: hash,
    /** Who did it; empty for a run that a schedule started. */
    by: z.string(),
    /** Why; empty for such a run. */
    reason: z.string(),
    at: instantText,
    /** Of a backfill or its reversal alone: what it corrects by, and where that is billed. */
    backfill: z
        .strictObject({
            /** Folder of it below `backfills`. */
            id: z.string().regex(/^[0-9a-f]{12}$/),
            /** sha256 of its diff.json, which has the lines. */
            diff_sha256: hash,
            /** The open period, yyyy-MM, whose runs bill it from here on. */
            bills_in: z.string(),
            /** The run that was compared with what was billed; none of a reversal. */
            candidate_run_id: z.string().optional(),
        })
        .optional(),
});
export type Commit = z.infer<typeof commitSchema>;

/** An entry that says that an identifier was erased from the lake. It does not say which. */
export const erasureSchema = z.strictObject({
    number: z.int().positive(),
    previous: z.union([hash, z.literal('')]),
    kind: z.literal('erase'),
    /** What stands in its place. */
    stand_in: z.string().regex(/^erased-[0-9a-f]{16}$/),
    /** How many rows held it. */
    row_count: z.int().min(0),
    /** Batches that held it, and what took the place of each; empty of one that nothing read. */
    batches: z.array(z.strictObject({ input: z.string(), from: z.string(), to: z.string() })),
    by: z.string(),
    reason: z.string(),
    at: instantText,
});
export type Erasure = z.infer<typeof erasureSchema>;
