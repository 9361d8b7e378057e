import { describe, test } from 'vitest';
import { final, held, ties, unused } from './70-reconcile.world.ts';

/** The life of an authorization, and what comes back of a debit. */
describe('70-reconcile: holds', () => {
    test('a hold of less than a day is pending, one of a day and a second is open', () =>
        ties(`
            given run.parameters run_id | period_start | period_end | as_of               | open_hold_hours | hold_absolute | hold_percent
                                 run    | 2026-10-01   | 2026-11-01 | 2026-10-11 12:00:00 | 24              | 1             | 1
            given mediated.debit_entries event_id | authorization_id | account_id | asset | entry_id | entry_type | amount | booked_at
                                         old      | A                | t          | TOK   | h1       | authorize  | 100    | 2026-10-10 11:59:59
                                         young    | B                | t          | TOK   | h2       | authorize  | 100    | 2026-10-10 12:00:00
            then recon.breaks         code      | break_key | authorization_id | amount
                                      OPEN_HOLD | A         | A                | 0
            then recon.life_outcomes fate    | code      | entry_count
                                      break   | OPEN_HOLD | 1
                                      pending | pending   | 1
        `));

    test('used and held since less than a day: the capture is still to come', () =>
        ties(`
            given run.parameters run_id | period_start | period_end | as_of               | open_hold_hours | hold_absolute | hold_percent
                                 run    | 2026-10-01   | 2026-11-01 | 2026-10-10 13:00:00 | 24              | 1             | 1
            ${held('1000', 'h | authorize | 1200 | 2026-10-10 11:59:58')}
            then recon.breaks code          | break_key | amount
                              TIMING_CUTOFF | e         | 1000
        `));

    test('a hold that was given back, lapsed or refused without usage is closed', () =>
        ties(`
            given mediated.debit_entries event_id | account_id | asset | entry_id | entry_type | amount | booked_at
                                         e1       | t          | TOK   | h1       | authorize  | 100    | 2026-10-10 12:00:00
                                         e1       | t          | TOK   | l1       | release    | 100    | 2026-10-10 12:00:01
                                         e2       | t          | TOK   | h2       | authorize  | 100    | 2026-10-10 12:00:00
                                         e2       | t          | TOK   | x2       | expire     | 100    | 2026-10-10 13:00:00
                                         e3       | t          | TOK   | d3       | decline    | 100    | 2026-10-10 12:00:00
            then recon.breaks         code
            then recon.life_outcomes fate   | entry_count
                                      closed | 5
        `));

    test('a hold that was raised covers what is captured', () =>
        ties(`${held(
            '1000',
            `h | authorize | 600  | 2026-10-10 11:59:58
             i | authorize | 400  | 2026-10-10 11:59:59
             c | capture   | 1000 | 2026-10-10 12:00:01`,
        )}
            then recon.breaks  code
            then recon.matches rule
                               R1
        `));

    test('a hold captured whole is judged like a capture alone, and a break of it names both', () =>
        ties(`${held(
            '1000',
            `h | authorize | 900  | 2026-10-10 11:59:58
             c | capture   | 900  | 2026-10-10 12:00:01`,
        )}
            then recon.breaks    code            | amount | entry_ids | authorization_id | first_at            | detail
                                 AMOUNT_QUANTITY | 100    | h c       | A                | 2026-10-10 11:59:58 | worth 1000, captured 900, authorized 900, released 0, expired 0, counted 1000
            then recon.histories entry_id
        `));

    test('an id with a space keeps its authorization, and its place among the others', () =>
        ties(`${held(
            '1000',
            `h 1 | authorize | 900  | 2026-10-10 11:59:58
             c 1 | capture   | 900  | 2026-10-10 12:00:01`,
        )}
            then recon.breaks    code            | amount | entry_ids     | authorization_id
                                 AMOUNT_QUANTITY | 100    | h%201 c%201   | A
        `));

    test.each([
        ['another entry of its event', 'c | capture | 1000 | 2026-10-10 12:00:01', 'x | decline'],
        ['only a part of it', 'c | capture | 999 | 2026-10-10 12:00:01', null],
        ['booked before it', 'c | capture | 1000 | 2026-10-10 11:59:57', null],
    ])('a capture of a hold with %s has a life', (_name, capture, more) =>
        ties(`${held(
            '1000',
            `h | authorize | 1000 | 2026-10-10 11:59:58
             ${capture}
             ${more === null ? '' : `${more} | 1 | 2026-10-10 12:00:02`}`,
        )}
            then recon.positions event_key | entry_count
                                 e         | ${more === null ? 2 : 3}
        `),
    );

    test('a second capture after the release is as impossible as a first one', () =>
        ties(`${held(
            '700',
            `h | authorize | 1000 | 2026-10-10 11:59:58
             c | capture   | 400  | 2026-10-10 12:00:01
             l | release   | 600  | 2026-10-10 12:00:02
             d | capture   | 300  | 2026-10-10 12:00:03`,
        )}
            then recon.breaks code              | amount | entry_ids
                              LIFECYCLE_INVALID | 0      | h c l d
        `));

    test('sequence numbers decide the order where instants do not', () =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | counted_quantity
                                         e        | t          | TOK          | 5
            given mediated.debit_entries event_id | account_id | asset | entry_id | entry_type | amount | sequence
                                         e        | t          | TOK   | h        | authorize  | 9      | 1
                                         e        | t          | TOK   | c        | capture    | 5      | 3
                                         e        | t          | TOK   | l        | release    | 4      | 2
            then recon.breaks code              | entry_ids
                              LIFECYCLE_INVALID | h l c
        `));

    test('a second capture beyond the hold is no part of it', () =>
        ties(`${held(
            '1000',
            `h | authorize | 1200 | 2026-10-10 11:59:58
             c | capture   | 1000 | 2026-10-10 12:00:01
             d | capture   | 1000 | 2026-10-10 12:00:03
             l | release   | 200  | 2026-10-10 12:00:04`,
        )}
            then recon.breaks code           | amount | money_amount | entry_ids
                              DUP_DEBIT_SAME | -1000  | -8           | d
        `));

    test('captured without usage, the rest given back', () =>
        ties(`${unused(
            `h | authorize | 1200 | 2026-10-10 11:59:58
             c | capture   | 500  | 2026-10-10 12:00:01
             l | release   | 700  | 2026-10-10 12:00:01`,
        )}
            then recon.breaks code                | amount | money_amount
                              DEBITED_NOT_METERED | -500   | _
        `));

    test('without usage of its own a debit of units is worth what its payer paid on average', () =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | counted_quantity | rated_amount
                                         e        | t          | TOK          | 1000             | 8
            given mediated.debit_entries event_id | account_id | asset | entry_id | amount
                                         e        | t          | TOK   | c        | 1000
                                         gone     | t          | TOK   | d        | 250
            then recon.breaks code                | break_key | amount | money_amount | currency
                              DEBITED_NOT_METERED | gone      | -250   | -2           | USD
        `));
});

