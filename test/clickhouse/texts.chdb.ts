import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { Engine } from '../../src/duck/engine.ts';
import { type BothNights, bothNights, expectSame } from '../support/both-engines.ts';
import { csvOf } from '../support/night.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { lines, tinyFiles } from '../support/terminal.ts';

/*
 * Texts that two engines may read in two ways. What is usual is read on ClickHouse, everything else
 * comes back; either way a row is what it is without ClickHouse: the same number, the same code.
 */

type Fate = 'there' | 'back';

/** JSON of a whole number of tokens, a decimal number of seconds, and of an amount. */
const numbers: Readonly<Record<string, { readonly whole: Fate; readonly exact: Fate }>> = {
    '7': { whole: 'there', exact: 'there' },
    '"7"': { whole: 'there', exact: 'there' },
    '0': { whole: 'there', exact: 'there' },
    '-0': { whole: 'there', exact: 'there' },
    '"007"': { whole: 'there', exact: 'there' },
    '007': { whole: 'back', exact: 'back' },
    '7.0': { whole: 'back', exact: 'there' },
    '7.': { whole: 'back', exact: 'back' },
    '.7': { whole: 'back', exact: 'back' },
    '+7': { whole: 'back', exact: 'back' },
    '"+7"': { whole: 'back', exact: 'back' },
    '-7': { whole: 'back', exact: 'back' },
    '7e0': { whole: 'back', exact: 'back' },
    '7E2': { whole: 'back', exact: 'back' },
    '1e-7': { whole: 'back', exact: 'back' },
    '"7e2"': { whole: 'back', exact: 'back' },
    '" 7"': { whole: 'back', exact: 'back' },
    '"7 "': { whole: 'back', exact: 'back' },
    '"7,5"': { whole: 'back', exact: 'back' },
    '"1_000"': { whole: 'back', exact: 'back' },
    '"0x7"': { whole: 'back', exact: 'back' },
    '"٧"': { whole: 'back', exact: 'back' },
    '""': { whole: 'back', exact: 'back' },
    null: { whole: 'back', exact: 'there' },
    true: { whole: 'back', exact: 'back' },
    '[7]': { whole: 'back', exact: 'back' },
    '{"n":7}': { whole: 'back', exact: 'back' },
    NaN: { whole: 'back', exact: 'back' },
    '"Infinity"': { whole: 'back', exact: 'back' },
    '0.1': { whole: 'back', exact: 'there' },
    '0.100000000001': { whole: 'back', exact: 'there' },
    '0.1000000000001': { whole: 'back', exact: 'back' },
    '"0.1000000000000"': { whole: 'back', exact: 'back' },
    '9999.999999999999': { whole: 'back', exact: 'there' },
    '12345678.123456789012': { whole: 'back', exact: 'there' },
    '9999999999999': { whole: 'there', exact: 'there' },
    '100000000000000': { whole: 'back', exact: 'back' },
    '999999999999999999': { whole: 'back', exact: 'back' },
    '9223372036854775808': { whole: 'back', exact: 'back' },
    '123456789012345678901234567890': { whole: 'back', exact: 'back' },
};

/** JSON of an instant. */
const times: Readonly<Record<string, Fate>> = {
    '"2026-10-03T04:05:06Z"': 'there',
    '"2026-10-03 04:05:06Z"': 'there',
    '"2026-10-03T04:05:06.1Z"': 'there',
    '"2026-10-03T04:05:06.123456Z"': 'there',
    '"2026-10-03T04:05:06.123456789Z"': 'back',
    '"2026-10-03T04:05:06+02:00"': 'there',
    '"2026-10-01T00:30:00.5+14:00"': 'there',
    '"2026-10-31T23:30:00-03:30"': 'there',
    '"2026-10-03T04:05:06+02"': 'back',
    '"2026-10-03t04:05:06z"': 'back',
    '"2026-10-03T04:05:06"': 'back',
    '"2026-10-03T04:05:60Z"': 'back',
    '"2026-10-03T24:00:00Z"': 'back',
    '"2026-02-29T00:00:00Z"': 'back',
    '"2026-10-32T00:00:00Z"': 'back',
    '"1969-12-31T23:59:59Z"': 'back',
    '"2101-01-01T00:00:00Z"': 'back',
    '"2026-10-03T04:05:06+15:00"': 'back',
    '1759464306': 'back',
    '""': 'back',
    null: 'back',
};

