import { cpSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { Engine } from '../../src/duck/engine.ts';
import { type RunResult, runPipeline } from '../../src/run/pipeline.ts';
import { openProject, type Project } from '../../src/run/project.ts';
import { rePrice } from '../../src/run/re-price.ts';
import { fewOf } from '../support/how-many.ts';
import { memoryStore } from '../support/memory-store.ts';
import { defaults, type TestProject, testProject } from '../support/project.ts';
import { lines, raises, tieout, tinyFiles, usageLine } from '../support/terminal.ts';

/*
 * Three accounts without a debit log used something every six hours of five days. What is priced anew
 * from the partials of that run is compared with what is computed from its objects.
 */
const jan = '2026-01-01T00:00:00Z';
const accounts = [
    { account_id: 'plain' },
    { account_id: 'north' },
    { account_id: 'north-app', parent: 'north' },
].map((of) => ({ ...of, currency: 'USD', valid_from: jan }));

const days = ['13', '14', '15', '16', '17'];
const instants = days.flatMap((day) =>
    ['03', '09', '15', '21'].map((hour) => `2026-10-${day}T${hour}:00:00Z`),
);
const events = accounts.flatMap(({ account_id }, who) =>
    instants.map((time, at) => ({
        ...usageLine(1, { input_tokens: 1000 * (at + 1) + who, output_tokens: 100 }),
        ...{ id: `evt-${who}-${at}`, subject: account_id, time },
    })),
);

type Rate = Readonly<Record<string, unknown>>;

/** A card of tokens by class, of requests by the thousand, and of the busiest hour. */
const card = (name: string, tokens: readonly Rate[], rest: readonly Rate[] = []) =>
    stringify({
        ...{ card: name, version: '1', currency: 'USD' },
        charges: [
            {
                ...{ product: 'llm-tokens', meter: 'tokens', model: 'per_unit', unit: 'token' },
                ...{ price_per: '1000000', rates: tokens },
            },
            ...rest,
            {
                ...{ product: 'peak', meter: 'peak', model: 'per_unit', unit: 'token' },
                rates: [{ when: {}, price: '0.00001', from: jan }],
            },
        ],
    });
const tokens = (input: string, output: string, more: Rate = {}) => [
    { when: { token_class: 'input' }, price: input, from: jan, ...more },
    { when: { token_class: 'output' }, price: output, from: jan, ...more },
];
const list = tokens('3', '15');
const contracts = (from: string, north = 'cards/north.yaml') =>
    stringify({
        contracts: [{ contract: 'north', account: 'north', from, cards: [{ card: north }] }],
    });

const tiny = tinyFiles();
const meters = `
  - { meter: peak, event_type: llm.completion, aggregation: max, unit: token, quantity: input_tokens, window: { unit: hour, of: sum } }
  - { meter: outputs, event_type: llm.completion, aggregation: sum, unit: token, quantity: output_tokens }

# What the wallets count`;
const config = (tiny['tieout.yaml'] ?? '')
    .replace('accounts: acme', 'accounts: north')
    .replace('shape: instant', 'shape: aggregated')
    .replace('suspense_percent: "2"', 'suspense_percent: "100"')
    .replace('\n# What the wallets count', meters)
    .replace('rate_card:', 'contracts: contracts.yaml\nrate_card:');
const files: Readonly<Record<string, string>> = {
    ...Object.fromEntries(Object.entries(tiny).filter(([name]) => !name.startsWith('data/'))),
    'tieout.yaml': config,
    'accounts.json': JSON.stringify(accounts),
    'rates.yaml': card('list', list),
    'contracts.yaml': contracts('2026-10-15T12:00:00Z'),
    'cards/north.yaml': card('north', tokens('2', '10')),
};
const store = memoryStore({
    'usage/dt=2026-10-15/0.ndjson': Buffer.from(lines(events)),
    'debits/dt=2026-10-15/0.ndjson': Buffer.from('{}\n'),
});

let project: TestProject;
let source: RunResult;
beforeAll(async () => {
    project = testProject(files, store);
    source = await project.run();
});
afterAll(() => project?.remove());

/** The project with some of its files changed, the state as it was. */
async function changed<T>(
    changes: Readonly<Record<string, string>>,
    work: (opened: Project) => Promise<T>,
): Promise<T> {
    for (const [name, text] of Object.entries(changes)) project.write(name, text);
    try {
        return await work(openProject(join(project.folder, 'tieout.yaml')));
    } finally {
        for (const name of Object.keys(changes)) project.write(name, files[name] ?? '');
    }
}

const fromPartials = (opened: Project) => rePrice(opened, project.effects, defaults);
/** In a state of its own: no other run may take the place of the one that is priced anew. */
const fromObjects = (opened: Project) =>
    runPipeline({ ...opened, state: join(project.folder, '.other') }, project.effects, defaults);

async function tableOf({ run }: RunResult, query: string): Promise<readonly unknown[]> {
    const engine = await Engine.open({
        ...{ file: run.database, memory: '1GB', threads: 1, spill: run.scratch, readOnly: true },
    });
    try {
        return await engine.rows(query);
    } finally {
        engine.close();
    }
}

/** What was metered and what is charged for it: nothing of it knows of debits. */
const rows = async (result: RunResult) => ({
    metered: await tableOf(result, 'select * from metered.usage order by all'),
    charges: await tableOf(result, 'select * from rolled.charges order by all'),
    unrated: await tableOf(result, 'select * from suspense.unrated_usage order by all'),
    lines: await tableOf(
        result,
        "select line_key, amount_minor, unit_price, amount_exact from invoice.line_items where line_type in ('usage', 'fee') order by all",
    ),
});

const at = '2026-10-16T06:00:00Z';
const outputs = { product: 'outputs', meter: 'outputs', unit: 'token' };
const fees = {
    ...{ ...outputs, model: 'percentage' },
    rates: [{ when: {}, from: jan, percent: '10', fixed_fee_per_event: '0.01' }],
};
const steps = [
    { up_to: '1500', unit_price: '0.01' },
    { up_to: null, unit_price: '0.001' },
];
const tiers = {
    ...{ ...outputs, model: 'graduated' },
    rates: [{ when: {}, from: jan, tier_scope: 'pool', tiers: steps }],
};

describe('priced anew as computed from objects', () => {
    type Change = [what: string, files: Readonly<Record<string, string>>, metered: number];
    const changes: readonly Change[] = [
        ['a price', { 'rates.yaml': card('list', tokens('4', '15')) }, 0],
        [
            'a price from within a day on: that day of all accounts is metered from its events',
            {
                'rates.yaml': card('list', [
                    ...tokens('3', '15', { to: at }),
                    ...tokens('5', '15', { from: at }),
                ]),
            },
            3,
        ],
        [
            'a contract begins at another instant of the same day: it is another cut of it',
            { 'contracts.yaml': contracts('2026-10-15T18:00:00Z') },
            2,
        ],
        [
            'a contract begins on another day: two days are cut in another way',
            { 'contracts.yaml': contracts('2026-10-17T06:00:00Z') },
            4,
        ],
        [
            'another card under the contract: its book has another name',
            {
                'contracts.yaml': contracts('2026-10-15T12:00:00Z', 'cards/best.yaml'),
                'cards/best.yaml': card('best', tokens('1', '5')),
            },
            0,
        ],
        ['a class that nothing prices', { 'rates.yaml': card('list', list.slice(0, 1)) }, 0],
        [
            'tiers, which price a month of a pool together',
            { 'rates.yaml': card('list', list, [tiers]) },
            0,
        ],
        [
            'a fee for each event: events are looked at again',
            { 'rates.yaml': card('list', list, [fees]) },
            0,
        ],
    ];

    test.each(fewOf(changes, 2))('%s', async (_what, changes, metered) => {
        const [anew, whole] = await changed(changes, async (opened) => [
            await fromPartials(opened),
            await fromObjects(opened),
        ]);
        expect(await rows(anew)).toEqual(await rows(whole));
        expect(await tableOf(anew, 'select * from cut.days')).toHaveLength(metered);
    });
});

describe('partials that cannot say what comes of it', () => {
    const sentence = (reason: string) =>
        `PARTIALS_UNUSABLE: ${source.run.runId} cannot be priced anew from its partials:\n    ${reason}\n  -> Leave out --partials: the month is then computed from its objects. Nothing was written.\n`;
    const moved = accounts.map((of) =>
        of.account_id === 'north-app' ? { ...of, parent: null } : of,
    );
    const late = accounts.map((of) =>
        of.account_id === 'plain' ? { ...of, valid_from: '2026-10-14T00:00:00Z' } : of,
    );
    const accountsText = (of: readonly object[]) => ({ 'accounts.json': JSON.stringify(of) });
    const inConfig = (from: string, to: string) => ({ 'tieout.yaml': config.replace(from, to) });
    test.each<[string, Readonly<Record<string, string>>, string]>([
        [
            'a meter means something else',
            inConfig('input_tokens - cached_input_tokens', 'input_tokens'),
            'what events come to has changed (`meters`, `derived`, or the SQL of their stages)',
        ],
        [
            'so does a band',
            inConfig('"200000"', '"100000"'),
            'what events come to has changed (`meters`, `derived`, or the SQL of their stages)',
        ],
        [
            'an input is read in another way',
            inConfig('data.cached_input_tokens', 'data.cached'),
            'what is read as usage and debits has changed (`usage`, `debits` of tieout.yaml)',
        ],
        [
            'a tolerance',
            inConfig('"0.0005"', '"0.005"'),
            'how usage is compared with debits has changed (`assets`, `counts`, `tolerances`, `reconcile`, `open_hold_hours`, or its SQL)',
        ],
        [
            'another payer',
            accountsText(moved),
            'north-app: who pays, in what, from which wallet or for which time has changed',
        ],
        [
            'another wallet',
            inConfig('shape: aggregated', 'shape: aggregated\n    funding: postpaid'),
            'north, north-app: who pays, in what, from which wallet or for which time has changed',
        ],
        [
            'an account begins later: what it used before is in suspense then',
            accountsText(late),
            'plain: begin or end at another instant\n    plain: who pays, in what, from which wallet or for which time has changed',
        ],
    ])('PARTIALS_UNUSABLE: %s', async (_what, changes, reason) => {
        await changed(changes, async (opened) => {
            expect(await raises('PARTIALS_UNUSABLE', () => fromPartials(opened))).toBe(
                sentence(reason),
            );
        });
    });

    test('RUN_NOT_FOUND: no run speaks for the month, or its tables are gone', async () => {
        const opened = openProject(join(project.folder, 'tieout.yaml'));
        expect(
            await raises('RUN_NOT_FOUND', () =>
                rePrice(opened, project.effects, { period: '2026-09' }),
            ),
        ).toContain('no run of 2026-09 in');
        const hidden = `${source.run.database}.hidden`;
        renameSync(source.run.database, hidden);
        expect(
            await raises('RUN_NOT_FOUND', () =>
                changed({ 'rates.yaml': card('list', tokens('9', '9')) }, fromPartials),
            ),
        ).toContain('tables.duckdb is gone');
        renameSync(hidden, source.run.database);
    });

    test('RUN_DAMAGED: its tables are not those that its certificate speaks of', async () => {
        const saved = `${source.run.database}.saved`;
        cpSync(source.run.database, saved);
        const engine = await Engine.open({
            ...{ file: source.run.database, memory: '1GB', threads: 1, spill: source.run.scratch },
        });
        await engine.run('update metered.usage set quantity = quantity + 1');
        engine.close();
        const said = raises('RUN_DAMAGED', () =>
            changed({ 'rates.yaml': card('list', tokens('9', '8')) }, fromPartials),
        );
        expect(await said).toContain('metered.usage is not what the certificate says');
        cpSync(saved, source.run.database);
    });
});

describe('a month whose wallets paid', () => {
    let paid: TestProject;
    let first: RunResult;
    let anew: RunResult;
    const objects = Object.entries(tiny).filter(([name]) => name.startsWith('data/'));
    beforeAll(async () => {
        const bucket = Object.fromEntries(
            objects.map(([name, text]) => [name.slice('data/'.length), Buffer.from(text)]),
        );
        paid = testProject(tiny, memoryStore(bucket));
        first = await paid.run();
        const close = '--period 2026-10 --by ada --reason month-end';
        expect(await tieout(`close ${close}`, { cwd: paid.folder })).toMatchObject({ exit: 0 });
        paid.write('rates.csv', (tiny['rates.csv'] ?? '').replaceAll(',,3\n', ',,2\n'));
        anew = await rePrice(openProject(join(paid.folder, 'tieout.yaml')), paid.effects, defaults);
    });
    afterAll(() => paid?.remove());

    const sums = (of: RunResult) =>
        tableOf(
            of,
            'select line_type, sum(amount) as amount from invoice.line_items group by all order by all',
        );

    test('is priced anew although it is closed; what they paid is settled against the new lines', async () => {
        // In 0.075 and 0.06, out 0.0075 and 0.006, each rounded; the ninth request was never debited.
        expect(await sums(first)).toEqual([
            { line_type: 'usage', amount: '0.160000000000' },
            { line_type: 'wallet_settlement', amount: '-0.130000000000' },
        ]);
        // In 0.05 and 0.04 instead. The second was paid 0.06: its invoice owes the rest back.
        expect(await sums(anew)).toEqual([
            { line_type: 'usage', amount: '0.110000000000' },
            { line_type: 'wallet_settlement', amount: '-0.130000000000' },
        ]);
    });

    test('says which run it was made from, and that tie-outs are of its prices', () => {
        const { certificate } = anew;
        expect(certificate.repriced_from).toEqual({
            run_id: first.run.runId,
            run_digest: first.certificate.run_digest,
        });
        expect(anew.run.runId).toMatch(/^2026-10-repriced-[0-9a-f]{12}$/);
        expect(certificate.completeness).toBe(
            `${first.certificate.completeness} Priced anew from the partials of ${first.run.runId}: tie-outs, breaks and what wallets paid are as that run found them, at the prices that were in force then. They are not proved against these charges.`,
        );
        const report = readFileSync(join(anew.run.output, 'report.html'), 'utf8');
        expect(report).toContain(`from the partials of ${first.run.runId}`);
        expect(certificate.tie_outs).toEqual(first.certificate.tie_outs);
        expect(certificate.breaks).toEqual(first.certificate.breaks);
        expect(certificate.inputs).toEqual(first.certificate.inputs);
    });

    test('passes every audit of a night, those of the reconciliation over what was kept', () => {
        const audits = ({ certificate }: RunResult) =>
            certificate.stages
                .filter(({ stage }) => stage !== '31-cut')
                .map((of) => [of.stage, of.audits]);
        expect(audits(anew)).toEqual(audits(first));
        const found = (of: RunResult) =>
            of.certificate.totals.filter(
                ({ stage, relation }) => stage === '70-reconcile' && relation !== 'recon.holds',
            );
        expect(found(anew)).toEqual(found(first));
    });

    test('speaks for nothing, and is not made twice', async () => {
        const log = readdirSync(join(paid.folder, '.tieout/commits'));
        const opened = openProject(join(paid.folder, 'tieout.yaml'));
        const again = await rePrice(opened, paid.effects, defaults);
        expect(again).toMatchObject({ isReused: true, certificate: anew.certificate });
        expect(log).toEqual(['00000001.json', '00000002.json']);
    });
});
