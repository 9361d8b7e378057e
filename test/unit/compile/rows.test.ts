import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debitRowsSql, linesTable, usageRowsSql } from '../../../src/compile/rows.ts';
import { eventShape } from '../../../src/compile/shape.ts';
import { Engine } from '../../../src/duck/engine.ts';
import { type Config, configSchema } from '../../../src/schema/config.ts';

const config: Config = configSchema.parse({
    name: 'tiny',
    store: { folder: 'bucket' },
    rate_card: 'rates.yaml',
    accounts: 'accounts.json',
    assets: {},
    usage: [
        {
            name: 'gateway',
            prefix: 'usage/',
            attributes: { model: 'data.model', region: 'data.place.region' },
            quantities: {
                tokens: 'data.tokens',
                seconds: { path: 'data.usage.gpu seconds', type: 'decimal', optional: true },
            },
        },
        { name: 'other', prefix: 'other/', quantities: { bytes: 'data.bytes' } },
    ],
    debits: [{ name: 'wallet', prefix: 'debits/' }],
    meters: [{ meter: 'requests', aggregation: 'count', unit: 'request' }],
});
const shape = eventShape(config);
const [gateway] = config.usage;
const [wallet] = config.debits;
if (!gateway || !wallet) throw new Error('the config has inputs');

let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 1, spill: '/tmp' });
    await engine.run("attach ':memory:' as scratch");
});
afterAll(() => engine.close());

type Format = 'ndjson' | 'csv';

async function load(input: string, format: Format, lines: readonly string[]): Promise<void> {
    const table = linesTable({ input, format });
    await engine.run(
        `create or replace table ${table} (object_no bigint, line_no bigint, raw_text varchar)`,
    );
    for (const [index, line] of lines.entries()) {
        await engine.run(`insert into ${table} values (1, ${index + 1}, $line)`, { line });
    }
}

/** The rows that lines of the gateway become, with the columns named. */
async function usage(lines: readonly string[], columns: string): Promise<readonly string[]> {
    await load('gateway', 'ndjson', lines);
    const files = { input: 'gateway', format: 'ndjson', paths: [], numbers: [] } as const;
    return read(usageRowsSql(gateway as never, files, shape), columns);
}

async function debits(lines: readonly string[], columns: string): Promise<readonly string[]> {
    await load('wallet', 'ndjson', lines);
    const files = { input: 'wallet', format: 'ndjson', paths: [], numbers: [] } as const;
    return read(debitRowsSql(wallet as never, files, null), columns);
}

async function read(sql: string, columns: string): Promise<readonly string[]> {
    const rows = await engine.rows(`select ${columns} from (${sql}) order by line_no`);
    return rows.map((row) =>
        Object.values(row)
            .map((cell) => String(cell ?? '_'))
            .join(' | '),
    );
}

const envelope = {
    specversion: '1.0',
    id: 'e',
    source: 's',
    type: 'llm',
    subject: 'a',
    time: '2026-10-10T12:00:00Z',
};
/** A line whose number of tokens is written exactly so. */
const tokens = (text: string) =>
    `${JSON.stringify({ ...envelope, data: { model: 'm' } }).slice(0, -2)},"tokens":${text}}}`;
/** A line with a decimal, inside an object of its own. */
const seconds = (text: string) =>
    `${JSON.stringify({ ...envelope, data: { tokens: 1 } }).slice(0, -2)},"usage":{"gpu seconds":${text}}}}`;
const at = (time: string) => JSON.stringify({ ...envelope, time, data: { tokens: 1 } });
const line = (over: Readonly<Record<string, unknown>>) =>
    JSON.stringify({ ...envelope, data: { tokens: 1 }, ...over });

