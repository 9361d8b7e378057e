import { describe, expect, test } from 'vitest';
import { invoice } from '../../pipelines/80-invoice/stage.ts';
import { auditRows, check } from '../support/table.ts';

const world = (currency: string, exponent: string, amount: string) => `
    given accounts.paths    account_id | account_name | payer_id
                            team       | The team     | org
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

    test('every-charge-has-one-line fails when a charge has none', async () => {
        const given = `${world('USD', '2', '1')}
            given invoice.line_items line_key`;
        expect(await auditRows(invoice, 'every-charge-has-one-line', given)).toBe(1);
        expect(await auditRows(invoice, 'every-charge-has-one-line', world('USD', '2', '1'))).toBe(
            0,
        );
    });

    test('every-line-is-rounded-once fails when a line is off by more than half a unit', async () => {
        const given = (amount: string) => `${world('USD', '2', '1')}
            given invoice.line_items amount_exact | amount    | currency
                                     1.004        | ${amount} | USD`;
        expect(await auditRows(invoice, 'every-line-is-rounded-once', given('1.01'))).toBe(1);
        expect(await auditRows(invoice, 'every-line-is-rounded-once', given('1'))).toBe(0);
    });
});
