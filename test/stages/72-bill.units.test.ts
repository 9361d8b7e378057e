import { describe, expect, test } from 'vitest';
import { bill } from '../../pipelines/72-bill/stage.ts';
import { auditRows } from '../support/table.ts';
import { billed, check } from './72-bill.world.ts';

/** Team a used 600 tokens for 60 USD, b 400 for 40; b 20 seconds of gpu for 20. In this order. */
const usage = `
    given rules.rates    rate_id | product | meter
                         r       | llm     | tokens
                         s       | gpu     | seconds
    given rolled.charges account_id | product | rate_id | meter   | unit_price | quantity | amount
                         a          | llm     | r       | tokens  | 0.1        | 600      | 60
                         b          | llm     | r       | tokens  | 0.1        | 400      | 40
                         b          | gpu     | s       | seconds | 1          | 20       | 20`;
const everyone = (...holders: readonly string[]) => `
    given rules.holder_accounts holder_id | account_id
    ${holders.flatMap((holder) => ['org', 'a', 'b'].map((of) => `${holder} | ${of}`)).join('\n')}`;

const window = 'c/plan@2026-10-01';
/** So many tokens of October, paid in advance. */
const prepaid = (quantity: string, more = '', values = '') => `${usage}
    given rules.commitments commitment_id | kind    | measure  | meter  | committed   | fee | is_due ${more && `| ${more}`}
                            c/plan        | prepaid | quantity | tokens | ${quantity} | 50  | false ${values && `| ${values}`}
    given rules.grants      grant_id  | commitment_id | meter  | asset  | rate | precision | granted     | starts_at  | expires_at
                            ${window} | c/plan        | tokens | tokens | _    | 12        | ${quantity} | 2026-10-01 | 2026-11-01
    ${everyone('c/plan', window)}`;
const lines = (rows: string) => `
    then invoice.line_items line_type | product | amount
                            usage     | llm     | 60
                            usage     | llm     | 40
                            usage     | gpu     | 20
                            ${rows}`;

