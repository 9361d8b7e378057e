import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Engine, Row } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import { type Column, toCsv } from '../export/csv.ts';
import { trimmed } from '../run/decimals.ts';
import type { Break } from '../schema/break.ts';
import { recordsOf } from './explain-break.ts';

const text = (header: string): Column<Row> => ({
    ...{ header, kind: 'text' },
    value: (row) =>
        row[header] === null || row[header] === undefined ? null : String(row[header]),
});

const amount: Column<Row> = {
    ...{ header: 'amount', kind: 'decimal' },
    value: (row) => (row.amount === undefined ? null : trimmed(row.amount)),
};

const columns: readonly Column<Row>[] = [
    ...[text('side'), text('from'), text('id'), text('type'), text('at'), amount, text('asset')],
    ...[text('key'), text('line')],
];

/**
 * Writes all events and debit entries of a break into a new CSV file: of a day of an account there may be
 * thousands, and a page shows a few. Gives how many there are.
 * @throws RunError USAGE when the file is there
 */
export async function writeRecords(
    engine: Engine,
    of: Break,
    file: string,
    cwd: string,
): Promise<{ readonly file: string; readonly record_count: number }> {
    const { usage, debits } = await recordsOf(engine, of);
    const rows = [
        ...usage.map((row) => ({ side: 'usage', from: row.source, id: row.event_id, ...row })),
        ...debits.map((row) => ({ side: 'debits', from: row.input, id: row.entry_id, ...row })),
    ].map((row: Row) => ({
        ...row,
        type: row.event_type ?? row.entry_type,
        at: row.event_at ?? row.booked_at,
        line: row.line_no,
    }));
    const path = resolve(cwd, file);
    try {
        writeFileSync(path, toCsv(rows, columns), { flag: 'wx' });
    } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
        throw new RunError('USAGE', {
            detail: `--out ${file} is there already`,
            remedy: 'Name a file that is not there yet.',
        });
    }
    return { file: path, record_count: rows.length };
}
