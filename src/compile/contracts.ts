import type { FileProblem } from '../errors/index.ts';
import { type DrawTerm, drawTerms, type LateUsage } from '../schema/contract.ts';
import { nearestWord } from '../schema/suggest.ts';
import type { Instant } from '../time/instant.ts';
import type { Commitment } from './commitments.ts';
import type { Grant } from './grants.ts';

/** A book: the cards that price together. */
export interface Book {
    readonly book_id: string;
    /** The one contract whose book it is, where a rate of it counts over the term. */
    readonly contract?: string;
    /** Names of its cards, sorted. */
    readonly cards: readonly string[];
}

/** A book with a half-open span of time. */
export interface BookSpan extends Book {
    readonly from: Instant;
    readonly to: Instant;
}

/** Usage that a contract counts over its term, while the rate that does is in force in it. */
export interface TermCount {
    readonly product: string;
    readonly meter: string;
    readonly from: Instant;
    readonly to: Instant;
}

/** A contract, its cards read. */
export interface Contract {
    readonly contract: string;
    readonly account: string;
    /** Who sells to the account; null for the operator. */
    readonly seller: string | null;
    readonly from: Instant;
    readonly to: Instant;
    /** Without a gap from its first instant to its last. */
    readonly books: readonly BookSpan[];
    /** The cards as the contract lists them. */
    readonly cards: readonly {
        readonly card: string;
        readonly currency: string;
        readonly line: number;
    }[];
    /** Sorted by product and meter, one for each. */
    readonly counts: readonly TermCount[];
    /** In the order of the file. */
    readonly commitments: readonly Commitment[];
    readonly grants: readonly Grant[];
    /** What is found after a period was closed; null as the config says. */
    readonly lateUsage: LateUsage | null;
    readonly line: number;
}

/** All contracts of a project, and what prices accounts that have none. */
export interface Contracts {
    readonly file: string;
    readonly standard: Book;
    readonly contracts: readonly Contract[];
    /** What decides which grant draws first. */
    readonly drawOrder: readonly DrawTerm[];
}

/** No contracts: one book for all. */
export function noContracts(card: string): Contracts {
    return {
        file: '',
        standard: { book_id: card, cards: [card] },
        contracts: [],
        drawOrder: drawTerms,
    };
}

/** Every book there is, by its id. */
export function allBooks({ standard, contracts }: Contracts): readonly Book[] {
    const books = [standard, ...contracts.flatMap((of) => of.books)];
    const byId = new Map(
        books.map(({ book_id, contract, cards }) => [
            book_id,
            { book_id, ...(contract === undefined ? {} : { contract }), cards },
        ]),
    );
    return [...byId.values()].sort((one, other) => (one.book_id < other.book_id ? -1 : 1));
}

/** A contract by which an account above sells to one below, with its book at an instant. */
export interface Sale {
    readonly contract: Contract;
    readonly book_id: string;
}

/** A span of an account in which one book prices it, with the contract that says so. */
export interface PricedSpan {
    readonly book_id: string;
    readonly contract: Contract | null;
    /** Who sells it on to whom, from the top down. */
    readonly sales: readonly Sale[];
    readonly from: Instant;
    readonly to: Instant;
}

/** Finds what prices an account over a span in which its path does not change. */
export type BookFinder = (
    /** From the account to its root. */
    path: readonly string[],
    from: Instant,
    to: Instant,
) => readonly PricedSpan[];

/**
 * The contract with the operator of the nearest account on the path that has one in force decides;
 * each contract with another seller on the path is a sale of its own.
 */
export function bookFinder({ standard, contracts }: Contracts): BookFinder {
    const byAccount = Map.groupBy(contracts, ({ account }) => account);
    return (path, from, to) => {
        const near = path.flatMap((account) => {
            const own = byAccount.get(account);
            return own ? [own] : [];
        });
        const instants = near
            .flat()
            .flatMap(({ books }) => books.flatMap((book) => [book.from, book.to]))
            .filter((at) => at > from && at < to);
        const starts = [...new Set([from, ...instants])].sort((one, other) =>
            one < other ? -1 : 1,
        );
        return starts.map((start, at) => {
            const holds = (of: { readonly from: Instant; readonly to: Instant }) =>
                of.from <= start && start < of.to;
            const inForce = near.flatMap((own) => own.find(holds) ?? []);
            const contract = inForce.find(({ seller }) => seller === null) ?? null;
            const bookOf = (of: Contract | null) => (of?.books.find(holds) ?? standard).book_id;
            const sales = inForce
                .filter(({ seller }) => seller !== null)
                .reverse()
                .map((of) => ({ contract: of, book_id: bookOf(of) }));
            const end = starts[at + 1] ?? to;
            return { book_id: bookOf(contract), contract, sales, from: start, to: end };
        });
    };
}

/** Neighbours that are priced and sold alike, as one. */
export function joinSpans(spans: readonly PricedSpan[]): readonly PricedSpan[] {
    const said = spans.map(({ book_id, sales }) =>
        JSON.stringify([
            book_id,
            sales.map((of) => [of.contract.seller, of.contract.account, of.book_id]),
        ]),
    );
    const firsts = spans.filter((_, at) => said[at] !== said[at - 1]);
    const end = spans.at(-1)?.to;
    return firsts.map((span, at) => ({ ...span, to: firsts[at + 1]?.from ?? end ?? span.to }));
}

/** Contracts of accounts that do not exist, or with sellers that do not. */
export function unknownAccounts(
    { file, contracts }: Contracts,
    known: ReadonlySet<string>,
): readonly FileProblem[] {
    return contracts.flatMap(({ contract, account, seller, line }) => {
        const named = [
            { account, message: `contract ${contract} is of ${account}` },
            {
                account: seller ?? account,
                message: `the seller of contract ${contract} is ${seller}`,
            },
        ];
        return named
            .filter((of, at) => !known.has(of.account) && (at === 0 || seller !== null))
            .map((of) => {
                const near = nearestWord(of.account, known);
                return {
                    code: 'UNKNOWN_ACCOUNT',
                    file,
                    line,
                    message: `${of.message}, which is not in the accounts file`,
                    remedy: near
                        ? `Did you mean "${near}"?`
                        : 'Add the account, or correct its name here.',
                };
            });
    });
}

/**
 * Cards that price nothing because nobody who pays under their contract is billed in their currency,
 * nor in one that their prices could ever be converted to.
 * @param payers contract to the currencies of those who pay under it.
 */
export function foreignCards(
    { file, contracts }: Contracts,
    payers: ReadonlyMap<string, ReadonlySet<string>>,
    isConvertible: (from: string, to: string) => boolean,
): readonly FileProblem[] {
    return contracts.flatMap(({ contract, cards }) => {
        const currencies = payers.get(contract);
        if (!currencies) return [];
        return cards
            .filter(
                ({ currency: from }) =>
                    !currencies.has(from) && ![...currencies].some((to) => isConvertible(from, to)),
            )
            .map(({ card, currency, line }) => ({
                code: 'CONTRACT_CURRENCY',
                file,
                line,
                message: `card ${card} of contract ${contract} is in ${currency}, and who pays under it is billed in ${[...currencies].sort().join(', ')}`,
                remedy: 'All of its usage would be RATE_CURRENCY: name a card in that currency, or write rates to it in `currency_rates`.',
            }));
    });
}
