import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import type { LineItem } from '../schema/line-item.ts';
import { lineOf } from './decimals.ts';
import type { RunFolder } from './folders.ts';

/** Some of the lines of a payer, and how many there are. */
export interface PayerLines {
    readonly lines: readonly LineItem[];
    readonly line_count: number;
}

/**
 * Reads lines of a payer from the output of a run, the largest first; none where it wrote none. The
 * tables of the run may be at work elsewhere: its output never is.
 */
export async function readPayerLines(
    { output }: RunFolder,
    payer_id: string,
    { memory, limit }: { readonly memory: string; readonly limit: number },
): Promise<PayerLines> {
    const file = join(output, 'line_items.parquet');
    if (!existsSync(file)) return { lines: [], line_count: 0 };
    const spill = mkdtempSync(join(tmpdir(), 'tieout-lines-'));
    const engine = await Engine.open({ file: ':memory:', memory, threads: 2, spill });
    const from = `from read_parquet(${quoteText(file)}) where payer_id = $payer_id`;
    try {
        const { total } = await engine.one(`select count(*) as total ${from}`, { payer_id });
        const rows = await engine.rows(
            `select * ${from} order by abs(amount) desc, line_key limit ${limit}`,
            { payer_id },
        );
        return { lines: rows.map(lineOf), line_count: Number.parseInt(String(total), 10) };
    } finally {
        engine.close();
        rmSync(spill, { recursive: true, force: true });
    }
}
