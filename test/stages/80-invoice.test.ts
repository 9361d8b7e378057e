import { describe, expect, test } from 'vitest';
import { invoice } from '../../pipelines/80-invoice/stage.ts';
import { auditRows } from '../support/table.ts';
import { billed, check, cleared } from './72-bill.world.ts';

const found = (audit: string, text: string) =>
    auditRows(
        invoice,
        audit,
        billed(`${cleared}\n${text}`).replaceAll(
            /given rules\.draw_order[\s\S]*?starts_at.*\n/g,
            '',
        ),
    );

/** Two teams: a used 60 USD of llm in 600 tokens, b 40 in 400 and 20 of gpu. */
const usage = `
    given rolled.charges account_id | product | rate_id | unit_price | quantity | amount
                         a          | llm     | r       | 0.1        | 600      | 60
                         b          | llm     | r       | 0.1        | 400      | 40
                         b          | gpu     | s       | 1          | 20       | 20`;
const everyone = (...holders: readonly string[]) => `
    given rules.holder_accounts holder_id | account_id
    ${holders.flatMap((holder) => ['org', 'a', 'b'].map((of) => `${holder} | ${of}`)).join('\n')}`;
const lines = (rows: string) => `
    then invoice.line_items line_type | account_id | product | amount
    ${rows}`;
const charged = `
                            usage     | a          | llm     | 60
                            usage     | b          | llm     | 40
                            usage     | b          | gpu     | 20`;

describe('80-invoice: lines', () => {
    test('a line says who pays, who used, what, and for which period in the zone of the payer', () =>
        check(`
            given rolled.payers     payer_id | time_zone        | period_start        | period_end
                                    org      | America/New_York | 2026-10-01 04:00:00 | 2026-11-01 04:00:00
            given recon.holds       payer_id | recon_status
                                    org      | held
            given rolled.charges    account_id | product | rate_id | attributes       | quantity | amount
                                    a          | llm     | r       | {"model":"opus"} | 1        | 1
            then invoice.line_items invoice_key     | line_type | payer_name | account_name | description | card | quantity | unit_price | recon_status | commitment_id | asset
                                    org/2026-10/USD | usage     | The org    | Team A       | LLM (opus)  | list | 1        | 1          | held         | _             | _`));

    test('without promises and payments there is usage alone, and nothing opens the next period', () =>
        check(`${usage}
            ${lines(charged)}
            then invoice.commitments payer_id
            then invoice.balances    payer_id
            then invoice.closings    contract`));

    test('what a wallet paid is taken off in a line of its own', () =>
        check(`${usage}
            given recon.wallet_payments account_id | product | asset | asset_amount | rate | amount
                                        a          | llm     | TOK   | 5.0005       | 10   | 50.005
            given recon.holds       payer_id | recon_status
                                    org      | held
            then invoice.line_items line_type         | account_id | product | description                     | quantity | unit_price | amount | amount_exact | asset | asset_amount | service_start | service_end | recon_status
                                    usage             | a          | llm     | LLM                             | 600      | 0.1        | 60     | 60           | _     | _            | 2026-10-01    | 2026-11-01  | held
                                    usage             | b          | gpu     | LLM                             | 20       | 1          | 20     | 20           | _     | _            | 2026-10-01    | 2026-11-01  | held
                                    usage             | b          | llm     | LLM                             | 400      | 0.1        | 40     | 40           | _     | _            | 2026-10-01    | 2026-11-01  | held
                                    wallet_settlement | a          | llm     | Paid from the wallet: 5.0005 TOK | 1       | -50        | -50    | -50          | TOK   | 5.0005       | 2026-10-01    | 2026-11-01  | held`));
});

