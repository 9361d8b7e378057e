/**
 * The oracle of what prepaid wallets paid: event by event, day by day, one list of entries at a time.
 * It knows no matches and no break codes but what a debit has to do with the usage it names; written
 * from design/product.md section 5: usage already paid from the wallet is never invoiced again.
 */
import {
    decimalText,
    type Fraction,
    instant,
    minus,
    parseDecimal,
    plus,
    sum,
    zero,
} from '../support/exact.ts';
import {
    type Book,
    pathOf,
    payerOf,
    priceEvent,
    rateUsage,
    type UsageEvent,
} from './slow-rater.ts';
import {
    assetOf,
    type DebitEntry,
    isBookedInPeriod,
    uniqueEntries,
    type Wallets,
    walletOf,
    worthOf,
} from './slow-reconciler.ts';

/** What one account's wallet paid at one rate. Numbers as their shortest decimal text. */
export interface Payment {
    readonly payer_id: string;
    readonly account_id: string;
    readonly asset: string;
    readonly rate: string;
    readonly asset_amount: string;
}

interface World {
    readonly book: Book;
    readonly wallets: Wallets;
    readonly events: readonly UsageEvent[];
    readonly entries: readonly DebitEntry[];
}

/** Usage with the debits that are its own, whichever period they were booked in. */
interface Debited {
    readonly event: UsageEvent;
    readonly worth: Fraction;
    readonly captured: Fraction;
    /** The entry that speaks for all of them. */
    readonly first: DebitEntry;
    /** Whether nothing but the amounts can differ: then a difference may be within tolerance. */
    readonly isOrderly: boolean;
}

const family = ['authorize', 'capture', 'release', 'expire', 'reverse', 'refund', 'decline'];
const isReturn = ({ entry_type }: DebitEntry) => ['reverse', 'refund'].includes(entry_type);
const isOf = (type: string) => (entry: DebitEntry) => entry.entry_type === type;
const total = (entries: readonly DebitEntry[]) =>
    sum(entries.map(({ amount }) => parseDecimal(amount)));
const isAbove = (one: Fraction, other: Fraction) => minus(one, other).top > 0n;
const isSameWallet = (one: DebitEntry, other: DebitEntry) =>
    one.account_id === other.account_id && one.asset === other.asset;

/** What all prepaid wallets paid of the usage of the period, by payer, account, asset and rate. */
export function payments(
    events: readonly UsageEvent[],
    entries: readonly DebitEntry[],
    book: Book,
    wallets: Wallets,
): readonly Payment[] {
    const world: World = {
        ...{ book, wallets },
        events: rateUsage(events, book).kept,
        entries: uniqueEntries(entries).kept.filter(({ entry_type }) =>
            family.includes(entry_type),
        ),
    };
    const paid = [...paidByEvents(world), ...paidByDays(world)];
    const keyOf = ({ payer_id, account_id, asset, rate }: Payment) =>
        JSON.stringify([payer_id, account_id, asset, rate]);
    return [...Map.groupBy(paid, keyOf)]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([, [of, ...more]]) => {
            if (!of) return [];
            const amounts = [of, ...more].map(({ asset_amount }) => parseDecimal(asset_amount));
            return [{ ...of, asset_amount: decimalText(sum(amounts)) }];
        })
        .filter(({ asset_amount }) => asset_amount !== '0');
}

function paidByEvents(world: World): readonly Payment[] {
    const livesOf = lives(world);
    return world.events.flatMap((event) => {
        const worth = worthOf(event, world.book, world.wallets);
        if (!worth || !isPayable(event, world) || isDaily(event, world)) return [];
        // Two producers with one event id: nobody can tell whose debit it is.
        if (world.events.some((of) => of.event_id === event.event_id && of !== event)) return [];
        const debited = debitedFor(event, worth, livesOf.get(event.event_id) ?? [], world);
        return debited ? paymentOf(debited, world) : [];
    });
}

