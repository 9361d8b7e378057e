import { accessSync, constants, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { Engine } from '../duck/engine.ts';
import type { Environment } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import { noticeAddress } from '../notify/notify.ts';
import { counted, figure, listed } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { readStateLog } from '../run/books.ts';
import { openSession, requireDoneThere } from '../run/clickhouse/open.ts';
import { makeFolders } from '../run/folders.ts';
import { lakeContents } from '../run/keep.ts';
import { openPeriod } from '../run/openings.ts';
import { requireConvertible } from '../run/prices.ts';
import { compilePeriod, type Project, ratesOf } from '../run/project.ts';
import type { Notify } from '../schema/notice.ts';
import type { State } from '../state/state.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { told } from './failure.ts';

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
            findings.push({ check: name, ok: true, found: visible(await work()) });
            return true;
        } catch (error) {
            findings.push({ check: name, ok: false, ...foundWrong(error) });
            return false;
        }
    };
    await check('node', nodeVersion);
    let project: Project | null = null;
    await check('config and rates', () => {
        project = projectOf(context);
        return `${project.file}; ${counted(ratesOf(project).length, 'rate')}`;
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
    await check('state', () => inState(project, context, stateFound));
    if (!config.accounts.startsWith('object:')) {
        await check('accounts', async () => {
            const text = project.readText(config.accounts);
            const opened = await inState(project, context, async (state) =>
                openPeriod(project, { state, log: await readStateLog(state) }, period),
            );
            const as_of = context.effects.now();
            const { tree } = compilePeriod(opened, text, { period, as_of });
            requireConvertible(project, tree.conversions);
            return counted(tree.spans.length, 'row');
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
    const { clickhouse } = config.engine;
    if (clickhouse) await check('clickhouse', () => serverFound(project, context));
    const { notify } = config;
    if (notify) await check('notify', () => noticesTo(notify, context.environment));
    await check('disk', () => diskSpace(project.state));
    await check('lake', () => lakeText(project));
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

/** That a server answers, and does what the project needs. Nothing of the bucket is read. */
async function serverFound(project: Project, { effects }: CommandContext): Promise<string> {
    requireDoneThere(project);
    const { clickhouse: server } = project.config.engine;
    if (!server) return 'none';
    const session = await openSession(effects, server, 'doctor');
    try {
        const said = await session.read(
            'select version(), groupUniqArray(cluster) from system.clusters format JSONCompactEachRow',
        );
        const [version, clusters] = JSON.parse(new TextDecoder().decode(said)) as [
            string,
            readonly string[],
        ];
        if (server.cluster === undefined || clusters.includes(server.cluster)) {
            return `${version} at ${session.address}${server.cluster ? `, cluster ${server.cluster}` : ''}`;
        }
        throw new Amiss(
            `${session.address} has no cluster ${server.cluster}`,
            `It has ${listed(clusters) || 'none'}: correct \`engine.clickhouse.cluster\`.`,
        );
    } finally {
        await session.close();
    }
}

/** Two entries of one number are what must never be: a bucket is asked whether it would let them be. */
async function stateFound(state: State): Promise<string> {
    const { commits } = await readStateLog(state);
    const entries = `${counted(commits.length, 'entry', 'entries')} in the log of ${state.address}`;
    if (!state.isBucket) return entries;
    if (await state.tellsWritersApart()) return `${entries}; of two runs at once one is told`;
    if (!state.alone) throw new RunError('STATE_UNSAFE', { store: state.address });
    return `${entries}; two runs at once would not be told, and \`alone\` says that there are none`;
}

/** What a check of doctor's own found wrong, with what to do. */
class Amiss extends Error {
    readonly remedy: string;

    constructor(found: string, remedy: string) {
        super(found);
        this.remedy = remedy;
    }
}

function foundWrong(error: unknown): { readonly found: string; readonly remedy?: string } {
    if (error instanceof RunError) {
        const { message, remedy } = told(error);
        return { found: `${error.code}: ${message}`, remedy };
    }
    if (error instanceof Amiss) return { found: error.message, remedy: error.remedy };
    return { found: visible(error instanceof Error ? error.message : String(error)) };
}

function nodeVersion(): string {
    const [major = '0'] = process.versions.node.split('.');
    if (Number.parseInt(major, 10) >= 24) return process.versions.node;
    throw new Amiss(process.versions.node, 'Run tieout with Node 24 or newer.');
}

/** Signed requests are refused when the clocks of the two sides differ by a quarter of an hour. */
async function clockOffset(endpoint: string, now: string): Promise<string> {
    // Not the whole endpoint: somebody may have written a password into it.
    const { origin } = new URL(endpoint);
    const date = await fetch(origin, { method: 'HEAD', signal: AbortSignal.timeout(5_000) })
        .then((answer) => answer.headers.get('date'))
        .catch(() => {
            throw new Amiss(`${origin} does not answer`, 'Check `store.endpoint` and the network.');
        });
    if (!date) return 'the store does not tell its time';
    const seconds = Math.round(Math.abs(Date.parse(date) - Date.parse(now)) / 1000);
    if (seconds < 300) return `within ${seconds} s of the store's`;
    throw new Amiss(`${seconds} s apart from the store's`, 'Set the clock: requests are refused.');
}

/** Nothing is sent, and the address is not shown: it may be a secret. */
function noticesTo(notify: Notify, environment: Environment): string {
    const address = noticeAddress(notify, environment);
    const isSigned = environment.TIEOUT_NOTIFY_SECRET ? 'signed' : 'not signed';
    if ('url' in address) return `${listed(notify.on)} runs are told of, ${isSigned}`;
    throw new Amiss(address.wrong, 'Set it where the schedule sets its environment.');
}

/** What is kept of rows, and for how long. */
function lakeText({ state, config }: Project): string {
    const of = lakeContents(state).map(
        ({ input, batches, objects }) =>
            `${input} has ${counted(objects, 'object')} in ${counted(batches, 'batch', 'batches')}`,
    );
    const { lake_days, run_days } = config.keep;
    return `${of.join(', ') || 'empty'}; rows are kept ${lake_days} days after the close, replaced runs ${run_days}`;
}

function diskSpace(state: string): string {
    try {
        makeFolders(state);
        accessSync(state, constants.W_OK);
    } catch (error) {
        const detail = (error as Error).message;
        throw new RunError('STATE_UNUSABLE', { folder: state, detail });
    }
    const { bavail, bsize } = statfsSync(state, { bigint: true });
    const free = bavail * bsize;
    if (free < 2n ** 30n) {
        throw new Amiss(
            `${figure(free.toString())} bytes free under ${state}`,
            'Free some space: a run needs a GiB at the least.',
        );
    }
    return `${figure((free / 2n ** 30n).toString())} GiB free under ${state}`;
}