describe('80-invoice: corrections of closed periods', () => {
    const corrections = `
            given rules.corrections        kind     | backfill_id | corrects_line_key | corrects_period | payer_id | account_id | product | description | service_start | service_end | amount_minor | currency
                                           backfill | b           | k                 | 2026-08         | org      | a          | llm     | late        | 2026-08-01    | 2026-09-01  | 1250         | USD
                                           backfill | b           | l                 | 2026-08         | org      | b          | llm     | less        | 2026-08-01    | 2026-09-01  | -50          | USD
                                           revert   | c           | k                 | 2026-08         | org      | a          | llm     | back        | 2026-08-01    | 2026-09-01  | -700         | USD`;
    const totals = `
            given rules.correction_totals  kind     | backfill_id | corrects_period | payer_id | amount_minor | currency
                                           backfill | b           | 2026-08         | org      | 1200         | USD
                                           revert   | c           | 2026-08         | org      | -700         | USD`;

    test('each is a line of its own: on the invoice of this period, for the time of the other', () =>
        check(`${usage}${corrections}${totals}
            then invoice.line_items line_type         | account_id | product | amount | description | corrects_line_key | corrects_period | backfill_id | invoice_key     | service_start | service_end
                                    usage             | a          | llm     | 60     | LLM         | _                 | _               | _           | org/2026-10/USD | 2026-10-01    | 2026-11-01
                                    usage             | b          | llm     | 40     | LLM         | _                 | _               | _           | org/2026-10/USD | 2026-10-01    | 2026-11-01
                                    usage             | b          | gpu     | 20     | LLM         | _                 | _               | _           | org/2026-10/USD | 2026-10-01    | 2026-11-01
                                    debit_adjustment  | a          | llm     | 12.5   | late        | k                 | 2026-08         | b           | org/2026-10/USD | 2026-08-01    | 2026-09-01
                                    credit_adjustment | b          | llm     | -0.5   | less        | l                 | 2026-08         | b           | org/2026-10/USD | 2026-08-01    | 2026-09-01
                                    credit_adjustment | a          | llm     | -7     | back        | k                 | 2026-08         | c           | org/2026-10/USD | 2026-08-01    | 2026-09-01`));

    test('one that no backfill of the log has stops the run', () =>
        expect(check(`${usage}${corrections}`)).rejects.toMatchObject({ code: 'AUDIT_FAILED' }));

    test('nothing else counts them: no commitment, no grant, no wallet', () =>
        check(`${usage}${corrections}${totals}
            given rules.commitments commitment_id | committed | counted_before
                                    c/year        | 1000      | 300
            ${everyone('c/year')}
            then invoice.commitments commitment_id | counted
                                     c/year        | 420`));
});

