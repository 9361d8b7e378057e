#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { openClickHouse } from './clickhouse/http.ts';
import { afterwards } from './commands/afterwards.ts';
import { type BackfillFlags, backfill } from './commands/backfill.ts';
import type { Answer, CommandContext } from './commands/command.ts';
import { declareDecisions } from './commands/decisions.ts';
import { doctor } from './commands/doctor.ts';
import { type EraseFlags, erase } from './commands/erase.ts';
import { type ExplainFlags, explain } from './commands/explain.ts';
import { addExports } from './commands/export.ts';
import { failure } from './commands/failure.ts';
import { init } from './commands/init.ts';
import { quote } from './commands/quote.ts';
import { type ReportFlags, report } from './commands/report.ts';
import { type ReproduceFlags, runOrReproduce } from './commands/reproduce.ts';
import { rulesCheck, rulesTest } from './commands/rules.ts';
import { rulesDiff } from './commands/rules-diff.ts';
import { type ImportFlags, importFormats, rulesImport } from './commands/rules-import.ts';
import { plan, type RunFlags, run } from './commands/run.ts';
import { withoutSecrets } from './commands/secrets.ts';
import { declareServe, interrupted, serve } from './commands/serve.ts';
import type { Effects, Environment } from './effects.ts';
import { RunError } from './errors/index.ts';
import { jsonLog } from './log.ts';
import { barProgress, logProgress } from './progress.ts';
import { version } from './run/code.ts';
import type { Outcome } from './schema/outcome.ts';
import { nearestWord } from './schema/suggest.ts';
import { openStore } from './store/open.ts';
import { notingParts } from './telemetry/parts.ts';

interface GlobalFlags {
    readonly config?: string;
    readonly json?: boolean;
}

/** Where a command line is typed and answered. Tests have their own. */
export interface Terminal {
    readonly cwd: string;
    readonly effects: Effects;
    /** The variables of the process. */
    readonly environment: Environment;
    /** Milliseconds since 1970, for how long things take; nothing that is billed depends on it. */
    readonly clock: () => number;
    readonly out: (text: string) => void;
    readonly err: (text: string) => void;
    /** Whether a person reads what `err` gets. */
    readonly isTerminal?: boolean;
    /** Told when the process is to end: for a command that goes on and on. */
    readonly interrupted?: () => AbortSignal;
}

/** Everything real: the store of the config, the clock, bars on a terminal and records elsewhere. */
function realTerminal(): Terminal {
    return {
        cwd: process.cwd(),
        effects: {
            openStore: async (config, folder) => openStore(config.store, folder),
            openClickHouse: async ({ url, database }, session) =>
                openClickHouse({
                    ...{ url, database, session: `${session}-${chance().slice(0, 16)}` },
                    user: process.env.TIEOUT_CLICKHOUSE_USER,
                    password: process.env.TIEOUT_CLICKHOUSE_PASSWORD,
                }),
            now: () => new Date().toISOString(),
            progress: process.stderr.isTTY
                ? barProgress()
                : logProgress(jsonLog(process.env.TIEOUT_LOG_LEVEL)),
        },
        environment: process.env,
        clock: () => performance.timeOrigin + performance.now(),
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
        isTerminal: process.stderr.isTTY === true,
        interrupted,
    };
}

/** What every command gets, once its options are read. */
function contextOf(cli: Command, { cwd, effects, environment }: Terminal): CommandContext {
    const { config } = cli.opts<GlobalFlags>();
    return { effects, environment, configFile: config ? resolve(cwd, config) : null, cwd };
}

/** What a command that goes on and on needs. One that nothing can interrupt ends at once. */
function foreground({ err, isTerminal = false, interrupted }: Terminal) {
    return {
        until: interrupted?.() ?? AbortSignal.abort(),
        ...{ print: err, isTerminal, chance },
    };
}

const chance = () => randomBytes(32).toString('hex');

/** In a container the process may be a number without a name. */
function userName(): string {
    try {
        return userInfo().username;
    } catch {
        return `uid ${process.getuid?.()}`;
    }
}

