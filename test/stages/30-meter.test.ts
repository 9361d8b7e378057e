import { describe, expect, test } from 'vitest';
import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import { usageEvents } from '../../pipelines/20-mediate/tables.ts';
import { meter } from '../../pipelines/30-meter/stage.ts';
import { rateChoices } from '../../pipelines/40-rate/tables.ts';
import { eventsViewSql, eventValuesViewSql, meteredViewSql } from '../../src/compile/meters.ts';
import { eventShape } from '../../src/compile/shape.ts';
import { Engine } from '../../src/duck/engine.ts';
import { createTableSql, quoteTable } from '../../src/duck/sql.ts';
import type { Table } from '../../src/duck/table.ts';
import { type Config, configSchema } from '../../src/schema/config.ts';
import { auditRows, check } from '../support/table.ts';

type Values = Readonly<Record<string, string | null>>;

const config = (over: Readonly<Record<string, unknown>> = {}): Config =>
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

const requests = {
    meter: 'requests',
    aggregation: 'count',
    unit: 'request',
    attributes: ['place'],
    where: "region <> 'free'",
};
const gpu = {
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
    payer_name: 'Org',
    currency: 'USD',
    time_zone: 'UTC',
    period_start: '2026-10-01',
    period_end: '2026-11-01',
    wallet_asset: 'USD',
    wallet_shape: 'instant',
};

interface World {
    readonly config?: Config;
    readonly events: readonly Values[];
    readonly paths?: readonly Values[];
    readonly boundaries?: readonly string[];
    readonly prices?: readonly Values[];
}

