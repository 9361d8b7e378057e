import { quoteName, quoteText } from '../duck/sql.ts';
import type { Meter } from '../schema/config.ts';
import { compileExpression } from './expression.ts';

/** What all meters are compiled from, however they aggregate. */

/** Nested cases that find the last boundary at or before an instant, in log2 steps. */
export function segmentSql(boundaries: readonly string[], before: string): string {
    if (boundaries.length === 0) return `timestamp ${quoteText(before)}`;
    const middle = Math.floor(boundaries.length / 2);
    const at = boundaries[middle] ?? before;
    const left = segmentSql(boundaries.slice(0, middle), before);
    const right = segmentSql(boundaries.slice(middle + 1), at);
    return `case when events.event_at < timestamp ${quoteText(at)} then ${left} else ${right} end`;
}

/** First instant of all: the segment before any rate began. */
export const beginning = '0001-01-01 00:00:00';

/** The condition of the events that a meter wants. */
export function filterSql(meter: Meter, columns: ReadonlySet<string>): string {
    const conditions = [
        ...(meter.event_type ? [`event_type = ${quoteText(meter.event_type)}`] : []),
        ...(meter.where ? [compileExpression(meter.where, columns).sql] : []),
    ];
    return conditions.length ? conditions.join(' and ') : 'true';
}

/** An attribute as a column of its own, apart from those of the event. */
export function keyName(attribute: string): string {
    return quoteName(`key_${attribute}`);
}

/**
 * Whose usage it is, which book prices it, and who sells it on: what an account is at the time of an
 * event. Usage is split where any of it changes, in the order of the columns of metered.usage.
 */
export const owner = [
    ...(['account_id', 'payer_id', 'pool_id', 'wallet_asset', 'currency', 'book_id'] as const),
    'channel_id',
] as const;

/** Whose lines usage is in: those of the operator, or those of the sales of a channel. */
export interface LineSide {
    /** The events, with who pays for them and by which book. */
    readonly events: string;
    /** Where the tables of those lines are: nothing, or the name of another database. */
    readonly tables: string;
}

/** What the operator bills. */
export const operatorSide: LineSide = { events: 'compiled.events', tables: '' };

/** Accounts that a line of an account shows: itself, and those it sums up. */
export const lineAccounts = (tables = '') => `select account_id from ${tables}billed.line_accounts
    where payer_id = $payer_id and line_account_id = $account_id`;
