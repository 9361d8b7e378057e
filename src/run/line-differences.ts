import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine, type Row } from '../duck/engine.ts';
import { createTableSql, quoteText } from '../duck/sql.ts';
import { defineTable, hugeint, type RowOf, timestamp, varchar } from '../duck/table.ts';
import { trimmed } from './decimals.ts';
import type { RunFolder } from './folders.ts';

/** What corrections since then changed of the lines of a period, added up by line. */
export const corrected = defineTable('backfill.corrected', {
    comment: 'One row per line that was corrected.',
    grain: ['line_key'],
    columns: {
        line_key: varchar('Line.'),
        line_type: varchar('Its type.'),
        payer_id: varchar('Account that pays.'),
        account_id: varchar('Account that used.'),
        product: varchar('Product.'),
        description: varchar('What the customer reads.'),
        service_start: timestamp('The time that it is for.'),
        service_end: timestamp('First instant after it.'),
        currency: varchar('ISO 4217.'),
        amount_minor: hugeint('In minor units.'),
    },
});

/** A line that costs something else, with what both sides say of its price; null where it is not. */
export interface LineDifference {
    readonly line_key: string;
    readonly line_type: string;
    readonly payer_id: string;
    readonly account_id: string;
    readonly product: string;
    readonly description: string;
    readonly service_start: string;
    readonly service_end: string;
    readonly meter: string;
    readonly attributes: string;
    readonly currency: string;
    readonly old_minor: bigint;
    readonly new_minor: bigint;
    readonly old_exact: Priced | null;
    readonly new_exact: Priced | null;
}

/** Exact decimals, as text. */
export interface Priced {
    readonly quantity: string;
    readonly unit_price: string;
    readonly amount_exact: string;
}

/** Usage of an account for a payer with the same attributes, over all rates; exact decimals. */
export interface Cell {
    readonly account_id: string;
    readonly meter: string;
    readonly attributes: string;
    readonly payer_id: string;
    readonly old_quantity: string;
    readonly new_quantity: string;
    /** Prices of one unit, sorted; null where that side has no usage. */
    readonly old_prices: string | null;
    readonly new_prices: string | null;
}

/** What a payer was billed of a product and what it would be, of payers with a difference. */
export interface ProductTotal {
    readonly payer_id: string;
    readonly payer_name: string;
    readonly product: string;
    readonly currency: string;
    readonly old_minor: bigint;
    readonly new_minor: bigint;
}

/** Everything that differs between two runs of a period. Ordered. */
export interface Differences {
    readonly lines: readonly LineDifference[];
    readonly cells: readonly Cell[];
    readonly products: readonly ProductTotal[];
    readonly lateDebits: readonly LateDebit[];
}

/** Net debits of an account in the period, in the asset: by the log then, and now. */
export interface LateDebit {
    readonly payer_id: string;
    readonly account_id: string;
    readonly asset: string;
    readonly old: string;
    readonly new: string;
    readonly delta: string;
}

/**
 * Compares the lines of a run, with the corrections since, with those of another, as their outputs
 * say them: the tables of a closed run may be those of a version that is long gone.
 * @param billed null where nothing was billed.
 */
export async function differences(
    billed: RunFolder | null,
    candidate: RunFolder,
    corrections: readonly RowOf<typeof corrected>[],
    { memory }: { readonly memory: string },
): Promise<Differences> {
    const spill = mkdtempSync(join(tmpdir(), 'tieout-backfill-'));
    const engine = await Engine.open({ file: ':memory:', memory, threads: 2, spill });
    try {
        const linesIn = (run: RunFolder) =>
            `(from read_parquet(${quoteText(join(run.output, 'line_items.parquet'))}))`;
        const now = linesIn(candidate);
        await engine.run(`create table now as from ${now}`);
        await engine.run(
            `create table billed as from ${billed ? linesIn(billed) : `(from ${now} limit 0)`}`,
        );
        await engine.runAll(createTableSql(corrected));
        await engine.insert(corrected, corrections);
        await engine.run(joinedSql);
        return {
            lines: (await engine.rows(linesSql)).map(differenceOf),
            cells: (await engine.rows(cellsSql)) as unknown as readonly Cell[],
            products: (await engine.rows(productsSql)).map(totalOf),
            lateDebits: billed ? await lateDebitsOf(engine, billed, candidate) : [],
        };
    } finally {
        engine.close();
        rmSync(spill, { recursive: true, force: true });
    }
}

