import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { rawObjects } from '../../pipelines/10-ingest/tables.ts';
import { debitRows, usageRows } from '../../pipelines/20-mediate/tables.ts';
import { debitFields } from '../compile/presets.ts';
import type { InputFiles } from '../compile/rows.ts';
import { debitRowsSql, linesTable, usageRowsSql } from '../compile/rows.ts';
import { type EventShape, eventShape } from '../compile/shape.ts';
import type { Engine } from '../duck/engine.ts';
import { quoteList, quoteName, quoteTable, quoteText } from '../duck/sql.ts';
import type { RowOf } from '../duck/table.ts';
import type { Progress } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import { visible } from '../report/visible.ts';
import type { Config, DebitInput, UsageInput } from '../schema/config.ts';
import type { ObjectEntry, ObjectStore } from '../store/object-store.ts';
import { type SpooledObject, spoolObjects } from '../store/spool.ts';
import type { RunFolder } from './folders.ts';
import { parquetProblems } from './parquet.ts';
import { replaceTable } from './prepare.ts';

type Input = UsageInput | DebitInput;

/** The objects of one input that a run reads, in key order. */
export interface InputListing {
    readonly input: Input;
    readonly role: 'usage' | 'debits';
    readonly entries: readonly ObjectEntry[];
}

/**
 * Lists what a run reads: every object of each input whose day is wanted.
 * @param arrivedBy leaves out those that the store got later, by its own clock.
 * @throws RunError STORE_PREFIX_EMPTY when usage has none, LIMIT_OBJECTS, STORE_*
 */
export async function listInputs(
    store: ObjectStore,
    config: Config,
    days: readonly string[],
    arrivedBy?: string,
): Promise<readonly InputListing[]> {
    const inputs = [
        ...config.usage.map((input) => ({ input, role: 'usage' as const })),
        ...config.debits.map((input) => ({ input, role: 'debits' as const })),
    ];
    const listings: InputListing[] = [];
    for (const { input, role } of inputs) {
        const entries: ObjectEntry[] = [];
        for await (const entry of store.list(input.prefix)) {
            const isThere = entry.size > 0 && hasArrived(entry, arrivedBy);
            if (isThere && isWanted(entry.key, input, days)) entries.push(entry);
        }
        if (entries.length === 0) {
            throw new RunError('STORE_PREFIX_EMPTY', {
                store: store.address,
                prefix: input.prefix,
                pattern: `${input.dates ? `${input.dates} from ${days[0]} to ${days.at(-1)}` : '*'}${arrivedBy ? ` and arrived by ${arrivedBy}` : ''}`,
            });
        }
        if (entries.length > config.limits.objects) {
            throw new RunError('LIMIT_OBJECTS', {
                actual: entries.length,
                limit: config.limits.objects,
                prefix: input.prefix,
            });
        }
        listings.push({ input, role, entries: entries.sort(byKey) });
    }
    return listings;
}

/** Of a store that does not say when it got an object nothing is known to be late. */
function hasArrived({ arrived_at }: ObjectEntry, by: string | undefined): boolean {
    if (arrived_at === undefined || by === undefined) return true;
    return Date.parse(arrived_at) <= Date.parse(by);
}

function byKey(one: ObjectEntry, other: ObjectEntry): number {
    return Buffer.compare(Buffer.from(one.key), Buffer.from(other.key));
}

function isWanted(key: string, input: Input, days: readonly string[]): boolean {
    if (key.endsWith('/')) return false;
    if (!input.dates) return true;
    const rest = key.slice(input.prefix.length);
    return days.some((day) => rest.startsWith(input.dates?.replace('{date}', day) ?? ''));
}

/** An object in the spool, numbered over all inputs of the run. */
export type IngestedObject = SpooledObject & { readonly role: string; readonly input: string };

/** Of more Parquet objects than this, each scan would take longer to open them than to read. */
const objectsReadInPlace = 200;

/**
 * Brings every object here, verified, and makes its rows readable as raw.usage_rows and
 * raw.debit_rows, which the lake holds from then on: a Parquet object as it is, text as the typed
 * rows that it was parsed to. Whatever an earlier attempt left there is replaced by what was just
 * verified, under the same names.
 */
