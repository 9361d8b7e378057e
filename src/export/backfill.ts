import type { Backfill, BackfillLine } from '../schema/backfill.ts';
import { type Column, toCsv } from './csv.ts';

type Row = BackfillLine & {
    readonly period: string;
    readonly bills_in: string | null;
    readonly refused: string;
};

const text = (header: keyof Row & string): Column<Row> => ({
    ...{ header, kind: 'text' },
    value: (row) => row[header],
});
const decimal = (header: keyof Row & string): Column<Row> => ({ ...text(header), kind: 'decimal' });

const columns: readonly Column<Row>[] = [
    ...(['period', 'payer_id', 'account_id', 'product', 'line_type', 'line_key'] as const).map(
        text,
    ),
    ...(['description', 'currency'] as const).map(text),
    ...(['old', 'new', 'delta'] as const).map(decimal),
    ...(['cause', 'bills_in', 'refused'] as const).map(text),
];

/** diff.csv: every line of a backfill that differs, in the order of its documents. */
export function backfillCsv({ periods }: Backfill): string {
    const rows = periods.flatMap(({ period, bills_in, refused, lines }) => {
        const why = new Map(refused.map((of) => [of.payer_id, of.why]));
        return lines.map((line) => ({
            ...{ ...line, period, bills_in },
            refused: why.get(line.payer_id) ?? '',
        }));
    });
    return toCsv(rows, columns);
}
