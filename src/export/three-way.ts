import type { Step, ThreeWayRow } from '../schema/report.ts';
import { type Column, toCsv } from './csv.ts';

/** One sum or step of a way, as a table for BI has it. `target` only from invoiced to delivered. */
export interface WayRow extends Pick<ThreeWayRow, 'payer_id' | 'payer_name' | 'product' | 'asset'> {
    readonly target: string;
    readonly step_no: number;
    readonly step: string;
    readonly code: string;
    readonly amount: string;
}

/** Ways as rows that a chart of any tool can stack: their sums and the steps between them, in order. */
export function wayRows(rows: readonly ThreeWayRow[]): readonly WayRow[] {
    return rows.flatMap(({ payer_id, payer_name, product, asset, ...way }) => {
        const own = (...[target, steps]: [string, readonly Told[]]) =>
            steps.map(({ step, code, amount }) => ({ target, step, code, amount }));
        const told = [
            ...own('', [sum('authorized', way.authorized), ...way.to_metered]),
            ...own('', [sum('metered', way.metered)]),
            ...(way.invoiced === null
                ? []
                : own('', [...way.to_invoiced, sum('invoiced', way.invoiced)])),
            ...way.deliveries.flatMap(({ target, to_delivered, delivered }) =>
                own(target, [...to_delivered, sum('delivered', delivered)]),
            ),
        ];
        const of = { payer_id, payer_name, product, asset };
        return told.map((row, index) => ({ ...of, ...row, step_no: index + 1 }));
    });
}

type Told = Omit<Step, 'step'> & { readonly step: string };

const sum = (step: string, amount: string): Told => ({ step, code: '', amount });

const text = (header: keyof WayRow): Column<WayRow> => ({
    ...{ header, kind: 'text' },
    value: (row) => row[header],
});
const decimal = (header: keyof WayRow): Column<WayRow> => ({ ...text(header), kind: 'decimal' });

const columns: readonly Column<WayRow>[] = [
    ...[text('payer_id'), text('payer_name'), text('product'), text('asset'), text('target')],
    ...[decimal('step_no'), text('step'), text('code'), decimal('amount')],
];

/** three_way.csv: all ways, one row a sum or step. */
export function threeWayCsv(rows: readonly ThreeWayRow[]): string {
    return toCsv(wayRows(rows), columns);
}
