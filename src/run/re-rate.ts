import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { rate } from '../../pipelines/40-rate/stage.ts';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import { pricedEvents } from '../../pipelines/45-price/tables.ts';
import { rollUp } from '../../pipelines/50-roll-up/stage.ts';
import type { Book } from '../compile/contracts.ts';
import { Engine } from '../duck/engine.ts';
import type { RowOf } from '../duck/table.ts';
import type { CompiledCard } from '../rules/card.ts';
import { runStage } from '../stage/run.ts';
import { createControl, fillBooks, fillRates, loadMacros, replaceTable } from './prepare.ts';

/** Metered rows to be rated with a card that `lintCard` accepts, apart from any run. */
export interface ReRating {
    readonly card: CompiledCard;
    readonly usage: readonly RowOf<typeof meteredUsage>[];
    readonly memory: string;
    readonly threads: number;
    /**
     * Who pays, and when accounts were there: with it usage is priced and charged too, else only
     * rated.
     */
    readonly charging?: {
        readonly paths: readonly RowOf<typeof accountPaths>[];
        readonly events: readonly RowOf<typeof pricedEvents>[];
        /** Whether the events of a meter are all here, so that a rate can look at each. */
        readonly isSummed: (meter: string) => boolean;
    };
}

/**
 * Rates metered rows in memory through the very SQL of 40-rate, and of 45-price and 50-roll-up where
 * it is told who pays, and reads what came of them.
 * @throws RunError AUDIT_FAILED when the card is ambiguous after all, RULES_INVALID, ENGINE_*
 */
export async function reRate<T>(
    { card, usage, memory, threads, charging }: ReRating,
    read: (engine: Engine) => Promise<T>,
): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-rate-'));
    const engine = await Engine.open({
        file: ':memory:',
        memory,
        threads,
        spill: join(folder, 'spill'),
    });
    try {
        await loadMacros(engine);
        await createControl(engine);
        await fillRates(engine, card.rates, charging?.isSummed ?? (() => false));
        await fillBooks(
            engine,
            booksOf(card, [...usage, ...(charging?.paths ?? [])]),
            () => card.currency,
        );
        await replaceTable(engine, meteredUsage, usage);
        const stages = charging ? [rate, priceUsage, rollUp] : [rate];
        if (charging) {
            await replaceTable(engine, accountPaths, charging.paths);
            await replaceTable(engine, pricedEvents, charging.events);
        }
        for (const [index, stage] of stages.entries()) {
            const at = { upstream: 'rules', position: index + 1 };
            await runStage(stage, { engine, ...at });
        }
        return await read(engine);
    } finally {
        engine.close();
        rmSync(folder, { recursive: true, force: true });
    }
}

/** The one card prices whatever the rows say they are priced by. */
export function booksOf(
    { card }: CompiledCard,
    rows: readonly { readonly book_id: string }[],
): readonly Book[] {
    const ids = new Set(rows.map(({ book_id }) => book_id));
    return [...ids].sort().map((book_id) => ({ book_id, cards: [card] }));
}
