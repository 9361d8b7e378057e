/** What was promised and what counted towards it, for people. Decimals are exact text. */
export interface CommitmentStatement {
    readonly payer_id: string;
    /** contract/commitment */
    readonly commitment_id: string;
    readonly description: string;
    /** The meter whose units are promised; null where it is money. */
    readonly meter: string | null;
    readonly window_start: string;
    readonly window_end: string;
    readonly committed: string;
    readonly counted_before: string;
    readonly counted: string;
    readonly shortfall: string;
    readonly true_up: string;
    readonly overage: string;
    readonly currency: string;
}

/** What a grant had and has left, in its asset: opening + granted - drawn - expired = closing. */
export interface BalanceStatement {
    readonly payer_id: string;
    /** contract/grant */
    readonly grant_id: string;
    readonly description: string;
    readonly asset: string;
    readonly opening: string;
    readonly granted: string;
    readonly drawn: string;
    readonly expired: string;
    /** The part of what expired that goes on. */
    readonly rolled_over: string;
    readonly closing: string;
}

/** What a run says of contracts beside its lines. */
export interface Statements {
    readonly commitments: readonly CommitmentStatement[];
    readonly balances: readonly BalanceStatement[];
}
