import type { MatrixFile } from '../schema/rate-card.ts';
import { didYouMean } from '../schema/suggest.ts';
import type { Place } from './card.ts';
import { type CsvRow as Row, readCsvRows } from './csv-rows.ts';
import type { Problems } from './problems.ts';
import type { RateText } from './rate.ts';

/** A rate matrix: its CSV text, and where the card says what its columns are. */
export interface MatrixSource {
    readonly file: string;
    readonly text: string;
    readonly matrix: MatrixFile;
    /** The terms that all of its rates have. */
    readonly terms: RateText['terms'];
    /** Where a key of `matrix` stands in the card. */
    readonly placeOf: (path: readonly string[]) => Place;
}

/** Reads the rates of a matrix as they are written, noting every problem of the file. */
export function readMatrix(source: MatrixSource, problems: Problems): readonly RateText[] {
    const [header, ...rows] = readCsvRows(source, 'EMPTY_MATRIX', problems);
    if (!header) return [];
    const at = { file: source.file, line: header.line };
    if (rows.length === 0) problems.add(at, 'EMPTY_MATRIX', `${source.file} has no rates`);
    if (!checkColumns(source, header, problems)) return [];
    return rows.flatMap((row) => readRow(source, header, row, problems) ?? []);
}

/** Whether every column that the card names is there, once. */
function checkColumns(source: MatrixSource, header: Row, problems: Problems): boolean {
    const { file, matrix, placeOf } = source;
    const at = { file, line: header.line };
    const before = problems.list.length;
    const named = namedColumns(matrix);
    for (const { path, column } of named) {
        if (header.cells.includes(column)) continue;
        problems.add(placeOf(path), 'UNKNOWN_COLUMN', `${file} has no column "${column}"`, {
            path: path.join('.'),
            remedy: didYouMean(column, header.cells),
        });
    }
    for (const column of new Set(header.cells)) {
        if (header.cells.indexOf(column) !== header.cells.lastIndexOf(column)) {
            problems.add(at, 'DUPLICATE_COLUMN', `two columns are called "${column}"`);
        }
    }
    const isReadable = problems.list.length === before;
    const known = new Set(named.map(({ column }) => column));
    for (const column of new Set(header.cells.filter((name) => !known.has(name)))) {
        problems.add(at, 'UNUSED_COLUMN', `nothing in the card says what column "${column}" is`, {
            remedy: 'Name it in the matrix: under attributes, as to or priority, or under ignore.',
        });
    }
    return isReadable;
}

function namedColumns(matrix: MatrixFile) {
    const { attributes, price, from, to, priority, ignore } = matrix;
    return [
        ...Object.entries(attributes).map(([name, column]) => ({
            path: ['attributes', name],
            column,
        })),
        { path: ['price'], column: price },
        { path: ['from'], column: from },
        ...(to === undefined ? [] : [{ path: ['to'], column: to }]),
        ...(priority === undefined ? [] : [{ path: ['priority'], column: priority }]),
        ...ignore.map((column, index) => ({ path: ['ignore', String(index)], column })),
    ];
}

function readRow(
    { file, matrix, terms }: MatrixSource,
    header: Row,
    { line, cells }: Row,
    problems: Problems,
): RateText | null {
    const at = { file, line };
    if (cells.length !== header.cells.length) {
        const counts = `${cells.length} cells, the header has ${header.cells.length}`;
        problems.add(at, 'CELL_COUNT', `this row has ${counts}`);
        return null;
    }
    const cell = (column: string) => cells[header.cells.indexOf(column)] ?? '';
    const required = [matrix.price, matrix.from].filter((column) => cell(column) === '');
    for (const column of required) problems.add(at, 'EMPTY_CELL', `${column} is empty`);
    if (required.length) return null;
    const to = matrix.to === undefined ? '' : cell(matrix.to);
    const priority = matrix.priority === undefined ? '' : cell(matrix.priority);
    return {
        when: Object.fromEntries(
            Object.entries(matrix.attributes).map(([name, column]) => [name, cell(column)]),
        ),
        price: cell(matrix.price),
        listPrice: null,
        terms,
        from: cell(matrix.from),
        to: to === '' ? null : to,
        priority: priority === '' ? '0' : priority,
        at,
    };
}
