import { z } from 'zod';

/** Decimal text: no exponent, no thousands. Amounts and quantities cross every border as this. */
export const decimalText = z.string().regex(/^-?\d+(\.\d+)?$/, 'must be a decimal number as text');

/** An instant as text: UTC, microseconds at most, ends in Z. */
export const instantText = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$/);

/**
 * One invoice row. Grain: line_key. Ordered by payer_id, account_id, product, attributes,
 * service_start, line_key wherever it is written.
 */
export const lineItem = z.object({
    /** sha256 hex of what the line is: the same in every run. */
    line_key: z.string(),
    /** payer_id, period and currency: one invoice. */
    invoice_key: z.string(),
    line_type: z.enum([
        'usage',
        'fee',
        'overage',
        'commitment_fee',
        'commitment_consumed',
        'true_up',
        'balance_consumed',
        'wallet_settlement',
        'debit_adjustment',
        'credit_adjustment',
    ]),
    payer_id: z.string(),
    payer_name: z.string(),
    account_id: z.string(),
    account_name: z.string(),
    product: z.string(),
    meter: z.string(),
    /** Canonical JSON text, keys sorted: {"context_band":"long","model":"x"}. */
    attributes: z.string(),
    description: z.string(),
    /** Half-open. The whole billing period in the payer's zone. */
    period_start: instantText,
    period_end: instantText,
    /** Half-open. The part of the period this rate was in force for. */
    service_start: instantText,
    service_end: instantText,
    time_zone: z.string(),
    quantity: decimalText,
    unit: z.string(),
    unit_price: decimalText,
    rate_id: z.string(),
    card: z.string(),
    card_version: z.string(),
    /** Never rounded before the line. */
    amount_exact: decimalText,
    /** Rounded once, to the currency's ISO 4217 exponent. */
    amount: decimalText,
    amount_minor: z.bigint(),
    currency: z.string(),
    /** The commitment or grant that it is of, and what of which asset paid; null of usage. */
    commitment_id: z.string().nullable(),
    grant_id: z.string().nullable(),
    asset: z.string().nullable(),
    asset_amount: decimalText.nullable(),
    /** Of an adjustment: the line and the closed period that it corrects, and what found it. */
    corrects_line_key: z.string().nullable(),
    corrects_period: z.string().nullable(),
    backfill_id: z.string().nullable(),
    /** held: the payer's breaks are over tolerance; the line must not be delivered. */
    recon_status: z.enum(['clear', 'held', 'unauditable']),
});
export type LineItem = z.infer<typeof lineItem>;

/** Whether a line is of a rate: metered usage, or a fee. All others are beside it. */
export function isCharged({ line_type }: LineItem): boolean {
    return line_type === 'usage' || line_type === 'fee';
}
