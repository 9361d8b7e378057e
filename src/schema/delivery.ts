import { z } from 'zod';
import { decimalText, instantText } from './line-item.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * Where one parcel is on its way, one object a step. `sent` is written before the first byte goes out:
 * from then on nobody knows what the target has until it was asked.
 */
export const deliveryRecord = z.strictObject({
    /** From 1, without gaps, per parcel: also the name of its object. */
    number: z.int().positive(),
    state: z.enum(['planned', 'sent', 'acknowledged', 'verified', 'rejected']),
    parcel_key: z.string(),
    payload_sha256: hash,
    period: z.string(),
    /** The run whose lines it holds. */
    run_id: z.string(),
    payer_id: z.string(),
    currency: z.string(),
    line_count: z.int().min(0),
    amount: decimalText,
    /** The amount by product; none where it is a quantity, and no money. */
    products: z.array(z.strictObject({ product: z.string(), amount: decimalText })),
    /** What the target calls it; null before it answered. */
    remote_id: z.string().nullable(),
    /** Why it was rejected, or what else there is to say; empty for nothing. */
    detail: z.string(),
    by: z.string(),
    /** Of one start of the command, by chance: two at the same instant are not one. */
    start_id: z.string(),
    at: instantText,
});
export type DeliveryRecord = z.infer<typeof deliveryRecord>;
export type DeliveryState = DeliveryRecord['state'];

/** What the outbox of a target has of a period: the last record of each parcel. */
export interface TargetDeliveries {
    readonly target: string;
    readonly records: readonly DeliveryRecord[];
}

/** Totals of one currency of a delivery, as we have them and as the target says. */
export interface DeliveryTie {
    readonly currency: string;
    readonly payer_id: string;
    readonly ours: { readonly line_count: number; readonly amount: string };
    readonly theirs: { readonly line_count: number; readonly amount: string };
}
