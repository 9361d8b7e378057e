import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debitRowsSql, linesTable, usageRowsSql } from '../../../src/compile/rows.ts';
import { eventShape } from '../../../src/compile/shape.ts';
import { Engine } from '../../../src/duck/engine.ts';
import { type Config, configSchema } from '../../../src/schema/config.ts';

let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 1, spill: '/tmp' });
    await engine.run("attach ':memory:' as scratch");
});
afterAll(() => engine.close());

const configOf = (inputs: object): Config =>
    configSchema.parse({
        ...{ name: 'tiny', store: { folder: 'bucket' }, rate_card: 'r', accounts: 'a', assets: {} },
        meters: [{ meter: 'requests', aggregation: 'count', unit: 'request' }],
        usage: [{ name: 'unused', prefix: 'unused/' }],
        ...inputs,
    });

/** The columns of the one row, or of all entries, that a line becomes. */
async function rowsOf(line: string, sql: string, columns: string): Promise<string> {
    const table = linesTable({ input: 'one', format: 'ndjson' });
    await engine.run(
        `create or replace table ${table} as select 1 as object_no, 1 as line_no, $line as raw_text`,
        { line },
    );
    const rows = await engine.rows(`select ${columns} from (${sql})`);
    return rows
        .map((row) =>
            Object.values(row)
                .map((cell) => String(cell ?? '_'))
                .join(' | '),
        )
        .join('\n');
}
const files = { input: 'one', format: 'ndjson', paths: [], numbers: [] } as const;

async function usage(input: object, line: string, columns: string): Promise<string> {
    const config = configOf({ usage: [{ name: 'one', prefix: '', ...input }] });
    const [of] = config.usage;
    return rowsOf(line, usageRowsSql(of as never, files, eventShape(config)), columns);
}

async function debit(input: object, line: string, columns: string): Promise<string> {
    const config = configOf({ debits: [{ name: 'one', prefix: '', ...input }] });
    const [of] = config.debits;
    return rowsOf(line, debitRowsSql(of as never, files, null), columns);
}

describe('times since 1970', () => {
    const columns = {
        source: 's',
        event_id: 'id',
        event_type: 't',
        account_id: 'a',
        event_at: 'at',
    };
    test.each([
        // unit, as written, instant, code
        ['seconds', '1791504000', '2026-10-09T00:00:00Z', '_'],
        ['seconds', '"1791504000"', '2026-10-09T00:00:00Z', '_'],
        ['seconds', '1791504000.5', '2026-10-09T00:00:00.5Z', '_'],
        ['seconds', '"1791504000.123456789"', '2026-10-09T00:00:00.123456Z', '_'],
        ['seconds', '999999999', '2001-09-09T01:46:39Z', '_'],
        ['seconds', '"2026-10-09T02:00:00+02:00"', '2026-10-09T00:00:00Z', '_'],
        ['seconds', '1791504000000', '_', 'BAD_TIME:event_at'],
        ['seconds', '-1791504000', '_', 'BAD_TIME:event_at'],
        ['seconds', '"1791504000."', '_', 'BAD_TIME:event_at'],
        ['seconds', 'null', '_', 'MISSING_TIME:event_at'],
        ['milliseconds', '1791504000001', '2026-10-09T00:00:00.001Z', '_'],
        ['milliseconds', '1791504000', '_', 'BAD_TIME:event_at'],
        ['milliseconds', '1791504000001.5', '_', 'BAD_TIME:event_at'],
        ['microseconds', '1791504000000001', '2026-10-09T00:00:00.000001Z', '_'],
        ['nanoseconds', '"1791504000000001999"', '2026-10-09T00:00:00.000001Z', '_'],
        ['nanoseconds', '1791504000000001999', '2026-10-09T00:00:00.000001Z', '_'],
        ['rfc3339', '1791504000', '_', 'BAD_TIME:event_at'],
    ])('in %s: %s', async (instants, written, at, code) => {
        const line = `{"s":"s","id":"e","t":"t","a":"a","at":${written}}`;
        expect(await usage({ preset: 'none', columns, instants }, line, 'event_at, suspense')).toBe(
            `${at} | ${code}`,
        );
    });
});

