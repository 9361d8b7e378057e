import type { Break } from './break.ts';

/**
 * A break as it is followed from night to night and from period to period. Grain: period and
 * break_id. A run says of each what it knows; what people decided is in the log.
 */
export interface Item
    extends Pick<
        Break,
        | 'break_id'
        | 'code'
        | 'break_key'
        | 'payer_id'
        | 'account_id'
        | 'asset'
        | 'amount'
        | 'money_amount'
        | 'currency'
        | 'first_at'
        | 'accepted_by'
    > {
    /** The period whose run found it; an earlier one where it was carried into this. */
    readonly period: string;
    /** As of when a run first said so, and which. */
    readonly first_seen_at: string;
    readonly first_seen_run: string;
    /** As of when a run last found it. */
    readonly last_seen_at: string;
    /** As of when it was gone; null while it is there. */
    readonly cleared_at: string | null;
    readonly cleared_by: Clearing | null;
}

/** `gone`: no longer found in its period. `offset`: the other side arrived in a later one. */
export type Clearing = 'gone' | 'offset';

/** How a person resolves an open item. None of it changes a line. */
export const resolutions = ['explained', 'accepted', 'written_off'] as const;
export type Resolution = (typeof resolutions)[number];

export type ItemStatus = 'open' | Resolution | 'cleared';
export const itemStatuses: readonly ItemStatus[] = ['open', ...resolutions, 'cleared'];

/** What a list of items may be asked for: a status, what waits for a second person, or all. */
export const askedStatuses: readonly string[] = [...itemStatuses, 'proposed', 'all'];

/** Whether an item is asked for. */
export function isOfStatus({ status, proposed }: OpenItem, asked: string): boolean {
    if (asked === 'proposed') return proposed !== null && proposed.changed === null;
    return asked === 'all' || status === asked;
}

/** What was said of an item, by whom and when; newest last. */
export interface ItemNote {
    readonly act: 'assign' | 'comment' | 'resolve' | 'reopen' | 'approve';
    /** What it was resolved as, or who owns it; empty for a comment. */
    readonly value: string;
    readonly by: string;
    readonly at: string;
    readonly reason: string;
    /** It counts only once a second person approves it. */
    readonly waits?: true;
}

/** What one person decided and a second one has to approve before it counts. */
export interface Proposal {
    /** Of its entry in the log. */
    readonly number: number;
    /** What an item is resolved as; empty for a release. */
    readonly value: string;
    readonly by: string;
    readonly at: string;
    readonly reason: string;
    /** Why it can't be approved any more; null while it can. */
    readonly changed: string | null;
}

/** An item with what people decided about it. */
export interface OpenItem extends Item {
    readonly status: ItemStatus;
    readonly owner: string | null;
    /** Whole days from the earliest evidence, or from when it was first seen, to as_of. */
    readonly age_days: number;
    /** One of `ageBuckets`. */
    readonly age_bucket: string;
    readonly notes: readonly ItemNote[];
    /** A resolution that waits for a second person; the status is as without it. */
    readonly proposed: Proposal | null;
    /** Why it is open although somebody resolved it: it is no longer what was resolved. */
    readonly reopened_because: string | null;
}

/** Whether the lines of a payer may go out, with what people decided. */
export interface PayerStanding {
    readonly payer_id: string;
    readonly payer_name: string;
    readonly currency: string;
    /** As the run says: clear, held or unauditable. `resolved`: its items are; `released`: by a person. */
    readonly standing: 'clear' | 'held' | 'unauditable' | 'resolved' | 'released';
    /** Items of the period that nobody resolved. */
    readonly open_count: number;
    /** Worth of those with a price, each without its sign. */
    readonly open_money: string;
    readonly hold_limit: string;
    /** Of those, items without a price: any one holds. */
    readonly unpriced_count: number;
    /** Rows of usage that no rate prices: any one holds until it is priced or released. */
    readonly unrated_count: number;
    /** sha256 of what holds: a release is for that and nothing else. */
    readonly open_sha256: string;
    readonly released: {
        readonly by: string;
        readonly at: string;
        readonly reason: string;
    } | null;
    /** A release that waits for a second person. */
    readonly proposed: Proposal | null;
}

/** How things stand in a period: what its run found, and what was decided about it. */
export interface Standing {
    readonly period: string;
    readonly run_id: string;
    readonly as_of: string;
    /** Items of the period and those carried into it, cleared ones too; open and oldest first. */
    readonly items: readonly OpenItem[];
    readonly payers: readonly PayerStanding[];
}
