import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isFlat } from '../compile/presets.ts';
import type { InputFiles } from '../compile/rows.ts';
import { debitRowsSql, linesTable, usageRowsSql } from '../compile/rows.ts';
import type { EventShape } from '../compile/shape.ts';
import type { Engine } from '../duck/engine.ts';
import { quoteList, quoteText } from '../duck/sql.ts';
import type { Progress } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import { visible } from '../report/visible.ts';
import type { Config, DebitInput, UsageInput } from '../schema/config.ts';
import type { ObjectEntry, ObjectStore } from '../store/object-store.ts';
import { type SpooledObject, spoolObjects } from '../store/spool.ts';
import { type Batch, type Input, keepBatch, type Role, rowsFile } from './lake.ts';
import { parquetProblems } from './parquet.ts';

/** Of more Parquet objects than this, each scan would take longer to open them than to read. */
export const objectsReadInPlace = 200;

/** What landing needs beside the objects. */
export interface Landing {
    readonly engine: Engine;
    readonly store: ObjectStore;
    readonly config: Config;
    readonly shape: EventShape;
    readonly basis: string;
    /** Folder of the lake. */
    readonly lake: string;
    /** Folder of files on their way into it. */
    readonly scratch: string;
    readonly progress: Progress;
}

/**
 * Brings objects of one input here, verified, and makes their rows a part of the lake: a Parquet
 * object as it is, text as the typed rows that it was parsed to. One batch for each format.
 * @throws RunError OBJECT_*, CSV_HEADER_MISSING, CONFIG_INVALID for columns that are not exact
 */
export async function landObjects(
    landing: Landing,
    input: Input,
    role: Role,
    entries: readonly ObjectEntry[],
): Promise<readonly Batch[]> {
    const spooled = await fetchObjects(landing, input, entries);
    const batches: Batch[] = [];
    for (const [format, objects] of Map.groupBy(spooled, (object) => object.format)) {
        landing.progress.begin(`read ${input.name}`);
        batches.push(await landFormat(landing, input, role, format, objects));
        landing.progress.end(`${objects.length} objects`);
    }
    return batches;
}