describe('prepaid units', () => {
    test('are billed by their fee, and pay what usage of their meter costs', () =>
        check(`${prepaid('1500')}
            then invoice.line_items  line_type           | product | amount | commitment_id | grant_id  | asset  | asset_amount
                                     usage               | llm     | 60     | _             | _         | _      | _
                                     usage               | llm     | 40     | _             | _         | _      | _
                                     usage               | gpu     | 20     | _             | _         | _      | _
                                     commitment_fee      | p       | 50     | c/plan        | _         | _      | _
                                     commitment_consumed | llm     | -100   | c/plan        | ${window} | tokens | 1000
            then invoice.draw_downs  account_id | asset  | drawn | balance | amount
                                     a          | tokens | 600   | 900     | 60
                                     b          | tokens | 400   | 500     | 40
            then invoice.balances    opening | granted | drawn | expired | closing | rate
                                     0       | 1500    | 1000  | 500     | 0       | _
            then invoice.commitments committed | counted | shortfall | true_up | overage
                                     1500      | 1000    | 500       | 0       | 0`));

    test('pay no more than there are: above them a unit costs its price, and its factor', () =>
        // 700: all of a and 100 of b; the other 300 cost 30 USD, and half as much again.
        check(`${prepaid('700', 'overage_factor', '1.5')}
            ${lines(`commitment_fee      | p   | 50
                     commitment_consumed | llm | -70
                     overage             | llm | 15`)}
            then invoice.draw_downs  account_id | drawn | balance | amount
                                     a          | 600   | 100     | 60
                                     b          | 100   | 0       | 10`));

    test('a part of a part is rounded once; the last unit pays the rest', () =>
        // A third of 0.10 is 0.03 for one of three units, 0.07 for two, and 0.10 for all.
        Promise.all(
            [
                ['1', '0.03'],
                ['2', '0.07'],
                ['3', '0.1'],
            ].map(([units, paid]) =>
                check(`${prepaid(units as string)}
                    given rolled.charges    account_id | product | rate_id | meter  | unit_price | quantity | amount
                                            a          | llm     | r       | tokens | 0.0333     | 3        | 0.1
                    then invoice.draw_downs drawn    | amount
                                            ${units} | ${paid}`),
            ),
        ));

    test('usage that costs nothing takes them all the same', () =>
        check(`${prepaid('1000')}
            given rolled.charges    account_id | product | rate_id | meter  | unit_price | quantity | amount
                                    a          | llm     | r       | tokens | 0          | 600      | 0
            then invoice.draw_downs drawn | balance | amount
                                    600   | 400     | 0`));

    test('what went on comes first, the one that ends first before all, and overage begins above', () =>
        check(`${prepaid('500', 'overage_unit_price', '0.3')}
            given rules.grants      grant_id    | commitment_id | meter  | asset  | rate | precision | opening | granted | is_rollover | starts_at  | expires_at | rollover_id | rollover_fraction
                                    c/plan@8~r  | c/plan        | tokens | tokens | _    | 12        | 50      | 0       | true        | 2026-09-01 | 2026-11-01 | _           | _
                                    c/plan@9~r  | c/plan        | tokens | tokens | _    | 12        | 250     | 0       | true        | 2026-10-01 | 2026-12-01 | _           | _
                                    ${window}   | c/plan        | tokens | tokens | _    | 12        | 0       | 500     | false       | 2026-10-01 | 2026-11-01 | c/plan@10~r | 0.5
            ${everyone('c/plan', 'c/plan@8~r', 'c/plan@9~r', window)}
            ${lines(`commitment_fee      | p   | 50
                     commitment_consumed | llm | -5
                     commitment_consumed | llm | -25
                     commitment_consumed | llm | -50
                     overage             | llm | 40`)}
            then invoice.draw_downs  grant_id   | account_id | drawn | balance | amount
                                     c/plan@8~r | a          | 50    | 0       | 5
                                     c/plan@9~r | a          | 250   | 0       | 25
                                     ${window}  | a          | 300   | 200     | 30
                                     ${window}  | b          | 200   | 0       | 20`));

    test('a fraction of what is left goes on, in units', () =>
        check(`${prepaid('1500.5')}
            given rules.grants      grant_id  | commitment_id | meter  | asset  | rate | precision | granted | starts_at  | expires_at | rollover_id | rollover_fraction
                                    ${window} | c/plan        | tokens | tokens | _    | 12        | 1500.5  | 2026-10-01 | 2026-11-01 | c/plan@10~r | 0.5
            then invoice.balances   drawn | expired | rolled_over | closing
                                    1000  | 500.5   | 250.25      | 0
            then invoice.closings   grant     | quantity
                                    plan@10~r | 250.25`));

    test('of a window that goes on, the next period opens with what counted and what is left', () =>
        check(`${prepaid('1500', 'window_end', '2027-01-01')}
            given rules.grants      grant_id  | commitment_id | meter  | asset  | rate | precision | opening | granted | starts_at  | expires_at
                                    ${window} | c/plan        | tokens | tokens | _    | 12        | 0       | 1500    | 2026-10-01 | 2027-01-01
            then invoice.closings   commitment | grant           | quantity
                                    plan       |                 | 1000
                                               | plan@2026-10-01 | 500`));

    test('what went on pays after its contract has ended', () =>
        check(`${usage}
            given rules.grants      grant_id   | commitment_id | meter  | asset  | rate | precision | opening | granted | is_rollover | starts_at  | expires_at
                                    c/plan@9~r | c/plan        | tokens | tokens | _    | 12        | 450     | 0       | true        | 2026-10-01 | 2026-12-01
            ${everyone('c/plan@9~r')}
            ${lines('commitment_consumed | llm | -45')}`));

    test('a wallet pays first: as large a share of the units is left alone', () =>
        // Of 60.00 a wallet paid 24.00: 600 less 240 tokens are drawn for the other 36.00.
        check(`${prepaid('500')}
            given recon.wallet_payments account_id | product | asset_amount | amount
                                        a          | llm     | 24           | 24
            ${lines(`commitment_fee      | p   | 50
                     commitment_consumed | llm | -50
                     wallet_settlement   | llm | -24`)}
            then invoice.draw_downs account_id | drawn | balance | amount
                                    a          | 360   | 140     | 36
                                    b          | 140   | 0       | 14`));

    test('a grant of money pays what they left', () =>
        check(`${prepaid('700')}
            given rules.grants      grant_id  | commitment_id | meter  | asset  | rate | precision | granted | starts_at  | expires_at
                                    ${window} | c/plan        | tokens | tokens | _    | 12        | 700     | 2026-10-01 | 2026-11-01
                                    c/promo   | _             | _      | USD    | 1    | 2         | 45      | 2026-10-01 | 2026-11-01
            ${everyone('c/plan', window, 'c/promo')}
            ${lines(`commitment_fee      | p   | 50
                     commitment_consumed | llm | -70
                     balance_consumed    | gpu | -20
                     balance_consumed    | llm | -25`)}`));

    test('are for their accounts and products, and for usage of their time', () =>
        check(`${prepaid('1000', 'window_start', '2026-10-15')}
            given rules.grants      grant_id  | commitment_id | meter  | asset  | rate | precision | granted | starts_at  | expires_at
                                    ${window} | c/plan        | tokens | tokens | _    | 12        | 1000    | 2026-10-15 | 2026-11-01
            given rules.holder_accounts holder_id | account_id
                                    c/plan    | a
                                    ${window} | a
            given rated.usage       account_id | product | rate_id | segment_at | event_on   | quantity
                                    a          | llm     | r       | 2026-01-01 | 2026-10-01 | 400
                                    a          | llm     | r       | 2026-10-15 | 2026-10-15 | 200
                                    b          | llm     | r       | 2026-10-15 | 2026-10-15 | 400
            ${lines(`commitment_fee      | p   | 50
                     commitment_consumed | llm | -20`)}`));

    test('usage counts towards one commitment, and draws on no other', () =>
        check(`${prepaid('1000')}
            given rules.commitments commitment_id | kind     | measure  | meter  | committed | depth | is_due | fee | shortfall_price
                                    c/plan        | prepaid  | quantity | tokens | 1000      | 0     | false  | 50  | _
                                    c/team        | postpaid | quantity | tokens | 600       | 1     | true   | _   | 0.1
            given rules.holder_accounts holder_id | account_id
                                    c/plan    | org
                                    c/plan    | a
                                    c/plan    | b
                                    ${window} | org
                                    ${window} | a
                                    ${window} | b
                                    c/team    | a
            ${lines(`commitment_fee      | p   | 50
                     commitment_consumed | llm | -40`)}`));
});

