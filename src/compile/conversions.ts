import { daysBetween } from '../time/civil.ts';
import { allBooks, type Book, type Contracts } from './contracts.ts';

/** What one unit of a currency is in another, as somebody stated it on a civil date. */
export interface CurrencyRate {
    readonly from: string;
    readonly to: string;
    /** yyyy-MM-dd. */
    readonly on: string;
    /** Money of `to` for one of `from`. */
    readonly rate: string;
    readonly source: string;
    readonly line: number;
}

/** The file of currency rates. */
export interface CurrencyRates {
    readonly file: string;
    readonly max_age_days: number;
    readonly rows: readonly CurrencyRate[];
}

/** What prices may be converted by. */
export interface Exchange {
    /** Null where the config names none: nothing is converted. */
    readonly rates: CurrencyRates | null;
    /** Card to the currency that it is written in. */
    readonly currencies: ReadonlyMap<string, string>;
}

/** No currency rates: a card prices for payers of its own currency, and for nobody else. */
export const noExchange: Exchange = { rates: null, currencies: new Map() };

/** A pair of currencies that has no rate for the period, with why. */
export interface MissingConversion {
    readonly from: string;
    readonly to: string;
    readonly evidence: string;
}

/** A book of which some cards are converted to the currency of who pays by it. */
export interface ConvertedBook extends Book {
    readonly currency: string;
    /** Those of its cards that are. */
    readonly converted: readonly string[];
}

/** What a period converts, in order. */
export interface Conversions {
    readonly books: readonly ConvertedBook[];
    /** One rate for each pair. */
    readonly rates: readonly CurrencyRate[];
    readonly missing: readonly MissingConversion[];
}

/**
 * The one rate of a pair for a period: the latest that was stated by the date on which the period
 * begins. So it is known before anything is used, is the same every night of the month, and the
 * wallet layer can use it too. In whatever zone a period begins, it begins on the first of its month.
 */
export function rateOfPeriod(
    { file, max_age_days, rows }: CurrencyRates,
    { from, to }: Pick<CurrencyRate, 'from' | 'to'>,
    period: string,
): CurrencyRate | MissingConversion {
    const begin = `${period}-01`;
    const own = rows.filter((row) => row.from === from && row.to === to);
    const missing = (evidence: string) => ({ from, to, evidence });
    const latest = last(own.filter(({ on }) => on <= begin));
    if (!latest) {
        const what = own.length ? `on or before ${begin}` : 'of any date';
        return missing(`${file} has no rate from ${from} to ${to} ${what}`);
    }
    const age = daysBetween(latest.on, begin);
    if (age <= max_age_days) return latest;
    return missing(
        `the latest rate from ${from} to ${to} in ${file} is of ${latest.on}: ${age} days before ` +
            `${begin}, and currency_rates_max_age_days is ${max_age_days}`,
    );
}

const last = (rows: readonly CurrencyRate[]) =>
    [...rows].sort((one, other) => (one.on < other.on ? -1 : 1)).at(-1);

/** Whether anybody ever stated a rate of a pair. */
export function isConvertible({ rates }: Exchange, from: string, to: string): boolean {
    return rates?.rows.some((row) => row.from === from && row.to === to) ?? false;
}

/** Finds the books of payers, and remembers what had to be converted for them. */
export interface Converter {
    /**
     * The book for a payer of a currency: with the cards of others converted, as far as there are
     * rates. The book itself where that is none.
     * @param isNeeded whether the period, or a later one, is priced by it.
     */
    readonly bookIn: (book_id: string, currency: string, isNeeded: boolean) => string;
    readonly conversions: () => Conversions;
}

/** @param period yyyy-MM, for which each pair of currencies has one rate. */
export function converterOf(contracts: Contracts, exchange: Exchange, period: string): Converter {
    const books = new Map(allBooks(contracts).map((book) => [book.book_id, book]));
    const variants = new Map<string, ConvertedBook>();
    const found = new Map<string, CurrencyRate | MissingConversion>();
    const needed = new Set<string>();
    const rateOf = (from: string, to: string, isNeeded: boolean) => {
        if (!exchange.rates || from === to) return null;
        const pair = `${from}:${to}`;
        if (isNeeded) needed.add(pair);
        const rate = found.get(pair) ?? rateOfPeriod(exchange.rates, { from, to }, period);
        found.set(pair, rate);
        return 'rate' in rate ? rate : null;
    };
    return {
        bookIn: (book_id, currency, isNeeded) => {
            const book = books.get(book_id);
            const converted = (book?.cards ?? []).filter((card) =>
                rateOf(exchange.currencies.get(card) ?? currency, currency, isNeeded),
            );
            if (!book || converted.length === 0) return book_id;
            const id = variantId(book_id, currency);
            variants.set(id, { ...book, book_id: id, currency, converted });
            return id;
        },
        conversions: () => {
            const inOrder = [...found].sort(([one], [other]) => (one < other ? -1 : 1));
            const rates = inOrder.flatMap(([, of]) => ('rate' in of ? [of] : []));
            const missing = inOrder
                .filter(([pair]) => needed.has(pair))
                .flatMap(([, of]) => ('rate' in of ? [] : [of]));
            const byId = [...variants.values()].sort((one, other) =>
                one.book_id < other.book_id ? -1 : 1,
            );
            return { books: byId, rates, missing };
        },
    };
}

/** No other id begins like this: those of books begin with a card, which has no upper case. */
const variantId = (book_id: string, currency: string) => `${currency}:${book_id}`;
