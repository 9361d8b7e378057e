import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine, Row } from '../duck/engine.ts';
import {
    createTableSql,
    quoteName,
    quoteTable,
    quoteText,
    sha256,
    stripComments,
} from '../duck/sql.ts';
import type { Table } from '../duck/table.ts';
import { RunError } from '../errors/index.ts';
import { requireColumns } from './contract.ts';
import { controlStages } from './control.ts';
import { type CompiledView, type Stage, violationsSql } from './define.ts';
import { recordTotals } from './totals.ts';

/** The SQL of a stage, read once: output name to text, audit name to text. */
export interface StageSql {
    readonly selects: Readonly<Record<string, string>>;
    readonly audits: Readonly<Record<string, string>>;
    readonly sha256: Readonly<Record<string, string>>;
}

/** Where a stage works. */
export interface StageContext {
    readonly engine: Engine;
    /** Everything before this stage that it was made from. */
    readonly upstream: string;
    readonly position: number;
    readonly onCheck?: (check: string) => void;
}

const rowsShown = 10;

/** Reads the SQL of a stage from its folder. */
export function readStageSql(stage: Stage): StageSql {
    const selects = Object.fromEntries(
        stage.writes.map((table) => [
            table.name,
            readFileSync(join(stage.folder, `${table.name}.sql`), 'utf8'),
        ]),
    );
    const folder = join(stage.folder, 'audits');
    const names = existsSync(folder)
        ? readdirSync(folder).filter((name) => name.endsWith('.sql'))
        : [];
    const audits = Object.fromEntries(
        names
            .sort()
            .map((name) => [name.replace('.sql', ''), readFileSync(join(folder, name), 'utf8')]),
    );
    const hashes = [
        ...Object.entries(selects).map(([name, sql]) => [`${name}.sql`, sha256(sql)]),
        ...Object.entries(audits).map(([name, sql]) => [`audits/${name}.sql`, sha256(sql)]),
        ...(stage.compiled ?? []).map(({ table, sql }) => [
            `${table.name} (compiled)`,
            sha256(sql),
        ]),
    ];
    return { selects, audits, sha256: Object.fromEntries(hashes) };
}

/** What a stage is made from: its SQL, its contracts, its equations, and all that came before. */
export function stageFingerprint(stage: Stage, sql: StageSql, upstream: string): string {
    const { name, writes, conserves } = stage;
    return sha256(JSON.stringify([name, writes, conserves, sql.sha256, upstream]));
}

/**
 * Runs one stage in one transaction: contract of every select, insert, grain, nulls, audits,
 * equations, control totals. On any failure nothing of the stage is kept.
 * @throws RunError CONTRACT_MISMATCH, GRAIN_BROKEN, AUDIT_FAILED, NOT_CONSERVED, ENGINE_*
 */
export async function runStage(
    stage: Stage,
    context: StageContext,
): Promise<{ fingerprint: string }> {
    const sql = readStageSql(stage);
    const fingerprint = stageFingerprint(stage, sql, context.upstream);
    if (await isComplete(stage, fingerprint, context.engine)) return { fingerprint };
    await dropOutputs(stage, context.engine);
    await inStage(stage.name, () =>
        context.engine.transaction(async () => {
            await requireInputs(stage, context.engine);
            await compileViews(stage, context.engine);
            const empty = new Set<Table>();
            for (const table of stage.writes) {
                context.onCheck?.(table.name);
                const select = sql.selects[table.name] ?? '';
                const hasRows = await fill(stage, table, select, context.engine);
                // No row breaks a grain: many relations of a month have none.
                if (hasRows) await checkGrain(stage, table, context.engine);
                else empty.add(table);
                await compileViews(stage, context.engine, table);
            }
            for (const [name, audit] of Object.entries(sql.audits)) {
                context.onCheck?.(name);
                await checkAudit(stage, name, audit, context.engine);
            }
            await checkEquations(stage, context.engine);
            await recordTotals(stage.name, stage.writes, context.engine, empty);
            await context.engine.insert(controlStages, [
                {
                    stage: stage.name,
                    position: BigInt(context.position),
                    fingerprint,
                    sql_sha256: JSON.stringify(sql.sha256),
                    audits: JSON.stringify(Object.keys(sql.audits)),
                },
            ]);
        }),
    );
    return { fingerprint };
}

/**
 * Fills what a stage makes, without audits, totals or a transaction: to see what it would find of
 * other rows. Nothing of it may leave the run.
 * @param isWanted by name of the relation.
 */
