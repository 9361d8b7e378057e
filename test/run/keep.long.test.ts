import { appendFileSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventShape } from '../../src/compile/shape.ts';
import { Engine } from '../../src/duck/engine.ts';
import { quoteList, quoteText } from '../../src/duck/sql.ts';
import { silent } from '../../src/effects.ts';
import { keepBounded } from '../../src/run/keep.ts';
import { basisOf } from '../../src/run/lake.ts';
import { landObjects } from '../../src/run/landing.ts';
import { openProject } from '../../src/run/project.ts';
import type { Certificate } from '../../src/schema/certificate.ts';
import { folderState } from '../../src/state/state.ts';
import { folderStore } from '../../src/store/local.ts';
import {
    debitLine,
    lines,
    type TinyProject,
    tieout,
    tinyProjects,
    usageLine,
} from '../support/terminal.ts';

/* What is kept of rows and runs, and what people see when it lies elsewhere, or not at all. */

const project = tinyProjects();

const month = '--period 2026-10';

async function says({ folder }: TinyProject, line: string | readonly string[]): Promise<string> {
    const { exit, out, err } = await tieout(line, { cwd: folder });
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    return out;
}

interface Night {
    readonly certificate: Certificate;
    readonly lines: string;
}

async function night(of: TinyProject, day: number): Promise<Night> {
    const said = await says(of, `run ${month} --as-of 2026-11-0${day}T00:00:00Z`);
    const output = join(of.folder, /report +(\S+)\/report\.html/.exec(said)?.[1] ?? '');
    const read = (name: string) => readFileSync(join(output, name), 'utf8');
    return { certificate: JSON.parse(read('certificate.json')), lines: read('line_items.csv') };
}

/** `explain` of the first line, as the latest run says it. */
async function explained(of: TinyProject, { lines: text }: Night): Promise<string> {
    return says(of, `explain ${/\b[0-9a-f]{64}\b/.exec(text)?.[0]} ${month}`);
}

const batchesOf = ({ folder }: TinyProject, input = 'gateway') =>
    globSync(join(folder, `.tieout/lake/${input}/*`)).sort();

describe('explain', () => {
    test('says the same when the state folder lies elsewhere', async () => {
        const of = project();
        const first = await night(of, 5);
        const before = await explained(of, first);
        expect(before).toContain('the quantity of the line');
        renameSync(join(of.folder, '.tieout'), join(of.folder, 'restored'));
        const config = readFileSync(join(of.folder, 'tieout.yaml'), 'utf8');
        of.write('tieout.yaml', `${config}\nstate: restored\n`);
        expect(await explained(of, first)).toBe(before);
    });

    test('says which rows are kept no more', async () => {
        const of = project();
        const first = await night(of, 5);
        for (const batch of batchesOf(of)) rmSync(batch, { recursive: true });
        expect(await explained(of, first)).toContain(
            'rows of 2 objects (usage/dt=2026-10-01/0.ndjson, usage/dt=2026-10-02/0.ndjson) are kept no more',
        );
    });
});

/** Lands each object of usage by itself, as so many nights would. */
async function landEach({ folder }: TinyProject): Promise<void> {
    const { config } = openProject(join(folder, 'tieout.yaml'));
    const [input] = config.usage;
    if (!input) throw new Error('the project has usage');
    const scratch = join(folder, 'scratch');
    mkdirSync(scratch);
    const options = { memory: '512MB', threads: 1, spill: scratch };
    const engine = await Engine.open({ file: ':memory:', ...options });
    await engine.run(`attach ${quoteText(join(scratch, 'lines.duckdb'))} as scratch`);
    const store = folderStore(join(folder, 'data'));
    const shape = eventShape(config);
    const basis = basisOf(config, input, 'usage', shape, engine.version);
    const lake = join(folder, '.tieout/lake');
    const landing = { engine, store, config, shape, basis, lake, scratch, progress: silent };
    for await (const entry of store.list('usage/')) {
        await landObjects(landing, input, 'usage', [entry]);
    }
    engine.close();
}

