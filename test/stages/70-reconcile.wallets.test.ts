import { describe, test } from 'vitest';
import { ties } from './70-reconcile.world.ts';

/** What wallets hold, whatever usage says: the roll-forward, and balances that must follow from it. */

/** Entries of one wallet. Its one capture takes 3 for event e, which is worth 3: a match. */
const log = (rows: string, wallet = 'w') => `
    given compiled.event_values  event_id | rated_amount
                                 e        | 3
    given mediated.debit_entries entry_id | entry_type | amount | sequence | balance_before | balance_after | booked_at | booked_on | wallet_id | event_id
${rows
    .split('\n')
    .filter((row) => row.trim() !== '')
    .map((row) => {
        const day = /2026-\d\d-\d\d/.exec(row)?.[0] ?? '';
        return `        ${row.trim()} | ${day} | ${wallet} | ${/\| (authorize|capture|release)/.test(row) ? 'e' : '_'}`;
    })
    .join('\n')}`;

const numbered = `
    a | topup        | 20 | 4 | 10 | 30 | 2026-10-02 00:00:00
    b | grant        | 5  | 5 | 30 | 35 | 2026-10-03 00:00:00
    h | authorize    | 9  | 6 | 35 | 35 | 2026-10-04 00:00:00
    c | capture      | 3  | 7 | 35 | 32 | 2026-10-04 00:00:00
    l | release      | 6  | 8 | 32 | 32 | 2026-10-04 00:00:00
    f | grant_expire | 4  | 9 | 32 | 28 | 2026-10-06 00:00:00
    g | adjust       | -2 | 10 | 28 | 26 | 2026-10-07 00:00:00`;

/** The same without numbers. */
const unnumbered = numbered.replaceAll(/\d+ (?=\| \d+ \| \d+ \| 2026)/g, '_ ');

const roll =
    'then recon.wallet_balances account_id | wallet_id | entry_count | opening | topped_up | granted | captured | returned | expired | adjusted | closing | stated | unexplained';

describe('70-reconcile: the roll-forward of a wallet', () => {
    test.each([
        ['with numbers', numbered],
        ['without numbers, two entries at one instant', unnumbered],
        [
            'where the log states only what was there afterwards',
            numbered.replaceAll(/\| \d+ (?=\| \d+ \| 2026)/g, '| _ '),
        ],
    ])('opening, movements by type, closing: %s', (_name, rows) =>
        ties(`${log(rows)}
            ${roll}
                a | w | 7 | 10 | 20 | 5 | 3 | 0 | 4 | -2 | 26 | 26 | 0
            then recon.breaks code
        `),
    );

    test('NON_USAGE: what is no usage is counted by type, and is no break', () =>
        ties(`${log(numbered)}
            then recon.wallet_movements entry_type | is_in_period | entry_count | amount
                authorize    | true | 1 | 9
                topup        | true | 1 | 20
                grant        | true | 1 | 5
                capture      | true | 1 | 3
                release      | true | 1 | 6
                grant_expire | true | 1 | 4
                adjust       | true | 1 | -2
            then recon.breaks code
        `));

    test('a log without balances says what moved, and neither opening nor closing', () =>
        ties(`${log(numbered.replaceAll(/\| \d+ \| \d+ (?=\| 2026)/g, '| _ | _ '))}
            ${roll}
                a | w | 7 | _ | 20 | 5 | 3 | 0 | 4 | -2 | _ | _ | _
            then recon.breaks code
        `));

    test('entries around the period are no part of it, and its balances follow from theirs', () =>
        ties(`${log(`
            z | topup   | 10 | 1 | 0  | 10 | 2026-09-30 23:59:59
            c | capture | 3  | 2 | 10 | 7  | 2026-10-01 00:00:00
            y | topup   | 5  | 3 | 7  | 12 | 2026-11-01 00:00:00`)}
            ${roll}
                a | w | 1 | 10 | 0 | 0 | 3 | 0 | 0 | 0 | 7 | 7 | 0
            then recon.breaks code
        `));

    test('a wallet that ends where it began: without numbers nobody says where that is', () =>
        ties(`${log(`
            a | topup   | 3 | _ | 0 | 3 | 2026-10-02 00:00:00
            c | capture | 3 | _ | 3 | 0 | 2026-10-03 00:00:00`)}
            ${roll}
                a | w | 2 | _ | 3 | 0 | 3 | 0 | 0 | 0 | _ | _ | 0
            then recon.breaks code
        `));
});

const found =
    'then recon.breaks code | break_key | payer_id | account_id | asset | amount | money_amount | entry_ids | first_at | detail';
const discontinuity = (first: string, detail: string) => `${found}
                BALANCE_DISCONTINUITY | w | org | a | USD | 0 | _ |  | ${first} | ${detail}`;

