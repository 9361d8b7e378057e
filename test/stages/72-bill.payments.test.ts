import { describe, expect, test } from 'vitest';
import { bill } from '../../pipelines/72-bill/stage.ts';
import { auditRows } from '../support/table.ts';
import { billed, check } from './72-bill.world.ts';

const found = (audit: string, text: string) => auditRows(bill, audit, billed(text));

const charges = (rows: string) => `
    given rolled.charges account_id | product | attributes | rate_id | quantity | unit_price | amount
    ${rows}`;
const paid = (rows: string) => `
    given recon.wallet_payments account_id | product | asset | asset_amount | amount
    ${rows}`;

/** One team, one product, lines alike; a quantity of 1 each. */
const alike = (count: number, amount: string) =>
    charges(
        Array.from(
            { length: count },
            (_, at) => `a | llm | {"n":"${at}"} | r | 1 | ${amount} | ${amount}`,
        ).join('\n'),
    );

/** Two charges that terms priced together: their list price, exact amounts and parts of the whole. */
const together = (first: string, second: string) => `
    given rules.rates    rate_id | product | terms
                         r       | llm     | {}
    given rolled.charges account_id | product | attributes | rate_id | line_id | quantity | unit_price | amount | rounded
                         a          | llm     | {"n":"1"}  | r       | l       | 1        | ${first}
                         a          | llm     | {"n":"2"}  | r       | l       | 1        | ${second}`;

describe('72-bill: what remains to be paid of a line is rounded once', () => {
    test.each([
        // lines, exact, paid in all, line and settlement in minor units
        ['paid in full, though no line says a cent', 100, '0.004', '0.4', 0, 0],
        ['paid in full, of lines rounded up', 100, '0.006', '0.6', 100, 100],
        ['paid in part: 0.002 remain of each', 100, '0.004', '0.2', 0, 0],
        ['paid in part: 0.0054 remain of each', 100, '0.006', '0.06', 100, 0],
        ['paid in part: 9.995 remain, which are 10.00', 1, '60', '50.005', 6000, 5000],
        ['paid beyond: 0.004 of it are nothing', 1, '10', '10.004', 1000, 1000],
        ['paid beyond: 0.005 of it are a cent', 1, '10', '10.005', 1000, 1001],
        ['paid beyond: 2.50 are owed back', 1, '10', '12.5', 1000, 1250],
    ])('%s', (_what, count, exact, amount, line, settled) =>
        check(`${alike(count, exact)}
            ${paid(`a | llm | USD | ${amount} | ${amount}`)}
            then billed.lines       amount_minor
                                    ${Array.from({ length: count }, () => line / count).join('\n')}
            then billed.settlements account_id | product | asset_amount | amount_exact | amount_minor
                                    a          | llm     | ${amount}    | ${amount}    | ${settled}`),
    );

    test('two products are paid each by its own wallets, other accounts by none', () =>
        check(`${charges(`
                a | llm | {} | r | 1 | 10.004 | 10.004
                a | gpu | {} | s | 1 | 10.006 | 10.006
                b | llm | {} | r | 1 | 10     | 10`)}
            ${paid('a | llm | USD | 10.004 | 10.004\na | gpu | USD | 3 | 3')}
            then billed.settlements account_id | product | amount_minor
                                    a          | gpu     | 300
                                    a          | llm     | 1000
            then billed.paid_parts  charge_no | paid
                                    1         | 300
                                    2         | 1000`));

    test.each([
        // list price | exact | rounded of two charges, paid, settled, paid parts
        ['cheaper than listed', '10 | 8 | 8', '5 | 4 | 4', '15', '1500', '1 | 800\n2 | 400'],
        ['dearer than listed', '8 | 10 | 10', '4 | 5 | 5', '12', '1200', '1 | 800\n2 | 400'],
        ['one cent of 0.012', '.006 | .006 | .01', '.006 | .006 | 0', '0.012', '1', '1 | 1'],
        ['never below zero', '.006 | .006 | 0', '.006 | .006 | 0.01', '0.002', '0', ''],
    ])('priced by terms: %s', (_what, first, second, amount, settled, parts) =>
        check(`${together(first, second)}
            ${paid(`a | llm | USD | ${amount} | ${amount}`)}
            then billed.settlements amount_minor
                                    ${settled}
            then billed.paid_parts  charge_no | paid
                                    ${parts}`),
    );

    test('assets that paid one line are rounded together and share it', () =>
        check(`${alike(1, '10.01')}
            ${paid('a | llm | USD | 5.005 | 5.005\na | llm | TOK | 500.5 | 5.005')}
            then billed.settlements asset | asset_amount | amount_minor
                                    TOK   | 500.5        | 501
                                    USD   | 5.005        | 500
            then billed.paid_parts  paid
                                    1001`));

    test.each([
        ['without any line', '', '_ | 1.005'],
        ['for lines of nothing', alike(1, '0'), '_ | 1.005'],
    ])('a payment %s is a settlement of its own, rounded once', (_what, given, payment) =>
        check(`${given}
            ${paid('a | llm | USD | 1.005 | 1.005')}
            then billed.payments    charge_no | amount_exact
                                    ${payment}
            then billed.settlements amount_minor
                                    101
            then billed.paid_parts  charge_no`),
    );

    test('two rates of an asset in one period have none in the settlement', () =>
        check(`${charges(`
                a | llm | {} | r | 1 | 10 | 10
                b | llm | {} | r | 1 | 10 | 10`)}
            given recon.wallet_payments account_id | product | asset | rate_from  | asset_amount | rate  | amount
                                        a          | llm     | TOK   | 2026-01-01 | 100          | 0.01  | 1
                                        a          | llm     | TOK   | 2026-10-15 | 100          | 0.02  | 2
                                        b          | llm     | TOK   | 2026-01-01 | 100          | 0.01  | 1
            then billed.settlements account_id | asset | asset_amount | rate | amount_minor
                                    a          | TOK   | 200          | _    | 300
                                    b          | TOK   | 100          | 0.01 | 100`));
});

