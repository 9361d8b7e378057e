import { describe, expect, test } from 'vitest';
import { rollUp } from '../../pipelines/50-roll-up/stage.ts';
import { auditRows, check } from '../support/table.ts';

describe('50-roll-up', () => {
    test('days of one rate add up to one charge; another rate is another charge', () =>
        check(
            rollUp,
            `
            given accounts.paths account_id | payer_id | currency | period_start | period_end
                                 team       | org      | USD      | 2026-10-01   | 2026-11-01
            given rules.rates    rate_id | effective_from | effective_to
                                 old     | 2026-01-01     | 2026-10-15
                                 new     | 2026-10-15     | _
            given rated.usage    account_id | payer_id | product | meter  | attributes | rate_id | event_on   | quantity | event_count | amount | currency
                                 team       | org      | llm     | tokens | {}         | old     | 2026-10-01 | 1        | 2           | 1.5    | USD
                                 team       | org      | llm     | tokens | {}         | old     | 2026-10-02 | 2        | 3           | 3      | USD
                                 team       | org      | llm     | tokens | {}         | new     | 2026-10-20 | 4        | 1           | 4      | USD
            then  rolled.charges rate_id | quantity | event_count | amount | service_start | service_end
                                 old     | 3        | 5           | 4.5    | 2026-10-01    | 2026-10-15
                                 new     | 4        | 1           | 4      | 2026-10-15    | 2026-11-01
            then  rolled.payers  payer_id | amount
                                 org      | 8.5
        `,
        ));

    test('usage priced by terms is charged by its share, with what that changed', () =>
        check(
            rollUp,
            `
            given accounts.paths account_id | payer_id | currency
                                 team       | org      | USD
            given rules.rates    rate_id | product | meter | unit | unit_price | currency | terms
                                 plain   | llm     | m     | tok  | 1          | USD      | _
                                 tiers   | img     | n     | pic  | 2          | USD      | {}
            given rated.usage    account_id | payer_id | product | meter | attributes | rate_id | quantity | amount | currency | unit | unit_price
                                 team       | org      | llm     | m     | {}         | plain   | 3        | 3      | USD      | tok  | 1
                                 team       | org      | img     | n     | {}         | tiers   | 5        | 10     | USD      | pic  | 2
            given pricing.lines  line_id | rate_id | payer_id | service_start | service_end
                                 l       | tiers   | org      | 2026-10-01    | 2026-11-01
            given pricing.shares line_id | rate_id | payer_id | account_id | attributes | quantity | event_count | amount | rounded | repriced
                                 l       | tiers   | org      | team       | {}         | 5        | 2           | 7.004  | 7       | -2.996
            then  rolled.charges rate_id | product | unit | quantity | unit_price | amount | rounded | repriced | line_id
                                 plain   | llm     | tok  | 3        | 1          | 3      | _       | _        | _
                                 tiers   | img     | pic  | 5        | 2          | 7.004  | 7       | -2.996   | l
            then  rolled.payers  payer_id | amount
                                 org      | 10.004
        `,
        ));

    test('tiers are told in units and money, of a negative quantity with its sign', () =>
        check(
            rollUp,
            `
            given pricing.lines        line_id | rate_id | payer_id | account_id | quantity_scale | denominator
                                       l       | r       | org      | _          | 0              | 3
            given pricing.discounted   line_id | group_id | sign
                                       l       |          | -1
            given rules.charges        rate_id | quantity_scale | kind   | tier_scale | amount_scale
                                       r       | 0              | slices | 1          | 2
            given rules.charge_tiers   rate_id | quantity_scale | tier_no | from_quantity | to_quantity | written_price
                                       r       | 0              | 1       | 0             | 100         | 0.5
                                       r       | 0              | 2       | 100           | _           | _
            given pricing.tier_amounts line_id | group_id | tier_no | quantity | flat_fee | amount
                                       l       |          | 1       | 100      | 0        | 1500
                                       l       |          | 2       | 5        | 100      | 100
            then  rolled.charge_tiers  account_id | tier_no | from_quantity | to_quantity | quantity | unit_price | flat_fee | amount
                                       _          | 1       | 0             | 10          | -10      | 0.5        | 0        | -5
                                       _          | 2       | 10            | _           | -0.5     | _          | 0.333333333333333333333333 | -0.333333333333333333333333
        `,
        ));

    test('over a term a tier has what the period put in it, or took out of it', () => {
        const world = (kind: string, amounts: string) => `
            given pricing.lines        line_id | rate_id | payer_id | quantity_scale | denominator
                                       l       | r       | org      | 0              | 1
            given pricing.discounted   line_id | group_id | sign
                                       l       |          | 1
                                       l       | before   | 1
            given rules.charges        rate_id | quantity_scale | kind    | tier_scale | amount_scale
                                       r       | 0              | ${kind} | 0          | 2
            given rules.charge_tiers   rate_id | quantity_scale | tier_no | from_quantity | to_quantity | written_price
                                       r       | 0              | 1       | 0             | 10          | 0.05
                                       r       | 0              | 2       | 10            | 20          | 0.01
                                       r       | 0              | 3       | 20            | _           | 0.02
            given pricing.tier_amounts line_id | group_id | tier_no | quantity | flat_fee | amount
            ${amounts}`;
        return Promise.all([
            check(
                rollUp,
                world(
                    'slices',
                    `                          l       | before   | 1       | 10       | 200      | 250
                                       l       | before   | 2       | 2        | 0        | 2
                                       l       |          | 1       | 10       | 200      | 250
                                       l       |          | 2       | 10       | 0        | 10
                                       l       |          | 3       | 5        | 7        | 17
            then  rolled.charge_tiers  tier_no | from_quantity | quantity | flat_fee | amount
                                       2       | 10            | 8        | 0        | 0.08
                                       3       | 20            | 5        | 0.07     | 0.17`,
                ),
            ),
            check(
                rollUp,
                world(
                    'whole',
                    `                          l       | before   | 1       | 10       | 200      | 250
                                       l       |          | 2       | 12       | 0        | 12
            then  rolled.charge_tiers  tier_no | from_quantity | quantity | flat_fee | amount
                                       1       | 0             | -10      | -2       | -2.5
                                       2       | 10            | 12       | 0        | 0.12`,
                ),
            ),
        ]);
    });

    test('a payer without usage is still there, with nothing', () =>
        check(
            rollUp,
            `
            given accounts.paths account_id | payer_id | currency
                                 quiet      | quiet    | EUR
            then  rolled.payers  payer_id | currency | amount
                                 quiet    | EUR      | 0
        `,
        ));

    test('an account that moved in mid-period is charged to each payer for its own time', () =>
        check(
            rollUp,
            `
            given accounts.paths account_id | payer_id | currency | valid_from
                                 team       | old-org  | USD      | 2026-01-01
                                 team       | new-org  | USD      | 2026-10-15
            given rules.rates    rate_id | effective_to
                                 r       | _
            given rated.usage    account_id | payer_id | product | meter | attributes | rate_id | event_on   | amount | currency
                                 team       | old-org  | llm     | m     | {}         | r       | 2026-10-01 | 1      | USD
                                 team       | new-org  | llm     | m     | {}         | r       | 2026-10-20 | 2      | USD
            then  rolled.charges payer_id | account_id | amount
                                 old-org  | team       | 1
                                 new-org  | team       | 2
        `,
        ));

    test('every-charge-is-in-its-payers-currency fails when a charge is in another one', async () => {
        const given = (currency: string) => `
            given rolled.payers  payer_id | currency
                                 org      | USD
            given rolled.charges payer_id | currency
                                 org      | ${currency}`;
        const audit = 'every-charge-is-in-its-payers-currency';
        expect(await auditRows(rollUp, audit, given('EUR'))).toBe(1);
        expect(await auditRows(rollUp, audit, given('USD'))).toBe(0);
    });
});
