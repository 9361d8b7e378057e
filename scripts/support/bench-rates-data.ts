import { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { rate } from '../../pipelines/40-rate/stage.ts';
import { bookCards, rates } from '../../pipelines/40-rate/tables.ts';
import type { Engine } from '../../src/duck/engine.ts';
import { createTableSql, quoteText } from '../../src/duck/sql.ts';
import type { CompiledCard } from '../../src/rules/card.ts';
import { loadCard } from '../../src/rules/load.ts';
import { createControl, loadMacros, replaceTable } from '../../src/run/prepare.ts';

/** What is rated: so many rows, that many attribute combinations, a card of that many rates. */
export interface RateBenchSize {
    readonly rows: bigint;
    readonly combinations: bigint;
    readonly rates: number;
}

/** Values of each attribute; every combination of them may occur. */
const values = {
    model: 60,
    region: 12,
    service_tier: 3,
    context_band: 3,
    token_class: 5,
    segment: 10,
} as const;
type Attribute = keyof typeof values;
const attributes = Object.keys(values).sort() as readonly Attribute[];

/**
 * The attributes that rates name, and how many of a hundred rates do: what is left over names all of
 * them. No two masks are as specific, so no rates tie.
 */
const masks: readonly { readonly names: readonly Attribute[]; readonly share: number }[] = [
    { names: ['token_class'], share: 0 },
    { names: ['model', 'token_class'], share: 2 },
    { names: ['model', 'region', 'token_class'], share: 10 },
    { names: ['model', 'service_tier', 'context_band', 'token_class'], share: 16 },
    { names: attributes.filter((name) => name !== 'segment'), share: 28 },
    { names: attributes, share: 100 },
];
const since = '2020-01-01T00:00:00Z';
const change = '2026-10-16T00:00:00Z';

/** The n-th pattern over some attributes: a number of mixed radix. */
function pattern(names: readonly Attribute[], number: number): Readonly<Record<string, string>> {
    let rest = number;
    const cells = names.map((name) => {
        const value = `${name}-${rest % values[name]}`;
        rest = Math.trunc(rest / values[name]);
        return [name, value] as const;
    });
    return Object.fromEntries(cells);
}

/** The matrix of a card of so many rates, some of which change in the middle of the month. */
function matrixCsv(count: number): string {
    const rows = masks.flatMap(({ names, share }) => {
        const space = names.reduce((product, name) => product * values[name], 1);
        const wanted = Math.min(space, Math.max(Math.trunc((count * share) / 100), 5));
        // Spread over the whole space: every part of it is priced by several masks.
        const step = Math.trunc(space / wanted) || 1;
        return Array.from({ length: wanted }, (_, at) => {
            const cells = pattern(names, at * step);
            const key = attributes.map((name) => cells[name] ?? '*').join(',');
            const price = `0.0000${String(at + 1).padStart(6, '0')}`;
            return at % 10 === 0
                ? [`${key},${price},${since},${change}`, `${key},${price}1,${change},`]
                : [`${key},${price},${since},`];
        }).flat();
    });
    const kept = rows.slice(0, count - 1);
    const any = `${attributes.map(() => '*').join(',')},0.00001,${since},`;
    return `${[[...attributes, 'price', 'from', 'to'].join(','), ...kept, any].join('\n')}\n`;
}

/** The card as a project would load it. */
export function benchCard(count: number): CompiledCard {
    const card = {
        card: 'bench',
        version: '1',
        currency: 'USD',
        charges: [
            {
                product: 'tokens',
                meter: 'tokens',
                model: 'per_unit',
                unit: 'token',
                matrix: {
                    file: 'bench.csv',
                    attributes: Object.fromEntries(attributes.map((name) => [name, name])),
                    price: 'price',
                    from: 'from',
                    to: 'to',
                },
            },
        ],
    };
    const texts = { 'bench.yaml': JSON.stringify(card), 'bench.csv': matrixCsv(count) };
    const read = loadCard('bench.yaml', (path) => texts[path as keyof typeof texts]);
    if ('problems' in read) throw new Error(JSON.stringify(read.problems.slice(0, 3)));
    return read.card;
}

/** Fills everything that 40-rate reads. Row i is made from i alone: no two are of one grain. */
export async function fillRateBench(engine: Engine, size: RateBenchSize): Promise<void> {
    await loadMacros(engine);
    await createControl(engine);
    for (const table of rate.reads) await engine.runAll(createTableSql(table));
    await replaceTable(engine, rates, benchCard(size.rates).rates);
    await replaceTable(engine, bookCards, [{ book_id: 'bench', card: 'bench', currency: 'USD' }]);
    // The combinations are spread over all there are, in an order of their own.
    const space = attributes.reduce((product, name) => product * values[name], 1);
    let below = 1;
    const cells = attributes.map((name) => {
        const sql = `${quoteText(`${name}-`)} || ((combination // ${below}) % ${values[name]})::varchar`;
        below *= values[name];
        return `${name} := ${sql}`;
    });
    await engine.run(`insert into ${meteredUsage.name} by name
        select 'tokens' as meter, 'account-' || (other // 31)::varchar as account_id,
            'payer-' || (other // 31 % 100)::varchar as payer_id,
            'payer-' || (other // 31 % 100)::varchar as pool_id,
            'USD' as wallet_asset, 'USD' as currency, 'bench' as book_id, '' as channel_id,
            to_json(struct_pack(${cells.join(', ')}))::varchar as attributes, 'token' as unit,
            case when other % 31 >= 15 then timestamp '2026-10-16'
                else timestamp '2020-01-01' end as segment_at,
            date '2026-10-01' + (other % 31)::integer as event_on,
            cast(1 + hash(i) % 1000000 as decimal(38,12)) as quantity,
            1 + (hash(i) % 50)::bigint as event_count
        from (
            select i, (i % ${size.combinations}) * 7919 % ${space} as combination,
                i // ${size.combinations} as other
            from (select unnest(range(${size.rows})) as i)
        )`);
}

/**
 * The least that rating can be: one hash join of as many rows with as many rates by a text that is
 * ready-made, and the rows of rated.usage written.
 */
export const floorSetup: readonly string[] = [
    'create schema if not exists floor',
    `create or replace table floor.rates as
        select 'key-' || (row_number() over (order by rate_id) - 1)::varchar as match_key,
            rate_id, product, unit_price, currency
        from rules.rates`,
    `create or replace table floor.usage as
        select *, 'key-' || (hash(attributes, segment_at) % (select count(*) from floor.rates))::varchar as match_key
        from metered.usage`,
];

export const floorSql = `create or replace table floor.rated as
    select usage.meter, usage.account_id, usage.payer_id, usage.pool_id, usage.wallet_asset,
        usage.book_id, usage.channel_id, usage.attributes, usage.unit,
        usage.segment_at, usage.event_on, usage.quantity, usage.event_count, rates.rate_id,
        rates.product, rates.unit_price,
        cast(usage.quantity * rates.unit_price as decimal(38, 24)) as amount, rates.currency
    from floor.usage as usage
    inner join floor.rates as rates on usage.match_key = rates.match_key`;
