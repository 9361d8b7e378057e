/** A span of input tokens of a request: above `over`, up to `upTo` inclusive; null has no end. */
export interface ContextBand {
    readonly name: string;
    readonly over: bigint;
    readonly upTo: bigint | null;
}

/** A part of the day in UTC, as `hh:mm:ss`. The last one runs over midnight. */
export interface HourBand {
    readonly name: string;
    readonly from: string;
    readonly to: string;
}

/** One row of the matrix. A band that is not asked about is `*`. */
export interface ListedPrice {
    readonly provider: string;
    readonly model: string;
    readonly token_class: string;
    readonly context_band: string;
    readonly service_tier: string;
    readonly time_of_day: string;
    readonly effective_from: string;
    readonly effective_to: string;
    readonly price: string;
}

/** A list read: its rows, and what its bands mean. */
export interface PriceList {
    readonly name: string;
    readonly source: string;
    /** Column of the price, which says its unit. */
    readonly priceColumn: string;
    readonly pricePer: string;
    readonly prices: readonly ListedPrice[];
    readonly contexts: readonly ContextBand[];
    readonly hours: readonly HourBand[];
    /** Expression over reported_model (and provider) that gives the model of the list, or null. */
    readonly modelSql: string | null;
    readonly notes: readonly string[];
}
