import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { held, paid, proof, ties } from './70-reconcile.world.ts';

/** Of event `e`, so many tokens at the prices of the card below: 0.005 since July, 0.004 before. */
const tokens = (quantity: string) => `
    given compiled.disputed_parts event_id | quantity
                                  e        | ${quantity}
    given rules.book_cards        book_id
                                  one
    given rules.rates             rate_id | unit_price | effective_from      | effective_to
                                  spring  | 0.003      | 2026-01-01 00:00:00 | 2026-04-01 00:00:00
                                  summer  | 0.004      | 2026-04-01 00:00:00 | 2026-07-01 00:00:00
                                  autumn  | 0.005      | 2026-07-01 00:00:00 | 2026-11-01 00:00:00
                                  winter  | 0.006      | 2026-11-01 00:00:00 | _`;

/** Event `e`: 1000 tokens worth 5 USD, and a debit of another amount for so many. */
const debited = (amount: string, quantity = '_') => `
    given compiled.event_values  event_id | rated_amount | counted_quantity
                                 e        | 5            | 1000
    given mediated.debit_entries event_id | entry_id | amount | quantity
                                 e        | d        | ${amount} | ${quantity}`;

/** The id of an AMOUNT_PRICE of event e, which account a used and was debited for in USD. */
const priceBreak = createHash('sha256')
    .update(JSON.stringify(['AMOUNT_PRICE', 'e', 'a', 'USD', 'a', 'USD']))
    .digest('hex');

describe('70-reconcile: why a break is as large as it is', () => {
    const cases: readonly (readonly [string, string, string])[] = [
        // what happened, the world, cause | amount
        ['a price that nobody ever set', debited('4.5'), 'unexplained_price | 0.5'],
        ['the price of another season', debited('4'), 'price_version | 1'],
        ['the price that holds from next month', debited('6'), 'price_version | -1'],
        [
            'that price, rounded by the wallet',
            debited('4.0000004'),
            'price_version | 1 \n rounding | -0.0000004',
        ],
        ['a hundred tokens less, at our price', debited('4.5', '900'), 'quantity | 0.5'],
        [
            'less tokens at an old price: two causes, two amounts',
            debited('3.6', '900'),
            'quantity | 0.5 \n price_version | 0.9',
        ],
        [
            'less tokens, and a price that nobody ever set',
            debited('4', '900'),
            'quantity | 0.5 \n unexplained_price | 0.5',
        ],
        [
            'the right amount for the wrong quantity: two causes that offset',
            debited('5', '900'),
            'quantity | 0.5 \n unexplained_price | -0.5',
        ],
        ['a thousand times the tokens', debited('5000', '1000000'), 'quantity | -4995'],
        ['a thousand times the money', debited('5000'), 'quantity | -4995'],
        [
            'a sixtieth of the money, rounded by the wallet',
            debited('0.083333'),
            'quantity | 4.916666666666666666666667 \n rounding | 0.000000333333333333333333',
        ],
        ['a debit for nothing', debited('0', '0'), 'quantity | 5'],
    ];
    test.each(cases)('%s', (_what, world, rows) =>
        ties(`${world}${tokens('1000')}
            then recon.break_causes cause | amount
${rows
    .split('\n')
    .map((row) => `                                    ${row.trim()}`)
    .join('\n')}`),
    );

    test('the version that is nearest before the usage is named, and since when it holds', () =>
        ties(`${debited('4')}${tokens('1000')}
            then recon.price_versions rate_ids | worth | effective_from      | effective_to
                                      summer   | 4     | 2026-04-01          | 2026-07-01
            then recon.break_causes   cause         | rate_ids | detail
                                      price_version | summer   | charged as rate(s) summer said, from 2026-04-01T00:00:00Z to 2026-07-01T00:00:00Z
        `));

    test('all parts of an event are priced as of one instant: never each at the price that fits', () =>
        ties(`${debited('3.5')}
            given compiled.disputed_parts event_id | meter  | quantity
                                          e        | input  | 500
                                          e        | output | 500
            given rules.book_cards        book_id
                                          one
            given rules.rates             rate_id | meter  | unit_price | effective_from      | effective_to
                                          i1      | input  | 0.002      | 2026-01-01 00:00:00 | 2026-04-01 00:00:00
                                          i2      | input  | 0.005      | 2026-04-01 00:00:00 | _
                                          o1      | output | 0.004      | 2026-01-01 00:00:00 | 2026-04-01 00:00:00
                                          o2      | output | 0.005      | 2026-04-01 00:00:00 | _
            then recon.price_versions rate_ids
            then recon.break_causes   cause             | amount
                                      unexplained_price | 1.5
        `));

    test('where parts are not all of the usage, no price of another time is tried', () =>
        ties(`${debited('4')}${tokens('900')}
            then recon.break_causes cause             | amount
                                    unexplained_price | 1
        `));

    test('a rate that names attributes wins over one that does not, at any time', () =>
        ties(`${debited('4')}
            given compiled.disputed_parts event_id | attributes       | quantity
                                          e        | {"model":"opus"} | 1000
            given rules.book_cards        book_id
                                          one
            given rules.rates             rate_id | mask  | match_key        | specificity | unit_price | effective_from      | effective_to
                                          opus1   | model | {"model":"opus"} | 1           | 0.004      | 2026-01-01 00:00:00 | 2026-07-01 00:00:00
                                          opus2   | model | {"model":"opus"} | 1           | 0.005      | 2026-07-01 00:00:00 | _
                                          any     |       | {}               | 0           | 0.009      | 2026-01-01 00:00:00 | _
            then recon.price_versions rate_ids
                                      opus1
        `));

    test('a day of a wallet that debits by days is priced from what was metered of it', () =>
        ties(`
            given accounts.paths account_id | payer_id | currency | wallet_asset | wallet_shape | valid_from | valid_to   | period_start | period_end
                                 a          | org      | USD      | USD          | aggregated   | 2000-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
            given compiled.event_values  event_id | wallet_shape | rated_amount
                                         e        | aggregated   | 5
            given metered.usage          meter  | account_id | wallet_asset | currency | book_id | attributes | segment_at | event_on   | quantity
                                         tokens | a          | USD          | USD      | one     | {}         | 2026-10-01 | 2026-10-10 | 1000
            given mediated.debit_entries entry_id | amount | aggregated
                                         d        | 4      | day
${tokens('1').replace(/given compiled.disputed_parts[^\n]*\n[^\n]*\n/, '')}
            then recon.break_causes cause         | amount | rate_ids
                                    price_version | 1      | summer
        `));

    test('units are counted: a difference of them is a quantity', () =>
        ties(`${held('1000', 'h | authorize | 900 | 2026-10-10 11:59:58\n c | capture | 900 | 2026-10-10 12:00:01')}
            then recon.breaks       code            | amount
                                    AMOUNT_QUANTITY | 100
            then recon.break_causes cause           | amount
                                    quantity        | 100
        `));

    test('what was found of a break that is not looked at again stays its cause', () =>
        ties(`
            given carried.outcomes fate  | code         | break_key | usage_payer_id | usage_account_id | usage_asset | debit_payer_id | debit_account_id | debit_asset | event_id | expected | actual | captured | usage_count | entry_count | debit_count | products | rate_at | paid | accepted | money | currency | first_at
                                   break | AMOUNT_PRICE | e         | org            | a                | USD         | org            | a                | USD         | e        | 5        | 4      | 4        | 1           | 1           | 1           | llm      | _       | 4    | 0        | 5     | USD      | 2026-10-10
            given carried.sides side   | account_id | asset | record_count | amount
                                usage  | a          | USD   | 1            | 0
            given carried.price_versions break_id | worth | at_their_price | rate_ids | effective_from | effective_to
                                         ${priceBreak} | 4 | 4 | summer | 2026-04-01 | _
            given carried.wallet_movements account_id | asset | entry_type | is_in_period | entry_count | amount
                                           a          | USD   | capture    | true         | 1           | 4
            given rolled.charges payer_id | account_id | amount | currency
                                 org      | a          | 5      | USD
            then recon.break_causes cause         | amount
                                    price_version | 1
        `));
});