/** Event id to the entries of its debits, in the order of their booking. */
function lives({ events, entries, book }: World): ReadonlyMap<string, readonly DebitEntry[]> {
    const single = entries.filter((entry) => !isForDay(entry));
    const byId = new Map(single.map((entry) => [entry.entry_id, entry]));
    const metered = events.filter((event) => isMetered(event, book));
    const ofAuthorization = (authorization: string | undefined): string | undefined => {
        if (!authorization) return undefined;
        const named = single
            .filter(({ rest }) => rest.authorization_id === authorization && rest.event_id)
            .map(({ rest }) => rest.event_id ?? '');
        if (named.length) return named.sort()[0];
        const used = metered.filter((event) => event.authorization_id === authorization);
        return used.length === 1 ? used[0]?.event_id : undefined;
    };
    const eventOf = ({ rest }: DebitEntry): string | undefined => {
        const original = byId.get(rest.reversal_of ?? '');
        return (
            rest.event_id ??
            original?.rest.event_id ??
            ofAuthorization(rest.authorization_id ?? original?.rest.authorization_id)
        );
    };
    const known = single.filter(
        ({ rest }) => rest.reversal_of === undefined || byId.has(rest.reversal_of),
    );
    const sorted = known.toSorted((one, other) => orderOf(one, other));
    return new Map(
        [...Map.groupBy(sorted, eventOf)].flatMap(([id, of]) =>
            id === undefined ? [] : [[id, of]],
        ),
    );
}

function orderOf(one: DebitEntry, other: DebitEntry): number {
    const [a, b] = [instant(one.booked_at), instant(other.booked_at)];
    if (a !== b) return a < b ? -1 : 1;
    const rank = ({ entry_type }: DebitEntry) =>
        ({ authorize: 1, decline: 1, capture: 2, release: 3, expire: 3 })[entry_type] ?? 4;
    return rank(one) - rank(other) || (one.entry_id < other.entry_id ? -1 : 1);
}

/** What was taken for an event and not given back, repeats aside. */
function debitedFor(
    event: UsageEvent,
    worth: Fraction,
    life: readonly DebitEntry[],
    { book, wallets }: World,
): Debited | null {
    const captures = life.filter(isOf('capture'));
    const returns = life.filter(isReturn);
    const isUndone = (capture: DebitEntry) => {
        const own = returns.filter((entry) => entry.rest.reversal_of === capture.entry_id);
        const back = own.filter((entry) => isSameWallet(entry, capture));
        return back.length > 0 && !isAbove(parseDecimal(capture.amount), total(back));
    };
    const live = captures.filter((capture) => !isUndone(capture));
    const [first, ...more] = live;
    if (!first) return null;
    const authorized = total(life.filter(isOf('authorize')));
    const isHeld = life.some(({ entry_type }) => ['authorize', 'decline'].includes(entry_type));
    // A second capture is a repeat, unless the hold has room for it.
    const fitting = more.filter(
        (_, at) => isHeld && !isAbove(total(live.slice(0, at + 2)), authorized),
    );
    const inWallet = (of: readonly DebitEntry[]) =>
        of.filter((entry) => isSameWallet(entry, first));
    const taken = plus(
        total(inWallet([first, ...fitting])),
        total(inWallet(captures.filter(isUndone))),
    );
    const captured = minus(taken, total(inWallet(returns)));
    const counted = inWallet(
        life.filter((entry) => !more.includes(entry) || fitting.includes(entry)),
    );
    const ended = life.findIndex(({ entry_type }) => ['release', 'expire'].includes(entry_type));
    const last = life.findLastIndex((entry) => entry === first || fitting.includes(entry));
    return {
        ...{ event, worth, captured, first },
        isOrderly:
            (ended < 0 || ended > last) &&
            !(authorized.top > 0n && isAbove(captured, authorized)) &&
            counted.every((entry) => isBookedInPeriod(entry, book, wallets)),
    };
}

function paymentOf(of: Debited, world: World): readonly Payment[] {
    const { event, worth, captured, first } = of;
    const { book, wallets } = world;
    const at = instant(event.at);
    const payer = payerAt(event.account_id, at, book);
    const asset = assetOf(book, wallets, event.account_id, event.at);
    const isOwn = first.account_id === event.account_id;
    const isSamePayer = payerAt(first.account_id, instant(first.booked_at), book) === payer;
    if (first.asset !== asset || !(isOwn || isSamePayer) || captured.top <= 0n) return [];
    const isMatch = of.isOrderly && isOwn && isNear(captured, worth, asset, wallets);
    const amount = isMatch || !isAbove(captured, worth) ? captured : worth;
    return [
        {
            ...{ payer_id: payer, account_id: event.account_id, asset },
            rate: rateOf(asset, payer, instant(first.booked_at), world),
            asset_amount: decimalText(amount),
        },
    ];
}

