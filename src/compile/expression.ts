import { quoteName } from '../duck/sql.ts';

const words = new Set([
    ...['and', 'or', 'not', 'in', 'is', 'null', 'true', 'false', 'between', 'like'],
    ...['case', 'when', 'then', 'else', 'end'],
]);
const functions = new Set([
    ...['least', 'greatest', 'abs', 'coalesce', 'nullif'],
    ...['lower', 'upper', 'trim', 'length', 'starts_with', 'ends_with', 'contains', 'split_part'],
]);
const token =
    /\s+|'(?:[^']|'')*'|\d+(?:\.\d+)?|[A-Za-z_][A-Za-z0-9_]*|<=|>=|<>|!=|\|\||[-+*(),=<>]/y;

export type Expression = { readonly sql: string; readonly columns: readonly string[] };

/**
 * Reads an expression a person wrote over the columns of an event and gives it back as SQL.
 * Only the listed words, functions and operators pass: no subquery, no division (which would be a
 * DOUBLE), no clock, no file. @throws Error saying which part is not allowed and what is.
 */
export function compileExpression(text: string, columns: ReadonlySet<string>): Expression {
    const parts: string[] = [];
    const used = new Set<string>();
    token.lastIndex = 0;
    let at = 0;
    let depth = 0;
    while (at < text.length) {
        token.lastIndex = at;
        const match = token.exec(text);
        if (!match) {
            const rest = text.slice(at, at + 12);
            throw new Error(
                rest.startsWith('/')
                    ? 'division is not exact and not allowed; multiply instead'
                    : `cannot read \`${rest}\``,
            );
        }
        const [part] = match;
        at = token.lastIndex;
        // Two minus signs side by side would be a comment to the engine.
        if (part === '-' && parts.at(-1) === '-') throw new Error('cannot read `--`');
        if (part === '(') depth += 1;
        if (part === ')') depth -= 1;
        if (depth < 0) throw new Error('a ) without its (');
        if (part === ',' && depth === 0) throw new Error('a comma outside of ( )');
        parts.push(/^[A-Za-z_]/.test(part) ? word(part, text.slice(at), columns, used) : part);
    }
    if (text.trim() === '') throw new Error('an empty expression');
    if (depth > 0) throw new Error('a ( without its )');
    return { sql: `(${parts.join('').trim()})`, columns: [...used].sort() };
}

function word(part: string, rest: string, columns: ReadonlySet<string>, used: Set<string>): string {
    if (/^\s*\(/.test(rest) && !words.has(part.toLowerCase())) {
        if (functions.has(part.toLowerCase())) return part.toLowerCase();
        throw new Error(
            `${part}() is not one of the allowed functions: ${[...functions].join(', ')}`,
        );
    }
    if (columns.has(part)) {
        used.add(part);
        return quoteName(part);
    }
    if (words.has(part.toLowerCase())) return part.toLowerCase();
    throw new Error(`${part} is not a column of the event: ${[...columns].sort().join(', ')}`);
}
