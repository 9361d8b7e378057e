import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { quoteText } from '../../src/duck/sql.ts';
import { focusColumns, focusDatasets } from '../../src/export/focus-columns.ts';
import { formatAmount, parseAmount } from '../../src/money/amount.ts';
import type { CsvRow } from '../support/focus.ts';
import { problemsOf } from '../support/focus-datasets.ts';
import { tieout, tinyFiles, tinyProject } from '../support/terminal.ts';

/** Nothing may differ, and the ninth request was never debited: acme is held. */
const strict = (
    focus = 'focus: { service_provider: Acme AI, services: { llm-tokens: Models } }',
) => {
    const files = tinyFiles();
    const config = `${files['tieout.yaml']}`.replace(/^hold:.*\n/m, '');
    return {
        ...files,
        'tieout.yaml': `${config}\nhold: { absolute: "0", percent: "0" }\n${focus}\n`,
    };
};

describe('tieout export focus', () => {
    const project = tinyProject(strict());
    afterAll(project.remove);
    const cwd = project.folder;
    const type = (line: string, ...more: readonly string[]) =>
        tieout([...line.split(' '), '--period', '2026-10', ...more], { cwd });
    const rowsOf = (file: string): readonly CsvRow[] =>
        parse(readFileSync(join(cwd, file), 'utf8'), { columns: true });
    const folder = 'focus-1.4/2026-10';
    beforeAll(async () => {
        await type('run');
    });

    test('a held payer stays out, and the answer says so', async () => {
        const said = await type('export focus');
        expect(said).toMatchObject({ exit: 1, err: '' });
        expect(said.out).toMatch(
            /^held +acme \(Acme\): its lines stay out until they are released$/m,
        );
        expect(rowsOf(`${folder}/CostAndUsage.csv`)).toEqual([]);
        expect(rowsOf(`${folder}/InvoiceDetail.csv`)).toEqual([]);
    });

    test('released, its lines are there: each in InvoiceDetail, its charges in CostAndUsage', async () => {
        await type('release acme --by ada', '--reason', 'agreed');
        const said = await type('export focus');
        expect(said).toMatchObject({ exit: 0, err: '' });
        expect(said.out).toMatch(/^billed +0\.03 USD on 1 invoice with 6 lines$/m);
        expect(readdirSync(join(cwd, folder)).filter((name) => name.endsWith('.csv'))).toEqual(
            focusDatasets.map((of) => `${of}.csv`).sort(),
        );
        const charges = rowsOf(`${folder}/CostAndUsage.csv`);
        expect(charges.map((of) => [of.BilledCost, of.EffectiveCost, of.ServiceName])).toEqual([
            ['0.00', '0.05', 'Models'],
            ['0.03', '0.03', 'Models'],
            ['0.00', '0.01', 'Models'],
            ['0.00', '0.06', 'Models'],
            ['0.00', '0.01', 'Models'],
        ]);
        expect(rowsOf(`${folder}/InvoiceDetail.csv`).map((of) => of.x_LineAmount)).toEqual([
            ...['0.08', '0.01', '-0.06', '0.06', '0.01', '-0.07'],
        ]);
    });

    test('every dataset has its columns, and values that they may have', () => {
        for (const dataset of focusDatasets) {
            const text = readFileSync(join(cwd, folder, `${dataset}.csv`), 'utf8');
            expect(problemsOf(dataset, text)).toEqual([]);
        }
    });

    test('as 1.2 it is CostAndUsage alone, with the names of that version', async () => {
        const said = await type('export focus --version 1.2 --json');
        expect(JSON.parse(said.out)).toMatchObject({
            totals: [{ currency: 'USD', invoice_count: 1, line_count: 6, amount: '0.03' }],
            files: [{ dataset: 'CostAndUsage', row_count: 5 }],
            held: [],
        });
        expect(readdirSync(join(cwd, 'focus-1.2/2026-10'))).toEqual(['CostAndUsage.csv']);
        const [row] = rowsOf('focus-1.2/2026-10/CostAndUsage.csv');
        expect(row).toMatchObject({ ProviderName: 'Acme AI', PublisherName: 'Acme AI' });
        expect(Object.keys(row ?? {})).toEqual(
            focusColumns('CostAndUsage', '1.2').map(({ name }) => name),
        );
    });

    test('as Parquet it says the same, decimals exact and instants in UTC', async () => {
        await type('export focus --format parquet --out pq');
        const engine = await Engine.open({
            ...{ file: ':memory:', memory: '500MB', threads: 1, spill: '/tmp' },
        });
        try {
            for (const dataset of focusDatasets) {
                const file = quoteText(join(cwd, 'pq', `${dataset}.parquet`));
                const types = await engine.describe(`select * from ${file}`);
                expect(types.map(({ name, type: of }) => [name, of])).toEqual(
                    focusColumns(dataset, '1.4').map(({ name, kind }) => [
                        name,
                        kind === 'decimal'
                            ? 'DECIMAL(38,24)'
                            : kind === 'instant'
                              ? 'TIMESTAMP WITH TIME ZONE'
                              : 'VARCHAR',
                    ]),
                );
                const cells = focusColumns(dataset, '1.4').map(({ name, kind }) =>
                    kind === 'instant'
                        ? `strftime("${name}", '%Y-%m-%dT%H:%M:%SZ') as "${name}"`
                        : `cast("${name}" as varchar) as "${name}"`,
                );
                const rows = await engine.rows(`select ${cells.join(', ')} from ${file}`);
                const plain = (row: Readonly<Record<string, unknown>>) =>
                    focusColumns(dataset, '1.4').map(({ name, kind }) =>
                        kind === 'decimal' && row[name]
                            ? formatAmount(parseAmount(String(row[name])))
                            : (row[name] ?? ''),
                    );
                expect(rows.map(plain)).toEqual(rowsOf(`${folder}/${dataset}.csv`).map(plain));
            }
        } finally {
            engine.close();
        }
    });

    test('the same bytes again, into another folder; a closed period says so', async () => {
        await type('export focus --out other');
        for (const dataset of focusDatasets) {
            const bytes = (of: string) => readFileSync(join(cwd, of, `${dataset}.csv`), 'utf8');
            expect(bytes('other')).toBe(bytes(folder));
        }
        expect((await type('close --by ada --with-held', '--reason', 'x')).exit).toBe(0);
        await type('export focus --out closed');
        expect(rowsOf('closed/BillingPeriod.csv')).toEqual([
            {
                ...{ BillingPeriodCreated: '2026-11-05T09:00:00Z', BillingPeriodStatus: 'Closed' },
                ...{ BillingPeriodEnd: '2026-11-01T00:00:00Z', InvoiceIssuerName: 'Acme AI' },
                BillingPeriodLastUpdated: '2026-11-05T09:00:00Z',
                BillingPeriodStart: '2026-10-01T00:00:00Z',
            },
        ]);
        expect(rowsOf('closed/InvoiceDetail.csv')[0]).toMatchObject({
            ...{ InvoiceIssueStatus: 'Issued', InvoiceIssueDate: '2026-11-05T09:00:00Z' },
        });
    });

    test.each([
        ['export focus --version 1.3', /--version 1\.3 is none of 1\.4, 1\.2/],
        ['export focus --format xlsx', /--format xlsx is none of csv, parquet/],
        ['export focus --frmat csv', /unknown option '--frmat'/],
    ])('%s is refused', async (line, why) => {
        const said = await type(line);
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toMatch(why);
        expect(existsSync(join(cwd, 'focus-1.3'))).toBe(false);
    });

    test('the program still says its own version', async () => {
        expect(await tieout('--version', { cwd })).toMatchObject({ exit: 0, out: '0.1.0\n' });
    });
});

describe('what cannot be exported', () => {
    test('a config without a seller', async () => {
        const project = tinyProject();
        const said = await tieout('export focus --period 2026-10', { cwd: project.folder });
        project.remove();
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toMatch(/it has no `focus`/);
        expect(said.err).toMatch(/service_provider/);
    });

    test('a subcategory of another category', async () => {
        const project = tinyProject();
        const focus = 'focus: { service_provider: Acme, service_subcategory: Containers }\n';
        appendFileSync(join(project.folder, 'tieout.yaml'), focus);
        const said = await tieout('export focus --period 2026-10', { cwd: project.folder });
        project.remove();
        expect(said.exit).toBe(2);
        expect(said.err).toMatch(/"Containers" is no subcategory of "AI and Machine Learning"/);
    });

    test('a period that was only reconciled', async () => {
        const project = tinyProject(strict());
        const { folder: cwd } = project;
        await tieout('reconcile --period 2026-10', { cwd });
        const said = await tieout('export focus --period 2026-10', { cwd });
        project.remove();
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toMatch(/the run that speaks for 2026-10 only reconciles/);
    });
});
