import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { rate } from '../../pipelines/40-rate/stage.ts';
import { rates } from '../../pipelines/40-rate/tables.ts';
import { Engine } from '../duck/engine.ts';
import type { RowOf } from '../duck/table.ts';
import type { CompiledCard } from '../rules/card.ts';
import { runStage } from '../stage/run.ts';
import { createControl, loadMacros, replaceTable } from './prepare.ts';

/** Metered rows to be rated with a card that `lintCard` accepts, apart from any run. */
export interface ReRating {
    readonly card: CompiledCard;
    readonly usage: readonly RowOf<typeof meteredUsage>[];
    readonly memory: string;
    readonly threads: number;
}

/**
 * Rates metered rows in memory through the very SQL of 40-rate and reads what came of them.
 * @throws RunError AUDIT_FAILED when the card is ambiguous after all, ENGINE_*
 */
export async function reRate<T>(
    { card, usage, memory, threads }: ReRating,
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
        await replaceTable(engine, rates, card.rates);
        await replaceTable(engine, meteredUsage, usage);
        await runStage(rate, {
            engine,
            lake: join(folder, 'lake'),
            upstream: 'rules',
            position: 1,
        });
        return await read(engine);
    } finally {
        engine.close();
        rmSync(folder, { recursive: true, force: true });
    }
}
