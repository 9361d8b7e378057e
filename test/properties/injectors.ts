import { parseScaled } from '../../fixtures/generator/decimal.ts';
import { parsePeriod } from '../../fixtures/generator/period.ts';
import { AMOUNT_SCALE, PriceList, UNPRICED_MODEL } from '../../fixtures/generator/prices.ts';
import { unitsText } from '../support/exact.ts';
import type { Books, Day, Entry, Life, Shape, Usage } from './injection.world.ts';

/*
 * One thing wrong, by code: what is done to the data, and what the night has to say of it. Amounts are
 * whole numbers of 10^-12.
 */

/** A break that a night must find. */
export interface Found {
    readonly key: string;
    readonly account_id: string;
    readonly asset: string;
    readonly amount: bigint;
    /** Its worth: of money its own amount, of units their part of what the usage costs. */
    readonly money: bigint | 'average' | 'overdrawn' | null;
    /** How it enters the tie-out, where that is more than its amount on its account. */
    readonly legs?: readonly Leg[];
    /** So many events that matched do not any more. */
    readonly unmatched: number;
    /** Of breaks that are of another code than the one injected. */
    readonly code?: string;
}

export type Leg = readonly [account_id: string, asset: string, amount: bigint];

/** An event, or a day, with what its wallet booked. */
export interface Place {
    readonly books: Books;
    readonly life: Life | Day;
    readonly event: Usage;
    readonly entries: readonly Entry[];
    readonly account_id: string;
    readonly asset: string;
    /** What usage says that the wallet should have taken, and what it costs. */
    readonly worth: bigint;
    readonly rated: bigint;
    readonly captured: bigint;
}

export interface Injector {
    readonly title: string;
    readonly on: Shape;
    readonly fits?: (place: Place) => boolean;
    /** Spoils the data; gives the breaks that a night must then find, or none. */
    readonly inject: (place: Place) => readonly Found[];
    /** It takes usage away from what is billed. */
    readonly isOfUsage?: true;
    /** It is one of a whole wallet: there cannot be two of it. */
    readonly isOfWallet?: true;
}

const prices = new PriceList(parsePeriod('2026-10'));
export const atoms = (text: string) => parseScaled(text, AMOUNT_SCALE);
export const unit = 10n ** BigInt(AMOUNT_SCALE);
/** Amounts as a wallet of money writes them. */
export const money = (amount: bigint) => unitsText(amount / 10n ** 6n, 6);
export const units = (amount: bigint) => unitsText(amount / 10n ** 9n, 3);

/** What an event costs, exactly. */
export function rated({ time, data }: Usage): bigint {
    const { model, input_tokens, cached_input_tokens, output_tokens } = data;
    const at = Date.parse(time);
    return prices.rate(model, at, input_tokens, cached_input_tokens, output_tokens).total;
}

export const tokens = ({ data }: Usage) => BigInt(data.input_tokens + data.output_tokens) * unit;
export const later = (at: string, seconds: number) =>
    new Date(Date.parse(at) + seconds * 1000).toISOString();
/** A part of money: as it is told of a difference in units. */
export const share = (of: bigint, part: bigint, whole: bigint) =>
    (((of / 1000n) * (part / 10n ** 9n)) / (whole / 10n ** 9n)) * 1000n;

/** The whole usage is not paid, or a part of it. */
export function short(place: Place, amount = place.worth, more: Partial<Found> = {}): Found {
    const { asset, account_id, event, worth } = place;
    const own = asset === 'USD' ? amount : share(place.rated, amount, worth);
    return { key: event.id, account_id, asset, amount, money: own, unmatched: 1, ...more };
}

/** Something was taken for nothing. */
export function extra(place: Place, key: string, amount: bigint): Found {
    const { asset, account_id } = place;
    const worth = asset === 'USD' ? -amount : 'average';
    return { key, account_id, asset, amount: -amount, money: worth, unmatched: 0 };
}

/** The entries of a life by their types; an account that debits at once has a capture alone. */
export function parts({ entries }: Place): {
    readonly capture: Entry;
    readonly hold: Entry;
    readonly end: (type: 'release' | 'expire', amount: bigint, seconds?: number) => Entry;
} {
    const capture = entries.find(({ entry_type }) => entry_type === 'capture')!;
    const hold = entries.find(({ entry_type }) => entry_type === 'authorize')!;
    const end = (entry_type: string, amount: bigint, seconds = 0): Entry => ({
        ...{ ...capture, entry_type, entry_id: `${capture.entry_id}-${entry_type}` },
        ...{ amount: units(amount), booked_at: later(capture.booked_at, seconds) },
    });
    return { capture, hold, end };
}

export const sibling = ({ books, account_id }: Place): string => {
    const parent = parentOf(books, account_id);
    return books.accounts.find(
        (of) => of.parent === parent && of.account_id !== account_id && of.parent !== null,
    )!.account_id;
};
export const parentOf = ({ accounts }: Books, id: string): string =>
    accounts.find(({ account_id }) => account_id === id)?.parent ?? '';

/** Entries in place of what was booked for the event. */
export function instead(place: Place, entries: readonly Entry[]): void {
    place.life.entries = entries;
}

/** Everything that a place can be: what was debited is what it is worth, but for rounding. */
export function placeOf(books: Books, life: Life | Day, key: string): Place {
    const isDay = 'day' in life;
    const [event] = life.usage as readonly [Usage];
    const account_id = isDay ? life.account_id : event.subject;
    const captured = life.entries
        .filter(({ entry_type }) => entry_type === 'capture')
        .reduce((sum, { amount }) => sum + atoms(amount), 0n);
    const cost = life.usage.reduce((sum, of) => sum + rated(of), 0n);
    const asset = isDay ? 'REQ' : account_id.includes('northwind') ? 'USD' : 'TOK';
    const worth = isDay
        ? BigInt(life.usage.length) * unit
        : asset === 'USD'
          ? cost
          : life.usage.reduce((sum, of) => sum + tokens(of), 0n);
    return {
        ...{ books, life, account_id, asset, worth, captured, rated: cost },
        ...{ entries: life.entries, event: isDay ? { ...(event ?? noUsage), id: key } : event },
    };
}

const noUsage = {
    ...{ id: '', subject: '', time: '' },
    data: { model: '', input_tokens: 0, cached_input_tokens: 0, output_tokens: 0 },
};

/** Usage without a price. */
export const unpriced = (event: Usage): Usage => ({
    ...event,
    data: { ...event.data, model: UNPRICED_MODEL },
});