export async function ingest(
    engine: Engine,
    store: ObjectStore,
    config: Config,
    listings: readonly InputListing[],
    run: Pick<RunFolder, 'lake' | 'scratch'>,
    progress: Progress,
): Promise<readonly IngestedObject[]> {
    const fetched = await fetchObjects(store, config, listings, run.scratch, progress);
    const objects = fetched.map((object) => keepParquet(object, run.lake));
    await engine.transaction(() => replaceTable(engine, rawObjects, objects.map(objectRow)));
    progress.begin('read lines');
    // Lines of text are only needed until they are parsed: they live in a file of their own.
    await engine.run(`attach ${quoteText(join(run.scratch, 'lines.duckdb'))} as scratch`);
    const shape = eventShape(config);
    const usage: string[] = [];
    const debits: string[] = [];
    const kept = new Set(objects.map(({ path }) => path));
    for (const { input, role } of listings) {
        const own = objects.filter((object) => object.input === input.name);
        for (const files of byFormat(input.name, own)) {
            await loadLines(engine, input, files, config.limits.line_bytes);
            const sql = await typedRows(engine, input, role, files, shape);
            const isInPlace =
                files.format === 'parquet' && files.paths.length <= objectsReadInPlace;
            const landed = join(run.lake, `${input.name}.${files.format}.parquet`);
            if (!isInPlace) await landRows(engine, sql, landed);
            kept.add(landed);
            const part = isInPlace ? sql : `select * from read_parquet(${quoteText(landed)})`;
            (role === 'usage' ? usage : debits).push(part);
        }
    }
    await replaceView(engine, usageRows(shape).name, withContent(usage, usageContent(shape)));
    await replaceView(
        engine,
        debitRows.name,
        withContent(
            debits.length ? debits : [emptyDebits()],
            debitFields.filter((field) => field !== 'entry_id'),
        ),
    );
    for (const name of readdirSync(run.lake)) {
        if (!kept.has(join(run.lake, name))) rmSync(join(run.lake, name), { recursive: true });
    }
    progress.end(`${objects.length} objects`);
    return objects;
}

/** Parquet needs no reading to be rows: the verified object itself goes into the lake. */
function keepParquet(object: IngestedObject, lake: string): IngestedObject {
    if (object.format !== 'parquet') return object;
    mkdirSync(lake, { recursive: true });
    const path = join(lake, `${object.input}-${basename(object.path)}`);
    renameSync(object.path, path);
    return { ...object, path };
}

/** Writes typed rows with the text of their lines as one file of the lake, whole or not at all. */
async function landRows(engine: Engine, sql: string, path: string): Promise<void> {
    await engine.run('set preserve_insertion_order = false'); // rows carry their place
    await engine.run(
        `copy (${sql}) to ${quoteText(`${path}.partial`)} (format parquet, compression zstd)`,
    );
    await engine.run('set preserve_insertion_order = true');
    renameSync(`${path}.partial`, path);
}

async function fetchObjects(
    store: ObjectStore,
    config: Config,
    listings: readonly InputListing[],
    scratch: string,
    progress: Progress,
): Promise<readonly IngestedObject[]> {
    const objects: IngestedObject[] = [];
    for (const { input, role, entries } of listings) {
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
        const offset = objects.length;
        for (const object of spooled) {
            const object_no = object.object_no + offset;
            objects.push({ ...object, object_no, role, input: input.name });
        }
    }
    return objects;
}

function objectRow(object: IngestedObject): RowOf<typeof rawObjects> {
    return {
        object_no: BigInt(object.object_no),
        input: object.input,
        role: object.role,
        key: object.key,
        size: BigInt(object.size),
        etag: object.etag,
        sha256: object.sha256,
        format: object.format,
        path: object.path,
        line_count: object.line_count === null ? null : BigInt(object.line_count),
    };
}

/** The select of typed rows, over lines of text or Parquet. */
async function typedRows(
    engine: Engine,
    input: Input,
    role: 'usage' | 'debits',
    files: InputFiles,
    shape: EventShape,
): Promise<string> {
    if (files.format === 'parquet') await requireParquetTypes(engine, input, role, files, shape);
    return role === 'usage'
        ? usageRowsSql(input as UsageInput, files, shape)
        : debitRowsSql(input as DebitInput, files, await availableColumns(engine, files));
}

