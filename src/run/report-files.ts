import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../duck/engine.ts';
import { quoteName, quoteText } from '../duck/sql.ts';
import { itemsCsv } from '../export/items.ts';
import { canonicalJson, type JsonValue } from '../export/json.ts';
import { threeWayCsv, wayRows } from '../export/three-way.ts';
import type { ReportModel } from '../report/model.ts';
import { renderPage } from '../report/page.ts';
import { makeFolders, writeWhole } from './folders.ts';

/** A table for BI: what it is called, its columns with their types, and its rows as text. */
interface Table {
    readonly name: string;
    readonly columns: Readonly<Record<string, string>>;
    readonly rows: readonly object[];
}

/**
 * Writes a report into a folder, made if need be: the page, the same as JSON, the items and the
 * three ways as CSV, and tables for BI as Parquet. The same model gives the same bytes.
 * @returns the names of the files, in the order to look at them.
 */
export async function writeReport(folder: string, model: ReportModel): Promise<readonly string[]> {
    makeFolders(folder);
    const texts = {
        'report.html': await renderPage(model),
        'report.json': `${canonicalJson(documentOf(model))}\n`,
        'items.csv': itemsCsv(model.items),
        'three_way.csv': threeWayCsv(model.three_way.rows),
    };
    for (const [name, text] of Object.entries(texts)) writeWhole(join(folder, name), text);
    const tables = tablesOf(model);
    await writeTables(folder, tables);
    return [...Object.keys(texts), ...tables.map(({ name }) => `${name}.parquet`)];
}

/** Everything of the page. Lines are not: there may be very many, and line_items.parquet has them. */
function documentOf({ lines, ...model }: ReportModel): JsonValue {
    const document = { document: 'tieout/report/1', line_count: lines.length, ...model };
    return document as unknown as JsonValue;
}

const exact = 'DECIMAL(38, 24)';
const text = 'VARCHAR';
const whole = 'BIGINT';
const instant = 'TIMESTAMPTZ';

function tablesOf(model: ReportModel): readonly Table[] {
    const { payers, standing, items, tie_outs, three_way } = model;
    const stands = new Map(standing.map((of) => [JSON.stringify([of.payer_id, of.currency]), of]));
    return [
        {
            name: 'items',
            columns: {
                ...{ period: text, break_id: text, code: text, break_key: text, status: text },
                ...{
                    owner: text,
                    accepted_by: text,
                    age_days: whole,
                    age_bucket: text,
                    payer_id: text,
                },
                ...{ account_id: text, asset: text, amount: exact, money_amount: exact },
                ...{ currency: text, first_at: instant, first_seen_at: instant },
                ...{ first_seen_run: text, last_seen_at: instant, cleared_at: instant },
                ...{ cleared_by: text, reopened_because: text, proposed_by: text },
                ...{ note_count: whole },
            },
            rows: items.map(({ notes, proposed, ...of }) => {
                return { ...of, proposed_by: proposed?.by ?? null, note_count: notes.length };
            }),
        },
        {
            name: 'tie_outs',
            columns: {
                ...{ payer_id: text, account_id: text, asset: text, status: text, rated: exact },
                ...{ debited: exact, difference: exact, broken: exact, rounding: exact },
                ...{ repriced: exact, unexplained: exact },
            },
            rows: tie_outs,
        },
        {
            name: 'payers',
            columns: {
                ...{ payer_id: text, payer_name: text, currency: text, line_count: whole },
                ...{ amount_exact: exact, amount: exact, break_count: whole, break_money: exact },
                ...{ open_count: whole, open_money: exact, hold_limit: exact },
                ...{ unrated_count: whole, recon_status: text, standing: text },
            },
            rows: payers.map((payer) => ({
                ...payer,
                ...stands.get(JSON.stringify([payer.payer_id, payer.currency])),
            })),
        },
        {
            name: 'three_way',
            columns: {
                ...{ payer_id: text, payer_name: text, product: text, asset: text },
                ...{ target: text, step_no: whole, step: text, code: text, amount: exact },
            },
            rows: wayRows(three_way.rows),
        },
    ];
}

/** Rows go through the engine as text and are cast once: no amount is ever a floating number. */
async function writeTables(folder: string, tables: readonly Table[]): Promise<void> {
    const scratch = mkdtempSync(join(folder, '.tables-'));
    const engine = await Engine.open({
        ...{ file: ':memory:', memory: '512MB', threads: 1, spill: join(scratch, 'spill') },
    });
    try {
        for (const { name, columns, rows } of tables) {
            const file = join(scratch, `${name}.ndjson`);
            const lines = rows.map((row, row_no) => JSON.stringify({ ...textual(row), row_no }));
            writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
            const names = Object.keys(columns);
            const read = [
                ...names.map((column) => `${quoteName(column)}: 'VARCHAR'`),
                "row_no: 'BIGINT'",
            ];
            const casts = Object.entries(columns).map(
                ([column, type]) => `cast(${quoteName(column)} as ${type}) as ${quoteName(column)}`,
            );
            const to = join(folder, `${name}.parquet`);
            await engine.run(
                `copy (
                    select ${casts.join(', ')}
                    from read_json(${quoteText(file)}, format = 'newline_delimited',
                        columns = {${read.join(', ')}})
                    order by row_no
                ) to ${quoteText(to)} (format parquet, compression zstd)`,
            );
        }
    } finally {
        engine.close();
        rmSync(scratch, { recursive: true, force: true });
    }
}

const textual = (row: object) =>
    Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
    );
