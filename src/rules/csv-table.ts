import { didYouMean } from '../schema/suggest.ts';
import type { Place } from './card.ts';
import { type CsvRow, readCsvRows } from './csv-rows.ts';
import type { Problems } from './problems.ts';

/** A file of rows in which every column is known. */
export interface CsvTable {
    readonly file: string;
    readonly text: string;
    readonly columns: readonly string[];
    /** Those of them that may be left out: their cells are empty then. */
    readonly optional?: readonly string[];
    /** The problem of a file that is no such table. */
    readonly code: string;
}

/** A row of it: column to cell. */
export interface TableRow {
    readonly at: Place;
    readonly cells: Readonly<Record<string, string>>;
}

/** Reads rows by the names of their columns, which may be in any order. Notes all that is wrong. */
export function readCsvTable(table: CsvTable, problems: Problems): readonly TableRow[] {
    const { file, code } = table;
    const [header, ...rows] = readCsvRows(table, code, problems);
    if (!header || !checkHeader(table, header, problems)) return [];
    return rows.flatMap(({ line, cells }) => {
        const at = { file, line };
        if (cells.length === header.cells.length) {
            const cellOf = (name: string) => cells[header.cells.indexOf(name)] ?? '';
            const named = table.columns.map((name) => [name, cellOf(name)] as const);
            return [{ at, cells: Object.fromEntries(named) }];
        }
        const counts = `${cells.length} cells, the header has ${header.cells.length}`;
        problems.add(at, code, `this row has ${counts}`, {
            remedy: 'Write one cell for each column; quote a cell with a comma in it.',
        });
        return [];
    });
}

function checkHeader(
    { file, columns, optional = [], code }: CsvTable,
    { line, cells }: CsvRow,
    problems: Problems,
): boolean {
    const before = problems.list.length;
    const at = { file, line };
    const leftOut = optional.length ? `; ${optional.join(', ')} may be left out` : '';
    const remedy = `The columns are ${columns.join(', ')}${leftOut}.`;
    const needed = columns.filter((column) => !optional.includes(column));
    for (const name of needed.filter((column) => !cells.includes(column))) {
        problems.add(at, code, `there is no column "${name}"`, { remedy });
    }
    cells.forEach((name, index) => {
        if (!columns.includes(name)) {
            problems.add(at, code, `column "${name}" is not known`, {
                remedy: `${didYouMean(name, columns)} ${remedy}`,
            });
        } else if (cells.indexOf(name) !== index) {
            problems.add(at, code, `two columns are called "${name}"`, { remedy });
        }
    });
    return problems.list.length === before;
}
