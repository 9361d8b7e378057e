import { compileExpression } from '../expression.ts';
import { clickName, clickText } from './sql.ts';

/** What the columns of an expression are. */
export interface ExpressionColumns {
    readonly whole: ReadonlySet<string>;
    readonly decimal: ReadonlySet<string>;
    readonly text: ReadonlySet<string>;
}

/** An expression of the config as ClickHouse SQL. */
export interface ClickExpression {
    readonly sql: string;
    /** What must hold for both engines to come to the same: no nulls in it, no overflow. */
    readonly guards: readonly string[];
}

const token =
    /\s+|'(?:[^']|'')*'|\d+(?:\.\d+)?|[A-Za-z_][A-Za-z0-9_]*|<=|>=|<>|!=|\|\||[-+*(),=<>]/g;
const words = new Set([
    ...['and', 'or', 'not', 'in', 'is', 'null', 'true', 'false', 'between'],
    ...['case', 'when', 'then', 'else', 'end'],
]);

/**
 * Writes an expression of the config anew for ClickHouse. Its numbers are whole and of 256 bits, or
 * decimals: nothing overflows there without a word that would be an error here.
 * @throws Error saying what of it is not done on ClickHouse.
 */
export function clickExpression(text: string, columns: ExpressionColumns): ClickExpression {
    const all = new Set([...columns.whole, ...columns.decimal, ...columns.text]);
    const { columns: used } = compileExpression(text, all);
    const tokens = (text.match(token) ?? []).filter((part) => part.trim() !== '');
    const isDecimal =
        used.some((name) => columns.decimal.has(name)) ||
        tokens.some((part) => /^\d+\./.test(part));
    const products = tokens.filter((part) => part === '*').length;
    if (isDecimal && products > 0) throw new Error('products of decimals are not done there');
    const numeric = (sql: string) => (isDecimal ? `toDecimal256(${sql}, 12)` : `toInt256(${sql})`);
    const written = tokens.map((part, at) => {
        if (part.startsWith("'")) return clickText(part.slice(1, -1).replaceAll("''", "'"));
        if (/^\d+\.\d{13,}/.test(part)) throw new Error(`${part} has more than 12 decimals`);
        if (/^\d/.test(part)) return numeric(`'${part}'`);
        if (part === '||') throw new Error('|| is not done there');
        if (!/^[A-Za-z_]/.test(part)) return part;
        if (tokens[at + 1] === '(' && !words.has(part.toLowerCase())) {
            if (part.toLowerCase() === 'coalesce') return 'coalesce';
            throw new Error(`${part}() is not done there`);
        }
        if (columns.text.has(part)) return clickName(part);
        if (all.has(part)) return numeric(`assumeNotNull(${clickName(part)})`);
        if (words.has(part.toLowerCase())) return part.toLowerCase();
        throw new Error(`${part} is not done there`);
    });
    return { sql: `(${written.join(' ')})`, guards: guardsOf(used, columns, tokens, products) };
}

/** Whole numbers of 64 bits hold 18 digits: those that are multiplied have their share of them. */
function guardsOf(
    used: readonly string[],
    { text }: ExpressionColumns,
    tokens: readonly string[],
    products: number,
): readonly string[] {
    const hasSets = tokens.some((part) => /^(in|between)$/i.test(part));
    return used.flatMap((name) => {
        const column = clickName(name);
        if (text.has(name)) return hasSets ? [`isNotNull(${column})`] : [];
        const digits = Math.floor(18 / (products + 1));
        const bound = `abs(assumeNotNull(${column})) < toInt256('1${'0'.repeat(digits)}')`;
        return [`isNotNull(${column})`, ...(products > 0 ? [bound] : [])];
    });
}
