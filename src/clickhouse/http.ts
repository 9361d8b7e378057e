import { RunError } from '../errors/index.ts';
import type { ClickHouse, ClickHouseOptions } from './clickhouse.ts';
import { failed } from './failed.ts';

/** A statement may take hours; a server that says nothing for so long is gone. */
const patience = 6 * 3_600_000;

/**
 * Opens a session of a server by HTTP. Its client is only loaded for this engine.
 * @throws RunError CLICKHOUSE_UNREACHABLE, CLICKHOUSE_REFUSED
 */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouse> {
    const { ClickHouseLogLevel, createClient } = await import('@clickhouse/client');
    const { url, database, user, password, session } = options;
    const { origin: address } = new URL(url);
    const client = createClient({
        url,
        ...(database === undefined ? {} : { database }),
        ...(user === undefined ? {} : { username: user }),
        ...(password === undefined ? {} : { password }),
        session_id: session,
        application: 'tieout',
        // What goes wrong is told once, by its code.
        log: { level: ClickHouseLogLevel.OFF },
        max_open_connections: 1,
        request_timeout: patience,
        keep_alive: { enabled: false },
        clickhouse_settings: {
            // The server answers when it knows how a statement ended: 200 means the whole answer. (No
            // progress in headers, for these begin with 200 before anybody knows.)
            wait_end_of_query: 1,
            session_timeout: '3600',
        },
    });
    const guarded = async <T>(statement: string, work: () => Promise<T>): Promise<T> => {
        try {
            return await work();
        } catch (error) {
            throw failed(address, statement, error);
        }
    };
    const clickhouse: ClickHouse = {
        address,
        run: (statement) =>
            guarded(statement, async () => {
                await client.command({ query: statement });
            }),
        read: (statement) =>
            guarded(statement, async () => {
                const { stream } = await client.exec({ query: statement });
                const chunks: Buffer[] = [];
                for await (const chunk of stream) chunks.push(chunk as Buffer);
                return Buffer.concat(chunks);
            }),
        insert: (table, lines) =>
            guarded(`insert into ${table}`, async () => {
                await client.command({
                    query: `insert into ${table} format JSONEachRow\n${lines}`,
                });
            }),
        close: () => client.close(),
    };
    try {
        await clickhouse.run('select 1');
    } catch (error) {
        await client.close();
        throw error instanceof RunError ? error : failed(address, 'select 1', error);
    }
    return clickhouse;
}
