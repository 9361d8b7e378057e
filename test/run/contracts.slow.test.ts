import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { runPipeline } from '../../src/run/pipeline.ts';
import { openProject } from '../../src/run/project.ts';
import { besideTiny, oneNight, storeOfDay } from '../support/night.ts';
import { defaults, testProject } from '../support/project.ts';
import { tieout, usageLine } from '../support/terminal.ts';

/*
 * The same usage under three cards: 100,000 tokens in and 10,000 out cost
 *
 *     list    3 and 15 a million    0.30 + 0.15 = 0.45
 *     north   2 and 10 a million    0.20 + 0.10 = 0.30    from the 15th, 12:00
 *     lab     1 a million in        0.10, and nothing prices 10,000 out
 *
 * north-lab is below north and has a contract of its own until the 20th.
 */
const jan = '2026-01-01T00:00:00Z';
const begins = '2026-10-15T12:00:00Z';
const account = { currency: 'USD', valid_from: jan };
const accounts = [
    { ...account, account_id: 'plain' },
    { ...account, account_id: 'north' },
    { ...account, account_id: 'north-app', parent: 'north' },
    { ...account, account_id: 'north-lab', parent: 'north', bill_to: 'self' },
];

const used: readonly (readonly [string, string])[] = [
    ...['plain', 'north', 'north-app', 'north-lab'].flatMap((who) => [
        [who, '2026-10-15T11:59:59.999999Z'] as const,
        [who, begins] as const,
    ]),
    ['north-lab', '2026-10-20T00:00:00Z'],
];
const events = used.map(([subject, time], at) => ({
    ...usageLine(1, { input_tokens: 100_000, output_tokens: 10_000 }),
    ...{ id: `evt-${at}`, subject, time },
}));

/** What the wallets of plain and north took: what the card in force says. */
const debits = ['0.45', '0.45', '0.45', '0.30', '0.45', '0.30'].map((amount, at) => ({
    ...{ entry_id: `ent-${at}`, entry_type: 'capture', asset: 'USD', amount },
    ...{ account_id: used[at]?.[0], booked_at: used[at]?.[1], event_id: `evt-${at}` },
}));

const card = (name: string, prices: Readonly<Record<string, string>>) =>
    stringify({
        ...{ card: name, version: '1', currency: 'USD' },
        charges: [
            {
                ...{ product: 'llm-tokens', meter: 'tokens', model: 'per_unit', unit: 'token' },
                price_per: '1000000',
                rates: Object.entries(prices).map(([token_class, price]) => ({
                    ...{ when: { token_class }, price, from: jan },
                })),
            },
        ],
    });

const contracts = `contracts:
  - contract: north-2026
    account: north
    from: ${begins}
    cards:
      - card: cards/north.yaml
  - contract: lab-trial
    account: north-lab
    from: 2026-10-01T00:00:00Z
    to: 2026-10-20T00:00:00Z
    cards:
      - card: cards/lab.yaml
`;

const beside = besideTiny();
const files = {
    ...beside,
    'tieout.yaml': `${(beside['tieout.yaml'] ?? '').replace('accounts: acme', 'accounts: north')}contracts: contracts.yaml\n`,
    'accounts.json': JSON.stringify(accounts),
    'contracts.yaml': contracts,
    'cards/north.yaml': card('north', { input: '2', output: '10' }),
    'cards/lab.yaml': card('lab', { input: '1' }),
};
const store = storeOfDay('2026-10-15', events, debits);

const night = oneNight(() => testProject(files, store));

async function rowsOf(query: string): Promise<readonly string[]> {
    const rows = await night.engine.rows(query);
    return rows.map((row) =>
        Object.values(row)
            .map((cell) =>
                String(cell)
                    .replace(/(\.\d*?)0+$/, '$1')
                    .replace(/\.$/, ''),
            )
            .join(' | '),
    );
}

