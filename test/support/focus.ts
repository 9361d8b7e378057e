import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { runCase } from '../../fixtures/cases.ts';
import { Engine } from '../../src/duck/engine.ts';
import { quoteText } from '../../src/duck/sql.ts';
import type { Effects } from '../../src/effects.ts';
import type { FocusDataset, FocusVersion } from '../../src/export/focus-columns.ts';
import { type FocusExport, focusExport, writeFocus } from '../../src/run/focus.ts';
import { runPipeline } from '../../src/run/pipeline.ts';
import type { Project } from '../../src/run/project.ts';
import { focusSchema } from '../../src/schema/focus.ts';
import { openState } from '../../src/state/open.ts';
import { type Judged, judge, type RuleModel } from './focus-rules.ts';

/** What the tests say of the seller. */
export const seller = focusSchema.parse({
    ...{ service_provider: 'Acme AI', host_provider: 'Cloud One' },
    service_subcategory: 'Generative AI',
});

/** What of the criteria of the model holds for what tieout exports; docs/focus.md says why. */
export const supported: ReadonlySet<string> = new Set([
    ...['ACCOUNT_NAMING_SUPPORTED', 'SUB_ACCOUNT_SUPPORTED', 'USAGE_MEASUREMENT_SUPPORTED'],
    ...['PUBLIC_PRICE_LIST_SUPPORTED', 'NEGOTIATED_PRICING_SUPPORTED', 'UNIT_PRICING_SUPPORTED'],
    ...['MULTIPLE_PRICING_CATEGORIES_SUPPORTED', 'VIRTUAL_CURRENCY_SUPPORTED'],
    'PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED',
]);

export type CsvRow = Readonly<Record<string, string>>;

/** The export of the period of a project that has run. */
export async function exportOf(
    project: Project,
    effects: Effects,
    period: string,
): Promise<FocusExport> {
    const state = await openState(project, effects);
    try {
        return await focusExport(state, project, seller, period);
    } finally {
        await state.close();
    }
}

/** The exports of a worked example by the name of its runs. */
export async function exportsOfCase(name: string): Promise<ReadonlyMap<string, FocusExport>> {
    const exports = new Map<string, FocusExport>();
    await runCase(name, 2, async (project, effects, options) => {
        const result = await runPipeline(project, effects, options);
        const run = exports.has(options.period) ? `${options.period}-again` : options.period;
        exports.set(run, await exportOf(project, effects, options.period));
        return result;
    });
    return exports;
}

/** Works with the files of an export. */
export async function inFiles<T>(
    exported: Pick<FocusExport, 'datasets'>,
    version: FocusVersion,
    work: (path: (dataset: FocusDataset) => string) => Promise<T> | T,
    format: 'csv' | 'parquet' = 'csv',
): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-focus-'));
    try {
        await writeFocus(exported, { folder, version, format });
        return await work((dataset) => join(folder, `${dataset}.${format}`));
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** The rows of a dataset as its CSV file has them: an empty cell is empty text. */
export function csvRows(
    exported: Pick<FocusExport, 'datasets'>,
    dataset: FocusDataset,
    version: FocusVersion = '1.4',
): Promise<readonly CsvRow[]> {
    return inFiles(exported, version, (path) =>
        parse(readFileSync(path(dataset), 'utf8'), { columns: true }),
    );
}

/** Judges CostAndUsage of an export by a rule model. @param spoil changes the rows before. */
export async function judgeExport(
    exported: Pick<FocusExport, 'datasets'>,
    model: RuleModel,
    spoil = '*',
): Promise<readonly Judged[]> {
    const engine = await Engine.open({
        ...{ file: ':memory:', memory: '1GB', threads: 2, spill: '/tmp' },
    });
    try {
        return await inFiles(exported, '1.2', async (path) => {
            await engine.run(
                `create table focus as select ${spoil} from read_csv(
                    ${quoteText(path('CostAndUsage'))}, all_varchar = true, header = true,
                    delim = ',', quote = '"', escape = '"', allow_quoted_nulls = false)`,
            );
            return judge(engine, 'focus', model, supported);
        });
    } finally {
        engine.close();
    }
}
