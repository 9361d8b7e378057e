import type { Command } from 'commander';
import { RunError } from '../errors/index.ts';
import { readBreakRecords } from '../run/break-records.ts';
import { decide } from '../run/decide.ts';
import type { Project } from '../run/project.ts';
import { fetchLake, fetchTables } from '../run/published.ts';
import { createApp } from '../serve/app.ts';
import { listen } from '../serve/listen.ts';
import { type Access, isLoopback, loopback, type Site, type Told } from '../serve/site.ts';
import type { State } from '../state/state.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { explain } from './explain.ts';
import { failure } from './failure.ts';
import { release } from './release.ts';
import { withoutSecrets } from './secrets.ts';

export interface ServeFlags {
    readonly host: string;
    readonly port: string;
    /** Who decides; left out: whoever opens it says so. */
    readonly by?: string;
    /** The address that people type, behind a reverse proxy. */
    readonly origin?: string;
}

/** What a command that goes on and on needs beside its context. */
export interface Foreground {
    /** Told when it has to end. */
    readonly until: AbortSignal;
    /** Prints at once. */
    readonly print: (text: string) => void;
    /** A person reads what is printed, and nobody keeps it. */
    readonly isTerminal: boolean;
    readonly chance: () => string;
}

/** Adds the command to the command line. */
export function declareServe(cli: Command, act: (flags: ServeFlags) => Promise<void>): void {
    cli.command('serve')
        .description('browse runs and decide about breaks, in a browser on this machine')
        .option('--host <address>', 'listen there', '127.0.0.1')
        .option('--port <n>', '0: any that is free', '7300')
        .option('--origin <url>', 'the address that people type, behind a reverse proxy')
        .option('--by <name>', 'who decides (default: asked in the browser)')
        .action(act);
}

/** Told when the process is to end; a second time it ends at once. */
export function interrupted(): AbortSignal {
    const ending = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort());
    return ending.signal;
}

/** Shorter tokens can be guessed. */
const TOKEN_LENGTH = 24;

/**
 * `tieout serve`: the stored runs as a small web application, until it is interrupted.
 * @throws RunError USAGE, ADDRESS_UNUSABLE, CONFIG_*, STORE_*
 */
export async function serve(
    flags: ServeFlags,
    context: CommandContext,
    world: Foreground,
): Promise<Answer> {
    const project = projectOf(context);
    const port = portOf(flags.port);
    const { access, isMade } = accessOf(flags, context, world);
    await inState(project, context, async (state) => {
        const app = createApp(siteOf(project, context, state, access, world));
        await listen(app, { host: flags.host, port }, world.until, (taken) =>
            world.print(startText(flags, taken, access, isMade)),
        );
    });
    return { exit: 0, text: 'ended\n', json: { ended: true } };
}

/** What the application is made of: the very functions of the other commands. */
export function siteOf(
    project: Project,
    context: CommandContext,
    state: State,
    access: Access,
    { chance, print }: Pick<Foreground, 'chance' | 'print'>,
): Site {
    const { effects, environment } = context;
    return {
        ...{ name: project.config.name, memory: project.config.engine.memory },
        ...{ state, access, chance },
        say: (period, saying) => {
            const { approve_above } = project.config.decisions;
            return decide(state, period, { ...saying, approve_above }, effects.now());
        },
        let: (payer_id, said) => release(payer_id, said, context),
        explain: async (period, lineKey) => {
            const flags = { period, lineKey, events: 10, raw: false };
            return (await explain(flags, context)).text;
        },
        records: async (run, break_id) => {
            await fetchTables(state, run);
            await fetchLake(state, run);
            return readBreakRecords(run, project.config, break_id);
        },
        told: (error) => toldOf(error, context),
        warn: (text) => print(withoutSecrets(text, environment)),
    };
}

