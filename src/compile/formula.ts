const token = /\s*(\d+(?:\.\d{1,12})?|[a-z][a-z0-9_]*|[-+*()]|\S)/y;

/** In its own scale: a product with it keeps as many digits before the point as it can. */
function literal(text: string): string {
    const [whole = '', digits = ''] = text.split('.');
    return `cast(${text} as decimal(${whole.length + digits.length},${digits.length}))`;
}

/** A formula over meters, as SQL, and the meters it names. */
export interface Formula {
    readonly sql: string;
    readonly meters: readonly string[];
}

/**
 * Reads a formula of meters, decimals, + - * and ( ). Every product is rounded half away from zero
 * to 12 decimals, the scale of a quantity; one of two meters that has more than 14 digits before the
 * point stops the statement. There is no division: multiply by a decimal instead.
 * @param column gives the SQL of a meter, a DECIMAL(38,12) that is never null, or null for no meter.
 * @throws Error saying which part cannot be read.
 */
export function compileFormula(text: string, column: (meter: string) => string | null): Formula {
    const parts: string[] = [];
    token.lastIndex = 0;
    for (let match = token.exec(text); match; match = token.exec(text)) parts.push(match[1] ?? '');
    const meters = new Set<string>();
    let at = 0;
    const unread = (): never => {
        const part = parts[at];
        if (part === undefined) throw new Error('the formula ends too early');
        if (part === '/')
            throw new Error('division is not exact and not allowed; multiply instead');
        throw new Error(`cannot read \`${part}\``);
    };
    const decimal = (sql: string) => `cast(${sql} as decimal(38,12))`;
    const factor = (): string => {
        const part = parts[at] ?? unread();
        at += 1;
        if (part === '-') return `(0 - ${factor()})`;
        if (part === '(') {
            const inside = sum();
            if (parts[at] !== ')') unread();
            at += 1;
            return `(${inside})`;
        }
        if (/^\d/.test(part)) return literal(part);
        const sql = column(part);
        if (sql === null) {
            at -= 1;
            if (/^[a-z]/.test(part)) throw new Error(`${part} is not a meter it can be made of`);
            return unread();
        }
        meters.add(part);
        return sql;
    };
    const product = (): string => {
        let left = factor();
        while (parts[at] === '*') {
            at += 1;
            left = decimal(`${left} * ${factor()}`);
        }
        return left;
    };
    const sum = (): string => {
        let left = product();
        while (parts[at] === '+' || parts[at] === '-') {
            const sign = parts[at];
            at += 1;
            left = `${left} ${sign} ${product()}`;
        }
        return left;
    };
    const sql = decimal(sum());
    if (at < parts.length) unread();
    return { sql, meters: [...meters].sort() };
}
