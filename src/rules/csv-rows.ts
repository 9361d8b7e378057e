import { CsvError, parse } from 'csv-parse/sync';
import type { Problems } from './problems.ts';

interface ParsedRow {
    readonly info: { readonly lines: number };
    readonly record: readonly string[];
}

/** A row of a CSV file. Lines count from 1. */
export interface CsvRow {
    readonly line: number;
    readonly cells: readonly string[];
}

/**
 * Reads CSV with the line that each row begins on, the header among them. Notes what is not CSV.
 * @param emptyCode the problem of a file with nothing in it.
 */
export function readCsvRows(
    { file, text }: { readonly file: string; readonly text: string },
    emptyCode: string,
    problems: Problems,
): readonly CsvRow[] {
    const rows: CsvRow[] = [];
    try {
        // The parser counts a line break of Windows twice inside quotes: lines would be wrong.
        parse(text.replaceAll(/\r\n?/g, '\n'), {
            bom: true,
            info: true,
            relax_column_count: true, // counted here, so that one short row does not hide the rest
            skip_empty_lines: true,
            record_delimiter: '\n',
            on_record: (row: unknown) => {
                // With `info` a row is not only its cells, which the types of the parser leave out.
                const { info, record } = row as ParsedRow;
                // `lines` is where the record ends; a quoted cell may have begun it above.
                const breaks = record.join('').split('\n').length - 1;
                rows.push({ line: info.lines - breaks, cells: record });
                return null;
            },
        });
        if (rows.length === 0) problems.add({ file, line: 1 }, emptyCode, `${file} is empty`);
        return rows;
    } catch (error) {
        if (!(error instanceof CsvError)) throw error;
        const isOpen = error.code === 'CSV_QUOTE_NOT_CLOSED';
        // An open quote is noticed at the end of the file; it was opened after the last row.
        const line = isOpen
            ? (rows.at(-1)?.line ?? 0) + 1
            : Number.parseInt(String(error.lines), 10);
        const message = isOpen ? 'a quote opens here and never closes' : error.message;
        problems.add({ file, line }, 'BAD_CSV', message, {
            remedy: 'A cell with a comma or quote in it is quoted whole; a quote in it is doubled.',
        });
        return [];
    }
}
