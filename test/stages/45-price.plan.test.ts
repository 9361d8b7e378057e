import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rate } from '../../pipelines/40-rate/stage.ts';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import {
    compileBench,
    fillCard,
    fillPaths,
    fillUsage,
    openBench,
    wideAccountsText,
} from '../../scripts/support/bench-accounts-data.ts';
import { Engine } from '../../src/duck/engine.ts';
import { stripComments } from '../../src/duck/sql.ts';
import { readStageSql, runStage } from '../../src/stage/run.ts';

/** Rows that the widest operator of a select gives: of pairs there would be 160,000. */
async function widest(sql: string): Promise<number> {
    const rows = await engine.rows(`explain (analyze, format json) ${sql}`);
    const found = String(rows[0]?.explain_value).matchAll(/"operator_cardinality": *(\d+)/g);
    return Math.max(...[...found].map(([, count = '']) => Number.parseInt(count, 10)));
}
const accounts = 400;

/*
 * Hundreds of departments below one payer are one pool: what looks at members of a line must not look
 * at pairs of them. Some here used nothing, and are charged all the same.
 */
let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 2, spill: '/tmp' });
    await openBench(engine);
    await fillPaths(engine, compileBench(wideAccountsText(accounts)));
    const none = { commitments: 0, grants: 0, isWide: true };
    await fillUsage(engine, { accounts, days: 2, kinds: 2, ...none });
    await engine.run("delete from metered.usage where account_id in ('a1', 'a2', 'a3')");
});
afterAll(() => engine.close());

describe.each(['pool', 'account', 'line'])('charged without usage, by %s', (tier_scope) => {
    beforeAll(async () => {
        await fillCard(engine, { tier_scope, charge_zero_usage: true });
        for (const stage of [rate, priceUsage]) {
            await runStage(stage, { engine, upstream: tier_scope, position: 1 });
        }
    });

    test('who used nothing is a member, unless the pool did', async () => {
        const { idle } = await engine.one(
            'select count(*) as idle from pricing.members where quantity = 0',
        );
        expect(idle).toBe(tier_scope === 'pool' ? 0n : 3n);
    });

    test.each(['pricing.members', 'pricing.shares'])('%s looks at no pairs', async (name) => {
        const rows = await widest(stripComments(readStageSql(priceUsage).selects[name] ?? ''));
        expect(rows).toBeGreaterThan(accounts);
        // Four metered rows each, joined with little else.
        expect(rows).toBeLessThan(accounts * 10);
    });
});
