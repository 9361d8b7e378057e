import { price } from '../../pipelines/45-price/stage.ts';
import * as tables from '../../pipelines/45-price/tables.ts';
import type { Engine } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import { createControl, loadMacros, replaceTable } from '../run/prepare.ts';
import { runStage } from '../stage/run.ts';
import { answerOf, type PricedGroup, type QuoteAnswer } from './answer.ts';
import { type CoveredJob, type Cut, coverUnits, cutUnits } from './cover.ts';
import { settle } from './draw-down.ts';
import { attempt, QuoteError } from './error.ts';
import type { Job } from './job.ts';
import { usagesOf } from './meter.ts';
import { pointsOf } from './points.ts';
import type { ReadLine } from './read.ts';
import { moneyOwner, type Priced, settlementOf } from './settle.ts';
import { committedAnswer, drawnAnswer } from './settled-answer.ts';
import { type GroupUsage, unitLine, units } from './units.ts';

export type QuoteResult =
    | QuoteAnswer
    | {
          readonly id: string | null;
          readonly error: { readonly code: string; readonly message: string };
      };

interface Prepared extends Omit<Priced, 'groups'> {}

/**
 * Prices lines as a set, through the stages of the pipeline: one answer for each line, in order.
 * Quantity grants cover units, the rest is priced, the commitment is counted, money is drawn. What
 * is wrong with a line is its answer; nothing is thrown for it.
 */
export async function priceLines(
    engine: Engine,
    lines: readonly ReadLine[],
): Promise<readonly QuoteResult[]> {
    await loadMacros(engine);
    const usages = await usagesOf(engine, lines);
    const jobs = await coverUnits(
        engine,
        lines.map((read, index) => jobOf(read, index, usages[index] ?? [])),
    );
    const cuts = await cutUnits(engine, jobs);
    const prepared = jobs.map((job, index) => prepare(job, cuts[index] ?? null));
    const ready = prepared.filter((of): of is Prepared => !(of instanceof QuoteError));
    const groups = await run(engine, await fill(engine, ready));
    const priced = prepared.map((of) =>
        attempt(
            of,
            (line): Priced => ({
                ...line,
                groups: new Map(
                    groups.get(line.job.key)?.map((group) => [group.group_id, group] as const),
                ),
            }),
        ),
    );
    return (await settleLines(engine, priced)).map((answer, index): QuoteResult => {
        if (!(answer instanceof QuoteError)) return answer;
        const { code, text: message } = answer;
        return { id: lines[index]?.id ?? null, error: { code, message } };
    });
}

function jobOf(
    read: ReadLine,
    index: number,
    usage: readonly GroupUsage[] | QuoteError,
): Job | QuoteError {
    if ('error' in read) return read.error;
    return attempt(usage, (of) => ({ key: String(index), line: read.line, usage: of }));
}

function prepare(
    step: CoveredJob | QuoteError,
    cut: Cut | QuoteError | null,
): Prepared | QuoteError {
    return attempt(step, (job) => {
        if (cut instanceof QuoteError) throw cut;
        const points = pointsOf(job, cut);
        return { job, cut, points, unit: unitLine({ ...job.line, id: job.key }, points.usage) };
    });
}

/** Counts commitments and draws grants, and words the answers. */
async function settleLines(
    engine: Engine,
    steps: readonly (Priced | QuoteError)[],
): Promise<readonly (QuoteAnswer | QuoteError)[]> {
    const settled = steps.map((step) => attempt(step, settling));
    const owners = settled.flatMap((of) => (of instanceof QuoteError || !of.owner ? [] : of.owner));
    const drawn = await settle(engine, owners);
    return settled.map((step) =>
        attempt(step, ({ priced, result }) => {
            const of = drawn.get(priced.job.key);
            return 'plain' in result
                ? drawnAnswer(result.plain, result.amount, priced, of)
                : committedAnswer(priced, result, of);
        }),
    );
}

/** What a priced line settles: a commitment, or else the amount that it has already. */
function settling(priced: Priced) {
    const { job, unit, groups } = priced;
    if (job.line.commitment) {
        const result = settlementOf(priced);
        return { priced, result, owner: moneyOwner(priced, result) };
    }
    const plain = answerOf(job.line, unit, job.usage, [...groups.values()]);
    const amount = units(plain.amount, unit.scales.decimals);
    return { priced, result: { plain, amount }, owner: moneyOwner(priced, amount) };
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
    await runStage(price, { engine, upstream, position: 1 });
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
