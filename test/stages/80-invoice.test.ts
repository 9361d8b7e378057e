import { describe, expect, test } from 'vitest';
import { invoice } from '../../pipelines/80-invoice/stage.ts';
import { auditRows, check } from '../support/table.ts';

const world = (currency: string, exponent: string, amount: string) => `
    given accounts.paths    account_id | account_name | payer_id | line_account_id
                            team       | The team     | org      | team
    given rules.currencies  currency    | exponent
                            ${currency} | ${exponent}
    given rules.rates       rate_id | card | card_version | description
                            r       | list | 1            | LLM tokens
    given rolled.payers     payer_id | payer_name | currency    | time_zone        | period_start        | period_end
                            org      | The org    | ${currency} | America/New_York | 2026-10-01 04:00:00 | 2026-11-01 04:00:00
    given recon.holds       payer_id | recon_status
                            org      | held
    given rolled.charges    payer_id | account_id | product | meter  | attributes       | rate_id | amount    | currency
                            org      | team       | llm     | tokens | {"model":"opus"} | r       | ${amount} | ${currency}`;

describe('80-invoice', () => {
    test.each([
        // currency, exponent, exact, line, minor units
        ['USD', '2', '1.005', '1.01', '101'],
        ['USD', '2', '1.004999999999999999999999', '1', '100'],
        ['USD', '2', '-1.005', '-1.01', '-101'],
        ['JPY', '0', '0.5', '1', '1'],
        ['JPY', '0', '0.499999', '0', '0'],
        ['BHD', '3', '2.0005', '2.001', '2001'],
        ['CLF', '4', '1.00005', '1.0001', '10001'],
    ])('%s: %s decimals round %s once to %s', (currency, exponent, exact, line, minor) =>
        check(
            invoice,
            `${world(currency, exponent, exact)}
            then invoice.line_items amount | amount_minor
                                    ${line} | ${minor}`,
        ),
    );

    test('a line says who pays, who used, what, and for which period in the zone of the payer', () =>
        check(
            invoice,
            `${world('USD', '2', '1')}
            then invoice.line_items invoice_key | payer_name | account_name | description | card | recon_status
                                    org/2026-10/USD | The org | The team | LLM tokens (opus) | list | held`,
        ));

    test('what was priced together is not rounded again', () =>
        check(
            invoice,
            `${world('USD', '2', '1.005')}
            given rolled.charges payer_id | account_id | product | meter  | attributes | rate_id | amount | rounded | currency
                                 org      | team       | llm     | tokens | {}         | r       | 1.005  | 1       | USD
            then invoice.line_items amount | amount_minor | amount_exact | description
                                    1      | 100          | 1.005        | LLM tokens`,
        ));

    test('every-charge-has-one-line fails when a charge has none', async () => {
        const given = `${world('USD', '2', '1')}
            given invoice.line_items line_key`;
        expect(await auditRows(invoice, 'every-charge-has-one-line', given)).toBe(1);
        expect(await auditRows(invoice, 'every-charge-has-one-line', world('USD', '2', '1'))).toBe(
            0,
        );
    });

    test('accounts that are summed up are one line, rounded once; others stand by themselves', () =>
        check(
            invoice,
            `${world('USD', '2', '1')}
            given accounts.paths account_id | account_name | payer_id | line_account_id | valid_from | period_end
                                 unit       | The unit     | org      | unit            | 2026-01-01 | 2026-11-01
                                 a          | A            | org      | unit            | 2026-01-01 | 2026-11-01
                                 b          | B            | org      | unit            | 2026-01-01 | 2026-11-01
                                 c          | C            | org      | c               | 2026-01-01 | 2026-11-01
            given rolled.charges payer_id | account_id | pool_id | product | meter  | attributes | rate_id | quantity | amount | currency
                                 org      | a          |         | llm     | tokens | {}         | r       | 1        | 1.004  | USD
                                 org      | b          |         | llm     | tokens | {}         | r       | 2        | 1.004  | USD
                                 org      | c          |         | llm     | tokens | {}         | r       | 4        | 1.004  | USD
            then invoice.line_items account_id | account_name | quantity | amount_exact | amount
                                    c          | C            | 4        | 1.004        | 1
                                    unit       | The unit     | 3        | 2.008        | 2.01`,
        ));

    test('usage of two pools under one rate is two lines with keys of their own', () =>
        check(
            invoice,
            `${world('USD', '2', '1')}
            given rolled.charges payer_id | account_id | pool_id | product | meter  | attributes | rate_id | amount | rounded | currency
                                 org      | team       | org     | llm     | tokens | {}         | r       | 1      | 1       | USD
                                 org      | team       | unit    | llm     | tokens | {}         | r       | 2      | 2       | USD
            then invoice.line_items account_id | amount
                                    team       | 1
                                    team       | 2`,
        ));

    test('every-line-is-rounded-once fails when a line is off by more than half a unit', async () => {
        const given = (amount: string) => `${world('USD', '2', '1')}
            given rules.rates        rate_id | terms
                                     r       | _
            given rolled.charges     rate_id | amount
            given invoice.line_items rate_id | amount_exact | amount    | currency
                                     r       | 1.004        | ${amount} | USD`;
        expect(await auditRows(invoice, 'every-line-is-rounded-once', given('1.01'))).toBe(1);
        expect(await auditRows(invoice, 'every-line-is-rounded-once', given('1'))).toBe(0);
    });

    test('every-line-is-rounded-once fails when what was priced together is not', async () => {
        // A third each of 1.00: priced together, one of them has the cent that is left.
        const shared = (last: string, billed: string) => `${world('USD', '2', '1')}
            given rules.rates        rate_id | terms
                                     r       | {}
            given rolled.charges     payer_id | account_id | rate_id | line_id | amount      | rounded | currency
                                     org      | a          | r       | l       | 0.333333334 | 0.34    | USD
                                     org      | b          | r       | l       | 0.333333333 | 0.33    | USD
                                     org      | c          | r       | l       | 0.333333333 | ${last} | USD
            given invoice.line_items rate_id | amount_exact | amount    | currency
                                     r       | 1            | ${billed} | USD`;
        const rows = (last: string, billed: string) =>
            auditRows(invoice, 'every-line-is-rounded-once', shared(last, billed));
        expect(await rows('0.33', '1')).toBe(0);
        expect(await rows('0.34', '1.01')).toBe(1);
        expect(await rows('0.33', '1.01')).toBe(1);
    });

    test('over a term two totals are rounded: their difference is within a whole minor unit', async () => {
        // 0.005 came to 0.01 and 0.0149 comes to 0.01: the 0.0099 between them are nothing.
        const given = (scope: string, rounded: string) => `${world('USD', '2', '1')}
            given rules.rates        rate_id | terms
                                     r       | {"tier_scope":"${scope}"}
            given rolled.charges     payer_id | account_id | rate_id | line_id | amount | rounded    | currency
                                     org      | a          | r       | l       | 0.0099 | ${rounded} | USD
            given invoice.line_items rate_id | amount_exact | amount     | currency
                                     r       | 0.0099       | ${rounded} | USD`;
        const rows = (scope: string, rounded: string) =>
            auditRows(invoice, 'every-line-is-rounded-once', given(scope, rounded));
        expect(await rows('contract_term', '0')).toBe(0);
        expect(await rows('contract_term', '0.02')).toBe(1);
        expect(await rows('pool', '0')).toBe(1);
    });
});
