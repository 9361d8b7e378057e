import { expect, test } from 'vitest';
import { otherText } from '../../../src/commands/explain-other.ts';
import { lineItem } from '../../support/documents.ts';

const none = { commitments: [], balances: [], draws: [], payments: [] };

test('a consumed balance is explained by its grant and what it paid for', () => {
    const line = lineItem({
        ...{ line_type: 'balance_consumed', description: 'Balance consumed: Welcome' },
        ...{ amount: '-4.00', grant_id: 'c/welcome', asset: 'TOK', asset_amount: '400' },
    });
    const text = otherText({
        ...{ ...none, run_id: 'run', line },
        balances: [
            {
                ...{ grant_id: 'c/welcome', asset: 'TOK', opening: '1000.000', granted: '0' },
                ...{ drawn: '400.0', expired: '0', closing: '600' },
            },
        ],
        draws: [
            {
                ...{ drawn: '400', amount: '4.00', currency: 'USD', line_key: 'ab'.repeat(32) },
                ...{ account_id: 'team', balance: '600' },
            },
        ],
    });
    expect(text.split('\n').slice(3)).toEqual([
        'what       Balance consumed: Welcome',
        'amount     -4.00 USD, a line of type balance_consumed',
        'grant      c/welcome, in TOK: opening 1000, granted 0, drawn 400, expired 0, closing 600',
        'draws      400 for 4 USD of line abababababab, used by team; 600 left',
        '',
    ]);
});

test('a settlement is explained by the wallets that paid', () => {
    const line = lineItem({ line_type: 'wallet_settlement', amount: '-5.01', asset: 'USD' });
    const text = otherText({
        ...{ ...none, run_id: 'run', line },
        payments: [
            {
                ...{ asset_amount: '5.0050', asset: 'USD', rate: '1', account_id: 'team' },
                ...{ amount: '5.005', currency: 'USD' },
            },
        ],
    });
    expect(text).toContain('paid       5.005 USD at 1 from the wallet of team: 5.005 USD\n');
});

const inMoney = {
    ...{ commitment_id: 'c/year', window_start: '2026-01-01T00:00:00Z', currency: 'USD' },
    ...{ window_end: '2027-01-01T00:00:00Z', committed: '1000', counted: '420' },
    ...{ counted_before: '300', shortfall: '580', above: '-580', meter: null },
    ...{ shortfall_price: null, overage_factor: null, overage_unit_price: null },
};
const inUnits = { ...inMoney, meter: 'gpu', shortfall_price: '1.50' };

/** How the line of a commitment came to its amount. */
function pricedOf(line_type: 'true_up' | 'overage', row: typeof inMoney | typeof inUnits) {
    const line = lineItem({ line_type, commitment_id: 'c/year' });
    const text = otherText({ ...{ ...none, run_id: 'run', line }, commitments: [row] });
    return text.split('\n').find((of) => of.startsWith('priced '));
}

test.each([
    ['true_up', inMoney, undefined],
    ['true_up', inUnits, 'priced     580 gpu lacking, at 1.5 USD each'],
    [
        'overage',
        { ...inMoney, counted: '1300', above: '300', overage_factor: '1.250' },
        'priced     300 USD above in this period, of all products, cost 1.25 times their price; the line is what that adds',
    ],
    [
        'overage',
        { ...inUnits, counted: '1300', above: '300', overage_unit_price: '2.5' },
        'priced     300 gpu above in this period, of all products, cost 2.5 USD each; the line is what that adds',
    ],
] as const)('%s is priced as its commitment says, case %#', (line_type, row, text) => {
    expect(pricedOf(line_type, row as typeof inMoney)).toBe(text);
});

test('a true-up is explained by its commitment', () => {
    const line = lineItem({ line_type: 'true_up', amount: '580.00', commitment_id: 'c/year' });
    const text = otherText({ ...{ ...none, run_id: 'run', line }, commitments: [inMoney] });
    expect(text).toContain(
        'commitment c/year, 2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z: 1000 promised, 420 counted (300 before the period), 580 lacking\n',
    );
});