export async function fillTables(
    stage: Stage,
    engine: Engine,
    isWanted: (name: string) => boolean,
): Promise<void> {
    const { selects } = readStageSql(stage);
    await compileViews(stage, engine);
    for (const table of stage.writes.filter(({ name }) => isWanted(name))) {
        await fill(stage, table, selects[table.name] ?? '', engine);
        await compileViews(stage, engine, table);
    }
}

/** Makes the compiled views of a stage that are made from one of its outputs, or from none. */
async function compileViews(stage: Stage, engine: Engine, after?: Table): Promise<void> {
    for (const view of (stage.compiled ?? []).filter((of) => of.after?.name === after?.name)) {
        await asWritten(stage, view, engine, () => fill(stage, view.table, view.sql, engine));
    }
}

async function isComplete(stage: Stage, fingerprint: string, engine: Engine): Promise<boolean> {
    const rows = await engine.rows('select fingerprint from control.stages where stage = $stage', {
        stage: stage.name,
    });
    return rows[0]?.fingerprint === fingerprint;
}

/** A stage starts from nothing, whatever an earlier attempt left. */
async function dropOutputs(stage: Stage, engine: Engine): Promise<void> {
    const made = [...(stage.compiled ?? []).map(({ table }) => table), ...stage.writes];
    const found = await engine.rows(
        "select table_schema || '.' || table_name as name from information_schema.tables",
    );
    const names = new Set(found.map(({ name }) => name));
    for (const table of made.reverse().filter(({ name }) => names.has(name))) {
        const kind = table.storage === 'table' ? 'table' : 'view';
        await engine.run(`drop ${kind} ${quoteTable(table.name)}`);
    }
    await engine.run('delete from control.totals where stage = $stage', { stage: stage.name });
    await engine.run('delete from control.stages where stage = $stage', { stage: stage.name });
}

/** All at once, each as one struct of its columns; where one differs it is said which. */
async function requireInputs(stage: Stage, engine: Engine): Promise<void> {
    if (stage.reads.length === 0) return;
    const wholes = stage.reads.map((_, index) => `t${index}`);
    const from = stage.reads.map(({ name }, index) => `${quoteTable(name)} as t${index}`);
    const found = await engine.describe(`select ${wholes.join(', ')} from ${from.join(', ')}`);
    const differing = stage.reads.filter((table, index) => found[index]?.type !== structOf(table));
    for (const table of differing) {
        const columns = await engine.describe(`select * from ${quoteTable(table.name)}`);
        requireContract(stage, table, columns);
    }
}

/** The type of a row of a relation, spelled as `describe` does where no name needs quotes. */
function structOf({ columns }: Table): string {
    const fields = Object.entries(columns).map(([name, { type }]) => `${name} ${type}`);
    return `STRUCT(${fields.join(', ')})`;
}

function requireContract(
    stage: Stage,
    table: Table,
    columns: readonly { readonly name: string; readonly type: string }[],
): void {
    const expected = Object.entries(table.columns).map(([name, of]) => `${name} ${of.type}`);
    const actual = columns.map(({ name, type }) =>
        table.columns[name]?.type === 'ANY' ? `${name} ANY` : `${name} ${type}`,
    );
    requireColumns({ stage: stage.name, check: table.name }, expected, actual);
}

/** Gives whether the relation has rows; of a view nobody knows, so it may. */
async function fill(stage: Stage, table: Table, text: string, engine: Engine): Promise<boolean> {
    const sql = stripComments(text).replace(/;\s*$/, '');
    const columns = await engine.describe(sql);
    requireContract(stage, table, columns);
    if (table.storage !== 'table') {
        const [schema] = table.name.split('.');
        await engine.run(`create schema if not exists ${quoteName(schema ?? 'main')}`);
        await engine.run(`create view ${quoteTable(table.name)} as ${sql}`);
        return true;
    }
    const types = new Map(columns.map(({ name, type }) => [name, type]));
    await engine.runAll(createTableSql(table, types));
    return engine.put(`insert into ${quoteTable(table.name)} by name ${sql}`);
}

