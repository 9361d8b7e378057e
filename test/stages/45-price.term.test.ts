import { describe, test } from 'vitest';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import { check } from '../support/table.ts';
import { withDefaults } from './defaults.ts';
import { nightDefaults } from './night-defaults.ts';

/** Books of two contracts with the same card, and one of neither. */
const books = `
    given rules.book_cards     book_id | card
                               x@one   | list
                               x@two   | list
    given rules.book_contracts book_id | contract_id
                               x@one   | one
                               x@two   | two
    given accounts.paths       account_id | payer_id | book_id | valid_from | valid_to
                               a          | org      | x@one   | 2026-01-01 | 2026-10-16
                               a          | org      | x@two   | 2026-10-16 | 9999-12-31
                               b          | org      | x@one   | 2026-01-01 | 9999-12-31`;

/** Ten at 5 cents with a fee of 2.00, then one cent each, or all of it where the kind is whole. */
const tiered = (kind: string, more: string) => `
    ${books}
    given rules.rates        rate_id | product
                             r       | p
    given rules.terms        rate_id | tier_scope
                             r       | contract_term
    given rules.charges      rate_id | kind
                             r       | ${kind}
    given rules.charge_tiers rate_id | tier_no | from_quantity | to_quantity | unit_price | flat_fee
                             r       | 1       | 0             | 10          | 5          | 200
                             r       | 2       | 10            | _           | 1          | 0
    ${more}`;
const run = (text: string) => check(priceUsage, withDefaults(text, nightDefaults));

/** What was used before, and now by a under contract one. */
const used = (opening: string, quantity: string) => `
    given rules.openings contract_id | product | meter | quantity
                         one         | p       | m     | ${opening}
                         one         | other   | m     | 7000
                         one         | p       | n     | 7000
    given rated.usage account_id | payer_id | book_id | attributes | rate_id | quantity
                      a          | org      | x@one   | {}         | r       | ${quantity}`;

describe('tiers that count over the term of a contract', () => {
    test.each([
        ['a term that begins', '0', '6', '2.3'],
        ['a term that goes on within a tier: its fee was charged', '4', '5', '0.25'],
        ['from within a tier into the next', '4', '8', '0.32'],
        ['from a bound, which is in the tier below', '10', '3', '0.03'],
        ['to a bound', '4', '6', '0.3'],
        ['with nothing used in the period', '4', '0', '0'],
    ])('graduated: %s', (_what, opening, quantity, amount) =>
        run(`${tiered('slices', used(opening, quantity))}
            then pricing.lines        account_id | quantity    | opening
                                      _          | ${quantity} | ${opening}
            then pricing.line_amounts payer_id | amount
                                      org      | ${amount}
            then pricing.shares       account_id | pool_id | quantity    | amount    | rounded
                                      a          | one     | ${quantity} | ${amount} | ${amount}`),
    );

    test.each([
        ['below the bound', '4', '2', '0.1'],
        // 10 at 5 cents and the fee were 2.50; 12 at one cent are 0.12.
        ['a price that falls for all of it: the difference is given back', '10', '2', '-2.38'],
        ['above the bound', '12', '2', '0.02'],
    ])('volume: %s', (_what, opening, quantity, amount) =>
        run(`${tiered('whole', used(opening, quantity))}
            then pricing.shares account_id | quantity    | amount    | rounded
                                a          | ${quantity} | ${amount} | ${amount}`),
    );

    test('each total is rounded, so that the periods of a term add up to the whole', () =>
        // A unit is 0.5 cents: 3 come to 1.5, rounded 2; 4 to 2: the fourth is charged nothing.
        run(`${tiered('slices', used('3', '1'))}
            given rules.charges      rate_id | amount_scale | rounding_divisor
                                     r       | 3            | 10
            given rules.charge_tiers rate_id | from_quantity | to_quantity | unit_price
                                     r       | 0             | _           | 5
            then pricing.shares      account_id | amount | rounded
                                     a          | 0.005  | 0`));

    test('all accounts of a payer count together, each usage for the contract of its time', () =>
        run(`${tiered(
            'slices',
            `
            given rules.openings contract_id | product | meter | quantity
                                 one         | p       | m     | 4
            given rated.usage account_id | payer_id | book_id | attributes | rate_id | quantity
                              a          | org      | x@one   | {}         | r       | 6
                              b          | org      | x@one   | {}         | r       | 2
                              a          | org      | x@two   | {}         | r       | 5`,
        )}
            then pricing.lines  quantity | opening | service_start | service_end
                                8        | 4       | 2026-10-01    | 2026-11-01
                                5        | 0       | 2026-10-16    | 2026-11-01
            then pricing.shares account_id | pool_id | quantity | amount
                                a          | one     | 6        | 0.24
                                b          | one     | 2        | 0.08
                                a          | two     | 5        | 2.25`));

    test('an opening with decimals is priced to its last one', () =>
        run(`${tiered('slices', used('9.5', '1'))}
            given rules.charges      rate_id | quantity_scale | tier_scale | amount_scale | rounding_divisor
                                     r       | 6              | 6          | 8            | 1000000
            given rules.charge_tiers rate_id | quantity_scale | tier_no | from_quantity | to_quantity | unit_price | flat_fee
                                     r       | 6              | 1       | 0             | 10000000    | 5          | 0
                                     r       | 6              | 2       | 10000000      | _           | 1          | 0
            then pricing.shares      account_id | amount | rounded
                                     a          | 0.03   | 0.03`));
});
