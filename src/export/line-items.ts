import type { LineItem } from '../schema/line-item.ts';
import { type Column, toCsv } from './csv.ts';
import { compareLineItems } from './order.ts';

/** The columns of line_items.csv, in the order of the schema. */
const kinds: { readonly [K in keyof LineItem]: Column<LineItem>['kind'] } = {
    line_key: 'text',
    invoice_key: 'text',
    line_type: 'text',
    payer_id: 'text',
    payer_name: 'text',
    account_id: 'text',
    account_name: 'text',
    product: 'text',
    meter: 'text',
    attributes: 'text',
    description: 'text',
    period_start: 'text',
    period_end: 'text',
    service_start: 'text',
    service_end: 'text',
    time_zone: 'text',
    quantity: 'decimal',
    unit: 'text',
    unit_price: 'decimal',
    rate_id: 'text',
    card: 'text',
    card_version: 'text',
    amount_exact: 'decimal',
    amount: 'decimal',
    amount_minor: 'decimal',
    currency: 'text',
    commitment_id: 'text',
    grant_id: 'text',
    asset: 'text',
    asset_amount: 'decimal',
    corrects_line_key: 'text',
    corrects_period: 'text',
    backfill_id: 'text',
    recon_status: 'text',
};

export const lineItemColumns: readonly Column<LineItem>[] = Object.entries(kinds).map(
    ([header, kind]) => ({ header, kind, value: (line) => line[header as keyof LineItem] }),
);

/**
 * line_items.csv: every line of the run, held ones too, one row per `line_key`, in canonical order.
 * Instants are UTC and half-open; decimals are exact text.
 */
export function lineItemsCsv(lines: Iterable<LineItem>): string {
    return toCsv([...lines].sort(compareLineItems), lineItemColumns);
}
