import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { rateChoices, ratedUsage } from '../../pipelines/40-rate/tables.ts';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import { pricedEvents } from '../../pipelines/45-price/tables.ts';
import { rollUp } from '../../pipelines/50-roll-up/stage.ts';
import { Engine } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import type { RowOf } from '../duck/table.ts';
import type { CompiledCard } from '../rules/card.ts';
import { runStage } from '../stage/run.ts';
import { createControl, fillBooks, fillRates, loadMacros, replaceTable } from './prepare.ts';
import { booksOf } from './re-rate.ts';

/** Usage whose rates are known, to be priced with their terms apart from any run. */
export interface RatedPricing {
    readonly card: CompiledCard;
    readonly usage: readonly RowOf<typeof ratedUsage>[];
    /** All usage of their meters, whatever its rate: a fee is charged to who has some. */
    readonly metered: readonly RowOf<typeof meteredUsage>[];
    readonly paths: readonly RowOf<typeof accountPaths>[];
    /** Parquet of compiled.priced_events; null when no rate looks at events. */
    readonly events: string | null;
    readonly isSummed: (meter: string) => boolean;
    readonly memory: string;
    readonly threads: number;
}

/** What a payer pays for a product by terms. */
export interface PricedProduct {
    readonly payer_id: string;
    readonly product: string;
    readonly currency: string;
    readonly amount: string;
}

/** Prices rated usage through the very SQL of 45-price and 50-roll-up, fees of accounts included. */
export async function priceRated(pricing: RatedPricing): Promise<readonly PricedProduct[]> {
    const { memory, threads } = pricing;
    const folder = mkdtempSync(join(tmpdir(), 'tieout-price-'));
    const spill = join(folder, 'spill');
    const engine = await Engine.open({ file: ':memory:', memory, threads, spill });
    try {
        await fill(engine, pricing);
        for (const [index, stage] of [priceUsage, rollUp].entries()) {
            const at = { upstream: 'rules', position: index + 1 };
            await runStage(stage, { engine, ...at });
        }
        const rows = await engine.rows(
            `select payer_id, product, currency, sum(amount) as amount
             from rolled.charges
             where line_id is not null
             group by payer_id, product, currency
             order by payer_id, product, currency`,
        );
        return rows.map(({ payer_id, product, currency, amount }) => ({
            payer_id: String(payer_id),
            product: String(product),
            currency: String(currency),
            amount: String(amount),
        }));
    } finally {
        engine.close();
        rmSync(folder, { recursive: true, force: true });
    }
}

async function fill(
    engine: Engine,
    { card, usage, metered, paths, events, isSummed }: RatedPricing,
): Promise<void> {
    await loadMacros(engine);
    await createControl(engine);
    await fillRates(engine, card.rates, isSummed);
    await fillBooks(engine, booksOf(card, [...usage, ...paths]), () => card.currency);
    await replaceTable(engine, accountPaths, paths);
    await replaceTable(engine, ratedUsage, usage);
    await replaceTable(engine, meteredUsage, metered);
    const choices = usage.map((row) => {
        const { meter, book_id, attributes, segment_at, rate_id, product } = row;
        const { unit_price, currency } = row;
        return { meter, book_id, attributes, segment_at, rate_id, product, unit_price, currency };
    });
    const keys = new Map(choices.map((of) => [JSON.stringify(Object.values(of)), of]));
    await replaceTable(engine, rateChoices, [...keys.values()]);
    await replaceTable(engine, pricedEvents, []);
    if (events !== null) {
        await engine.run(
            `insert into compiled.priced_events by name select * from read_parquet(${quoteText(events)})`,
        );
    }
}
