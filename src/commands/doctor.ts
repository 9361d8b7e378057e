import { accessSync, constants, mkdirSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { compileAccounts } from '../compile/accounts.ts';
import { Engine } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import { counted, figure } from '../report/figures.ts';
import type { Project } from '../run/project.ts';
import { type Answer, type CommandContext, projectOf } from './command.ts';

interface Finding {
    readonly check: string;
    readonly ok: boolean;
    readonly found: string;
    readonly remedy?: string;
}

/** `tieout doctor`: everything a run needs, looked at before the night. Exit 2 when any is amiss. */
export async function doctor(context: CommandContext): Promise<Answer> {
    const findings: Finding[] = [];
    const check = async (name: string, work: () => Promise<string> | string): Promise<boolean> => {
        try {
            findings.push({ check: name, ok: true, found: await work() });
            return true;
        } catch (error) {
            findings.push({ check: name, ok: false, ...told(error) });
            return false;
        }
    };
    await check('node', nodeVersion);
    let project: Project | null = null;
    await check('config and rates', () => {
        project = projectOf(context);
        return `${project.file}; ${counted(project.card.rates.length, 'rate')}`;
    });
    if (project) await checkProject(project, context, check);
    const isFine = findings.every(({ ok }) => ok);
    const lines = findings.map(
        ({ check: name, ok, found, remedy }) =>
            `${ok ? 'ok  ' : 'BAD '} ${name.padEnd(18)} ${found}${remedy ? `\n     -> ${remedy}` : ''}`,
    );
    return {
        exit: isFine ? 0 : 2,
        text: `${lines.join('\n')}\n${isFine ? 'Ready to run.' : 'Not ready: see above.'}\n`,
        json: { ready: isFine, findings },
    };
}

type Check = (name: string, work: () => Promise<string> | string) => Promise<boolean>;

async function checkProject(
    project: Project,
    context: CommandContext,
    check: Check,
): Promise<void> {
    const { config } = project;
    const period = context.effects.now().slice(0, 7);
    if (!config.accounts.startsWith('object:')) {
        await check('accounts', () => {
            const text = project.readText(config.accounts);
            const compiled = compileAccounts(config.accounts, text, config, period);
            if ('tree' in compiled) return counted(compiled.tree.spans.length, 'row');
            throw new RunError('ACCOUNTS_INVALID', { problems: compiled.problems });
        });
    }
    const store = await context.effects.openStore(config, project.folder);
    try {
        for (const { name, prefix } of [...config.usage, ...config.debits]) {
            await check(`input ${name}`, async () => {
                for await (const entry of store.list(prefix)) {
                    return `${store.address}/${entry.key} and perhaps more`;
                }
                throw new RunError('STORE_PREFIX_EMPTY', {
                    store: store.address,
                    prefix,
                    pattern: '*',
                });
            });
        }
    } finally {
        await store.close();
    }
    const endpoint = 'bucket' in config.store ? config.store.endpoint : undefined;
    if (endpoint) await check('clock', () => clockOffset(endpoint, context.effects.now()));
    await check('disk', () => diskSpace(project.state));
    await check('memory and engine', async () => {
        const engine = await Engine.open({
            file: ':memory:',
            memory: config.engine.memory,
            threads: 1,
            spill: project.state,
        });
        engine.close();
        const gib = Math.floor(totalmem() / 2 ** 30);
        return `DuckDB ${engine.version}, may use ${config.engine.memory} of ${gib} GiB`;
    });
}

function told(error: unknown): { readonly found: string; readonly remedy?: string } {
    if (error instanceof RunError) {
        return { found: `${error.code} ${error.message}`, remedy: error.remedy };
    }
    return { found: error instanceof Error ? error.message : String(error) };
}

function nodeVersion(): string {
    const [major = '0'] = process.versions.node.split('.');
    if (Number.parseInt(major, 10) >= 24) return process.versions.node;
    throw new Error(`Node ${process.versions.node}; tieout needs 24 or newer`);
}

/** Signed requests are refused when the clocks of the two sides differ by a quarter of an hour. */
async function clockOffset(endpoint: string, now: string): Promise<string> {
    const answer = await fetch(endpoint, { method: 'HEAD', signal: AbortSignal.timeout(5_000) });
    const date = answer.headers.get('date');
    if (!date) return 'the store does not tell its time';
    const seconds = Math.round(Math.abs(Date.parse(date) - Date.parse(now)) / 1000);
    if (seconds < 300) return `within ${seconds} s of the store's`;
    throw new Error(`${seconds} s apart from the store's: set the clock, or requests are refused`);
}

function diskSpace(state: string): string {
    mkdirSync(state, { recursive: true });
    accessSync(state, constants.W_OK);
    const { bavail, bsize } = statfsSync(state, { bigint: true });
    const free = bavail * bsize;
    if (free < 2n ** 30n) {
        throw new Error(`${figure(free.toString())} bytes free under ${state}: a run needs more`);
    }
    return `${figure((free / 2n ** 30n).toString())} GiB free under ${state}`;
}
