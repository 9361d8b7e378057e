import { beforeAll, describe, expect, test } from 'vitest';
import type { FocusExport } from '../../src/run/focus.ts';
import { exportsOfCase, judgeExport } from '../support/focus.ts';
import { broken, publicModel } from '../support/focus-rules.ts';

/* The rules of FOCUS 1.2 find what is wrong with a file: one thing is broken, and the rules about it fail. */

const model = publicModel();

describe.skipIf(model === null)('a file that breaks the rules of FOCUS 1.2', () => {
    let exported: FocusExport;
    beforeAll(async () => {
        exported = (await exportsOfCase('token-wallet')).get('2026-10')!;
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
});