describe('70-reconcile: BALANCE_DISCONTINUITY', () => {
    test('BALANCE_DISCONTINUITY: what is before an entry is not what was after the one before', () =>
        ties(`${log(`
            a | topup   | 20 | 1 | 0  | 20 | 2026-10-02 00:00:00
            c | capture | 3  | 2 | 18 | 15 | 2026-10-03 04:05:06`)}
            ${discontinuity('2026-10-03 04:05:06', '1 balance(s) that do not follow from the one before, first before 2, where 18 follows 20; the wallet ends -2 from where its entries lead')}
            then recon.break_legs break_id
        `));

    test('two that cancel each other are two', () =>
        ties(`${log(`
            a | topup   | 20 | 1 | 0  | 20 | 2026-10-02 00:00:00
            c | capture | 3  | 2 | 18 | 15 | 2026-10-03 00:00:00
            b | topup   | 5  | 3 | 17 | 22 | 2026-10-04 00:00:00`)}
            ${discontinuity('2026-10-03', '2 balance(s) that do not follow from the one before, first before 2, where 18 follows 20; the wallet ends 0 from where its entries lead')}
        `));

    test('an entry moved another amount than its balances say', () =>
        ties(`${log(`
            a | topup   | 20 | 1 | 0  | 20 | 2026-10-02 00:00:00
            c | capture | 3  | 2 | 20 | 16 | 2026-10-03 00:00:00`)}
            ${discontinuity('2026-10-03', '0 balance(s) that do not follow from the one before; 1 entry(s) that moved another amount; the wallet ends -1 from where its entries lead')}
        `));

    test('without numbers: a balance that no entry leads to', () =>
        ties(`${log(`
            a | topup   | 20 | _ | 0  | 20 | 2026-10-02 00:00:00
            c | capture | 3  | _ | 18 | 15 | 2026-10-03 00:00:00`)}
            ${discontinuity('2026-10-01', '1 balance(s) that do not follow from the one before')}
        `));

    test('without numbers, where some entries state no balance: nothing can be said', () =>
        ties(`${log(`
            a | topup   | 20 | _ | _  | _  | 2026-10-02 00:00:00
            c | capture | 3  | _ | 18 | 15 | 2026-10-03 00:00:00
            b | topup   | 1  | _ | 50 | 51 | 2026-10-04 00:00:00`)}
            then recon.breaks code
        `));

    test('where a number is missing that alone is the break', () =>
        ties(`${log(`
            a | topup   | 20 | 1 | 0  | 20 | 2026-10-02 00:00:00
            c | capture | 3  | 3 | 18 | 15 | 2026-10-03 00:00:00`)}
            then recon.breaks code
                              SEQUENCE_GAP
            then recon.wallet_balances unexplained
                                       2
        `));

    test('of the month before it is told there', () =>
        ties(`${log(`
            a | topup   | 20 | 1 | 0  | 20 | 2026-09-29 00:00:00
            b | topup   | 1  | 2 | 21 | 22 | 2026-09-30 00:00:00
            c | capture | 3  | 3 | 22 | 19 | 2026-10-03 00:00:00`)}
            then recon.breaks code
        `));

    test('across the edge of the period it is of the later entry', () =>
        ties(`${log(`
            a | topup   | 20 | 1 | 0  | 20 | 2026-09-30 00:00:00
            c | capture | 3  | 2 | 22 | 19 | 2026-10-03 00:00:00`)}
            then recon.breaks code
                              BALANCE_DISCONTINUITY
        `));

    test('it holds its payer: what is missing has no price', () =>
        ties(`${log(`
            a | topup   | 20 | 1 | 0  | 20 | 2026-10-02 00:00:00
            c | capture | 3  | 2 | 18 | 15 | 2026-10-03 00:00:00`)}
            then recon.holds payer_id | unpriced_count | recon_status
                             org      | 1              | held
        `));
});

