import { describe, test } from 'vitest';
import { held, off, ties } from './70-reconcile.world.ts';

/** Three events whose debits are off by 3, 2 and -4 of the seventh decimal. */
const nearly = `
            given compiled.event_values  event_id | rated_amount | account_id
                                         e        | 1.0000003    | a
                                         f        | 2.0000002    | a
                                         g        | 2.9999996    | b
            given mediated.debit_entries event_id | entry_id | amount | account_id
                                         e        | d1       | 1      | a
                                         f        | d2       | 2      | a
                                         g        | d3       | 3      | b`;

const limit = (total: string) => `
            given rules.assets asset | kind     | precision | tolerance | tolerance_percent | tolerance_total
                               USD   | currency | 6         | 0.0000005 | 0                 | ${total}`;

describe('70-reconcile: what is accepted within tolerance has a limit', () => {
    test('up to it, differences are rounding', () =>
        ties(`${nearly}${limit('0.0000009')}
            then recon.breaks   code
            then recon.tie_outs account_id | difference | broken | rounding
                                a          | 0.0000005  | 0      | 0.0000005
                                b          | -0.0000004 | 0      | -0.0000004
        `));

    test('above it, all of them are breaks: those that offset are counted without their signs', () =>
        ties(`${nearly}${limit('0.0000008')}
            then recon.breaks   code            | break_key | amount     | money_amount | currency | first_at
                                AMOUNT_ROUNDING | a         | 0.0000005  | 0.0000005    | USD      | 2026-10-01
                                AMOUNT_ROUNDING | b         | -0.0000004 | -0.0000004   | USD      | 2026-10-01
            then recon.tie_outs account_id | difference | broken     | rounding | unexplained
                                a          | 0.0000005  | 0.0000005  | 0        | 0
                                b          | -0.0000004 | -0.0000004 | 0        | 0
            then recon.holds    payer_id | break_count | break_money
                                org      | 2           | 0.0000009
            then recon.difference_causes account_id | cause              | amount
                                         a          | per_event_rounding | 0.0000005
                                         b          | per_event_rounding | -0.0000004
        `));

    test('they hold, where that is over the limit of breaks', () =>
        ties(`${nearly}${limit('0.0000008')}
            given run.parameters run_id | period  | period_start | period_end | as_of      | open_hold_hours | hold_absolute | hold_percent
                                 run    | 2026-10 | 2026-10-01   | 2026-11-01 | 2026-11-05 | 24              | 0             | 0
            then recon.holds     payer_id | recon_status
                                 org      | held
        `));

    test('without one there is no limit', () =>
        ties(`${nearly}
            then recon.breaks code
        `));
});

describe('70-reconcile: rules of the ladder that are off', () => {
    test('R2: a difference within tolerance is a break of rounding, and what is equal is not', () =>
        ties(`${nearly}${off('R2')}
            then recon.breaks code            | break_key | amount
                              AMOUNT_ROUNDING | e         | 0.0000003
                              AMOUNT_ROUNDING | f         | 0.0000002
                              AMOUNT_ROUNDING | g         | -0.0000004
            then recon.break_causes cause | amount
                                    rounding | 0.0000003
                                    rounding | 0.0000002
                                    rounding | -0.0000004
        `));

    test('R2 of another asset changes nothing', () =>
        ties(`${nearly}${off('R2', 'TOK')}
            then recon.breaks code
        `));

    const byAuthorization = `
            given compiled.event_values  event_id | rated_amount | authorization_id
                                         e        | 5            | A
            given mediated.debit_entries entry_id | amount | authorization_id
                                         d        | 5      | A`;

    test('R3: what only an authorization connects is missing on both sides', () =>
        ties(`${byAuthorization}${off('R3')}
            then recon.breaks code                | break_key | amount
                              METERED_NOT_DEBITED | e         | 5
                              DEBITED_NOT_METERED | A         | -5
        `));

    test('R3 on: it is a match', () =>
        ties(`${byAuthorization}
            then recon.matches rule
                               R3
        `));

    test('R4: a day and its debit are missing on both sides', () =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity
                                         e        | r          | REQ          | aggregated   | 1
            given mediated.debit_entries entry_id | account_id | asset | amount | aggregated
                                         d        | r          | REQ   | 1      | day
            ${off('R4', 'REQ')}
            then recon.breaks code                | amount
                              METERED_NOT_DEBITED | 1
                              DEBITED_NOT_METERED | -1
        `));

    const split = `
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries event_id | entry_id | amount | grant_id | booked_at
                                         e        | c        | 2      | g1       | 2026-10-10 12:00:01
                                         e        | d        | 3      | g2       | 2026-10-10 12:00:02`;

    test('R5: an event has one debit, and any other is a repeat', () =>
        ties(`${split}${off('R5')}
            then recon.breaks code               | amount
                              AMOUNT_PRICE       | 3
                              DUP_DEBIT_CONFLICT | -3
        `));

    test('R5 on: two grants pay one event', () =>
        ties(`${split}
            then recon.matches rule
                               R5
        `));
});

describe('70-reconcile: what is suggested (R6)', () => {
    const lost = (rule: string, usage: string, debits: string) => `
            given rules.suggest_rules window_minutes | is_tolerant
                                      ${rule}
            given compiled.event_values  event_id | rated_amount | counted_quantity | event_at
${usage}
            given mediated.debit_entries event_id | entry_id | amount | quantity | booked_at
${debits}`;
    const five = 'e | 5 | 1000 | 2026-10-10 12:00:00';

    test('one usage and one debit, equal and close in time: both stay breaks', () =>
        ties(`${lost('10 | false', five, 'x | d | 5 | _ | 2026-10-10 12:10:00')}
            then recon.breaks      code                | break_key
                                   METERED_NOT_DEBITED | e
                                   DEBITED_NOT_METERED | x
            then recon.suggestions break_key | other_break_key | amount | other_amount | why
                                   e         | x               | 5      | 5            | the same amount, 600 s after the usage; nothing else fits either
        `));

    const none: readonly (readonly [string, string, string, string])[] = [
        ['a second too far apart', '10 | false', five, 'x | d | 5 | _ | 2026-10-10 12:10:01'],
        ['another amount', '10 | false', five, 'x | d | 5.0000001 | _ | 2026-10-10 12:00:00'],
        [
            'two debits for one usage: a tie is never broken',
            '10 | false',
            five,
            'x | d1 | 5 | _ | 2026-10-10 12:00:01 \n y | d2 | 5 | _ | 2026-10-10 12:09:00',
        ],
        [
            'two usages for one debit',
            '10 | false',
            `${five}\n f | 5 | 1000 | 2026-10-10 12:05:00`,
            'x | d | 5 | _ | 2026-10-10 12:04:00',
        ],
    ];
    test.each(none)('not %s', (_what, rule, usage, debits) =>
        ties(`${lost(rule, usage, debits)}
            then recon.suggestions break_key
        `),
    );

    test('the same quantity is enough, and so is an amount within tolerance where that is said', () =>
        ties(`${lost(
            '10 | true',
            `${five}\n f | 7.0000003 | 9 | 2026-10-10 15:00:00`,
            'x | d | 4 | 1000 | 2026-10-10 12:00:00 \n y | d2 | 7 | _ | 2026-10-10 14:55:00',
        )}
            then recon.suggestions break_key | other_break_key | why
                                   e         | x               | the same quantity, 0 s after the usage; nothing else fits either
                                   f         | y               | amounts within tolerance, 300 s before the usage; nothing else fits either
        `));

    test('nothing, where the config does not ask for it', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries event_id | entry_id | amount
                                         x        | d        | 5
            then recon.suggestions break_key
        `));
});