describe('whole numbers', () => {
    test.each([
        // as written, value, code
        ['0', '0', '_'],
        ['1234', '1234', '_'],
        ['"1234"', '1234', '_'],
        ['007', '_', 'MALFORMED_JSON'],
        ['"007"', '7', '_'],
        ['99999999999999', '99999999999999', '_'],
        ['100000000000000', '100000000000000', 'TOO_LARGE:tokens'],
        ['999999999999999999', '999999999999999999', 'TOO_LARGE:tokens'],
        ['1000000000000000000', '_', 'NOT_A_NUMBER:tokens'],
        ['9007199254740993', '9007199254740993', 'TOO_LARGE:tokens'],
        ['-1', '-1', 'NEGATIVE_QUANTITY:tokens'],
        ['1.5', '_', 'TOO_FINE:tokens'],
        ['1.0', '_', 'TOO_FINE:tokens'],
        ['"1e3"', '_', 'NOT_A_NUMBER:tokens'],
        // The JSON reader has made a fraction of it.
        ['1e3', '_', 'TOO_FINE:tokens'],
        ['"1e400"', '_', 'NOT_A_NUMBER:tokens'],
        ['1e400', '_', 'NOT_A_NUMBER:tokens'],
        ['""', '_', 'MISSING_QUANTITY:tokens'],
        ['null', '_', 'MISSING_QUANTITY:tokens'],
        ['" 5"', '_', 'NOT_A_NUMBER:tokens'],
        ['"5 "', '_', 'NOT_A_NUMBER:tokens'],
        ['"+5"', '_', 'NOT_A_NUMBER:tokens'],
        ['"1,000"', '_', 'NOT_A_NUMBER:tokens'],
        ['"１２"', '_', 'NOT_A_NUMBER:tokens'],
        ['"0x10"', '_', 'NOT_A_NUMBER:tokens'],
        ['"NaN"', '_', 'NOT_A_NUMBER:tokens'],
        ['true', '_', 'NOT_A_NUMBER:tokens'],
        ['[5]', '_', 'NOT_A_NUMBER:tokens'],
        ['{"n":5}', '_', 'NOT_A_NUMBER:tokens'],
    ])('%s is %s, %s', async (text, value, code) => {
        expect(await usage([tokens(text)], 'tokens, suspense')).toEqual([`${value} | ${code}`]);
    });

    test('without the key it is missing', async () => {
        expect(await usage([line({ data: {} })], 'tokens, suspense')).toEqual([
            '_ | MISSING_QUANTITY:tokens',
        ]);
    });
});

describe('decimals', () => {
    test.each([
        // as written, value, code
        ['0.1', '0.100000000000', '_'],
        ['"0.1"', '0.100000000000', '_'],
        ['5', '5.000000000000', '_'],
        ['0.123456789012', '0.123456789012', '_'],
        ['0.1234567890123', '_', 'TOO_FINE:seconds'],
        // Zeros behind the twelfth decimal say nothing.
        ['0.12345678901200', '0.123456789012', '_'],
        // Beyond 15 digits the digits come from the line, not through a double.
        ['12345678901234.123456789012', '12345678901234.123456789012', '_'],
        [
            '12345678901234567890.123456789012',
            '12345678901234567890.123456789012',
            'TOO_LARGE:seconds',
        ],
        [
            '"12345678901234567890.123456789012"',
            '12345678901234567890.123456789012',
            'TOO_LARGE:seconds',
        ],
        ['"0.100000000000000005551"', '_', 'TOO_FINE:seconds'],
        ['20000.000000000001', '20000.000000000001', '_'],
        ['9999999999999.0009', '9999999999999.000900000000', '_'],
        ['123456789.012345678e3', '_', 'NOT_A_NUMBER:seconds'],
        ['12345.5', '12345.500000000000', '_'],
        [
            '99999999999999999999999999',
            '99999999999999999999999999.000000000000',
            'TOO_LARGE:seconds',
        ],
        ['"100000000000000000000000000"', '_', 'NOT_A_NUMBER:seconds'],
        ['-0.5', '-0.500000000000', 'NEGATIVE_QUANTITY:seconds'],
        ['"1e400"', '_', 'NOT_A_NUMBER:seconds'],
        ['".5"', '_', 'NOT_A_NUMBER:seconds'],
        ['"5."', '_', 'NOT_A_NUMBER:seconds'],
        ['"1.2.3"', '_', 'NOT_A_NUMBER:seconds'],
        ['"Infinity"', '_', 'NOT_A_NUMBER:seconds'],
        // Optional: missing counts as zero.
        ['null', '0.000000000000', '_'],
        ['""', '0.000000000000', '_'],
    ])('%s is %s, %s', async (text, value, code) => {
        const [row] = await usage([seconds(text)], 'seconds, suspense');
        // What a row that can not be used says of its quantity is nobody's business.
        expect(code === '_' ? row : row?.split(' | ')[1]).toBe(
            code === '_' ? `${value} | _` : code,
        );
    });

    test.each([
        // A rounded number is worse than none.
        ['12345678901234567890.123456789012', 'NOT_A_NUMBER:seconds'],
        ['"12345678901234.123456789012"', '12345678901234.123456789012 | _'],
        ['20000.000000000001', 'NOT_A_NUMBER:seconds'],
        ['20000.5', '20000.500000000000 | _'],
        ['0.5', '0.500000000000 | _'],
    ])('%s of a key that stands twice in the line', async (text, row) => {
        const twice = seconds(text)
            .replace('"model"', '"x"')
            .replace('"tokens"', '"gpu seconds":7,"tokens"');
        const [actual] = await usage([twice], 'seconds, suspense');
        expect(row.includes('|') ? actual : actual?.split(' | ')[1]).toBe(row);
    });

    test('a quantity that only another input has is null, not zero', async () => {
        expect(await usage([tokens('1')], 'bytes, suspense')).toEqual(['_ | _']);
    });
});

