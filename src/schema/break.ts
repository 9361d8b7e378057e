/** A difference between usage and debits. Grain: break_id. Decimals and instants are text. */
export interface Break {
    /** sha256 hex of code and keys: the same in every run, so age and owner survive. */
    readonly break_id: string;
    readonly code: string;
    /** What a person looks for: event id, authorization id, entry id, wallet id or account|day. */
    readonly break_key: string;
    readonly payer_id: string | null;
    readonly account_id: string | null;
    readonly asset: string | null;
    /** Effect on `rated - debited` in the asset. Zero for breaks of form (a gap, an open hold). */
    readonly amount: string;
    /** What usage says the wallet should have taken, and what it took, in the asset. */
    readonly expected: string;
    readonly actual: string;
    /** The same difference in money at the usage's own rate, where one is known. */
    readonly money_amount: string | null;
    readonly currency: string | null;
    readonly event_id: string | null;
    readonly authorization_id: string | null;
    readonly entry_ids: string;
    readonly first_at: string | null;
    readonly age_days: number;
    readonly detail: string;
    readonly action: string;
    /** The rule of `reconcile.accept` that accepts it; empty for none. */
    readonly accepted_by: string;
}

/** Totals of the reconciliation by account and asset; `unexplained` must be zero, exactly. */
export interface TieOut {
    readonly payer_id: string;
    readonly account_id: string;
    readonly asset: string;
    readonly status: 'tied' | 'unauditable';
    readonly rated: string;
    readonly debited: string;
    readonly difference: string;
    readonly broken: string;
    readonly rounding: string;
    /** What terms (tiers, fees, minimums, discounts) changed against the list price. */
    readonly repriced: string;
    readonly unexplained: string;
}

/** Breaks by code and asset, with the amounts accepted within tolerance as AMOUNT_ROUNDING. */
export interface BreakTotal {
    readonly code: string;
    readonly asset: string;
    readonly break_count: number;
    readonly amount: string;
    readonly money_amount: string | null;
    readonly currency: string | null;
}

/** Rated - debited of all accounts in an asset by what made it; together the causes are all of it. */
export interface CauseTotal {
    /** As in difference_causes.csv. */
    readonly cause: string;
    readonly asset: string;
    /** Breaks, or matches that were not exact; 0 where nothing is counted. */
    readonly cause_count: string;
    readonly amount: string;
}

/** One payer's sum of lines and of breaks, and whether its lines may go out. */
export interface PayerTotal {
    readonly payer_id: string;
    readonly payer_name: string;
    readonly currency: string;
    readonly line_count: number;
    readonly amount_exact: string;
    readonly amount: string;
    readonly break_count: number;
    readonly break_money: string;
    readonly hold_limit: string;
    /** Rows of metered usage that no rate prices: any one holds the payer. */
    readonly unrated_count: number;
    /** Fees that nothing prices: any one holds the payer. Left out where there are none. */
    readonly unpriced_fee_count?: number;
    readonly recon_status: 'clear' | 'held' | 'unauditable';
}
