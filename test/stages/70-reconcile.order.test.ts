import { describe, test } from 'vitest';
import { held, paid, ties, unused } from './70-reconcile.world.ts';

/**
 * Two things are wrong at once. One break is given, under the code that says what to do first; its
 * amount is always the whole difference, so the tie-out does not depend on which code wins.
 */
describe('70-reconcile: which code wins', () => {
    const cases: readonly (readonly [string, string, string])[] = [
        // winner over loser: why, the world, key | amount
        [
            'UNRATED over AMOUNT_PRICE: without a price there is nothing to compare with',
            `
    given compiled.event_values  event_id | is_unrated | rated_amount
                                 e        | true       | 3
    given mediated.debit_entries event_id | entry_id | amount
                                 e        | d        | 5`,
            'e | -2',
        ],
        [
            'METERED_ON_DECLINED over METERED_ON_RELEASED: the refusal came first',
            held(
                '1000',
                `x | decline | 1200 | 2026-10-10 11:59:58
                 l | release | 1200 | 2026-10-10 12:00:01`,
            ),
            'e | 1000',
        ],
        [
            'METERED_ON_RELEASED over METERED_ON_EXPIRED: someone gave it back on purpose',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 l | release   | 200  | 2026-10-10 12:00:01
                 x | expire    | 1000 | 2026-10-10 13:00:01`,
            ),
            'e | 1000',
        ],
        [
            'METERED_ON_RELEASED over OPEN_HOLD: a part is still held, but no one will capture it',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 l | release   | 200  | 2026-10-10 12:00:01`,
            ),
            'e | 1000',
        ],
        [
            'LIFECYCLE_INVALID over OVER_CAPTURE: an impossible order makes every amount doubtful',
            held(
                '1000',
                `h | authorize | 900  | 2026-10-10 11:59:58
                 l | release   | 900  | 2026-10-10 12:00:01
                 c | capture   | 1000 | 2026-10-10 12:00:02`,
            ),
            'e | 0',
        ],
        [
            'OVER_CAPTURE over AMOUNT_QUANTITY: the wallet broke its own rule first',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 c | capture   | 1250 | 2026-10-10 12:00:01`,
            ),
            'e | -250',
        ],
        [
            'OVER_CAPTURE over R1: even where the amount is right',
            held(
                '1250',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 c | capture   | 1250 | 2026-10-10 12:00:01`,
            ),
            'e | 0',
        ],
        [
            'UNDER_CAPTURE over AMOUNT_QUANTITY: the rest of the hold may still be captured',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 c | capture   | 900  | 2026-10-10 12:00:01`,
            ),
            'e | 100',
        ],
        [
            'ASSET_MISMATCH over ACCOUNT_MISMATCH: amounts of two assets can not be compared at all',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | amount | asset | account_id
                                 e        | d        | 5      | EUR   | b`,
            'e | 5',
        ],
        [
            'ACCOUNT_MISMATCH over TIMING_CUTOFF: it will not clear itself',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | amount | account_id | booked_at
                                 e        | d        | 5      | b          | 2026-11-01 00:00:01`,
            'e | 5',
        ],
        [
            'TIMING_CUTOFF over AMOUNT_PRICE: amounts are compared when both sides are in',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | amount | booked_at
                                 e        | d        | 4      | 2026-11-01 00:00:01`,
            'e | 5',
        ],
        [
            'AMOUNT_QUANTITY over AMOUNT_PRICE: other quantity and other amount',
            `
    given compiled.event_values  event_id | rated_amount | counted_quantity
                                 e        | 5            | 1000
    given mediated.debit_entries event_id | entry_id | amount | quantity
                                 e        | d        | 4      | 900`,
            'e | 1',
        ],
        [
            'AMOUNT_QUANTITY over R1: the right amount for the wrong quantity is luck',
            `
    given compiled.event_values  event_id | rated_amount | counted_quantity
                                 e        | 5            | 1000
    given mediated.debit_entries event_id | entry_id | amount | quantity
                                 e        | d        | 5      | 900`,
            'e | 0',
        ],
        [
            'UNIT_MISMATCH over AMOUNT_QUANTITY: the quantity is off by a plain factor',
            `
    given compiled.event_values  event_id | rated_amount | counted_quantity
                                 e        | 5            | 1000
    given mediated.debit_entries event_id | entry_id | amount | quantity
                                 e        | d        | 5      | 1`,
            'e | 0',
        ],
        [
            'METERED_ON_REVERSED over AMOUNT_PRICE: what is missing was given back',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | entry_type | amount | reversal_of
                                 e        | c        | capture    | 5      | _
                                 e        | r        | refund     | 2      | c`,
            'e | 2',
        ],
        [
            'METERED_ON_REVERSED over AMOUNT_PRICE: the refund names the event, not the entry',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | entry_type | amount
                                 e        | c        | capture    | 5
                                 e        | r        | refund     | 5`,
            'e | 5',
        ],
        [
            'AMOUNT_PRICE over METERED_ON_REVERSED: with the refund added back it is still wrong',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | entry_type | amount | reversal_of
                                 e        | c        | capture    | 4      | _
                                 e        | r        | refund     | 2      | c`,
            'e | 3',
        ],
        [
            'SPLIT_INCOMPLETE over UNIT_MISMATCH: a part is missing, not a factor wrong',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | amount | grant_id
                                 e        | c        | 0.2    | g1
                                 e        | d        | 0.3    | g2`,
            'e | 4.5',
        ],
        [
            'DEBITED_NOT_METERED over OPEN_HOLD: captured without usage, the rest still held',
            unused(
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 c | capture   | 500  | 2026-10-10 12:00:01`,
            ),
            'e | -500',
        ],
    ];
    test.each(cases)('%s', (title, given, row) =>
        ties(`${given}
            then recon.breaks  code | break_key | amount
                               ${title.split(' ')[0]} | ${row}
            then recon.matches rule
        `),
    );

    test('a repeated debit of a wrong price is two breaks: each needs its own remedy', () =>
        ties(`${paid('5', 'c | 4\n d | 4')}
            then recon.breaks code           | break_key | amount | entry_ids
                              AMOUNT_PRICE   | e         | 1      | c
                              DUP_DEBIT_SAME | e         | -4     | d
        `));

    test('a repeated debit booked after the end of the period is a break of the next one', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries event_id | entry_id | amount | booked_at
                                         e        | c        | 5      | 2026-10-31 23:59:59
                                         e        | d        | 5      | 2026-11-01 00:00:00
            then recon.breaks  code
            then recon.matches rule | usage_count | entry_count
                               R1   | 1           | 1
        `));
});