describe('times', () => {
    test.each([
        // as written, in UTC, code
        ['2026-10-10T12:00:00Z', '2026-10-10T12:00:00Z', '_'],
        ['2026-10-10t12:00:00z', '2026-10-10T12:00:00Z', '_'],
        ['2026-10-10 12:00:00Z', '2026-10-10T12:00:00Z', '_'],
        ['2026-10-10T12:00:00+05:30', '2026-10-10T06:30:00Z', '_'],
        ['2026-10-10T12:00:00-14:00', '2026-10-11T02:00:00Z', '_'],
        ['2026-10-10T12:00:00.123456Z', '2026-10-10T12:00:00.123456Z', '_'],
        ['2026-10-10T12:00:00.1Z', '2026-10-10T12:00:00.1Z', '_'],
        ['2026-10-10T12:00:00', '_', 'BAD_TIME:event_at'],
        ['2026-10-10', '_', 'BAD_TIME:event_at'],
        ['2026-10-10T12:00Z', '_', 'BAD_TIME:event_at'],
        ['2026-10-10T12:00:00+99:00', '_', 'BAD_TIME:event_at'],
        ['2026-10-10T12:00:00+15:00', '_', 'BAD_TIME:event_at'],
        ['2026-10-10T12:00:00+0530', '_', 'BAD_TIME:event_at'],
        ['2026-10-10T12:00:00 Europe/Paris', '_', 'BAD_TIME:event_at'],
        ['2026-13-10T12:00:00Z', '_', 'BAD_TIME:event_at'],
        ['2026-02-29T12:00:00Z', '_', 'BAD_TIME:event_at'],
        ['2026-10-10T25:00:00Z', '_', 'BAD_TIME:event_at'],
        ['2026-10-10T12:00:60Z', '_', 'BAD_TIME:event_at'],
        ['1760097600', '_', 'BAD_TIME:event_at'],
        ['infinity', '_', 'BAD_TIME:event_at'],
        ['', '_', 'MISSING_TIME:event_at'],
    ])('%s is %s, %s', async (text, value, code) => {
        expect(
            (await usage([at(text)], 'event_at, suspense'))[0]?.replace(/(\.\d*?)0+Z/, '$1Z'),
        ).toBe(`${value} | ${code}`);
    });

    test.each([
        // Seven decimals and more: cut, never rounded into the next second, day or month.
        ['2026-10-10T12:00:00.1234567Z', '2026-10-10T12:00:00.123456Z'],
        ['2026-10-31T23:59:59.9999999Z', '2026-10-31T23:59:59.999999Z'],
        ['2026-10-31T23:59:59.999999999Z', '2026-10-31T23:59:59.999999Z'],
    ])('%s is %s', async (text, value) => {
        expect(await usage([at(text)], 'event_at, suspense')).toEqual([`${value} | _`]);
    });
});

describe('texts and lines', () => {
    test.each<readonly [string, string, string]>([
        ['no line', '', 'EMPTY_LINE'],
        ['spaces', '   ', 'EMPTY_LINE'],
        ['no JSON', '{"id":', 'MALFORMED_JSON'],
        ['two values in one line', '{} {}', 'MALFORMED_JSON'],
        ['an array', '[1]', 'BAD_ENVELOPE'],
        ['a number', '5', 'BAD_ENVELOPE'],
        ['another version', line({ specversion: '0.3' }), 'BAD_ENVELOPE'],
        ['an empty id', line({ id: '' }), 'MISSING_ID:event_id'],
        ['no id', line({ id: null }), 'MISSING_ID:event_id'],
        ['no source', line({ source: '' }), 'MISSING_SOURCE:source'],
        ['no type', line({ type: '' }), 'MISSING_TYPE:event_type'],
        ['no account', line({ subject: null }), 'MISSING_ACCOUNT:account_id'],
        ['an id of 1000 characters', line({ id: 'x'.repeat(1000) }), '_'],
        ['an id of 1001', line({ id: 'x'.repeat(1001) }), 'TEXT_TOO_LONG:event_id'],
        [
            'a huge attribute',
            line({ data: { tokens: 1, model: 'x'.repeat(500_000) } }),
            'TEXT_TOO_LONG:model',
        ],
        // The first thing that is wrong, in the order of the contract.
        ['two things wrong', line({ id: '', time: 'soon' }), 'MISSING_ID:event_id'],
    ])('%s', async (_what, text, code) => {
        expect(await usage([text], 'suspense')).toEqual([code]);
    });

    test('a huge text that tieout does not read is no reason', async () => {
        expect(await usage([line({ note: 'x'.repeat(900_000) })], 'event_id, suspense')).toEqual([
            'e | _',
        ]);
    });

    test('paths go as deep as they are written', async () => {
        const data = { tokens: 3, model: 'opus', place: { region: 'eu' } };
        expect(await usage([line({ data })], 'model, region, tokens, suspense')).toEqual([
            'opus | eu | 3 | _',
        ]);
    });

    test('a key with dots in it is not a path', async () => {
        expect(await usage([line({ data: { tokens: 3 }, 'data.model': 'x' })], 'model')).toEqual([
            '_',
        ]);
    });

    test('an attribute that is no text is taken as it is written', async () => {
        const data = { tokens: 1, model: { a: 1 }, place: { region: 5 } };
        expect(await usage([line({ data })], 'model, region, suspense')).toEqual([
            '{"a":1} | 5 | _',
        ]);
    });

    test('rows keep their place and their text', async () => {
        expect(await usage(['', tokens('5')], 'input, object_no, line_no, raw_text')).toEqual([
            'gateway | 1 | 1 | ',
            `gateway | 1 | 2 | ${tokens('5')}`,
        ]);
    });
});