async function checkGrain(stage: Stage, table: Table, engine: Engine): Promise<void> {
    if (table.storage === 'view') return;
    const grain = table.grain.map(quoteName).join(', ');
    const { keys, hash } = table.repeatable ?? {};
    const source = keys
        ? `(from ${quoteTable(table.name)} semi join ${quoteTable(keys)} as keys on ${hash} = keys.key_hash)`
        : quoteTable(table.name);
    // Distinct hashes prove distinct keys; only a collision or a real double needs the slow look.
    const { repeats } = await engine.one(
        `select count(*) - count(distinct hash(${grain})) as repeats from ${source}`,
    );
    if (repeats === 0n) return;
    const rows = await engine.rows(
        `select ${grain}, count(*) as row_count from ${source}
         group by ${grain} having count(*) > 1 order by ${grain} limit ${rowsShown}`,
    );
    if (rows.length) {
        throw new RunError('GRAIN_BROKEN', {
            stage: stage.name,
            check: table.name,
            grain: table.grain.join(', '),
            rows: rows.map(show),
        });
    }
}

async function checkAudit(stage: Stage, name: string, text: string, engine: Engine): Promise<void> {
    const sql = stripComments(text).replace(/;\s*$/, '');
    const rows = await engine.rows(
        `select *, count(*) over () as audit_row_count from (${sql}) limit ${rowsShown}`,
    );
    const [first] = rows;
    if (!first) return;
    throw new RunError('AUDIT_FAILED', {
        stage: stage.name,
        check: name,
        count: Number.parseInt(String(first.audit_row_count), 10),
        rows: rows.map(({ audit_row_count: _, ...row }) => show(row)),
    });
}

async function checkEquations(stage: Stage, engine: Engine): Promise<void> {
    for (const equation of stage.conserves) {
        const [row] = await engine.rows(violationsSql(equation));
        if (!row) continue;
        const { left_side, right_side, ...keys } = row;
        const at = Object.keys(keys).length ? ` for ${show(keys)}` : '';
        throw new RunError('NOT_CONSERVED', {
            stage: stage.name,
            check: equation.name,
            equation: `${term(equation.left)} = ${equation.right.map(term).join(' + ')}${at}`,
            left: String(left_side),
            right: String(right_side),
        });
    }
}

function term(of: {
    readonly relation: string;
    readonly measure: string;
    readonly where?: string;
}): string {
    const what = of.measure === '1' ? 'rows' : `Σ ${of.measure}`;
    return `${what} of ${of.relation}${of.where ? ` where ${of.where}` : ''}`;
}

/** A row for people: `role='usage', line_count=10`. Text is quoted as SQL quotes it. */
function show(row: Row): string {
    return Object.entries(row)
        .map(([name, value]) => `${name}=${shown(value)}`)
        .join(', ');
}

function shown(value: unknown): string {
    if (value === null) return 'null';
    if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
    if (typeof value !== 'string') return JSON.stringify(value);
    return /^-?\d+(\.\d+)?$/.test(value) ? value : quoteText(value);
}

/** Engine errors do not know which part of a run they happened in; who runs it does. */
export async function inStage<T>(stage: string, work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        if (!(error instanceof RunError)) throw error;
        if (['ENGINE_MEMORY', 'ENGINE_FAILED', 'AMOUNT_OVERFLOW'].includes(error.code)) {
            throw new RunError(
                error.code,
                { ...(error.params as never as object), stage } as never,
                error,
            );
        }
        throw error;
    }
}

/** What no expression can bring about. */
const isOfTheMachine = /^(IO|INTERNAL|FATAL|Interrupt|TransactionContext) Error/i;

/** A compiled view that does not bind holds an expression that a person wrote. */
async function asWritten(
    stage: Stage,
    view: CompiledView,
    engine: Engine,
    work: () => Promise<unknown>,
): Promise<void> {
    try {
        await work();
    } catch (error) {
        if (!(error instanceof RunError) || error.code !== 'ENGINE_FAILED') throw error;
        const { detail } = error.params as { readonly detail: string };
        if (isOfTheMachine.test(detail)) throw error;
        const found: { name: string; detail: string }[] = [];
        for (const { name, sql } of view.parts ?? []) {
            const detail = await whyNot(engine, sql);
            if (detail !== null) found.push({ name, detail });
        }
        const expressions = found.length ? found : [{ name: view.table.name, detail }];
        throw new RunError('EXPRESSION_INVALID', { stage: stage.name, expressions }, error);
    }
}

/** What the engine says against a select; null when it binds. Nothing runs. */
async function whyNot(engine: Engine, sql: string): Promise<string | null> {
    try {
        await engine.describe(`\n${sql}`); // its own lines, where the engine points at one
        return null;
    } catch (error) {
        if (!(error instanceof RunError) || error.code !== 'ENGINE_FAILED') throw error;
        return (error.params as { readonly detail: string }).detail;
    }
}