function program(
    terminal: Terminal,
    answer: (work: Promise<Answer> | Answer) => Promise<void>,
): Command {
    const cli = new Command('tieout')
        .description('Ties metered usage out against authorized debits and writes invoice lines.')
        .option('--config <file>', 'tieout.yaml (default: the nearest one)')
        .option('--json', 'answer as JSON on standard output')
        .exitOverride()
        .configureOutput({ writeOut: terminal.out, writeErr: () => {} });
    const context = () => contextOf(cli, terminal);
    const period = new Option('--period <yyyy-MM>', 'billing period').makeOptionMandatory();
    const acceptGone = new Option(
        '--accept-gone',
        'objects that were counted and can no longer be read count no more',
    );
    const asOf = new Option('--as-of <instant>', 'what was known (default: today, 00:00 UTC)');
    const arrived = new Option('--arrived', 'only objects that the store had by --as-of');

    cli.command('init <dir>')
        .description('write a working project with sample data')
        .action((dir: string) => answer(init(dir, context())));
    cli.command('doctor')
        .description('check config, store, credentials, clock, disk and memory')
        .action(() => answer(doctor(context())));
    cli.command('plan')
        .description('print what a run would read and do; touches nothing')
        .addOption(period)
        .addOption(asOf)
        .addOption(acceptGone)
        .addOption(arrived)
        .action((flags: RunFlags) => answer(plan(flags, context())));
    cli.command('run [pipeline]')
        .description('run the nightly pipeline for a period')
        .option('--period <yyyy-MM>', 'billing period')
        .addOption(asOf)
        .addOption(acceptGone)
        .addOption(arrived)
        .option('--reproduce <run-id>', 'compute a past run once more, and compare')
        .action((pipeline: string | undefined, flags: Partial<RunFlags> & ReproduceFlags) => {
            if (pipeline !== undefined && pipeline !== 'nightly') {
                throw new RunError('USAGE', {
                    detail: `there is no pipeline ${pipeline}; the one to run is nightly`,
                });
            }
            return answer(runOrReproduce(flags, context()));
        });
    cli.command('reconcile')
        .description('metered against authorized, without invoicing')
        .addOption(period)
        .addOption(asOf)
        .addOption(acceptGone)
        .addOption(arrived)
        .action((flags: RunFlags) => answer(run('reconcile', flags, context())));
    cli.command('report')
        .description('the reconciliation report of a period')
        .addOption(period)
        .option('--out <folder>', 'where to write the page and its data')
        .action((flags: ReportFlags) => answer(report(flags, context())));
    const by = new Option('--by <name>', 'who does it').default(userName());
    declareDecisions(cli, { period, by }, answer, context, chance);
    cli.command('erase')
        .description('take an identifier out of the rows of the lake; a dry run without --apply')
        .option('--account <id>', 'an account, where it is a value of its own')
        .option('--value <text>', 'any text, wherever it occurs')
        .requiredOption('--reason <text>', 'why, for those who read the log')
        .addOption(by)
        .option('--apply', 'do it', false)
        .action((flags: EraseFlags) => answer(erase(flags, context(), chance)));
    cli.command('backfill')
        .description('show what differs from what was billed, and apply it when asked')
        .option('--from <yyyy-MM>', 'first billing period')
        .option('--to <yyyy-MM>', 'last billing period')
        .option('--reason <text>', 'why, for those who get the lines')
        .addOption(asOf)
        .addOption(by)
        .option('--apply', 'correct closed periods in the open one; run open ones anew')
        .option('--partials', 'price stored partials anew instead of computing from objects')
        .option('--revert <id>', 'take back what was applied')
        .action((flags: BackfillFlags) => answer(backfill(flags, context())));
    cli.command('explain <key>')
        .description(
            'a line back to its rate, events and debits; a break to its causes and records',
        )
        .option('--period <yyyy-MM>', 'look only there')
        .option('--events <n>', 'how many events to show', wholeNumber, 10)
        .option('--raw', 'fetch the objects again and show the very lines', false)
        .option('--out <file>', 'of a break: write all its events and debits into a new CSV file')
        .action((lineKey: string, flags: Omit<ExplainFlags, 'lineKey'>) =>
            answer(explain({ lineKey, ...flags }, context())),
        );
    declareServe(cli, (flags) => answer(serve(flags, context(), foreground(terminal))));
    cli.command('quote')
        .description('price what-ifs: JSON lines in, JSON lines out')
        .requiredOption('--file <file>', 'one line of a quote a line')
        .action((flags: { file: string }) => answer(quote(flags, context())));
    addExports(cli, period, context, answer);
    const rules = cli.command('rules').description('check and test the rate card');
    rules
        .command('check')
        .description('look for overlaps, gaps, ties and everything else wrong')
        .action(() => answer(rulesCheck(context())));
    rules
        .command('test')
        .description('run the worked examples beside the card')
        .action(() => answer(rulesTest(context())));
    rules
        .command('import')
        .description('make a rate card of a public price list')
        .addOption(
            new Option('--format <format>', importFormats.join(' or ')).makeOptionMandatory(),
        )
        .requiredOption('--file <file>', 'the price list')
        .requiredOption('--out <dir>', 'folder for the card; nothing in it is written over')
        .option('--provider <name>', 'only its models')
        .action((flags: ImportFlags) => answer(rulesImport(flags, context())));
    rules
        .command('diff <old> [new]')
        .description('what moves between two cards over the usage of a period; `current` is one')
        .addOption(period)
        .action((old: string, other: string | undefined, flags: { period: string }) =>
            answer(rulesDiff({ old, new: other }, flags, context())),
        );
    return cli;
}