describe('debits', () => {
    const entry = (over: Readonly<Record<string, unknown>>) =>
        JSON.stringify({
            entry_id: 'd',
            entry_type: 'capture',
            account_id: 'a',
            asset: 'USD',
            amount: '1.5',
            booked_at: '2026-10-10T12:00:00Z',
            ...over,
        });
    test.each<readonly [string, Readonly<Record<string, unknown>>, string]>([
        ['all there', {}, '1.500000000000 | _'],
        ['below zero is for the stage to judge', { amount: '-1.5' }, '-1.500000000000 | _'],
        ['no amount', { amount: null }, '_ | MISSING_QUANTITY:amount'],
        ['an amount with 13 decimals', { amount: '0.0000000000001' }, '_ | TOO_FINE:amount'],
        ['no asset', { asset: '' }, '1.500000000000 | MISSING_ASSET:asset'],
        ['no id', { entry_id: '' }, '1.500000000000 | MISSING_ID:entry_id'],
        ['no type', { entry_type: null }, '1.500000000000 | MISSING_TYPE:entry_type'],
        ['not booked', { booked_at: null }, '1.500000000000 | MISSING_TIME:booked_at'],
        ['no zone', { expires_at: '2026-10-10T12:00:00' }, '1.500000000000 | BAD_TIME:expires_at'],
        ['sold less than nothing', { quantity: -1 }, '1.500000000000 | NEGATIVE_QUANTITY:quantity'],
        ['half a number', { sequence: 1.5 }, '1.500000000000 | TOO_FINE:sequence'],
    ])('%s', async (_what, over, row) => {
        expect(await debits([entry(over)], 'amount, suspense')).toEqual([row]);
    });

    test('a quantity that is not stated is unknown, not zero', async () => {
        expect(await debits([entry({})], 'quantity, sequence, occurred_at')).toEqual(['_ | _ | _']);
    });
});

describe('CSV', () => {
    test('columns are text; an empty cell is nothing', async () => {
        const table = linesTable({ input: 'flat', format: 'csv' });
        await engine.run(`create or replace table ${table} as
            select 1::bigint as object_no, 2::bigint as line_no, '...' as raw_text,
                'e' as id, 's' as source, 'llm' as type, 'a' as subject,
                '2026-10-10T12:00:00Z' as time, '' as model, '12345678901234' as tokens
            union all select 1, 3, '...', '', 's', 'llm', 'a', '2026-10-10T12:00:00Z', 'm', ''`);
        const [input] = configSchema.parse({
            ...config,
            usage: [
                {
                    name: 'flat',
                    prefix: 'flat/',
                    format: 'csv',
                    attributes: { model: 'model' },
                    quantities: { tokens: 'tokens' },
                },
            ],
        }).usage;
        const files = { input: 'flat', format: 'csv', paths: [], numbers: [] } as const;
        const own = {
            attributes: ['model'],
            quantities: [{ name: 'tokens', type: 'integer' }],
        } as const;
        const sql = usageRowsSql(input as never, files, own);
        expect(await read(sql, 'event_id, model, tokens, suspense')).toEqual([
            'e | _ | 12345678901234 | _',
            '_ | m | _ | MISSING_ID:event_id',
        ]);
    });
});