/** Where a log has one entry a day: all usage of it in the period against all of its entries. */
function paidByDays(world: World): readonly Payment[] {
    const { book, wallets } = world;
    const daily = world.events
        .filter((event) => isMetered(event, book) && isDaily(event, world))
        .toSorted((one, other) => (instant(one.at) < instant(other.at) ? -1 : 1));
    const dayOf = (event: UsageEvent) =>
        JSON.stringify([
            event.account_id,
            assetOf(book, wallets, event.account_id, event.at),
            utcDay(instant(event.at)),
        ]);
    return [...Map.groupBy(daily, dayOf)].flatMap(([key, events]) => {
        const own = events.filter((event) => worthOf(event, book, wallets));
        const last = events.at(-1);
        if (!last || own.some((event) => isUnrated(event, book))) return [];
        if (!own.some((event) => isPayable(event, world))) return [];
        const [account_id, asset] = JSON.parse(key) as [string, string, string];
        const entries = world.entries.filter(
            (entry) =>
                isForDay(entry) &&
                JSON.stringify([
                    entry.account_id,
                    entry.asset,
                    utcDay(instant(entry.rest.occurred_at ?? entry.booked_at)),
                ]) === key,
        );
        const expected = sum(own.map((event) => worthOf(event, book, wallets) ?? zero));
        const captured = total(entries.filter(isOf('capture')));
        const booked = entries.map((entry) => instant(entry.booked_at)).sort(byTime)[0];
        if (booked === undefined || captured.top <= 0n) return [];
        const isMatch =
            own.length === events.length &&
            entries.every((entry) => isBookedInPeriod(entry, book, wallets)) &&
            isNear(captured, expected, asset, wallets);
        const amount = isMatch || !isAbove(captured, expected) ? captured : expected;
        const payer_id = payerAt(account_id, instant(last.at), book);
        const rate = rateOf(asset, payer_id, booked, world);
        return [{ payer_id, account_id, asset, rate, asset_amount: decimalText(amount) }];
    });
}

const byTime = (one: bigint, other: bigint) => (one < other ? -1 : 1);
const utcDay = (at: bigint) => (at / 86_400_000_000n).toString();
const isForDay = ({ rest }: DebitEntry) => rest.aggregated !== undefined;

const payerAt = (account_id: string, at: bigint, book: Book): string => {
    const path = pathOf(book.accounts, account_id, at);
    return path ? payerOf(path) : '';
};

/** Whether any meter wants it, in whatever period. */
function isMetered(event: UsageEvent, book: Book): boolean {
    return book.meters.some((meter) => meter.wants(event));
}

/** Usage without a price has no charge that could be paid for. */
function isUnrated(event: UsageEvent, book: Book): boolean {
    return (priceEvent(event, book) ?? []).some(
        ({ rate, quantity }) => quantity.top !== 0n && ['UNRATED', 'RATE_CURRENCY'].includes(rate),
    );
}

function isPayable(event: UsageEvent, { book, wallets }: World): boolean {
    const { funding } = walletOf(book, wallets, event.account_id, event.at) ?? {};
    return funding !== 'postpaid' && !isUnrated(event, book);
}

function isDaily(event: UsageEvent, { book, wallets }: World): boolean {
    return walletOf(book, wallets, event.account_id, event.at)?.shape === 'aggregated';
}

function isNear(one: Fraction, other: Fraction, asset: string, { tolerances }: Wallets): boolean {
    const allowed = parseDecimal(tolerances[asset] ?? '0');
    const difference = isAbove(one, other) ? minus(one, other) : minus(other, one);
    return !isAbove(difference, allowed);
}

/** The last rate that began before a debit, or the first of all. */
function rateOf(asset: string, payer: string, at: bigint, { book, wallets }: World): string {
    const currency = book.payers[payer]?.currency;
    const own = wallets.rates.filter((rate) => rate.asset === asset && rate.currency === currency);
    const begun = own.filter(({ from }) => instant(from) <= at);
    return (begun.at(-1) ?? own[0])?.rate ?? '1';
}