/** JSON of a text: of an attribute, and of the id of an event. */
const texts: Readonly<Record<string, { readonly attribute: Fate; readonly id: Fate }>> = {
    '"m1"': { attribute: 'there', id: 'there' },
    '"m 1 é 🏴"': { attribute: 'there', id: 'there' },
    '"it\'s"': { attribute: 'there', id: 'there' },
    '"m\\u0031"': { attribute: 'back', id: 'back' },
    '"a\\"b"': { attribute: 'back', id: 'back' },
    '"a\\\\b"': { attribute: 'back', id: 'back' },
    '"a\\nb"': { attribute: 'back', id: 'back' },
    '"a\\u0000b"': { attribute: 'back', id: 'back' },
    '"a\tb"': { attribute: 'back', id: 'back' },
    '"a\u007fb"': { attribute: 'back', id: 'back' },
    '""': { attribute: 'there', id: 'back' },
    null: { attribute: 'there', id: 'back' },
    '12': { attribute: 'there', id: 'there' },
    '-0': { attribute: 'back', id: 'back' },
    '1.50': { attribute: 'back', id: 'back' },
    '1e3': { attribute: 'back', id: 'back' },
    true: { attribute: 'back', id: 'back' },
    '["m1"]': { attribute: 'back', id: 'back' },
    [`"${'x'.repeat(1000)}"`]: { attribute: 'there', id: 'there' },
    [`"${'x'.repeat(1001)}"`]: { attribute: 'back', id: 'back' },
    [`"${'é'.repeat(600)}"`]: { attribute: 'back', id: 'back' },
};

/** Whole lines. */
const strange: readonly (readonly [string, Fate])[] = [
    ['', 'back'],
    ['   ', 'back'],
    ['not json', 'back'],
    ['[]', 'back'],
    ['{}', 'back'],
    ['null', 'back'],
    ['{"specversion":"1.0"}', 'back'],
];

let at = 0;
const usage = (of: Readonly<Record<string, string>>): string => {
    at += 1;
    const { id = `"u${at}"`, time = '"2026-10-03T04:05:06Z"', ...data } = of;
    const inner = { model: '"m1"', input_tokens: '10', cached_input_tokens: '0', ...data };
    const json = (fields: Readonly<Record<string, string>>) =>
        Object.entries(fields)
            .map(([name, value]) => `"${name}":${value}`)
            .join(',');
    return `{"specversion":"1.0","id":${id},"source":"/g","type":"llm.completion","subject":"quiet","time":${time},"data":{${json({ output_tokens: '5', ...inner })}}}`;
};

const usual = usage({});
/** The same event in other clothes. */
const shapes: readonly (readonly [string, Fate])[] = [
    [usual, 'there'],
    [
        usage({}).replaceAll(':', ': ').replaceAll('04: 05: 06', '04:05:06').replaceAll(',', ', '),
        'there',
    ],
    [usage({}).replace('"time":', '"time" :'), 'back'],
    [`  ${usage({})}`, 'back'],
    [`${usage({})}  `, 'there'],
    [usage({}).replace('"1.0"', '"0.3"'), 'back'],
    [usage({}).replace('"1.0"', '1.0'), 'back'],
    // A key twice: which one counts?
    [usage({}).replace('"model":', '"model":"m2","model":'), 'back'],
    [usage({}).replace('"data":', '"data":{},"data":'), 'back'],
    [usage({}).replace('"type":', '"model":"m2","type":'), 'back'],
    // A value that is written like a key.
    [usage({ model: '"time"' }), 'back'],
    [usage({}).replace('"data":{', '"other":{"note":"x"},"data":{'), 'there'],
    [usage({}).replace('"output_tokens"', '"Output_tokens"'), 'back'],
    [usage({}).slice(0, -1), 'back'],
    [`${usage({})}}`, 'back'],
];

const cases: readonly (readonly [string, string, Fate])[] = [
    ...Object.entries(numbers).flatMap(([json, { whole, exact }]) => [
        [`tokens ${json}`, usage({ input_tokens: json }), whole] as const,
        [`seconds ${json}`, usage({ seconds: json }), exact] as const,
    ]),
    ...Object.entries(times).map(
        ([json, fate]) => [`time ${json}`, usage({ time: json }), fate] as const,
    ),
    ...Object.entries(texts).flatMap(([json, { attribute, id }]) => [
        [`model ${json}`, usage({ model: json }), attribute] as const,
        [`id ${json}`, usage({ id: json }), id] as const,
    ]),
    ...strange.map(([line, fate]) => [`line ${line}`, line, fate] as const),
    ...shapes.map(([line, fate]) => [line, line, fate] as const),
];

