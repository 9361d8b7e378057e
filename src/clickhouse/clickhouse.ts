/**
 * One session of ClickHouse: statements see the temporary tables of those before. The command line
 * makes one by HTTP, tests one in process: the statements are the same to the byte.
 */
export interface ClickHouse {
    /** How people know it. Never holds a secret. */
    readonly address: string;
    /** Runs a statement for its effect. */
    run(statement: string): Promise<void>;
    /** The whole answer of a select that says its format. @throws when it did not come to its end */
    read(statement: string): Promise<Uint8Array>;
    /** Puts rows, one JSON object a line, into a table. */
    insert(table: string, lines: string): Promise<void>;
    close(): Promise<void>;
}

/** Where a server is, and who asks: name and password are of the environment alone. */
export interface ClickHouseOptions {
    readonly url: string;
    readonly database?: string | undefined;
    readonly user?: string | undefined;
    readonly password?: string | undefined;
    /** Name of the session: no other run may have it. */
    readonly session: string;
}