function toldOf(reason: unknown, { environment }: CommandContext): Told {
    const { exit, error } = failure(reason);
    const { code, message, remedy } = error ?? { code: 'DEFECT', message: '', remedy: '' };
    const clean = (text: string) => withoutSecrets(text, environment);
    const isRefused = reason instanceof RunError && reason.code === 'SERVE_REFUSED';
    const why = isRefused ? { why: (reason as RunError<'SERVE_REFUSED'>).params.why } : {};
    return { code, message: clean(message), remedy: clean(remedy), exit, ...why };
}

/** @throws RunError USAGE */
function portOf(text: string): number {
    const port = /^\d{1,5}$/.test(text) ? Number.parseInt(text, 10) : 65_536;
    if (port > 65_535) {
        const detail = `--port ${text} is not a port`;
        throw new RunError('USAGE', { detail, remedy: 'Give a number to 65535; 0 takes any.' });
    }
    return port;
}

/**
 * Who may do what. A token is made only for a person who reads it on this machine: anywhere else it
 * has to be given, and nothing is shown without it.
 * @throws RunError USAGE
 */
export function accessOf(
    { host, by, origin }: Pick<ServeFlags, 'host' | 'by' | 'origin'>,
    { environment }: CommandContext,
    { isTerminal, chance }: Pick<Foreground, 'isTerminal' | 'chance'>,
): { readonly access: Access; readonly isMade: boolean } {
    const given = environment.TIEOUT_SERVE_TOKEN ?? '';
    const isHere = isLoopback(host);
    const isClosed = !isHere || origin !== undefined;
    const refuse = (detail: string, remedy: string) => {
        throw new RunError('USAGE', { detail, remedy });
    };
    if (given !== '' && given.length < TOKEN_LENGTH) {
        refuse(
            `TIEOUT_SERVE_TOKEN has ${given.length} characters, fewer than ${TOKEN_LENGTH}`,
            'Make a longer one: openssl rand -hex 32.',
        );
    }
    if (given === '' && isClosed) {
        refuse(
            `others than this machine would reach it, and TIEOUT_SERVE_TOKEN is not set`,
            'Set it, for example to what `openssl rand -hex 32` prints, and give it to those who decide.',
        );
    }
    if (origin === undefined && ['0.0.0.0', '::'].includes(host)) {
        refuse(
            `--host ${host} is any address of this machine: under which name it is reached is not known`,
            'Add --origin https://NAME, the address that people type.',
        );
    }
    const isMade = given === '' && isTerminal;
    return {
        isMade,
        access: {
            token: given !== '' ? given : isMade ? chance() : null,
            ...{ isClosed, origin: origin === undefined ? null : originOf(origin) },
            hosts: [...(isHere ? loopback : []), nameOf(host)],
            by: by ?? null,
        },
    };
}

/** @throws RunError USAGE */
function originOf(text: string): string {
    const url = URL.parse(text);
    if (url && /^https?:$/.test(url.protocol) && ['', '/'].includes(url.pathname)) {
        return url.origin;
    }
    throw new RunError('USAGE', {
        detail: `--origin ${text} is no address of a site`,
        remedy: 'Write it as https://tieout.example.com, without a path.',
    });
}

/** An address as it stands in a URL. */
const nameOf = (host: string) => (host.includes(':') ? `[${host}]` : host.toLowerCase());

function startText(
    { host }: ServeFlags,
    port: number,
    { token, origin }: Access,
    isMade: boolean,
): string {
    const address = origin ?? `http://${nameOf(host)}:${port}`;
    if (isMade) {
        return `To decide:  ${address}/?token=${token}\nTo read:    ${address}/\nEnd it with Ctrl-C.\n`;
    }
    const how =
        token === null
            ? 'Nothing can be entered: TIEOUT_SERVE_TOKEN is not set.'
            : 'To decide, add ?token= with what TIEOUT_SERVE_TOKEN says.';
    return `Listening on ${address}/\n${how}\n`;
}
