import type { Refusal } from '../errors/serve.ts';
import type { BreakRecords } from '../run/break-records.ts';
import type { Decided, Saying } from '../run/decide.ts';
import type { RunFolder } from '../run/folders.ts';
import type { State } from '../state/state.ts';

/** What is told of a failure. */
export interface Told {
    readonly code: string;
    readonly message: string;
    readonly remedy: string;
    readonly exit: number;
    /** Of what was refused: why. */
    readonly why?: Refusal;
}

/** What a person says of the lines of a payer. */
export interface LettingFlags {
    readonly period: string;
    readonly by: string;
    readonly reason: string;
    readonly withdraw: boolean;
    readonly approve: boolean;
    readonly seenSha256: string;
}

/** What the application is made of. The command makes the real one, tests their own. */
export interface Site {
    readonly name: string;
    readonly state: State;
    /** Memory for the engine, as in the config. */
    readonly memory: string;
    readonly access: Access;
    /** The only ways to write. */
    readonly say: (period: string, saying: Saying) => Promise<Decided>;
    readonly let: (payer_id: string, flags: LettingFlags) => Promise<unknown>;
    /** What `tieout explain` prints of a line. */
    readonly explain: (period: string, lineKey: string) => Promise<string>;
    /** Both sides of a break as the lake has them. */
    readonly records: (run: RunFolder, break_id: string) => Promise<BreakRecords | null>;
    readonly told: (error: unknown) => Told;
    /** A random text that nobody guesses. */
    readonly chance: () => string;
    /** Told of what should not happen. */
    readonly warn: (text: string) => void;
}

/** Who may see and write, and under which names the application answers. */
export interface Access {
    /** Whoever has it may write; null: nobody may. */
    readonly token: string | null;
    /** True: without the token nothing is shown either. */
    readonly isClosed: boolean;
    /** `https://tieout.example.com`, behind a reverse proxy; null: what it listens on. */
    readonly origin: string | null;
    /** Names it answers to, without port; any port is its own. */
    readonly hosts: readonly string[];
    /** Who writes, where that is fixed; null: whoever says so. */
    readonly by: string | null;
}

/** Names of this machine that nobody else can answer to. */
export const loopback: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** Whether an address to listen on is reached from this machine alone. */
export function isLoopback(host: string): boolean {
    return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host) || ['localhost', '::1'].includes(host);
}
