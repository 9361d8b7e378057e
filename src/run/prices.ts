import { allBooks, type Book } from '../compile/contracts.ts';
import type { Conversions, ConvertedBook } from '../compile/conversions.ts';
import { type FileProblem, RunError } from '../errors/index.ts';
import { rateUnits } from '../quote/rate-units.ts';
import type { CompiledRate } from '../rules/card.ts';
import { convertRates } from '../rules/convert.ts';
import { Problems } from '../rules/problems.ts';
import { type Project, ratesOf, summedMeters } from './project.ts';

/** What prices a run: rates and books as they are written, and as payers of other currencies need them. */
export interface Prices {
    readonly rates: readonly CompiledRate[];
    readonly books: readonly Book[];
    /** In what a card prices in a book. */
    readonly currencyOf: (card: string, book: Book) => string;
}

/** @throws RunError RULES_INVALID with every rate that cannot be converted */
export function pricesOf(project: Project, conversions: Conversions): Prices {
    const written = new Map(project.cards.map(({ card, currency }) => [card, currency]));
    const converted = new Map(conversions.books.map((book) => [book.book_id, book]));
    return {
        rates: [...ratesOf(project), ...convertedRates(project, conversions)],
        books: [...allBooks(project.contracts), ...conversions.books],
        currencyOf: (card, { book_id }) => {
            const book = converted.get(book_id);
            const isConverted = book?.converted.includes(card) ?? false;
            return (isConverted ? book?.currency : written.get(card)) ?? '';
        },
    };
}

/** The rates of cards that are converted, each once for a currency. */
function convertedRates(
    { cards }: Project,
    { books, rates }: Conversions,
): readonly CompiledRate[] {
    const problems = new Problems();
    const isIn = (card: string, currency: string) => (book: ConvertedBook) =>
        book.currency === currency && book.converted.includes(card);
    const made = cards.flatMap((card) =>
        rates
            .filter(({ from, to }) => from === card.currency && books.some(isIn(card.card, to)))
            .flatMap((rate) => convertRates(card.rates, rate, problems)),
    );
    if (problems.list.length) throw new RunError('RULES_INVALID', { problems: problems.list });
    return made;
}

/**
 * Whether all that is converted can be, and computed exactly then.
 * @throws RunError RULES_INVALID
 */
export function requireConvertible(project: Project, conversions: Conversions): void {
    const summed = summedMeters(project);
    const made = convertedRates(project, conversions);
    try {
        rateUnits(made, (meter) => summed.has(meter));
    } catch (error) {
        if (!(error instanceof RunError) || error.code !== 'RULES_INVALID') throw error;
        const { problems } = (error as RunError<'RULES_INVALID'>).params;
        throw new RunError('RULES_INVALID', { problems: problems.map(asConverted) });
    }
}

const asConverted = (problem: FileProblem): FileProblem => ({
    ...problem,
    message: `converted to the currency of a payer, ${problem.message}`,
    remedy: 'Write currency rates of fewer decimals, or give payers in that currency a card of their own.',
});
