import { stringify } from 'yaml';
import { besideTiny, storeOfDay } from '../support/night.ts';
import { usageLine } from '../support/terminal.ts';

/*
 * The operator sells to dist, dist to three resellers, and they to their customers. Input tokens only:
 * a million cost
 *
 *     the operator's rate_card   3     nobody here
 *     wholesale                  1     the operator to dist, who pays for all of them
 *     dealer                     2     dist to r1, r2 and r3
 *     retail                     4     r1 to a and b, r2 to c
 *     retail-r3                  5     r3 to d, from the 15th; before that r3 uses d's tokens itself
 *
 * Millions used: a 1, b 2, c 3, d 1 before and 1 after the 15th, r1 itself 1, dist itself 1: 10.
 *
 *     dist  buys 10 x 1 = 10, of it 1 for itself; sells 9 x 2 = 18; keeps 18 - 9 = 9
 *     r1    buys 4 x 2 = 8, of it 2 for itself; sells 3 x 4 = 12; keeps 12 - 6 = 6
 *     r2    buys 3 x 2 = 6; sells 3 x 4 = 12; keeps 6
 *     r3    buys 2 x 2 = 4; sells 1 x 5 = 5; d's million before the 15th is a cost of d: keeps 1
 */
export const jan = '2026-01-01T00:00:00Z';
const account = { currency: 'USD', valid_from: jan };
const below = (parent: string, ...ids: readonly string[]) =>
    ids.map((account_id) => ({ ...account, account_id, parent }));
export const accounts = [
    { ...account, account_id: 'dist' },
    ...below('dist', 'r1', 'r2', 'r3'),
    ...below('r1', 'a', 'b'),
    ...below('r2', 'c'),
    ...below('r3', 'd'),
];
const used: readonly (readonly [string, number])[] = [
    ...(['a:1', 'b:1', 'b:2', 'c:1', 'c:2', 'c:3', 'd:1', 'd:20', 'r1:1', 'dist:1'] as const).map(
        (of) => [of.split(':')[0] ?? '', Number.parseInt(of.split(':')[1] ?? '', 10)] as const,
    ),
];
// Ten events of 100,000 tokens are a million, in the band of standard prices.
const events = used.flatMap(([subject, day], at) =>
    Array.from({ length: 10 }, (_, part) => ({
        ...usageLine(1, { input_tokens: 100_000, output_tokens: 0 }),
        ...{ id: `evt-${at}-${part}`, subject },
        time: `2026-10-${String(day).padStart(2, '0')}T0${part}:00:00Z`,
    })),
);

export const card = (name: string, price: string) =>
    stringify({
        ...{ card: name, version: '1', currency: 'USD' },
        charges: [
            {
                ...{ product: 'tokens', meter: 'tokens', model: 'per_unit', unit: 'token' },
                price_per: '1000000',
                rates: [{ when: { token_class: 'input' }, price, from: jan }],
            },
        ],
    });
const contract = (id: string, of: string, seller: string | null, name: string, from = jan) => ({
    ...{ contract: id, account: of, from, cards: [{ card: `cards/${name}.yaml` }] },
    ...(seller ? { seller } : {}),
});
const contracts = [
    contract('supply', 'dist', null, 'wholesale'),
    ...['r1', 'r2', 'r3'].map((of) => contract(`dealer-${of}`, of, 'dist', 'dealer')),
    ...['a', 'b'].map((of) => contract(`retail-${of}`, of, 'r1', 'retail')),
    contract('retail-c', 'c', 'r2', 'retail'),
    contract('retail-d', 'd', 'r3', 'retail-r3', '2026-10-15T00:00:00Z'),
];

export const beside = besideTiny();
export const files = {
    ...beside,
    'tieout.yaml': `${(beside['tieout.yaml'] ?? '').replace('accounts: acme', 'accounts: dist')}contracts: contracts.yaml\n`,
    'accounts.json': JSON.stringify(accounts),
    'contracts.yaml': stringify({ contracts }),
    'cards/wholesale.yaml': card('wholesale', '1'),
    'cards/dealer.yaml': card('dealer', '2'),
    'cards/retail.yaml': card('retail', '4'),
    'cards/retail-r3.yaml': card('retail-r3', '5'),
};
const debits = events.map(({ id, subject, time }) => ({
    ...{ entry_id: `ent-${id}`, entry_type: 'capture', asset: 'USD', amount: '0.1' },
    ...{ account_id: subject, booked_at: time, event_id: id },
}));
export const store = storeOfDay('2026-10-01', events, debits);
