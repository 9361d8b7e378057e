import { add, formatAmount, parseAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import { roundShare } from '../money/round.ts';
import { civilDays } from '../time/civil.ts';
import { type Every, type TimeSpan, type Window, windowsOf } from './windows.ts';

/** What is left of a balance when its time is over, and for how long it goes on. */
export interface Rollover {
    readonly fraction: string;
    readonly months: number;
}

/** What commitments and grants have in common. */
export interface Holder {
    /** What it is for; none means all. */
    readonly products: readonly string[];
    readonly rollover: Rollover | null;
    /** What lines of its own name and say. */
    readonly product: string;
    readonly description: string;
    readonly line: number;
}

/** A commitment of a contract, as it is read. */
export interface Commitment extends Holder {
    readonly commitment: string;
    readonly kind: 'postpaid' | 'prepaid';
    readonly measure: 'amount' | 'quantity';
    /** Promised in each whole window: money, or units of the meter. */
    readonly size: string;
    readonly meter: string | null;
    /** Of a prepaid quantity: what a whole window of it costs. */
    readonly fee: string | null;
    readonly shortfall_price: string | null;
    readonly overage_factor: string | null;
    readonly overage_unit_price: string | null;
    readonly every: Every | 'term';
    readonly true_up: 'window' | 'cumulative' | 'none';
    readonly is_prorated: boolean;
}

/** Who pays under a contract, as what windows and money depend on. */
export interface Payer {
    readonly payer_id: string;
    readonly currency: string;
    readonly time_zone: string;
    /** Levels from the root to the account of the contract. */
    readonly depth: bigint;
    /** The period in its zone. */
    readonly period: TimeSpan;
    /** When it pays for the account, within the period. */
    readonly spans: readonly TimeSpan[];
}

/** A window with what was promised in it. */
export interface Promised extends Window {
    readonly size: string;
    /** What is billed for it in advance, of a prepaid one. */
    readonly fee: string | null;
}

/** The windows of a commitment that begin before the period of its payer ends, in order. */
export function promisedBy(
    { every, is_prorated, measure, size, kind, fee }: Commitment,
    contract: TimeSpan,
    { currency, time_zone: zone, period }: Payer,
): readonly Promised[] {
    const cents = currencyExponent(currency) ?? 0;
    return windowsOf(every, contract, { zone, until: period.to }).map((window) => {
        const { from, to, whole } = window;
        const isCut = from > whole.from || to < whole.to;
        const [days, of] =
            isCut && is_prorated
                ? [civilDays(from, to, zone), civilDays(whole.from, whole.to, zone)]
                : [1n, 1n];
        const part = (whole: string, scale: number) =>
            formatAmount(roundShare(parseAmount(whole), days, of, scale));
        const money = measure === 'amount' ? size : fee;
        return {
            ...window,
            size: part(size, measure === 'amount' ? cents : 12),
            fee: kind === 'prepaid' && money !== null ? part(money, cents) : null,
        };
    });
}

/** What was promised in windows together. */
export function sumOf(windows: readonly Promised[]): string {
    return formatAmount(windows.map(({ size }) => parseAmount(size)).reduce(add));
}
