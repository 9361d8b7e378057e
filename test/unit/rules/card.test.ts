import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest';
import type { rates } from '../../../pipelines/40-rate/tables.ts';
import { Engine } from '../../../src/duck/engine.ts';
import type { RowOf } from '../../../src/duck/table.ts';
import {
    boundariesOf,
    type CompiledRate,
    canonicalJson,
    segmentAt,
    sqlTimestamp,
} from '../../../src/rules/card.ts';
import { didYouMean, nearestWord } from '../../../src/schema/suggest.ts';
import { parseInstant } from '../../../src/time/instant.ts';
import { cardOf, header, loaded, matrixCard } from './support.ts';

let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({
        file: ':memory:',
        memory: '512MB',
        threads: 1,
        spill: join(tmpdir(), 'tieout-spill'),
    });
});
afterAll(() => engine.close());

test('a compiled rate is a row of rules.rates', () => {
    expectTypeOf<CompiledRate>().toEqualTypeOf<RowOf<typeof rates>>();
});

/** The expression of rated.rate_candidates.sql over attributes as 30-meter makes them. */
async function keyOfEngine(names: readonly string[], values: readonly (string | null)[]) {
    const fields = names.map((name, at) => `"${name}" := $v${at}::varchar`).join(', ');
    const parameters = Object.fromEntries(values.map((value, at) => [`v${at}`, value]));
    const row = await engine.one(
        `select '{' || array_to_string(
            list_transform(
                [${names.map((name) => `'${name}'`).join(', ')}]::varchar[],
                lambda name: to_json(name)::varchar || ':'
                    || coalesce((attributes -> ('$."' || name || '"'))::varchar, 'null')
            ), ',') || '}' as key
        from (select ${fields ? `to_json(struct_pack(${fields}))::varchar` : "'{}'"} as attributes)`,
        parameters,
    );
    return row.key;
}

test('a match key is the text that the engine makes', async () => {
    const value = fc.option(fc.string({ unit: 'binary', maxLength: 12 }));
    const attributes = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/), value, {
        maxKeys: 4,
    });
    await fc.assert(
        fc.asyncProperty(attributes, async (of) => {
            // NUL cannot be in a text of the engine's parameters.
            const values = Object.fromEntries(
                Object.entries(of).map(([name, text]) => [
                    name,
                    text?.replaceAll('\0', '') ?? null,
                ]),
            );
            const names = Object.keys(values).sort();
            const key = await keyOfEngine(
                names,
                names.map((name) => values[name] ?? null),
            );
            expect(canonicalJson(values)).toBe(key);
        }),
        { numRuns: 300 },
    );
});

test('escapes of control characters are in upper case, and escaped backslashes are left alone', async () => {
    const value = 'a\u001f\\u001f\\\\u001b"/\u007f';
    expect(canonicalJson({ x: value })).toBe(await keyOfEngine(['x'], [value]));
});

test('names are sorted, wildcards are no part of the key', () => {
    const [rate] = loaded({
        'rules/card.yaml': cardOf([
            'when: { token_class: input, region: "*", model: opus }, price: "5", from: 2026-01-01T00:00:00Z',
        ]),
    }).rates;
    expect(rate).toEqual({
        rate_id: 'list/tokens/model=opus,token_class=input@2026-01-01T00:00:00Z',
        card: 'list',
        card_version: '1',
        product: 'llm',
        description: 'llm',
        meter: 'tokens',
        mask: ['model', 'token_class'],
        match_key: '{"model":"opus","token_class":"input"}',
        specificity: 2n,
        priority: 0n,
        effective_from: '2026-01-01T00:00:00Z',
        effective_to: null,
        unit_price: '0.005',
        model: 'per_unit',
        terms: null,
        currency: 'USD',
        unit: 'token',
        file: 'rules/card.yaml',
        line: 11n,
    });
});

test('a rate of all usage has the empty key', () => {
    const [rate] = loaded({
        'rules/card.yaml': cardOf([
            'when: {}, price: "1", from: 2026-01-01T00:00:00+02:00, priority: 3',
        ]),
    }).rates;
    expect(rate).toMatchObject({
        rate_id: 'list/tokens/*@2025-12-31T22:00:00Z#3',
        mask: [],
        match_key: '{}',
        specificity: 0n,
    });
});

test('rate ids do not depend on the order of rows, and separators in values are escaped', () => {
    const rows = [
        'a=b,input,1,2026-01-01T00:00:00Z,,,',
        '"a,b",input,1,2026-01-01T00:00:00Z,,,',
        'é x,*,1,2026-01-01T00:00:00Z,,7,',
    ];
    const ids = (of: readonly string[]) =>
        loaded({
            'rules/card.yaml': matrixCard,
            'rules/rates.csv': [header, ...of].join('\n'),
        }).rates.map(({ rate_id }) => rate_id);
    expect(ids(rows)).toEqual(ids([...rows].reverse()));
    expect(ids(rows)).toEqual([
        'list/tokens/model=a%2Cb,token_class=input@2026-01-01T00:00:00Z',
        'list/tokens/model=a%3Db,token_class=input@2026-01-01T00:00:00Z',
        'list/tokens/model=é%20x@2026-01-01T00:00:00Z#7',
    ]);
});

test('boundaries are every instant at which a rate begins or ends, once, sorted', async () => {
    const { rates: compiled, boundaries } = loaded({
        'rules/card.yaml': cardOf([
            'when: { model: a }, price: "1", from: 2026-03-01T00:00:00.5Z, to: 2026-04-01T00:00:00Z',
            'when: { model: b }, price: "1", from: 2026-04-01T02:00:00+02:00',
            'when: { model: c }, price: "1", from: 2026-01-01T00:00:00.000001Z',
        ]),
    });
    expect(boundaries).toEqual([
        '2026-01-01 00:00:00.000001',
        '2026-03-01 00:00:00.500000',
        '2026-04-01 00:00:00.000000',
    ]);
    expect(boundariesOf([...compiled].reverse())).toEqual(boundaries);
    const row = await engine.one(`select timestamp '${boundaries[0]}' as at`);
    expect(row.at).toBe('2026-01-01T00:00:00.000001Z');
});

test('a segment begins at the last boundary that is not later', () => {
    const boundaries = ['2026-01-01 00:00:00.000000', '2026-03-01 00:00:00.000000'];
    const segment = (text: string) => segmentAt(boundaries, parseInstant(text), 'before');
    expect(segment('2025-12-31T23:59:59.999999Z')).toBe('before');
    expect(segment('2026-01-01T00:00:00Z')).toBe(boundaries[0]);
    expect(segment('2026-02-28T23:59:59.999999Z')).toBe(boundaries[0]);
    expect(segment('2026-03-01T00:00:00Z')).toBe(boundaries[1]);
    expect(sqlTimestamp(parseInstant('2026-03-01T00:00:00.25Z'))).toBe(
        '2026-03-01 00:00:00.250000',
    );
});

test('a suggestion is near, or the list of what there is', () => {
    expect(nearestWord('modle', ['model', 'region'])).toBe('model');
    expect(nearestWord('CONTEXT_BAND', ['context_band'])).toBe('context_band');
    expect(nearestWord('to', ['from'])).toBeUndefined();
    expect(didYouMean('zone', ['model', 'region'])).toBe('Known here: model, region.');
    expect(didYouMean('zone', [])).toBe('None is known here.');
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'time_zone', 'zones_of'];
    expect(didYouMean('zzone', many)).toBe(
        'Known here, among others: time_zone, zones_of, e, a, b.',
    );
});
