import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { sum } from '../../src/report/figures.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import { memoryStore } from '../support/memory-store.ts';
import { besideTiny } from '../support/night.ts';
import { type TestProject, testProject } from '../support/project.ts';
import { lines, tieout, usageLine } from '../support/terminal.ts';

/*
 * Requests of north and north-app count together over the term of a contract that begins on
 * September 15th: 7 in September (one more is before it), 9 in October, of which north-app has 3 and
 * 5. North sells those of north-app on, under a contract that counts by itself.
 */
const jan = '2026-01-01T00:00:00Z';
const begins = '2026-09-15T00:00:00Z';
const account = { currency: 'USD', valid_from: jan };
const accounts = [
    { ...account, account_id: 'north' },
    { ...account, account_id: 'north-app', parent: 'north' },
];
const used: readonly (readonly [string, string, number])[] = [
    ['north', '2026-09-14', 1],
    ['north', '2026-09-15', 4],
    ['north-app', '2026-09-30', 3],
    ['north', '2026-10-01', 4],
    ['north-app', '2026-10-31', 5],
];
const events = used.flatMap(([subject, day, count]) =>
    Array.from({ length: count }, (_, at) => ({
        ...usageLine(1, { input_tokens: 10, output_tokens: 0 }),
        ...{ id: `evt-${day}-${at}`, subject, time: `${day}T0${at}:00:00Z` },
    })),
);

const tiers = [
    { up_to: '5', unit_price: '0.125', flat_fee: '1.007' },
    { up_to: '10', unit_price: '0.0333', flat_fee: '0.5' },
    { up_to: null, unit_price: '0.0021' },
];
const charge = { model: 'graduated', tiers, discounts: [{ percent: '12.5' }] };
const card = (name: string, more: object) =>
    stringify({
        ...{ card: name, version: '1', currency: 'USD' },
        charges: [
            {
                ...{ product: 'requests', meter: 'requests', unit: 'request' },
                ...charge,
                ...more,
                rates: [{ when: {}, from: jan }],
            },
        ],
    });
const contracts = `contracts:
  - contract: north-1
    account: north
    from: ${begins}
    cards: [{ card: term.yaml }]
  - contract: app-1
    account: north-app
    seller: north
    from: ${begins}
    cards: [{ card: term }]
`;

const beside = besideTiny();
const config = parse(beside['tieout.yaml'] ?? '');
const files = {
    ...beside,
    'tieout.yaml': stringify({
        ...config,
        wallets: [{ accounts: 'north', asset: 'USD', shape: 'instant' }],
        meters: [{ meter: 'requests', aggregation: 'count', unit: 'request' }],
        ...{ contracts: 'contracts.yaml', openings: 'openings.csv' },
        rate_card: 'list.yaml',
    }),
    'accounts.json': JSON.stringify(accounts),
    'contracts.yaml': contracts,
    'list.yaml': card('list', {}),
    'term.yaml': card('term', { tier_scope: 'contract_term' }),
    'openings.csv': 'contract,product,meter,quantity\n',
};
// The wallet takes the price of the first tier for each: what terms make of it is repriced.
const debit = ({ id, subject, time }: (typeof events)[number]) => ({
    ...{ entry_id: `ent-${id}`, entry_type: 'capture', asset: 'USD', amount: '0.125' },
    ...{ account_id: subject, booked_at: time, event_id: id },
});
const objects = Map.groupBy(events, ({ time }) => time.slice(0, 10));
const store = memoryStore(
    Object.fromEntries(
        [...objects].flatMap(([day, of]) => [
            [`usage/dt=${day}/0.ndjson`, Buffer.from(lines(of))],
            [`debits/dt=${day}/0.ndjson`, Buffer.from(lines(of.map(debit)))],
        ]),
    ),
);

let project: TestProject;
let september: RunResult;
let october: RunResult;
beforeAll(async () => {
    project = testProject(files, store);
    september = await project.run({ period: '2026-09' });
    project.write(
        'openings.csv',
        'contract,product,meter,quantity\nnorth-1,requests,requests,7\napp-1,requests,requests,3\n',
    );
    october = await project.run({ period: '2026-10' });
});
afterAll(() => project?.remove());

type Row = Readonly<Record<string, string>>;
const csv = (run: RunResult, name: string): readonly Row[] =>
    parseCsv(readFileSync(join(run.run.output, name), 'utf8'), { columns: true, bom: true });
const ofCard = (run: RunResult, name: string) =>
    csv(run, name).filter((row) => row.card === 'term');
