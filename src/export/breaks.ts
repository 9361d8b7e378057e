import type { Break } from '../schema/break.ts';
import { type Column, toCsv } from './csv.ts';
import { compareBreaks } from './order.ts';

/** The columns of breaks.csv, in the order of the schema. */
const kinds: { readonly [K in keyof Break]: Column<Break>['kind'] } = {
    break_id: 'text',
    code: 'text',
    break_key: 'text',
    payer_id: 'text',
    account_id: 'text',
    asset: 'text',
    amount: 'decimal',
    expected: 'decimal',
    actual: 'decimal',
    money_amount: 'decimal',
    currency: 'text',
    event_id: 'text',
    authorization_id: 'text',
    entry_ids: 'text',
    first_at: 'text',
    age_days: 'decimal',
    detail: 'text',
    action: 'text',
    accepted_by: 'text',
};

export const breakColumns: readonly Column<Break>[] = Object.entries(kinds).map(
    ([header, kind]) => ({ header, kind, value: (item) => item[header as keyof Break] }),
);

/** breaks.csv: every open break, one row per `break_id`, ordered by payer, account, asset, code. */
export function breaksCsv(breaks: Iterable<Break>): string {
    return toCsv([...breaks].sort(compareBreaks), breakColumns);
}
