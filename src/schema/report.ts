/** What lies between authorized and metered, in the order it is told. */
export const stepsToMetered = [
    'break',
    'rounding',
    'not_compared',
    'in_units',
    'together',
    'repriced',
    'priced_anew',
    'unexplained',
] as const;

/** What lies between metered and invoiced. */
export const stepsToInvoiced = [
    'cents',
    'wallets',
    'grants',
    'commitments',
    'corrections',
] as const;

/** What lies between invoiced and delivered. */
export const stepsToDelivered = [
    'held',
    'not_delivered',
    'of_another_run',
    'underway',
    'rejected',
] as const;

export type StepName =
    | (typeof stepsToMetered)[number]
    | (typeof stepsToInvoiced)[number]
    | (typeof stepsToDelivered)[number];

/** One difference on the way; `code` only of a break. */
export interface Step {
    readonly step: StepName;
    readonly code: string;
    readonly amount: string;
}

/** From invoiced to delivered, at one target. Delivered is what it was asked for again and has. */
export interface DeliveredWay {
    readonly target: string;
    readonly to_delivered: readonly Step[];
    readonly delivered: string;
}

/**
 * From authorized over metered and invoiced to delivered, in one asset: the steps are all there is
 * between.
 */
export interface ThreeWay {
    readonly authorized: string;
    readonly to_metered: readonly Step[];
    readonly metered: string;
    readonly to_invoiced: readonly Step[];
    /** Null where nothing is invoiced: in units, and by a run that only reconciles. */
    readonly invoiced: string | null;
    /** A target each; none where nothing is invoiced, and where nothing went out yet. */
    readonly deliveries: readonly DeliveredWay[];
}

/** Grain: payer_id, product, asset. The product is empty where debits are for several together. */
export interface ThreeWayRow extends ThreeWay {
    readonly payer_id: string;
    readonly payer_name: string;
    readonly product: string;
    readonly asset: string;
}

/** A run of a period as a point of the trend over nights; oldest first. */
export interface Night {
    readonly run_id: string;
    readonly as_of: string;
    readonly break_count: number;
    readonly held_count: number;
    /** Account-and-asset groups that do not add up. */
    readonly untied_count: number;
    /** Worth of breaks without their signs, by currency of the payer. */
    readonly money: readonly { readonly unit: string; readonly amount: string }[];
    /** Breaks by group of codes. */
    readonly groups: readonly { readonly group: string; readonly count: number }[];
}

/** A stored row that a break is about: where it is, and what was read of it. */
export interface RawRecord {
    readonly key: string;
    readonly line: string;
    /** The fields it has, in the order of its table; exact text. */
    readonly fields: readonly { readonly name: string; readonly value: string }[];
}

/** Both sides of a break as the lake has them. */
export interface BreakEvidence {
    readonly break_id: string;
    readonly usage: readonly RawRecord[];
    readonly debits: readonly RawRecord[];
    /** How many events and entries there are: of a day it may show a few of thousands. */
    readonly usage_count: number;
    readonly debit_count: number;
}

/** How many open items of a code are of an age, and what they come to by currency, without signs. */
export interface AgeTotal {
    readonly code: string;
    readonly age_bucket: string;
    readonly item_count: number;
    readonly money: readonly { readonly unit: string; readonly amount: string }[];
}
