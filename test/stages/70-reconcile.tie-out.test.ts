import { describe, expect, test } from 'vitest';
import { paid, proof, ties } from './70-reconcile.world.ts';

describe('70-reconcile: the end of the period', () => {
    test('usage and debit on both sides of both ends', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount | is_in_period | event_at            | event_on
                                         before   | 1            | false        | 2026-09-30 23:59:59 | 2026-09-30
                                         first    | 2            | true         | 2026-10-01 00:00:00 | 2026-10-01
                                         last     | 4            | true         | 2026-10-31 23:59:59 | 2026-10-31
                                         after    | 8            | false        | 2026-11-01 00:00:00 | 2026-11-01
                                         alone    | 16           | false        | 2026-11-01 00:00:00 | 2026-11-01
            given mediated.debit_entries event_id | entry_id | amount | booked_at
                                         before   | d1       | 1      | 2026-10-01 00:00:00
                                         first    | d2       | 2      | 2026-09-30 23:59:59
                                         last     | d3       | 4      | 2026-11-01 00:00:00
                                         after    | d4       | 8      | 2026-10-31 23:59:59
            then recon.breaks   code          | break_key | amount
                                TIMING_CUTOFF | before    | -1
                                TIMING_CUTOFF | first     | 2
                                TIMING_CUTOFF | last      | 4
                                TIMING_CUTOFF | after     | -8
            then recon.tie_outs account_id | rated | debited | difference | broken | unexplained
                                a          | 6     | 9       | -3         | -3     | 0
        `));

    const days = (usage: string, debits: string) => `
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | is_in_period | event_at | event_on
${usage}
            given mediated.debit_entries entry_id | account_id | asset | amount | aggregated | occurred_at | booked_at
${debits}`;

    test('a day that is debited the morning after: the last day is timing in both periods', () =>
        ties(`${days(
            `e1 | r | REQ | aggregated | 3 | false | 2026-09-30 12:00:00 | 2026-09-30
             e2 | r | REQ | aggregated | 5 | true  | 2026-10-31 12:00:00 | 2026-10-31`,
            `d1 | r | REQ | 3 | day | 2026-09-30 | 2026-10-01 00:05:00
             d2 | r | REQ | 5 | day | 2026-10-31 | 2026-11-01 00:05:00`,
        )}
            then recon.breaks  code          | account_id | amount | expected | actual
                               TIMING_CUTOFF | r          | -3     | 0        | 3
                               TIMING_CUTOFF | r          | 5      | 5        | 0
            then proofs.keys   break_key
                               r/2026-09-30
                               r/2026-10-31
        `));

    test('a day that the zone of the payer cuts in two is timing, not a wrong count', () =>
        ties(`${days(
            `e1 | r | REQ | aggregated | 3 | false | 2026-10-01 03:00:00 | 2026-10-01
             e2 | r | REQ | aggregated | 5 | true  | 2026-10-01 05:00:00 | 2026-10-01`,
            'd  | r | REQ | 8 | day | 2026-10-01 | 2026-10-02 00:05:00',
        )}
            then recon.breaks code          | amount
                              TIMING_CUTOFF | -3
        `));

    test('each day of an account stands alone', () =>
        ties(`${days(
            `e1 | r | REQ | aggregated | 3 | true | 2026-10-10 | 2026-10-10
             e2 | r | REQ | aggregated | 4 | true | 2026-10-11 | 2026-10-11`,
            `d2 | r | REQ | 2 | day | 2026-10-11 | 2026-10-11 12:00:00
             d3 | r | REQ | 5 | day | 2026-10-12 | 2026-10-12 12:00:00`,
        )}
            then recon.breaks code                | amount | entry_ids
                              METERED_NOT_DEBITED | 3      |
                              AMOUNT_QUANTITY     | 2      | d2
                              DEBITED_NOT_METERED | -5     | d3
            then proofs.keys  code                | break_key
                              METERED_NOT_DEBITED | r/2026-10-10
                              AMOUNT_QUANTITY     | r/2026-10-11
                              DEBITED_NOT_METERED | r/2026-10-12
        `));

    test('a day of money at another price', () =>
        ties(`
            given accounts.paths account_id | payer_id | currency | wallet_asset | wallet_shape | valid_from | valid_to   | period_start | period_end
                                 a          | org      | USD      | USD          | aggregated   | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
            given compiled.event_values  event_id | wallet_shape | rated_amount
                                         e        | aggregated   | 5
            given mediated.debit_entries entry_id | amount | aggregated
                                         d        | 4      | day
            then recon.breaks code         | amount | money_amount
                              AMOUNT_PRICE | 1      | 1
        `));

    test('the payer changes within a day: the debit of the day is for all of it', () =>
        ties(`
            given accounts.paths account_id | payer_id | currency | wallet_asset | wallet_shape | valid_from          | valid_to            | period_start | period_end
                                 r          | p1       | USD      | REQ          | aggregated   | 2000-01-01          | 2026-10-15 12:00:00 | 2026-10-01   | 2026-11-01
                                 r          | p2       | USD      | REQ          | aggregated   | 2026-10-15 12:00:00 | 9999-12-31          | 2026-10-01   | 2026-11-01
            given compiled.event_values  event_id | account_id | payer_id | wallet_asset | wallet_shape | counted_quantity | event_at            | event_on
                                         e        | r          | p1       | REQ          | aggregated   | 1                | 2026-10-15 11:00:00 | 2026-10-15
                                         f        | r          | p2       | REQ          | aggregated   | 1                | 2026-10-15 13:00:00 | 2026-10-15
            given mediated.debit_entries entry_id | account_id | asset | amount | aggregated | occurred_at | booked_at
                                         d        | r          | REQ   | 2      | day        | 2026-10-15  | 2026-10-16 00:05:00
            then recon.breaks  code
            then recon.matches rule | usage_count | entry_count
                               R4   | 2           | 1
        `));
});

describe('70-reconcile: what can not be told', () => {
    test('an account without any entry, below a payer without one, is unauditable', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            then recon.breaks   code
            then recon.tie_outs account_id | status      | rated | difference | unexplained
                                a          | unauditable | 5     | 5          | 0
            then recon.holds    payer_id | recon_status
                                org      | unauditable
        `));

    test.each([
        ['instant', 'a', 'USD'],
        ['two_phase', 't', 'TOK'],
        ['aggregated', 'r', 'REQ'],
    ])('%s: a log of the payer is a log of its accounts', (shape, account, asset) =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | rated_amount
                                         e        | ${account} | ${asset}     | ${shape}     | 5                | 5
            given mediated.debit_entries event_id | account_id | entry_id | entry_type | amount
                                         other    | org        | x        | decline    | 1
            then recon.breaks   code                | account_id | amount
                                METERED_NOT_DEBITED | ${account} | 5
            then recon.tie_outs account_id | status
                                ${account} | tied
                                org        | tied
        `),
    );

    test('the log of a payer says nothing of the time before it paid', () =>
        ties(`
            given accounts.paths account_id | payer_id | currency | wallet_asset | wallet_shape | valid_from | valid_to   | period_start | period_end
                                 a          | p1       | USD      | USD          | instant      | 2000-01-01 | 2026-10-15 | 2026-10-01   | 2026-11-01
                                 a          | p2       | USD      | USD          | instant      | 2026-10-15 | 9999-12-31 | 2026-10-01   | 2026-11-01
            given compiled.event_values  event_id | payer_id | rated_amount
                                         e        | p1       | 5
                                         f        | p2       | 3
            given mediated.debit_entries event_id | account_id | entry_id | entry_type | amount
                                         other    | p2         | x        | decline    | 1
            then recon.breaks   code                | break_key | amount
                                METERED_NOT_DEBITED | f         | 3
            then recon.tie_outs account_id | status      | rated | broken | unexplained
                                a          | unauditable | 8     | 3      | 0
                                p2         | tied        | 0     | 0      | 0
        `));

    test('an id that two sources use: no debit can name one of the events', () =>
        ties(`
            given mediated.shared_event_ids event_id
                                            e
            given compiled.event_values  source | event_id | rated_amount
                                         eu     | e        | 5
                                         us     | e        | 7
            given mediated.debit_entries event_id | entry_id | amount
                                         e        | c        | 5
                                         e        | d        | 7
            then recon.breaks code                | break_key        | amount | entry_ids
                              METERED_NOT_DEBITED | ambiguous:eu/e | 5      |
                              METERED_NOT_DEBITED | ambiguous:us/e | 7      |
                              DEBITED_NOT_METERED | ambiguous:e    | -12    | c d
        `));

    test('a debit of an account that nobody knows', () =>
        ties(`
            given mediated.debit_entries event_id | entry_id | account_id | amount
                                         gone     | d        | nobody     | 5
            then recon.breaks   code                | payer_id | account_id | amount | money_amount
                                DEBITED_NOT_METERED | _        | nobody     | -5     | -5
            then recon.tie_outs payer_id | account_id | difference | broken
                                         | nobody     | -5         | -5
        `));

    test('debits of one account under two payers are one kind of match each', () =>
        ties(`
            given accounts.paths account_id | payer_id | currency | wallet_asset | wallet_shape | valid_from | valid_to   | period_start | period_end
                                 a          | p1       | USD      | USD          | instant      | 2000-01-01 | 2026-10-15 | 2026-10-01   | 2026-11-01
                                 a          | p2       | USD      | USD          | instant      | 2026-10-15 | 9999-12-31 | 2026-10-01   | 2026-11-01
            given compiled.event_values  event_id | payer_id | rated_amount
                                         e        | p1       | 5
                                         f        | p1       | 3
                                         g        | p1       | 2
            given mediated.debit_entries event_id | entry_id | amount | booked_at
                                         e        | d1       | 5      | 2026-10-14 23:59:59
                                         f        | d2       | 3      | 2026-10-15 00:00:00
                                         g        | d3       | 2      | 2026-10-14 23:59:57
                                         g        | d4       | 2      | 2026-10-14 23:59:59
                                         g        | d5       | 2      | 2026-10-15 00:00:00
            then recon.matches rule | usage_count | entry_count | actual
                               R1   | 3           | 3           | 10
            then recon.breaks  code           | break_key | payer_id | amount | entry_ids
                               DUP_DEBIT_SAME | g         | p1       | -4     | d4 d5
        `));
});

describe('70-reconcile: sequence', () => {
    test('holes by wallet; a repeated number is no hole and fills none', () =>
        ties(`
            given mediated.debit_entries entry_id | entry_type | input | wallet_id | sequence | amount | booked_at
                                         a1       | topup      | one   | w         | 1        | 0      | 2026-10-01
                                         a2       | topup      | one   | w         | 2        | 0      | 2026-10-02
                                         a3       | topup      | one   | w         | 4        | 0      | 2026-10-03
                                         a4       | topup      | one   | w         | 9        | 0      | 2026-10-04
                                         b1       | topup      | two   | w         | 3        | 0      | 2026-10-01
                                         b2       | topup      | two   | w         | 4        | 0      | 2026-10-01
            given mediated.debit_repeats object_no | line_no | kind
                                         7         | 1       | duplicate
                                         7         | 2       | conflict
            given raw.debit_rows object_no | line_no | input | wallet_id | account_id | asset | sequence | booked_at
                                 7         | 1       | one   | w         | a          | USD   | 4        | 2026-10-03
                                 7         | 2       | one   | w         | a          | USD   | 6        | 2026-10-03
            then recon.sequence_gaps input | wallet_id | first_sequence | last_sequence | missing_count | missing | first_at
                                     one   | w         | 1              | 9             | 4             | 3 5 7-8 | 2026-10-02
            then recon.breaks code         | break_key | detail
                              SEQUENCE_GAP | w         | 4 number(s) missing between 1 and 9: 3 5 7-8
        `));
});

describe('70-reconcile: holds of payers', () => {
    const limits = (absolute: string, percent: string) => `
            given run.parameters run_id | period_start | period_end | as_of      | open_hold_hours | hold_absolute | hold_percent
                                 run    | 2026-10-01   | 2026-11-01 | 2026-11-05 | 24              | ${absolute}   | ${percent}`;
    test.each([
        // limits, debited for usage of 100 USD, limit, status
        ['1', '0', '99', '1', 'clear'],
        ['1', '0', '98.999999', '1', 'held'],
        ['1', '2', '98', '2', 'clear'],
        ['1', '2', '97.999999', '2', 'held'],
        ['1', '0', '101', '1', 'clear'],
        ['1', '0', '101.000001', '1', 'held'],
    ])('%s USD or %s %%: 100 against %s', (absolute, percent, debited, limit, status) =>
        ties(`${limits(absolute, percent)}${paid('100', `d | ${debited}`)}
            then recon.holds payer_id | amount_exact | break_count | hold_limit | recon_status
                             org      | 100          | 1           | ${limit}   | ${status}
        `),
    );

    test('two breaks that offset are two: their signs do not help', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
                                         f        | 5
            given mediated.debit_entries event_id | entry_id | amount
                                         e        | c        | 4
                                         f        | d        | 6
            then recon.holds payer_id | break_count | break_money | hold_limit | recon_status
                             org      | 2           | 2           | 1          | held
        `));

    test('one break that nobody can price holds', () =>
        ties(`
            given mediated.debit_entries event_id | entry_id | account_id | asset | amount
                                         gone     | c        | t          | TOK   | 1
            then recon.holds payer_id | unpriced_count | break_money | recon_status
                             org      | 1              | 0           | held
        `));

    test('a break in another currency than the payer has can not be added up, and holds', () =>
        ties(`
            given mediated.debit_entries event_id | entry_id | asset | amount
                                         gone     | c        | EUR   | 0.01
            then recon.holds payer_id | unpriced_count | break_money | recon_status
                             org      | 1              | 0           | held
        `));

    test('a fee in suspense holds, though it is no break', () =>
        ties(`
            given suspense.unpriced_fees rate_id | payer_id | account_id
                                         fee     | org      | t
                                         fee     | org      | u
            then recon.breaks code
            then recon.holds payer_id | break_count | unpriced_count | recon_status
                             org      | 0           | 2              | held
        `));

    test.each([
        ['no log and no break', '', 'unauditable', '5', 'held'],
        ['a log that ties', 'd | 5', 'clear', '5', 'held'],
        ['usage of nothing needs no price', 'd | 5', 'clear', '0', 'clear'],
    ])('usage without a price holds: %s', async (_, entries, without, quantity, recon_status) => {
        const unrated = `
            given suspense.unrated_usage payer_id | account_id | meter | quantity    | code
                                         org      | a          | web   | ${quantity} | UNRATED`;
        const paths = `
            given accounts.paths account_id | payer_id | currency | wallet_asset | wallet_shape | valid_from | valid_to   | period_start | period_end
                                 a          | org      | USD      | USD          | instant      | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01`;
        const night = (more: string, count: number, status: string) =>
            ties(`${paths}${paid('5', entries)}${more}
            then recon.holds payer_id | break_count | unrated_count | recon_status
                             org      | 0           | ${count}      | ${status}`);
        await night('', 0, without);
        await night(unrated, quantity === '0' ? 0 : 1, recon_status);
    });

    test('without a log and without breaks the status is unauditable, with a break it is held', () =>
        ties(`
            given accounts.paths account_id | payer_id | currency | wallet_asset | wallet_shape | valid_from | valid_to   | period_start | period_end
                                 a          | quiet    | USD      | USD          | instant      | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
                                 b          | loud     | USD      | USD          | instant      | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
            given compiled.event_values  event_id | account_id | payer_id | rated_amount
                                         e        | a          | quiet    | 5
                                         f        | b          | loud     | 5
            given mediated.debit_entries event_id | account_id | entry_id | amount
                                         f        | b          | d        | 1
            then recon.holds payer_id | recon_status
                             quiet    | unauditable
                             loud     | held
        `));
});

