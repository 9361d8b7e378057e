import {
    isMap,
    isNode,
    isScalar,
    isSeq,
    LineCounter,
    type Node,
    parseDocument,
    type YAMLMap,
} from 'yaml';
import type { z } from 'zod';
import type { FileProblem } from '../errors/index.ts';
import { unknownKey } from '../schema/strict.ts';
import { wordingOf } from './wording.ts';

export type Parsed<T> =
    | { readonly value: T; readonly lineOf: (path: readonly PropertyKey[]) => number }
    | { readonly problems: readonly FileProblem[] };

const notYaml = 'Mind the indentation, the colon after a key, and quotes that do not close.';

/**
 * Reads YAML (and so JSON) and checks it against a schema. Every problem of the file is given at
 * once, each with the line of the nearest thing that exists.
 */
export function parseYaml<S extends z.ZodType>(
    file: string,
    text: string,
    schema: S,
    code: string,
): Parsed<z.output<S>> {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    if (document.errors.length) {
        return {
            problems: document.errors.map((error) => ({
                code,
                file,
                line: lines.linePos(error.pos[0]).line,
                ...(error.code === 'DUPLICATE_KEY'
                    ? { message: 'the same key twice', remedy: 'Keep one of the two.' }
                    : { message: `not YAML: ${error.message}`, remedy: notYaml }),
            })),
        };
    }
    const nearest = nodeFinder(document.contents);
    const lineOf = (path: readonly PropertyKey[]) =>
        lines.linePos(nearest(path)?.range?.[0] ?? 0).line;
    // Issues without words of the schema come back without any, and are worded for people.
    const words = { error: () => '', reportInput: true } as const;
    const result = schema.safeParse(document.toJS({ maxAliasCount: 100 }), words);
    if (result.success) return { value: result.data, lineOf };
    return {
        problems: result.error.issues.flatMap(flatten).map((issue) => ({
            code,
            file,
            line: lineOf(issue.path),
            path: issue.path.map(String).join('.'),
            ...wordingOf(issue),
        })),
    };
}

/** A union reports every branch; the branch that the value fits best is the one the person meant. */
function flatten(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
    if (issue.code === 'invalid_union' && issue.errors.length) {
        const branches = [...issue.errors].sort(
            (one, other) =>
                misfits(one) - misfits(other) ||
                strangers(one) - strangers(other) ||
                one.length - other.length,
        );
        return (branches[0] ?? []).flatMap((inner) =>
            flatten({ ...inner, path: [...issue.path, ...inner.path] }),
        );
    }
    return [issue];
}

/** Whether a branch wants another kind of value: one in which only something is wrong was meant. */
function misfits(branch: readonly z.core.$ZodIssue[]): number {
    return branch.filter(({ code, path }) => code === 'invalid_type' && path.length === 0).length;
}

/** How many keys of the value itself a branch does not know: few mistakes inside say less. */
function strangers(branch: readonly z.core.$ZodIssue[]): number {
    return branch.filter(
        (issue) =>
            issue.code === 'custom' && issue.path.length === 1 && issue.params === unknownKey,
    ).length;
}

/**
 * Finds the last node of a path that exists. The keys of a map are read once, however often it is
 * asked: a card may have ten thousand rates, and each asks for its line.
 */
function nodeFinder(contents: unknown): (path: readonly PropertyKey[]) => Node | null {
    const root = isNode(contents) ? contents : null;
    const keysOf = new Map<YAMLMap, ReadonlyMap<string, unknown>>();
    const below = (node: Node, step: PropertyKey): unknown => {
        if (isSeq(node)) return node.items[Number.parseInt(String(step), 10)];
        if (!isMap(node)) return null;
        const keys = keysOf.get(node) ?? nodesByKey(node);
        keysOf.set(node, keys);
        return keys.get(String(step));
    };
    return (path) => {
        let node = root;
        for (const step of path) {
            const next = node && below(node, step);
            if (!isNode(next)) return node;
            node = next;
        }
        return node;
    };
}

/** Key to its value, or to itself where it has none. */
function nodesByKey({ items }: YAMLMap): ReadonlyMap<string, unknown> {
    return new Map(
        items.flatMap(({ key, value }) =>
            isScalar(key) ? [[String(key.value), value ?? key] as const] : [],
        ),
    );
}