describe('70-reconcile: small breaks that a rule accepts', () => {
    /** Differences of 0.01, 0.02 and 0.03 of account a, and 0.01 of b, all of one payer. */
    const four = `
            given compiled.event_values  event_id | rated_amount | account_id
                                         e1       | 1.01         | a
                                         e2       | 1.02         | a
                                         e3       | 1.03         | a
                                         e4       | 0.99         | b
                                         e5       | 4            | a
            given mediated.debit_entries event_id | entry_id | amount | account_id
                                         e1       | d1       | 1      | a
                                         e2       | d2       | 1      | a
                                         e3       | d3       | 1      | a
                                         e4       | d4       | 1      | b`;
    const rules = (rows: string) => `
            given rules.accept_rules rule_no | rule | code | currency | up_to | total | is_by_payer
                                     ${rows}`;

    test('the smallest first, until the cap is used up; what is accepted does not hold', () =>
        ties(`${four}${rules('1 | small | AMOUNT_PRICE | _ | 0.05 | 0.04 | true')}
            then recon.breaks code                | break_key | accepted_by
                              AMOUNT_PRICE        | e1        | small
                              AMOUNT_PRICE        | e2        | small
                              AMOUNT_PRICE        | e3        |
                              AMOUNT_PRICE        | e4        | small
                              METERED_NOT_DEBITED | e5        |
            then recon.holds  break_count | break_money
                              2           | 4.03
        `));

    test('none above the size, of another code or currency, or without a price', () =>
        ties(`${four}${rules('1 | small | AMOUNT_PRICE | USD | 0.01 | 9 | true \n 2 | euros | AMOUNT_PRICE | EUR | 9 | 9 | true')}
            then recon.breaks break_key | accepted_by
                              e1        | small
                              e2        |
                              e3        |
                              e4        | small
                              e5        |
        `));

    // Of two breaks of a cent the one whose id comes first is accepted.
    test('the first rule that fits a break decides, even where its cap is used up', () =>
        ties(`${four}${rules('1 | tiny | AMOUNT_PRICE | _ | 0.01 | 0.01 | false \n 2 | all | AMOUNT_PRICE | _ | 9 | 9 | false')}
            then recon.breaks break_key | accepted_by
                              e1        | tiny
                              e2        | all
                              e3        | all
                              e4        | 
                              e5        |
        `));

    test('the tie-out is what it was: what is accepted is a break still', () =>
        ties(`${held('1000', 'h | authorize | 999 | 2026-10-10 11:59:58\n c | capture | 999 | 2026-10-10 12:00:01')}${rules('1 | small | AMOUNT_QUANTITY | _ | 1 | 1 | true')}
            then recon.breaks   accepted_by
                                small
            then recon.tie_outs broken | unexplained
                                1      | 0
        `));
});
