import { createHash } from 'node:crypto';
import type { Table } from './table.ts';

/** A text literal. The only way text from outside may enter a statement that cannot bind. */
export function quoteText(text: string): string {
    return `'${text.replaceAll("'", "''")}'`;
}

/** An identifier. */
export function quoteName(name: string): string {
    return `"${name.replaceAll('"', '""')}"`;
}

/** `schema.table`, both quoted. */
export function quoteTable(name: string): string {
    return name.split('.').map(quoteName).join('.');
}

/** A list literal of texts. */
export function quoteList(texts: readonly string[]): string {
    return `[${texts.map(quoteText).join(', ')}]`;
}

export function sha256(text: string | Uint8Array): string {
    return createHash('sha256').update(text).digest('hex');
}

/** The first comment lines of a .sql file are prose; what is left decides if it is empty. */
export function stripComments(sql: string): string {
    return sql.replaceAll(/^\s*--.*$/gm, '').trim();
}

/** A select by the name of what a person wrote into it. */
export interface NamedSelect {
    readonly name: string;
    readonly sql: string;
}

/** The names of `$parameters` used in a statement. */
export function parameterNames(sql: string): readonly string[] {
    const names = [...stripComments(sql).matchAll(/\$([a-z_]+)/g)].map((match) => match[1] ?? '');
    return [...new Set(names)].sort();
}

/**
 * `create table` from a contract, with NOT NULL. Its comments stay in the code: one statement for each
 * column took four fifths of the time of a table.
 * @param types of opaque columns, by name: what the select gives.
 */
export function createTableSql(
    table: Table,
    types: ReadonlyMap<string, string> = new Map(),
): readonly [schema: string, table: string] {
    const columns = Object.entries(table.columns).map(([name, of]) => {
        const type = of.type === 'ANY' ? (types.get(name) ?? of.type) : of.type;
        return `    ${quoteName(name)} ${type}${of.nullable ? '' : ' not null'}`;
    });
    const [schema] = table.name.split('.');
    return [
        `create schema if not exists ${quoteName(schema ?? 'main')}`,
        `create table ${quoteTable(table.name)} (\n${columns.join(',\n')}\n)`,
    ];
}
