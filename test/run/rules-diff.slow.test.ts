import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sum } from '../../src/report/figures.ts';
import type { RateDiff } from '../../src/report/rate-diff.ts';
import { moved } from '../../src/report/rate-diff.ts';
import { latestRun } from '../../src/run/books.ts';
import { readTables } from '../../src/run/tables.ts';
import { folderState } from '../../src/state/state.ts';
import { memoryStore } from '../support/memory-store.ts';
import { generatedWorld, type TestProject, testProject } from '../support/project.ts';
import { tieout } from '../support/terminal.ts';

const world = generatedWorld();
let project: TestProject;
const made: TestProject[] = [];

/** A project of the same bucket with other rules files, run for the month. */
async function runWith(files: Readonly<Record<string, string>>): Promise<TestProject> {
    const of = testProject({ ...world.files, ...files }, memoryStore(world.objects));
    made.push(of);
    await of.run();
    return of;
}

/** What a run rated, by payer. */
async function ratedBy({ folder }: TestProject): Promise<Readonly<Record<string, string>>> {
    const engine = await readTables(
        await latestRun(folderState(join(folder, '.tieout')), '2026-10'),
        {
            memory: '1GB',
            threads: 2,
            spill: join(folder, 'spill'),
        },
    );
    try {
        const rows = await engine.rows(
            `select payer_id, trim(sum(amount)::varchar, '0') as amount from rated.usage
             group by payer_id order by payer_id`,
        );
        return Object.fromEntries(
            rows.map(({ payer_id, amount }) => [String(payer_id), String(amount)]),
        );
    } finally {
        engine.close();
    }
}

async function diff(words: string, of = project): Promise<RateDiff> {
    const said = await tieout(`rules diff ${words} --period 2026-10 --json`, { cwd: of.folder });
    expect(said).toMatchObject({ exit: 0, err: '' });
    return JSON.parse(said.out) as RateDiff;
}

const newAmounts = ({ rows }: RateDiff) =>
    Object.fromEntries(rows.map((row) => [row.payer_id, row.new.replace(/^0/, '')]));

/** A card derived from rates.yaml with these rates of its own. */
function derived(head: string, rates: readonly string[] = []): string {
    const charges = `charges:
  - product: llm-output
    meter: tokens
    model: per_unit
    unit: token
    price_per: "1000000"
    rates:
${rates.map((rate) => `      - { ${rate} }`).join('\n')}
`;
    return `card: list\nversion: "2"\ncurrency: USD\nextends: rates.yaml\n${head}\n${rates.length ? charges : ''}`;
}

const output = 'model: aurora-small, token_class: output, context_band: standard';

beforeAll(async () => {
    project = await runWith({});
});
afterAll(() => {
    for (const of of made) of.remove();
});

describe('the amounts', () => {
    test('are those of a run with the other card, to the last digit', async () => {
        const card = derived('markup: { percent: "12.5" }', [
            `when: { ${output} }, price: "3", from: 2026-10-20T00:00:00Z`,
        ]);
        project.write('next.yaml', card);
        const found = await diff('next.yaml');
        expect(found.undecided).toEqual([]);
        expect(found.old).toEqual({ file: 'rates.yaml', card: 'list', version: '1' });
        expect(found.new).toEqual({ file: 'next.yaml', card: 'list', version: '2' });
        const other = await runWith({
            'next.yaml': card,
            'tieout.yaml': (world.files['tieout.yaml'] ?? '').replace(
                'rate_card: rates.yaml',
                'rate_card: next.yaml',
            ),
        });
        // Two products: the overridden rates have one of their own.
        expect(found.rows.map(({ product }) => product)).toContain('llm-output');
        const same = await diff('current current', other);
        const perPayer = Object.fromEntries(
            [...Map.groupBy(found.rows, ({ payer_id }) => payer_id)].map(([payer, rows]) => [
                payer,
                sum(rows.map((row) => row.new)).replace(/^0/, ''),
            ]),
        );
        expect(perPayer).toEqual(await ratedBy(other));
        for (const { payer_id, product, new: amount } of found.rows) {
            const row = same.rows.find((of) => of.payer_id === payer_id && of.product === product);
            expect(row?.old).toBe(amount);
        }
        // The same the other way round, where the metered segments are finer than the old card's.
        const back = await diff('rates.yaml current', other);
        expect(back.rows).toEqual(found.rows);
    });

    test('of the current card are those of the run, and nothing moves', async () => {
        const found = await diff('current current');
        expect(newAmounts(found)).toEqual(await ratedBy(project));
        expect(found.rows.every(({ delta, percent }) => delta === '0' && percent === '0.00')).toBe(
            true,
        );
        expect(found.became_rated).toEqual([]);
        expect(found.became_unrated).toEqual([]);
    });

    test.each([
        ['100', '120', '20', '20.00'],
        ['3', '2', '-1', '-33.33'],
        ['0.000008', '0.00000800001', '0.00000000001', '0.00'],
        ['0', '5', '5', null],
        ['200', '200.01', '0.01', '0.01'],
        ['200', '199.99', '-0.01', '-0.01'],
        ['7', '0', '-7', '-100.00'],
    ])('%s to %s', (old, now, delta, percent) => {
        expect(moved(old, now)).toEqual({ delta, percent });
    });
});

