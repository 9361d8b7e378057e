import type { Engine } from '../duck/engine.ts';
import { type Column, toCsv } from '../export/csv.ts';
import { trimmed } from './decimals.ts';

type TextRow = Readonly<Record<string, string | null>>;

/**
 * The rows of a query as CSV, in their order: text columns as they are, decimal ones without the
 * zeros that the scale of their column adds.
 * @param sql gives at least these columns, as text or DECIMAL.
 */
export async function relationCsv(
    engine: Engine,
    sql: string,
    headers: readonly string[],
    decimals: readonly string[],
): Promise<string> {
    const rows = (await engine.rows(sql)) as readonly TextRow[];
    const columns = headers.map((header): Column<TextRow> => {
        const isDecimal = decimals.includes(header);
        return {
            header,
            kind: isDecimal ? 'decimal' : 'text',
            value: (row) => {
                const value = row[header] ?? null;
                return value !== null && isDecimal ? trimmed(value) : value;
            },
        };
    });
    return toCsv(rows, columns);
}
