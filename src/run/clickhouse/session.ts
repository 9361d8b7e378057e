import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { oneLine } from '../../clickhouse/failed.ts';
import type { Engine, Row } from '../../duck/engine.ts';
import { quoteText, stripComments } from '../../duck/sql.ts';
import { RunError } from '../../errors/index.ts';
import { requireColumns } from '../../stage/contract.ts';

/** A temporary table of the session: its columns are its contract. */
export interface ClickTable {
    readonly name: string;
    /** What it is sorted by. */
    readonly order: readonly string[];
    readonly columns: Readonly<Record<string, string>>;
}

/** What decides how statements are understood, whatever the profile of the user says. */
const settings: Readonly<Record<string, string>> = {
    max_query_size: '100000000',
    join_use_nulls: '0',
    transform_null_in: '0',
    aggregate_functions_null_for_empty: '0',
    decimal_check_overflow: '1',
    use_hive_partitioning: '0',
    schema_inference_mode: "'union'",
    s3_throw_on_zero_files_match: '1',
    s3_ignore_file_doesnt_exist: '0',
    s3_skip_empty_files: '0',
    glob_expansion_max_elements: '1000000',
    output_format_parquet_string_as_string: '1',
    session_timezone: "'UTC'",
    // Rows that fail one check and not the others are few: to leave them out of those takes thrice as long.
    short_circuit_function_evaluation: "'disable'",
};

/** Both engines of a run: the server with what is of event scale, and what comes back of it. */
export class ClickSession {
    readonly clickhouse: ClickHouse;
    readonly engine: Engine;
    readonly #scratch: string;

    private constructor(clickhouse: ClickHouse, engine: Engine, scratch: string) {
        this.clickhouse = clickhouse;
        this.engine = engine;
        this.#scratch = scratch;
    }

    /** @param scratch folder of what comes back; goes with the run. */
    static async open(
        clickhouse: ClickHouse,
        engine: Engine,
        scratch: string,
    ): Promise<ClickSession> {
        mkdirSync(scratch, { recursive: true });
        for (const [name, value] of Object.entries(settings)) {
            await clickhouse.run(`set ${name} = ${value}`);
        }
        return new ClickSession(clickhouse, engine, scratch);
    }

    /**
     * Makes a temporary table of selects, which have the columns of its contract.
     * @throws RunError CONTRACT_MISMATCH, CLICKHOUSE_*
     */
    async make(table: ClickTable, selects: readonly string[]): Promise<void> {
        for (const select of selects) await this.#requireContract(table, stripComments(select));
        await this.create(table);
        for (const select of selects) {
            await this.clickhouse.run(`insert into ${table.name}\n${stripComments(select)}`);
        }
    }

    /** Makes an empty temporary table. */
    async create({ name, order, columns }: ClickTable): Promise<void> {
        const list = Object.entries(columns).map(([column, type]) => `    "${column}" ${type}`);
        await this.clickhouse.run(`create temporary table ${name} (
${list.join(',\n')}
) engine = MergeTree order by (${order.join(', ')})`);
    }

    async #requireContract(table: ClickTable, select: string): Promise<void> {
        const found = await this.rows(`describe (${select})`);
        const actual = found.map(({ name, type }) => `${name} ${type}`);
        const expected = Object.entries(table.columns).map(([name, type]) => `${name} ${type}`);
        requireColumns({ stage: 'clickhouse', check: table.name }, expected, actual);
    }

    /** Puts rows of DuckDB into a temporary table of the same columns. */
    async upload(table: ClickTable, select: string): Promise<void> {
        await this.create(table);
        const lines: string[] = [];
        for await (const rows of this.engine.chunks(select)) {
            for (const row of rows) lines.push(jsonLine(row));
        }
        if (lines.length > 0) await this.clickhouse.insert(table.name, `${lines.join('\n')}\n`);
    }

    /** Rows of a statement, for few of them. */
    async rows(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
        const bytes = await this.clickhouse.read(`${statement}\nformat JSONEachRow`);
        return new TextDecoder()
            .decode(bytes)
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    }

    /**
     * Brings the rows of a select here, whole.
     * @returns the Parquet file that they are in.
     */
    async bring(name: string, select: string): Promise<string> {
        const statement = `${stripComments(select)}\nformat Parquet`;
        const bytes = await this.clickhouse.read(statement);
        const isWhole = isMagic(bytes.subarray(0, 4)) && isMagic(bytes.subarray(-4));
        if (!isWhole) {
            const { address } = this.clickhouse;
            throw new RunError('CLICKHOUSE_ANSWER_SHORT', {
                address,
                statement: oneLine(statement),
            });
        }
        const file = join(this.#scratch, `${name}.parquet`);
        writeFileSync(file, bytes);
        return file;
    }
}

const isMagic = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1') === 'PAR1';

/** Whole numbers as text: JSON has none of 64 bits. */
const jsonLine = (row: Row) =>
    JSON.stringify(row, (_key, value) => (typeof value === 'bigint' ? value.toString() : value));

/** What DuckDB reads a file from. */
export const parquetOf = (file: string): string => `read_parquet(${quoteText(file)})`;
