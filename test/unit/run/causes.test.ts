import { describe, expect, test } from 'vitest';
import { type CauseFacts, causeFinder } from '../../../src/run/causes.ts';
import type { Changed } from '../../../src/run/evidence.ts';
import type { Cell, LineDifference } from '../../../src/run/line-differences.ts';

const nothing: Changed = { objects: false, prices: false, accounts: false, other: false };
const only = (...names: readonly (keyof Changed)[]): Changed => ({
    ...nothing,
    ...Object.fromEntries(names.map((name) => [name, true])),
});

/** `acct payer old new prices`: 100 -> 120 at 5, or at 5 -> 6; `-` where that side has none. */
function cell(text: string): Cell {
    const [account_id = '', payer_id = '', old = '', now = '', was = '5', is = was] =
        text.split(' ');
    const size = (of: string) => (of === '-' ? '0' : of);
    const price = (of: string, at: string) => (of === '-' ? null : `[${at} USD]`);
    return {
        ...{ account_id, payer_id, meter: 'calls', attributes: '{}' },
        ...{ old_quantity: size(old), new_quantity: size(now) },
        ...{ old_prices: price(old, was), new_prices: price(now, is) },
    };
}

const line = (of: Partial<LineDifference> = {}): LineDifference => ({
    ...{ line_key: 'k', line_type: 'usage', payer_id: 'p', account_id: 'a', product: 'x' },
    ...{ description: 'X', service_start: '', service_end: '', currency: 'USD' },
    ...{ meter: 'calls', attributes: '{}', old_minor: 1n, new_minor: 2n },
    ...{ old_exact: null, new_exact: null },
    ...of,
});
const exact = (quantity: string, unit_price: string, amount_exact: string) => ({
    ...{ quantity, unit_price, amount_exact },
});

type Case = readonly [
    what: string,
    changed: Changed,
    cells: readonly string[],
    of: Partial<LineDifference>,
    causes: string,
    unrated?: string,
];

const cases: readonly Case[] = [
    ['a late event', only('objects'), ['a p 100 120'], {}, 'late_events'],
    ['another price', only('prices'), ['a p 100 100 5 6'], {}, 'rate_change'],
    ['both', only('objects', 'prices'), ['a p 100 120 5 6'], {}, 'late_events+rate_change'],
    [
        'an event late, a card changed that prices others',
        only('objects', 'prices'),
        ['a p 100 120'],
        {},
        'late_events',
    ],
    [
        'the same under terms: the card may be in it',
        only('objects', 'prices'),
        ['a p 100 120'],
        { old_exact: exact('100', '5', '400'), new_exact: exact('120', '5', '470') },
        'late_events+rate_change',
    ],
    [
        'the account moved to another payer',
        only('accounts'),
        ['a p 100 -', 'a q - 100'],
        {},
        're_parenting',
    ],
    [
        'so did its line, with other usage late elsewhere',
        only('objects', 'accounts'),
        ['a p 100 -', 'a q - 100', 'b p 7 9'],
        {},
        're_parenting',
    ],
    [
        'it moved, and some of it is new',
        only('objects', 'accounts'),
        ['a p 100 -', 'a q - 120'],
        {},
        'late_events+re_parenting',
    ],
    [
        'it moved to where it has another price',
        only('accounts'),
        ['a p 100 - 5', 'a q - 100 5 6'],
        {},
        're_parenting',
    ],
    [
        'it is shown in the lines of another account',
        only('accounts'),
        ['a p 100 -', 'b p - 100'],
        {},
        're_parenting',
    ],
    [
        'late, and accounts changed elsewhere',
        only('objects', 'accounts'),
        ['a p 100 120'],
        {},
        'late_events',
    ],
    [
        'what moves without a change of accounts is late',
        only('objects'),
        ['a p 100 90', 'b p 10 20'],
        {},
        'late_events',
    ],
    ['metered in another way', only('other'), ['a p 100 120'], {}, 'rule_fix'],
    [
        'late, or metered in another way',
        only('objects', 'other'),
        ['a p 100 120'],
        {},
        'late_events+rule_fix',
    ],
    ['without a price before', only('prices'), ['a p - 100'], {}, 'rate_change', 'p'],
    [
        'without a price before, and late',
        only('objects', 'prices'),
        ['a p - 100'],
        {},
        'late_events+rate_change',
        'p',
    ],
    ['the pool of the payer has a late event', only('objects'), ['b p 7 9'], {}, 'late_events'],
    [
        'the pool has, and the card changed',
        only('objects', 'prices'),
        ['b p 7 9'],
        {},
        'late_events+rate_change',
    ],
    [
        'a line of a wallet: its debit was late',
        only('objects', 'prices'),
        [],
        { line_type: 'wallet_settlement' },
        'late_events+rate_change',
    ],
    [
        'a line of a commitment follows the usage',
        only('objects'),
        ['a p 1 2'],
        { line_type: 'true_up' },
        'late_events',
    ],
    ['another commitment', only('prices'), [], { line_type: 'true_up' }, 'rate_change'],
    [
        'a fee: no event makes one',
        only('objects', 'prices'),
        ['a p 1 2'],
        { line_type: 'fee' },
        'rate_change',
    ],
    ['openings or code', only('other'), [], {}, 'rule_fix'],
    ['nothing is known to have changed', nothing, [], {}, 'rule_fix'],
    [
        'what the month bills of another',
        only('objects', 'prices'),
        [],
        { line_type: 'credit_adjustment' },
        'correction',
    ],
];

describe('the cause of a difference', () => {
    const filled = cases.map(([what, changed, cells, of, expected, unrated = '']) => {
        return [what, changed, cells, of, expected, unrated] as const;
    });
    test.each(filled)('%s', (_what, changed, cells, of, expected, unrated) => {
        const facts: CauseFacts = {
            changed,
            cells: cells.map(cell),
            unrated: new Set(unrated ? [unrated] : []),
        };
        expect(causeFinder(facts)(line(of))).toBe(expected);
    });
});