function wholeNumber(text: string): number {
    if (!/^\d{1,6}$/.test(text)) {
        throw new RunError('USAGE', { detail: `--events ${text} is not a whole number` });
    }
    return Number.parseInt(text, 10);
}

function toJson(value: unknown): string {
    return `${JSON.stringify(value, (_key, of) => (typeof of === 'bigint' ? of.toString() : of), 2)}\n`;
}

/** `run`, `rules check`: a command as it is typed. */
function typedName(command: Command): string {
    const { parent } = command;
    return parent?.parent ? `${typedName(parent)} ${command.name()}` : command.name();
}

/**
 * Of a misspelt option that must be there commander says that it is missing. What is there and
 * unknown says more.
 */
function misspelt(cli: Command, argv: readonly string[], error: unknown): RunError | null {
    const isMissing =
        error instanceof CommanderError && error.code === 'commander.missingMandatoryOptionValue';
    if (!isMissing) return null;
    const command = argv.reduce<Command>(
        (of, word) => of.commands.find((sub) => sub.name() === word) ?? of,
        cli,
    );
    const known = [...cli.options, ...command.options].flatMap(({ long }) => long ?? []);
    const flags = argv.filter((word) => /^--\w/.test(word)).map((word) => word.split('=')[0] ?? '');
    const unknown = flags.find((flag) => !known.includes(flag));
    if (unknown === undefined) return null;
    const near = nearestWord(unknown, known);
    return new RunError('USAGE', {
        detail: `unknown option '${unknown}'${near ? ` (Did you mean ${near}?)` : ''}`,
    });
}

/** Runs one command line and gives its exit code. Nothing is thrown. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
    const { environment, clock } = terminal;
    const began = clock();
    const { progress, parts } = notingParts(terminal.effects.progress, clock);
    const noted = { ...terminal, effects: { ...terminal.effects, progress } };
    const isJson = argv.includes('--json');
    const started: Pick<Outcome, 'command' | 'period'>[] = [];
    let outcome: Pick<Outcome, 'exit' | 'error' | 'run'> = { exit: 0, error: null, run: null };
    const cli = program(noted, async (work) => {
        const { exit, text, json, notice, run = null } = await work;
        terminal.out(isJson ? toJson(json) : text);
        if (notice) terminal.err(`${notice}\n`);
        outcome = { exit, error: null, run };
    });
    // An export has a --version of its own, and commander takes those of the program wherever they are.
    if (!argv.includes('export')) cli.version(version);
    cli.hook('preAction', (_cli, command) => {
        const { period = null, reproduce } = command.opts<{
            period?: string;
            reproduce?: string;
        }>();
        // Nobody is told of it as of a run: nothing came to count.
        const name = `${typedName(command)}${reproduce === undefined ? '' : ' --reproduce'}`;
        started.push({ command: name, period });
    });
    try {
        await cli.parseAsync([...argv], { from: 'user' });
    } catch (thrown) {
        const reason = misspelt(cli, argv, thrown) ?? thrown;
        const { exit, text, json, error } = failure(reason);
        if (isJson && json !== null) terminal.out(withoutSecrets(toJson(json), environment));
        else terminal.err(withoutSecrets(text, environment));
        outcome = { exit, error, run: null };
    }
    const [command] = started;
    if (!command) return outcome.exit; // --help, --version, or not understood
    const timeline = {
        outcome: { ...command, ...outcome },
        ...{ began, ended: clock(), parts, version },
    };
    for (const warning of await afterwards(timeline, contextOf(cli, noted))) {
        terminal.err(`warning: ${warning}\n`);
    }
    return outcome.exit;
}

/** `tieout plan | head`: whoever reads has enough. That is no failure of ours. */
function letGo(stream: NodeJS.WriteStream): void {
    stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
    });
}

if (import.meta.main) {
    letGo(process.stdout);
    letGo(process.stderr);
    process.exitCode = await runCli(process.argv.slice(2), realTerminal());
    // A look-up of a collector's name may outlive its bound; no schedule waits for it.
    setTimeout(() => process.exit(), 1_000).unref();
}