async function landFormat(
    landing: Landing,
    input: Input,
    role: Role,
    format: InputFiles['format'],
    objects: readonly SpooledObject[],
): Promise<Batch> {
    const { engine, config, shape, lake, scratch, basis } = landing;
    const files: InputFiles = {
        input: input.name,
        format,
        paths: objects.map(({ path }) => path),
        numbers: objects.map((_, index) => index + 1),
    };
    const folder = join(scratch, 'batches', `${input.name}.${format}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    requireFormat(input, format, objects);
    if (format === 'parquet') await requireParquetTypes(engine, input, role, files, shape);
    const isInPlace = format === 'parquet' && objects.length <= objectsReadInPlace;
    if (isInPlace) {
        for (const { path } of objects) renameSync(path, join(folder, basename(path)));
    } else {
        await loadLines(engine, input, objects, files, config.limits.line_bytes);
        await writeRows(
            engine,
            await typedRows(engine, input, role, files, shape),
            join(folder, rowsFile),
        );
        if (format !== 'parquet') await engine.run(`drop table ${linesTable(files)}`);
    }
    return keepBatch(lake, folder, {
        ...{ basis, input: input.name, role, format },
        objects: objects.map(({ key, size, etag, sha256, line_count, path }) => ({
            ...{ key, size, etag, sha256, line_count },
            file: isInPlace ? basename(path) : null,
        })),
    });
}

/** Writes typed rows with the text of their lines as one file, whole or not at all. */
export async function writeRows(engine: Engine, sql: string, path: string): Promise<void> {
    await engine.run('set preserve_insertion_order = false'); // rows carry their place
    await engine.run(`copy (${sql}) to ${quoteText(path)} (format parquet, compression zstd)`);
    await engine.run('set preserve_insertion_order = true');
}

async function fetchObjects(
    { store, config, scratch, progress }: Landing,
    input: Input,
    entries: readonly ObjectEntry[],
): Promise<readonly SpooledObject[]> {
    const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
    progress.begin(`fetch ${input.name}`, bytes);
    const spooled = await spoolObjects({
        store,
        entries,
        dir: join(scratch, 'spool', input.name),
        format: input.format,
        csv: { requiredColumns: csvColumns(input), delimiter: input.delimiter },
        concurrency: config.engine.concurrency,
        lineBytesLimit: config.limits.line_bytes,
        onProgress: (at) => progress.advance(at.bytes, visible(at.key)),
    });
    progress.end(`${entries.length} objects`);
    return spooled;
}

/** The select of typed rows, over lines of text or Parquet. */
export async function typedRows(
    engine: Engine,
    input: Input,
    role: Role,
    files: InputFiles,
    shape: EventShape,
): Promise<string> {
    return role === 'usage'
        ? usageRowsSql(input as UsageInput, files, shape)
        : debitRowsSql(input as DebitInput, files, await availableColumns(engine, files));
}

function csvColumns(input: Input): readonly string[] {
    const mapped = Object.values(input.columns);
    if (!('attributes' in input)) return mapped;
    const quantities = Object.values(input.quantities).map(({ path }) => path);
    return [...mapped, ...Object.values(input.attributes), ...quantities];
}

const reading = `auto_detect = false, header = false, columns = {'raw_text': 'VARCHAR'},
    delim = E'\\x01', quote = '', escape = '', new_line = '\\n', filename = 'spool_path'`;

/** How many lines are in the objects before each. */
function linesBefore(objects: readonly SpooledObject[]): readonly number[] {
    let before = 0;
    return objects.map(({ line_count }) => {
        before += line_count ?? 0;
        return before - (line_count ?? 0);
    });
}

/** Numbers the lines of text objects. A CSV is split into its columns, all of them text. */
async function loadLines(
    engine: Engine,
    input: Input,
    objects: readonly SpooledObject[],
    files: InputFiles,
    lineBytes: number,
): Promise<void> {
    const table = linesTable(files);
    if (files.format === 'ndjson') {
        // The streaming row number follows the files in the order given; less the lines before.
        await engine.run(`create or replace table ${table} as
            select objects.object_no, lines.running_no - objects.lines_before as line_no, lines.raw_text
            from (
                select row_number() over () as running_no, raw_text, spool_path
                from read_csv(${quoteList(files.paths)}, ${reading}, max_line_size = ${lineBytes})
            ) as lines
            inner join (
                select unnest([${files.numbers.join(', ')}]) as object_no,
                    unnest(${quoteList(files.paths)}) as path,
                    unnest([${linesBefore(objects).join(', ')}]) as lines_before
            ) as objects on lines.spool_path = objects.path`);
    } else if (files.format === 'csv') {
        await loadCsv(engine, input, files, table);
    }
}

async function loadCsv(
    engine: Engine,
    input: Input,
    files: InputFiles,
    table: string,
): Promise<void> {
    const parts: string[] = [];
    for (const [index, path] of files.paths.entries()) {
        const options = `header = true, all_varchar = true, auto_detect = true, delim = ${quoteText(input.delimiter)}, quote = '"', escape = '"', new_line = '\\n'`;
        const columns = await engine.describe(
            `select * from read_csv(${quoteText(path)}, ${options}, sample_size = 1)`,
        );
        const named = columns.map(({ name }) => `${quoteText(name)}: 'VARCHAR'`).join(', ');
        parts.push(`select ${index + 1} as object_no, row_number() over () + 1 as line_no,
                to_json(lines)::varchar as raw_text, lines.*
            from read_csv(${quoteText(path)}, header = true, auto_detect = false, columns = {${named}},
                delim = ${quoteText(input.delimiter)}, quote = '"', escape = '"', new_line = '\\n', null_padding = true, parallel = false) as lines`);
    }
    await engine.run(`create or replace table ${table} as ${parts.join('\nunion all by name\n')}`);
}

/** Columns of a CSV or Parquet input; null where any path may be there (NDJSON). */
async function availableColumns(
    engine: Engine,
    files: InputFiles,
): Promise<ReadonlySet<string> | null> {
    if (files.format === 'ndjson') return null;
    const source =
        files.format === 'csv'
            ? linesTable(files)
            : `read_parquet(${quoteList(files.paths)}, union_by_name = true)`;
    const columns = await engine.describe(`select * from ${source}`);
    return new Set(columns.map(({ name }) => name));
}

/** Shapes of JSON are read from JSON: no other format holds their objects and lists. */
function requireFormat(
    input: Input,
    format: InputFiles['format'],
    objects: readonly SpooledObject[],
): void {
    if (format === 'ndjson' || isFlat(input)) return;
    const problem = {
        code: 'PRESET_FORMAT',
        file: 'tieout.yaml',
        line: 1,
        path: `${input.name}.preset`,
        message: `${objects[0]?.key} is ${format}, and ${input.preset} is a shape of NDJSON`,
        remedy: 'Export one JSON object per line; for columns, `preset: none` and `columns`.',
    };
    throw new RunError('CONFIG_INVALID', { problems: [problem] });
}

async function requireParquetTypes(
    engine: Engine,
    input: Input,
    role: Role,
    files: InputFiles,
    shape: EventShape,
): Promise<void> {
    const columns = await engine.describe(
        `select * from read_parquet(${quoteList(files.paths)}, union_by_name = true)`,
    );
    const problems = parquetProblems(input, role, columns, shape);
    if (problems.length) throw new RunError('CONFIG_INVALID', { problems });
}
