import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import { usageEvents } from '../../pipelines/20-mediate/tables.ts';
import { rateChoices } from '../../pipelines/40-rate/tables.ts';
import { eventsViewSql, eventValuesViewSql, meteredViewSql } from '../../src/compile/meters.ts';
import { eventShape } from '../../src/compile/shape.ts';
import { Engine } from '../../src/duck/engine.ts';
import { createTableSql, quoteTable } from '../../src/duck/sql.ts';
import type { Table } from '../../src/duck/table.ts';
import { type Config, configSchema } from '../../src/schema/config.ts';

/*
 * The views that a config compiles to, over events, accounts and prices that a test names: the SQL
 * itself runs, which in the stage tests stands behind compiled tables.
 */

/** A row by column; what it leaves out has a default that nothing depends on. */
export type Values = Readonly<Record<string, string | null>>;

/** The config of these tests, with sections replaced. */
export const config = (over: Readonly<Record<string, unknown>> = {}): Config =>
    configSchema.parse({
        name: 'tiny',
        store: { folder: 'bucket' },
        rate_card: 'rates.yaml',
        accounts: 'accounts.json',
        assets: {},
        usage: [
            {
                name: 'gateway',
                prefix: 'usage/',
                attributes: { model: 'data.model', region: 'data.region' },
                quantities: {
                    input_tokens: 'data.input',
                    cached_tokens: 'data.cached',
                    output_tokens: 'data.output',
                    gpu_seconds: { path: 'data.gpu', type: 'decimal', optional: true },
                },
            },
        ],
        derived: {
            band: {
                band: 'input_tokens',
                steps: [{ up_to: '200000', is: 'standard' }, { is: 'long' }],
            },
            place: { map: 'region', values: { 'eu-1': 'eu', 'eu-2': 'eu' }, otherwise: 'world' },
            family: { map: 'model', values: { 'opus-4': 'opus' } },
            is_chat: { sql: "case when event_type = 'chat' then 'yes' else 'no' end" },
        },
        meters: [
            {
                meter: 'tokens',
                event_type: 'llm',
                aggregation: 'sum',
                unit: 'token',
                attributes: ['model', 'band'],
                token_classes: {
                    input: 'input_tokens - cached_tokens',
                    cache_read: 'cached_tokens',
                    output: 'output_tokens',
                },
            },
        ],
        ...over,
    });

export const requests = {
    meter: 'requests',
    aggregation: 'count',
    unit: 'request',
    attributes: ['place'],
    where: "region <> 'free'",
};
export const gpu = {
    meter: 'gpu',
    event_type: 'job',
    aggregation: 'sum',
    unit: 's',
    quantity: 'gpu_seconds',
};

/** Inserts rows by name; what a row does not name is null, or a default that nothing depends on. */
async function put(engine: Engine, table: Table, rows: readonly Values[], defaults: Values) {
    await engine.runAll(createTableSql(table));
    for (const [index, row] of rows.entries()) {
        const values: Values = { event_id: `e${index + 1}`, ...defaults, ...row };
        const names = Object.keys(values).filter((name) => name in table.columns);
        const cells = names.map((name) => `$${name}`).join(', ');
        await engine.run(
            `insert into ${quoteTable(table.name)} (${names.join(', ')}) values (${cells})`,
            Object.fromEntries(names.map((name) => [name, values[name] ?? null])),
        );
    }
}

const event: Values = {
    source: 's',
    event_type: 'llm',
    account_id: 'a',
    model: 'opus-4',
    region: 'eu-1',
    input_tokens: '0',
    cached_tokens: '0',
    output_tokens: '0',
    event_at: '2026-10-10 12:00:00',
    event_on: '2026-10-10',
    object_no: '1',
    line_no: '1',
};
const path: Values = {
    account_id: 'a',
    account_name: 'A',
    valid_from: '2000-01-01',
    valid_to: '9999-12-31',
    path: 'a',
    payer_id: 'org',
    pool_id: 'org',
    line_account_id: 'a',
    book_id: 'standard',
    channel_id: '',
    payer_name: 'Org',
    currency: 'USD',
    time_zone: 'UTC',
    period_start: '2026-10-01',
    period_end: '2026-11-01',
    wallet_asset: 'USD',
    wallet_shape: 'instant',
    is_prepaid: 'true',
};

interface World {
    readonly config?: Config;
    readonly events: readonly Values[];
    readonly paths?: readonly Values[];
    readonly boundaries?: readonly string[];
    readonly prices?: readonly Values[];
}

/** Runs a query over the views that the config compiles to; rows as ` | ` texts, in their order. */
export async function over(world: World, query: string): Promise<readonly string[]> {
    const of = world.config ?? config();
    const shape = eventShape(of);
    const engine = await Engine.open({
        file: ':memory:',
        memory: '1GB',
        threads: 2,
        spill: '/tmp',
    });
    try {
        await put(engine, usageEvents(shape), world.events, event);
        await put(engine, accountPaths, world.paths ?? [{}], path);
        await put(engine, rateChoices, world.prices ?? [], {
            meter: 'tokens',
            segment_at: '0001-01-01',
            rate_id: 'r',
            product: 'llm',
            book_id: 'standard',
            currency: 'USD',
        });
        const assets = { TOK: { kind: 'unit', precision: 0, counts: 'tokens' } } as const;
        await engine.runAll([
            'create schema compiled',
            `create view compiled.events as ${eventsViewSql(of, shape, world.boundaries ?? [])}`,
            `create view compiled.metered_usage as ${meteredViewSql(of, shape, () => world.boundaries ?? [])}`,
            'create schema metered',
            'create table metered.usage as select * from compiled.metered_usage',
            `create view compiled.event_values as ${eventValuesViewSql(of, shape, assets)}`,
        ]);
        const rows = await engine.rows(query);
        return rows.map((row) =>
            Object.values(row)
                .map((cell) =>
                    String(cell ?? '_')
                        .replace(/(\.\d*?)0+$/, '$1')
                        .replace(/\.$/, ''),
                )
                .join(' | '),
        );
    } finally {
        engine.close();
    }
}
