import type { Engine } from '../duck/engine.ts';
import { type Column, toCsv } from '../export/csv.ts';
import { lineItemColumns } from '../export/line-items.ts';
import { compareLineItems, compareText } from '../export/order.ts';
import type { Margin } from '../schema/certificate.ts';
import type { LineItem } from '../schema/line-item.ts';
import { lineOf, trimmed } from './decimals.ts';
import { relationCsv } from './relation-csv.ts';

/** A line of a sale: the buyer is its payer. */
type SaleLine = LineItem & { readonly seller_id: string };

/** Whether accounts sell usage on in this run. */
export async function hasSales(engine: Engine): Promise<boolean> {
    const found = await engine.rows(
        `select 1 from information_schema.tables
         where table_schema = 'sold' and table_name = 'margins'`,
    );
    return found.length > 0;
}

/** What each seller buys, sells and keeps; null in a run without sales. */
export async function readMargins(engine: Engine): Promise<readonly Margin[] | null> {
    if (!(await hasSales(engine))) return null;
    const rows = await engine.rows(
        'select * from sold.margins order by seller_id, product, currency',
    );
    return rows.map((row) => ({
        seller_id: String(row.seller_id),
        product: String(row.product),
        currency: String(row.currency),
        bought: trimmed(row.bought),
        own_use: trimmed(row.own_use),
        sold: trimmed(row.sold),
        margin: row.margin === null ? null : trimmed(row.margin),
    }));
}

/**
 * The files of sales, by name: lines of sellers to their buyers, usage and fees that nothing prices,
 * margins.
 * None in a run without sales. They are apart from the operator's lines, which are what is delivered.
 */
export async function saleFiles(engine: Engine): Promise<Readonly<Record<string, string>>> {
    const margins = await readMargins(engine);
    if (margins === null) return {};
    return {
        'margins.csv': toCsv(margins, marginColumns),
        'sale_lines.csv': await saleLinesCsv(engine),
        'sales_unrated.csv': await unratedCsv(engine),
    };
}

const marginColumns: readonly Column<Margin>[] = [
    ...(['seller_id', 'product', 'currency'] as const).map((header) => ({
        ...{ header, kind: 'text' as const },
        value: (of: Margin) => of[header],
    })),
    ...(['bought', 'own_use', 'sold', 'margin'] as const).map((header) => ({
        ...{ header, kind: 'decimal' as const },
        value: (of: Margin) => of[header],
    })),
];

async function saleLinesCsv(engine: Engine): Promise<string> {
    const rows = await engine.rows(
        'select * exclude (buyer_id) from sold.line_items order by line_key',
    );
    const lines = rows.map((row) => lineOf(row) as SaleLine);
    const seller: Column<SaleLine> = {
        ...{ header: 'seller_id', kind: 'text' },
        value: (line) => line.seller_id,
    };
    const inOrder = lines.sort(
        (one, other) => compareText(one.seller_id, other.seller_id) || compareLineItems(one, other),
    );
    return toCsv(inOrder, [seller, ...lineItemColumns]);
}

async function unratedCsv(engine: Engine): Promise<string> {
    const names = ['code', 'seller_id', 'buyer_id', 'account_id', 'meter', 'attributes', 'unit'];
    return relationCsv(
        engine,
        `select code, seller_id, buyer_id, account_id, meter, attributes, unit,
            sum(quantity) as quantity
         from sold.unrated_usage
         group by all
         union all
         select code, seller_id, buyer_id, account_id, meter, '{}', unit, 1
         from sold.unpriced_fees
         order by all`,
        [...names, 'quantity'],
        ['quantity'],
    );
}
