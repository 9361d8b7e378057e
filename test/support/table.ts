import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Engine, Row } from '../../src/duck/engine.ts';
import { quoteName, quoteTable, quoteText, stripComments } from '../../src/duck/sql.ts';
import type { Table } from '../../src/duck/table.ts';
import { RunError } from '../../src/errors/index.ts';
import { runParameters } from '../../src/stage/control.ts';
import { type Stage, violationsSql } from '../../src/stage/define.ts';
import { readStageSql, runStage } from '../../src/stage/run.ts';
import {
    inEmpty,
    inEngine,
    namesIn,
    put,
    putView,
    sourceOf,
    tableSql,
    withText,
} from './stage-engine.ts';

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

/** What stages read and write together, in the order in which it is made. */
interface Work {
    readonly stages: readonly Stage[];
    readonly inputs: readonly Table[];
    readonly outputs: readonly Table[];
    readonly selects: Readonly<Record<string, string>>;
}

function workOf(stages: readonly Stage[]): Work {
    const outputs = stages.flatMap(({ writes }) => writes);
    const compiled = stages.flatMap((stage) => (stage.compiled ?? []).map(({ table }) => table));
    const reads = [...stages.flatMap((stage) => stage.reads), ...compiled, runParameters];
    const inputs = new Map(reads.map((table) => [table.name, table]));
    for (const { name } of outputs) inputs.delete(name);
    const selects = stages.flatMap((stage) => Object.entries(readStageSql(stage).selects));
    return {
        ...{ stages, outputs, inputs: [...inputs.values()] },
        selects: Object.fromEntries(selects.map(([name, sql]) => [name, stripComments(sql)])),
    };
}

/** Makes relations of a work that are wanted, and what leads to them: given ones as given, outputs by SQL. */
async function runSelects(
    engine: Engine,
    { stages, inputs, outputs, selects }: Work,
    given: readonly TextTable[],
    wanted: readonly string[],
): Promise<void> {
    const of = (table: Table) => given.find(({ name }) => name === table.name);
    const known = [...inputs, ...outputs].map(({ name }) => name);
    const unknown = given.filter(({ name }) => !known.includes(name));
    if (unknown.length)
        throw new Error(`${stages.map(({ name }) => name)} know no ${unknown[0]?.name}`);
    const computed = Object.fromEntries(
        Object.entries(selects).filter(([name]) => given.every((table) => table.name !== name)),
    );
    const needed = leadingTo(wanted, computed);
    for (const table of [...inputs, ...outputs].filter(({ name }) => needed.has(name))) {
        const text = computed[table.name];
        if (text === undefined) {
            const rows = rowsSql(withText(table), of(table));
            await put(engine, table, rows, rows);
        } else if (table.storage === 'view') {
            await putView(engine, table, sourceOf(text), text);
        } else {
            const into = `insert into ${quoteTable(table.name)} by name ${text}`;
            await put(engine, table, sourceOf(text), into);
        }
    }
}

/** Sources of proofs that held. */
const proven = new Set<string>();

/** Asks every audit, grain and equation of stages to hold, as a run does. */
async function prove(engine: Engine, stages: readonly Stage[]): Promise<void> {
    for (const stage of stages) {
        for (const [check, sql] of proofsOf(stage)) {
            const source = sourceOf(sql);
            if (proven.has(source)) continue;
            const rows = await engine.rows(sql);
            if (rows.length) {
                const found = { count: rows.length, rows: rows.map(textOf) };
                throw new RunError('AUDIT_FAILED', { stage: stage.name, check, ...found });
            }
            proven.add(source);
        }
    }
}

function proofsOf(stage: Stage): readonly (readonly [string, string])[] {
    const audits = Object.entries(readStageSql(stage).audits).map(
        ([name, sql]) => [name, stripComments(sql).replace(/;\s*$/, '')] as const,
    );
    const grains = stage.writes
        .filter(({ storage }) => storage !== 'view')
        .map(({ name, grain }) => {
            const keys = grain.map(quoteName).join(', ');
            const sql = `select ${keys} from ${name} group by ${keys} having count(*) > 1`;
            return [`grain of ${name}`, sql] as const;
        });
    const equations = stage.conserves.map((of) => [of.name, violationsSql(of)] as const);
    return [...grains, ...audits, ...equations];
}

/** Runs the selects of a stage over the given tables and compares what `then` names. */
export async function check(stage: Stage, text: string): Promise<void> {
    const [given, then] = givenAndThen(text);
    const wanted = then.map(({ name }) => name);
    await inEngine(async (engine) => {
        await runSelects(engine, workOf([stage]), given, wanted);
        await compare(engine, [stage], then);
    });
}

/** The same of stages that follow each other; every proof of each must hold. */
export async function checkTogether(stages: readonly Stage[], text: string): Promise<void> {
    const [given, then] = givenAndThen(text);
    const work = workOf(stages);
    const wanted = [...work.inputs, ...work.outputs].map(({ name }) => name);
    await inEngine(async (engine) => {
        await runSelects(engine, work, given, wanted);
        await prove(engine, stages);
        await compare(engine, stages, then);
    });
}

/** The given tables of a text, and those that it compares. */
function givenAndThen(text: string): readonly [readonly TextTable[], readonly TextTable[]] {
    const all = Map.groupBy(parseTables(text), ({ role }) => role);
    const given = latest([...parseTables(parameters), ...(all.get('given') ?? [])]);
    return [given, all.get('then') ?? []];
}

async function compare(
    engine: Engine,
    stages: readonly Stage[],
    then: readonly TextTable[],
): Promise<void> {
    for (const expected of then) {
        const stage = stages.find(({ writes }) =>
            writes.some(({ name }) => name === expected.name),
        );
        if (!stage) throw new Error(`no stage writes ${expected.name}`);
        expect(await actualRows(engine, stage, expected), expected.name).toEqual(
            expected.rows.map((row) => row.join(' | ')).sort(),
        );
    }
}

/** Runs stages over given tables one after the other as a run does, with audits and equations. */
export async function runTogether<T>(
    stages: readonly Stage[],
    text: string,
    read: (engine: Engine) => Promise<T>,
): Promise<T> {
    const [given] = givenAndThen(text);
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
        return rows.map(textOf);
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

const textOf = (row: Row) =>
    JSON.stringify(row, (_key, of) => (typeof of === 'bigint' ? String(of) : of));

/** The rows an audit finds over the given tables; an audit that holds finds none. */
export async function auditRows(stage: Stage, audit: string, text: string): Promise<number> {
    const sql = stripComments(readFileSync(join(stage.folder, 'audits', `${audit}.sql`), 'utf8'));
    const given = latest([...parseTables(parameters), ...parseTables(text)]);
    return inEngine(async (engine) => {
        await runSelects(engine, workOf([stage]), given, namesIn(sql));
        return (await engine.rows(sql)).length;
    });
}
