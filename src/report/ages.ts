import { compareText } from '../export/order.ts';
import { ageBuckets } from '../items/age.ts';
import type { OpenItem } from '../schema/item.ts';
import type { AgeTotal } from '../schema/report.ts';
import { magnitude } from './figures.ts';
import { sumsBy } from './headline.ts';

/** Open items by code and age, codes in their order and the youngest of each first. */
export function ageTotals(items: readonly OpenItem[]): readonly AgeTotal[] {
    const open = items.filter(({ status }) => status === 'open');
    const groups = Map.groupBy(open, (of) => JSON.stringify([of.code, of.age_bucket]));
    return [...groups.values()]
        .map(([first, ...rest]) => ({
            code: first!.code,
            age_bucket: first!.age_bucket,
            item_count: 1 + rest.length,
            money: moneyOf([first!, ...rest]),
        }))
        .sort(
            (a, b) =>
                compareText(a.code, b.code) ||
                ageBuckets.indexOf(a.age_bucket) - ageBuckets.indexOf(b.age_bucket),
        );
}

/** What items come to by currency, without their signs; those without a price are in none. */
export function moneyOf(items: Iterable<Pick<OpenItem, 'currency' | 'money_amount'>>) {
    return sumsBy(items, ({ currency, money_amount }) => ({
        unit: currency,
        amount: money_amount === null ? null : magnitude(money_amount),
    }));
}
