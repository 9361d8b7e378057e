/** Table to column to what the column says when a test does not name it. */
export type Defaults = Readonly<Record<string, Readonly<Record<string, string>>>>;

const head = /^\s*(given|then)\s+([a-z_]+\.[a-z_]+)/;

/** Adds the columns that the given tables of a text leave out. */
export function withDefaults(text: string, defaults: Defaults): string {
    let added: readonly (readonly [string, string])[] = [];
    const lines = text.split('\n').map((line) => {
        if (line.trim() === '') return line;
        const [, role, name = ''] = head.exec(line) ?? [];
        if (role === undefined) return [line, ...added.map(([, value]) => value)].join(' | ');
        const own = role === 'given' ? Object.entries(defaults[name] ?? {}) : [];
        added = own.filter(([column]) => !new RegExp(`[ |]${column}( |$)`).test(line));
        return [line, ...added.map(([column]) => column)].join(' | ');
    });
    return lines.join('\n');
}
