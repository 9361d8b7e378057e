import { describe, test } from 'vitest';
import { held, paid, ties } from './70-reconcile.world.ts';

/** What agrees, by which rule, and what is near enough. */
describe('70-reconcile: matches', () => {
    const rules: readonly (readonly [string, string, string])[] = [
        // rule: what, the world, usage | entries | expected | actual | difference
        ['R1: event id and amount agree exactly', paid('5', 'd | 5'), '1 | 1 | 5 | 5 | 0'],
        [
            'R2: the wallet rounded to its last digit',
            paid('0.0000014', 'd | 0.000001'),
            '1 | 1 | 0.0000014 | 0.000001 | 0.0000004',
        ],
        [
            'R3: the debit names an authorization, and the event the same one',
            `
    given compiled.event_values  event_id | authorization_id | rated_amount
                                 e        | A                | 5
    given mediated.debit_entries entry_id | entry_type | authorization_id | amount
                                 h        | authorize  | A                | 6
                                 c        | capture    | A                | 5
                                 l        | release    | A                | 1`,
            '1 | 3 | 5 | 5 | 0',
        ],
        [
            'R3: the hold came before the event had an id, the capture names it',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries entry_id | event_id | entry_type | authorization_id | amount
                                 h        | _        | authorize  | A                | 6
                                 c        | e        | capture    | A                | 5
                                 l        | _        | release    | A                | 1`,
            '1 | 3 | 5 | 5 | 0',
        ],
        [
            'R5: a debit split over two grants',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | amount | grant_id
                                 e        | c        | 2      | g1
                                 e        | d        | 3      | g2`,
            '1 | 2 | 5 | 5 | 0',
        ],
        [
            'R5: two equal parts of two grants are no repeated debit',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | amount | grant_id
                                 e        | c        | 2.5    | g1
                                 e        | d        | 2.5    | g2`,
            '1 | 2 | 5 | 5 | 0',
        ],
        [
            'R1: a wrong debit that the wallet reversed itself before the right one',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | entry_type | amount | reversal_of | booked_at
                                 e        | c        | capture    | 7      | _           | 2026-10-10 12:00:01
                                 e        | r        | reverse    | 7      | c           | 2026-10-10 12:00:02
                                 e        | d        | capture    | 5      | _           | 2026-10-10 12:00:03`,
            '1 | 3 | 5 | 5 | 0',
        ],
        [
            'R1: a repeated debit that was refunded is no break any more',
            `
    given compiled.event_values  event_id | rated_amount
                                 e        | 5
    given mediated.debit_entries event_id | entry_id | entry_type | amount | reversal_of | booked_at
                                 e        | c        | capture    | 5      | _           | 2026-10-10 12:00:01
                                 e        | d        | capture    | 5      | _           | 2026-10-10 12:00:02
                                 e        | r        | refund     | 5      | d           | 2026-10-12 09:00:00`,
            '1 | 3 | 5 | 5 | 0',
        ],
    ];
    test.each(rules)('%s', (title, given, row) =>
        ties(`${given}
            then recon.breaks  code
            then recon.matches rule | account_id | usage_count | entry_count | expected | actual | difference
                               ${title.split(':')[0]} | a | ${row}
        `),
    );

    test('R1 in two phases: what was not used is given back at the very instant of the capture', () =>
        ties(`${held(
            '1000',
            `h       | authorize | 1200 | 2026-10-10 11:59:58
             a_first | release   | 200  | 2026-10-10 12:00:01
             b_then  | capture   | 1000 | 2026-10-10 12:00:01`,
        )}
            then recon.breaks  code
            then recon.matches rule | account_id | asset | usage_count | entry_count | expected | actual
                               R1   | t          | TOK   | 1           | 3           | 1000     | 1000
        `));

    test('R5 in two phases: several captures within one hold', () =>
        ties(`${held(
            '1000',
            `h | authorize | 1200 | 2026-10-10 11:59:58
             c | capture   | 500  | 2026-10-10 12:00:01
             d | capture   | 500  | 2026-10-10 12:00:02
             l | release   | 200  | 2026-10-10 12:00:03`,
        )}
            then recon.breaks  code
            then recon.matches rule | account_id | usage_count | entry_count | actual
                               R5   | t          | 1           | 4           | 1000
        `));

    test('UNRATED: a day with an event that has no price, even where the counts agree', () =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | rated_amount | is_unrated
                                         e1       | r          | REQ          | aggregated   | 1                | 2            | false
                                         e2       | r          | REQ          | aggregated   | 1                | 0            | true
            given mediated.debit_entries entry_id | account_id | asset | amount | aggregated | occurred_at | booked_at
                                         d        | r          | REQ   | 2      | day        | 2026-10-10  | 2026-10-11 00:05:00
            then recon.breaks  code    | account_id | amount | expected | actual
                               UNRATED | r          | 0      | 2        | 2
        `));

    test('R4: what was given back of a day belongs to that day, whenever it was booked', () =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | rated_amount
                                         e1       | r          | REQ          | aggregated   | 1                | 2
                                         e2       | r          | REQ          | aggregated   | 1                | 3
            given mediated.debit_entries entry_id | entry_type | account_id | asset | amount | aggregated | reversal_of | occurred_at | booked_at
                                         d        | capture    | r          | REQ   | 5      | day        | _           | 2026-10-10  | 2026-10-11 00:05:00
                                         u        | reverse    | r          | REQ   | 3      | _          | d           | _           | 2026-10-14 09:00:00
            then recon.breaks  code
            then recon.matches rule | account_id | asset | usage_count | entry_count | expected | actual | difference
                               R4   | r          | REQ   | 2           | 2           | 2        | 2      | 0
        `));

    describe('one hold for several events', () => {
        const events = `
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | rated_amount | authorization_id
                                         e1       | t          | TOK          | two_phase    | 400              | 4            | x
                                         e2       | t          | TOK          | two_phase    | 600              | 6            | x`;
        const log = (rows: string) => `${events}
            given mediated.debit_entries entry_id | authorization_id | event_id | account_id | asset | entry_type | amount | booked_at
                                         ${rows}`;
        test.each([
            [
                'each event takes its part, whoever the hold names',
                `h | x | e1 | t | TOK | authorize | 1000 | 2026-10-10 12:00:00
                 c | x | e1 | t | TOK | capture   | 400  | 2026-10-10 12:00:01
                 d | x | e2 | t | TOK | capture   | 600  | 2026-10-10 12:00:02`,
                '',
            ],
            [
                'a hold that names no event, and gives back what is left',
                `h | x | _  | t | TOK | authorize | 1200 | 2026-10-10 12:00:00
                 c | x | e1 | t | TOK | capture   | 400  | 2026-10-10 12:00:01
                 d | x | e2 | t | TOK | capture   | 600  | 2026-10-10 12:00:02
                 l | x | _  | t | TOK | release   | 200  | 2026-10-10 12:00:03`,
                '',
            ],
            [
                'what is left and not given back is missing once, from the last',
                `h | x | _  | t | TOK | authorize | 1200 | 2026-10-10 12:00:00
                 c | x | e1 | t | TOK | capture   | 400  | 2026-10-10 12:00:01
                 d | x | e2 | t | TOK | capture   | 600  | 2026-10-10 12:00:02`,
                'UNDER_CAPTURE | e2',
            ],
            [
                'the capture that passes the hold is the one over it',
                `h | x | _  | t | TOK | authorize | 900 | 2026-10-10 12:00:00
                 c | x | e1 | t | TOK | capture   | 400 | 2026-10-10 12:00:01
                 d | x | e2 | t | TOK | capture   | 600 | 2026-10-10 12:00:02`,
                'OVER_CAPTURE | e2',
            ],
            [
                'two equal captures for one of the events are no repeat within the hold',
                `h | x | e1 | t | TOK | authorize | 1000 | 2026-10-10 12:00:00
                 c | x | e1 | t | TOK | capture   | 400  | 2026-10-10 12:00:01
                 d | x | e2 | t | TOK | capture   | 300  | 2026-10-10 12:00:02
                 f | x | e2 | t | TOK | capture   | 300  | 2026-10-10 12:00:03`,
                '',
            ],
        ])('%s', (_name, rows, expected) =>
            ties(`${log(rows)}
            then recon.breaks code | break_key
                              ${expected}`),
        );
    });

    test('R4: all events of a day against one entry of the day', () =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | rated_amount
                                         e1       | r          | REQ          | aggregated   | 1                | 2
                                         e2       | r          | REQ          | aggregated   | 1                | 3
            given mediated.debit_entries entry_id | account_id | asset | amount | aggregated | occurred_at | booked_at
                                         d        | r          | REQ   | 2      | day        | 2026-10-10  | 2026-10-11 00:05:00
            then recon.breaks  code
            then recon.matches rule | account_id | asset | usage_count | entry_count | expected | actual | difference
                               R4   | r          | REQ   | 2           | 1           | 2        | 2      | 0
        `));

    test('R4: an entry that names a meter and nothing else is one of a day, too', () =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity
                                         e        | r          | REQ          | aggregated   | 1
            given mediated.debit_entries entry_id | account_id | asset | amount | meter    | occurred_at
                                         d        | r          | REQ   | 1      | requests | 2026-10-10
            then recon.matches rule
                               R4
        `));

    test('an event of no authorization is never found through one that two events name', () =>
        ties(`
            given compiled.event_values  event_id | authorization_id | rated_amount
                                         e1       | A                | 5
                                         e2       | A                | 5
            given mediated.debit_entries entry_id | authorization_id | amount
                                         c        | A                | 5
            then recon.breaks code                | break_key | amount
                              METERED_NOT_DEBITED | e1        | 5
                              METERED_NOT_DEBITED | e2        | 5
                              DEBITED_NOT_METERED | A         | -5
        `));
});