describe('72-bill: audits of prepaid units', () => {
    const found = (audit: string, text: string) =>
        auditRows(
            bill,
            audit,
            billed(text).replaceAll(
                /given rules\.(draw_order|currencies)[\s\S]*?\n(?= *given)/g,
                '',
            ),
        );
    const world = (draw: string, more = '') => `
        given billed.parts         payer_id | charge_no | account_id | product | meter  | line_type | quantity | amount_minor | span_start | span_end
                                   org      | 1         | a          | llm     | tokens | usage     | 3        | 10           | 2026-10-01 | 2026-11-01
        given rules.grants         grant_id | commitment_id | meter  | asset  | rate | granted | starts_at  | expires_at
                                   c/p      | c/plan        | tokens | tokens | _    | 5       | 2026-10-01 | 2026-11-01
        given rules.holder_accounts holder_id | account_id
                                   c/p        | a
        given billed.counted_parts payer_id | charge_no | measure  | commitment_id
                                   org      | 1         | quantity | c/plan
        given billed.unit_draws    payer_id | charge_no | grant_id | drawn | amount_minor
                                   org      | 1         | c/p      | ${draw}
        ${more}`;

    test('prepaid-units-pay-parts-and-no-more fails when they pay too much or too little', async () => {
        const rows = (draw: string, more?: string) =>
            found('prepaid-units-pay-parts-and-no-more', world(draw, more));
        expect(await rows('3000000000000 | 10')).toBe(0);
        expect(await rows('2000000000000 | 7')).toBe(0);
        expect(await rows('3000000000000 | 9')).toBe(1);
        expect(await rows('2000000000000 | 11')).toBe(1);
        expect(await rows('2000000000000 | -1')).toBe(1);
        expect(await rows('4000000000000 | 10')).toBe(1);
        const paid = `given billed.paid_parts payer_id | charge_no | paid
                                              org      | 1         | 4`;
        expect(await rows('2000000000000 | 7', paid)).toBe(1);
    });

    test('prepaid-units-pay-parts-and-no-more fails when they are for something else', async () => {
        const changed = (from: string, to: string) =>
            found(
                'prepaid-units-pay-parts-and-no-more',
                world('2000000000000 | 7').replace(from, to),
            );
        expect(await changed('usage ', 'fee   ')).toBe(1);
        expect(
            await changed(
                '2026-11-01\n        given rules.holder',
                '2026-10-31\n        given rules.holder',
            ),
        ).toBe(1);
        expect(await changed('c/p        | a', 'c/p        | b')).toBe(1);
        expect(await changed('| _    | 5', '| _    | 1')).toBe(1);
        expect(await changed('| c/plan        | tokens', '| c/plan        | calls ')).toBe(1);
    });

    test('no-prepaid-unit-holds-back fails when usage is billed beside units that are left', async () => {
        const rows = (draw: string, more?: string) =>
            found('no-prepaid-unit-holds-back', world(draw, more));
        expect(await rows('3000000000000 | 10')).toBe(0);
        expect(await rows('2000000000000 | 7')).toBe(1);
        const paid = `given billed.paid_parts payer_id | charge_no | paid
                                              org      | 1         | 3`;
        expect(await rows('2000000000000 | 7', paid)).toBe(0);
    });
});
