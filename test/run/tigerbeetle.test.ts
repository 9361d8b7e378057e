import { expect, test } from 'vitest';
import { acme } from '../support/acme.ts';
import { memoryStore } from '../support/memory-store.ts';
import { csvOf, within } from '../support/night.ts';
import { testProject } from '../support/project.ts';
import { lines } from '../support/terminal.ts';

/*
 * A wallet in TigerBeetle: each event is held in advance and posted for less. What is left of a hold
 * is given back in that instant, whether its post comes in the same night or in the next one.
 */

const files = {
    'tieout.yaml': `
name: tigerbeetle
store: { folder: data }
rate_card: card.yaml
accounts: accounts.yaml
assets: { USD: { kind: currency, precision: 2 } }
usage:
  - { name: gateway, preset: cloudevents, prefix: usage/, quantities: { tokens: data.tokens } }
debits:
  - name: ledger
    preset: tigerbeetle
    prefix: debits/
    wallet_codes: ["1"]
    minor_units: { USD: 2 }
    values: { asset: { "700": USD }, account_id: { "900": acme } }
meters:
  - { meter: tokens, aggregation: sum, quantity: tokens, unit: token }
counts: { used: tokens }
asset_counts: { USD: used }
wallets:
  - { accounts: acme, asset: USD, shape: two_phase }
engine: { memory: 512MB }
`,
    ...acme,
};

const minute = 60_000_000_000n;
const start = BigInt(Date.parse('2026-10-09T00:00:00Z')) * 1_000_000n;

/** Event n used 100 tokens, which is 1.00 USD. */
const used = (n: number) => ({
    ...{ specversion: '1.0', id: `${n}`, source: '/gateway', type: 'llm', subject: 'acme' },
    ...{ time: `2026-10-09T00:0${n}:00Z`, data: { tokens: '100' } },
});

/** A transfer of event n, in minor units: how many, and what of the wallet was posted after it. */
function transfer(n: number, what: 'pending' | 'posted', amount: number, debits_posted: number) {
    const isHold = what === 'pending';
    // The seventh is posted after all others.
    const at = isHold ? BigInt(n) * minute : BigInt(n === 7 ? 9 : n) * minute + 1_000_000_000n;
    const timestamp = String(start + at);
    return {
        ...{ timestamp, type: `two_phase_${what}`, ledger: 700 },
        transfer: {
            ...{ id: isHold ? 1_000 + n : 2_000 + n, amount, timeout: 0, code: 10, timestamp },
            ...{ pending_id: isHold ? 0 : 1_000 + n, user_data_128: `${n}` },
        },
        debit_account: { id: 900, code: 1, debits_posted, credits_posted: 5_000 },
        credit_account: { id: 901, code: 2, debits_posted: 0, credits_posted: debits_posted },
    };
}

/** 1.50 USD are held for each, and 1.00 is posted. */
const settled = [1, 2, 3, 4, 5, 6].flatMap((n) => [
    transfer(n, 'pending', 150, (n - 1) * 100),
    transfer(n, 'posted', 100, n * 100),
]);
const first = {
    'usage/1.ndjson': lines([1, 2, 3, 4, 5, 6, 7, 8].map(used)),
    // The seventh is held and not posted yet; of the eighth too little is.
    'debits/1.ndjson': lines([
        ...settled,
        ...[transfer(7, 'pending', 150, 600), transfer(8, 'pending', 150, 600)],
        transfer(8, 'posted', 60, 660),
    ]),
};
const second = { 'debits/2.ndjson': lines([transfer(7, 'posted', 100, 760)]) };

test('what a post leaves of its hold is given back, night by night as in one', async () => {
    const store = memoryStore(first);
    const nightly = await within(testProject(files, store), async ({ run }) => {
        const one = await run({ as_of: '2026-10-12T00:00:00Z' });
        const early = csvOf(one, 'breaks.csv').map(({ code, event_id }) => `${code} ${event_id}`);
        for (const [key, body] of Object.entries(second)) await store.put(key, body);
        const two = await run({ as_of: '2026-10-13T00:00:00Z' });
        return { early, late: csvOf(two, 'breaks.csv'), history: two.certificate.history };
    });
    expect(nightly.early).toEqual(['AMOUNT_PRICE 8', 'OPEN_HOLD 7']);
    expect(nightly.late.map(({ code, amount }) => [code, amount])).toEqual([
        ['AMOUNT_PRICE', '0.4'],
    ]);
    expect(nightly.history).toMatchObject({ from: expect.stringContaining('2026-10-nightly') });
    const whole = await within(
        testProject(files, memoryStore({ ...first, ...second })),
        async ({ run }) => csvOf(await run({ as_of: '2026-10-13T00:00:00Z' }), 'breaks.csv'),
    );
    expect(whole).toEqual(nightly.late);
});
