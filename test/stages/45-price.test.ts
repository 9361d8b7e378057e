import { describe, expect, test } from 'vitest';
import { price } from '../../pipelines/45-price/stage.ts';
import { auditRows, check } from '../support/table.ts';

/** Quantities and amounts in whole units: what units they are is the caller's business. */
const charge = (kind: string, more = '') => `
    given pricing.charges line_id | kind | is_clamped | conversion_factor | conversion_divisor | conversion_step | conversion_rounding | included | is_included_whole | is_zero_charged | fixed_fee | rounding_divisor | rounding_mode
                          l | ${kind} | false | 1 | 1 | 1 | half_away | 0 | false | false | 0 | 100 | half_away
    given pricing.tiers   line_id | tier_no | from_quantity | to_quantity | unit_price | flat_fee
                          l       | 1       | 0             | 10          | 500        | 20000
                          l       | 2       | 10            | _           | 100        | 0
    ${more}`;

describe('45-price', () => {
    test('graduated: every slice at its own price, and the fee of each tier entered', () =>
        check(
            price,
            `${charge('slices')}
            given pricing.usages       line_id | group_id | quantity
                                       l       | g        | 25
            then  pricing.tier_amounts tier_no | quantity | flat_fee | amount
                                       1       | 10       | 20000    | 25000
                                       2       | 15       | 0        | 1500
            then  pricing.amounts      exact | rounded
                                       26500 | 265
        `,
        ));

    test('volume: all of it at the price of the tier that it falls in', () =>
        check(
            price,
            `${charge('whole')}
            given pricing.usages       line_id | group_id | quantity
                                       l       | g        | 25
            then  pricing.tier_amounts tier_no | quantity | amount
                                       2       | 25       | 2500
        `,
        ));

    test('discounts leave a share, then less a sum, and never go below zero', () =>
        check(
            price,
            `${charge('whole')}
            given pricing.usages     line_id | group_id | quantity
                                     l       | g        | 25
            given pricing.discounts  line_id | position | factor | subtrahend
                                     l       | 1        | 90     | 0
                                     l       | 2        | 1      | 225001
            then  pricing.discounted amount
                                     0
        `,
        ));

    test('slices-add-up-to-the-quantity fails when a slice is lost', async () => {
        const world = (quantity: string) => `${charge('slices')}
            given pricing.quantities   line_id | group_id | quantity
                                       l       | g        | 25
            given pricing.tier_amounts line_id | group_id | tier_no | quantity
                                       l       | g        | 1       | ${quantity}`;
        expect(await auditRows(price, 'slices-add-up-to-the-quantity', world('24'))).toBe(1);
        expect(await auditRows(price, 'slices-add-up-to-the-quantity', world('25'))).toBe(0);
    });
});
