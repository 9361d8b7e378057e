import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import { holds, walletPayments } from '../../pipelines/70-reconcile/tables.ts';
import { bill } from '../../pipelines/72-bill/stage.ts';
import * as billing from '../../pipelines/72-bill/tables.ts';
import { drawDown } from '../../pipelines/76-draw-down/stage.ts';
import { invoice } from '../../pipelines/80-invoice/stage.ts';
import { type AccountTree, compileAccounts } from '../../src/compile/accounts.ts';
import { noContracts } from '../../src/compile/contracts.ts';
import { noOpenings } from '../../src/compile/openings.ts';
import { compilePromises, type Promises } from '../../src/compile/promises.ts';
import type { Engine } from '../../src/duck/engine.ts';
import { createTableSql } from '../../src/duck/sql.ts';
import type { CompiledCard } from '../../src/rules/card.ts';
import { loadContracts } from '../../src/rules/contracts.ts';
import { loadCard } from '../../src/rules/load.ts';
import {
    createControl,
    currencyRows,
    fillBooks,
    fillRates,
    loadMacros,
    replaceTable,
} from '../../src/run/prepare.ts';
import type { Config } from '../../src/schema/config.ts';
import { runParameters } from '../../src/stage/control.ts';
import { formatInstant, parseInstant } from '../../src/time/instant.ts';
import { parsePeriod } from '../../src/time/period.ts';

/** How many accounts, what they use, and what their payers were promised and given. */
export interface AccountBenchSize {
    readonly accounts: number;
    /** All below one payer, and promises are of accounts, instead of trees with a payer each. */
    readonly isWide: boolean;
    /** Metered rows of each account: days and kinds of usage. */
    readonly days: number;
    readonly kinds: number;
    /** Of payers, one each; 0 leaves 72-bill to 80-invoice out. */
    readonly commitments: number;
    readonly grants: number;
}

const since = '2026-01-01T00:00:00Z';
const period = '2026-10';
const asOf = '2026-11-05T00:00:00Z';

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
    const compiled = compileAccounts(
        ...(['accounts.yaml', text, { config, assets: {} }, period] as const),
        noContracts('list'),
    );
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
    await fillRates(engine, benchCard(terms).rates, () => true);
    await fillBooks(engine, [{ book_id: 'list', cards: ['list'] }], () => 'USD');
}

function benchCard(terms: object | null): CompiledCard {
    const charge = { product: 'calls', meter: 'calls', unit: 'call' };
    const charges = [{ ...charge, ...(terms === null ? plain : { ...tiered, ...terms }) }];
    const card = { card: 'list', version: '1', currency: 'USD', charges };
    const read = loadCard('card.yaml', () => JSON.stringify(card));
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    return read.card;
}

/** Everything but the paths and rates that 40-rate to 50-roll-up read. */
export async function fillUsage(engine: Engine, size: AccountBenchSize): Promise<void> {
    await engine.run(`insert into ${meteredUsage.name} by name
        select 'calls' as meter, paths.account_id, paths.payer_id, paths.pool_id, 'USD' as wallet_asset,
            'USD' as currency, 'list' as book_id, '' as channel_id,
            '{"kind":"' || kinds.kind::varchar || '"}' as attributes, 'call' as unit,
            case
                when ${size.commitments + size.grants} > 0
                    and date '2026-10-01' + days.day::integer >= date '${cutOn}'
                    then timestamp '${cutOn}' else timestamp '2026-01-01'
            end as segment_at,
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
    const stages = [priceUsage, bill, drawDown, invoice];
    const made = new Set(stages.flatMap(({ writes }) => writes));
    const read = new Set([...stages.flatMap(({ reads }) => reads), runParameters]);
    for (const table of [...read].filter((of) => !made.has(of))) {
        await engine.runAll(createTableSql(table));
    }
}

/** The paths into the engine, as a run puts them there. */
export async function fillPaths(engine: Engine, tree: AccountTree): Promise<void> {
    await replaceTable(engine, accountPaths, tree.paths);
}

/** contracts.yaml with one for each payer that promised or was given something, of four kinds in turn. */
function contractsText({ commitments, grants, isWide }: AccountBenchSize): string {
    const all = Array.from({ length: Math.max(commitments, grants) }, (_, tree) => ({
        ...{ contract: `c${tree}`, account: isWide ? `a${tree}` : `a${tree}-0` },
        cards: [{ card: 'list' }],
        // Of every other payer the period is cut: its lines have parts before and after.
        from: tree % 2 === 0 ? '2026-10-01T00:00:00Z' : `${cutOn}T00:00:00Z`,
        to: '2027-10-01T00:00:00Z',
        ...(tree < commitments ? { commitments: [promises[tree % promises.length]] } : {}),
        ...(tree < grants ? { grants: [{ grant: 'gift', amount: '10.00' }] } : {}),
    }));
    return JSON.stringify({ contracts: all });
}

const cutOn = '2026-10-06';
const units = { quantity: '20000', meter: 'calls', every: 'month' };
const promises = [
    { commitment: 'spend', amount: '9000.00', every: 'month', overage_factor: '1.25' },
    { commitment: 'ahead', amount: '5000.00', every: 'month', kind: 'prepaid' },
    { commitment: 'calls', ...units, shortfall_price: '0.25' },
    { commitment: 'plan', ...units, kind: 'prepaid', fee: '4000.00', overage_factor: '1.25' },
];

/** What contracts promise and give, in rows: of contracts.yaml as a run reads and compiles it. */
export function compilePromiseBench(size: AccountBenchSize, tree: AccountTree): Promises {
    const card = { file: 'card.yaml', card: benchCard(null) };
    const read = loadContracts('contracts.yaml', contractsText(size), card, () => '');
    if ('problems' in read) throw new Error(JSON.stringify(read.problems.slice(0, 3)));
    const { promises, problems } = compilePromises({
        ...{ contracts: read.contracts, openings: noOpenings, assets: {}, paths: tree.paths },
        asOf: parseInstant(asOf),
    });
    if (problems.length) throw new Error(JSON.stringify(problems.slice(0, 3)));
    return promises;
}

/** What else the lines need: of every fifth account a wallet paid for its calls; nothing is held. */
export async function fillBill(engine: Engine, tree: AccountTree): Promise<void> {
    await replaceTable(engine, billing.currencies, currencyRows(tree.paths));
    await engine.runAll([
        `delete from ${walletPayments.name}`,
        `insert into ${walletPayments.name} by name
         select payer_id, account_id, 'calls' as product, 'USD' as asset,
             timestamp '0001-01-01' as rate_from, 1 as rate, 5 as asset_amount, 5 as amount,
             'USD' as currency
         from ${accountPaths.name} where hash(account_id) % 5 = 0`,
        `delete from ${holds.name}`,
        `insert into ${holds.name} by name
         select payer_id, payer_name, currency, 0 as amount_exact, 0 as break_count,
             0 as unpriced_count, 0 as break_money, 0 as hold_limit, 0 as unrated_count,
             'clear' as recon_status
         from rolled.payers`,
    ]);
    const { start, end } = parsePeriod(period, 'UTC');
    await replaceTable(engine, runParameters, [
        {
            ...{ run_id: 'bench', period, as_of: asOf, open_hold_hours: 0n },
            ...{ period_start: formatInstant(start), period_end: formatInstant(end) },
            ...{ suspense_percent: '0', hold_absolute: '0', hold_percent: '0' },
        },
    ]);
}