/** Runs a query over the views that the config compiles to; rows as ` | ` texts, in their order. */
async function over(world: World, query: string): Promise<readonly string[]> {
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
            currency: 'USD',
        });
        const assets = { TOK: { kind: 'unit', precision: 0, counts: 'tokens' } } as const;
        await engine.runAll([
            'create schema compiled',
            `create view compiled.events as ${eventsViewSql(of, shape, world.boundaries ?? [])}`,
            `create view compiled.metered_usage as ${meteredViewSql(of, shape)}`,
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

const metered = 'select attributes, quantity, event_count from compiled.metered_usage order by all';

describe('30-meter: quantities', () => {
    test('a sum splits its events into token classes, and a class without any has no row', async () => {
        const events = [
            { input_tokens: '1000', cached_tokens: '400', output_tokens: '50' },
            { input_tokens: '500', cached_tokens: '0', output_tokens: '0' },
        ];
        expect(await over({ events }, metered)).toEqual([
            '{"band":"standard","model":"opus-4","token_class":"cache_read"} | 400 | 1',
            '{"band":"standard","model":"opus-4","token_class":"input"} | 1100 | 2',
            '{"band":"standard","model":"opus-4","token_class":"output"} | 50 | 1',
        ]);
    });

    test('a count counts what its filter lets pass; null is not let pass', async () => {
        const events = [
            { region: 'eu-1' },
            { region: 'eu-2', event_type: 'other' },
            { region: 'us-1' },
            { region: 'free' },
            { region: null },
        ];
        expect(await over({ config: config({ meters: [requests] }), events }, metered)).toEqual([
            '{"place":"eu"} | 2 | 2',
            '{"place":"world"} | 1 | 1',
        ]);
    });

    test('an event type that a meter does not want is not metered by it', async () => {
        const events = [{ event_type: 'chat', output_tokens: '5' }, { output_tokens: '7' }];
        expect(await over({ events }, metered)).toEqual([
            '{"band":"standard","model":"opus-4","token_class":"output"} | 7 | 1',
        ]);
    });

    test('decimals are added exactly: ten times 0.1 is 1, and twelve decimals stay', async () => {
        const jobs = (gpu_seconds: string) => ({ event_type: 'job', gpu_seconds });
        const events = [...Array.from({ length: 10 }, () => jobs('0.1')), jobs('0.000000000001')];
        expect(await over({ config: config({ meters: [gpu] }), events }, metered)).toEqual([
            '{} | 1.000000000001 | 11',
        ]);
    });

    test('whole numbers beyond what a double holds are added exactly', async () => {
        const events = [
            { output_tokens: '9007199254740993' },
            { output_tokens: '9007199254740993' },
        ];
        expect(await over({ events }, metered)).toEqual([
            '{"band":"standard","model":"opus-4","token_class":"output"} | 18014398509481986 | 2',
        ]);
    });

    test('one row by account, payer and UTC day', async () => {
        const events = [
            { account_id: 'a', output_tokens: '1' },
            { account_id: 'b', output_tokens: '2' },
            { account_id: 'b', output_tokens: '4', event_on: '2026-10-11' },
            { account_id: 'b', output_tokens: '8', event_on: '2026-10-11' },
        ];
        const paths = [{}, { account_id: 'b' }];
        const query =
            'select account_id, payer_id, event_on, quantity from compiled.metered_usage order by all';
        expect(await over({ events, paths }, query)).toEqual([
            'a | org | 2026-10-10 | 1',
            'b | org | 2026-10-10 | 2',
            'b | org | 2026-10-11 | 12',
        ]);
    });
});

describe('30-meter: derived attributes', () => {
    const derived = 'select band, place, family, is_chat from compiled.events order by event_id';

    test('a band ends with its bound; without the quantity there is no band', async () => {
        const events = [
            { input_tokens: '0' },
            { input_tokens: '200000' },
            { input_tokens: '200001' },
            { input_tokens: null },
        ];
        expect(
            await over({ events }, 'select band from compiled.events order by event_id'),
        ).toEqual(['standard', 'standard', 'long', '_']);
    });

    test('a map says otherwise, or leaves as it is; an expression sees the event', async () => {
        const events = [
            { event_type: 'chat' },
            { region: 'us-1', model: 'haiku' },
            { region: null, model: null },
        ];
        expect(await over({ events }, derived)).toEqual([
            'standard | eu | opus | yes',
            'standard | world | haiku | no',
            'standard | world | _ | no',
        ]);
    });

    test('quotes in a map are text', async () => {
        const of = config({
            derived: { band: { map: 'model', values: { "o'p": "it's; drop table x --" } } },
        });
        const events = [{ model: "o'p" }];
        expect(await over({ config: of, events }, 'select band from compiled.events')).toEqual([
            "it's; drop table x --",
        ]);
    });
});

describe('30-meter: time', () => {
    const places =
        'select event_id, segment_at, payer_id, is_in_period from compiled.events order by event_id';

    test('usage is split at the instants at which rates change', async () => {
        const boundaries = ['2026-10-05T00:00:00Z', '2026-10-10T12:00:00Z', '2026-10-20T00:00:00Z'];
        const at = (event_at: string) => ({ event_at, output_tokens: '1' });
        const events = [
            at('2026-10-04 23:59:59.999999'),
            at('2026-10-05 00:00:00'),
            at('2026-10-10 11:59:59.999999'),
            at('2026-10-10 12:00:00'),
            at('2026-10-31 00:00:00'),
        ];
        const query = 'select segment_at, quantity from compiled.metered_usage order by segment_at';
        expect(await over({ events, boundaries }, query)).toEqual([
            '0001-01-01T00:00:00Z | 1',
            '2026-10-05T00:00:00Z | 2',
            '2026-10-10T12:00:00Z | 1',
            '2026-10-20T00:00:00Z | 1',
        ]);
    });

    test('the period is half-open, in the zone of the payer', async () => {
        // October in New York: from 04:00 UTC on the 1st to 04:00 UTC on 1 November.
        const paths = [
            {},
            {
                account_id: 'ny',
                payer_id: 'ny',
                period_start: '2026-10-01 04:00:00',
                period_end: '2026-11-01 04:00:00',
            },
        ];
        const at = (event_id: string, account_id: string, event_at: string) => ({
            event_id,
            account_id,
            event_at,
            output_tokens: '1',
        });
        const events = [
            at('a1', 'a', '2026-09-30 23:59:59'),
            at('a2', 'a', '2026-10-01 00:00:00'),
            at('a3', 'a', '2026-10-31 23:59:59'),
            at('a4', 'a', '2026-11-01 00:00:00'),
            at('n1', 'ny', '2026-10-01 03:59:59'),
            at('n2', 'ny', '2026-10-01 04:00:00'),
            at('n3', 'ny', '2026-11-01 03:59:59'),
            at('n4', 'ny', '2026-11-01 04:00:00'),
        ];
        const query = 'select event_id, is_in_period from compiled.events order by event_id';
        expect(await over({ events, paths }, query)).toEqual([
            'a1 | false',
            'a2 | true',
            'a3 | true',
            'a4 | false',
            'n1 | false',
            'n2 | true',
            'n3 | true',
            'n4 | false',
        ]);
        const sums =
            'select account_id, sum(quantity) as q from compiled.metered_usage group by all order by all';
        expect(await over({ events, paths }, sums)).toEqual(['a | 2', 'ny | 2']);
    });

    test('a payer that changes in mid-period pays from its first instant', async () => {
        const paths = [
            { payer_id: 'p1', valid_to: '2026-10-15' },
            { payer_id: 'p2', valid_from: '2026-10-15' },
        ];
        const events = [{ event_at: '2026-10-14 23:59:59' }, { event_at: '2026-10-15 00:00:00' }];
        expect(await over({ events, paths }, places)).toEqual([
            'e1 | 0001-01-01T00:00:00Z | p1 | true',
            'e2 | 0001-01-01T00:00:00Z | p2 | true',
        ]);
    });
});

describe('30-meter: the worth of an event', () => {
    const of = (token_class: string, unit_price: string, model = 'opus-4'): Values => ({
        attributes: `{"band":"standard","model":"${model}","token_class":"${token_class}"}`,
        unit_price,
    });
    const worth =
        'select event_id, is_unrated, rated_amount from compiled.event_values order by event_id';

    test('every class at the price that was chosen for it', async () => {
        const events = [{ input_tokens: '1000', cached_tokens: '400', output_tokens: '50' }];
        const prices = [of('input', '0.01'), of('cache_read', '0.001'), of('output', '0.1')];
        expect(await over({ events, prices }, worth)).toEqual(['e1 | false | 11.4']);
    });

    test('a class without a price makes the event unrated; its other classes keep their worth', async () => {
        const events = [
            { input_tokens: '1000', cached_tokens: '400' },
            { input_tokens: '1000', cached_tokens: '0' },
            { input_tokens: '1000', model: 'new' },
        ];
        const prices = [of('input', '0.01')];
        expect(await over({ events, prices }, worth)).toEqual([
            'e1 | true | 6',
            'e2 | false | 10',
            'e3 | true | 0',
        ]);
    });

    test('a quantity that is not there is neither priced nor unrated', async () => {
        const both = config({
            meters: [...config().meters, { ...gpu, event_type: undefined }, requests],
            derived: { ...config().derived },
        });
        const events = [{ output_tokens: '10', gpu_seconds: null, region: null }];
        expect(await over({ config: both, events, prices: [of('output', '0.1')] }, worth)).toEqual([
            'e1 | false | 1',
        ]);
    });

    test('the price of the segment of the event, in the currency of its payer', async () => {
        const boundaries = ['2026-10-05T00:00:00Z'];
        const events = [
            { output_tokens: '1', event_at: '2026-10-04 23:59:59' },
            { output_tokens: '1', event_at: '2026-10-05 00:00:00' },
        ];
        const prices = [
            of('output', '0.1'),
            { ...of('output', '0.2'), segment_at: '2026-10-05' },
            { ...of('output', '9'), currency: 'EUR' },
        ];
        expect(await over({ events, prices, boundaries }, worth)).toEqual([
            'e1 | false | 0.1',
            'e2 | false | 0.2',
        ]);
    });

    test('what the wallet counts, by the asset of the wallet', async () => {
        const counting = config({ counts: { tokens: 'input_tokens + output_tokens' } });
        const events = [
            { input_tokens: '7', output_tokens: '2' },
            { account_id: 'b', input_tokens: '7', output_tokens: '2' },
        ];
        const paths = [{ wallet_asset: 'TOK' }, { account_id: 'b' }];
        const query =
            'select account_id, counted_quantity from compiled.event_values order by account_id';
        expect(await over({ config: counting, events, paths }, query)).toEqual(['a | 9', 'b | _']);
    });

    test('the worth of all events of a period is what their quantities cost', async () => {
        const events = [
            { input_tokens: '1003', cached_tokens: '401', output_tokens: '57' },
            { input_tokens: '300000', cached_tokens: '1', output_tokens: '3' },
            { input_tokens: '200000', cached_tokens: '199999', output_tokens: '0' },
        ];
        const prices = ['standard', 'long'].flatMap((band) =>
            ['input', 'cache_read', 'output'].map((token_class, index) => ({
                ...of(token_class, `0.00000${index + (band === 'long' ? 4 : 1)}3`),
                attributes: `{"band":"${band}","model":"opus-4","token_class":"${token_class}"}`,
            })),
        );
        const query = `select (select sum(rated_amount) from compiled.event_values)
            = (select sum(quantity * unit_price) from compiled.metered_usage
                inner join rated.rate_choices using (meter, attributes, segment_at)) as agrees`;
        expect(await over({ events, prices }, query)).toEqual(['true']);
    });
});

describe('30-meter: the stage', () => {
    const stage = meter(config(), []);

    test('metered usage is the compiled view, row for row', () =>
        check(
            stage,
            `
            given compiled.metered_usage meter  | account_id | attributes | quantity | event_count
                                         tokens | a          | {}         | 7.5      | 3
            then metered.usage           meter  | account_id | attributes | quantity | event_count
                                         tokens | a          | {}         | 7.5      | 3
        `,
        ));

    test('no-quantity-is-negative fails when more tokens were cached than read', async () => {
        const given = (quantity: string) => `
            given compiled.metered_usage quantity
                                         ${quantity}`;
        expect(await auditRows(stage, 'no-quantity-is-negative', given('-0.000000000001'))).toBe(1);
        expect(await auditRows(stage, 'no-quantity-is-negative', given('0'))).toBe(0);
    });
});