describe('70-reconcile: proofs', () => {
    const world = paid('5', 'd | 4');

    test('tie-out-is-zero fails when a charge is not what its events are worth', async () => {
        const charge = (amount: string) => `${world}
            given rolled.charges payer_id | account_id | amount
                                 org      | a          | ${amount}`;
        expect(await proof('tie-out-is-zero', charge('5.000000000001'))).toBe(1);
        expect(await proof('tie-out-is-zero', charge('5'))).toBe(0);
    });

    test('every-break-has-its-legs fails when a leg is lost, or belongs to nothing', async () => {
        const audit = 'every-break-has-its-legs';
        expect(await proof(audit, `${world}\n given recon.break_legs break_id`)).toBe(1);
        const stray = ' given recon.break_legs break_id\n stray';
        expect(await proof(audit, `${world}\n${stray}`)).toBe(2);
        expect(await proof(audit, world)).toBe(0);
    });

    test('every-debit-entry-has-one-outcome fails when an outcome is lost', async () => {
        const audit = 'every-debit-entry-has-one-outcome';
        const lost = `${paid('5', 'c | 5\n d | 5')}\n given recon.entry_outcomes entry_count`;
        expect(await proof(audit, lost)).toBe(1);
        expect(await proof(audit, world)).toBe(0);
    });

    test('every-usage-event-has-one-outcome fails when an event is counted twice', async () => {
        const audit = 'every-usage-event-has-one-outcome';
        const twice = `${world}\n given recon.group_outcomes usage_count\n 1`;
        expect(await proof(audit, twice)).toBe(1);
        expect(await proof(audit, world)).toBe(0);
    });
});
