/**
 * The oracle of the tie-out totals, per account and asset: what usage of the period should have
 * debited, less what was debited in the period. It knows no matches and no break codes: it is the
 * left side of the identity `rated - debited = sum of breaks`, computed without any of the right.
 */
import {
    decimalText,
    type Fraction,
    instant,
    minus,
    type Place,
    parseDecimal,
    plus,
    unique,
    within,
    zero,
} from '../support/exact.ts';
import {
    type Book,
    type Payer,
    pathOf,
    payerOf,
    priceEvent,
    rateUsage,
    type UsageEvent,
} from './slow-rater.ts';

/** A debit entry as it was delivered, in the neutral form; only these fields move a total. */
export interface DebitEntry extends Place {
    /** The log it is of: entry ids are unique within one. */
    readonly input: string;
    readonly entry_id: string;
    readonly entry_type: string;
    readonly account_id: string;
    readonly asset: string;
    readonly amount: string;
    readonly booked_at: string;
    /** Everything else it says, by field. */
    readonly rest: Readonly<Record<string, string>>;
}

/** How an account and those below it are debited. */
export interface Wallet {
    readonly asset: string;
    readonly shape: 'instant' | 'two_phase' | 'aggregated';
    readonly funding: 'prepaid' | 'postpaid';
}

export interface Wallets {
    /** By account. */
    readonly of: Readonly<Record<string, Wallet>>;
    /** Assets that are units, with what they count of an event. All others are currencies. */
    readonly counts: Readonly<Record<string, (event: UsageEvent) => Fraction>>;
    /** What a unit is worth in money, by time. Money is worth itself. */
    readonly rates: readonly {
        readonly asset: string;
        readonly currency: string;
        readonly rate: string;
        readonly from: string;
    }[];
    /** Asset to the difference that is only rounding. */
    readonly tolerances: Readonly<Record<string, string>>;
    /** Bounds for debits of accounts that do not exist. */
    readonly otherwise: Pick<Payer, 'start' | 'end'>;
}

/** Only captures take, only reversals and refunds give back; holds and balances move nothing. */
const signs: Readonly<Record<string, bigint>> = { capture: 1n, reverse: -1n, refund: -1n };

export interface TieOut {
    readonly account_id: string;
    readonly asset: string;
    readonly rated: string;
    readonly debited: string;
    readonly difference: string;
}

/**
 * The asset an account is debited in: the nearest on its path that is named, else the currency of
 * its payer. Empty for an account that does not exist.
 */
export function assetOf(book: Book, wallets: Wallets, account_id: string, at: string): string {
    const path = pathOf(book.accounts, account_id, instant(at));
    if (!path) return '';
    const nearest = walletOf(book, wallets, account_id, at);
    return nearest?.asset ?? book.payers[payerOf(path)]?.currency ?? '';
}

/** The wallet of the nearest on the path of an account that has one. */
export function walletOf(
    { accounts }: Book,
    wallets: Wallets,
    account_id: string,
    at: string,
): Wallet | undefined {
    const path = pathOf(accounts, account_id, instant(at)) ?? [];
    return path.map((of) => wallets.of[of.account_id]).find((of) => of !== undefined);
}

/** What the wallet of an event should have taken for it; null when it is not of the period. */
export function worthOf(event: UsageEvent, book: Book, wallets: Wallets): Fraction | null {
    const priced = priceEvent(event, book);
    // No meter wants it, or it is of another period or of no account.
    if (!priced?.length) return null;
    const count = wallets.counts[assetOf(book, wallets, event.account_id, event.at)];
    return count ? count(event) : priced.map(({ amount }) => amount).reduce(plus);
}

/** Totals by account and asset, in that order, those that are zero on both sides left out. */
export function tieOuts(
    events: readonly UsageEvent[],
    entries: readonly DebitEntry[],
    book: Book,
    wallets: Wallets,
): readonly TieOut[] {
    const totals = new Map<string, { rated: Fraction; debited: Fraction }>();
    const add = (account_id: string, asset: string, rated: Fraction, debited: Fraction) => {
        const key = JSON.stringify([account_id, asset]);
        const before = totals.get(key) ?? { rated: zero, debited: zero };
        totals.set(key, {
            rated: plus(before.rated, rated),
            debited: plus(before.debited, debited),
        });
    };
    for (const event of rateUsage(events, book).kept) {
        const worth = worthOf(event, book, wallets);
        if (!worth) continue;
        add(event.account_id, assetOf(book, wallets, event.account_id, event.at), worth, zero);
    }
    for (const entry of uniqueEntries(entries).kept) {
        const sign = signs[entry.entry_type];
        if (sign === undefined || !isBookedInPeriod(entry, book, wallets)) continue;
        const amount = parseDecimal(entry.amount);
        const effect = { top: sign * amount.top, bottom: amount.bottom };
        add(entry.account_id, entry.asset, zero, effect);
    }
    return [...totals]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .filter(([, { rated, debited }]) => rated.top !== 0n || debited.top !== 0n)
        .map(([key, { rated, debited }]) => {
            const [account_id, asset] = JSON.parse(key) as [string, string];
            return {
                account_id,
                asset,
                rated: decimalText(rated),
                debited: decimalText(debited),
                difference: decimalText(minus(rated, debited)),
            };
        });
}

/** The same rule as for events: the earlier copy counts, whatever a later one says. */
export function uniqueEntries(entries: readonly DebitEntry[]) {
    return unique(
        entries,
        ({ input, entry_id }) => JSON.stringify([input, entry_id]),
        (entry) =>
            JSON.stringify([
                entry.entry_type,
                entry.account_id,
                entry.asset,
                decimalText(parseDecimal(entry.amount)),
                instant(entry.booked_at).toString(),
                Object.entries(entry.rest).sort(([a], [b]) => (a < b ? -1 : 1)),
            ]),
    );
}

/** The period is that of whoever pays for the account when the debit is booked. */
export function isBookedInPeriod(entry: DebitEntry, book: Book, wallets: Wallets): boolean {
    const at = instant(entry.booked_at);
    const path = pathOf(book.accounts, entry.account_id, at);
    const bounds = (path && book.payers[payerOf(path)]) ?? wallets.otherwise;
    return within(at, bounds.start, bounds.end);
}