describe('70-reconcile: reversals', () => {
    const reversal = (entries: string) => `
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries entry_id | event_id | entry_type | amount | reversal_of | booked_at | account_id | input
${entries}`;

    test('a reversal finds its event through the entry it undoes', () =>
        ties(`${reversal(`
                c | e | capture | 5 | _ | 2026-10-10 12:00:01 | a | wallet
                r | _ | reverse | 5 | c | 2026-10-12 12:00:01 | a | wallet`)}
            then recon.breaks code                | break_key | amount | entry_ids
                              METERED_ON_REVERSED | e         | 5      | c r
        `));

    test('two refunds undo a debit together', () =>
        ties(`${reversal(`
                c | e | capture | 5 | _ | 2026-10-10 12:00:01 | a | wallet
                r | e | refund  | 2 | c | 2026-10-11 12:00:01 | a | wallet
                s | e | refund  | 3 | c | 2026-10-12 12:00:01 | a | wallet`)}
            then recon.breaks code                | amount | entry_ids
                              METERED_ON_REVERSED | 5      | c r s
        `));

    test('reversed after the end of the period: a break without an amount, and one next month', () =>
        ties(`${reversal(`
                c | e | capture | 5 | _ | 2026-10-31 23:00:00 | a | wallet
                r | e | reverse | 5 | c | 2026-11-01 01:00:00 | a | wallet`)}
            then recon.breaks code                | amount | actual
                              METERED_ON_REVERSED | 0      | 5
        `));

    test('an entry id of another log is another entry', () =>
        ties(`${reversal(`
                1 | e | capture | 5 | _ | 2026-10-10 12:00:01 | a | one
                1 | x | capture | 5 | _ | 2026-10-10 12:00:01 | a | two
                2 | x | reverse | 5 | 1 | 2026-10-10 12:00:02 | a | two`)}
            then recon.breaks  code
            then recon.matches rule | entry_count
                               R1   | 1
        `));

    test('money that comes back to another account undoes nothing', () =>
        ties(`${reversal(`
                c | e | capture | 5 | _ | 2026-10-10 12:00:01 | a | wallet
                r | e | refund  | 5 | c | 2026-10-10 12:00:02 | b | wallet`)}
            then recon.matches rule | account_id | difference
                               R1   | a          | 0
            then recon.breaks  code             | account_id | amount | entry_ids
                               ACCOUNT_MISMATCH | b          | 5      | r
        `));

    test('a debit of the wrong account that was undone there is no break', () =>
        ties(`${reversal(`
                w | e | capture | 5 | _ | 2026-10-10 12:00:01 | b | wallet
                r | e | reverse | 5 | w | 2026-10-10 12:00:02 | b | wallet
                c | e | capture | 5 | _ | 2026-10-10 12:00:03 | a | wallet`)}
            then recon.breaks  code
            then recon.matches rule | account_id | entry_count
                               R1   | a          | 1
        `));

    test('a split over two assets: only the part in the asset of the usage is compared', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries event_id | entry_id | amount | grant_id | asset
                                         e        | c        | 2      | g1       | USD
                                         e        | d        | 2.5    | g2       | EUR
            then recon.breaks     code           | asset | amount | entry_ids
                                  AMOUNT_PRICE   | USD   | 3      | c
                                  ASSET_MISMATCH | EUR   | -2.5   | d
        `));

    test('refunded more than was taken', () =>
        ties(`${reversal(`
                c | e | capture | 5 | _ | 2026-10-10 12:00:01 | a | wallet
                r | e | refund  | 7 | c | 2026-10-10 12:00:02 | a | wallet`)}
            then recon.breaks code                | amount
                              METERED_ON_REVERSED | 7
        `));
});

/** Entries of one authorization in their order, one a second from 12:00:01: `name type amount [undoes]`. */
const life = (steps: string) =>
    steps
        .split(', ')
        .map((step, at) => {
            const [entry = '', type = '', amount = '', undoes = '_'] = step.split(' ');
            return `        e | A | t | TOK | ${entry} | ${type} | ${amount} | 2026-10-10 12:00:0${at + 1} | ${undoes}`;
        })
        .join('\n');
const logged = (steps: string) => `
    given mediated.debit_entries event_id | authorization_id | account_id | asset | entry_id | entry_type | amount | booked_at | reversal_of
${life(steps)}`;
const usedOf = (counted: string) => `
    given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | rated_amount
                                 e        | t          | TOK          | two_phase    | ${counted}       | 8`;

describe('70-reconcile: every life of an authorization', () => {
    test.each([
        // steps of it, with usage of 1,000: the rule that matches
        ['h authorize 1000, c capture 1000', 'R1'],
        ['h authorize 1200, c capture 1000, l release 200', 'R1'],
        ['h authorize 1200, c capture 1000, x expire 200', 'R1'],
        ['h authorize 600, i authorize 400, c capture 1000', 'R1'],
        ['h authorize 600, c capture 500, i authorize 400, d capture 500', 'R5'],
        ['h authorize 1000, c capture 300, d capture 300, f capture 400', 'R5'],
        ['h authorize 1000, c capture 600, d capture 400, l release 0', 'R5'],
        ['h authorize 1300, c capture 1300, r refund 300 c', 'R1'],
    ])('%s is as it should be: %s', (steps, rule) =>
        ties(`${usedOf('1000')}${logged(steps)}
            then recon.breaks  code
            then recon.matches rule | difference
                               ${rule} | 0
        `),
    );

    test.each([
        // steps of it, with usage of 1,000: code | amount | entries of each break
        ['h authorize 1000, l release 1000, c capture 1000', ['LIFECYCLE_INVALID | 0 | h l c']],
        ['h authorize 1000, x expire 1000, c capture 1000', ['LIFECYCLE_INVALID | 0 | h x c']],
        [
            'h authorize 1000, c capture 600, x expire 400, d capture 400',
            ['LIFECYCLE_INVALID | 0 | h c x d'],
        ],
        ['c capture 1000', ['LIFECYCLE_INVALID | 0 | c']],
        [
            'c capture 600, d capture 400',
            ['DUP_DEBIT_CONFLICT | -400 | d', 'LIFECYCLE_INVALID | 400 | c'],
        ],
        ['n decline 1000, c capture 1000', ['LIFECYCLE_INVALID | 0 | n c']],
        ['h authorize 1000, c capture 1000, l release 500', ['LIFECYCLE_INVALID | 0 | h c l']],
        ['h authorize 1000, l release 1000, x expire 1000', ['METERED_ON_RELEASED | 1000 | h l x']],
        ['h authorize 900, c capture 1000', ['OVER_CAPTURE | 0 | h c']],
        [
            'h authorize 1000, c capture 600, d capture 500',
            ['DUP_DEBIT_CONFLICT | -500 | d', 'UNDER_CAPTURE | 400 | h c'],
        ],
        [
            'h authorize 1000, c capture 1000, r reverse 1000 c',
            ['METERED_ON_REVERSED | 1000 | h c r'],
        ],
        ['h authorize 1000, c capture 1000, r refund 400 c', ['METERED_ON_REVERSED | 400 | h c r']],
        [
            'h authorize 1000, c capture 1000, r reverse 1500 c',
            ['METERED_ON_REVERSED | 1500 | h c r'],
        ],
        [
            'h authorize 1000, c capture 1000, r reverse 1000 c, s reverse 1000 r',
            ['LIFECYCLE_INVALID | 1000 | s', 'METERED_ON_REVERSED | 1000 | h c r'],
        ],
        ['h authorize 1000, c capture 1000, r reverse 1000 h', ['LIFECYCLE_INVALID | 1000 | r']],
    ])('%s: %j', (steps, breaks) =>
        ties(`${usedOf('1000')}${logged(steps)}
            then recon.breaks code | amount | entry_ids
                              ${breaks.join('\n')}
        `),
    );

    test.each([
        // steps of it, without usage: code | amount of its break, or none
        ['h authorize 1000, c capture 1000, r reverse 1000 c', ''],
        ['h authorize 1000, l release 1000', ''],
        ['h authorize 1000, c capture 1000, r reverse 1500 c', 'LIFECYCLE_INVALID | 500'],
        ['h authorize 1000, c capture 1000, r refund 400 c', 'DEBITED_NOT_METERED | -600'],
        ['h authorize 1000, l release 400', 'OPEN_HOLD | 0'],
        ['h authorize 1000, r reverse 1000 h', 'ORPHAN_REVERSAL | 1000\nOPEN_HOLD | 0'],
    ])('without usage, %s: %s', (steps, breaks) =>
        ties(`${logged(steps)}
            then recon.breaks code | amount
                              ${breaks}
        `),
    );

    test('a capture without a hold, so early that the hold may be in the log of the month before', () =>
        ties(`
            given run.parameters run_id | period_start | period_end | as_of      | open_hold_hours | hold_absolute | hold_percent
                                 run    | 2026-10-01   | 2026-11-01 | 2026-11-05 | 168             | 1             | 1
            ${usedOf('1000')}
            given mediated.debit_entries event_id | authorization_id | account_id | asset | entry_id | amount | booked_at
                                         e        | A                | t          | TOK   | c        | 1000   | 2026-10-06 23:59:59
            then recon.breaks  code
            then recon.matches rule
                               R1
        `));

    test('an instant debit that names an authorization needs no hold', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries event_id | authorization_id | entry_id | amount
                                         e        | A                | c        | 5
            then recon.breaks  code
        `));
});

