import {
    type DuckDBConnection,
    DuckDBDateValue,
    DuckDBDecimalValue,
    DuckDBInstance,
    DuckDBListValue,
    DuckDBStructValue,
    DuckDBTimestampValue,
    type DuckDBValue,
    version,
} from '@duckdb/node-api';
import { RunError } from '../errors/index.ts';
import { quoteTable, quoteText } from './sql.ts';
import type { RowOf, Table } from './table.ts';

export type Parameter = string | bigint | boolean | null;
export type Row = Readonly<Record<string, unknown>>;

export interface EngineOptions {
    /** A file, or `:memory:`. */
    readonly file: string;
    readonly memory: string;
    readonly threads: number;
    /** Where the engine may spill. */
    readonly spill: string;
    readonly readOnly?: boolean;
}

/** The version of the engine, as it says of itself in SQL. */
export const engineVersion: string = version();

/**
 * The one door to DuckDB. Every value leaves it exact: DECIMAL as text, BIGINT as bigint,
 * TIMESTAMP as ISO text in UTC. Nothing is ever a JavaScript number.
 */
export class Engine {
    readonly version: string;
    readonly options: EngineOptions;
    readonly #instance: DuckDBInstance;
    readonly #connection: DuckDBConnection;
    #isInTransaction = false;

    private constructor(
        options: EngineOptions,
        instance: DuckDBInstance,
        connection: DuckDBConnection,
        version: string,
    ) {
        this.options = options;
        this.#instance = instance;
        this.#connection = connection;
        this.version = version;
    }

    /** Opens the database alone. @throws RunError ENGINE_LOCKED when another process holds it. */
    static async open(options: EngineOptions): Promise<Engine> {
        try {
            const instance = await DuckDBInstance.create(options.file, {
                threads: String(options.threads),
                memory_limit: options.memory,
                temp_directory: options.spill,
                autoinstall_known_extensions: 'false',
                autoload_known_extensions: 'false',
                ...(options.readOnly ? { access_mode: 'READ_ONLY' } : {}),
            });
            const connection = await instance.connect();
            await connection.run("set TimeZone = 'UTC'");
            // Otherwise every statement over a lake reads the footers of all its files again.
            await connection.run('set parquet_metadata_cache = true');
            const version = await connection.runAndReadAll('select version() as version');
            return new Engine(options, instance, connection, String(version.getRows()[0]?.[0]));
        } catch (error) {
            const detail = messageOf(error);
            if (/lock/i.test(detail)) {
                throw new RunError('ENGINE_LOCKED', { file: options.file, detail }, error);
            }
            throw new RunError(
                'ENGINE_FAILED',
                { stage: 'open', statement: options.file, detail },
                error,
            );
        }
    }

    /** Runs one statement for its effect. */
    async run(sql: string, parameters: Readonly<Record<string, Parameter>> = {}): Promise<void> {
        await this.#guard(sql, () => this.#connection.run(sql, { ...parameters }));
    }

    /** Runs one statement that puts rows somewhere. Gives whether there were any. */
    async put(sql: string): Promise<boolean> {
        const { rowsChanged } = await this.#guard(sql, () => this.#connection.run(sql));
        return rowsChanged !== 0;
    }

    /** Runs statements in order, in one round trip. */
    async runAll(statements: readonly string[]): Promise<void> {
        await this.run(statements.join(';\n'));
    }

