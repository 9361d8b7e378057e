import { price } from '../../pipelines/45-price/stage.ts';
import * as tables from '../../pipelines/45-price/tables.ts';
import type { Engine } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import { createControl, loadMacros, replaceTable } from '../run/prepare.ts';
import type { QuoteLine } from '../schema/quote.ts';
import { runStage } from '../stage/run.ts';
import { answerOf, type PricedGroup, type QuoteAnswer } from './answer.ts';
import { QuoteError } from './error.ts';
import { usagesOf } from './meter.ts';
import type { ReadLine } from './read.ts';
import { type GroupUsage, type UnitLine, unitLine } from './units.ts';

export type QuoteResult =
    | QuoteAnswer
    | {
          readonly id: string | null;
          readonly error: { readonly code: string; readonly message: string };
      };

interface Prepared {
    readonly key: string;
    readonly line: QuoteLine;
    readonly usage: readonly GroupUsage[];
    readonly unit: UnitLine;
}

/**
 * Prices lines as a set, through the pricing stage: one answer for each line, in order. What is
 * wrong with a line is its answer; nothing is thrown for it.
 */
export async function priceLines(
    engine: Engine,
    lines: readonly ReadLine[],
): Promise<readonly QuoteResult[]> {
    await loadMacros(engine);
    const usages = await usagesOf(engine, lines);
    const prepared = lines.map((read, index) => prepare(read, index, usages[index] ?? []));
    const ready = prepared.filter((of): of is Prepared => !(of instanceof QuoteError));
    const inputs = await fill(engine, ready);
    const groups = await run(engine, inputs);
    return prepared.map((of, index): QuoteResult => {
        if (of instanceof QuoteError) {
            const { code, message } = of;
            return { id: lines[index]?.id ?? null, error: { code, message } };
        }
        return answerOf(of.line, of.unit, of.usage, groups.get(of.key) ?? []);
    });
}

function prepare(
    read: ReadLine,
    index: number,
    usage: readonly GroupUsage[] | QuoteError,
): Prepared | QuoteError {
    if ('error' in read) return read.error;
    if (usage instanceof QuoteError) return usage;
    const { line } = read;
    const key = String(index); // ids may repeat in a file
    try {
        return { key, line, usage, unit: unitLine({ ...line, id: key }, usage) };
    } catch (error) {
        if (error instanceof QuoteError) return error;
        throw error;
    }
}

/** Fills what the stage reads and gives its fingerprint: other lines are another run. */
async function fill(engine: Engine, lines: readonly Prepared[]): Promise<string> {
    const units = lines.map(({ unit }) => unit);
    await replaceTable(
        engine,
        tables.charges,
        units.map(({ charge }) => charge),
    );
    await replaceTable(
        engine,
        tables.tiers,
        units.flatMap((of) => of.tiers),
    );
    await replaceTable(
        engine,
        tables.stepBounds,
        units.flatMap((of) => of.stepBounds),
    );
    await replaceTable(
        engine,
        tables.discounts,
        units.flatMap((of) => of.discounts),
    );
    await replaceTable(
        engine,
        tables.usages,
        units.flatMap((of) => of.usages),
    );
    await replaceTable(
        engine,
        tables.dimensionUsages,
        units.flatMap((of) => of.dimensions),
    );
    await replaceTable(
        engine,
        tables.events,
        units.flatMap((of) => of.events),
    );
    return sha256(JSON.stringify(units, (_key, of) => (typeof of === 'bigint' ? `${of}` : of)));
}

/** Runs the stage and gathers what it says by line; groups in byte order of their names. */
async function run(
    engine: Engine,
    upstream: string,
): Promise<ReadonlyMap<string, readonly PricedGroup[]>> {
    await createControl(engine);
    await runStage(price, { engine, lake: '', upstream, position: 1 });
    const tiers = Map.groupBy(
        await engine.table(tables.tierAmounts, 'line_id, group_id, tier_no'),
        ({ line_id, group_id }) => JSON.stringify([line_id, group_id]),
    );
    const rows = await engine.rows(
        `select amounts.*, discounted.sign
        from pricing.amounts as amounts
        inner join pricing.discounted as discounted
            on amounts.line_id = discounted.line_id and amounts.group_id = discounted.group_id
        order by amounts.line_id, amounts.group_id`,
    );
    const groups = rows.map((row) => ({
        line_id: String(row.line_id),
        group_id: String(row.group_id),
        exact: row.exact as bigint,
        rounded: row.rounded as bigint,
        sign: row.sign as bigint,
        tiers: tiers.get(JSON.stringify([row.line_id, row.group_id])) ?? [],
    }));
    return Map.groupBy(groups, ({ line_id }) => line_id);
}