const total = (name: string, column: string) =>
    sum([september, october].flatMap((run) => ofCard(run, name).map((row) => row[column] ?? '')));

/** One quote of a quantity at the same tiers. */
async function quoted(quantity: string) {
    const line = { id: 'q', charge, quantity, currency: 'USD' };
    project.write('q.jsonl', `${JSON.stringify(line)}\n`);
    const said = await tieout('quote --file q.jsonl', { cwd: project.folder, store });
    expect(said).toMatchObject({ exit: 0, err: '' });
    return JSON.parse(said.out) as { readonly amount: string; readonly amount_exact: string };
}
const plain = (text: string) => sum([text]);

describe('two months of a term', () => {
    test('come to what one quote of all of it does, exact and to the cent', async () => {
        const { amount, amount_exact } = await quoted('16');
        expect(total('line_items.csv', 'amount_exact')).toBe(plain(amount_exact));
        expect(total('line_items.csv', 'amount')).toBe(plain(amount));
        expect(total('line_items.csv', 'quantity')).toBe(plain('16'));
    });

    test('the second is explained as the total less what was before', async () => {
        const [line] = ofCard(october, 'line_items.csv');
        const said = await tieout(`explain ${line?.line_key} --period 2026-10 --json`, {
            ...{ cwd: project.folder, store },
        });
        expect(said).toMatchObject({ exit: 0, err: '' });
        const [priced] = JSON.parse(said.out).priced;
        const steps: readonly Row[] = priced.steps;
        expect(steps.some(({ step }) => step?.startsWith('less before this period, '))).toBe(true);
        expect(sum(steps.map(({ amount = '' }) => amount))).toBe(priced.amount);
    });

    test('so do the sales of a seller, whose contract counts by itself', async () => {
        const { amount, amount_exact } = await quoted('8');
        expect(total('sale_lines.csv', 'amount_exact')).toBe(plain(amount_exact));
        expect(total('sale_lines.csv', 'amount')).toBe(plain(amount));
    });

    test('what was used before the contract is no part of it', () => {
        expect(
            csv(september, 'line_items.csv')
                .filter(({ line_type }) => line_type === 'usage')
                .map(
                    ({ card: of, account_id, quantity }) =>
                        `${of} ${account_id} ${plain(quantity ?? '')}`,
                )
                .sort(),
        ).toEqual(['list north 1', 'term north 4', 'term north-app 3']);
    });

    test('the tiers of a month are its slice, from where the month before ended', () => {
        const tiersOf = (run: RunResult) =>
            csv(run, 'charge_tiers.csv')
                .filter(({ rate_id = '' }) => rate_id.startsWith('term/'))
                .map(
                    (row) =>
                        `${row.tier_no}: ${plain(row.quantity ?? '')}, ${plain(row.flat_fee ?? '')}`,
                );
        expect(tiersOf(september)).toEqual(['1: 5, 1.007', '2: 2, 0.5']);
        expect(tiersOf(october)).toEqual(['2: 3, 0', '3: 6, 0']);
    });

    test('a month closes with what the next one opens with, sales too', () => {
        const closings = (run: RunResult) =>
            csv(run, 'closings.csv').map((row) => Object.values(row).join());
        expect(closings(september)).toEqual([
            'app-1,requests,requests,,,2026-10,3',
            'north-1,requests,requests,,,2026-10,7',
        ]);
        expect(closings(october)).toEqual([
            'app-1,requests,requests,,,2026-11,8',
            'north-1,requests,requests,,,2026-11,16',
        ]);
    });

    test('a changed opening is another run; without it there is none', async () => {
        project.write(
            'openings.csv',
            'contract,product,meter,quantity\napp-1,requests,requests,3\n',
        );
        await expect(project.run({ period: '2026-10' })).rejects.toThrow(/OPENING_MISSING/);
    });

    test('a worked example is the first usage of a term', async () => {
        const { amount_exact } = await quoted('16');
        const specs = `specs: [{ name: whole, at: ${begins}, meter: requests, quantity: "16", expect: { amount: "${amount_exact}" } }]\n`;
        project.write('list.specs.yaml', specs);
        project.write('term.specs.yaml', specs);
        const said = await tieout('rules test', { cwd: project.folder, store });
        expect(said).toMatchObject({ exit: 0, err: '' });
        expect(said.out).toContain('2 worked examples come out');
    });

    test('rules diff says that it knows no terms', async () => {
        const said = await tieout('rules diff term.yaml list.yaml --period 2026-10', {
            ...{ cwd: project.folder, store },
        });
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toContain('counts over the term of a contract');
    });
});
