import { z } from 'zod';
import { instantText } from './line-item.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** One entry of the log of what counts: which run speaks for a period, and whether it is closed. */
export const commitSchema = z.strictObject({
    /** From 1, without gaps: also the name of its object. */
    number: z.int().positive(),
    /** sha256 of the entry before it; empty for the first. */
    previous: z.union([hash, z.literal('')]),
    kind: z.enum(['run', 'close', 'reopen']),
    /** One that only reconciles writes no lines. */
    pipeline: z.enum(['nightly', 'reconcile']),
    /** yyyy-MM. */
    period: z.string(),
    /** The run that speaks for the period from here on, or that was closed or reopened. */
    run_id: z.string(),
    run_digest: hash,
    /** sha256 of its certificate: the certificate names every output with its own. */
    certificate_sha256: hash,
    /** Who did it; empty for a run, which a schedule starts. */
    by: z.string(),
    /** Why; empty for a run. */
    reason: z.string(),
    at: instantText,
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