/** Events with one debit each, and what becomes of each: a rule, or the code of a break. */
function comparing(rows: readonly string[]): string {
    const of = rows.map((row) => row.split('|').map((cell) => cell.trim()));
    const lines = (kept: typeof of, line: (cells: readonly string[]) => string) =>
        kept.map((cells) => `${line(cells)}\n`).join('');
    const broken = of.filter(([, , , code]) => code !== 'R2');
    return `
        given compiled.event_values  event_id | rated_amount
${lines(of, ([event, worth]) => `${event} | ${worth}`)}
        given mediated.debit_entries event_id | entry_id | amount
${lines(of, ([event, , debited]) => `${event} | ${event} | ${debited}`)}
        then recon.breaks            break_key | code
${lines(broken, ([event, , , code]) => `${event} | ${code}`)}`;
}

describe('70-reconcile: tolerance', () => {
    const usd = (absolute: string, percent: string, cap: string) => `
        given rules.assets asset | kind     | precision | tolerance   | tolerance_percent | tolerance_cap
                           USD   | currency | 6         | ${absolute} | ${percent}        | ${cap}`;
    const allowed: readonly (readonly [string, string, ...string[]])[] = [
        // absolute, percent, cap: event, worth, debited, rule
        [
            'an amount',
            usd('0.01', '0', '_'),
            'over  | 5 | 5.01     | R2',
            'over1 | 5 | 5.010001 | AMOUNT_PRICE',
            'less  | 5 | 4.99     | R2',
            'less1 | 5 | 4.989999 | AMOUNT_PRICE',
        ],
        [
            'a share',
            usd('0', '1', '_'),
            'share  | 5 | 5.05     | R2',
            'share1 | 5 | 5.050001 | AMOUNT_PRICE',
        ],
        [
            'a share with a cap',
            usd('0', '1', '0.02'),
            'cap   | 5 | 5.02     | R2',
            'cap1  | 5 | 5.020001 | AMOUNT_PRICE',
            'below | 1 | 1.01     | R2',
        ],
        // The larger of the two holds, and the cap is one of the share alone.
        ['the larger of both', usd('0.03', '1', '0.02'), 'large | 5 | 5.03 | R2'],
        ['none at all', usd('0', '0', '_'), 'none | 5 | 5.000001 | AMOUNT_PRICE'],
    ];
    test.each(allowed)('%s', (_name, assets, ...rows) => ties(`${assets}${comparing(rows)}`));

    test('AMOUNT_ROUNDING: a fraction that the wallet can not hold is rounding, and stays in the tie-out', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e1       | 0.0000001234567
                                         e2       | 0.0000004999999
                                         e3       | 0.0000025000001
            given mediated.debit_entries event_id | entry_id | amount
                                         e1       | d1       | 0
                                         e2       | d2       | 0
                                         e3       | d3       | 0.000003
            then recon.breaks   code
            then recon.tie_outs account_id | rated           | debited  | rounding         | unexplained
                                a          | 0.0000031234567 | 0.000003 | 0.0000001234567  | 0
        `));
});

describe('70-reconcile: units', () => {
    test('a plain factor is told from a near one', () =>
        ties(
            comparing([
                // event, worth, debited, outcome
                'by10       | 36 | 3.6      | UNIT_MISMATCH',
                'times10    | 36 | 360      | UNIT_MISMATCH',
                'by60       | 36 | 0.6      | UNIT_MISMATCH',
                'times60    | 36 | 2160     | UNIT_MISMATCH',
                'by1000     | 36 | 0.036    | UNIT_MISMATCH',
                'times1000  | 36 | 36000    | UNIT_MISMATCH',
                'by3600     | 36 | 0.01     | UNIT_MISMATCH',
                'times3600  | 36 | 129600   | UNIT_MISMATCH',
                'by1e6      | 36 | 0.000036 | UNIT_MISMATCH',
                'times1e6   | 36 | 36000000 | UNIT_MISMATCH',
                // Near is not the same: a factor of 10.0001 is a price.
                'nearly10   | 36 | 3.60001   | AMOUNT_PRICE',
                'nearly60   | 36 | 2160.0001 | AMOUNT_PRICE',
                'half       | 36 | 18        | AMOUNT_PRICE',
                'nothing    | 36 | 0         | AMOUNT_PRICE',
                // Of the size of the wallet's rounding every ratio can be had: it proves nothing.
                'small      | 0.00001  | 0.0001   | UNIT_MISMATCH',
                'tiny       | 0.000003 | 0.00003  | AMOUNT_PRICE',
                'smallest   | 0.000003 | 0.000001 | AMOUNT_PRICE',
                'swallowed  | 0.00001  | 0.000001 | AMOUNT_PRICE',
            ]),
        ));

    test('a share as tolerance does not hide a factor', () =>
        ties(`
            given rules.assets asset | kind     | precision | tolerance | tolerance_percent | tolerance_cap
                               USD   | currency | 6         | 0.0000005 | 0.1               | _
            ${paid('5', 'd | 0.005')}
            then recon.breaks code
                              UNIT_MISMATCH
        `));

    test('thousands of requests for requests, a day at a time', () =>
        ties(`
            given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | rated_amount
                                         e        | r          | REQ          | aggregated   | 3                | 2
            given mediated.debit_entries entry_id | account_id | asset | amount | aggregated | occurred_at
                                         d        | r          | REQ   | 3000   | day        | 2026-10-10
            then recon.breaks code          | account_id | amount | money_amount
                              UNIT_MISMATCH | r          | -2997  | -1998
        `));
});
