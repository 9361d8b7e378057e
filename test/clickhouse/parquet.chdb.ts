import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { Random } from '../../fixtures/generator/random.ts';
import { Engine } from '../../src/duck/engine.ts';
import { Spots } from '../properties/injection.plan.ts';
import { cleanBooks, filesOver } from '../properties/injection.world.ts';
import { counted, injections } from '../properties/injections.ts';
import {
    type BothNights,
    bothNights,
    expectSame,
    type Objects,
    returnedOf,
} from '../support/both-engines.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

/*
 * The same of Parquet: columns with types of their own, rows that cannot be used among them, and files
 * of which one lacks a column.
 */

const usageSql = (file: string, wrong: string) => `select id, source, type, subject,
    cast(time as timestamptz) as time, data.model as model,
    cast(data.input_tokens as integer) as input_tokens,
    cast(data.cached_input_tokens as bigint) as cached_input_tokens,
    cast(data.output_tokens as bigint) as output_tokens
    from read_json('${file}', columns = {id: 'varchar', source: 'varchar', type: 'varchar', subject: 'varchar',
        time: 'varchar', data: 'struct(model varchar, input_tokens bigint, cached_input_tokens bigint, output_tokens bigint)'})
    ${wrong}`;
const columns = [
    ...[
        'entry_id',
        'entry_type',
        'authorization_id',
        'event_id',
        'account_id',
        'wallet_id',
        'asset',
    ],
    ...['unit', 'meter', 'aggregated', 'grant_id', 'reversal_of', 'money_currency'],
];
const exact = ['amount', 'quantity', 'balance_before', 'balance_after', 'money_amount'];
const debitsSql = (file: string) => `select ${columns.join(', ')},
    ${exact.map((name) => `cast(${name} as decimal(30, 12)) as ${name}`).join(', ')},
    cast(booked_at as timestamp) as booked_at, cast(occurred_at as timestamptz) as occurred_at,
    cast(sequence as integer) as sequence
    from read_json('${file}', columns = {${[...columns, ...exact, 'booked_at', 'occurred_at', 'sequence'].map((name) => `${name}: 'varchar'`).join(', ')}})`;

/** Usage that cannot be used, whichever engine reads it. */
const wrong = `union all by name select * from (values
    (null, 's', 't', 'northwind', timestamptz '2026-10-03 00:00:00Z', 'm', 1, 0::bigint, 1::bigint),
    ('w1', 's', 'llm.completion', 'nobody', timestamptz '2026-10-03 00:00:00Z', 'm', 1, 0, 1),
    ('w2', 's', 'llm.completion', 'northwind', null, 'm', 1, 0, 1),
    ('w3', 's', 'llm.completion', 'northwind', timestamptz '2026-10-03 00:00:00Z', 'm', -1, 0, 1),
    ('w4', 's', 'llm.completion', 'northwind', timestamptz '2026-10-03 00:00:00Z', 'm', 1, 0, 400000000000000),
    ('w5', '', 'llm.completion', 'northwind', timestamptz '1969-10-03 00:00:00Z', 'm', 1, 0, null)
    ) as t(id, source, type, subject, time, model, input_tokens, cached_input_tokens, output_tokens)`;

async function asParquet(objects: Readonly<Record<string, string>>): Promise<Objects> {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-parquet-'));
    const engine = await Engine.open({
        file: ':memory:',
        memory: '1GB',
        threads: 1,
        spill: folder,
    });
    await engine.run('load json').catch(() => undefined);
    const made: Record<string, Uint8Array> = {};
    let isFirst = true;
    for (const [key, text] of Object.entries(objects)) {
        const [from, to] = [join(folder, 'in.ndjson'), join(folder, 'out.parquet')];
        writeFileSync(from, text);
        const sql = key.startsWith('usage/')
            ? usageSql(from, isFirst ? wrong : '')
            : debitsSql(from);
        isFirst = false;
        await engine.run(`copy (${sql}) to '${to}' (format parquet)`);
        made[key.replace('.ndjson', '.parquet')] = readFileSync(to);
    }
    engine.close();
    rmSync(folder, { recursive: true, force: true });
    return made;
}

let s3: S3Server;
let nights: BothNights;

beforeAll(async () => {
    s3 = await startS3();
    const small = { teams: 2, resellers: 1, customersPerReseller: 2, departments: 2 };
    const { books, beside } = cleanBooks({ seed: 9, events: 300, accounts: small });
    const spots = new Spots(books);
    const random = new Random(9, 300);
    for (const [code, [injector]] of [...Object.entries(injections), ...Object.entries(counted)]) {
        if (injector) spots.inject(code, injector, random);
    }
    const { files, objects } = filesOver([books], beside);
    const config = parse(files['tieout.yaml'] ?? '');
    const [gateway] = config.usage;
    const own = (of: Readonly<Record<string, string>>) =>
        Object.fromEntries(Object.keys(of).map((name) => [name, name]));
    Object.assign(gateway, {
        attributes: own(gateway.attributes),
        quantities: own(gateway.quantities),
    });
    config.limits.suspense_percent = '50';
    nights = await bothNights(
        s3,
        { ...files, 'tieout.yaml': stringify(config) },
        await asParquet(objects),
    );
});
afterAll(async () => {
    nights?.remove();
    await s3?.stop();
});

test('a night over Parquet gives the same files', () => expectSame(nights));

test('rows that cannot be used are in suspense', () => {
    const codes = nights.there.certificate.suspense.map(({ code }) => code);
    expect(codes).toEqual(
        expect.arrayContaining([
            'MISSING_ID',
            'MISSING_TIME',
            'NEGATIVE_QUANTITY',
            'TOO_LARGE',
            'UNKNOWN_ACCOUNT',
        ]),
    );
    const [returned, all] = returnedOf(nights.there);
    expect(returned).toBeLessThan(all);
});
