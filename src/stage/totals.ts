import type { Engine } from '../duck/engine.ts';
import { quoteName, quoteTable } from '../duck/sql.ts';
import type { RowOf, Table } from '../duck/table.ts';
import { RunError } from '../errors/index.ts';
import { controlTotals } from './control.ts';

/** Slice of the totals of a relation that need not hold all of the period. */
export const partial = 'looked at';

/**
 * Records the control totals of the relations of a stage: count, quantity, amount and hash, each of
 * which catches what the others miss. Checks that required columns have no null.
 * @param empty of them, those that the engine put no row into: it is not asked again.
 * @throws RunError CONTRACT_MISMATCH when one has.
 */
export async function recordTotals(
    stage: string,
    tables: readonly Table[],
    engine: Engine,
    empty: ReadonlySet<Table> = new Set(),
): Promise<void> {
    const totals: RowOf<typeof controlTotals>[] = [];
    for (const table of tables) {
        if (table.storage === 'view') continue;
        const found = empty.has(table) ? nothingIn(table) : await countedIn(stage, table, engine);
        const slice = table.isPartial ? partial : 'all';
        totals.push({ stage, relation: table.name, side: 'out', slice, ...found });
    }
    await engine.insert(controlTotals, totals);
}

type Counted = Pick<
    RowOf<typeof controlTotals>,
    'row_count' | 'quantity' | 'amount' | 'hash_total'
>;

function nothingIn({ totals: { quantity, amount } = {} }: Table): Counted {
    return {
        row_count: 0n,
        quantity: quantity === undefined ? null : '0',
        amount: amount === undefined ? null : '0',
        hash_total: '0',
    };
}

async function countedIn(stage: string, table: Table, engine: Engine): Promise<Counted> {
    const required = Object.entries(table.columns).filter(([, of]) => !of.nullable);
    const nulls = required.map(([name]) => `count(*) - count(${quoteName(name)})`).join(' + ');
    const row = await engine.one(totalsSql(table, nulls || '0::bigint'));
    if (row.null_count !== 0n) {
        throw new RunError('CONTRACT_MISMATCH', {
            stage,
            check: table.name,
            expected: `no null in ${required.map(([name]) => name).join(', ')}`,
            actual: `${row.null_count} null(s)`,
        });
    }
    return {
        row_count: row.row_count as bigint,
        quantity: row.quantity as string | null,
        amount: row.amount as string | null,
        hash_total: String(row.hash_total),
    };
}

/** At event scale only the identity is hashed; whole rows elsewhere. Sums know no order. */
function totalsSql(table: Table, nulls: string): string {
    const { quantity, amount } = table.totals ?? {};
    const keys = table.grain.map(quoteName).join(', ');
    const hashed = table.storage === 'lake' ? keys : 'columns_of_row';
    return `select count(*) as row_count,
            ${quantity ? `coalesce(sum(${quoteName(quantity)}), 0)::varchar` : 'null'} as quantity,
            ${amount ? `coalesce(sum(${quoteName(amount)}), 0)::varchar` : 'null'} as amount,
            coalesce(sum(hash(${hashed})), 0)::varchar as hash_total,
            ${nulls} as null_count
         from ${quoteTable(table.name)} as columns_of_row`;
}
