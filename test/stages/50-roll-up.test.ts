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