/** Events of 7 in and 0 out at 3 USD a million, each with a debit of 0.000021 in one notation. */
const amounts = [
    '0.000021',
    '"0.000021"',
    '"0.000021000"',
    '2.1e-5',
    '"00.000021"',
    '"0.0000210000000"',
    '-0.000021',
    '""',
    'null',
    '"0.000022"',
];
const paid = amounts.map((_, index) =>
    usage({ id: `"p${index}"`, input_tokens: '7', output_tokens: '0' }).replace(
        '"quiet"',
        '"acme-dev"',
    ),
);
const debits = amounts.map(
    (amount, index) =>
        `{"entry_id":"d${index}","entry_type":"capture","account_id":"acme-dev","asset":"USD","amount":${amount},"booked_at":"2026-10-03T04:05:07Z","event_id":"p${index}","wallet_id":"w","sequence":${index + 1}}`,
);

function files(): Readonly<Record<string, string>> {
    const tiny = tinyFiles();
    const config = parse(tiny['tieout.yaml'] ?? '');
    config.usage[0].quantities.seconds = { path: 'data.seconds', type: 'decimal', optional: true };
    config.meters.push({
        ...{ meter: 'gpu', aggregation: 'sum', unit: 'second', attributes: ['model'] },
        quantity: 'seconds',
    });
    config.limits = { suspense_percent: '100' };
    const accounts = JSON.parse(tiny['accounts.json'] ?? '[]');
    const quiet = { ...accounts[0], account_id: 'quiet', name: 'Quiet' };
    return {
        ...Object.fromEntries(Object.entries(tiny).filter(([name]) => !name.includes('/'))),
        'tieout.yaml': stringify(config),
        'accounts.json': JSON.stringify([...accounts, quiet]),
    };
}

let s3: S3Server;
let nights: BothNights;

beforeAll(async () => {
    s3 = await startS3();
    const text = (of: readonly string[]) => of.map((line) => `${line}\n`).join('');
    nights = await bothNights(s3, files(), {
        'usage/dt=2026-10-03/cases.ndjson': text(cases.map(([, line]) => line)),
        'usage/dt=2026-10-03/returns.ndjson': `\ufeff${usage({})}\r\n${usage({})}\r\n\r\n${usage({ model: '"a\u0001b"' })}\n${usage({ model: '"a\rb"' })}\r`,
        'usage/dt=2026-10-04/paid.ndjson': text(paid),
        'debits/dt=2026-10-03/log.ndjson': text(debits),
        'debits/dt=2026-10-04/strange.ndjson': text(strange.map(([line]) => line)),
        'usage/dt=2026-10-04/none.ndjson': '\n',
        'debits/dt=2026-10-04/twice.ndjson': lines([]) + text(debits.slice(0, 1)),
    });
});
afterAll(async () => {
    nights?.remove();
    await s3?.stop();
});

test('a night over all of them gives the same files', () => expectSame(nights));

test('most of them are in suspense, each by its code', () => {
    const codes = new Set(csvOf(nights.there, 'suspense.csv').map(({ code }) => code));
    expect([...codes].sort()).toEqual(
        expect.arrayContaining([
            'BAD_ENVELOPE',
            'BAD_TIME',
            'EMPTY_LINE',
            'MALFORMED_JSON',
            'MISSING_ID',
            'NOT_A_NUMBER',
            'TOO_FINE',
            'TOO_LARGE',
        ]),
    );
});

describe('is read there, or comes back', () => {
    let back: ReadonlySet<string>;

    beforeAll(async () => {
        const engine = await Engine.open({
            file: ':memory:',
            memory: '1GB',
            threads: 1,
            spill: '/tmp',
        });
        const file = join(nights.there.run.folder, 'returned', 'gateway.ndjson.unread.parquet');
        const rows = await engine.rows(
            `select line_no from read_parquet('${file}') where object_no = 1`,
        );
        back = new Set(rows.map(({ line_no }) => String(line_no)));
        engine.close();
    });

    test.each(
        cases.map(([title, , fate], index) => [title.slice(0, 120), fate, index + 1] as const),
    )('%s: %s', (_title, fate, line) =>
        expect(back.has(String(line)) ? 'back' : 'there').toBe(fate),
    );
});
