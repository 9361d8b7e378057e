import { expect, test } from 'vitest';
import { paidText } from '../../../src/commands/explain-paid.ts';
import { lineItem } from '../../support/documents.ts';

test('a line says towards what it counts, in money and in units, and which wallets and grants paid it', () => {
    const text = paidText(lineItem({ unit: 'token', currency: 'USD' }), {
        counts: [
            {
                ...{ commitment_id: 'deal/spend', measure: 'amount' },
                ...{ quantity: '1000.000000000000', amount_minor: '1250' },
            },
            {
                ...{ commitment_id: 'deal/volume', measure: 'quantity' },
                ...{ quantity: '1000.500000000000', amount_minor: '1250' },
            },
        ],
        settled: [{ asset: 'TOK', amount_minor: '450' }],
        draws: [
            { grant_id: 'deal/bought', asset: 'USD', drawn: '4', amount: '4.000000000000' },
            { grant_id: 'deal/hello', asset: 'TOK', drawn: '400.000', amount: '4.000000000000' },
        ],
    });
    expect(text).toEqual([
        'counts     12.50 USD towards deal/spend',
        'counts     1000.5 token towards deal/volume',
        'paid       4.50 USD by wallets in TOK',
        'paid       4.00 USD by deal/bought',
        'paid       4.00 USD by deal/hello: 400 TOK',
    ]);
});

test('a line of which nothing was promised says nothing', () => {
    expect(paidText(lineItem(), { counts: [], settled: [], draws: [] })).toEqual([]);
});
