import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import { netsuiteInvoices } from '../export/netsuite-csv.ts';
import { stripeRequests } from '../export/stripe-requests.ts';
import { amountWithCode, counted, figure } from '../report/figures.ts';
import { proposalText } from '../report/item-status.ts';
import { visible } from '../report/visible.ts';
import { letGo, type Released } from '../run/decide.ts';
import { readLines } from '../run/outputs.ts';
import { fetchTables } from '../run/published.ts';
import { inTables } from '../run/tables.ts';
import type { LineItem } from '../schema/line-item.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { requirePeriod } from './run.ts';

export interface ReleaseFlags {
    readonly period: string;
    readonly by: string;
    readonly reason?: string;
    /** Hold the lines again. */
    readonly withdraw?: boolean;
    /** sha256 of what held them when a person looked; on a command line nobody says it. */
    readonly seenSha256?: string;
    /** What its open breaks were worth then. */
    readonly seen?: string;
    /** Let count what somebody else proposed. */
    readonly approve?: boolean;
}

/**
 * `tieout release`: lets the lines of a held payer go, with a reason that the log keeps, and writes the
 * files that its run left them out of. With anything more wrong than now they are held again.
 * @throws RunError PAYER_NOT_FOUND, RELEASE_REFUSED, APPROVAL_REFUSED, STANDING_CHANGED, USAGE
 */
export async function release(
    payer_id: string,
    flags: ReleaseFlags,
    context: CommandContext,
): Promise<Answer> {
    const {
        by,
        reason = '',
        withdraw = false,
        approve = false,
        seenSha256,
        seen: seen_amount,
    } = flags;
    const project = projectOf(context);
    const period = requirePeriod(flags.period);
    const kind = withdraw ? 'withdraw' : approve ? 'approve' : 'release';
    const { approve_above } = project.config.decisions;
    return inState(project, context, async (state) => {
        const now = context.effects.now();
        const seen = seenSha256 === undefined ? {} : { seen_sha256: seenSha256 };
        const limits = { seen_amount, approve_above };
        const letting = { payer_id, kind, by, reason, ...seen, ...limits } as const;
        const released = await letGo(state, period, letting, now);
        const { run, certificate, payer, number } = released;
        const isFree = payer.standing === 'released' && certificate.pipeline === 'nightly';
        if (!isFree) return answerOf(released, []);
        await fetchTables(state, run);
        const { memory } = project.config.engine;
        const spill = join(tmpdir(), 'tieout-release');
        const options = { memory, threads: 2, spill, contracts: [lineItems] };
        const lines = await inTables(run, options, (engine) => readLines(engine));
        const own = lines.filter((of) => of.payer_id === payer.payer_id);
        const folder = join(project.state, 'releases', String(number).padStart(8, '0'));
        const files = writeFiles(folder, own).map((file) => relative(context.cwd, file));
        return answerOf(released, files);
    });
}

/** The files that systems take lines by, of one payer. Gives their paths. */
function writeFiles(folder: string, lines: readonly LineItem[]): readonly string[] {
    // No file takes a held line, whatever it is asked for: these are held no more.
    const free = lines.map((of) => ({ ...of, recon_status: 'clear' as const }));
    const options = { include: new Set(['clear'] as const) };
    const files = [
        ...netsuiteInvoices(free, options).files,
        ...stripeRequests(free, options).files,
    ];
    return files.map(({ name, text }) => {
        const path = join(folder, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text, { flush: true });
        return path;
    });
}

function answerOf({ payer, standing, number }: Released, files: readonly string[]): Answer {
    const { payer_id, open_count, open_money, currency, unrated_count } = payer;
    const holding = [
        `${counted(open_count, 'open break')} worth ${amountWithCode(open_money, currency)}`,
        ...(unrated_count > 0 ? [`${figure(String(unrated_count))} rows without a price`] : []),
    ].join(', ');
    const rows = [
        `lines of ${visible(payer_id)} in ${standing.period}: ${payer.standing}`,
        `with       ${holding}`,
        ...(payer.released ? [`by         ${visible(payer.released.by)}`] : []),
        ...(payer.proposed ? [`proposed   ${proposalText(payer.proposed)}`] : []),
        `entry      ${join('commits', `${String(number).padStart(8, '0')}.json`)}`,
        ...files.map((file) => `file       ${file}`),
    ];
    const exit = payer.proposed ? 1 : 0;
    return { exit, text: `${rows.join('\n')}\n`, json: { payer, entry: number, files } };
}
