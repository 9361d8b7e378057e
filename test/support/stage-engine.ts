import { Engine } from '../../src/duck/engine.ts';
import { createTableSql, quoteName, quoteTable, sha256 } from '../../src/duck/sql.ts';
import type { Table } from '../../src/duck/table.ts';
import { createControl, loadMacros } from '../../src/run/prepare.ts';

/* The engine in which all stage tests of a process work. */

/** An opaque value is text in a test. */
export function withText(table: Table): Table {
    const columns = Object.entries(table.columns).map(
        ([name, of]) => [name, of.type === 'ANY' ? { ...of, type: 'VARCHAR' } : of] as const,
    );
    return { ...table, columns: Object.fromEntries(columns) };
}

export const tableSql = (table: Table) => createTableSql(withText(table));

async function open(): Promise<Engine> {
    const engine = await Engine.open({
        file: ':memory:',
        memory: '1GB',
        threads: 1,
        spill: '/tmp',
    });
    await loadMacros(engine);
    await createControl(engine);
    return engine;
}

/** One for all tests of a process: to open it and define its macros takes longer than a small test. */
const shared = open();
let last: Promise<unknown> = Promise.resolve();

/** Works in the engine of all tests, one at a time. */
export function inEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const turn = last.then(async () => work(await shared));
    last = turn.catch(() => {});
    return turn;
}

/** The same, in an engine without relations. */
export function inEmpty<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    return inEngine(async (engine) => {
        await clear(engine);
        try {
            return await work(engine);
        } finally {
            await clear(engine);
        }
    });
}

async function clear(engine: Engine): Promise<void> {
    relations.clear();
    const made = await engine.rows(
        `select schema_name from duckdb_schemas()
         where not internal and schema_name not in ('main', 'control')`,
    );
    const drops = made.map(
        ({ schema_name }) => `drop schema ${quoteName(String(schema_name))} cascade`,
    );
    await engine.runAll([...drops, 'delete from control.totals', 'delete from control.stages']);
}

/**
 * Relations of the shared engine stay from one test to the next: to plan a select over empty tables takes as long as
 * to run it over a few rows. What a relation holds is known by its source, the statements and rows that it was
 * made from; it is made again only when they are others. `empty`: it has no rows, whatever the source.
 */
interface Relation {
    readonly made: string;
    readonly source: string;
}
const relations = new Map<string, Relation>();
/** Sources that gave no rows. */
const barren = new Set<string>();
const empty = 'empty';
const unknown = 'unknown';

/** Makes a table hold what a statement puts into it, unless it does. */
export async function put(engine: Engine, of: Table, source: string, sql: string): Promise<void> {
    const table = withText(of);
    const made = tableSql(table).join(';');
    const before = relations.get(of.name);
    const wanted = sql === '' || barren.has(source) ? empty : source;
    if (before?.made === made && before.source === wanted) return;
    relations.set(of.name, { made, source: unknown });
    if (before && before.made !== made) await drop(engine, of.name, before);
    if (before?.made !== made) await engine.run(made);
    else if (before.source !== empty) await engine.run(`delete from ${quoteTable(of.name)}`);
    if (wanted !== empty) {
        const [row] = await engine.rows(sql);
        if (row?.Count === 0n) barren.add(source);
    }
    relations.set(of.name, { made, source: barren.has(source) ? empty : wanted });
}

export async function putView(
    engine: Engine,
    table: Table,
    source: string,
    sql: string,
): Promise<void> {
    const before = relations.get(table.name);
    const made = `create view ${quoteTable(table.name)} as ${sql}`;
    if (before && before.made !== made) await drop(engine, table.name, before);
    if (before?.made !== made) await engine.runAll([createTableSql(table)[0] ?? '', made]);
    relations.set(table.name, { made, source });
}

async function drop(engine: Engine, name: string, { made }: Relation): Promise<void> {
    const kind = made.startsWith('create view') ? 'view' : 'table';
    await engine.run(`drop ${kind} if exists ${quoteTable(name)}`);
}

/** The relations that a select names. */
export function namesIn(sql: string): readonly string[] {
    return [...new Set(sql.match(/\b[a-z_]+\.[a-z_]+\b/g))];
}

/** A select with what the relations hold that it names: the same source, the same rows. */
export function sourceOf(sql: string): string {
    const reads = namesIn(sql).map((name) => `${name}: ${relations.get(name)?.source}`);
    return sha256([sql, ...reads].join('\n'));
}
