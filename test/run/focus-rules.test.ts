import { beforeAll, describe, expect, test } from 'vitest';
import type { FocusExport } from '../../src/run/focus.ts';
import { exportsOfCase, judgeExport } from '../support/focus.ts';
import { modelErrors } from '../support/focus-checks.ts';
import { type Judged, publicModel } from '../support/focus-rules.ts';

/*
 * The public rule model of FOCUS 1.2 as SQL, over a worked example with a token wallet. All examples and a
 * real month: focus-cases.slow.test.ts. Without the model (TIEOUT_FOCUS_MODEL) there is nothing to test.
 */
const model = publicModel();
if (model === null) console.warn('focus-rules: no rule model at hand, nothing is judged');

const broken = (judged: readonly Judged[]) =>
    judged.filter(({ verdict }) => verdict === 'failed').map(({ rule }) => rule);
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

    /** What is done to the columns, and rules that must fail then; composites above them fail too. */
    test.each<[string, string, readonly string[]]>([
        ['a column is missing', '* exclude (BilledCost)', ['CostAndUsage-D-006-M']],
        [
            'a cost is null',
            '* replace (cast(null as varchar) as BilledCost)',
            ['BilledCost-C-003-M'],
        ],
        [
            'a number has thousands',
            "* replace ('1,000.00' as ListCost)",
            ['ListCost-C-001-M', 'ListCost-C-002-M', 'NumericFormat-A-009-M'],
        ],
        [
            'a positive number has a sign',
            "* replace ('+9' as EffectiveCost)",
            ['EffectiveCost-C-002-M', 'NumericFormat-A-010-M'],
        ],
        [
            'a category is none of the standard',
            "* replace ('Consumption' as ChargeCategory)",
            ['ChargeCategory-C-003-M'],
        ],
        [
            'a subcategory is of another category',
            "* replace ('Containers' as ServiceSubcategory)",
            ['ServiceSubcategory-C-004-M'],
        ],
        [
            'an instant has no zone',
            "* replace (rtrim(ChargePeriodStart, 'Z') as ChargePeriodStart)",
            ['ChargePeriodStart-C-002-M', 'DateTimeFormat-A-006-M'],
        ],
        [
            'an instant is a date',
            "* replace ('today' as BillingPeriodEnd)",
            ['BillingPeriodEnd-C-001-M', 'BillingPeriodEnd-C-002-M'],
        ],
        [
            'a currency is in lower case',
            "* replace ('usd' as BillingCurrency)",
            ['BillingCurrency-C-006-M', 'CurrencyFormat-A-001-C'],
        ],
        [
            'a price is below zero',
            "* replace ('-0.02' as ListUnitPrice)",
            ['ListUnitPrice-C-008-M', 'ListUnitPrice-C-010-C', 'ListCost-C-009-C'],
        ],
        [
            'quantity x price is another cost, by the last of 24 digits',
            '* replace (cast(cast(ContractedCost as decimal(38, 24))' +
                ' + 0.000000000000000000000001 as varchar) as ContractedCost)',
            ['ContractedUnitPrice-C-011-C'],
        ],
        [
            'usage has no quantity',
            '* replace (cast(null as varchar) as ConsumedQuantity)',
            ['ConsumedQuantity-C-006-C', 'ConsumedUnit-C-005-C'],
        ],
        [
            'a quantity has no unit',
            '* replace (cast(null as varchar) as PricingUnit)',
            ['PricingUnit-C-006-C'],
        ],
        [
            'a unit is in lower case',
            "* replace ('tokens' as PricingUnit)",
            ['PricingUnit-C-003-O', 'UnitFormat-A-001-M'],
        ],
        [
            'a class is none of the standard',
            "* replace ('Late' as ChargeClass)",
            ['ChargeClass-C-005-C'],
        ],
        [
            'a purchase is usage-based, and recognised at once',
            "* replace ('Purchase' as ChargeCategory)",
            ['ChargeFrequency-C-004-C', 'EffectiveCost-C-005-C', 'ConsumedQuantity-C-004-C'],
        ],
        [
            'tax has a price',
            "* replace ('Tax' as ChargeCategory)",
            ['ListUnitPrice-C-004-C', 'SkuId-C-004-C', 'PricingCategory-C-003-C'],
        ],
        [
            'a price is of two products',
            "* replace (cast(row_number() over () as varchar) as SkuId, 'p' as SkuPriceId)",
            ['SkuPriceId-C-008-M'],
        ],
        [
            'a service is of two categories',
            "* replace (case when BilledCost = '9.00' then 'Web' else ServiceCategory end" +
                ' as ServiceCategory)',
            ['ServiceName-C-005-C', 'ServiceSubcategory-C-004-M'],
        ],
        [
            'details are no object',
            "* replace ('[1]' as SkuPriceDetails)",
            ['SkuPriceDetails-C-001-M', 'KeyValueFormat-A-001-M'],
        ],
        [
            'details are nested',
            `* replace ('{"x_A": {"b": 1}}' as SkuPriceDetails)`,
            ['SkuPriceDetails-C-001-M', 'KeyValueFormat-A-004-M'],
        ],
        [
            'details are not marked as ours',
            `* replace ('{"Model": "m1"}' as SkuPriceDetails)`,
            ['SkuPriceDetails-C-017-C'],
        ],
        [
            'text is empty and not null',
            "* replace ('' as BillingAccountName)",
            ['BillingAccountName-C-002-M', 'StringHandling-A-007-M', 'NullHandling-A-001-C'],
        ],
        [
            'a word stands for nothing',
            "* replace ('N/A' as SubAccountId)",
            ['NullHandling-A-002-M', 'SubAccountName-C-005-C'],
        ],
        [
            'who issues is not who provides',
            "* replace ('Shop' as InvoiceIssuerName)",
            ['BilledCost-C-005-C'],
        ],
        [
            'a column of ours has no mark',
            '* exclude (x_Asset), x_Asset as asset_name',
            ['ColumnHandling-A-001-M', 'ColumnHandling-A-003-M', 'ColumnHandling-A-012-O'],
        ],
    ])('%s', async (_what, spoil, rules) => {
        const failed = broken(await judgeExport(exported, model!, spoil));
        expect(failed).toEqual(expect.arrayContaining([...rules]));
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
