import type { Contracts } from '../compile/contracts.ts';
import type { Engine } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { CompiledCard } from '../rules/card.ts';
import { countsOverTerm } from '../schema/terms.ts';

/** Books of the run that have the old card, by its name; all of them where none has. */
export async function readBooks(
    engine: Engine,
    { card }: CompiledCard,
): Promise<readonly string[]> {
    const rows = await engine.rows('select book_id, card from rules.book_cards order by all');
    const having = rows.filter((row) => row.card === card);
    return (having.length ? having : rows).map(({ book_id }) => String(book_id));
}

/** The condition of usage in some books. */
export const inBooks = (books: readonly string[]) =>
    `book_id in (${books.map(quoteText).join(', ')})`;

/** Stands for any book: one card prices what is compared. */
export const anyBook = 'any';

/** Meters of which a rate is more than a price of one unit. */
export function termedMeters({ rates }: CompiledCard): readonly string[] {
    return rates.flatMap(({ meter, terms }) => (terms === null ? [] : [meter]));
}

/** What a term counted before is known by contract, and a diff is of cards. */
export function requireNoTerms({ card, rates }: CompiledCard): void {
    const counting = rates.find(({ terms }) => countsOverTerm(terms));
    if (!counting) return;
    throw new RunError('USAGE', {
        detail: `${card} has a rate that counts over the term of a contract (${counting.file}:${counting.line}), and a diff knows no terms`,
        remedy: 'Compare the lines of two runs instead.',
    });
}

/**
 * Whether a card prices sales of accounts beside what the operator bills. What is sold on is priced
 * apart from the metered usage of a run, and a diff does not see it.
 * @throws RunError USAGE where it prices nothing else
 */
export function isOfSales({ card }: CompiledCard, { standard, contracts }: Contracts): boolean {
    const naming = contracts.filter(({ books }) => books.some((of) => of.cards.includes(card)));
    const sale = naming.find(({ seller }) => seller !== null);
    if (!sale) return false;
    if (standard.cards.includes(card) || naming.some(({ seller }) => seller === null)) return true;
    throw new RunError('USAGE', {
        detail: `${card} is only in contracts of sellers (${sale.contract}: ${sale.seller} to ${sale.account}), and a diff does not compare sales`,
        remedy: 'Compare sale_lines.csv of two runs instead.',
    });
}
