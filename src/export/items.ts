import type { ItemNote, OpenItem, Proposal } from '../schema/item.ts';
import { type Column, toCsv } from './csv.ts';

/** One line for a note: who, when, what and why. */
const noteText = ({ act, value, by, at, reason, waits }: ItemNote) =>
    `${at} ${by}: ${[waits ? 'propose' : act, value, reason].filter(Boolean).join(' ')}`;

const proposalText = ({ value, by, at }: Proposal) => `${at} ${by}: ${value}`;

/** The columns of items.csv, in order. */
const kinds: { readonly [K in keyof OpenItem]: Column<OpenItem>['kind'] } = {
    period: 'text',
    break_id: 'text',
    code: 'text',
    break_key: 'text',
    status: 'text',
    owner: 'text',
    accepted_by: 'text',
    age_days: 'decimal',
    age_bucket: 'text',
    payer_id: 'text',
    account_id: 'text',
    asset: 'text',
    amount: 'decimal',
    money_amount: 'decimal',
    currency: 'text',
    first_at: 'text',
    first_seen_at: 'text',
    first_seen_run: 'text',
    last_seen_at: 'text',
    cleared_at: 'text',
    cleared_by: 'text',
    reopened_because: 'text',
    proposed: 'text',
    notes: 'text',
};

const itemColumns: readonly Column<OpenItem>[] = Object.entries(kinds).map(([header, kind]) => ({
    ...{ header, kind },
    value: (item) => {
        if (header === 'notes') return item.notes.map(noteText).join('\n');
        if (header === 'proposed') return item.proposed && proposalText(item.proposed);
        return item[header as Exclude<keyof OpenItem, 'notes' | 'proposed'>] ?? null;
    },
}));

/** items.csv: every break as it is followed, one row a period and break, in the order given. */
export function itemsCsv(items: Iterable<OpenItem>): string {
    return toCsv(items, itemColumns);
}