describe('70-reconcile: what the wallet says that it charged', () => {
    /** Event `e`, 1000 tokens worth 5 USD; what its debit took, for how many, and at which price. */
    const stated = (amount: string, quantity: string, unit_price: string, version = '_') => `
        given compiled.event_values  event_id | rated_amount | counted_quantity
                                     e        | 5            | 1000
        given mediated.debit_entries event_id | entry_id | amount | quantity | unit_price | price_version
                                     e        | d        | ${[amount, quantity, unit_price, version].join(' | ')}`;
    const cases: readonly (readonly [string, string, string])[] = [
        // what happened, the world, cause | amount
        [
            'a price that no card of ours ever had',
            stated('4.5', '1000', '0.0045'),
            'price_version | 0.5',
        ],
        [
            'that price, rounded by the wallet',
            stated('4.4999996', '1000', '0.0045'),
            'price_version | 0.5 \n rounding | 0.0000004',
        ],
        [
            'less tokens at a price of its own',
            stated('4.05', '900', '0.0045'),
            'quantity | 0.5 \n price_version | 0.45',
        ],
        [
            'our price, and an amount that is not price times quantity',
            stated('4.5', '1000', '0.005'),
            'debit_arithmetic | 0.5',
        ],
        [
            'another price, and an amount that is neither',
            stated('4.9', '1000', '0.0045'),
            'price_version | 0.5 \n debit_arithmetic | -0.4',
        ],
        [
            'a price without a quantity says nothing',
            stated('4.5', '_', '0.0045'),
            'unexplained_price | 0.5',
        ],
        ['a version without a price', stated('4.5', '1000', '_', 'v7'), 'unexplained_price | 0.5'],
        [
            'a price that no amount can hold',
            stated('4.5', '1000', '99999999999999'),
            'unexplained_price | 0.5',
        ],
    ];
    test.each(cases)('%s', (_what, world, causes) =>
        ties(`${world}
            ${tokens('1000')}
            then recon.break_causes cause | amount
                                    ${causes}
        `),
    );

    test('its price, its version, and the rate of ours that it is', () =>
        ties(`${stated('4', '1000', '0.004', 'v7')}
            ${tokens('1000')}
            then recon.stated_prices worth | unit_prices | price_versions
                                     4     | 0.004       | v7
            then recon.break_causes cause         | amount | rate_ids | detail
                                    price_version | 1      | summer   | the wallet says 0.004 a unit (version v7); charged as rate(s) summer said, from 2026-04-01T00:00:00Z to 2026-07-01T00:00:00Z
        `));

    test('of several debits all must state one', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount | counted_quantity
                                         e        | 5            | 1000
            given mediated.debit_entries event_id | entry_id | entry_type | authorization_id | amount | quantity | unit_price | booked_at
                                         e        | h        | authorize  | A                | 4      | _        | _          | 2026-10-10 12:00:01
                                         e        | d1       | capture    | A                | 2      | 500      | 0.004      | 2026-10-10 12:00:02
                                         e        | d2       | capture    | A                | 2      | 500      | _          | 2026-10-10 12:00:03
            ${tokens('1000')}
            then recon.stated_prices worth | unit_prices
                                     _     | 0.004
        `));

    test('a match is a match, whatever its debit states', () =>
        ties(`${stated('5', '1000', '0.7')}
            ${tokens('1000')}
            then recon.matches rule
                               R1
            then recon.stated_prices worth
        `));

    test('what was found of a break that is not looked at again stays', () =>
        ties(`
            given carried.outcomes fate  | code         | break_key | usage_payer_id | usage_account_id | usage_asset | debit_payer_id | debit_account_id | debit_asset | event_id | expected | actual | captured | usage_count | entry_count | debit_count | products | rate_at | paid | accepted | money | currency | first_at
                                   break | AMOUNT_PRICE | e         | org            | a                | USD         | org            | a                | USD         | e        | 5        | 4.5    | 4.5      | 1           | 1           | 1           | llm      | _       | 4.5  | 0        | 5     | USD      | 2026-10-10
            given carried.sides side   | account_id | asset | record_count | amount
                                usage  | a          | USD   | 1            | 0
            given carried.stated_prices break_id | worth | unit_prices
                                        ${priceBreak} | 4.5 | 0.0045
            given carried.wallet_movements account_id | asset | entry_type | is_in_period | entry_count | amount
                                           a          | USD   | capture    | true         | 1           | 4.5
            given rolled.charges payer_id | account_id | amount | currency
                                 org      | a          | 5      | USD
            then recon.break_causes cause         | amount
                                    price_version | 0.5
        `));
});

describe('70-reconcile: all of a difference by its causes', () => {
    test('breaks, accepted rounding, time and repeats: each has its amount', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount | counted_quantity | is_in_period
                                         price    | 5            | 1000             | true
                                         round    | 1.0000004    | 200              | true
                                         next     | 3            | 600              | true
                                         missing  | 2            | 400              | true
                                         other    | 7            | 1400             | true
            given mediated.debit_entries event_id | entry_id | amount | account_id | booked_at
                                         price    | d1       | 4.5    | a          | 2026-10-10 12:00:01
                                         round    | d2       | 1      | a          | 2026-10-10 12:00:01
                                         next     | d3       | 3      | a          | 2026-11-01 00:00:00
                                         price    | d4       | 4.5    | a          | 2026-10-10 12:00:02
                                         other    | d5       | 7      | b          | 2026-10-10 12:00:01
                                         gone     | d6       | 0.25   | b          | 2026-10-10 12:00:01
            then recon.difference_causes account_id | asset | cause              | cause_count | amount
                                         a          | USD   | unexplained_price  | 1           | 0.5
                                         a          | USD   | per_event_rounding | 1           | 0.0000004
                                         a          | USD   | timing             | 1           | 3
                                         a          | USD   | not_debited        | 1           | 2
                                         a          | USD   | debited_twice      | 1           | -4.5
                                         a          | USD   | elsewhere          | 1           | 7
                                         b          | USD   | elsewhere          | 1           | -7
                                         b          | USD   | not_metered        | 1           | -0.25
        `));

    test('usage without any log is a cause of its own', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            then recon.difference_causes account_id | cause       | cause_count | amount
                                         a          | unauditable | 1           | 5
        `));

    test('causes-are-the-break fails when a cause is missing', async () => {
        expect(
            await proof(
                'causes-are-the-break',
                `${paid('5', 'd | 4.5')}
                given recon.break_causes break_id | amount`,
            ),
        ).toBe(1);
    });

    test('causes-are-the-difference fails when a cause says too much', async () => {
        expect(
            await proof(
                'causes-are-the-difference',
                `${paid('5', 'd | 4.5')}
                given recon.difference_causes account_id | asset | cause | amount
                                              a          | USD   | x     | 0.6`,
            ),
        ).toBe(1);
    });
});
