import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type JsonValue, jsonHash, sha256 } from '../../../src/export/json.ts';
import { compareInstants, compareText } from '../../../src/export/order.ts';

describe('canonical JSON', () => {
    test('sorts keys by code point at every depth, and leaves lists in order', () => {
        const value = { b: [{ z: 1, a: 2 }, []], a: {}, '\u{1f600}': null, '\uff21': true };
        expect(canonicalJson(value, 0)).toBe(
            '{"a":{},"b":[{"a":2,"z":1},[]],"\uff21":true,"\u{1f600}":null}',
        );
        expect(canonicalJson({ b: [1, { c: 'x' }], a: [] })).toBe(
            '{\n  "a": [],\n  "b": [\n    1,\n    {\n      "c": "x"\n    }\n  ]\n}',
        );
    });

    test('writes integers of any size in full, as numbers', () => {
        expect(canonicalJson([-(10n ** 40n), 0n, 7], 0)).toBe(`[-1${'0'.repeat(40)},0,7]`);
    });

    test('leaves a key without a value out', () => {
        const loose = { b: 1, a: undefined } as unknown as JsonValue;
        expect(canonicalJson(loose, 0)).toBe('{"b":1}');
    });

    test('escapes what JSON must, and replaces half a character', () => {
        expect(canonicalJson('"\\\n\u0000\ud83d', 0)).toBe('"\\"\\\\\\n\\u0000\ufffd"');
    });

    test('reads back as it was, in any order of keys', () => {
        const values = fc.jsonValue({ maxDepth: 4 });
        const clean = (value: unknown) => JSON.stringify(value).includes('e') === false;
        fc.assert(
            fc.property(values.filter(clean), (value) => {
                const text = canonicalJson(value as JsonValue);
                expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
                expect(canonicalJson(reversed(value) as JsonValue)).toBe(text);
            }),
        );
    });

    test('its hash is that of the one-line text', () => {
        expect(jsonHash({ b: 1, a: 2 })).toBe(sha256('{"a":2,"b":1}'));
        expect(jsonHash({ a: 2, b: 1 })).toBe(jsonHash({ b: 1, a: 2 }));
        expect(sha256('é')).toBe(
            '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c',
        );
    });
});

/** The same value with the keys of its objects the other way round. */
function reversed(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(reversed);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
        Object.entries(value)
            .reverse()
            .map(([key, inner]) => [key, reversed(inner)]),
    );
}

describe('order', () => {
    test('of text is that of its code points', () => {
        const texts = fc.string({ unit: 'grapheme', maxLength: 6 });
        const points = (text: string) => [...text].map((part) => part.codePointAt(0) ?? 0);
        const byPoints = (a: string, b: string) => {
            const [x, y] = [points(a), points(b)];
            const at = x.findIndex((point, index) => point !== y[index]);
            if (at < 0) return x.length - y.length;
            return (x[at] ?? -1) - (y[at] ?? -1);
        };
        fc.assert(
            fc.property(texts, texts, (a, b) => {
                expect(Math.sign(compareText(a, b))).toBe(Math.sign(byPoints(a, b)));
            }),
        );
    });

    test('of instants is that of time, whatever the decimals', () => {
        expect(compareInstants('2026-10-01T00:00:00Z', '2026-10-01T00:00:00.5Z')).toBeLessThan(0);
        expect(compareInstants('2026-10-01T00:00:00.45Z', '2026-10-01T00:00:00.5Z')).toBeLessThan(
            0,
        );
        expect(compareInstants('2026-10-01T00:00:01Z', '2026-10-01T00:00:00.9Z')).toBeGreaterThan(
            0,
        );
    });
});
