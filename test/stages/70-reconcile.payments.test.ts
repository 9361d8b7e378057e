import { describe, expect, test } from 'vitest';
import { paid, proof, ties } from './70-reconcile.world.ts';

/*
 * What a wallet already paid for. Every event has a product named after what happened to it, so that
 * one world shows many of them side by side.
 */

/** What stands between the products of one event. */
const and = '\u001f';

describe('70-reconcile: what prepaid wallets paid', () => {
    test('event by event: what was taken, and no more than the usage is worth', () =>
        ties(`
            given accounts.paths account_id | payer_id | currency | wallet_asset | wallet_shape | valid_from | valid_to   | period_start | period_end
                                 org        | org      | USD      | USD          | instant      | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
                                 a          | org      | USD      | USD          | instant      | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
                                 b          | org      | USD      | USD          | instant      | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
                                 z          | other    | USD      | USD          | instant      | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
            given compiled.event_values  event_id | products           | rated_amount | counted_quantity | event_at            | event_on   | is_in_period | is_unrated
                                         e1       | exact              | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         e2       | rounded            | 0.0000014    | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         e3       | too little         | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         e4       | too much           | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         e5       | other quantity     | 5            | 1000             | 2026-10-10          | 2026-10-10 | true         | false
                                         e6       | wrong unit         | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         e7       | no debit           | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         e8       | unrated            | 5            | _                | 2026-10-10          | 2026-10-10 | true         | true
                                         e9       | other asset        | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         f1       | account beside     | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         f2       | account above      | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         f3       | other payer        | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                         f4       | booked later       | 5            | _                | 2026-10-31 23:59:59 | 2026-10-31 | true         | false
                                         f5       | used before        | 5            | _                | 2026-09-30 23:59:59 | 2026-09-30 | false        | false
                                         f6       | debited twice      | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
                                                f7       |                    | 5            | _                | 2026-10-10          | 2026-10-10 | true         | false
            given mediated.debit_entries event_id | entry_id | account_id | asset | amount   | quantity | booked_at
                                         e1       | e1       | a          | USD   | 5        | _        | 2026-10-10
                                         e2       | e2       | a          | USD   | 0.000001 | _        | 2026-10-10
                                         e3       | e3       | a          | USD   | 4.5      | _        | 2026-10-10
                                         e4       | e4       | a          | USD   | 6        | _        | 2026-10-10
                                         e5       | e5       | a          | USD   | 4        | 900      | 2026-10-10
                                         e6       | e6       | a          | USD   | 5000     | _        | 2026-10-10
                                         e8       | e8       | a          | USD   | 5        | _        | 2026-10-10
                                         e9       | e9       | a          | EUR   | 5        | _        | 2026-10-10
                                         f1       | f1       | b          | USD   | 5        | _        | 2026-10-10
                                         f2       | f2       | org        | USD   | 5        | _        | 2026-10-10
                                         f3       | f3       | z          | USD   | 5        | _        | 2026-10-10
                                         f4       | f4       | a          | USD   | 5        | _        | 2026-11-01
                                         f5       | f5       | a          | USD   | 5        | _        | 2026-10-01
                                         f6       | f6       | a          | USD   | 5        | _        | 2026-10-10
                                         f6       | f6b      | a          | USD   | 5        | _        | 2026-10-11
                                         f7       | f7       | a          | USD   | 5        | _        | 2026-10-10
                                         gone     | gone     | a          | USD   | 5        | _        | 2026-10-10
            then recon.breaks            code                | break_key
                                         AMOUNT_PRICE        | e3
                                         AMOUNT_PRICE        | e4
                                         AMOUNT_QUANTITY     | e5
                                         UNIT_MISMATCH       | e6
                                         METERED_NOT_DEBITED | e7
                                         UNRATED             | e8
                                         ASSET_MISMATCH      | e9
                                         ACCOUNT_MISMATCH    | f1
                                         HIERARCHY_MISMATCH  | f2
                                         ACCOUNT_MISMATCH    | f3
                                         TIMING_CUTOFF       | f4
                                         TIMING_CUTOFF       | f5
                                         DUP_DEBIT_SAME      | f6
                                         DEBITED_NOT_METERED | gone
            then recon.wallet_payments   payer_id | account_id | product        | asset | rate_from  | asset_amount | rate | amount   | currency
                                         org      | a          | exact          | USD   | 0001-01-01 | 5            | 1    | 5        | USD
                                         org      | a          | rounded        | USD   | 0001-01-01 | 0.000001     | 1    | 0.000001 | USD
                                         org      | a          | too little     | USD   | 0001-01-01 | 4.5          | 1    | 4.5      | USD
                                         org      | a          | too much       | USD   | 0001-01-01 | 5            | 1    | 5        | USD
                                         org      | a          | other quantity | USD   | 0001-01-01 | 4            | 1    | 4        | USD
                                         org      | a          | wrong unit     | USD   | 0001-01-01 | 5            | 1    | 5        | USD
                                         org      | a          | account beside | USD   | 0001-01-01 | 5            | 1    | 5        | USD
                                         org      | a          | account above  | USD   | 0001-01-01 | 5            | 1    | 5        | USD
                                         org      | a          | booked later   | USD   | 0001-01-01 | 5            | 1    | 5        | USD
                                         org      | a          | debited twice  | USD   | 0001-01-01 | 5            | 1    | 5        | USD
        `));

    test('over the life of a hold: what was captured and not given back', () =>
        ties(`
            given compiled.event_values  event_id | account_id | products     | wallet_asset | wallet_shape | counted_quantity | rated_amount
                                         e1       | t          | exact        | TOK          | two_phase    | 1000             | 1
                                         e2       | t          | over         | TOK          | two_phase    | 1000             | 1
                                         e3       | t          | under        | TOK          | two_phase    | 1000             | 1
                                         e4       | t          | after its end | TOK         | two_phase    | 1000             | 1
                                         e5       | t          | released     | TOK          | two_phase    | 1000             | 1
                                         e6       | t          | expired      | TOK          | two_phase    | 1000             | 1
                                         e7       | t          | declined     | TOK          | two_phase    | 1000             | 1
                                         e8       | t          | reversed     | TOK          | two_phase    | 1000             | 1
                                         e9       | t          | given back in part | TOK    | two_phase    | 1000             | 1
                                         f1       | t          | two grants   | TOK          | two_phase    | 1000             | 1
                                         f2       | t          | a part       | TOK          | two_phase    | 1000             | 1
            given mediated.debit_entries event_id | account_id | asset | entry_id | entry_type | amount | reversal_of | grant_id | booked_at
                                         e1       | t          | TOK   | h1       | authorize  | 1000   | _           | _        | 2026-10-10 10:00:00
                                         e1       | t          | TOK   | c1       | capture    | 1000   | _           | _        | 2026-10-10 11:00:00
                                         e2       | t          | TOK   | h2       | authorize  | 1000   | _           | _        | 2026-10-10 10:00:00
                                         e2       | t          | TOK   | c2       | capture    | 1100   | _           | _        | 2026-10-10 11:00:00
                                         e3       | t          | TOK   | h3       | authorize  | 1000   | _           | _        | 2026-10-10 10:00:00
                                         e3       | t          | TOK   | c3       | capture    | 900    | _           | _        | 2026-10-10 11:00:00
                                         e4       | t          | TOK   | h4       | authorize  | 1000   | _           | _        | 2026-10-10 10:00:00
                                         e4       | t          | TOK   | l4       | release    | 1000   | _           | _        | 2026-10-10 11:00:00
                                         e4       | t          | TOK   | c4       | capture    | 800    | _           | _        | 2026-10-10 12:00:00
                                         e5       | t          | TOK   | h5       | authorize  | 1000   | _           | _        | 2026-10-10 10:00:00
                                         e5       | t          | TOK   | l5       | release    | 1000   | _           | _        | 2026-10-10 11:00:00
                                         e6       | t          | TOK   | h6       | authorize  | 1000   | _           | _        | 2026-10-10 10:00:00
                                         e6       | t          | TOK   | x6       | expire     | 1000   | _           | _        | 2026-10-10 11:00:00
                                         e7       | t          | TOK   | d7       | decline    | 1000   | _           | _        | 2026-10-10 10:00:00
                                         e8       | t          | TOK   | c8       | capture    | 1000   | _           | _        | 2026-10-10 10:00:00
                                         e8       | t          | TOK   | r8       | reverse    | 1000   | c8          | _        | 2026-10-12 10:00:00
                                         e9       | t          | TOK   | c9       | capture    | 1000   | _           | _        | 2026-10-10 10:00:00
                                         e9       | t          | TOK   | r9       | refund     | 300    | c9          | _        | 2026-10-12 10:00:00
                                         f1       | t          | TOK   | c10      | capture    | 600    | _           | g1       | 2026-10-10 10:00:00
                                         f1       | t          | TOK   | c11      | capture    | 400    | _           | g2       | 2026-10-10 10:00:00
                                         f2       | t          | TOK   | c12      | capture    | 500    | _           | g1       | 2026-10-10 10:00:00
                                         f2       | t          | TOK   | c13      | capture    | 250    | _           | g2       | 2026-10-10 10:00:00
            then recon.breaks            code                | break_key
                                         OVER_CAPTURE        | e2
                                         UNDER_CAPTURE       | e3
                                         LIFECYCLE_INVALID   | e4
                                         METERED_ON_RELEASED | e5
                                         METERED_ON_EXPIRED  | e6
                                         METERED_ON_DECLINED | e7
                                         METERED_ON_REVERSED | e8
                                         METERED_ON_REVERSED | e9
                                         SPLIT_INCOMPLETE    | f2
            then recon.wallet_payments   account_id | product            | asset | rate_from  | asset_amount | rate  | amount
                                         t          | exact              | TOK   | 2026-01-01 | 1000         | 0.002 | 2
                                         t          | over               | TOK   | 2026-01-01 | 1000         | 0.002 | 2
                                         t          | under              | TOK   | 2026-01-01 | 900          | 0.002 | 1.8
                                         t          | after its end      | TOK   | 2026-01-01 | 800          | 0.002 | 1.6
                                         t          | given back in part | TOK   | 2026-01-01 | 700          | 0.002 | 1.4
                                         t          | two grants         | TOK   | 2026-01-01 | 1000         | 0.002 | 2
                                         t          | a part             | TOK   | 2026-01-01 | 750          | 0.002 | 1.5
        `));

    test('day by day: the debit of the day, and of a day that the period cuts no more than its part', () =>
        ties(`
            given compiled.event_values  event_id | account_id | products | wallet_asset | wallet_shape | counted_quantity | rated_amount | event_at            | event_on   | is_in_period
                                         e1       | r          | equal    | REQ          | aggregated   | 1                | 1            | 2026-10-10 01:00:00 | 2026-10-10 | true
                                         e2       | r          | equal    | REQ          | aggregated   | 2                | 1            | 2026-10-10 02:00:00 | 2026-10-10 | true
                                         e3       | r          | less     | REQ          | aggregated   | 7                | 1            | 2026-10-11 01:00:00 | 2026-10-11 | true
                                         e4       | r          | more     | REQ          | aggregated   | 7                | 1            | 2026-10-12 01:00:00 | 2026-10-12 | true
                                         e5       | r          | cut      | REQ          | aggregated   | 4                | 1            | 2026-10-31 01:00:00 | 2026-10-31 | true
                                         e6       | r          | next     | REQ          | aggregated   | 3                | 1            | 2026-10-31 23:00:00 | 2026-10-31 | false
            given mediated.debit_entries entry_id | account_id | asset | amount | aggregated | occurred_at | booked_at
                                         d1       | r          | REQ   | 3      | day        | 2026-10-10  | 2026-10-11 00:05:00
                                         d2       | r          | REQ   | 5      | day        | 2026-10-11  | 2026-10-12 00:05:00
                                         d3       | r          | REQ   | 9      | day        | 2026-10-12  | 2026-10-13 00:05:00
                                         d4       | r          | REQ   | 7      | day        | 2026-10-31  | 2026-11-01 00:05:00
            then recon.breaks            code            | amount
                                         AMOUNT_QUANTITY | 2
                                         AMOUNT_QUANTITY | -2
                                         TIMING_CUTOFF   | 4
            then recon.wallet_payments   account_id | product | asset | asset_amount | rate | amount
                                         r          | equal   | REQ   | 3            | 0.5  | 1.5
                                         r          | less    | REQ   | 5            | 0.5  | 2.5
                                         r          | more    | REQ   | 7            | 0.5  | 3.5
                                         r          | cut     | REQ   | 4            | 0.5  | 2
        `));

    test('units at the rate of the currency of the payer when they were debited', () =>
        ties(`
            given rules.asset_rates asset | currency | rate_from  | rate_to    | is_first | rate
                                    TOK   | EUR      | 2026-01-01 | 2026-10-20 | true     | 9
                                    TOK   | EUR      | 2026-10-20 | _          | false    | 9
                                    TOK   | USD      | 2026-10-01 | 2026-10-10 | true     | 0.002
                                    TOK   | USD      | 2026-10-10 | _          | false    | 0.000000000003
                                    REQ   | USD      | 2026-10-01 | 2026-10-10 | true     | 0.5
                                    REQ   | USD      | 2026-10-10 | _          | false    | 0.6
                                    USD   | USD      | 0001-01-01 | _          | true     | 1
            given compiled.event_values  event_id | account_id | products | wallet_asset | wallet_shape | counted_quantity  | event_at            | event_on
                                         e1       | t          | llm      | TOK          | two_phase    | 1                 | 2026-10-01 00:00:00 | 2026-10-01
                                         e2       | t          | llm      | TOK          | two_phase    | 10                | 2026-10-09 23:59:59 | 2026-10-09
                                         e3       | t          | llm      | TOK          | two_phase    | 100               | 2026-10-09 23:59:59 | 2026-10-09
                                         e4       | t          | llm      | TOK          | two_phase    | 0.000000000007    | 2026-10-25 00:00:00 | 2026-10-25
                                         e5       | r          | llm      | REQ          | aggregated   | 4                 | 2026-10-09 00:00:00 | 2026-10-09
                                         e6       | t          | llm      | TOK          | two_phase    | 1000              | 2026-10-09 23:59:59 | 2026-10-09
            given mediated.debit_entries event_id | entry_id | account_id | asset | entry_type | amount         | aggregated | occurred_at | booked_at
                                         e1       | d1       | t          | TOK   | capture    | 1              | _          | _           | 2026-09-30 23:59:59
                                         e2       | d2       | t          | TOK   | capture    | 10             | _          | _           | 2026-10-09 23:59:59
                                         e3       | d3       | t          | TOK   | capture    | 100            | _          | _           | 2026-10-10 00:00:00
                                         e4       | d4       | t          | TOK   | capture    | 0.000000000007 | _          | _           | 2026-10-25 00:00:00
                                         _        | d5       | r          | REQ   | capture    | 4              | day        | 2026-10-09  | 2026-10-10 00:05:00
                                         e6       | h6       | t          | TOK   | authorize  | 1000           | _          | _           | 2026-10-09 23:59:59
                                         e6       | d6       | t          | TOK   | capture    | 1000           | _          | _           | 2026-10-10 00:00:00
            then recon.wallet_payments   account_id | asset | rate_from  | asset_amount        | rate           | amount                     | currency
                                         t          | TOK   | 2026-10-01 | 11                  | 0.002          | 0.022                      | USD
                                         t          | TOK   | 2026-10-10 | 1100.000000000007   | 0.000000000003 | 0.000000003300000000000021 | USD
                                         r          | REQ   | 2026-10-10 | 4                   | 0.6            | 2.4                        | USD
        `));

    test('products that were paid together share by what was used of each, to the last decimal', () =>
        ties(`
            given rated.usage            account_id | payer_id | wallet_asset | product | amount
                                         a          | org      | USD          | llm     | 1
                                         a          | org      | USD          | tools   | 0.5
                                         a          | org      | USD          | tools   | 1.5
                                         a          | org      | USD          | voice   | 100
                                         b          | org      | USD          | llm     | 100
            given compiled.event_values  event_id | account_id | products             | rated_amount
                                         e1       | a          | llm${and}tools       | 4
                                         e2       | a          | tools${and}llm${and}tools | 6
                                         e3       | a          | voice                | 7
                                         e4       | b          | video${and}tools     | 3
            given mediated.debit_entries event_id | entry_id | account_id | amount
                                         e1       | d1       | a          | 4
                                         e2       | d2       | a          | 6
                                         e3       | d3       | a          | 7
                                         e4       | d4       | b          | 3
            then recon.wallet_payments   account_id | product | amount
                                         a          | llm     | 3.333333333333333333333333
                                         a          | tools   | 6.666666666666666666666667
                                         a          | voice   | 7
                                         b          | tools   | 3
        `));

    test('units of several products are shared in units, so that their money is exact', () =>
        ties(`
            given rated.usage            account_id | payer_id | wallet_asset | product | amount
                                         t          | org      | TOK          | llm     | 1
                                         t          | org      | TOK          | tools   | 1
                                         t          | org      | TOK          | video   | 1
            given compiled.event_values  event_id | account_id | products                       | wallet_asset | wallet_shape | counted_quantity
                                         e1       | t          | llm${and}tools${and}video      | TOK          | two_phase    | 10
            given mediated.debit_entries event_id | entry_id | account_id | asset | amount
                                         e1       | d1       | t          | TOK   | 10
            then recon.wallet_payments   product | asset_amount   | amount
                                         llm     | 3.333333333334 | 0.006666666666668
                                         tools   | 3.333333333333 | 0.006666666666666
                                         video   | 3.333333333333 | 0.006666666666666
        `));

    test('a day of several products is paid for all of them', () =>
        ties(`
            given rated.usage            account_id | payer_id | wallet_asset | product | amount
                                         r          | org      | REQ          | llm     | 1
                                         r          | org      | REQ          | tools   | 3
            given compiled.event_values  event_id | account_id | products | wallet_asset | wallet_shape | counted_quantity
                                         e1       | r          | llm      | REQ          | aggregated   | 1
                                         e2       | r          | tools    | REQ          | aggregated   | 3
                                         e3       | r          |          | REQ          | aggregated   | 4
            given mediated.debit_entries entry_id | account_id | asset | amount | aggregated | occurred_at | booked_at
                                         d1       | r          | REQ   | 8      | day        | 2026-10-10  | 2026-10-11 00:05:00
            then recon.wallet_payments   product | asset_amount
                                         llm     | 2
                                         tools   | 6
        `));
});

describe('70-reconcile: proofs of payments', () => {
    const world = paid('5', 'd | 4');
    const payment = (amount: string) => `${world}
            given recon.wallet_payments payer_id | account_id | asset | asset_amount
                                        org      | a          | USD   | ${amount}`;

    test('what-no-wallet-paid-is-explained fails when a payment is lost, or too large', async () => {
        const audit = 'what-no-wallet-paid-is-explained';
        expect(await proof(audit, `${world}\n given recon.wallet_payments payer_id`)).toBe(1);
        expect(await proof(audit, payment('4.000000000000000000000001'))).toBe(1);
        expect(await proof(audit, payment('4'))).toBe(0);
    });

    test('nothing-is-paid-twice fails when more was paid than was captured for usage', async () => {
        const audit = 'nothing-is-paid-twice';
        expect(await proof(audit, payment('4.000000000000000000000001'))).toBe(1);
        expect(await proof(audit, payment('4'))).toBe(0);
        const repeated = paid('5', 'c | 4\n d | 4');
        const both = `${payment('8')}\n${repeated.slice(repeated.indexOf('given mediated'))}`;
        expect(await proof(audit, both)).toBe(1);
    });
});
