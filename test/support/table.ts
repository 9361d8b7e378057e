import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import {
    createTableSql,
    quoteName,
    quoteTable,
    quoteText,
    sha256,
    stripComments,
} from '../../src/duck/sql.ts';
import type { Table } from '../../src/duck/table.ts';
import { createControl, loadMacros } from '../../src/run/prepare.ts';
import { runParameters } from '../../src/stage/control.ts';
import type { Stage } from '../../src/stage/define.ts';
import { readStageSql, runStage } from '../../src/stage/run.ts';

/**
 * Stage tests as text tables:
 *
 *     given metered.usage  meter  | quantity
 *                          tokens | 16
 *     then  rated.usage    amount
 *                          80
 *
 * `_` is null, an empty cell empty text. Columns that are not named get a value of their type that
 * nothing depends on. `then` compares the columns it names, as a set of rows.
 */
interface TextTable {
    readonly role: 'given' | 'then';
    readonly name: string;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly string[])[];
}

const cells = (text: string) => text.split('|').map((cell) => cell.trim());

function parseTables(text: string): readonly TextTable[] {
    const tables: { -readonly [K in keyof TextTable]: TextTable[K] }[] = [];
    for (const line of text.split('\n')) {
        if (line.trim() === '') continue;
        const head = /^\s*(given|then)\s+([a-z_]+\.[a-z_]+)\s*(.*)$/.exec(line);
        if (head) {
            const [, role, name = '', rest = ''] = head;
            const columns = rest.trim() === '' ? [] : cells(rest);
            tables.push({ role: role as 'given' | 'then', name, columns, rows: [] });
            continue;
        }
        const last = tables.at(-1);
        if (!last) throw new Error(`a row before any table: ${line}`);
        last.rows = [...last.rows, cells(line)];
    }
    return tables;
}

/** A value nobody depends on, for a column that a test does not name. */
const filler: Readonly<Record<string, string>> = {
    VARCHAR: "''",
    TIMESTAMP: "timestamp '2026-10-10 00:00:00'",
    DATE: "date '2026-10-10'",
    BOOLEAN: 'true',
    'VARCHAR[]': '[]',
};

/** A cell; the table that it is put into makes it of its type. */
function literal(text: string, type: string): string {
    if (text === '_') return 'null';
    if (!type.endsWith('[]')) return quoteText(text);
    const items = text === '' ? [] : text.split(' ');
    return `[${items.map(quoteText).join(', ')}]::VARCHAR[]`;
}

type Cells = readonly string[];

/** An opaque value is text in a test. */
function withText(table: Table): Table {
    const columns = Object.entries(table.columns).map(
        ([name, of]) => [name, of.type === 'ANY' ? { ...of, type: 'VARCHAR' } : of] as const,
    );
    return { ...table, columns: Object.fromEntries(columns) };
}

const tableSql = (table: Table) => createTableSql(withText(table));

/** The statement that puts the given rows into a table; empty without any. */
function rowsSql(table: Table, given: TextTable | undefined): string {
    const unknown = given?.columns.filter((name) => !(name in table.columns)) ?? [];
    if (unknown.length) throw new Error(`${table.name} has no column ${unknown.join(', ')}`);
    if (!given?.rows.length) return '';
    // What may be null and is not named is left out: most of the time is that of planning columns.
    const columns = Object.entries(table.columns).flatMap(([name, of]) => {
        const at = given.columns.indexOf(name);
        if (at >= 0) return [{ name, value: (row: Cells) => literal(row[at] ?? '', of.type) }];
        if (of.nullable) return [];
        // A grain column that is not named tells its rows apart by number.
        const isCounted = of.type === 'VARCHAR' && table.grain.includes(name);
        const own = (index: number) => filler[of.type] ?? String(index + 1);
        return [{ name, value: (_: Cells, at: number) => (isCounted ? `'${at + 1}'` : own(at)) }];
    });
    const rows = given.rows.map(
        (row, index) => `(${columns.map(({ value }) => value(row, index)).join(', ')})`,
    );
    const names = columns.map(({ name }) => quoteName(name)).join(', ');
    return `insert into ${quoteTable(table.name)} (${names}) values ${rows.join(', ')}`;
}

