import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { rate } from '../../pipelines/40-rate/stage.ts';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import { pricedEvents } from '../../pipelines/45-price/tables.ts';
import { rollUp } from '../../pipelines/50-roll-up/stage.ts';
import { holds, walletPayments } from '../../pipelines/70-reconcile/tables.ts';
import { bill } from '../../pipelines/72-bill/stage.ts';
import { drawDown } from '../../pipelines/76-draw-down/stage.ts';
import { invoice } from '../../pipelines/80-invoice/stage.ts';
import {
    soldCharges,
    soldClosings,
    soldLineItems,
    soldUnpriced,
    soldUnrated,
} from '../../pipelines/85-resell/tables.ts';
import type { AccountTree } from '../compile/accounts.ts';
import { Engine } from '../duck/engine.ts';
import { createTableSql, quoteTable, quoteText } from '../duck/sql.ts';
import type { Table } from '../duck/table.ts';
import { formatAmount, parseAmount } from '../money/amount.ts';
import { runParameters } from '../stage/control.ts';
import { runStage } from '../stage/run.ts';
import type { RunFolder } from './folders.ts';
import {
    createControl,
    fillBilling,
    fillCorrections,
    fillPrices,
    fillPromises,
    loadMacros,
    replaceTable,
} from './prepare.ts';
import type { Project } from './project.ts';

/**
 * Prices the sales of channels as the stages 40-rate to 80-invoice price usage, in a database of
 * their own, in which a seller and its buyer are one payer: nothing of it can get into what the
 * operator bills or reconciles. What came of it is then kept in the run as `sold.*`.
 * @throws RunError AUDIT_FAILED, AMOUNT_OVERFLOW, ENGINE_*
 */
export async function priceSales(
    engine: Engine,
    project: Project,
    tree: AccountTree,
    { scratch, sales: file }: RunFolder,
): Promise<void> {
    // Beside the spool of the run: it may be as large, and goes with it when the run is cut off.
    const exchange = join(scratch, 'sales');
    mkdirSync(exchange, { recursive: true });
    for (const old of [file, `${file}.wal`]) rmSync(old, { force: true });
    const { memory, threads = availableParallelism() } = project.config.engine;
    // Two databases are open at once, and together have what the config gives to one.
    const half = halfOf(memory);
    await limitMemory(engine, half);
    const own = await Engine.open({ file, memory: half, threads, spill: join(exchange, 'spill') });
    try {
        await fill(own, project, tree);
        await carry(engine, own, meteredUsage, exchange, salesSql);
        await carry(engine, own, pricedEvents, exchange, saleEventsSql('compiled.priced_events'));
        await carry(engine, own, runParameters, exchange, 'select * from run.parameters');
        for (const [index, stage] of [rate, priceUsage, rollUp].entries()) {
            const at = { upstream: 'sales', position: index + 1 };
            await runStage(stage, { engine: own, ...at });
        }
        await own.runAll(createTableSql(holds));
        await own.run(clearedSql);
        for (const [index, stage] of [bill, drawDown, invoice].entries()) {
            const at = { upstream: 'sales', position: index + 4 };
            await runStage(stage, { engine: own, ...at });
        }
        for (const [table, sql] of kept) {
            await carry(own, engine, table, exchange, sql, named);
        }
        await carry(own, engine, soldClosings, exchange, 'select * from invoice.closings');
    } finally {
        own.close();
        rmSync(exchange, { recursive: true, force: true });
        await limitMemory(engine, memory);
    }
}

/** `3GB` of `6GB`. */
function halfOf(memory: string): string {
    const [, size = '', unit = ''] = /^([\d.]+) *(\w+)$/.exec(memory) ?? [];
    const { units, scale } = parseAmount(size);
    return `${formatAmount({ units: units * 5n, scale: scale + 1 })}${unit}`;
}

async function limitMemory(engine: Engine, memory: string): Promise<void> {
    await engine.run(`set memory_limit = ${quoteText(memory)}`);
}

async function fill(own: Engine, project: Project, tree: AccountTree): Promise<void> {
    await loadMacros(own);
    await createControl(own);
    await fillPrices(own, project, tree);
    await replaceTable(own, accountPaths, tree.sale_paths);
    await fillBilling(own, project, tree.sale_paths);
    await fillPromises(own, null);
    await fillCorrections(own, null);
    await replaceTable(own, walletPayments, []);
}

/** Moves the rows of a select from one database to a table of another. */
async function carry(
    from: Engine,
    to: Engine,
    table: Table,
    folder: string,
    sql: string,
    read: (relation: string) => string = (relation) => `select * from ${relation}`,
): Promise<void> {
    const file = join(folder, `${table.name}.parquet`);
    await from.run(`copy (${sql}) to ${quoteText(file)} (format parquet)`);
    await to.run(`drop table if exists ${quoteTable(table.name)}`);
    await to.runAll(createTableSql(table));
    const columns = Object.keys(table.columns).join(', ');
    await to.run(
        `insert into ${quoteTable(table.name)} by name
        select ${columns} from (${read(`read_parquet(${quoteText(file)})`)})`,
    );
}

/** What the run keeps of the sales. Parquet has no whole number of 38 digits but a decimal. */
const kept: readonly (readonly [Table, string])[] = [
    [soldCharges, 'select * from rolled.charges'],
    [
        soldLineItems,
        `select * replace (cast(amount_minor as decimal(38, 0)) as amount_minor)
        from invoice.line_items`,
    ],
    [soldUnrated, 'select * from suspense.unrated_usage'],
    [soldUnpriced, 'select * from suspense.unpriced_fees'],
];

const salesSql = 'select * exclude (level_no, seller_id, buyer_id) from metered.sales';

/** Events as those of each sale of their channel: its two parties are the payer, by its book. */
export const saleEventsSql = (events: string) => `select events.* replace (
        channels.sale_id as payer_id, channels.pool_id as pool_id,
        channels.currency as currency, channels.book_id as book_id
    )
    from ${events} as events
    inner join accounts.channels as channels on events.channel_id = channels.channel_id`;

/** The wallet layer is between the operator and who it bills: no sale is ever held for it. */
const clearedSql = `insert into recon.holds by name
    select payer_id, payer_name, currency, amount as amount_exact, 0 as break_count,
        0 as unpriced_count, 0 as fee_count, 0 as break_money, 0 as hold_limit, 0 as unrated_count,
        'clear' as recon_status
    from rolled.payers`;

/** With seller and buyer in the place of the one payer that they were. */
const named = (relation: string) => `select pairs.seller_id, pairs.buyer_id,
        made.* replace (pairs.buyer_id as payer_id)
    from ${relation} as made
    inner join (
        select sale_id, seller_id, buyer_id from accounts.channels group by all
    ) as pairs on made.payer_id = pairs.sale_id`;