async function replaceView(engine: Engine, name: string, sql: string): Promise<void> {
    await engine.run(`create or replace view ${quoteTable(name)} as ${sql}`);
}

function csvColumns(input: Input): readonly string[] {
    const mapped = Object.values(input.columns);
    if (!('attributes' in input)) return mapped;
    const quantities = Object.values(input.quantities).map(({ path }) => path);
    return [...mapped, ...Object.values(input.attributes), ...quantities];
}

function byFormat(input: string, objects: readonly SpooledObject[]): readonly InputFiles[] {
    return [...Map.groupBy(objects, (object) => object.format)].map(([format, of]) => ({
        input,
        format,
        paths: of.map(({ path }) => path),
        numbers: of.map(({ object_no }) => object_no),
    }));
}

const reading = `auto_detect = false, header = false, columns = {'raw_text': 'VARCHAR'},
    delim = E'\\x01', quote = '', escape = '', new_line = '\\n', filename = 'spool_path'`;

/** Numbers the lines of text objects. A CSV is split into its columns, all of them text. */
async function loadLines(
    engine: Engine,
    input: Input,
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
                select object_no, path, line_count,
                    sum(line_count) over (order by object_no) - line_count as lines_before
                from raw.objects
                where input = ${quoteText(files.input)} and format = 'ndjson'
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
    for (const path of files.paths) {
        const options = `header = true, all_varchar = true, auto_detect = true, delim = ${quoteText(input.delimiter)}, quote = '"', escape = '"', new_line = '\\n'`;
        const columns = await engine.describe(
            `select * from read_csv(${quoteText(path)}, ${options}, sample_size = 1)`,
        );
        const named = columns.map(({ name }) => `${quoteText(name)}: 'VARCHAR'`).join(', ');
        parts.push(`select objects.object_no, row_number() over () + 1 as line_no,
                to_json(lines)::varchar as raw_text, lines.*
            from read_csv(${quoteText(path)}, header = true, auto_detect = false, columns = {${named}},
                delim = ${quoteText(input.delimiter)}, quote = '"', escape = '"', new_line = '\\n', null_padding = true, parallel = false) as lines
            inner join raw.objects as objects on objects.path = ${quoteText(path)}`);
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

async function requireParquetTypes(
    engine: Engine,
    input: Input,
    role: 'usage' | 'debits',
    files: InputFiles,
    shape: EventShape,
): Promise<void> {
    const columns = await engine.describe(
        `select * from read_parquet(${quoteList(files.paths)}, union_by_name = true)`,
    );
    const problems = parquetProblems(input, role, columns, shape);
    if (problems.length) throw new RunError('CONFIG_INVALID', { problems });
}

function usageContent(shape: EventShape): readonly string[] {
    const declared = [...shape.attributes, ...shape.quantities.map(({ name }) => name)];
    return ['event_type', 'account_id', 'authorization_id', 'event_at', ...declared];
}

/**
 * What makes two copies of a record the same: everything in them that tieout reads, as one value.
 * Packing costs nothing until it is compared, which is for repeated records only.
 */
function withContent(parts: readonly string[], fields: readonly string[]): string {
    const names = fields.map(quoteName).map((name) => `${name} := ${name}`);
    return `select *, struct_pack(${names.join(', ')}) as content
        from (${parts.join('\nunion all by name\n')})`;
}

/** A project without a debit log still reconciles: everything in it is unauditable. */
function emptyDebits(): string {
    const types: Readonly<Record<string, string>> = {
        amount: 'decimal(38,12)',
        quantity: 'decimal(38,12)',
        occurred_at: 'timestamp',
        booked_at: 'timestamp',
        expires_at: 'timestamp',
        sequence: 'bigint',
    };
    const fields = debitFields.map(
        (field) => `cast(null as ${types[field] ?? 'varchar'}) as ${quoteName(field)}`,
    );
    return `select cast(null as varchar) as input, cast(null as bigint) as object_no, cast(null as bigint) as line_no,
        cast(null as varchar) as raw_text, cast(null as varchar) as suspense, ${fields.join(', ')} where false`;
}
