import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import { type Column, defineTable, type Table, typed } from '../duck/table.ts';
import { type Column as CsvColumn, toCsv } from '../export/csv.ts';
import { focusCharges } from '../export/focus-charges.ts';
import {
    type FocusColumn,
    type FocusDataset,
    type FocusRow,
    type FocusVersion,
    focusColumns,
    focusDatasets,
} from '../export/focus-columns.ts';
import { focusCommitments } from '../export/focus-commitments.ts';
import type { FocusFacts } from '../export/focus-facts.ts';
import { focusBillingPeriods, focusInvoiceDetails } from '../export/focus-invoices.ts';
import type { FocusConfig } from '../schema/focus.ts';
import type { PayerStanding } from '../schema/item.ts';
import type { State } from '../state/state.ts';
import { inBilled } from './billed.ts';
import { readFocusFacts } from './focus-facts.ts';
import { writeWhole } from './folders.ts';
import type { Project } from './project.ts';

export type FocusFormat = 'csv' | 'parquet';

/** The rows of all datasets of a period, and who stays out of them. */
export interface FocusExport {
    readonly run_id: string;
    readonly datasets: Readonly<Record<FocusDataset, readonly FocusRow[]>>;
    readonly lines: FocusFacts['lines'];
    readonly held: readonly PayerStanding[];
}

/**
 * What the run that speaks for a period bills, as FOCUS datasets: lines of held payers stay out unless
 * they were released.
 * @throws RunError RUN_NOT_FOUND, OUTPUT_CHANGED, RUN_OUTDATED, STATE_DAMAGED, STORE_*
 */
export async function focusExport(
    state: State,
    project: Project,
    config: FocusConfig,
    period: string,
): Promise<FocusExport> {
    return inBilled(
        state,
        project,
        period,
        async (engine, { run, held, entered_at, closed_at }) => {
            const facts = await readFocusFacts(engine, project, config, {
                held: new Set(held.map(({ payer_id }) => payer_id)),
                period: { created_at: entered_at, closed_at, updated_at: closed_at ?? entered_at },
            });
            return { run_id: run.runId, datasets: datasetsOf(facts), lines: facts.lines, held };
        },
    );
}

function datasetsOf(facts: FocusFacts): FocusExport['datasets'] {
    const charges = focusCharges(facts);
    return {
        CostAndUsage: charges,
        InvoiceDetail: focusInvoiceDetails(facts, charges),
        ContractCommitment: focusCommitments(facts),
        BillingPeriod: focusBillingPeriods(facts),
    };
}

/** A file that was written. */
export interface FocusFile {
    readonly dataset: FocusDataset;
    readonly file: string;
    readonly row_count: number;
}

/** Writes the datasets that a version has into a folder, one file each. */
export async function writeFocus(
    { datasets }: Pick<FocusExport, 'datasets'>,
    { folder, version, format }: FocusTarget,
): Promise<readonly FocusFile[]> {
    mkdirSync(folder, { recursive: true });
    const files: FocusFile[] = [];
    for (const dataset of focusDatasets) {
        const columns = focusColumns(dataset, version);
        if (columns.length === 0) continue;
        const file = join(folder, `${dataset}.${format}`);
        const rows = datasets[dataset];
        if (format === 'csv') writeWhole(file, toCsv(rows, columns.map(csvColumn)));
        else await writeParquet(file, rows, columns);
        files.push({ dataset, file, row_count: rows.length });
    }
    return files;
}

export interface FocusTarget {
    readonly folder: string;
    readonly version: FocusVersion;
    readonly format: FocusFormat;
}

function csvColumn({ name, kind }: FocusColumn): CsvColumn<FocusRow> {
    return {
        header: name,
        kind: kind === 'decimal' ? 'decimal' : 'text',
        value: (row) => row[name] ?? null,
    };
}

/** Holds quantity x price exactly: 12 decimals each. */
const types: Readonly<Record<FocusColumn['kind'], string>> = {
    text: 'VARCHAR',
    json: 'VARCHAR',
    decimal: 'DECIMAL(38,24)',
    instant: 'TIMESTAMP WITH TIME ZONE',
};

const ROWS_AT_ONCE = 5_000;

async function writeParquet(
    file: string,
    rows: readonly FocusRow[],
    columns: readonly FocusColumn[],
): Promise<void> {
    const engine = await Engine.open({
        ...{ file: ':memory:', memory: '1GB', threads: 1 },
        spill: join(tmpdir(), `tieout-focus-${process.pid}`),
    });
    const unfinished = `${file}.partial`;
    try {
        const table = tableOf(columns);
        const declared = columns.map(
            ({ name, kind, nullable }) => `"${name}" ${types[kind]}${nullable ? '' : ' not null'}`,
        );
        await engine.run(`create table ${table.name} (no bigint, ${declared.join(', ')})`);
        for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
            const some = rows.slice(at, at + ROWS_AT_ONCE);
            await engine.insert(
                table,
                some.map((row, index) => ({ no: BigInt(at + index), ...row })) as never,
            );
        }
        rmSync(unfinished, { force: true });
        await engine.run(
            `copy (select * exclude (no) from ${table.name} order by no)
            to ${quoteText(unfinished)} (format parquet, compression zstd)`,
        );
        renameSync(unfinished, file);
    } finally {
        engine.close();
    }
}

/** Rows of a dataset as the engine takes them, with their place. */
function tableOf(columns: readonly FocusColumn[]): Table {
    const entries = columns.map(({ name, kind }): [string, Column] => [
        name,
        typed(types[kind], name),
    ]);
    return defineTable('main.rows', {
        comment: 'Rows of a dataset.',
        grain: ['no'],
        columns: { no: typed('BIGINT', 'Place.'), ...Object.fromEntries(entries) },
    });
}
