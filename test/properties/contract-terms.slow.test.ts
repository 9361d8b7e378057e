import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { rateChoices, ratedUsage } from '../../pipelines/40-rate/tables.ts';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import { pricedEvents } from '../../pipelines/45-price/tables.ts';
import { Engine } from '../../src/duck/engine.ts';
import { priceLines } from '../../src/quote/price.ts';
import { readLine } from '../../src/quote/read.ts';
import { sum } from '../../src/report/figures.ts';
import { loadCard } from '../../src/rules/load.ts';
import {
    createControl,
    fillBooks,
    fillRates,
    loadMacros,
    replaceTable,
} from '../../src/run/prepare.ts';
import { runStage } from '../../src/stage/run.ts';
import { linesOf, type QuoteLine } from '../support/charges.ts';
import { printed } from '../unit/rules/support.ts';

/**
 * However a term is cut into periods, they come to what one quote of the whole does: exact, and to
 * the cent. Each period is a contract of its own here, opened with what the ones before it used.
 */
let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 1, spill: tmpdir() });
});
afterAll(() => engine.close());

const counting = ['per_unit', 'graduated', 'volume', 'package', 'stairstep'];
const ofPeriod = ['minimum', 'charge_zero_usage', 'proration', 'tier_scope'];

/** A charge that may count over a term, as a quote says it. */
const charge = fc
    .constantFrom(...counting, 'graduated_percentage', 'dynamic')
    .chain(linesOf)
    .filter(({ quantity }) => typeof quantity === 'string')
    .map(({ charge: of }) => {
        const { rounding } = of as { rounding?: { mode: string } };
        const kept = Object.entries(of).filter(([name]) => !ofPeriod.includes(name));
        return {
            ...Object.fromEntries(kept),
            ...(rounding ? { rounding: { mode: rounding.mode } } : {}),
        } as QuoteLine['charge'];
    });

/** Quantities of periods, in thousandths. */
const periods = fc.array(
    fc.oneof(
        fc.nat(30_000),
        fc.nat(30).map((of) => of * 1000),
    ),
    {
        ...{ minLength: 1, maxLength: 4 },
    },
);
const thousandths = (of: number) =>
    `${Math.floor(of / 1000)}.${String(of % 1000).padStart(3, '0')}`;
const before = (cuts: readonly number[], at: number) =>
    cuts.slice(0, at).reduce((total, of) => total + of, 0);

const month = { period_start: '2026-10-01T00:00:00Z', period_end: '2026-11-01T00:00:00Z' };
const from = '2026-01-01T00:00:00Z';
const account = {
    ...{ account_id: 'a', payer_id: 'a', pool_id: 'a', channel_id: '' },
    ...{ currency: 'USD', wallet_asset: 'USD' },
};

interface Term {
    readonly charge: QuoteLine['charge'];
    readonly cuts: readonly number[];
}

function cardOf(terms: readonly Term[]) {
    const charges = terms.map(({ charge: of }, index) => {
        const { unit_price, ...rest } = of as { unit_price?: string; model?: string };
        const rate = { when: {}, from, list_price: '0' };
        return {
            ...{
                product: 'p',
                meter: `m${index}`,
                unit: 'u',
                tier_scope: 'contract_term',
                ...rest,
            },
            rates: [unit_price === undefined ? rate : { ...rate, price: unit_price }],
        };
    });
    const card = { card: 'c', version: '1', currency: 'USD', charges };
    const read = loadCard('card.yaml', () => stringify(card));
    if ('problems' in read) throw new Error(printed(read.problems).join('\n'));
    return read.card;
}

/** Line of each period to its amounts, by what it is a part of. */
async function priced(terms: readonly Term[]) {
    const { rates } = cardOf(terms);
    const idOf = new Map(rates.map(({ meter, rate_id }) => [meter, rate_id]));
    const slices = terms.flatMap(({ cuts }, index) =>
        cuts.map((of, at) => ({
            index,
            of,
            contract: `${index}-${at}`,
            opening: before(cuts, at),
        })),
    );
    const bookOf = (contract: string) => `c@${contract}`;
    await loadMacros(engine);
    await createControl(engine);
    await fillRates(engine, rates, () => true);
    await fillBooks(
        engine,
        slices.map(({ contract }) => ({ book_id: bookOf(contract), contract, cards: ['c'] })),
        () => 'USD',
        slices.map(({ contract, index, opening }) => ({
            ...{ contract, product: 'p', meter: `m${index}`, line: 1 },
            quantity: thousandths(opening),
        })),
    );
    await replaceTable(
        engine,
        accountPaths,
        slices.map(({ contract }) => ({
            ...{ ...account, ...month, book_id: bookOf(contract), time_zone: 'UTC', path: 'a' },
            ...{ account_name: 'a', payer_name: 'a', line_account_id: 'a' },
            ...{ valid_from: from, valid_to: '9999-12-31T00:00:00Z', wallet_shape: 'instant' },
            is_prepaid: true,
        })),
    );
    await replaceTable(
        engine,
        ratedUsage,
        slices.map(({ contract, index, of }) => ({
            ...{ ...account, book_id: bookOf(contract), meter: `m${index}`, attributes: '{}' },
            ...{ unit: 'u', segment_at: from, event_on: '2026-10-01', event_count: 1n },
            ...{ rate_id: idOf.get(`m${index}`) ?? '', product: 'p', unit_price: '0', amount: '0' },
            quantity: thousandths(of),
        })),
    );
    await replaceTable(engine, meteredUsage, []);
    await replaceTable(engine, rateChoices, []);
    await replaceTable(engine, pricedEvents, []);
    await runStage(priceUsage, { engine, upstream: 'rules', position: 1 });
    const rows = await engine.rows('select pool_id, amount, rounded from pricing.shares');
    return Map.groupBy(rows, ({ pool_id }) => String(pool_id).split('-')[0] ?? '');
}

test('the periods of a term come to one quote of the whole', async () => {
    const term = fc.record({ charge, cuts: periods });
    await fc.assert(
        fc.asyncProperty(fc.array(term, { minLength: 4, maxLength: 12 }), async (terms) => {
            const lines = terms.map(({ charge: of, cuts }, index) => {
                const quantity = thousandths(before(cuts, cuts.length));
                return { id: `${index}`, charge: of, quantity, currency: 'USD' };
            });
            const answers = await priceLines(
                engine,
                lines.map((of) => readLine(JSON.stringify(of))),
            );
            fc.pre(answers.every((of) => 'amount' in of && !/\d{13}/.test(of.amount)));
            const made = await priced(terms);
            for (const [index, answer] of answers.entries()) {
                if (!('amount' in answer)) throw new Error(JSON.stringify(answer));
                const of = made.get(`${index}`) ?? [];
                expect({
                    index,
                    exact: sum(of.map(({ amount }) => String(amount))),
                    rounded: sum(of.map(({ rounded }) => String(rounded))),
                }).toEqual({
                    index,
                    exact: sum([answer.amount_exact]),
                    rounded: sum([answer.amount]),
                });
            }
        }),
        { numRuns: 10, endOnFailure: true },
    );
}, 120_000);
