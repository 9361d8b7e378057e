import type { Config } from './schema/config.ts';
import type { ObjectStore } from './store/object-store.ts';

/** What a person or a scheduler sees while work goes on. */
export interface Progress {
    /** A part of the work begins; `total` in the unit of `advance`, where it is known. */
    begin(name: string, total?: number): void;
    advance(amount: number, detail?: string): void;
    end(detail?: string): void;
}

/** Everything a command does to the world. The command line builds the real one, tests their own. */
export interface Effects {
    readonly openStore: (config: Config, folder: string) => Promise<ObjectStore>;
    /** The current instant as ISO text in UTC. Read once a command, at its start. */
    readonly now: () => string;
    readonly progress: Progress;
}

/** Shows nothing. */
export const silent: Progress = { begin: () => {}, advance: () => {}, end: () => {} };
