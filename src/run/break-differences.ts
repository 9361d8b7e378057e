import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine, type Row } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import { trimmedOrNull } from './decimals.ts';
import type { RunFolder } from './folders.ts';

/** A break that one of two runs does not have, or has with another amount; null where it is not. */
export interface BreakDifference {
    readonly break_id: string;
    readonly code: string;
    readonly break_key: string;
    readonly payer_id: string | null;
    readonly asset: string | null;
    readonly currency: string | null;
    readonly old_amount: string | null;
    readonly new_amount: string | null;
    readonly old_money: string | null;
    readonly new_money: string | null;
}

/** Compares the breaks of two runs, as their outputs say them. Ordered by break_id. */
export async function breakDifferences(
    old: RunFolder,
    now: RunFolder,
    { memory }: { readonly memory: string },
): Promise<readonly BreakDifference[]> {
    const spill = mkdtempSync(join(tmpdir(), 'tieout-compare-'));
    const engine = await Engine.open({ file: ':memory:', memory, threads: 2, spill });
    const breaksIn = ({ output }: RunFolder) =>
        `read_parquet(${quoteText(join(output, 'breaks.parquet'))})`;
    const shared = ['code', 'break_key', 'payer_id', 'asset', 'currency'];
    try {
        const rows = await engine.rows(`
            select break_id,
                ${shared.map((of) => `coalesce(now.${of}, old.${of}) as ${of}`).join(', ')},
                old.amount::varchar as old_amount, now.amount::varchar as new_amount,
                old.money_amount::varchar as old_money, now.money_amount::varchar as new_money
            from ${breaksIn(old)} as old
            full join ${breaksIn(now)} as now using (break_id)
            where old.amount is distinct from now.amount
                or old.money_amount is distinct from now.money_amount
            order by break_id`);
        return rows.map(differenceOf);
    } finally {
        engine.close();
        rmSync(spill, { recursive: true, force: true });
    }
}

const differenceOf = (row: Row): BreakDifference => ({
    ...(row as unknown as BreakDifference),
    old_amount: trimmedOrNull(row.old_amount),
    new_amount: trimmedOrNull(row.new_amount),
    old_money: trimmedOrNull(row.old_money),
    new_money: trimmedOrNull(row.new_money),
});
