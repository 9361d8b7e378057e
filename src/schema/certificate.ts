import type { BreakTotal, CauseTotal, PayerTotal, TieOut } from './break.ts';

/** One control total, as the stage runner wrote it. */
export interface ControlTotal {
    readonly stage: string;
    readonly relation: string;
    readonly side: string;
    readonly slice: string;
    readonly row_count: string;
    readonly quantity: string;
    readonly amount: string;
    readonly hash_total: string;
}

/** What one stage ran and how long it took. Durations stay out of the digest. */
export interface StageRecord {
    readonly stage: string;
    readonly sql_sha256: Readonly<Record<string, string>>;
    readonly audits: readonly string[];
}

/** What moved the wallets of an asset in the period: usage and holds, and NON_USAGE all else. */
export interface WalletMovement {
    readonly asset: string;
    readonly entry_type: string;
    readonly entry_count: string;
    /** Sum of the amounts as the log has them; only adjustments carry a sign. */
    readonly amount: string;
}

/** A seller of a channel and a product; exact amounts. */
export interface Margin {
    readonly seller_id: string;
    readonly product: string;
    readonly currency: string;
    /** What it pays, to the operator or a seller above. */
    readonly bought: string;
    /** The part of that for accounts that it sells nothing to. */
    readonly own_use: string;
    readonly sold: string;
    /** Null where the product is bought and sold in different currencies. */
    readonly margin: string | null;
}

/** Prices in one currency for payers in another, by one rate for the period. */
export interface Conversion {
    readonly from: string;
    readonly to: string;
    /** Null where there is no rate: then evidence says why, and usage is in suspense. */
    readonly rate: string | null;
    /** Civil date that the rate was stated for, and who stated it. */
    readonly on: string | null;
    readonly source: string | null;
    readonly evidence: string | null;
}

/** How a run came about. Nothing in it changes the result. */
export interface History {
    /** The run that it went on from; null when it looked at all rows. */
    readonly from: string | null;
    /** Why it looked at all rows. */
    readonly because?: string;
    /** How many rows it looked at, where that is not all. */
    readonly looked_at?: string;
    /** How many rows ClickHouse counted and kept there, where it did. */
    readonly counted_there?: string;
    /** Keys of objects that held something else when they were counted before. */
    readonly overwritten?: readonly string[];
    /** Keys of objects that the store has no more; they count as they were read. */
    readonly gone?: readonly string[];
}

/** What a run bills of a closed period, as a backfill found it. */
export interface CorrectionTotal {
    readonly backfill_id: string;
    readonly corrects_period: string;
    readonly payer_id: string;
    readonly currency: string;
    readonly line_count: number;
    readonly amount: string;
}

/** The evidence of one run: what went in, what came out, and the proofs in between. */
export interface Certificate {
    readonly run_id: string;
    readonly pipeline: 'nightly' | 'reconcile';
    readonly period: string;
    readonly as_of: string;
    /** Said on the command line: objects that can no longer be read count no more. */
    readonly accept_gone?: true;
    /** Only where objects that the store got later were left out. */
    readonly arrived_by?: string;
    /** sha256 over inputs, rules, SQL, code version and parameters. */
    readonly run_fingerprint: string;
    /** sha256 over lines, breaks and control totals: equal inputs give equal digests. */
    readonly run_digest: string;
    readonly tieout_version: string;
    readonly engine_version: string;
    readonly inputs: readonly {
        readonly input: string;
        readonly key: string;
        readonly size: number;
        readonly etag: string;
        readonly sha256: string;
        readonly lines: string;
        readonly events: string;
        readonly duplicates: string;
        readonly conflicts: string;
        readonly suspended: string;
    }[];
    readonly rules: Readonly<Record<string, string>>;
    readonly stages: readonly StageRecord[];
    readonly totals: readonly ControlTotal[];
    readonly suspense: readonly { readonly code: string; readonly row_count: string }[];
    readonly tie_outs: readonly TieOut[];
    readonly breaks: readonly BreakTotal[];
    /** What makes rated and debited differ; runs of older versions do not say it. */
    readonly causes?: readonly CauseTotal[];
    readonly payers: readonly PayerTotal[];
    readonly completeness: string;
    /** Only in a run with a debit log. */
    readonly wallet_movements?: readonly WalletMovement[];
    /** What sellers of channels buy, sell and keep; only in a run with such. */
    readonly margins?: readonly Margin[];
    /** What prices were converted by, or could not be; only in a run with such payers. */
    readonly conversions?: readonly Conversion[];
    readonly history: History;
    /**
     * Only in a run that was not made from objects: the run whose partials it priced anew, and which
     * compared usage with debits, at the prices that were in force then.
     */
    readonly repriced_from?: { readonly run_id: string; readonly run_digest: string };
    /** What is billed of closed periods; only in a run with such. */
    readonly corrections?: readonly CorrectionTotal[];
    readonly outputs: Readonly<Record<string, string>>;
    readonly result: 'clean' | 'held';
}