describe('usage without a price', () => {
    test('that loses it or gets it, with what it was or is worth', async () => {
        const [header = '', ...lines] = (world.files['rates.csv'] ?? '').trim().split('\n');
        const fewer = lines.filter((line) => !line.startsWith('lumen-1,output'));
        project.write('fewer.csv', `${[header, ...fewer].join('\n')}\n`);
        project.write(
            'fewer.yaml',
            (world.files['rates.yaml'] ?? '').replace('rates.csv', 'fewer.csv'),
        );
        const gone = await diff('fewer.yaml');
        expect(gone.became_rated).toEqual([]);
        expect(gone.became_unrated.length).toBeGreaterThan(0);
        for (const row of gone.became_unrated) {
            expect(row).toMatchObject({ meter: 'tokens', product: 'llm-tokens', code: 'UNRATED' });
            expect(JSON.parse(row.attributes)).toMatchObject({
                model: 'lumen-1',
                token_class: 'output',
            });
        }
        const back = await diff('fewer.yaml rates.yaml');
        expect(back.became_rated).toEqual(gone.became_unrated);
        // What moves is what is lost.
        const [total] = gone.totals;
        const lost = await diff('current current');
        expect(total?.old).toBe(lost.totals[0]?.old);
        // The generated usage has a model that no card prices.
        expect(gone.unrated.length).toBeGreaterThan(0);
        const { out } = await tieout('rules diff fewer.yaml --period 2026-10', {
            cwd: project.folder,
        });
        expect(out).toContain('Becomes unrated: the new card has no price for it');
        expect(out).toContain('Neither card prices');
    });

    test('because the card is in another currency than the payer', async () => {
        const card = (world.files['rates.yaml'] ?? '').replace('currency: USD', 'currency: EUR');
        project.write('euro.yaml', card);
        const { became_unrated, rows } = await diff('euro.yaml');
        expect(new Set(became_unrated.map(({ code }) => code))).toEqual(new Set(['RATE_CURRENCY']));
        expect(rows.every((row) => row.new === '0')).toBe(true);
    });
});

describe('a price that changes within usage that was metered as one', () => {
    const change = '2026-10-20T12:00:00Z';
    const noon = derived('', [`when: { ${output} }, price: "3", from: ${change}`]);

    test('is not guessed: the usage is named, with the card and the instant', async () => {
        project.write('noon.yaml', noon);
        const found = await diff('noon.yaml');
        expect(found.undecided.length).toBeGreaterThan(0);
        for (const row of found.undecided) {
            expect(row).toMatchObject({ card: 'new', changes_at: [change] });
            expect(JSON.parse(row.attributes)).toMatchObject({ model: 'aurora-small' });
        }
        const { out } = await tieout('rules diff noon.yaml --period 2026-10', {
            cwd: project.folder,
        });
        expect(out).toContain('NOT COMPARED: a price changes within usage');
        const [first] = (await diff('noon.yaml current')).undecided;
        expect(first).toMatchObject({ card: 'old', changes_at: [change] });
    });

    test('is compared after a run with that card', async () => {
        const other = await runWith({
            'noon.yaml': noon,
            'tieout.yaml': (world.files['tieout.yaml'] ?? '').replace(
                'rate_card: rates.yaml',
                'rate_card: noon.yaml',
            ),
        });
        const found = await diff('rates.yaml current', other);
        expect(found.undecided).toEqual([]);
    });

    test('an instant inside a day that changes no price that is asked for is no matter', async () => {
        const same = derived('', [`when: { ${output} }, price: "3.30", from: ${change}`]);
        project.write('same.yaml', same.replace('llm-output', 'llm-tokens'));
        const found = await diff('same.yaml');
        expect(found.undecided).toEqual([]);
        expect(found.rows.every(({ delta }) => delta === '0')).toBe(true);
    });
});

test.each([
    ['rules diff nope.yaml --period 2026-10', 'USAGE: nope.yaml is not a rate card'],
    ['rules diff current --period 2026-09', 'RUN_NOT_FOUND: no finished run of 2026-09'],
    ['rules diff current --period october', 'PERIOD_INVALID: --period october'],
    ['rules diff current', "USAGE: required option '--period"],
    ['rules diff broken.yaml --period 2026-10', 'RULES_INVALID: 1 problem in the rate card'],
    ['rules diff foreign.yaml --period 2026-10', 'UNKNOWN_METER no meter is called "takens"'],
])('%s', async (line, message) => {
    project.write('broken.yaml', derived('').replace('rates.yaml', 'gone.yaml'));
    project.write(
        'foreign.yaml',
        (world.files['rates.yaml'] ?? '').replace('meter: tokens', 'meter: takens'),
    );
    const { exit, err } = await tieout(line, { cwd: project.folder });
    expect(exit).toBe(2);
    expect(err).toContain(message);
});
