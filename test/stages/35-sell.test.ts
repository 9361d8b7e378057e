import { describe, expect, test } from 'vitest';
import { sell } from '../../pipelines/35-sell/stage.ts';
import { resell } from '../../pipelines/85-resell/stage.ts';
import { auditRows, check } from '../support/table.ts';

describe('35-sell', () => {
    test('usage of a channel is sold at each of its levels, all other usage at none', () =>
        check(
            sell,
            `
            given metered.usage     account_id | payer_id | channel_id | meter  | book_id   | currency | quantity | event_count
                                    x          | op       | c          | tokens | wholesale | USD      | 100      | 3
                                    y          | op       |            | tokens | wholesale | USD      | 7        | 1
            given accounts.channels channel_id | level_no | seller_id | buyer_id | sale_id | pool_id | book_id | currency
                                    c          | 1        | d         | r        | d/r     | r       | dealer  | USD
                                    c          | 2        | r         | x        | r/x     | x       | retail  | EUR
            then  metered.sales     level_no | account_id | payer_id | pool_id | book_id | currency | quantity | event_count
                                    1 | x | d/r | r | dealer | USD | 100 | 3
                                    2 | x | r/x | x | retail | EUR | 100 | 3
        `,
        ));

    test('every-level-sells-the-same-usage fails when a level has more, less or none', async () => {
        const given = (...quantities: readonly string[]) => `
            given metered.usage     account_id | channel_id | meter  | quantity | event_count
                                    x          | c          | tokens | 100      | 1
            given accounts.channels channel_id | level_no
                                    c          | 1
                                    c          | 2
            given metered.sales     account_id | channel_id | level_no | meter | quantity | event_count
            ${quantities.map((quantity, at) => `x | c | ${at + 1} | tokens | ${quantity} | 1`).join('\n')}`;
        const audit = 'every-level-sells-the-same-usage';
        expect(await auditRows(sell, audit, given('100', '100'))).toBe(0);
        expect(await auditRows(sell, audit, given('100', '99'))).toBe(1);
        expect(await auditRows(sell, audit, given('100'))).toBe(1);
    });
});

describe('85-resell', () => {
    const channel = `
            given accounts.channels channel_id | level_no | seller_id
                                    c          | 1        | d
                                    c          | 2        | r`;

    test('a margin is what is sold less what was bought of it, not what a seller uses itself', () =>
        check(
            resell,
            `${channel}
            given rolled.charges    payer_id | account_id | product | currency | amount
                                    d        | x          | llm     | USD      | 100
                                    d        | d          | llm     | USD      | 7
                                    other    | other      | llm     | USD      | 1000
            given sold.charges      seller_id | buyer_id | account_id | product | currency | amount
                                    d         | r        | x          | llm     | USD      | 200
                                    r         | x        | x          | llm     | USD      | 300
            then  sold.margins      seller_id | product | currency | bought | own_use | sold | margin
                                    d         | llm     | USD      | 107    | 7       | 200  | 100
                                    r         | llm     | USD      | 200    | 0       | 300  | 100
        `,
        ));

    test('currencies are never mixed: without one there is no margin', () =>
        check(
            resell,
            `${channel}
            given rolled.charges    payer_id | account_id | product | currency | amount
                                    d        | x          | llm     | USD      | 100
            given sold.charges      seller_id | buyer_id | account_id | product | currency | amount
                                    d         | r        | x          | llm     | EUR      | 90
            then  sold.margins      seller_id | currency | bought | sold | margin
                                    d         | EUR      | 0      | 90   | _
                                    d         | USD      | 100    | 0    | _
                                    r         | EUR      | 90     | 0    | 0
        `,
        ));
});
