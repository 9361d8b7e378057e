import { z } from 'zod';
import { instantText } from './line-item.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const entry = {
    /** From 1, without gaps: also the name of its object. */
    number: z.int().positive(),
    previous: z.union([hash, z.literal('')]),
    /** yyyy-MM. */
    period: z.string(),
    /** The run that was looked at. */
    run_id: z.string(),
    by: z.string(),
    reason: z.string(),
    at: instantText,
};

/** Of what one person proposes and another approves; left out where one is enough. */
const second = {
    /** It counts only once somebody else has approved it. */
    waits: z.literal(true).optional(),
    /** Number of the entry that is approved. */
    approves: z.int().positive().optional(),
};

/** Items that one entry is about at most: an entry is one small object. */
export const ITEMS_PER_ENTRY = 1_000;

/** An entry about items of a period: what a person said of them, as they were then. */
export const decisionSchema = z.strictObject({
    ...entry,
    kind: z.literal('decide'),
    act: z.enum(['assign', 'comment', 'resolve', 'reopen', 'approve']),
    /** What they are resolved as, or who owns them; empty for the others. */
    value: z.string(),
    items: z
        .array(
            z.strictObject({
                break_id: hash,
                /** What it came to: resolved is only that. */
                amount: z.string(),
                money_amount: z.string().nullable(),
            }),
        )
        .min(1)
        .max(ITEMS_PER_ENTRY),
    ...second,
});
export type Decision = z.infer<typeof decisionSchema>;

/** An entry about the lines of a payer: let go although they were held, held again, or approved to go. */
export const releaseSchema = z.strictObject({
    ...entry,
    kind: z.enum(['release', 'withdraw', 'approve']),
    payer_id: z.string(),
    /** sha256 of what held: more than that holds again. */
    open_sha256: hash,
    open_count: z.int().min(0),
    open_money: z.string(),
    currency: z.string(),
    unrated_count: z.int().min(0),
    ...second,
});
export type Release = z.infer<typeof releaseSchema>;
