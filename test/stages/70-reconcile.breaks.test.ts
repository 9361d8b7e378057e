import { describe, test } from 'vitest';
import { held, paid, ties, unused } from './70-reconcile.world.ts';

/** Every code that the stage can give, provoked alone: that break, that amount, and nothing else. */
describe('70-reconcile: each break alone', () => {
    const instant: readonly (readonly [string, string, string])[] = [
        // what happened, the world, key | account | amount | money | currency | entries
        ['METERED_NOT_DEBITED: usage that no debit names', paid('5', ''), 'e | a | 5 | 5 | USD |'],
        [
            'METERED_ON_REVERSED: the debit was undone whole',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | entry_type | amount | reversal_of | booked_at
                                 e        | c        | capture    | 5      | _           | 2026-10-10 12:00:01
                                 e        | r        | reverse    | 5      | c           | 2026-10-10 12:05:00`,
            'e | a | 5 | 5 | USD | c r',
        ],
        [
            'AMOUNT_PRICE: the same quantity at another price',
            paid('5', 'd | 4.5'),
            'e | a | 0.5 | 0.5 | USD | d',
        ],
        [
            'AMOUNT_QUANTITY: the wallet says that it sold another quantity',
            `
    given compiled.event_values  event_id | rated_amount | counted_quantity
                                 e        | 5            | 1000
    given mediated.debit_entries event_id | entry_id | amount | quantity
                                 e        | d        | 4.5    | 900`,
            'e | a | 0.5 | 0.5 | USD | d',
        ],
        [
            'UNIT_MISMATCH: a thousand times the money',
            paid('5', 'd | 5000'),
            'e | a | -4995 | -4995 | USD | d',
        ],
        [
            'DUP_DEBIT_SAME: the same debit under two entry ids',
            paid('5', 'c | 5\n d | 5'),
            'e | a | -5 | -5 | USD | d',
        ],
        [
            'DUP_DEBIT_CONFLICT: a second debit of another amount',
            paid('5', 'c | 5\n d | 3'),
            'e | a | -3 | -3 | USD | d',
        ],
        [
            'UNRATED: usage without a price, and so without an amount',
            `
    given compiled.event_values  event_id | is_unrated
                                 e        | true`,
            'e | a | 0 | _ | USD |',
        ],
        [
            'UNRATED: what was debited for usage without a price',
            `
    given compiled.event_values  event_id | is_unrated
                                 e        | true
    given mediated.debit_entries event_id | entry_id | amount
                                 e        | d        | 5`,
            'e | a | -5 | _ | USD | d',
        ],
        [
            'DEBITED_NOT_METERED: a debit that no usage stands behind',
            `
    given mediated.debit_entries event_id | entry_id | amount
                                 gone     | d        | 5`,
            'gone | a | -5 | -5 | USD | d',
        ],
        [
            'DEBITED_NOT_METERED: a debit that names nothing at all',
            `
    given mediated.debit_entries entry_id | amount
                                 d        | 5`,
            'd | a | -5 | -5 | USD | d',
        ],
        [
            'ORPHAN_REVERSAL: a reversal of an entry that is not in the log',
            `
    given mediated.debit_entries entry_id | entry_type | amount | reversal_of
                                 r        | reverse    | 0.25   | gone`,
            'r | a | 0.25 | 0.25 | USD | r',
        ],
        [
            'SPLIT_INCOMPLETE: two grants that do not make the whole',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | amount | grant_id
                                 e        | c        | 2      | g1
                                 e        | d        | 2.5    | g2`,
            'e | a | 0.5 | 0.5 | USD | c d',
        ],
        [
            'SPLIT_INCOMPLETE: parts that say their own quantity, and one of them is missing',
            `
    given compiled.event_values  event_id | rated_amount | counted_quantity
                                 e        | 5            | 1000
    given mediated.debit_entries event_id | entry_id | amount | quantity | grant_id
                                 e        | c        | 2      | 400      | g1
                                 e        | d        | 2.5    | 500      | g2`,
            'e | a | 0.5 | 0.5 | USD | c d',
        ],
    ];
    test.each(instant)('%s', (title, given, row) =>
        ties(`${needsLog(given)}
            then recon.breaks code | break_key | account_id | amount | money_amount | currency | entry_ids
                              ${title.split(':')[0]} | ${row}
        `),
    );

    const twoPhase: readonly (readonly [string, string, string])[] = [
        // what happened, the world, key | amount | money | entries
        [
            'METERED_ON_DECLINED: used although it was refused',
            held('1000', 'x | decline | 1200 | 2026-10-10 11:59:58'),
            'e | 1000 | 8 | x',
        ],
        [
            'METERED_ON_RELEASED: used although the hold was given back',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 l | release   | 1200 | 2026-10-10 12:00:01`,
            ),
            'e | 1000 | 8 | h l',
        ],
        [
            'METERED_ON_EXPIRED: used although the hold had lapsed',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 10:59:58
                 l | expire    | 1200 | 2026-10-10 11:59:58`,
            ),
            'e | 1000 | 8 | h l',
        ],
        [
            'OPEN_HOLD: used, held, and never captured',
            held('1000', 'h | authorize | 1200 | 2026-10-10 11:59:58'),
            'e | 1000 | 8 | h',
        ],
        [
            'OPEN_HOLD: held for nothing and never given back',
            unused('h | authorize | 1200 | 2026-10-10 11:59:58'),
            'e | 0 | 0 | h',
        ],
        [
            'OVER_CAPTURE: more was taken than was held',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 c | capture   | 1300 | 2026-10-10 12:00:01`,
            ),
            'e | -300 | -2.4 | h c',
        ],
        [
            'UNDER_CAPTURE: what was not taken was never given back',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 c | capture   | 1000 | 2026-10-10 12:00:01`,
            ),
            'e | 0 | 0 | h c',
        ],
        [
            'LIFECYCLE_INVALID: taken after the hold was gone',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 l | release   | 1200 | 2026-10-10 12:00:01
                 c | capture   | 1000 | 2026-10-10 12:00:04`,
            ),
            'e | 0 | 0 | h l c',
        ],
        [
            'AMOUNT_QUANTITY: a unit has no price, so a difference is one of quantity',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 c | capture   | 900  | 2026-10-10 12:00:01
                 l | release   | 300  | 2026-10-10 12:00:01`,
            ),
            'e | 100 | 0.8 | h c l',
        ],
        [
            'UNIT_MISMATCH: thousands of tokens for tokens',
            held(
                '1000',
                `h | authorize | 1200 | 2026-10-10 11:59:58
                 c | capture   | 1    | 2026-10-10 12:00:01
                 l | release   | 1199 | 2026-10-10 12:00:01`,
            ),
            'e | 999 | 7.992 | h c l',
        ],
    ];
    test.each(twoPhase)('%s', (title, given, row) =>
        ties(`${given}
            then recon.breaks code | break_key | amount | money_amount | entry_ids
                              ${title.split(':')[0]} | ${row.replace(/^e(?= \| 0 \| 0 \| h$)/, title.includes('for nothing') ? 'A' : 'e')}
            then recon.matches rule
        `),
    );

    test('ASSET_MISMATCH: two legs, one in each asset', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries event_id | entry_id | amount | asset
                                         e        | d        | 4      | EUR
            then recon.breaks     code           | break_key | account_id | asset | amount | money_amount | currency
                                  ASSET_MISMATCH | e         | a          | USD   | 5      | 5            | USD
            then recon.break_legs account_id | asset | amount
                                  a          | USD   | 5
                                  a          | EUR   | -4
        `));

    test('ACCOUNT_MISMATCH: two legs, one on each account', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries event_id | entry_id | amount | account_id
                                         e        | d        | 5      | b
            then recon.breaks     code             | break_key | account_id | amount
                                  ACCOUNT_MISMATCH | e         | a          | 5
            then recon.break_legs account_id | asset | amount
                                  a          | USD   | 5
                                  b          | USD   | -5
        `));

    test.each([
        ['HIERARCHY_MISMATCH: an account between the two and their payer was debited', 'b', 'a'],
        ['HIERARCHY_MISMATCH: the debit went down the tree', 'a', 'b'],
    ])('%s', (_name, used, debited) =>
        ties(`
            given accounts.paths         account_id | payer_id | payer_name | currency | wallet_asset | wallet_shape | path        | valid_from | valid_to   | period_start | period_end
                                         org        | org      | The org    | USD      | USD          | instant      | org         | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
                                         a          | org      | The org    | USD      | USD          | instant      | org > a     | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
                                         b          | org      | The org    | USD      | USD          | instant      | org > a > b | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
            given compiled.event_values  event_id | account_id | rated_amount
                                         e        | ${used}    | 5
            given mediated.debit_entries event_id | account_id | amount
                                         e        | ${debited} | 5
            then recon.breaks             code               | break_key | account_id | amount
                                          HIERARCHY_MISMATCH | e         | ${used}    | 5`),
    );

    test('HIERARCHY_MISMATCH: the payer was debited for what its team used', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries event_id | entry_id | amount | account_id
                                         e        | d        | 5      | org
            then recon.breaks     code               | break_key | account_id | amount
                                  HIERARCHY_MISMATCH | e         | a          | 5
            then recon.break_legs account_id | amount
                                  a          | 5
                                  org        | -5
        `));

    test('TIMING_CUTOFF: used before the end of the period, debited after it', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount | event_at            | event_on
                                         e        | 5            | 2026-10-31 23:59:59 | 2026-10-31
            given mediated.debit_entries event_id | entry_id | amount | booked_at
                                         e        | d        | 5      | 2026-11-01 00:00:00
            then recon.breaks code          | break_key | amount | expected | actual | age_days
                              TIMING_CUTOFF | e         | 5      | 5        | 0      | 5
        `));

    test('SEQUENCE_GAP: without an amount, and so without a worth', () =>
        ties(`
            given mediated.debit_entries entry_id | entry_type | wallet_id | sequence | amount
                                         t1       | topup      | w         | 7        | 5
                                         t2       | topup      | w         | 9        | 5
            then recon.breaks code         | break_key | account_id | amount | money_amount | detail
                              SEQUENCE_GAP | w         | a          | 0      | _            | 1 number(s) missing between 7 and 9: 8
            then recon.break_legs break_id
        `));
});

/** Without any entry an account is unauditable: a top-up of the wallet shows that it has a log. */
function needsLog(given: string): string {
    const entries = given.split('given mediated.debit_entries')[1] ?? '';
    if (entries.trim().split('\n').length > 1) return given;
    const usage = given.split('given mediated.debit_entries')[0];
    return `${usage}
    given mediated.debit_entries entry_id | event_id | entry_type | amount
                                 other    | other    | decline    | 1`;
}
