import type { Engine } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import type { CompiledCard } from '../rules/card.ts';

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
