import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, vi } from 'vitest';
import { projectFiles } from '../../fixtures/project.ts';
import { runCli, type Terminal } from '../../src/cli.ts';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { failure } from '../../src/commands/failure.ts';
import { type Effects, type Environment, type Progress, silent } from '../../src/effects.ts';
import { type ErrorCode, type ExitCode, RunError } from '../../src/errors/index.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { openStore } from '../../src/store/open.ts';

/** What one command line gave. */
export interface Said {
    readonly exit: number;
    readonly out: string;
    readonly err: string;
}

export interface TerminalOptions {
    readonly cwd: string;
    /** Left out: the real store that the config names. */
    readonly store?: ObjectStore;
    /** What the state is in, where the config names a bucket for it. Left out: the real one. */
    readonly state?: ObjectStore;
    /** What `engine.clickhouse` opens. */
    readonly clickhouse?: ClickHouse;
    readonly progress?: Progress;
    readonly now?: string;
    /** Left out: only the secrets that must never be printed. */
    readonly environment?: Environment;
}

/** A terminal that collects what is printed on it. */
export function testTerminal({ cwd, environment, ...options }: TerminalOptions): {
    readonly terminal: Terminal;
    readonly said: { out: string; err: string };
} {
    const said = { out: '', err: '' };
    const { store, state, clickhouse, progress, now } = options;
    const effects: Effects = {
        openStore: async ({ store: of }, folder) =>
            ('prefix' in of ? state : store) ?? openStore(of, folder),
        ...(clickhouse ? { openClickHouse: async () => clickhouse } : {}),
        now: () => now ?? '2026-11-05T09:00:00Z',
        progress: progress ?? silent,
    };
    const out = (text: string) => {
        said.out += text;
    };
    const err = (text: string) => {
        said.err += text;
    };
    const secrets = Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'));
    const clock = () => performance.timeOrigin + performance.now();
    return {
        terminal: {
            cwd,
            effects,
            environment: environment ?? Object.fromEntries(secrets),
            clock,
            out,
            err,
        },
        said,
    };
}

/** Types one command line, split at spaces, in this process. */
export async function tieout(
    line: string | readonly string[],
    options: TerminalOptions,
): Promise<Said> {
    const { terminal, said } = testTerminal(options);
    const argv = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line;
    const exit = await runCli(argv, terminal);
    return { exit, ...said };
}

/** A folder that goes when the test file ends, and what is in it. */
export interface TinyProject {
    readonly folder: string;
    readonly write: (name: string, text: string | Uint8Array) => void;
    readonly remove: () => void;
}