    /** All rows of a query, for aggregate-sized results only. */
    async rows(
        sql: string,
        parameters: Readonly<Record<string, Parameter>> = {},
    ): Promise<readonly Row[]> {
        const reader = await this.#guard(sql, () =>
            this.#connection.runAndReadAll(sql, { ...parameters }),
        );
        const names = reader.deduplicatedColumnNames();
        return reader.getRows().map((values) => {
            const row: Record<string, unknown> = {};
            for (const [index, name] of names.entries()) row[name] = plain(values[index]);
            return row;
        });
    }

    /** The rows of a relation by its contract, in the order given. */
    async table<T extends Table>(table: T, orderBy: string): Promise<readonly RowOf<T>[]> {
        const columns = Object.keys(table.columns).map((name) => `"${name}"`);
        const rows = await this.rows(
            `select ${columns.join(', ')} from ${table.name} order by ${orderBy}`,
        );
        return rows as readonly RowOf<T>[];
    }

    /** Rows in chunks, for results too large to hold at once. */
    async *chunks(sql: string): AsyncIterable<readonly Row[]> {
        const result = await this.#guard(sql, () => this.#connection.stream(sql));
        for await (const rows of result.yieldRowObjects()) {
            yield rows.map((row) =>
                Object.fromEntries(
                    Object.entries(row).map(([name, value]) => [name, plain(value)]),
                ),
            );
        }
    }

    /** The one row of a query that always gives one. */
    async one(sql: string, parameters: Readonly<Record<string, Parameter>> = {}): Promise<Row> {
        const [row] = await this.rows(sql, parameters);
        if (!row) {
            throw new RunError('ENGINE_FAILED', { stage: '', statement: sql, detail: 'no row' });
        }
        return row;
    }

    /** Column names and types of a select, without running it. */
    async describe(
        sql: string,
        parameters: Readonly<Record<string, Parameter>> = {},
    ): Promise<readonly { readonly name: string; readonly type: string }[]> {
        const rows = await this.rows(`describe (${sql})`, parameters);
        return rows.map((row) => ({
            name: String(row.column_name),
            type: String(row.column_type),
        }));
    }

    /**
     * Runs `work` in one transaction; any failure leaves nothing behind. Within another one it is a part
     * of that: whoever began it lets nothing pass that failed in it.
     */
    async transaction<T>(work: () => Promise<T>): Promise<T> {
        if (this.#isInTransaction) return work();
        await this.run('begin transaction');
        this.#isInTransaction = true;
        try {
            const result = await work();
            await this.run('commit');
            return result;
        } catch (error) {
            await this.#connection.run('rollback').catch(() => undefined);
            throw error;
        } finally {
            this.#isInTransaction = false;
        }
    }

    /** Bulk insert of aggregate-sized rows: one JSON text, every value cast by the contract. */
    async insert<T extends Table>(table: T, rows: readonly RowOf<T>[]): Promise<void> {
        if (rows.length === 0) return;
        const columns = Object.entries(table.columns);
        const shape = columns.map(([name, of]) => [
            name,
            of.type.endsWith('[]') ? ['VARCHAR'] : 'VARCHAR',
        ]);
        const casts = columns.map(([name, of]) => `cast(r."${name}" as ${of.type}) as "${name}"`);
        const text = JSON.stringify(rows, (_key, value) =>
            typeof value === 'bigint' ? value.toString() : value,
        );
        await this.run(
            `insert into ${quoteTable(table.name)} by name
             select ${casts.join(', ')}
             from (select unnest(from_json($rows, ${quoteText(JSON.stringify([Object.fromEntries(shape)]))})) as r)`,
            { rows: text },
        );
    }

    close(): void {
        this.#connection.closeSync();
        this.#instance.closeSync();
    }

    async #guard<T>(statement: string, work: () => Promise<T>): Promise<T> {
        try {
            return await work();
        } catch (error) {
            const detail = messageOf(error);
            if (/out of memory|failed to (allocate|pin|offload)/i.test(detail)) {
                throw new RunError(
                    'ENGINE_MEMORY',
                    { stage: 'engine', limit: this.options.memory, detail },
                    error,
                );
            }
            if (/overflow|out of range.*DECIMAL|DECIMAL.*out of range/i.test(detail)) {
                throw new RunError('AMOUNT_OVERFLOW', { stage: 'engine', detail }, error);
            }
            throw new RunError('ENGINE_FAILED', { stage: 'engine', statement, detail }, error);
        }
    }
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

/** One engine value as plain, exact data. */
function plain(value: DuckDBValue | undefined): unknown {
    if (typeof value !== 'object') return value ?? null;
    if (value instanceof DuckDBDecimalValue) return value.toString();
    if (value instanceof DuckDBTimestampValue) return `${value.toString().replace(' ', 'T')}Z`;
    if (value instanceof DuckDBDateValue) return value.toString();
    if (value instanceof DuckDBListValue) return value.items.map(plain);
    if (value instanceof DuckDBStructValue) {
        return Object.fromEntries(
            Object.entries(value.entries).map(([name, entry]) => [name, plain(entry)]),
        );
    }
    return value ?? null;
}
