import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { caseNames } from '../../fixtures/cases.ts';
import { projectFiles } from '../../fixtures/project.ts';
import { release as letGo } from '../../src/commands/release.ts';
import { type Effects, silent } from '../../src/effects.ts';
import { type FocusDataset, focusDatasets } from '../../src/export/focus-columns.ts';
import { formatAmount, parseAmount } from '../../src/money/amount.ts';
import { sum } from '../../src/report/figures.ts';
import type { FocusExport } from '../../src/run/focus.ts';
import { runPipeline } from '../../src/run/pipeline.ts';
import { openProject } from '../../src/run/project.ts';
import { openStore } from '../../src/store/open.ts';
import {
    type CsvRow,
    csvRows,
    exportOf,
    exportsOfCase,
    inFiles,
    judgeExport,
} from '../support/focus.ts';
import { problemsOf } from '../support/focus-datasets.ts';
import { publicModel, realData } from '../support/focus-rules.ts';
import { defaults, generatedProject } from '../support/project.ts';

/* Every worked example, a generated bucket and a real month as FOCUS: what must hold of any export. */

const model = publicModel();
const nightFolder = join(realData, 'night');
if (!existsSync(nightFolder)) process.stderr.write(`no real month in ${nightFolder}\n`);

const total = (rows: readonly CsvRow[], column: string) =>
    sum(rows.map((row) => row[column] ?? '0'));
const totalsBy = (rows: readonly CsvRow[], key: string, column: string) =>
    Object.fromEntries(
        [...Map.groupBy(rows, (row) => row[key] ?? '')]
            .map(([of, all]) => [of, formatAmount(parseAmount(total(all, column)))] as const)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
    );

async function expectSound(exported: FocusExport): Promise<void> {
    const charges = await csvRows(exported, 'CostAndUsage');
    const details = await csvRows(exported, 'InvoiceDetail');
    const lines: readonly CsvRow[] = exported.lines.map(({ invoice_key, amount }) => ({
        ...{ invoice_key, amount },
    }));
    const billed = charges.filter(({ InvoiceId }) => InvoiceId !== '');
    const invoices = totalsBy(lines, 'invoice_key', 'amount');
    expect(totalsBy(billed, 'InvoiceId', 'BilledCost')).toEqual(invoices);
    expect(totalsBy(details, 'InvoiceId', 'BilledCost')).toEqual(invoices);
    expect(totalsBy(details, 'InvoiceId', 'x_LineAmount')).toEqual(invoices);
    expect(details.map(({ InvoiceDetailId }) => InvoiceDetailId)).toEqual(
        exported.lines.map(({ line_key }) => line_key),
    );
    // Charges of an invoice line are billed for what its row says.
    const byDetail = totalsBy(billed, 'InvoiceDetailId', 'BilledCost');
    for (const row of details) {
        const own = byDetail[row.InvoiceDetailId ?? ''] ?? '0';
        expect(own).toBe(formatAmount(parseAmount(row.BilledCost ?? '')));
    }
    await inFiles(exported, '1.4', (path) => {
        const problems = (dataset: FocusDataset) =>
            problemsOf(dataset, readFileSync(path(dataset), 'utf8'));
        for (const dataset of focusDatasets) expect(problems(dataset)).toEqual([]);
    });
    if (model === null) return;
    const judged = await judgeExport(exported, model);
    expect(judged.filter(({ verdict }) => verdict === 'failed' || verdict === 'blocked')).toEqual(
        [],
    );
    expect(judged).toHaveLength(621);
}

describe('the exports of a case', () => {
    test.each(caseNames)('%s', async (name) => {
        const exports = await exportsOfCase(name);
        expect(exports.size).toBeGreaterThan(0);
        for (const exported of exports.values()) await expectSound(exported);
    });

    /** Usage that prepaid commitments and grants paid, and what of them ended unused, cost what was paid. */
    test.each([
        ['two-grants', '150'],
        ['prepaid-units', '6160'],
    ])('%s: what was paid for its grants was recognised in the end', async (name, cost) => {
        const all = await Promise.all(
            [...(await exportsOfCase(name)).values()].map((of) => csvRows(of, 'CostAndUsage')),
        );
        const ofGrants = all.flat().filter(({ x_GrantId }) => x_GrantId !== '');
        expect(total(ofGrants, 'EffectiveCost')).toBe(cost);
    });
});

test('a generated bucket with every break, held payers apart', async () => {
    const project = generatedProject();
    await project.run();
    const opened = openProject(join(project.folder, 'tieout.yaml'));
    const exported = await exportOf(opened, project.effects, defaults.period);
    project.remove();
    const held = new Set(exported.held.map(({ payer_id }) => payer_id));
    expect(exported.lines.length).toBeGreaterThan(0);
    expect(exported.lines.filter(({ payer_id }) => held.has(payer_id))).toEqual([]);
    await expectSound(exported);
});

describe.skipIf(!existsSync(nightFolder))('a real month', () => {
    test('passes every rule that applies, and its invoices are those of the lines', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'tieout-month-'));
        try {
            const wallets = [
                { accounts: 'org-a', asset: 'USD', shape: 'instant' as const },
                ...([
                    { accounts: 'org-b', asset: 'TOK', shape: 'two_phase', funding: 'postpaid' },
                    { accounts: 'org-c', asset: 'REQ', shape: 'aggregated', funding: 'postpaid' },
                ] as const),
            ];
            const files = projectFiles({ name: 'month', store: { folder: 'data' }, wallets });
            for (const [name, text] of Object.entries(files)) {
                writeFileSync(join(folder, name), text);
            }
            for (const name of ['accounts.json', 'assets.json', 'rates.csv']) {
                cpSync(join(nightFolder, name), join(folder, name));
            }
            for (const name of ['usage', 'debits']) {
                cpSync(join(nightFolder, name), join(folder, 'data', name), { recursive: true });
            }
            const effects: Effects = {
                openStore: async ({ store }, beside) => openStore(store, beside),
                ...{ now: () => '2026-03-05T00:00:00Z', progress: silent },
            };
            const project = openProject(join(folder, 'tieout.yaml'));
            await runPipeline(project, effects, {
                ...{ pipeline: 'nightly', period: '2026-02', as_of: '2026-03-05T00:00:00Z' },
            });
            const context = { effects, environment: {}, configFile: null, cwd: folder };
            const release = { period: '2026-02', by: 'ada', reason: 'all of it is looked at' };
            for (const { payer_id } of (await exportOf(project, effects, '2026-02')).held) {
                await letGo(payer_id, release, context);
            }
            const exported = await exportOf(project, effects, '2026-02');
            expect(exported.held).toEqual([]);
            expect(exported.lines.length).toBeGreaterThan(500);
            expect(new Set(exported.lines.map(({ invoice_key }) => invoice_key)).size).toBe(3);
            const paid = exported.datasets.CostAndUsage.filter(({ x_Asset }) => x_Asset === 'USD');
            expect(paid.length).toBeGreaterThan(50);
            await expectSound(exported);
        } finally {
            rmSync(folder, { recursive: true, force: true });
        }
    });
});
