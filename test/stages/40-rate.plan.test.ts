import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rate } from '../../pipelines/40-rate/stage.ts';
import { benchCard, fillRateBench } from '../../scripts/support/bench-rates-data.ts';
import { Engine } from '../../src/duck/engine.ts';
import { quoteTable, stripComments } from '../../src/duck/sql.ts';
import { lintCard } from '../../src/rules/lint.ts';
import { readStageSql, runStage } from '../../src/stage/run.ts';

/** Operators that compare every row of one side with every row of the other, or nearly. */
const pairwise = /CROSS_PRODUCT|NESTED_LOOP_JOIN|BLOCKWISE_NL_JOIN|PIECEWISE_MERGE_JOIN|IE_JOIN/;

let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 2, spill: '/tmp' });
    await fillRateBench(engine, { rows: 6_000n, combinations: 1_500n, rates: 1_000 });
    await runStage(rate, { engine, upstream: 'test', position: 1 });
});
afterAll(() => engine.close());

describe('40-rate at the size of a real card', () => {
    test('the card of the benchmark has no tie, and so many rates', () => {
        const card = benchCard(1_000);
        expect(card.rates).toHaveLength(1_000);
        expect(new Set(card.rates.map(({ mask }) => mask.join())).size).toBe(7);
        const attributes = Object.keys(card.charges[0]?.attributes ?? {});
        expect(lintCard(card, { known: { meters: { tokens: attributes } } })).toEqual([]);
    });

    test('every row has one rate, through every kind of pattern', async () => {
        const row = await engine.one(`select
            (select count(*) from rated.usage) as rated,
            (select count(distinct specificity) from rated.rate_candidates where choice_no = 1) as kinds`);
        // The rate of all usage is never the best: every token class has one.
        expect(row).toEqual({ rated: 6_000n, kinds: 6n });
    });

    test.each(rate.writes.map(({ name }) => name))('%s compares no pairs', async (name) => {
        const sql = stripComments(readStageSql(rate).selects[name] ?? '');
        const rows = await engine.rows(`explain ${sql}`);
        const plan = rows.map((row) => String(row.explain_value)).join('\n');
        expect(plan).toMatch(/SCAN|READ/);
        expect(plan).not.toMatch(pairwise);
    });

    test('the check would notice', async () => {
        const rows = await engine.rows(
            `explain select * from ${quoteTable('metered.usage')} as usage
             inner join ${quoteTable('rules.rates')} as rates on usage.quantity > rates.unit_price`,
        );
        expect(rows.map((row) => String(row.explain_value)).join('\n')).toMatch(pairwise);
    });
});
