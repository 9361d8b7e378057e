import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseYaml } from '../../../src/compile/yaml.ts';
import { strict } from '../../../src/schema/strict.ts';

const text = `name: x
list:
  - a: 1
    1: one
  - b:
  - [p,
     q]
"2": two
`;

function lineOf(path: readonly PropertyKey[]): number {
    const parsed = parseYaml('file.yaml', text, z.unknown(), 'BAD');
    if ('problems' in parsed) throw new Error('not read');
    return parsed.lineOf(path);
}

describe('the line of a path', () => {
    test.each([
        [['name'], 1],
        [['list', 0, 'a'], 3],
        [['list', 0, '1'], 4],
        [['list', 1, 'b'], 5],
        [['list', 2, 1], 7],
        [['2'], 8],
        [[], 1],
    ])('%j is %i', (path, line) => {
        expect(lineOf(path)).toBe(line);
    });

    test.each([
        [['list', 0, 'z', 'deeper'], 3],
        [['list', 9], 3],
        [['name', 'x'], 1],
        [['list', 1, 'b', 'c'], 5],
        [['gone'], 1],
    ])('%j is not there: the nearest thing that is', (path, line) => {
        expect(lineOf(path)).toBe(line);
    });

    test('asked in any order, and again, it is the same', () => {
        const rows = Array.from({ length: 500 }, (_, at) => `- { key: ${at} }\n`).join('');
        const parsed = parseYaml('file.yaml', rows, z.unknown(), 'BAD');
        if ('problems' in parsed) throw new Error('not read');
        for (const at of [499, 0, 250, 499]) expect(parsed.lineOf([at, 'key'])).toBe(at + 1);
    });
});

test('of a union the problems are those of the kind that the value has the key of', () => {
    const schema = z.object({
        one: z.union([
            strict({ short: z.string() }),
            strict({ long: strict({ a: z.string(), b: z.string(), c: z.int() }) }),
        ]),
    });
    const parsed = parseYaml('f', 'one:\n  long:\n    a: 1\n    d: 2\n', schema, 'BAD');
    const problems = 'problems' in parsed ? parsed.problems : [];
    expect(problems.map(({ line, path }) => `${line} ${path}`)).toEqual([
        '3 one.long.a',
        '3 one.long.b',
        '3 one.long.c',
        '4 one.long.d',
    ]);
});
