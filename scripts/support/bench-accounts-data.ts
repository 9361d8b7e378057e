import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import { drawDown } from '../../pipelines/60-draw-down/stage.ts';
import * as drawing from '../../pipelines/60-draw-down/tables.ts';
import { type AccountTree, compileAccounts } from '../../src/compile/accounts.ts';
import { noContracts } from '../../src/compile/contracts.ts';
import type { Engine } from '../../src/duck/engine.ts';
import { createTableSql, quoteText } from '../../src/duck/sql.ts';
import { loadCard } from '../../src/rules/load.ts';
import {
    createControl,
    fillBooks,
    fillRates,
    loadMacros,
    replaceTable,
} from '../../src/run/prepare.ts';
import type { Config } from '../../src/schema/config.ts';

/** How many accounts, what they use, and what their payers were promised and given. */
export interface AccountBenchSize {
    readonly accounts: number;
    /** Metered rows of each account: days and kinds of usage. */
    readonly days: number;
    readonly kinds: number;
    /** Of payers, one each; 0 leaves 60-draw-down out. */
    readonly commitments: number;
    readonly grants: number;
}

const since = '2026-01-01T00:00:00Z';
const period = '2026-10';

/** Of five accounts: a payer, a unit, its team, and two below the team. Every other unit is a pool. */
const perTree = 5;
const parents = [null, 0, 1, 2, 2] as const;

/** accounts.yaml of so many accounts in trees of four levels. */
export function accountsText(count: number): string {
    return Array.from({ length: count }, (_, at) => {
        const [tree, no] = [Math.trunc(at / perTree), at % perTree];
        const above = parents[no] ?? null;
        const parent = above === null ? '' : `parent: a${tree}-${above}, `;
        const pool = no === 1 && tree % 2 === 0 ? ', rate_at: self' : '';
        return `- { account_id: a${tree}-${no}, ${parent}currency: USD, valid_from: ${since}${pool} }\n`;
    }).join('');
}

/** The same of accounts that all hang below one payer. */
export function wideAccountsText(count: number): string {
    return Array.from({ length: count }, (_, at) => {
        const parent = at === 0 ? '' : 'parent: a0, ';
        return `- { account_id: a${at}, ${parent}currency: USD, valid_from: ${since} }\n`;
    }).join('');
}

/** The paths of the accounts, as a run compiles them. */
export function compileBench(text: string): AccountTree {
    // Of the config, accounts look at the wallets only.
    const config = { wallets: [] as Config['wallets'] } as Config;
    const compiled = compileAccounts('accounts.yaml', text, config, period, noContracts('list'));
    if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems.slice(0, 3)));
    return compiled.tree;
}

const rates = [{ when: {}, from: since }];
const plain = { model: 'per_unit', rates: [{ ...rates[0], price: '0.25' }] };
const tiered = {
    ...{ model: 'graduated', tier_scope: 'pool', rates },
    tiers: [
        { up_to: '1000', unit_price: '0.25' },
        { up_to: '10000', unit_price: '0.2' },
        { unit_price: '0.125', flat_fee: '10' },
    ],
};

/**
 * Prices everything by one rate.
 * @param terms of tiers, which pools fill together unless they say otherwise; null: a price of a unit.
 */
export async function fillCard(engine: Engine, terms: object | null): Promise<void> {
    const charge = { product: 'calls', meter: 'calls', unit: 'call' };
    const charges = [{ ...charge, ...(terms === null ? plain : { ...tiered, ...terms }) }];
    const card = { card: 'list', version: '1', currency: 'USD', charges };
    const read = loadCard('card.yaml', () => JSON.stringify(card));
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    await fillRates(engine, read.card.rates, () => true);
    await fillBooks(engine, [{ book_id: 'list', cards: ['list'] }]);
}

/** Everything but the paths and rates that 40-rate to 50-roll-up read. */
export async function fillUsage(engine: Engine, size: AccountBenchSize): Promise<void> {
    await engine.run(`insert into ${meteredUsage.name} by name
        select 'calls' as meter, paths.account_id, paths.payer_id, paths.pool_id, 'USD' as wallet_asset,
            'USD' as currency, 'list' as book_id, '' as channel_id,
            '{"kind":"' || kinds.kind::varchar || '"}' as attributes, 'call' as unit,
            timestamp '2026-01-01' as segment_at,
            date '2026-10-01' + days.day::integer as event_on,
            cast(1 + hash(paths.account_id, kinds.kind, days.day) % 500 as decimal(38, 12))
                as quantity,
            1 as event_count
        from ${accountPaths.name} as paths,
            (select unnest(range(${size.days})) as day) as days,
            (select unnest(range(${size.kinds})) as kind) as kinds`);
}

/** The empty relations that the stages expect, and the books of the runner. */
export async function openBench(engine: Engine): Promise<void> {
    await loadMacros(engine);
    await createControl(engine);
    for (const table of [...priceUsage.reads, ...drawDown.reads]) {
        await engine.runAll(createTableSql(table));
    }
}

/** The paths into the engine, as a run puts them there. */
export async function fillPaths(engine: Engine, tree: AccountTree): Promise<void> {
    await replaceTable(engine, accountPaths, tree.paths);
}

/** What is drawn down: the charges of payers, with a commitment and a grant for the first of them. */
export async function fillDraws(engine: Engine, size: AccountBenchSize): Promise<void> {
    const orders = drawing.defaultOrder.map((term) => quoteText(term)).join(', ');
    for (const { name } of drawDown.reads) await engine.run(`delete from ${name}`);
    await engine.runAll([
        `create or replace temp table owners as
         select payer_id as owner_id, row_number() over (order by payer_id) as owner_no,
             cast(sum(amount) * 1000000 as decimal(38, 0))::hugeint as total
         from rolled.charges group by payer_id`,
        `insert into ${drawing.charges.name} by name
         select payer_id as owner_id,
             row_number() over (partition by payer_id order by account_id, attributes) as charge_no,
             product, 'USD' as asset, period_start as first_at, period_start as last_at,
             case when owners.owner_no <= ${size.commitments} then 'promise' end as commitment_id,
             cast(amount * 1000000 as decimal(38, 0))::hugeint as size, 0 as beyond,
             1 as within_factor, 1 as above_factor, 10000 as rounding_divisor,
             'half_away' as rounding_mode
         from rolled.charges
         inner join owners on rolled.charges.payer_id = owners.owner_id,
             (select timestamp '2026-10-01' as period_start)`,
        `insert into ${drawing.commitments.name} by name
         select owner_id, 'promise' as commitment_id, total * 4 // 5 as committed,
             0 as counted_before, 'due' as true_up, 1 as within_factor,
             10000 as rounding_divisor, 'half_away' as rounding_mode
         from owners where owner_no <= ${size.commitments}`,
        `insert into ${drawing.grants.name} by name
         select owner_id, 'gift' as grant_id, 'USD' as asset, 0 as opening, 1000 as granted,
             0 as priority, 0 as is_rollover, 0 as cost_basis
         from owners where owner_no <= ${size.grants}`,
        `insert into ${drawing.orders.name} by name
         select owner_id, terms.position, terms.term
         from owners, (select unnest([${orders}]) as term,
             unnest(range(1, ${drawing.defaultOrder.length + 1})) as position) as terms`,
    ]);
}
