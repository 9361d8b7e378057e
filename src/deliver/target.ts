import type { Environment } from '../effects.ts';
import type { DeliveryProblem, Invoice, ProductAmount } from '../export/invoices.ts';
import type { JsonValue } from '../export/json.ts';
import type { Names } from './names.ts';

/** What the target is opened with. */
export interface Opening<Settings> {
    readonly settings: Settings;
    readonly names: Names;
    readonly environment: Environment;
    readonly now: () => string;
}

/** One thing that a target takes whole or not at all: an invoice, a credit memo, a batch of records. */
export interface Parcel {
    /**
     * What it is, the same in every run: `acme/2026-10/USD`, with whatever a payer is called in it. The
     * target knows it by that, so that nothing is there twice.
     */
    readonly parcel_key: string;
    readonly payer_id: string;
    readonly currency: string;
    readonly line_count: number;
    /** The sum of its lines, with all digits of the currency. */
    readonly amount: string;
    /** Its amount by product; none of what holds quantities, and no money. */
    readonly products: readonly ProductAmount[];
    /** What is sent, as deterministic JSON: its hash says whether it is the same. */
    readonly payload: JsonValue;
}

/** Invoices as the target takes them, and what keeps some of them here. */
export interface Packed {
    readonly parcels: readonly Parcel[];
    readonly problems: readonly DeliveryProblem[];
}

/** What the target answered, or has. */
export interface Receipt {
    /** What the target calls it. */
    readonly remote_id: string;
    /** Anything a person should know; empty for nothing. */
    readonly detail?: string;
}

/** What the target says that it has of a parcel. */
export interface Counted {
    readonly line_count: number;
    /** Decimal text, in the currency. */
    readonly amount: string;
    readonly currency: string;
}

/**
 * A system that takes invoice lines. It may answer twice, late or not at all: whoever sends keeps a record of
 * each step (outbox.ts), and a target has only to say truly what happened.
 */
export interface Target {
    /** As the command line names it: stripe. */
    readonly name: string;
    /** Which books these are, for people: account and mode. Never holds a secret. */
    readonly address: string;
    /** Parcels on their way at one time, and how many may start in a second. */
    readonly concurrency: number;
    readonly perSecond: number;
    /** Makes parcels of invoices: pure, ordered, the same every time. */
    pack(invoices: readonly Invoice[]): Packed;
    /**
     * Sends a parcel, under its key and so that the target drops what it has already.
     * @param found what `find` said just before: then only what is missing is sent; null for nothing.
     * @throws TargetError `refused` only when nothing of it is there (what was begun is taken away first)
     */
    send(parcel: Parcel, found: Receipt | null): Promise<Receipt>;
    /**
     * What the target has under the key of a parcel, whole or in part; null for nothing.
     * @throws TargetError `refused` when it has something else there: then nothing is sent
     */
    find(parcel: Parcel): Promise<Receipt | null>;
    /** Counts and sums what the target has, by asking it. @throws TargetError */
    readBack(parcel: Parcel, receipt: Receipt): Promise<Counted>;
    /** A parcel as a file for who loads it by hand; without it, its payload as JSON. */
    file?(parcel: Parcel): { readonly ending: string; readonly text: string };
    close(): Promise<void>;
}

/**
 * Why a target did not do what it was asked.
 * - `refused`: it said no, and has nothing of it; asking again gives the same.
 * - `busy`: it said no for now, and has nothing of it.
 * - `unknown`: it may have it.
 */
export class TargetError extends Error {
    readonly kind: 'refused' | 'busy' | 'unknown';
    /** Milliseconds after which a busy target may be asked again, where it said so. */
    readonly retryAfter: number | null;
    /** Whether it is down or overloaded, and so for whatever else it would be asked. */
    readonly isDown: boolean;

    constructor(
        kind: TargetError['kind'],
        message: string,
        options: {
            readonly retryAfter?: number | null;
            readonly isDown?: boolean;
            readonly cause?: unknown;
        } = {},
    ) {
        super(message, { cause: options.cause });
        this.name = 'TargetError';
        this.kind = kind;
        this.retryAfter = options.retryAfter ?? null;
        this.isDown = options.isDown ?? false;
    }
}