describe('80-invoice: commitments in money', () => {
    const promised = (more: string, value: string) => `
        given rules.commitments commitment_id | committed ${more && `| ${more}`}
                                c/year        | ${value}
        ${everyone('c/year')}`;

    test('a shortfall that is due is billed at the end of the window', () =>
        check(`${usage}${promised('counted_before', '1000 | 300')}
            ${lines(`${charged}
                true_up | org | p | 580`)}
            then invoice.commitments commitment_id | committed | counted_before | counted | shortfall | true_up | overage
                                     c/year        | 1000      | 300            | 420     | 580       | 580     | 0
            then invoice.closings    contract`));

    test('a shortfall says what is billed for it, however fine the promise is', () =>
        check(`${usage}${promised('counted_before', '1000.005 | 300')}
            ${lines(`${charged}
                true_up | org | p | 580.01`)}
            then invoice.commitments shortfall | true_up
                                     580.01    | 580.01`));

    test('one that is not due waits, and the next period opens with what counted', () =>
        check(`${usage}${promised('counted_before | is_due | window_start | window_end', '1000 | 300 | false | 2026-07-01 | 2027-01-01')}
            ${lines(charged)}
            then invoice.commitments counted | shortfall | true_up
                                     420     | 580       | 0
            then invoice.closings    contract | commitment | grant | period  | quantity
                                     c        | year       |       | 2026-11 | 420`));

    test('of a cumulative one, what was trued up counts as used', () =>
        check(`${usage}${promised('counted_before | is_cumulative', '1000 | 300 | true')}
            ${lines(`${charged}
                true_up | org | p | 580`)}
            then invoice.closings    contract | commitment | quantity
                                     c        | year       | 1000`));

    test('what lies above costs more, by product, each part rounded once', () =>
        // gpu counts first: 20, then a 60 and b 40 of llm; 20.01 are left of them above 99.99.
        check(`${usage}${promised('overage_factor', '99.99 | 1.25')}
            ${lines(`${charged}
                overage | org | llm | 5`)}
            then invoice.commitments counted | shortfall | overage
                                     120     | 0         | 5`));

    test('where overage is cheaper than what a wallet paid for it, the rest is owed back', () =>
        // Above 90: 30 of b's 40, which cost 15. Its wallet paid 40 for what comes to 25.
        check(`${usage}${promised('overage_factor', '90 | 0.5')}
            given recon.wallet_payments account_id | product | asset_amount | amount
                                        b          | llm     | 40           | 40
            ${lines(`${charged}
                overage           | org | llm | -15
                wallet_settlement | b   | llm | -40`)}`));

    test('a prepaid one bills its fee, and its balance pays usage', () =>
        check(`${usage}
            given rules.commitments commitment_id | kind    | committed | fee | is_due | window_start | window_end | description
                                    c/year        | prepaid | 500       | 500 | false  | 2026-10-01   | 2027-01-01 | Prepaid
            given rules.grants      grant_id          | commitment_id | granted | starts_at  | expires_at | description
                                    c/year@2026-10-01 | c/year        | 500     | 2026-10-01 | 2027-01-01 | Prepaid
            ${everyone('c/year', 'c/year@2026-10-01')}
            then invoice.line_items line_type           | product | amount | description                  | commitment_id | grant_id          | asset | asset_amount
                                    usage               | llm     | 60     | LLM                          | _             | _                 | _     | _
                                    usage               | llm     | 40     | LLM                          | _             | _                 | _     | _
                                    usage               | gpu     | 20     | LLM                          | _             | _                 | _     | _
                                    commitment_fee      | p       | 500    | Commitment fee: Prepaid      | c/year        | _                 | _     | _
                                    commitment_consumed | llm     | -100   | Commitment consumed: Prepaid | c/year        | c/year@2026-10-01 | USD   | 100
                                    commitment_consumed | gpu     | -20    | Commitment consumed: Prepaid | c/year        | c/year@2026-10-01 | USD   | 20
            then invoice.closings   contract | commitment | grant           | quantity
                                    c        | year       |                 | 120
                                    c        |            | year@2026-10-01 | 380`));

    test('what went on of a prepaid one raises where overage begins, and does not use the window up', () =>
        check(`${usage}
            given rules.commitments commitment_id | kind    | committed | overage_factor | fee | is_due | window_start | window_end
                                    c/year        | prepaid | 50        | 2              | _   | false  | 2026-10-01   | 2027-01-01
            given rules.grants      grant_id                   | commitment_id | opening | granted | is_rollover | starts_at  | expires_at
                                    c/year@2026-01-01~rollover | c/year        | 30      | 0       | true        | 2026-10-01 | 2027-01-01
                                    c/year@2026-10-01          | c/year        | 50      | 0       | false       | 2026-10-01 | 2027-01-01
            ${everyone('c/year', 'c/year@2026-01-01~rollover', 'c/year@2026-10-01')}
            then invoice.commitments counted | shortfall | overage
                                     120     | 0         | 40
            then invoice.closings   contract | commitment | grant                    | quantity
                                    c        | year       |                          | 90
                                    c        |            | year@2026-01-01~rollover | 0
                                    c        |            | year@2026-10-01          | 0`));

    test('a fee is for its window within the period, and counts towards nothing', () =>
        check(`
            given rules.commitments commitment_id | kind    | committed | fee | is_due | window_start | window_end
                                    c/year        | prepaid | 500       | 500 | false  | 2026-10-15   | 2027-01-01
            ${everyone('c/year')}
            then invoice.line_items line_type      | amount | service_start | service_end
                                    commitment_fee | 500    | 2026-10-15    | 2026-11-01`));
});

