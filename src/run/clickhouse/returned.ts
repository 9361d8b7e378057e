import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parquetTypes } from '../../compile/clickhouse/fields.ts';
import {
    type ObjectSource,
    parquetColumnsSql,
    placeNames,
    returnedClickSql,
} from '../../compile/clickhouse/objects.ts';
import { parquetNeeds } from '../../compile/clickhouse/rows.ts';
import { type InputFiles, linesTable } from '../../compile/rows.ts';
import type { EventShape } from '../../compile/shape.ts';
import type { Engine } from '../../duck/engine.ts';
import { RunError } from '../../errors/index.ts';
import { typedRows, writeRows } from '../landing.ts';
import { parquetProblems } from '../parquet.ts';
import { type PlacedSet, returnedFile } from './objects.ts';
import { type ClickSession, parquetOf } from './session.ts';

/*
 * Rows that come back: read by the SQL of the stage, as every row is without ClickHouse.
 */

export interface Returning {
    readonly session: ClickSession;
    readonly source: ObjectSource;
    readonly shape: EventShape;
    /** Address of the store, for people. */
    readonly store: string;
    /** Folder in which typed rows stay, with the run. */
    readonly folder: string;
}

/** Columns of the Parquet objects of a set that its input names. @throws RunError CLICKHOUSE_UNSUPPORTED */
export async function parquetColumns(
    { session, source, shape }: Returning,
    set: PlacedSet,
): Promise<readonly string[]> {
    const found = await session.rows(parquetColumnsSql(source, set));
    const types = new Map(found.map(({ name, type }) => [String(name), String(type)]));
    const needs = parquetNeeds(set.of, shape);
    const reasons = needs.flatMap(({ path, as, isOptional }) => {
        const type = types.get(path);
        if (type === undefined) return isOptional ? [] : [`the column ${path} is not one of all`];
        return parquetTypes[as].test(type) ? [] : [`the column ${path} is ${type}, read as ${as}`];
    });
    if (reasons.length) {
        const of = reasons.map((reason) => `Parquet of input ${set.input}: ${reason}`);
        throw new RunError('CLICKHOUSE_UNSUPPORTED', { reasons: of });
    }
    return [...new Set(needs.map(({ path }) => path))].filter((path) => types.has(path));
}

/**
 * Brings rows of one set here and types them.
 * @param columns of Parquet.
 * @param wave tells the files of one set apart.
 * @param where select of places, (object_no, line_no).
 * @returns the select of typed rows.
 */
export async function bringRows(
    returning: Returning,
    set: PlacedSet,
    columns: readonly string[],
    wave: 'unread' | 'touched',
    where: string,
): Promise<string> {
    const { session, source, folder } = returning;
    const keys = await keysWith(session, set, where);
    const only = { ...set, keys: keys.length ? keys : set.keys.slice(0, 1) };
    const name = `${set.input}.${set.format}.${wave}`;
    const brought = await session.bring(
        name,
        returnedClickSql(source, only, columns, keys.length ? where : `${where} limit 0`),
    );
    mkdirSync(folder, { recursive: true });
    const file = join(folder, returnedFile(set, wave));
    const typed =
        set.format === 'ndjson'
            ? await typedLines(returning, set, brought)
            : await typedParquet(returning, set, brought);
    await writeRows(session.engine, typed, file);
    return `select * from ${parquetOf(file)}`;
}

/** Only objects that have such rows are read again. */
async function keysWith(
    session: ClickSession,
    { numbers, keys }: PlacedSet,
    where: string,
): Promise<readonly string[]> {
    const rows = await session.rows(
        `select distinct toString(object_no) as object_no from (${where}) as places`,
    );
    const wanted = new Set(rows.map(({ object_no }) => String(object_no)));
    return keys.filter((key) => wanted.has(String(numbers.get(key))));
}

const filesOf = (set: PlacedSet, paths: readonly string[]): InputFiles => ({
    ...{ input: set.input, format: set.format, paths, numbers: paths.map(() => 1) },
});

/** Lines as they are when they are spooled: see store/text-lines.ts. */
async function typedLines(
    { session: { engine }, source, shape, store }: Returning,
    set: PlacedSet,
    brought: string,
): Promise<string> {
    const { object_no, line_no } = placeNames;
    await requireText(engine, set, brought, store, source.lineBytes);
    const files = filesOf(set, []);
    await engine.run(`create or replace table ${linesTable(files)} as
        select ${object_no} as object_no, ${line_no} as line_no,
            nullif(translate(
                case when ${line_no} = 1 and starts_with(text, chr(65279)) then substr(text, 2) else text end,
                chr(1) || chr(13), chr(2) || chr(2)
            ), '') as raw_text
        from (
            select *, case when ends_with(raw_text, chr(13))
                then substr(raw_text, 1, length(raw_text) - 1) else raw_text end as text
            from ${parquetOf(brought)}
        )`);
    return typedRows(engine, set.of, set.role, files, shape);
}

async function requireText(
    engine: Engine,
    { numbers }: PlacedSet,
    brought: string,
    store: string,
    limit: number,
): Promise<void> {
    const [wrong] = await engine.rows(
        `select ${placeNames.object_no} as object_no, ${placeNames.line_no} as line_no, is_text
        from ${parquetOf(brought)}
        where not cast(is_text as boolean) or byte_count > ${limit + 4}
        order by object_no, line_no limit 1`,
    );
    if (!wrong) return;
    const [key = ''] = [...numbers].find(([, number]) => BigInt(number) === wrong.object_no) ?? [];
    const line = Number.parseInt(String(wrong.line_no), 10);
    if (BigInt(String(wrong.is_text ? 1 : 0)) === 0n) {
        throw new RunError('OBJECT_NOT_TEXT', { store, key, line, detail: 'invalid UTF-8 or NUL' });
    }
    throw new RunError('OBJECT_LINE_TOO_LONG', { store, key, line, limit });
}

async function typedParquet(
    { session: { engine }, shape }: Returning,
    set: PlacedSet,
    brought: string,
): Promise<string> {
    const problems = parquetProblems(
        set.of,
        set.role,
        await engine.describe(`select * from ${parquetOf(brought)}`),
        shape,
    );
    if (problems.length) throw new RunError('CONFIG_INVALID', { problems });
    const typed = await typedRows(engine, set.of, set.role, filesOf(set, [brought]), shape);
    return `select typed.* replace (
            places.${placeNames.object_no} as object_no, places.${placeNames.line_no} as line_no
        )
        from (${typed}) as typed
        inner join (
            select ${placeNames.object_no}, ${placeNames.line_no}, file_row_number + 1 as row_no
            from ${parquetOf(brought)}
        ) as places on typed.line_no = places.row_no`;
}
