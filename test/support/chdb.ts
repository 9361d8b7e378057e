import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { failed } from '../../src/clickhouse/failed.ts';

/** What of chdb is used: it is installed by its own suite only, so its types are not here. */
interface Chdb {
    readonly Session: new (
        folder: string,
        options: { readonly connectionArgs: readonly string[] },
    ) => ChdbSession;
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

/** Where chdb is installed: by `npm run test:clickhouse`, which does it itself. */
export const chdbFolder = resolve(process.env.TIEOUT_CHDB ?? 'node_modules/.cache/tieout-chdb');

/** The named collection by which it reads the buckets of tests. */
export const collection = 'tieout_bucket';

/** Opens one, whose collection knows the keys of the embedded S3 or of TIEOUT_TEST_S3_ENDPOINT. */
export async function openChdb(
    keys: Readonly<Record<string, string>> = {},
    connectionArgs: readonly string[] = [],
): Promise<InProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-chdb-'));
    const { Session } = createRequire(join(chdbFolder, 'package.json'))('chdb') as Chdb;
    const session = new Session(folder, { connectionArgs });
    const statements: string[] = [];
    const ask = async (statement: string): Promise<Uint8Array> => {
        statements.push(statement);
        try {
            return (await session.queryAsync(statement, { format: 'TSV' })).bytes();
        } catch (error) {
            throw failed('chdb', statement, error);
        }
    };
    const { AWS_ACCESS_KEY_ID: key = 'key', AWS_SECRET_ACCESS_KEY: secret = 'secret' } = keys;
    await ask(`create named collection if not exists ${collection} as
        access_key_id = '${key}', secret_access_key = '${secret}'`);
    statements.length = 0;
    return {
        address: 'chdb',
        statements,
        run: async (statement) => void (await ask(statement)),
        read: ask,
        insert: async (table, lines) =>
            void (await ask(`insert into ${table} format JSONEachRow\n${lines}`)),
        close: async () => {
            session.close();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}
