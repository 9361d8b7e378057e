import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import { currencyRates } from '../../pipelines/40-rate/tables.ts';
import type { CurrencyRate } from '../compile/conversions.ts';
import type { Engine } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import type { CompiledCard } from '../rules/card.ts';
import { convertRates } from '../rules/convert.ts';
import { Problems } from '../rules/problems.ts';
import type { Slot } from './slots.ts';

/** The usage of a run that two cards are compared over, of payers of one currency. */
export interface Within {
    readonly slots: readonly Slot[];
    readonly books: readonly string[];
    readonly currency: string;
}

/** The rates by which a run converted prices. */
export async function readCurrencyRates(engine: Engine): Promise<readonly CurrencyRate[]> {
    const rows = await engine.table(currencyRates, 'from_currency, to_currency');
    return rows.map(({ from_currency, to_currency, rated_on, rate, source }) => ({
        ...{ from: from_currency, to: to_currency, on: rated_on, rate, source, line: 1 },
    }));
}

/** The currencies that are billed in under some books, sorted. */
export async function readCurrencies(
    engine: Engine,
    books: readonly string[],
): Promise<readonly string[]> {
    const paths = await engine.table(accountPaths, 'account_id, valid_from');
    const priced = paths.filter(({ book_id }) => books.includes(book_id));
    return [...new Set(priced.map(({ currency }) => currency))].sort();
}

/**
 * A card as it prices for payers of a currency: as the run converted it, and as it is written where
 * it did not.
 * @throws RunError RULES_INVALID
 */
export function cardIn(
    card: CompiledCard,
    currency: string,
    rates: readonly CurrencyRate[],
): CompiledCard {
    const rate = rates.find(({ from, to }) => from === card.currency && to === currency);
    if (!rate) return card;
    const problems = new Problems();
    const converted = convertRates(card.rates, rate, problems);
    if (problems.list.length) throw new RunError('RULES_INVALID', { problems: problems.list });
    return { ...card, currency, rates: converted };
}