describe('minor units', () => {
    const entry = (amount: string, asset = 'USD') =>
        `{"entry_id":"d","entry_type":"capture","account_id":"a","asset":"${asset}","booked_at":"2026-10-09T00:00:00Z","amount":${amount}}`;
    test.each([
        // as written, asset, amount, code
        ['5', 'USD', '0.050000000000', '_'],
        ['"12345"', 'USD', '123.450000000000', '_'],
        ['0', 'USD', '0.000000000000', '_'],
        ['12345', 'JPY', '12345.000000000000', '_'],
        ['1', 'ETH', '0.000000000001', '_'],
        ['9999999999999999', 'USD', '99999999999999.990000000000', '_'],
        ['10000000000000000', 'USD', '100000000000000.000000000000', 'TOO_LARGE:amount'],
        ['340282366920938463463374607431768211455', 'USD', '_', 'NOT_A_NUMBER:amount'],
        ['-7', 'USD', '-0.070000000000', '_'],
        ['5.0', 'USD', '_', 'NOT_A_NUMBER:amount'],
        ['"five"', 'USD', '_', 'NOT_A_NUMBER:amount'],
        ['null', 'USD', '_', 'MISSING_QUANTITY:amount'],
        ['5', 'EUR', '5.000000000000', 'UNKNOWN_ASSET:asset'],
    ])('%s %s', async (written, asset, amount, code) => {
        const input = { preset: 'neutral', minor_units: { USD: 2, JPY: 0, ETH: 12 } };
        expect(await debit(input, entry(written, asset), 'amount, suspense')).toBe(
            `${amount} | ${code}`,
        );
    });
});

test('values stand for others, of the config before those of the preset', async () => {
    const line =
        '{"id":"t","type":"consumed","currency":"usd","amount":"-1","customer_id":"c-1","booked_at":"2026-10-09T00:00:00Z"}';
    const values = { asset: { usd: 'USD' }, account_id: { 'c-1': 'acme', 'c-2': 'other' } };
    const columns = 'entry_type, account_id, asset, amount, suspense';
    const preset = 'openmeter_credits';
    expect(await debit({ preset, values }, line, columns)).toBe(
        'capture | acme | USD | 1.000000000000 | _',
    );
    const own = { ...values, entry_type: { consumed: 'unbooked' } };
    expect(await debit({ preset, values: own }, line, 'account_id, suspense')).toBe(
        'acme | NOT_BOOKED:entry_type',
    );
});

test('a field that the config names is read from there, a constant before all', async () => {
    const line =
        '{"transaction_id":"t","customer_id":"c","org":"o","event_type":"e","timestamp":"2026-10-09T00:00:00Z","region":"eu"}';
    const columns = { account_id: 'org', source: 'region' };
    const preset = 'metronome';
    const fields = 'source, account_id, suspense';
    expect(await usage({ preset }, line, fields)).toBe('metronome | c | _');
    expect(await usage({ preset, columns }, line, fields)).toBe('eu | o | _');
    expect(await usage({ preset, columns, constants: { source: 'x' } }, line, fields)).toBe(
        'x | o | _',
    );
});

describe('the fees of an event', () => {
    const event = (fees: string) =>
        `{"id":"e","customer_id":"a","occurred_at":"2026-10-09T00:00:00Z"${fees}}`;
    test.each([
        // fees, entries
        [',"fees":[{"amount":1,"asset":"USD"}]', '1 | e:1 | 1.000000000000 | _'],
        [
            ',"fees":[{"amount":"0.100000000001","asset":"USD"},{"amount":2,"asset":"USD"}]',
            '1 | e:1 | 0.100000000001 | _\n2 | e:2 | 2.000000000000 | _',
        ],
        // More digits than a DOUBLE holds are looked up in the line: of two amounts nobody knows which.
        [
            ',"fees":[{"amount":12345.123456789012,"asset":"USD"}]',
            '1 | e:1 | 12345.123456789012 | _',
        ],
        [
            ',"fees":[{"amount":12345.123456789012,"asset":"USD"},{"amount":1,"asset":"USD"}]',
            '1 | e:1 | _ | NOT_A_NUMBER:amount\n2 | e:2 | 1.000000000000 | _',
        ],
        [',"fees":[]', '1 | e:1 | _ | NO_ENTRIES:fees'],
        ['', '1 | e:1 | _ | BAD_ENVELOPE:fees'],
        [',"fees":null', '1 | e:1 | _ | BAD_ENVELOPE:fees'],
        [',"fees":{"amount":1}', '1 | e:1 | _ | BAD_ENVELOPE:fees'],
        [',"fees":[3]', '1 | e:1 | _ | MISSING_ASSET:asset'],
        [',"fees":[null]', '1 | e:1 | _ | MISSING_ASSET:asset'],
        [',"fees":[', '1 | _ | _ | MALFORMED_JSON'],
    ])('%s', async (fees, entries) => {
        const columns = 'entry_no, entry_id, amount, suspense';
        expect(await debit({ preset: 'credyt' }, event(fees), columns)).toBe(entries);
    });
});
