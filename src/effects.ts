import type { ClickHouse } from './clickhouse/clickhouse.ts';
import type { Config } from './schema/config.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { StoreOptions } from './store/open.ts';

/** What a person or a scheduler sees while work goes on. */
export interface Progress {
    /** A part of the work begins; `total` in the unit of `advance`, where it is known. */
    begin(name: string, total?: number): void;
    advance(amount: number, detail?: string): void;
    end(detail?: string): void;
}

/** The variables of the process. Only the command line reads them; what needs one is given them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything a command does to the world. The command line builds the real one, tests their own. */
export interface Effects {
    /** The store of a config, or another one that it names; a relative folder begins at the given one. */
    readonly openStore: (
        config: { readonly store: StoreOptions },
        folder: string,
    ) => Promise<ObjectStore>;
    /** A session of the server that a config names. @param session its name, which no other run has. */
    readonly openClickHouse?: (
        server: NonNullable<Config['engine']['clickhouse']>,
        session: string,
    ) => Promise<ClickHouse>;
    /** The current instant as ISO text in UTC. Read at the start of a command, and for its notice. */
    readonly now: () => string;
    readonly progress: Progress;
}

/** Shows nothing. */
export const silent: Progress = { begin: () => {}, advance: () => {}, end: () => {} };