describe('a night with contracts', () => {
    test('the same usage costs what the card of its payer says', async () => {
        expect(
            await rowsOf(`select payer_id, sum(amount) as amount from rolled.charges
                group by payer_id order by payer_id`),
        ).toEqual(['north | 1.5', 'north-lab | 0.5', 'plain | 0.9']);
    });

    test('a contract begins at its instant: usage is split there, to the microsecond', async () => {
        expect(
            await rowsOf(`select book_id, sum(event_count) as events, sum(amount) as amount
                from rated.usage where account_id = 'north' group by book_id order by book_id`),
        ).toEqual(['list | 2 | 0.45', 'north | 2 | 0.3']);
        expect(
            await rowsOf(`select card, sum(amount) as amount, max(service_start) as since,
                    max(service_end) as until
                from invoice.line_items where account_id = 'north-app' and line_type = 'usage'
                group by card order by card`),
        ).toEqual([
            `list | 0.45 | 2026-10-01T00:00:00Z | ${begins}`,
            `north | 0.3 | ${begins} | 2026-11-01T00:00:00Z`,
        ]);
    });

    test('a contract of its own takes an account out of that of its parent, until it ends', async () => {
        expect(
            await rowsOf(`select book_id, valid_from, valid_to from accounts.paths
                where account_id = 'north-lab' order by valid_from`),
        ).toEqual([
            'list | 2026-01-01T00:00:00Z | 2026-10-01T00:00:00Z',
            'lab | 2026-10-01T00:00:00Z | 2026-10-20T00:00:00Z',
            'north | 2026-10-20T00:00:00Z | 9999-12-31T00:00:00Z',
        ]);
        expect(
            await rowsOf(`select book_id, sum(amount) as amount from rated.usage
                where account_id = 'north-lab' group by book_id order by book_id`),
        ).toEqual(['lab | 0.2', 'north | 0.3']);
    });

    test('what the cards of a contract do not price is unrated, not taken from the default', async () => {
        expect(
            await rowsOf(`select account_id, book_id, attributes ->> 'token_class' as class,
                sum(quantity) as quantity, code
                from suspense.unrated_usage group by all order by all`),
        ).toEqual(['north-lab | lab | output | 20000 | UNRATED']);
    });

    test('unrated usage holds its payer, debit log or not, and is in a file of its own', async () => {
        expect(
            readFileSync(join(night.result.run.output, 'unrated.csv'), 'utf8').split('\n'),
        ).toEqual([
            'code,payer_id,account_id,product,meter,book_id,attributes,unit,first_on,last_on,quantity,event_count',
            'UNRATED,north-lab,north-lab,,tokens,lab,"{""context_band"":""standard"",""model"":""m1"",""token_class"":""output""}",token,2026-10-15,2026-10-15,20000,2',
            '',
        ]);
        expect(
            await rowsOf(`select payer_id, break_count, unrated_count, recon_status
                from recon.holds order by payer_id`),
        ).toEqual(['north | 0 | 0 | clear', 'north-lab | 0 | 1 | held', 'plain | 0 | 0 | clear']);
        const said = await tieout('run --period 2026-10', { cwd: night.project.folder, store });
        expect(said.exit).toBe(1);
        expect(said.out).toMatch(/^no price {3}some usage of held payers; .*unrated\.csv$/m);
    });

    test('debits at the prices of the contract tie out', async () => {
        expect(
            await rowsOf(`select account_id, rated, debited, unexplained from recon.tie_outs
                where account_id <> 'north-lab' order by account_id`),
        ).toEqual([
            'north | 0.75 | 0.75 | 0',
            'north-app | 0.75 | 0.75 | 0',
            'plain | 0.9 | 0.9 | 0',
        ]);
        const open = await rowsOf(
            "select account_id from recon.breaks where account_id <> 'north-lab'",
        );
        expect(open).toEqual([]);
    });

    test('a line is explained by the events of its own book', async () => {
        const { line_key } = await night.engine.one(
            `select line_key from invoice.line_items
             where account_id = 'north' and card = 'north'
                and (attributes ->> 'token_class') = 'input'`,
        );
        const said = await tieout(`explain ${line_key} --json`, {
            cwd: night.project.folder,
            store,
        });
        expect(said).toMatchObject({ exit: 0, err: '' });
        const { event_count, events: shown } = JSON.parse(said.out);
        expect({ event_count, ids: shown.map((of: { event_id: string }) => of.event_id) }).toEqual({
            event_count: '1',
            ids: ['evt-3'],
        });
    });

    test('cards and contracts are part of what a run is', async () => {
        expect(Object.keys(openProject(`${night.project.folder}/tieout.yaml`).rules)).toEqual(
            expect.arrayContaining(['contracts.yaml', 'cards/lab.yaml', 'cards/north.yaml']),
        );
        night.project.write('cards/lab.yaml', card('lab', { input: '1', output: '4' }));
        const opened = openProject(`${night.project.folder}/tieout.yaml`);
        const again = await runPipeline(opened, night.project.effects, defaults);
        expect(again.isReused).toBe(false);
        expect(again.run.runId).not.toBe(night.result.run.runId);
        night.project.write('cards/lab.yaml', files['cards/lab.yaml']);
        expect((await night.project.run()).isReused).toBe(true);
    });

    test('commands know the cards of contracts', async () => {
        const options = { cwd: night.project.folder, store };
        expect((await tieout('rules check', options)).out).toBe(
            'rates.yaml: 6 rates for 1 product; no overlap, gap or tie\n' +
                'contracts.yaml: 2 contracts, 3 cards in 3 books; no gap, overlap or tie\n',
        );
        night.project.write(
            'cards/north.specs.yaml',
            `specs:
  - { name: a million in, at: ${begins}, meter: tokens, attributes: { token_class: input, model: m1, context_band: standard }, quantity: "1000000", expect: { amount: "2" } }
`,
        );
        const tested = await tieout('rules test', options);
        expect(tested.out).toMatch(/^ok {2}a million input tokens: 3 .*\nok {2}a million in: 2 at/);
        expect(tested.out).toContain('\n2 worked examples come out\n');
        expect((await tieout('plan --period 2026-10', options)).exit).toBe(0);
        const doctor = await tieout('doctor', options);
        expect(doctor.out).toContain('; 9 rates');
    });

    test('a diff of a card is over the usage that it prices', async () => {
        night.project.write('cards/dearer.yaml', card('north', { input: '3', output: '10' }));
        const said = await tieout(
            'rules diff cards/north.yaml cards/dearer.yaml --period 2026-10 --json',
            {
                cwd: night.project.folder,
                store,
            },
        );
        expect(said).toMatchObject({ exit: 0, err: '' });
        const { rows, unrated } = JSON.parse(said.out);
        expect(rows).toMatchObject([
            { payer_id: 'north', old: '0.6', new: '0.8' },
            { payer_id: 'north-lab', old: '0.3', new: '0.4' },
        ]);
        expect(unrated).toEqual([]);
    });
});
