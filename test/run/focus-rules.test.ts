import { beforeAll, describe, expect, test } from 'vitest';
import type { FocusExport } from '../../src/run/focus.ts';
import { exportsOfCase, judgeExport } from '../support/focus.ts';
import { modelErrors } from '../support/focus-checks.ts';
import { broken, type Judged, publicModel } from '../support/focus-rules.ts';

/*
 * The public rule model of FOCUS 1.2 as SQL, over a worked example with a token wallet. All examples and a
 * real month: focus-cases.long.test.ts; files that break rules: focus-broken.slow.test.ts. Without the
 * model there is nothing to test.
 */
const model = publicModel();

const countBy = (judged: readonly Judged[], key: keyof Judged) =>
    Object.fromEntries(
        [...Map.groupBy(judged, (of) => of[key])]
            .map(([of, all]) => [of, all.length] as const)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
    );

describe.skipIf(model === null)('the rule model of FOCUS 1.2', () => {
    let exported: FocusExport;
    beforeAll(async () => {
        exported = (await exportsOfCase('token-wallet')).get('2026-10')!;
    });

    test('each of its 621 rules gets one verdict, and none fails', async () => {
        const judged = await judgeExport(exported, model!);
        expect(broken(judged)).toEqual([]);
        expect(new Set(judged.map(({ rule }) => rule)).size).toBe(621);
        expect(countBy(judged, 'verdict')).toMatchInlineSnapshot(`
          {
            "alternative": 2,
            "not applicable": 190,
            "not checkable": 77,
            "passed": 322,
            "permission": 30,
          }
        `);
    });

    test('some are judged by checks that the model does not have', async () => {
        const judged = await judgeExport(exported, model!);
        const passed = judged.filter(({ verdict }) => verdict === 'passed');
        expect(countBy(passed, 'reason')).toEqual({ '': 282, 'checked beyond the model': 40 });
    });

    test('what is not judged has its reason', async () => {
        const judged = await judgeExport(exported, model!);
        const apart = judged.filter(({ verdict }) => verdict !== 'passed');
        expect(countBy(apart, 'reason')).toMatchInlineSnapshot(`
          {
            "AVAILABILITY_ZONE_SUPPORTED: no": 5,
            "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED: no": 25,
            "CAPACITY_RESERVATION_SUPPORTED: no": 21,
            "COMMITMENT_DISCOUNT_SUPPORTED: no": 90,
            "MAY: nothing can break it": 30,
            "MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED: no": 8,
            "MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED: no": 8,
            "REGION_SUPPORTED: no": 14,
            "TAGGING_SUPPORTED: no": 19,
            "the model has no check for it, and the file cannot show it": 77,
            "the rule above needs any of several": 2,
          }
        `);
    });

    test('checks that say something else than their text are put right, and few', () => {
        expect(Object.entries(modelErrors).map(([rule, { reason }]) => [rule, reason])).toEqual([
            [
                'ConsumedQuantity-C-006-C',
                'its text is about what is not a correction, its check about what is one',
            ],
        ]);
        for (const rule of Object.keys(modelErrors)) expect(model?.ModelRules).toHaveProperty(rule);
    });

    test('composites above a rule that failed fail', async () => {
        const spoil = '* replace (cast(null as varchar) as BilledCost)';
        expect(broken(await judgeExport(exported, model!, spoil))).toEqual([
            ...['CostAndUsage-D-000-M', 'CostAndUsage-D-002-M'],
            ...['BilledCost-C-000-M', 'BilledCost-C-003-M'],
        ]);
    });

    test('what rests on a rule that failed is blocked', async () => {
        const spoil = "* replace ('Late' as ChargeClass)";
        const judged = await judgeExport(exported, model!, spoil);
        const blocked = judged.filter(({ verdict }) => verdict === 'blocked');
        expect(blocked.map(({ rule }) => rule)).toContain('ListUnitPrice-C-010-C');
        expect(blocked[0]?.reason).toMatch(/^ChargeClass-C-00\d-[CM] failed$/);
    });
});
