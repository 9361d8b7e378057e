import type { Instant } from '../time/instant.ts';
import { isMonthStart, monthAfter, monthOf, monthStart } from '../time/period.ts';
import { type Commitment, type Holder, type Payer, promisedBy } from './commitments.ts';
import { type Every, type TimeSpan, windowsOf } from './windows.ts';

/** A grant of a contract, as it is read. */
export interface Grant extends Holder {
    readonly grant: string;
    readonly amount: string;
    /** Null for the currency of the payer. */
    readonly asset: string | null;
    readonly every: Every | 'once';
    /** When it pays, of one that is given once. */
    readonly from: Instant;
    readonly to: Instant;
    /** How long each lasts, of one that is given anew; null for its window. */
    readonly months: number | null;
    readonly priority: string;
    readonly cost_basis: string;
}

/** A balance: of a grant, of a window of one or of a prepaid commitment, or what went on of such. */
export interface Balance extends TimeSpan {
    /** Unique within its contract. */
    readonly id: string;
    /** The prepaid commitment that it belongs to; null for a grant. */
    readonly commitment: string | null;
    /** What it begins with. What went on of another begins with what was left of that. */
    readonly amount: string | null;
    readonly asset: string | null;
    /** Of a prepaid quantity: the meter whose units it holds, instead of an asset. */
    readonly meter: string | null;
    readonly priority: string;
    readonly cost_basis: string;
    readonly of: Holder;
    /** The balance that its rest goes to. */
    readonly next: string | null;
}

/** The balances of a grant that begin before the period of its payer ends. */
export function balancesOf(grant: Grant, contract: TimeSpan, payer: Payer): readonly Balance[] {
    const { every, from, to, amount, asset, priority, cost_basis, months } = grant;
    const { time_zone: zone, period } = payer;
    const own = { commitment: null, amount, asset, meter: null, priority, cost_basis, of: grant };
    if (every === 'once') return withRest({ ...own, id: grant.grant, from, to }, zone);
    return windowsOf(every, contract, { zone, until: period.to }).flatMap((window) => {
        const { from: begin, month, date } = window;
        // Months count from the one it begins in, so that each ends with a month.
        const end = months === null ? window.to : monthStart(monthAfter(month, months), zone);
        return withRest({ ...own, id: `${grant.grant}@${date}`, from: begin, to: end }, zone);
    });
}

/** The balances that were paid for in advance: one for each window of a prepaid commitment. */
export function prepaidBalances(
    commitment: Commitment,
    contract: TimeSpan,
    payer: Payer,
): readonly Balance[] {
    if (commitment.kind === 'postpaid') return [];
    const zone = payer.time_zone;
    return promisedBy(commitment, contract, payer).flatMap(({ from, to, date, size, fee }) =>
        withRest(
            {
                id: `${commitment.commitment}@${date}`,
                ...{ commitment: commitment.commitment, of: commitment, from, to },
                ...{ amount: size, asset: null, meter: commitment.meter },
                ...{ priority: '0', cost_basis: fee ?? size },
            },
            zone,
        ),
    );
}

/** A balance, and the one that goes on with what is left of it. */
function withRest(own: Omit<Balance, 'next'>, zone: string): readonly Balance[] {
    const { rollover } = own.of;
    // Nothing goes on in mid-month: that such a contract is wrong is told where all of it is known.
    if (rollover === null || !isMonthStart(own.to, zone)) return [{ ...own, next: null }];
    const id = `${own.id}~rollover`;
    const to = monthStart(monthAfter(monthOf(own.to, zone), rollover.months), zone);
    const rest = { ...own, id, from: own.to, to, amount: null, next: null };
    return [{ ...own, next: id }, rest];
}