describe('70-reconcile: OVERDRAFT', () => {
    test.each([
        [
            'it ends below zero',
            '',
            '2 | 1 debit(s) left less than nothing; at the end there was -2',
        ],
        [
            'it was filled again: that it was below zero is still told',
            'b | topup | 9 | 3 | -2 | 7 | 2026-10-04 00:00:00',
            '0 | 1 debit(s) left less than nothing; at the end there was 7',
        ],
        [
            'a second debit below zero: one break for the wallet',
            'x | grant_expire | 4 | 3 | -2 | -6 | 2026-10-04 00:00:00',
            '6 | 2 debit(s) left less than nothing; at the end there was -6',
        ],
    ])('OVERDRAFT: a debit took the wallet below zero: %s', (_name, more, row) =>
        ties(`${log(`
            a | topup   | 1 | 1 | 0 | 1  | 2026-10-02 00:00:00
            c | capture | 3 | 2 | 1 | -2 | 2026-10-03 10:00:00
            ${more}`)}
            then recon.breaks code | break_key | amount | first_at | currency | money_amount | detail
                              OVERDRAFT | w | 0 | 2026-10-03 | USD | ${row}
        `),
    );

    test('of units: at what they are worth at the end', () =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | counted_quantity | rated_amount
                                         e        | t          | TOK          | 1000             | 8
            given mediated.debit_entries event_id | account_id | asset | entry_id | amount | sequence | wallet_id | balance_after
                                         e        | t          | TOK   | c        | 1000   | 1        | w         | -500
            then recon.breaks code      | break_key | account_id | asset | amount | money_amount | currency
                              OVERDRAFT | w         | t          | TOK   | 0      | 1            | USD
        `));

    test('a top-up of a wallet that is still below zero is no overdraft', () =>
        ties(`${log(`
            a | topup   | 1 | 1 | -20 | -19 | 2026-10-02 00:00:00`).replace(/e +\| 3/, '')}
            then recon.breaks code
        `));
});

/** A debit of 1,000 TOK, of which one is worth 0.002 USD to us, for usage of 1,000. */
const converted = (money: string) => `
    given compiled.event_values  event_id | account_id | wallet_asset | counted_quantity | rated_amount
                                 e        | t          | TOK          | 1000             | 8
    given mediated.debit_entries event_id | account_id | asset | entry_id | amount | money_amount | money_currency | booked_on
                                 e        | t          | TOK   | c        | 1000   | ${money} | 2026-10-10`;

describe('70-reconcile: CONVERSION_RATE and CONVERSION_MISSING', () => {
    test('CONVERSION_RATE: the wallet converted units at another rate', () =>
        ties(`${converted('2.5 | USD')}
            then proofs.keys code            | break_key
                             CONVERSION_RATE | t/TOK/USD
            then recon.breaks code | payer_id | account_id | asset | amount | money_amount | currency | first_at | detail
                CONVERSION_RATE | org | t | TOK | 0 | -0.5 | USD | 2026-10-10 | 1 debit(s) of 1000 converted to USD at another rate than ours
            then recon.matches rule | account_id
                               R1   | t
        `));

    test.each([
        ['at the same rate', '2 | USD'],
        ['at the same rate, rounded by the wallet', '2.0000004 | _'],
        ['not at all', '_ | _'],
    ])('the wallet converted %s: no break', (_name, money) =>
        ties(`${converted(money)}
            then recon.breaks code
        `),
    );

    test('into a currency for which we have no rate', () =>
        ties(`${converted('2 | EUR')}
            then recon.breaks code               | amount | money_amount | currency
                              CONVERSION_MISSING | 0      | _            | EUR
            then recon.holds payer_id | recon_status
                             org      | held
        `));

    const unpriced = (codes: string) => `
    given compiled.event_values   event_id | is_unrated
                                  e        | true
    given suspense.unrated_usage  payer_id | account_id | quantity | code
${codes}
    given mediated.debit_entries event_id | entry_id | amount
                                 e        | d        | 5`;
    test('CONVERSION_MISSING: usage whose price no currency rate converts', () =>
        ties(`${unpriced('org | a | 10 | CONVERSION_MISSING')}
            then recon.breaks     code               | break_key | amount | money_amount | entry_ids
                                  CONVERSION_MISSING | e         | -5     | _            | d
            then recon.break_legs code               | account_id | amount
                                  CONVERSION_MISSING | a          | -5
        `));

    test('usage of an account that also has some without any rate', () =>
        ties(`${unpriced('org | a | 10 | CONVERSION_MISSING\n org | a | 1 | UNRATED')}
            then recon.breaks code
                              UNRATED
        `));
});

const copy = (account: string, at: string) =>
    `{"event_type":"x","account_id":"${account}","event_at":"${at}"}`;
const conflicts = (rows: string) => `
    given mediated.usage_repeats kind | source | record_id | first_object_no | first_line_no | object_no | line_no | content
${rows}`;

describe('70-reconcile: DUP_METER_CONFLICT', () => {
    test('DUP_METER_CONFLICT: an event that says two things is told once, and holds nobody', () =>
        ties(`${conflicts(`
                conflict  | gateway | e | 1 | 7 | 2 | 3 | ${copy('a', '2026-10-10 12:00:00')}
                conflict  | gateway | e | 1 | 7 | 2 | 4 | ${copy('a', '2026-10-10 12:00:00')}
                conflict  | gateway | e | 1 | 7 | 2 | 5 | ${copy('a', '2026-10-10 12:30:00')}`)}
            then recon.breaks code | break_key | event_id | payer_id | account_id | amount | money_amount | currency | detail
                DUP_METER_CONFLICT | e | e | org | a | 0 | 0 | USD | 2 other version(s) of source gateway say something else: repeats.csv has them, and the places of all
            then recon.holds payer_id | recon_status
                             org      | clear
        `));

    test.each([
        [
            'DUP_METER_SAME: a copy with the same content',
            `duplicate | gateway | e | 1 | 7 | 2 | 3 | ${copy('a', '2026-10-10 12:00:00')}`,
        ],
        [
            'a conflict of another month',
            `conflict | gateway | e | 1 | 7 | 2 | 3 | ${copy('a', '2026-11-01 00:00:00')}`,
        ],
    ])('%s is no break', (_name, row) =>
        ties(`${conflicts(row)}
            then recon.breaks code
        `),
    );
});