/** Writes a folder of files; `data/` is its store. */
export function tinyProject(
    files: Readonly<Record<string, string | Uint8Array>> = tinyFiles(),
): TinyProject {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-tiny-'));
    const write = (name: string, text: string | Uint8Array) => {
        const path = join(folder, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
    };
    for (const [name, text] of Object.entries(files)) write(name, text);
    return { folder, write, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Makes such folders for the tests of a file; each goes when its test ends. */
export function tinyProjects(): (files?: Parameters<typeof tinyProject>[0]) => TinyProject {
    const made: TinyProject[] = [];
    afterEach(() => {
        for (const one of made.splice(0)) one.remove();
    });
    return (files) => {
        const one = tinyProject(files);
        made.push(one);
        return one;
    };
}

/** What is arranged so that a command fails; everything else is the tiny project. */
export interface Failing {
    /** Files that differ; null for one that is not there. */
    readonly files?: Readonly<Record<string, string | Uint8Array | null>>;
    readonly config?: (text: string) => string;
    readonly line?: string | readonly string[];
    readonly store?: ObjectStore;
    readonly state?: ObjectStore;
    readonly progress?: Progress;
    readonly before?: (project: TinyProject) => unknown;
    /** For failures long after a run: its output may be there. */
    readonly hasRun?: boolean;
}

/** In the environment of every failing command, and never in what it prints. */
export const fakeSecret = 'wJalrXUtnFEMI-fake-secret-EXAMPLEKEY';

/**
 * Makes a command fail and gives what it printed, with everything masked that differs between two
 * runs of the test. Whatever the code: nothing on standard output, no stack, no secret, a remedy,
 * and no output that looks whole.
 */
export async function fails(code: ErrorCode, exit: ExitCode, of: Failing): Promise<string> {
    const { files = {}, config = (text) => text, line = 'run --period 2026-10', before } = of;
    const all = { ...tinyFiles(), ...files };
    const text = all['tieout.yaml'];
    const project = tinyProject(
        Object.fromEntries(
            Object.entries({
                ...all,
                'tieout.yaml': typeof text === 'string' ? config(text) : text,
            }).filter((file): file is [string, string] => file[1] !== null),
        ),
    );
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', fakeSecret);
    try {
        await before?.(project);
        const cwd = project.folder;
        const { store, state, progress } = of;
        const said = await tieout(line, {
            cwd,
            ...(store ? { store } : {}),
            ...(state ? { state } : {}),
            ...(progress ? { progress } : {}),
        });
        expect(said.err).toMatch(new RegExp(`^${code}: `));
        expect(said).toMatchObject({ exit, out: '' });
        expect(said.err).toMatch(/\n {2}-> \S.*\.\n$/);
        expect(said.err).not.toMatch(/\n\s+at /);
        expect(said.err).not.toContain(fakeSecret);
        if (!of.hasRun) expectNothingWhole(project.folder);
        return masked(said.err, project.folder);
    } finally {
        vi.unstubAllEnvs();
        project.remove();
    }
}

/** Neither a folder with the name of a whole output, nor a run that speaks for a period. */
export function expectNothingWhole(folder: string): void {
    expect(globSync(join(folder, '.tieout/runs/*/output'))).toEqual([]);
    expect(existsSync(join(folder, '.tieout/commits'))).toBe(false);
}

/** An error of a function that no command line reaches, as it would be printed. */
export async function raises(code: ErrorCode, work: () => Promise<unknown>): Promise<string> {
    const error = await work().then(
        () => new Error('it did not fail'),
        (reason: unknown) => reason,
    );
    if (!(error instanceof RunError)) throw error;
    expect(error.code).toBe(code);
    const { text, exit } = failure(error);
    expect(exit).toBe(error.exit);
    return text;
}

/** Text without folders, hashes and instants of files: the rest is the same in every run. */
export function masked(text: string, folder: string): string {
    return text
        .replaceAll(folder, 'PROJECT')
        .replaceAll(/\b[0-9a-f]{64}\b/g, 'SHA256')
        .replaceAll(/(2026-\d\d-(?:nightly|reconcile))-[0-9a-f]{12}/g, '$1-RUN')
        .replaceAll(/\b(\d+)-\d{19}\b/g, '$1-MTIME')
        .replaceAll(/\(PID \d+\)/g, '(PID n)')
        .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT');
}

const since = '2025-01-01T00:00:00Z';

/** One payer with a team, two objects of usage and two of debits: a run of it takes a second. */
export function tinyFiles(): Readonly<Record<string, string>> {
    const account = { currency: 'USD', time_zone: 'UTC', valid_from: since };
    const prices = [
        ['input', '3'],
        ['cache_read', '0.3'],
        ['output', '15'],
    ].flatMap(([of, price]) =>
        ['standard', 'long'].map((band) => `m1,${of},${band},${since},,${price}`),
    );
    return {
        ...projectFiles({
            name: 'tiny',
            store: { folder: 'data' },
            wallets: [{ accounts: 'acme', asset: 'USD', shape: 'instant' }],
            memory: '512MB, threads: 1',
        }),
        'accounts.json': JSON.stringify([
            { ...account, account_id: 'acme', name: 'Acme' },
            { ...account, account_id: 'acme-dev', name: 'Acme Dev', parent: 'acme' },
        ]),
        'assets.json': JSON.stringify([
            { asset: 'USD', kind: 'currency', precision: 6 },
            { asset: 'TOK', kind: 'unit', precision: 3 },
            { asset: 'REQ', kind: 'unit', precision: 0 },
        ]),
        'rates.csv': [
            'model,token_class,context_band,effective_from,effective_to,usd_per_million_tokens',
            ...prices,
            '',
        ].join('\n'),
        'rates.specs.yaml': `specs:
  - { name: a million input tokens, at: 2026-10-02T00:00:00Z, meter: tokens, attributes: { model: m1, token_class: input, context_band: standard }, quantity: "1000000", expect: { amount: "3" } }
`,
        'data/usage/dt=2026-10-01/0.ndjson': lines([1, 2, 3, 4, 5].map((at) => usageLine(at))),
        'data/usage/dt=2026-10-02/0.ndjson': lines([6, 7, 8, 9].map((at) => usageLine(at))),
        'data/debits/dt=2026-10-01/log.ndjson': lines([1, 2, 3, 4, 5].map((at) => debitLine(at))),
        // The ninth request was never debited: one break, far below what holds a payer.
        'data/debits/dt=2026-10-02/log.ndjson': lines([6, 7, 8].map((at) => debitLine(at))),
    };
}

export function lines(of: readonly object[]): string {
    return of.map((line) => `${JSON.stringify(line)}\n`).join('');
}

const accountOf = (at: number) => (at % 2 ? 'acme' : 'acme-dev');
const hourOf = (at: number) => `2026-10-0${at > 5 ? 2 : 1}T0${at}`;

/** Request number 1 to 9: at x 1,000 tokens in, 100 out. */
export function usageLine(at: number, data: object = {}): object {
    return {
        specversion: '1.0',
        id: `evt-${at}`,
        source: '/gateway',
        type: 'llm.completion',
        subject: accountOf(at),
        time: `${hourOf(at)}:00:00Z`,
        data: {
            model: 'm1',
            input_tokens: at * 1_000,
            cached_input_tokens: 0,
            output_tokens: 100,
            ...data,
        },
    };
}

/** What the wallet took for it: 3 USD a million tokens in, 15 out. */
export function debitLine(at: number): object {
    const micros = at * 3_000 + 1_500;
    return {
        entry_id: `ent-${at}`,
        entry_type: 'capture',
        account_id: accountOf(at),
        asset: 'USD',
        amount: `0.${String(micros).padStart(6, '0')}`,
        booked_at: `${hourOf(at)}:00:01Z`,
        event_id: `evt-${at}`,
        wallet_id: `w-${accountOf(at)}`,
        sequence: Math.ceil(at / 2),
    };
}
