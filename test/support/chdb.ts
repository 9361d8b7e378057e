import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { failed } from '../../src/clickhouse/failed.ts';

/** What of chdb is used: it is installed by its own suite only, so its types are not here. */
interface Chdb {
    readonly Session: new (folder?: string) => ChdbSession;
}
interface ChdbSession {
    queryAsync(sql: string, options: { readonly format: string }): Promise<{ bytes(): Uint8Array }>;
    close(): void;
}

/** A session of ClickHouse in this process: the very statements that a server is sent. */
export interface InProcess extends ClickHouse {
    /** All statements so far, in order. */
    readonly statements: readonly string[];
}

/** Opens one. @param folder where chdb is installed; TIEOUT_CHDB of the environment */
export function openChdb(folder: string): InProcess {
    const { Session } = createRequire(join(folder, 'package.json'))('chdb') as Chdb;
    const session = new Session();
    const statements: string[] = [];
    const ask = async (statement: string): Promise<Uint8Array> => {
        statements.push(statement);
        try {
            return (await session.queryAsync(statement, { format: 'TSV' })).bytes();
        } catch (error) {
            throw failed('chdb', statement, error);
        }
    };
    return {
        address: 'chdb',
        statements,
        run: async (statement) => void (await ask(statement)),
        read: ask,
        insert: async (table, lines) =>
            void (await ask(`insert into ${table} format JSONEachRow\n${lines}`)),
        close: async () => session.close(),
    };
}