describe('70-reconcile: a capture that ends its hold', () => {
    test.each([
        // steps of it, with usage of 1,000: code | amount | entries of each break
        ['h authorize 1200, c capture 1000', []],
        ['h authorize 1000, c capture 1000', []],
        ['h authorize 1200, c capture 900', ['AMOUNT_QUANTITY | 100 | h c']],
        [
            'h authorize 1200, c capture 1000, r reverse 1000 c',
            ['METERED_ON_REVERSED | 1000 | h c r'],
        ],
        ['h authorize 900, c capture 1000', ['OVER_CAPTURE | 0 | h c']],
        ['h authorize 1000', ['OPEN_HOLD | 1000 | h']],
        ['h authorize 1000, l release 1000, c capture 1000', ['LIFECYCLE_INVALID | 0 | h l c']],
    ])('%s: %j', (steps, breaks) =>
        ties(`${final()}${usedOf('1000')}${logged(steps)}
            then recon.breaks code | amount | entry_ids
                              ${breaks.join('\n')}
        `),
    );

    test('of a wallet that says so alone: any other must give back the rest', () =>
        ties(`${final('other')}${usedOf('1000')}${logged('h authorize 1200, c capture 1000')}
            then recon.breaks code          | amount | entry_ids
                              UNDER_CAPTURE | 0      | h c
        `));

    test('of a hold for two events ends it for both', () =>
        ties(`${final()}
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | rated_amount
                                         e        | t          | TOK          | two_phase    | 1000             | 8
                                         f        | t          | TOK          | two_phase    | 500              | 4
            given mediated.debit_entries event_id | authorization_id | account_id | asset | entry_id | entry_type | amount | booked_at
                                         e        | A                | t          | TOK   | h        | authorize  | 2000   | 2026-10-10 12:00:01
                                         e        | A                | t          | TOK   | c        | capture    | 1000   | 2026-10-10 12:00:02
                                         f        | A                | t          | TOK   | d        | capture    | 500    | 2026-10-10 12:00:03
            then recon.breaks code
        `));
});
