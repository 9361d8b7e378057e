import { Engine } from '../../src/duck/engine.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import { decimalText, parseDecimal } from '../support/exact.ts';

/** Rows of one copy, their figures as the shortest decimal text and their ids without the prefix. */
export type Rows = readonly Readonly<Record<string, string>>[];

/** What a night found of one copy. */
export interface Facts {
    readonly breaks: Rows;
    readonly matches: Rows;
    readonly tieOuts: Rows;
    readonly charges: Rows;
    readonly lines: Rows;
    readonly holds: Rows;
}

/** Before the ids of a copy. */
export const prefixOf = (copy: number) => `copy${copy}.`;
const prefix = /copy\d+\./;
/** Ids of a copy as those of the books that it is one of. */
export const bare = (text: string) => text.replaceAll(/copy\d+\./g, '');
const selects = {
    matches: `select account_id, asset, rule, usage_count, entry_count, expected, actual
        from recon.matches order by all`,
    tieOuts: `select account_id, asset, payer_id, rated, debited, broken, rounding, repriced,
        unexplained, status from recon.tie_outs order by all`,
    charges: `select account_id, payer_id, product, attributes, rate_id, quantity, amount, event_count
        from rolled.charges order by all`,
    lines: `select account_id, payer_id, line_type, product, attributes, quantity, amount_exact,
        amount, asset_amount from invoice.line_items order by all`,
    holds: `select payer_id, amount_exact, break_count, unpriced_count, unrated_count, break_money,
        recon_status from recon.holds order by all`,
} as const;

const plain = (value: unknown) => {
    const text = String(value ?? '');
    return /^-?\d+(\.\d+)?$/.test(text) ? decimalText(parseDecimal(text)) : bare(text);
};

/** The rows of a finished run by the prefix of their accounts; those of plain books are under ''. */
export async function readRows(
    { run }: RunResult,
    breaks: Rows,
): Promise<ReadonlyMap<string, Facts>> {
    const engine = await Engine.open({
        ...{ file: run.database, memory: '1GB', threads: 1, spill: run.scratch, readOnly: true },
    });
    try {
        const tables: Record<string, Rows> = { breaks };
        for (const [name, sql] of Object.entries(selects)) {
            tables[name] = (await engine.rows(sql)) as unknown as Rows;
        }
        return byCopy(tables);
    } finally {
        engine.close();
    }
}

function byCopy(tables: Readonly<Record<string, Rows>>): ReadonlyMap<string, Facts> {
    const facts = new Map<string, Record<string, Rows[number][]>>();
    const empty = () => Object.fromEntries(Object.keys(tables).map((name) => [name, []]));
    for (const [name, rows] of Object.entries(tables)) {
        for (const row of rows) {
            const copy = prefix.exec(row.account_id ?? row.payer_id ?? '')?.[0] ?? '';
            const of = facts.get(copy) ?? empty();
            facts.set(copy, of);
            const cells = Object.entries(row).map(([column, value]) => [column, plain(value)]);
            of[name]?.push(Object.fromEntries(cells));
        }
    }
    return facts as unknown as ReadonlyMap<string, Facts>;
}
