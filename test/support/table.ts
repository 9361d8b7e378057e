import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import {
    createTableSql,
    quoteName,
    quoteTable,
    quoteText,
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

function literal(text: string, type: string): string {
    if (text === '_') return `cast(null as ${type})`;
    if (type.endsWith('[]')) {
        const items = text === '' ? [] : text.split(' ');
        return `[${items.map(quoteText).join(', ')}]::VARCHAR[]`;
    }
    return `cast(${quoteText(text)} as ${type})`;
}

/** An opaque value is text in a test. */
function withText(table: Table): Table {
    const columns = Object.entries(table.columns).map(
        ([name, of]) => [name, of.type === 'ANY' ? { ...of, type: 'VARCHAR' } : of] as const,
    );
    return { ...table, columns: Object.fromEntries(columns) };
}

const tableSql = (table: Table) => createTableSql(withText(table));

async function fill(engine: Engine, of: Table, given: TextTable | undefined): Promise<void> {
    const table = withText(of);
    await engine.runAll(tableSql(table));
    const unknown = given?.columns.filter((name) => !(name in table.columns)) ?? [];
    if (unknown.length) throw new Error(`${table.name} has no column ${unknown.join(', ')}`);
    const rows = (given?.rows ?? []).map((row, index) => {
        const values = Object.entries(table.columns).map(([name, of]) => {
            const at = given?.columns.indexOf(name) ?? -1;
            if (at >= 0) return literal(row[at] ?? '', of.type);
            if (of.nullable) return `cast(null as ${of.type})`;
            // A grain column that is not named tells its rows apart by number.
            if (table.grain.includes(name) && of.type === 'VARCHAR')
                return quoteText(`${index + 1}`);
            return `cast(${filler[of.type] ?? String(index + 1)} as ${of.type})`;
        });
        return `(${values.join(', ')})`;
    });
    if (rows.length) {
        await engine.run(`insert into ${quoteTable(table.name)} values ${rows.join(', ')}`);
    }
}

/** Defaults of the run, unless a test gives run.parameters itself. */
const parameters = `
    given run.parameters run_id | period | period_start | period_end | as_of | open_hold_hours | suspense_percent | hold_absolute | hold_percent
                         run | 2026-10 | 2026-10-01 | 2026-11-01 | 2026-11-05 | 24 | 1 | 1.00 | 1`;

async function open(): Promise<Engine> {
    const engine = await Engine.open({
        file: ':memory:',
        memory: '1GB',
        threads: 2,
        spill: '/tmp',
    });
    await loadMacros(engine);
    await createControl(engine);
    return engine;
}

/** One for all tests of a process: to open it and define its macros takes longer than a small test. */
const shared = open();
let last: Promise<unknown> = Promise.resolve();

/** Works in the engine of all tests, one at a time, and leaves it as it was found. */
function inEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const turn = last.then(async () => {
        const engine = await shared;
        try {
            return await work(engine);
        } finally {
            await clear(engine);
        }
    });
    last = turn.catch(() => {});
    return turn;
}

async function clear(engine: Engine): Promise<void> {
    const made = await engine.rows(
        `select schema_name from duckdb_schemas()
         where not internal and schema_name not in ('main', 'control')`,
    );
    const drops = made.map(
        ({ schema_name }) => `drop schema ${quoteName(String(schema_name))} cascade`,
    );
    await engine.runAll([...drops, 'delete from control.totals', 'delete from control.stages']);
}

/** Makes every relation a stage reads, compiles or writes: given ones as given, outputs by SQL. */
async function runSelects(
    engine: Engine,
    stage: Stage,
    given: readonly TextTable[],
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
    for (const table of inputs.values()) await fill(engine, table, of(table));
    const sql = readStageSql(stage);
    for (const table of stage.writes) {
        if (of(table)) {
            await fill(engine, table, of(table));
            continue;
        }
        const text = stripComments(sql.selects[table.name] ?? '');
        if (table.storage === 'view') {
            await engine.run(createTableSql(table)[0] ?? '');
            await engine.run(`create view ${quoteTable(table.name)} as ${text}`);
            continue;
        }
        await engine.runAll(tableSql(table));
        await engine.run(`insert into ${quoteTable(table.name)} by name ${text}`);
    }
}

/** Runs the selects of a stage over the given tables and compares what `then` names. */
export async function check(stage: Stage, text: string): Promise<void> {
    const tables = parseTables(text);
    const given = [...parseTables(parameters), ...tables.filter(({ role }) => role === 'given')];
    await inEngine(async (engine) => {
        await runSelects(engine, stage, latest(given));
        for (const expected of tables.filter(({ role }) => role === 'then')) {
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
    return inEngine(async (engine) => {
        for (const table of inputs.values()) {
            const rows = given.find(({ name }) => name === table.name);
            await fill(engine, table, rows);
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
    return inEngine(async (engine) => {
        await runSelects(engine, stage, latest([...parseTables(parameters), ...parseTables(text)]));
        const sql = readFileSync(join(stage.folder, 'audits', `${audit}.sql`), 'utf8');
        return (await engine.rows(stripComments(sql))).length;
    });
}