describe('80-invoice: commitments in units', () => {
    const promised = (more: string, value: string) => `${usage}
        given rules.rates       rate_id | product | meter
                                r       | llm     | tokens
                                s       | gpu     | seconds
        given rolled.charges account_id | product | rate_id | meter   | unit_price | quantity | amount
                             a          | llm     | r       | tokens  | 0.1        | 600      | 60
                             b          | llm     | r       | tokens  | 0.1        | 400      | 40
                             b          | gpu     | s       | seconds | 1          | 20       | 20
        given rules.commitments commitment_id | measure  | meter  | committed | ${more}
                                c/tok         | quantity | tokens | ${value}
        ${everyone('c/tok')}`;

    test('a missing unit has a price', () =>
        check(`${promised('shortfall_price', '1500.5 | 0.03')}
            ${lines(`${charged}
                true_up | org | p | 15.02`)}
            then invoice.commitments measure  | counted | shortfall | true_up
                                     quantity | 1000    | 500.5     | 15.02`));

    test('a unit above costs its price of overage instead of its own', () =>
        check(`${promised('shortfall_price | overage_unit_price', '900 | 0.03 | 0.15')}
            ${lines(`${charged}
                overage | org | llm | 5`)}
            then invoice.commitments counted | shortfall | overage
                                     1000    | 0         | 5`));

    test('or its own times a factor, which may be below one', () =>
        check(`${promised('shortfall_price | overage_factor', '900 | 0.03 | 0.5')}
            ${lines(`${charged}
                overage | org | llm | -5`)}`));

    test('the share of a line that tiers priced is a fraction, rounded once for the line', () =>
        // A third of it lies above: 0.15 x 1/3 x 0.1 is 0.005, half a cent.
        check(`
            given rolled.charges    account_id | product | rate_id | quantity | amount | rounded | line_id
                                    a          | llm     | r       | 3        | 0.15   | 0.15    | 1
            given rules.rates       rate_id | product | terms
                                    r       | llm     | {}
            given rules.commitments commitment_id | measure  | meter  | committed | overage_factor | is_due
                                    c/tok         | quantity | tokens | 2         | 1.1            | false
            ${everyone('c/tok')}
            ${lines(`usage | a | llm | 0.15
                overage | org | llm | 0.01`)}`));

    test('no grant pays that overage', () =>
        check(`${promised('shortfall_price | overage_unit_price', '900 | 0.03 | 0.15')}
            given rules.grants      grant_id | granted
                                    c/g      | 1000
            ${everyone('c/tok', 'c/g')}
            ${lines(`${charged}
                overage          | org | llm | 5
                balance_consumed | org | llm | -100
                balance_consumed | org | gpu | -20`)}`));
});

