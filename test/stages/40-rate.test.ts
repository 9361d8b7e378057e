import { describe, expect, test } from 'vitest';
import { rate } from '../../pipelines/40-rate/stage.ts';
import { auditRows, check as checkTables } from '../support/table.ts';
import { withDefaults } from './defaults.ts';

/** One book of one card, where a test does not say otherwise. */
const oneBook = `
            given rules.book_cards book_id | card
                                   standard | standard`;
const check = (stage: typeof rate, text: string) =>
    checkTables(
        stage,
        withDefaults(text.includes('rules.book_cards') ? text : `${oneBook}${text}`, {
            'metered.usage': { book_id: 'standard' },
            'rules.rates': { card: 'standard', currency: 'USD' },
            'rules.book_cards': { currency: 'USD' },
            'rated.rate_candidates': { book_id: 'standard' },
        }),
    );

const opus = '{"model":"opus","region":"eu"}';

describe('40-rate', () => {
    test('the row with the most named attributes wins', () =>
        check(
            rate,
            `
            given metered.usage  meter  | attributes | quantity | currency
                                 tokens | ${opus}    | 10       | USD
            given rules.rates    rate_id | meter  | mask         | match_key         | specificity | unit_price | currency | effective_to
                                 any     | tokens |              | {}                | 0           | 1          | USD      | _
                                 model   | tokens | model        | {"model":"opus"}  | 1           | 2          | USD      | _
                                 both    | tokens | model region | ${opus}           | 2           | 3          | USD      | _
            then  rated.usage    rate_id | quantity | unit_price | amount
                                 both    | 10       | 3          | 30
        `,
        ));

    test('among equals the higher priority wins, then the later start', () =>
        check(
            rate,
            `
            given metered.usage  meter  | attributes | quantity | currency | segment_at
                                 tokens | ${opus}    | 1        | USD      | 2026-10-02
            given rules.rates    rate_id | meter  | mask  | match_key        | specificity | priority | effective_from | effective_to | unit_price | currency
                                 old     | tokens | model | {"model":"opus"} | 1           | 0        | 2026-01-01     | _            | 1          | USD
                                 late    | tokens | model | {"model":"opus"} | 1           | 0        | 2026-10-01     | _            | 2          | USD
                                 urgent  | tokens | model | {"model":"opus"} | 1           | 5        | 2026-01-01     | _            | 3          | USD
            then  rated.rate_candidates rate_id | choice_no
                                 urgent | 1
                                 late   | 2
                                 old    | 3
            then  rated.usage    rate_id | amount
                                 urgent  | 3
        `,
        ));

    test('a rate holds from its first instant to the instant before its end', () =>
        check(
            rate,
            `
            given metered.usage  meter  | account_id | attributes | quantity | currency | segment_at
                                 tokens | before     | {}         | 1        | USD      | 2026-10-01
                                 tokens | at         | {}         | 1        | USD      | 2026-10-15
            given rules.rates    rate_id | meter  | mask | match_key | effective_from | effective_to | unit_price | currency
                                 first   | tokens |      | {}        | 2026-10-01     | 2026-10-15   | 1          | USD
                                 second  | tokens |      | {}        | 2026-10-15     | _            | 2          | USD
            then  rated.usage    account_id | rate_id
                                 before     | first
                                 at         | second
        `,
        ));

    test('usage that nothing prices is suspended, never priced at zero', () =>
        check(
            rate,
            `
            given metered.usage  meter  | account_id | attributes         | quantity | currency
                                 tokens | a          | {"model":"new"}    | 7        | USD
                                 tokens | b          | {"model":"opus"}   | 5        | EUR
            given rules.rates    rate_id | meter  | mask  | match_key        | specificity | unit_price | currency | effective_to
                                 opus    | tokens | model | {"model":"opus"} | 1           | 1          | USD      | _
            then  rated.usage    rate_id
            then  suspense.unrated_usage account_id | quantity | code
                                 a | 7 | UNRATED
                                 b | 5 | RATE_CURRENCY
        `,
        ));

    test('a card is found in a book in the currency that it has there', () =>
        check(
            rate,
            `
            given metered.usage    meter  | account_id | book_id  | attributes | quantity | currency
                                   tokens | a          | list     | {}         | 10       | USD
                                   tokens | b          | EUR:list | {}         | 10       | EUR
            given rules.book_cards book_id  | card | currency
                                   list     | list | USD
                                   EUR:list | list | EUR
            given rules.rates      rate_id | card | meter  | mask | match_key | unit_price | currency | effective_to
                                   r       | list | tokens |      | {}        | 2          | USD      | _
                                   r@EUR   | list | tokens |      | {}        | 1.5        | EUR      | _
            then  rated.usage      account_id | rate_id | amount | currency
                                   a          | r       | 20     | USD
                                   b          | r@EUR   | 15     | EUR
            then  suspense.unrated_usage account_id
        `,
        ));

    test('usage whose conversion is missing is suspended with why', () =>
        check(
            rate,
            `
            given metered.usage  meter  | account_id | attributes | quantity | currency
                                 tokens | a          | {}         | 7        | EUR
                                 tokens | b          | {}         | 5        | GBP
            given rules.rates    rate_id | meter  | mask | match_key | unit_price | currency | effective_to
                                 r       | tokens |      | {}        | 1          | USD      | _
            given rules.missing_conversions from_currency | to_currency | evidence
                                            USD           | EUR         | too old
                                            GBP           | USD         | of any date
            then  suspense.unrated_usage account_id | quantity | code | evidence
                                 a | 7 | CONVERSION_MISSING | too old
                                 b | 5 | RATE_CURRENCY      | _
        `,
        ));

    test('a unit price of twelve decimals is never rounded', () =>
        check(
            rate,
            `
            given metered.usage  meter  | attributes | quantity       | currency
                                 tokens | {}         | 0.000000000003 | USD
            given rules.rates    rate_id | meter  | mask | match_key | unit_price     | currency | effective_to
                                 tiny    | tokens |      | {}        | 0.000000000007 | USD      | _
            then  rated.usage    amount
                                 0.000000000000000000000021
        `,
        ));

    test('usage is priced by the cards of its book, and by no other', () =>
        check(
            rate,
            `
            given metered.usage    meter  | account_id | book_id  | attributes | quantity | currency
                                   tokens | a          | standard | ${opus}    | 10       | USD
                                   tokens | b          | acme     | ${opus}    | 10       | USD
                                   tokens | c          | acme     | {}         | 10       | USD
                                   images | c          | acme     | {}         | 10       | USD
            given rules.book_cards book_id  | card
                                   standard | standard
                                   acme     | acme
            given rules.rates      rate_id | card     | meter  | mask         | match_key        | specificity | unit_price | currency | effective_to
                                   both    | standard | tokens | model region | ${opus}          | 2           | 3          | USD      | _
                                   any     | standard | tokens |              | {}               | 0           | 5          | USD      | _
                                   images  | standard | images |              | {}               | 0           | 9          | USD      | _
                                   opus    | acme     | tokens | model        | {"model":"opus"} | 1           | 2          | USD      | _
            then  rated.rate_candidates book_id | rate_id | choice_no
                                   standard | both | 1
                                   standard | any  | 2
                                   acme     | opus | 1
            then  rated.usage      account_id | rate_id | amount
                                   a          | both    | 30
                                   b          | opus    | 20
            then  suspense.unrated_usage account_id | book_id | meter | code
                                   c | acme | tokens | UNRATED
                                   c | acme | images | UNRATED
        `,
        ));

    test('the cards of a book price together: the law decides among all of their rates', () =>
        check(
            rate,
            `
            given metered.usage    meter  | account_id | book_id    | attributes | quantity | currency
                                   tokens | a          | acme+extra | ${opus}    | 10       | USD
                                   images | a          | acme+extra | {}         | 10       | USD
                                   tokens | b          | extra      | ${opus}    | 10       | USD
            given rules.book_cards book_id    | card
                                   acme+extra | acme
                                   acme+extra | extra
                                   extra      | extra
            given rules.rates      rate_id | card  | meter  | mask  | match_key        | specificity | unit_price | currency | effective_to
                                   all     | acme  | tokens |       | {}               | 0           | 7          | USD      | _
                                   images  | acme  | images |       | {}               | 0           | 1          | USD      | _
                                   opus    | extra | tokens | model | {"model":"opus"} | 1           | 2          | USD      | _
            then  rated.usage      account_id | meter | rate_id | amount
                                   a          | tokens | opus   | 20
                                   a          | images | images | 10
                                   b          | tokens | opus   | 20
        `,
        ));

    test('no-rate-is-ambiguous fails when two rates differ in nothing that decides', async () => {
        const given = (priority: string, book = 'b') => `
            given rated.rate_candidates rate_id | book_id | meter | attributes | segment_at | specificity | priority | effective_from | choice_no
                                        one | b | tokens | {} | 2026-10-01 | 1 | 0           | 2026-01-01 | 1
                                        two | ${book} | tokens | {} | 2026-10-01 | 1 | ${priority} | 2026-01-01 | 2`;
        expect(await auditRows(rate, 'no-rate-is-ambiguous', given('0'))).toBe(1);
        expect(await auditRows(rate, 'no-rate-is-ambiguous', given('-1'))).toBe(0);
        expect(await auditRows(rate, 'no-rate-is-ambiguous', given('0', 'other'))).toBe(0);
    });

    test('amount-is-quantity-times-price fails when a digit is off', async () => {
        const given = (amount: string) => `
            given rated.usage quantity | unit_price | amount
                              3        | 0.1        | ${amount}`;
        expect(
            await auditRows(rate, 'amount-is-quantity-times-price', given('0.300000000001')),
        ).toBe(1);
        expect(await auditRows(rate, 'amount-is-quantity-times-price', given('0.3'))).toBe(0);
    });
});