const named = [
    ...['line_type', 'payer_id', 'account_id', 'product', 'description', 'service_start'],
    ...['service_end', 'currency'],
];

const joinedSql = `create table joined as
    select line_key,
        ${named.map((of) => `coalesce(now.${of}, billed.${of}, corrected.${of}) as ${of}`).join(', ')},
        coalesce(now.payer_name, billed.payer_name, '') as payer_name,
        coalesce(now.meter, billed.meter, '') as meter,
        coalesce(now.attributes, billed.attributes, '{}') as attributes,
        cast(coalesce(billed.amount_minor, 0) as hugeint)
            + coalesce(corrected.amount_minor, 0) as old_minor,
        cast(coalesce(now.amount_minor, 0) as hugeint) as new_minor,
        billed.quantity as old_quantity, billed.unit_price as old_unit_price,
        billed.amount_exact as old_amount_exact,
        now.quantity as new_quantity, now.unit_price as new_unit_price,
        now.amount_exact as new_amount_exact
    from now
    full join billed using (line_key)
    full join backfill.corrected as corrected using (line_key)`;

const linesSql = `select * from joined where old_minor <> new_minor
    order by payer_id, account_id, product, attributes, service_start, line_key`;

const cellsSql = `
    with cells as (
        select account_id, meter, attributes, payer_id,
            coalesce(sum(quantity) filter (where side = 'old'), 0) as old_quantity,
            coalesce(sum(quantity) filter (where side = 'new'), 0) as new_quantity,
            list_sort(list(distinct price) filter (where side = 'old'))::varchar as old_prices,
            list_sort(list(distinct price) filter (where side = 'new'))::varchar as new_prices
        from (
            select 'old' as side, account_id, meter, attributes, payer_id, quantity,
                unit_price::varchar || ' ' || currency as price
            from billed where line_type = 'usage'
            union all
            select 'new', account_id, meter, attributes, payer_id, quantity,
                unit_price::varchar || ' ' || currency
            from now where line_type = 'usage'
        )
        group by all
    )
    select account_id, meter, attributes, payer_id, old_quantity::varchar as old_quantity,
        new_quantity::varchar as new_quantity, old_prices, new_prices
    from cells
    where old_quantity <> new_quantity or old_prices is distinct from new_prices
    order by account_id, meter, attributes, payer_id`;

const productsSql = `select payer_id, max(payer_name) as payer_name, product, currency,
        sum(old_minor) as old_minor, sum(new_minor) as new_minor
    from joined
    where payer_id in (select payer_id from joined where old_minor <> new_minor)
    group by payer_id, product, currency
    order by payer_id, currency, product`;

function differenceOf(row: Row): LineDifference {
    const priced = (side: 'old' | 'new'): Priced | null =>
        row[`${side}_quantity`] === null
            ? null
            : {
                  quantity: String(row[`${side}_quantity`]),
                  unit_price: String(row[`${side}_unit_price`]),
                  amount_exact: String(row[`${side}_amount_exact`]),
              };
    return {
        ...(row as unknown as LineDifference),
        old_exact: priced('old'),
        new_exact: priced('new'),
    };
}

const totalOf = (row: Row): ProductTotal => ({
    ...(row as unknown as ProductTotal),
    old_minor: BigInt(String(row.old_minor)),
    new_minor: BigInt(String(row.new_minor)),
});

/** Accounts and assets whose log says another amount now; a reconciliation is in every run. */
async function lateDebitsOf(
    engine: Engine,
    billed: RunFolder,
    candidate: RunFolder,
): Promise<readonly LateDebit[]> {
    const tieOutsIn = (run: RunFolder) =>
        `read_parquet(${quoteText(join(run.output, 'tie_outs.parquet'))})`;
    const rows = await engine.rows(`
        select coalesce(now.payer_id, before.payer_id) as payer_id, account_id, asset,
            coalesce(before.debited, 0) as old, coalesce(now.debited, 0) as new,
            coalesce(now.debited, 0) - coalesce(before.debited, 0) as delta
        from ${tieOutsIn(candidate)} as now
        full join ${tieOutsIn(billed)} as before using (account_id, asset)
        where coalesce(now.debited, 0) <> coalesce(before.debited, 0)
        order by payer_id, account_id, asset`);
    return rows.map((row) => ({
        payer_id: String(row.payer_id),
        account_id: String(row.account_id),
        asset: String(row.asset),
        ...{ old: trimmed(row.old), new: trimmed(row.new), delta: trimmed(row.delta) },
    }));
}