describe('80-invoice: grants', () => {
    test('a grant pays what no wallet paid', () =>
        check(`${usage}
            given recon.wallet_payments account_id | product | asset_amount | amount
                                        a          | llm     | 50           | 50
            given rules.grants      grant_id | granted
                                    c/g      | 1000
            ${everyone('c/g')}
            ${lines(`${charged}
                wallet_settlement | a   | llm | -50
                balance_consumed  | org | llm | -50
                balance_consumed  | org | gpu | -20`)}
            then invoice.draw_downs account_id | product | drawn | balance | amount
                                    b          | gpu     | 20    | 980     | 20
                                    b          | llm     | 40    | 930     | 40
                                    a          | llm     | 10    | 970     | 10`));

    test('what a wallet paid beyond the charges is owed back, and no grant pays it', () =>
        check(`${usage}
            given recon.wallet_payments account_id | product | asset_amount | amount
                                        a          | llm     | 75           | 75
            given rules.grants      grant_id | granted
                                    c/g      | 1000
            given rules.holder_accounts holder_id | account_id
                                    c/g      | a
            ${lines(`${charged}
                wallet_settlement | a | llm | -75`)}`));

    test('one for some accounts pays for those, before one for all', () =>
        check(`${usage}
            given rules.grants      grant_id | granted
                                    c/all    | 70
                                    c/b      | 30
            given rules.holder_accounts holder_id | account_id
                                    c/all    | org
                                    c/all    | a
                                    c/all    | b
                                    c/b      | b
            then invoice.balances   grant_id | drawn | closing
                                    c/all    | 70    | 0
                                    c/b      | 30    | 0`));

    test('units that add up: by running totals, and all of them with the last cent', () =>
        // 300 tokens at 0.33 are 99.00; of 60, 40 and 20 USD it pays gpu, then what is left.
        check(`${usage}
            given rules.grants      grant_id | asset | precision | granted | rate
                                    c/tok    | TOK   | 0         | 300     | 0.33333
            ${everyone('c/tok')}
            then invoice.draw_downs product | amount
                                    gpu     | 20
                                    llm     | 60
                                    llm     | 19.99
            then invoice.balances   asset | granted | drawn | expired | closing | rate
                                    TOK   | 300     | 300   | 0       | 0       | 0.33333`));

    test('a part of it is rounded to the precision of the asset', () =>
        check(`${usage}
            given rules.grants      grant_id | asset | precision | granted | rate
                                    c/tok    | TOK   | 1         | 1000    | 0.7
            ${everyone('c/tok')}
            then invoice.balances   drawn | closing
                                    171.4 | 828.6`));

    test('what is left expires, and a fraction of it opens its rollover, cut to the precision', () =>
        check(`${usage}
            given rules.grants      grant_id | granted | expires_at | rollover_id  | rollover_fraction | product
                                    c/g      | 200.01  | 2026-11-01 | c/g~rollover | 0.5               | credit
                                    c/h      | 10      | 2026-11-01 | _            | _                 | credit
                                    c/i      | 10      | _          | _            | _                 | credit
            ${everyone('c/g', 'c/h', 'c/i')}
            then invoice.balances   grant_id | granted | drawn | expired | rolled_over | closing
                                    c/g      | 200.01  | 120   | 80.01   | 40          | 0
                                    c/h      | 10      | 0     | 10      | 0           | 0
                                    c/i      | 10      | 0     | 0       | 0           | 10
            then invoice.closings   contract | grant      | period  | quantity
                                    c        | g~rollover | 2026-11 | 40
                                    c        | i          | 2026-11 | 10`));

    test('usage that lies outside its span whole or in part is not paid by it', () =>
        check(`
            given rolled.charges    account_id | product | rate_id | quantity | amount
                                    a          | llm     | r       | 100      | 100
                                    a          | gpu     | s       | 1        | 9
            given rated.usage       account_id | product | rate_id | segment_at | event_on   | quantity
                                    a          | llm     | r       | 2026-01-01 | 2026-10-01 | 60
                                    a          | llm     | r       | 2026-10-15 | 2026-10-15 | 40
            given rules.rates       rate_id | product | model
                                    r       | llm     | per_unit
                                    s       | gpu     | flat
            given rules.grants      grant_id | granted | starts_at
                                    c/g      | 1000    | 2026-10-15
            ${everyone('c/g')}
            ${lines(`usage            | a   | llm | 100
                     fee              | a   | gpu | 9
                     balance_consumed | org | llm | -40`)}`));
});

test('80-invoice: terms of contracts close with their opening and what the period used', () =>
    check(`
        given rules.book_contracts book_id | contract_id
                                   b       | c
        given rules.book_cards     book_id | card
                                   b       | list
        given rules.rates          rate_id | product | terms
                                   r       | llm     | {}
                                   s       | gpu     | {}
        given rules.terms          rate_id | tier_scope
                                   r       | contract_term
                                   s       | contract_term
        given rules.openings       contract_id | product | meter  | quantity
                                   c           | llm     | tokens | 1000
        given pricing.members      line_id | pool_id | rate_id | account_id | quantity
                                   1       | c       | r       | a          | 60
                                   1       | c       | r       | b          | 40
        then invoice.closings      contract | product | meter  | period  | quantity
                                   c        | gpu     | tokens | 2026-11 | 0
                                   c        | llm     | tokens | 2026-11 | 1100`));