/** Defaults of the run, unless a test gives run.parameters itself. */
const parameters = `
    given run.parameters run_id | period | period_start | period_end | as_of | open_hold_hours | suspense_percent | hold_absolute | hold_percent
                         run | 2026-10 | 2026-10-01 | 2026-11-01 | 2026-11-05 | 24 | 1 | 1.00 | 1`;

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
function inEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const turn = last.then(async () => work(await shared));
    last = turn.catch(() => {});
    return turn;
}

/** The same, in an engine without relations. */
function inEmpty<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
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
async function put(engine: Engine, of: Table, source: string, sql: string): Promise<void> {
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

async function putView(engine: Engine, table: Table, source: string, sql: string): Promise<void> {
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

/** The relations among those known that a select names. */
function namesIn(sql: string): readonly string[] {
    return [...new Set(sql.match(/\b[a-z_]+\.[a-z_]+\b/g))];
}

/** What of a stage leads to what is wanted, by the relations that its selects name. */
function leadingTo(
    wanted: readonly string[],
    selects: Readonly<Record<string, string>>,
): ReadonlySet<string> {
    const found = new Set<string>();
    const visit = (name: string) => {
        if (found.has(name)) return;
        found.add(name);
        namesIn(selects[name] ?? '').forEach(visit);
    };
    wanted.forEach(visit);
    return found;
}

/** Makes what a stage reads, compiles or writes: given relations as given, outputs by SQL, if wanted. */
async function runSelects(
    engine: Engine,
    stage: Stage,
    given: readonly TextTable[],
    wanted: readonly string[],
): Promise<void> {
    const of = (table: Table) => given.find(({ name }) => name === table.name);
    const compiled = (stage.compiled ?? []).map(({ table }) => table);
    const inputs = new Map(
        [...stage.reads, ...compiled, runParameters].map((table) => [table.name, table]),
    );
    const known = [...inputs.keys(), ...stage.writes.map(({ name }) => name)];
    const unknown = given.filter(({ name }) => !known.includes(name));
    if (unknown.length)
        throw new Error(`${stage.name} knows no ${unknown.map(({ name }) => name)}`);
    const selects = Object.fromEntries(
        Object.entries(readStageSql(stage).selects).map(([name, sql]) => [
            name,
            stripComments(sql),
        ]),
    );
    const computed = Object.fromEntries(
        Object.entries(selects).filter(([name]) => given.every((table) => table.name !== name)),
    );
    const needed = leadingTo(wanted, computed);
    const isNeeded = ({ name }: Table) => needed.has(name);
    for (const table of [...inputs.values(), ...stage.writes].filter(isNeeded)) {
        const text = of(table) || inputs.has(table.name) ? undefined : computed[table.name];
        if (text === undefined) {
            const rows = rowsSql(withText(table), of(table));
            await put(engine, table, rows, rows);
            continue;
        }
        const reads = namesIn(text).map((name) => `${name}: ${relations.get(name)?.source}`);
        const source = sha256([text, ...reads].join('\n'));
        if (table.storage === 'view') await putView(engine, table, source, text);
        else {
            const into = `insert into ${quoteTable(table.name)} by name ${text}`;
            await put(engine, table, source, into);
        }
    }
}

/** Runs the selects of a stage over the given tables and compares what `then` names. */
export async function check(stage: Stage, text: string): Promise<void> {
    const tables = parseTables(text);
    const given = [...parseTables(parameters), ...tables.filter(({ role }) => role === 'given')];
    const then = tables.filter(({ role }) => role === 'then');
    await inEngine(async (engine) => {
        const wanted = then.map(({ name }) => name);
        await runSelects(engine, stage, latest(given), wanted);
        for (const expected of then) {
            expect(await actualRows(engine, stage, expected), expected.name).toEqual(
                expected.rows.map((row) => row.join(' | ')).sort(),
            );
        }
    });
}

/** Runs stages over given tables one after the other as a run does, with audits and equations. */
export async function runTogether<T>(
    stages: readonly Stage[],
    text: string,
    read: (engine: Engine) => Promise<T>,
): Promise<T> {
    const tables = parseTables(text).filter(({ role }) => role === 'given');
    const given = latest([...parseTables(parameters), ...tables]);
    const made = new Set(stages.flatMap(({ writes }) => writes.map(({ name }) => name)));
    const reads = [...stages.flatMap((stage) => stage.reads), runParameters];
    const inputs = new Map(
        reads.filter(({ name }) => !made.has(name)).map((table) => [table.name, table]),
    );
    const unknown = given.filter(({ name }) => !inputs.has(name)).map(({ name }) => name);
    if (unknown.length) throw new Error(`no stage reads ${unknown}`);
    return inEmpty(async (engine) => {
        for (const table of inputs.values()) {
            const rows = rowsSql(
                withText(table),
                given.find(({ name }) => name === table.name),
            );
            await engine.runAll(tableSql(table));
            if (rows !== '') await engine.run(rows);
        }
        for (const [position, stage] of stages.entries()) {
            await runStage(stage, { engine, upstream: '', position });
        }
        return read(engine);
    });
}

/** The same, and compares what `then` names of any of them. */
export function checkTogether(stages: readonly Stage[], text: string): Promise<void> {
    return runTogether(stages, text, async (engine) => {
        for (const expected of parseTables(text).filter(({ role }) => role === 'then')) {
            const stage = stages.find(({ writes }) =>
                writes.some(({ name }) => name === expected.name),
            );
            if (!stage) throw new Error(`no stage writes ${expected.name}`);
            expect(await actualRows(engine, stage, expected), expected.name).toEqual(
                expected.rows.map((row) => row.join(' | ')).sort(),
            );
        }
    });
}

/** A table given twice is the later one: tests override the defaults. */
function latest(given: readonly TextTable[]): readonly TextTable[] {
    return [...new Map(given.map((table) => [table.name, table])).values()];
}

async function actualRows(
    engine: Engine,
    stage: Stage,
    { name, columns }: TextTable,
): Promise<readonly string[]> {
    const table = stage.writes.find((of) => of.name === name);
    if (!table) throw new Error(`${stage.name} does not write ${name}`);
    if (columns.length === 0) {
        const rows = await engine.rows(`select * from ${quoteTable(name)}`);
        return rows.map((row) =>
            JSON.stringify(row, (_key, of) => (typeof of === 'bigint' ? String(of) : of)),
        );
    }
    const shown = columns.map((column) => {
        const type = table.columns[column]?.type ?? '';
        const cell = quoteName(column);
        if (type.startsWith('DECIMAL')) return `regexp_replace(${cell}::varchar, '\\.?0+$', '')`;
        return type === 'TIMESTAMP' ? `strftime(${cell}, '%Y-%m-%d %H:%M:%S')` : cell;
    });
    const texts = shown.map((cell) => `coalesce(${cell}::varchar, '_')`);
    // Whole days read better without their midnight.
    const rows = await engine.rows(
        `select replace(concat_ws(' | ', ${texts.join(', ')}), ' 00:00:00', '') as row from ${quoteTable(name)}`,
    );
    return rows.map(({ row }) => String(row)).sort();
}

/** The rows an audit finds over the given tables; an audit that holds finds none. */
export async function auditRows(stage: Stage, audit: string, text: string): Promise<number> {
    const sql = stripComments(readFileSync(join(stage.folder, 'audits', `${audit}.sql`), 'utf8'));
    const given = latest([...parseTables(parameters), ...parseTables(text)]);
    return inEngine(async (engine) => {
        await runSelects(engine, stage, given, namesIn(sql));
        return (await engine.rows(sql)).length;
    });
}