describe('72-bill: what a payment is for', () => {
    test('usage at its list price, exactly; decimals that are left go to the largest remainders', () =>
        check(`${charges(`
                a | llm | {"n":"1"} | r | 1 | 0.01 | 0.01
                a | llm | {"n":"2"} | r | 1 | 0.01 | 0.01
                a | llm | {"n":"3"} | r | 5 | 0.01 | 0.05
                a | llm | {"n":"4"} | r | 1 | -5   | -5`)}
            ${paid('a | llm | USD | 0.02 | 0.02')}
            then billed.payments    amount_exact
                                    0.002857142857142857142857
                                    0.002857142857142857142857
                                    0.014285714285714285714286
            then billed.settlements amount_minor
                                    1`));

    test('the lines by their size where nothing has a list price', () =>
        check(`${charges(`
                a | llm | {"n":"1"} | r | 1 | 0 | 30
                a | llm | {"n":"2"} | r | 1 | 0 | 10`)}
            ${paid('a | llm | TOK | 20 | 20')}
            then billed.payments    amount_exact
                                    5
                                    15`));

    test('of a line that sums accounts up, what each used: the parts of who paid nothing stay unpaid', () =>
        check(`
            given accounts.paths account_id | account_name | line_account_id
                                 org        | The org      | org
                                 a          | A            | org
                                 b          | B            | org
            ${charges(`
                a | llm | {} | r | 1 | 10.004 | 10.004
                b | llm | {} | r | 2 | 10.004 | 20.008`)}
            ${paid('b | llm | USD | 20.008 | 20.008')}
            then billed.parts       account_id | amount_minor
                                    a          | 1000
                                    b          | 2001
            then billed.settlements account_id | amount_exact | amount_minor
                                    org        | 20.008       | 2001
            then billed.paid_parts  charge_no | paid
                                    2         | 2001`));

    test('what is beyond the size of a part goes to the others of the line', () =>
        check(`
            given accounts.paths account_id | account_name | line_account_id
                                 org        | The org      | org
                                 a          | A            | org
                                 b          | B            | org
            ${charges(`
                a | llm | {} | r | 1 | 10 | 10
                b | llm | {} | r | 1 | 10 | 10`)}
            ${paid('a | llm | USD | 12 | 12')}
            then billed.settlements amount_minor
                                    1200
            then billed.paid_parts  charge_no | paid
                                    1         | 1000
                                    2         | 200`));
});

describe('72-bill: audits of payments', () => {
    test('payments-pay-parts-and-no-more fails when a part is paid too much or too little', async () => {
        const text = (settled: string, first: string) => `
            given billed.parts            payer_id | charge_no | line_key | amount_minor
                                          org      | 1         | l        | 60
                                          org      | 2         | m        | -5
                                          org      | 3         | l        | 40
            given billed.line_settlements line_key | asset | amount_minor
                                          l        | TOK   | 1
                                          l        | USD   | ${settled}
            given billed.paid_parts       payer_id | charge_no | paid
                                          org      | 1         | ${first}
                                          org      | 3         | 40`;
        const rows = (settled: string, first: string) =>
            found('payments-pay-parts-and-no-more', text(settled, first));
        expect(await rows('99', '60')).toBe(0);
        expect(await rows('119', '60')).toBe(0);
        expect(await rows('89', '50')).toBe(0);
        expect(await rows('99', '50')).toBe(1);
        expect(await rows('119', '80')).toBe(1);
    });

    test('every-line-settles-what-was-paid fails when it is off by more than roundings', async () => {
        const rows = (exact: string, line: number, amount: string, settled: number) =>
            found(
                'every-line-settles-what-was-paid',
                `given billed.lines           line_key | amount_exact | amount_minor
                                              l        | ${exact}     | ${line}
                given billed.line_settlements line_key | asset | amount_exact | amount_minor | currency
                                              l        | USD   | ${amount}    | ${settled}   | USD`,
            );
        // A line in full: all of it, though each is within the roundings of the other.
        expect(await rows('0.004', 0, '0.004', 0)).toBe(0);
        expect(await rows('0.004', 0, '0.004', 1)).toBe(1);
        expect(await rows('0.006', 1, '0.006', 0)).toBe(1);
        // In part: within 0.004 of the line and half a cent.
        expect(await rows('10.006', 1001, '5', 500)).toBe(0);
        expect(await rows('10.006', 1001, '5', 501)).toBe(1);
        expect(await rows('0.006', 1, '0.001', 1)).toBe(0);
        expect(await rows('0.006', 1, '0.0009', 1)).toBe(1);
    });

    test('every-line-settles-what-was-paid fails when a payment without a line is rounded wrong', async () => {
        const rows = (settled: string) =>
            found(
                'every-line-settles-what-was-paid',
                `given billed.line_settlements payer_id | account_id | product | asset | line_key | amount_exact | amount_minor | currency
                                               org      | a          | llm     | USD   | _        | 1.005        | ${settled}   | USD`,
            );
        expect(await rows('101')).toBe(0);
        expect(await rows('102')).toBe(1);
    });
});