/** Keeps the state folder bounded as of an instant, and gives what that says. */
async function keeps({ folder }: TinyProject, now: string): Promise<readonly string[]> {
    const said: string[] = [];
    const project = openProject(join(folder, 'tieout.yaml'));
    await keepBounded(project, folderState(project.state), {
        now: () => now,
        progress: { ...silent, end: (detail = '') => said.push(detail) },
    });
    return said;
}

describe('many small batches', () => {
    test('become one; nothing that anybody reads changes', async () => {
        const of = project();
        for (let at = 10; at <= 26; at++) {
            const again = usageLine(at % 9 || 9, { input_tokens: at });
            const event = { ...again, id: `evt-${at}` };
            of.write(`data/usage/dt=2026-10-03/${at}.ndjson`, lines([event]));
        }
        await landEach(of);
        const before = batchesOf(of);
        expect(before.length).toBe(19);
        const first = await night(of, 5);
        const [made = '', ...others] = batchesOf(of).filter((batch) => !before.includes(batch));
        expect(others).toEqual([]);
        const text = await explained(of, first);
        // On the next day somebody may still be reading them.
        expect(await keeps(of, '2026-11-06T09:00:00Z')).toEqual([]);
        expect(batchesOf(of).length).toBe(20);
        expect(await keeps(of, '2026-11-07T09:00:00Z')).toEqual([
            expect.stringMatching(/^gateway: deleted batches [0-9a-f]{16}, /),
        ]);
        expect(batchesOf(of)).toEqual([made]);
        expect(await explained(of, first)).toBe(text);
        of.write('data/usage/dt=2026-10-04/0.ndjson', lines([usageLine(3), usageLine(9)]));
        const second = await night(of, 6);
        expect(second.certificate.history.from).toBe(first.certificate.run_id);
        rmSync(join(of.folder, '.tieout'), { recursive: true });
        const once = await night(of, 6);
        expect(second.certificate.run_digest).toBe(once.certificate.run_digest);
    }, 300_000);

    test('stay as they are when one of them is damaged, and that is said', async () => {
        const of = project();
        for (let at = 10; at <= 26; at++) {
            of.write(`data/usage/dt=2026-10-03/${at}.ndjson`, lines([usageLine(3)]));
        }
        await landEach(of);
        const before = batchesOf(of);
        appendFileSync(join(before[7] ?? '', 'rows.parquet'), ' ');
        expect(await keeps(of, '2026-11-06T09:00:00Z')).toEqual([
            expect.stringMatching(/^not done: .+ is not what was written there/),
        ]);
        expect(batchesOf(of)).toEqual(before);
    });
});

describe('what may go', () => {
    test('tables of a run that another replaced; its output stays', async () => {
        const of = project();
        const first = await night(of, 5);
        const second = await night(of, 6);
        const said = await keeps(of, '2027-02-03T09:00:00Z');
        expect(said).toEqual([`deleted the tables of ${first.certificate.run_id}`]);
        const left = (kind: string) => globSync(join(of.folder, `.tieout/runs/*/${kind}`)).length;
        expect([left('*.duckdb'), left('output/certificate.json')]).toEqual([1, 2]);
        expect(await explained(of, second)).toContain('the quantity of the line');
    }, 300_000);

    test('rows that only closed periods counted; the lines of those are still explained', async () => {
        const of = project();
        const first = await night(of, 5);
        const at = async (now: string, line: string) => {
            const said = await tieout(line, { cwd: of.folder, now });
            expect(said).toMatchObject({ exit: 0, err: '' });
        };
        await at('2026-11-06T09:00:00Z', `close ${month}`);
        const time = '2026-11-10T03:00:00Z';
        of.write('data/usage/dt=2026-11-10/0.ndjson', lines([{ ...usageLine(1), time }]));
        of.write(
            'data/debits/dt=2026-11-10/0.ndjson',
            lines([{ ...debitLine(1), booked_at: time }]),
        );
        await at('2026-12-05T09:00:00Z', 'run --period 2026-11');
        expect(await keeps(of, '2027-12-12T09:00:00Z')).toEqual([]);
        await at('2026-12-06T09:00:00Z', 'close --period 2026-11');
        expect(await keeps(of, '2028-01-09T09:00:00Z')).toEqual([]);
        expect(await keeps(of, '2028-01-10T09:00:00Z')).toEqual([
            expect.stringMatching(
                /^gateway: deleted batch [0-9a-f]{16}; \w+: deleted batch [0-9a-f]{16}$/,
            ),
        ]);
        // Of November the next month, which is not closed, may need the rows.
        expect(batchesOf(of).length).toBe(1);
        const text = await explained(of, first);
        expect(text).toContain('kept no more');
        expect(text).toContain('rounded once');
    }, 300_000);
});

