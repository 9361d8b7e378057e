import { isCollection, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { FileProblem } from '../errors/index.ts';

export type Parsed<T> =
    | { readonly value: T; readonly lineOf: (path: readonly PropertyKey[]) => number }
    | { readonly problems: readonly FileProblem[] };

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
                message: error.message,
            })),
        };
    }
    const lineOf = (path: readonly PropertyKey[]) =>
        lines.linePos(nearest(document.contents, path)?.range?.[0] ?? 0).line;
    const result = schema.safeParse(document.toJS({ maxAliasCount: 100 }));
    if (result.success) return { value: result.data, lineOf };
    return {
        problems: result.error.issues.flatMap(flatten).map((issue) => ({
            code,
            file,
            line: lineOf(issue.path),
            path: issue.path.map(String).join('.'),
            message: issue.message,
        })),
    };
}

interface Issue {
    readonly path: readonly PropertyKey[];
    readonly message: string;
}

/** A union reports every branch; the branch that got furthest is the one the person meant. */
function flatten(issue: z.core.$ZodIssue): readonly Issue[] {
    if (issue.code === 'invalid_union' && issue.errors.length) {
        const branches = [...issue.errors].sort((one, other) => one.length - other.length);
        return (branches[0] ?? []).flatMap((inner) =>
            flatten({ ...inner, path: [...issue.path, ...inner.path] }),
        );
    }
    return [{ path: issue.path, message: issue.message }];
}

function nearest(root: unknown, path: readonly PropertyKey[]): Node | null {
    let node: Node | null = isNode(root) ? root : null;
    for (const step of path) {
        if (!isCollection(node)) return node;
        const pair = node.items.find(
            (item) =>
                typeof item === 'object' &&
                item !== null &&
                'key' in item &&
                isScalar(item.key) &&
                String(item.key.value) === String(step),
        );
        const next: unknown =
            pair && typeof pair === 'object' && 'key' in pair
                ? ((pair as { value: unknown; key: unknown }).value ??
                  (pair as { key: unknown }).key)
                : node.items[Number.parseInt(String(step), 10)];
        if (!isNode(next)) return node;
        node = next;
    }
    return node;
}
