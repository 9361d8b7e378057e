import { stringify } from 'csv-stringify/sync';

/**
 * One column of a CSV file. `decimal` declares that the column holds plain decimal numbers: such a
 * cell keeps its leading minus. Everything else in any column is text that a spreadsheet may see.
 */
export interface Column<Row> {
    readonly header: string;
    readonly kind: 'text' | 'decimal';
    /** `null` is written as an empty cell, like empty text. A `number` must be an integer. */
    readonly value: (row: Row) => string | number | bigint | null;
}

const PLAIN_DECIMAL = /^-?\d+(?:\.\d+)?$/;

/**
 * What a spreadsheet takes for a formula: = + - @ and their full-width and small forms (Excel folds
 * them), also behind blanks, quotes and invisible characters; a leading tab or line break likewise.
 * What is dangerous stays so behind a `'`: else two cells could become one. Source: OWASP "CSV
 * Injection".
 */
const FORMULA = /^(?:'*[\t\r\n]|[\s'"\p{Cf}\p{Cc}]*[=+\-@＝＋－＠﹦﹢﹣﹫−])/u;

/** No formula begins so: nearly every cell is told by its first character. */
const HARMLESS = /^[\w{[#]/;

/** What RFC 4180 readers may stumble over and csv-stringify leaves bare: lone CR, edge blanks. */
const NEEDS_QUOTES = /[\r\u0085\u2028\u2029]|^\s|\s$/;

/**
 * Makes a text cell harmless in a spreadsheet: one that would run as a formula gets a leading `'`.
 * Reversible: a cell that starts with `'` and is dangerous without it had it added.
 */
export function neutralise(cell: string): string {
    return !HARMLESS.test(cell) && FORMULA.test(cell) ? `'${cell}` : cell;
}

/**
 * Writes rows as CSV (RFC 4180): comma, a header line, LF line ends, UTF-8 without a BOM, in the
 * order given. The same rows give the same bytes.
 */
export function toCsv<Row>(rows: Iterable<Row>, columns: readonly Column<Row>[]): string {
    const records = [columns.map((column) => neutralise(column.header))];
    for (const row of rows) records.push(columns.map((column) => cellOf(row, column)));
    return stringify(records, { record_delimiter: '\n', quoted_match: NEEDS_QUOTES });
}

function cellOf<Row>(row: Row, column: Column<Row>): string {
    const value = column.value(row);
    if (value === null) return '';
    const text = String(value).toWellFormed();
    return column.kind === 'decimal' && PLAIN_DECIMAL.test(text) ? text : neutralise(text);
}