describe('80-invoice: audits', () => {
    test('what-is-charged-is-paid-or-to-pay fails when a payment is lost', async () => {
        const text = (paid: string, remaining: string) => `
            given billed.lines      line_key | payer_id | product | amount_minor
                                    1        | org      | llm     | 100
            given billed.parts      payer_id | charge_no | product
                                    org      | 1         | llm
            given invoice.line_items line_key | line_type        | payer_id | product | amount_minor
                                     2        | balance_consumed | org      | llm     | ${paid}
            given drawn.remainders  owner_id | charge_no | paid | remaining
                                    org      | 1         | 0    | ${remaining}`;
        const audit = 'what-is-charged-is-paid-or-to-pay';
        expect(await found(audit, text('-40', '60'))).toBe(0);
        expect(await found(audit, text('-40', '100'))).toBe(1);
        expect(await found(audit, text('-30', '60'))).toBe(1);
    });

    test('every-balance-rolls-forward fails when a draw is in no line', async () => {
        const text = (drawn: string, closing: string, rolled = '0') => `
            given rules.grants       grant_id | opening | granted
                                     c/g      | 5       | 10
            given invoice.line_items line_key | payer_id | grant_id | asset_amount
                                     1        | org      | c/g      | ${drawn}
            given invoice.balances   payer_id | grant_id | expired | rolled_over | closing
                                     org      | c/g      | 1       | ${rolled}   | ${closing}`;
        const audit = 'every-balance-rolls-forward';
        expect(await found(audit, text('4', '10'))).toBe(0);
        expect(await found(audit, text('5', '10'))).toBe(1);
        expect(await found(audit, text('15', '-1'))).toBe(1);
        expect(await found(audit, text('4', '10', '2'))).toBe(1);
    });

    test('every-commitment-counts-its-parts fails when a part is not counted', async () => {
        const text = (measure: string, counted: string) => `
            given rules.commitments    commitment_id | measure    | counted_before
                                       c/x           | ${measure} | 7
            given billed.parts         payer_id | charge_no | quantity | amount_minor
                                       org      | 1         | 3        | 250
            given billed.counted_parts payer_id | charge_no | measure    | commitment_id
                                       org      | 1         | ${measure} | c/x
            given invoice.commitments  payer_id | commitment_id | counted
                                       org      | c/x           | ${counted}`;
        const audit = 'every-commitment-counts-its-parts';
        expect(await found(audit, text('amount', '9.50'))).toBe(0);
        expect(await found(audit, text('quantity', '10'))).toBe(0);
        expect(await found(audit, text('amount', '7'))).toBe(1);
        expect(await found(audit, text('quantity', '9.50'))).toBe(1);
    });

    test('corrections-are-the-backfills-of-the-log fails when one is lost, twice, or of nobody', async () => {
        const text = (found: string, type = 'debit_adjustment') => `
            given invoice.line_items      line_key | line_type        | payer_id | currency | amount_minor | corrects_period | backfill_id
                                          1        | ${type}          | org      | USD      | 500          | 2026-09         | b
                                          2        | credit_adjustment | org     | USD      | -200         | 2026-09         | b
            given rules.correction_totals kind     | backfill_id | corrects_period | payer_id | currency | amount_minor
                                          backfill | b           | 2026-09         | org      | USD      | ${found}`;
        const audit = 'corrections-are-the-backfills-of-the-log';
        expect(await found(audit, text('300'))).toBe(0);
        expect(await found(audit, text('500'))).toBe(1);
        expect(await found(audit, text('300', 'usage'))).toBe(0);
        expect(await found(audit, text('300').replaceAll('| b\n', '| _\n'))).toBe(2);
    });
});
