import { lineAccounts } from '../compile/meter-parts.ts';
import type { Engine, Row } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import { add, formatAmount, negate, parseAmount } from '../money/amount.ts';
import { figure } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { lineOf, trimmed } from '../run/decimals.ts';
import type { RunFolder } from '../run/folders.ts';
import { hasSales } from '../run/sale-outputs.ts';
import type { LineItem } from '../schema/line-item.ts';

/** A line of a seller to its buyer. In the tables of the sales, the two together are its payer. */
export interface Sale {
    readonly seller_id: string;
    readonly sale_id: string;
}

/** The same usage at one level of its channel: a line, with the part of it that is this usage. */
interface Level {
    /** Null for what the operator bills. */
    readonly seller_id: string | null;
    readonly buyer_id: string;
    readonly line_key: string;
    readonly rate_id: string;
    readonly quantity: string;
    readonly amount: string;
    readonly currency: string;
}

/** What a seller keeps of the usage; without a margin where it did not sell all that it bought. */
interface Kept {
    readonly seller_id: string;
    readonly bought: string;
    readonly sold: string;
    readonly margin: string | null;
    readonly currency: string;
}

/** The usage of a line at all levels of its channels, and what is kept between them. */
export interface ChannelTrace {
    readonly levels: readonly Level[];
    readonly margins: readonly Kept[];
}

/** The lines of sellers in a run, each with its sale. */
export async function saleLines(
    engine: Engine,
): Promise<readonly { readonly line: LineItem; readonly sale: Sale }[]> {
    if (!(await hasSales(engine))) return [];
    const rows = await engine.rows(
        `select lines.* exclude (seller_id, buyer_id), lines.seller_id, sales.sale_id
        from sold.line_items as lines
        inner join (
            select seller_id, buyer_id, sale_id from accounts.channels group by all
        ) as sales on lines.seller_id = sales.seller_id and lines.buyer_id = sales.buyer_id
        order by lines.line_key`,
    );
    return rows.map(({ seller_id, sale_id, ...row }) => ({
        line: lineOf(row),
        sale: { seller_id: String(seller_id), sale_id: String(sale_id) },
    }));
}

/** Makes the tables of the sales of a run readable beside its own, as `sales`. */
export async function attachSales(engine: Engine, run: RunFolder): Promise<void> {
    await engine.run(`attach ${quoteText(run.sales)} as sales (read_only)`);
}

/**
 * Charges of some accounts for usage of one kind, with the line that each is in: of the operator, or
 * of the sales. What a line sums up of other accounts is not in it.
 */
const levelsSql = (tables: string) => `select charges.payer_id, lines.line_key, charges.rate_id,
        sum(charges.quantity) as quantity, sum(charges.amount) as amount, charges.currency
    from ${tables}rolled.charges as charges
    inner join ${tables}billed.line_accounts as shown
        on charges.payer_id = shown.payer_id and charges.account_id = shown.account_id
    inner join ${tables}billed.lines as lines
        on charges.payer_id = lines.payer_id and shown.line_account_id = lines.account_id
        and charges.pool_id = lines.pool_id and charges.product = lines.product
        and charges.meter = lines.meter and charges.attributes = lines.attributes
        and charges.rate_id = lines.rate_id
    where charges.account_id in (select account_id from used)
        and charges.meter = $meter and charges.attributes = $attributes
        and lines.line_type = 'usage'
    group by all`;

/** Reads how the usage of a line is sold on. The tables of the sales are attached as `sales`. */
export async function channelTrace(
    engine: Engine,
    { payer_id, account_id, meter, attributes }: LineItem,
    tables: string,
): Promise<ChannelTrace> {
    const rows = await engine.rows(
        `with used as (${lineAccounts(tables)}),
        pairs as (
            select sale_id, seller_id, buyer_id, min(level_no) as level_no
            from accounts.channels group by all
        )
        select 0 as level_no, null as seller_id, payer_id as buyer_id,
            line_key, rate_id, quantity, amount, currency
        from (${levelsSql('')})
        union all
        select pairs.level_no, pairs.seller_id, pairs.buyer_id,
            sold.line_key, sold.rate_id, sold.quantity, sold.amount, sold.currency
        from (${levelsSql('sales.')}) as sold
        inner join pairs on sold.payer_id = pairs.sale_id
        order by level_no, seller_id, buyer_id, rate_id, line_key`,
        { payer_id, account_id, meter, attributes },
    );
    const levels = rows.map(levelOf);
    const sellers = [...new Set(levels.flatMap(({ seller_id }) => seller_id ?? []))];
    return { levels, margins: sellers.map((seller) => keptBy(seller, levels)) };
}

const levelOf = (row: Row): Level => ({
    seller_id: row.seller_id === null ? null : String(row.seller_id),
    buyer_id: String(row.buyer_id),
    line_key: String(row.line_key),
    rate_id: String(row.rate_id),
    quantity: trimmed(row.quantity),
    amount: trimmed(row.amount),
    currency: String(row.currency),
});

const total = (of: readonly string[]) => of.map(parseAmount).reduce(add, parseAmount('0'));

/** Exact amounts, before lines are rounded. Money of two currencies has no difference. */
function keptBy(seller_id: string, levels: readonly Level[]): Kept {
    const bought = levels.filter(({ buyer_id }) => buyer_id === seller_id);
    const sold = levels.filter((of) => of.seller_id === seller_id);
    const quantityOf = (of: readonly Level[]) => formatAmount(total(of.map((one) => one.quantity)));
    const amountOf = (of: readonly Level[]) => total(of.map(({ amount }) => amount));
    const currencies = new Set([...bought, ...sold].map(({ currency }) => currency));
    const isAll = quantityOf(bought) === quantityOf(sold) && currencies.size === 1;
    return {
        seller_id,
        bought: formatAmount(amountOf(bought)),
        sold: formatAmount(amountOf(sold)),
        margin: isAll ? formatAmount(add(amountOf(sold), negate(amountOf(bought)))) : null,
        currency: [...currencies].join(' and '),
    };
}

/** The same for people. */
export function channelText(line: LineItem, { levels, margins }: ChannelTrace): readonly string[] {
    return [
        'channel    this usage, level by level',
        ...levels.map((of) => {
            const seller = of.seller_id === null ? 'the operator' : visible(of.seller_id);
            const isThis = of.line_key === line.line_key ? ': this line' : '';
            return `           ${seller} to ${visible(of.buyer_id)}: ${figure(of.quantity)} ${line.unit} for ${of.amount} ${of.currency} by ${visible(of.rate_id)}, line ${of.line_key.slice(0, 12)}${isThis}`;
        }),
        ...margins.map(({ seller_id, bought, sold, margin, currency }) => {
            const seller = visible(seller_id);
            return margin === null
                ? `margin     of ${seller}: not of this usage alone, which it does not sell as it buys it; see margins.csv`
                : `margin     of ${seller}: sold for ${sold}, bought for ${bought}: ${margin} ${currency}, before lines are rounded`;
        }),
    ];
}