/** Everything in the lake as text. */
async function lakeText({ folder }: TinyProject): Promise<string> {
    const options = { memory: '512MB', threads: 1, spill: folder };
    const engine = await Engine.open({ file: ':memory:', ...options });
    const files = globSync(join(folder, '.tieout/lake/{gateway,wallet}*/*/rows.parquet'));
    const rows: string[] = [];
    for (const file of files) {
        const found = await engine.rows(
            `select cast(stored as varchar) as text from read_parquet(${quoteList([file])}) as stored`,
        );
        rows.push(...found.map(({ text }) => String(text)));
    }
    engine.close();
    return rows.join('\n');
}

describe('erase', () => {
    const why = ['--reason', 'ticket 12', '--by', 'ada'];

    test('takes an id out of all rows, and no line changes', async () => {
        const of = project();
        const first = await night(of, 5);
        const erase = ['erase', '--value', 'evt-3', ...why];
        const dry = await says(of, erase);
        expect(dry).toMatch(/rows +2 in 2 batches/);
        expect(dry).toContain('this was a dry run');
        expect(await lakeText(of)).toContain('evt-3');
        const [stand_in = ''] = /erased-[0-9a-f]{16}/.exec(dry) ?? [];
        await says(of, [...erase, '--apply']);
        const text = await lakeText(of);
        expect(text).not.toContain('evt-3');
        expect(text.split(`{"erased":"${stand_in}"}`).length).toBe(3);
        const entry = readFileSync(join(of.folder, '.tieout/commits/00000002.json'), 'utf8');
        expect(JSON.parse(entry)).toMatchObject({ kind: 'erase', stand_in, row_count: 2 });
        expect(entry).not.toContain('evt-3');
        const second = await night(of, 6);
        expect(second.certificate.history).toMatchObject({
            from: null,
            because: 'identifiers were erased from an object',
        });
        expect(second.lines).toBe(first.lines);
        expect(second.certificate.breaks).toEqual(first.certificate.breaks);
        const third = await night(of, 7);
        expect(third.certificate.history.from).toBe(second.certificate.run_id);
        expect(await says(of, [...erase, '--apply'])).toMatch(/rows +0 in 0 batches/);
        for (const known of ['runs', 'commits']) {
            rmSync(join(of.folder, '.tieout', known), { recursive: true });
        }
        const once = await night(of, 7);
        expect(once.certificate.history.from).toBe(null);
        expect(third.certificate.run_digest).toBe(once.certificate.run_digest);
    }, 300_000);

    test('of an account wants the stand-in in the accounts; every amount stays', async () => {
        const of = project();
        const first = await night(of, 5);
        const erase = ['erase', '--account', 'acme-dev', ...why];
        const dry = await says(of, erase);
        expect(dry).toMatch(/named in +accounts\.json/);
        const [stand_in = ''] = /erased-[0-9a-f]{16}/.exec(dry) ?? [];
        const accounts = readFileSync(join(of.folder, 'accounts.json'), 'utf8');
        of.write('accounts.json', accounts.replaceAll('"acme-dev"', JSON.stringify(stand_in)));
        await says(of, [...erase, '--apply']);
        const second = await night(of, 6);
        expect(second.certificate.payers).toEqual(first.certificate.payers);
        expect(second.certificate.suspense).toEqual(first.certificate.suspense);
        const amounts = ({ lines: text }: Night) => text.match(/,\d+\.\d{2},/g)?.sort();
        expect(amounts(second)).toEqual(amounts(first));
        expect(second.lines).toContain(stand_in);
        expect(second.lines).not.toMatch(/,acme-dev,/);
        expect(await lakeText(of)).not.toMatch(/\bacme-dev"/);
    }, 300_000);
});
