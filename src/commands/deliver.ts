import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import { type Sending, sendAll, waybills } from '../deliver/deliver.ts';
import { writeParcels } from '../deliver/files.ts';
import { ownNames, readNames } from '../deliver/names.ts';
import { readOutbox } from '../deliver/outbox.ts';
import type { Target } from '../deliver/target.ts';
import { isTargetName, targets } from '../deliver/targets.ts';
import { RunError } from '../errors/index.ts';
import { gatherInvoices } from '../export/invoices.ts';
import { readStateLog } from '../run/books.ts';
import { readStanding, type StandingRun } from '../run/items.ts';
import { readLines } from '../run/outputs.ts';
import type { Project } from '../run/project.ts';
import { fetchTables } from '../run/published.ts';
import { inTables } from '../run/tables.ts';
import type { LineItem } from '../schema/line-item.ts';
import { nearestWord } from '../schema/suggest.ts';
import { closedBy } from '../state/commit-log.ts';
import { requireSafe, type State } from '../state/state.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { dryAnswer, type Prepared, sentAnswer } from './deliver-answer.ts';
import { requirePeriod } from './run.ts';

export interface DeliverFlags {
    readonly period: string;
    readonly target: string;
    /** Without it nothing leaves this machine. */
    readonly send?: boolean;
    /** A new folder for what is sent, a file a parcel. */
    readonly out?: string;
    readonly by: string;
}

/**
 * `tieout deliver`: takes the lines of a closed period to a target, each invoice once. A dry run unless
 * `--send` is said. Ends with what the target has, read back and compared by payer and currency.
 * @param pauses between attempts at a busy target; tests are in more of a hurry
 * @throws RunError DELIVERY_*, NAMES_INVALID, OUTBOX_DAMAGED, RUN_NOT_FOUND, STATE_*, STORE_*
 */
export async function deliver(
    flags: DeliverFlags,
    context: CommandContext,
    start_id: string,
    pauses?: Sending['pauses'],
): Promise<Answer> {
    const project = projectOf(context);
    const period = requirePeriod(flags.period);
    const target = await targetOf(project, flags.target, context);
    try {
        return await inState(project, context, async (state) => {
            context.effects.progress.begin(`lines of ${period}`);
            const made = await prepared(project, state, target, period);
            context.effects.progress.end(target.address);
            if (flags.out !== undefined) writeParcels(flags.out, target, made.waybills);
            if (!flags.send) return dryAnswer(target, made);
            await requireSafe(state);
            const { by } = flags;
            const { now, progress } = context.effects;
            const { run_id } = made.standing;
            const { store } = state;
            const what = { target, store, period, run_id, by, start_id, now, progress };
            const sending: Sending = pauses ? { ...what, pauses } : what;
            return sentAnswer(target, made, await sendAll(sending, made.waybills));
        });
    } finally {
        await target.close();
    }
}

/** @throws RunError DELIVERY_REFUSED, USAGE, NAMES_INVALID */
async function targetOf(
    { config, readText }: Project,
    name: string,
    { environment, effects }: CommandContext,
): Promise<Target> {
    const known = Object.keys(targets);
    if (!isTargetName(name)) {
        const near = nearestWord(name, known);
        throw new RunError('USAGE', {
            detail: `there is no target ${name}`,
            remedy: near ? `Write --target ${near}.` : `There are ${known.join(', ')}.`,
        });
    }
    const { deliveries: settings = {} } = config;
    const names = settings.names
        ? readNames(settings.names, readText(settings.names), name)
        : ownNames;
    const target = await targets[name]({ settings, names, environment, now: effects.now });
    if (target) return target;
    throw new RunError('DELIVERY_REFUSED', {
        target: name,
        detail: `tieout.yaml does not say where that is`,
        remedy: `Add \`deliveries: { ${name}: ... }\`; docs/deliveries.md has what it takes.`,
    });
}

/** @throws RunError DELIVERY_REFUSED for an open period */
async function prepared(
    project: Project,
    state: State,
    target: Target,
    period: string,
): Promise<Prepared> {
    const log = await readStateLog(state);
    const { run, certificate, standing } = await readStanding(state, log, period);
    if (!closedBy(log, period)) {
        throw new RunError('DELIVERY_REFUSED', {
            target: target.name,
            detail: `${period} is open, and what was delivered never changes`,
            remedy: `Close it first: \`tieout close --period ${period}\`.`,
        });
    }
    if (certificate.pipeline !== 'nightly') {
        throw new RunError('RUN_NOT_FOUND', { detail: `no run of ${period} wrote lines` });
    }
    await fetchTables(state, run);
    const { memory } = project.config.engine;
    const spill = join(tmpdir(), 'tieout-deliver');
    const options = { memory, threads: 2, spill, contracts: [lineItems] };
    const lines = await inTables(run, options, (engine) => readLines(engine));
    const { free, heldBack } = freeLines(lines, standing);
    const { invoices } = gatherInvoices(free, new Set(['clear'] as const));
    const { parcels, problems } = target.pack(invoices);
    const outbox = await readOutbox(state.store, target.name, period);
    return { standing, waybills: waybills(target, outbox, parcels), problems, heldBack };
}

/** Lines that may go out: those of payers whom nothing holds, or whom a person let go. */
function freeLines(
    lines: readonly LineItem[],
    { payers }: StandingRun['standing'],
): { readonly free: readonly LineItem[]; readonly heldBack: Prepared['heldBack'] } {
    const held = new Set(
        payers.filter(({ standing }) => standing === 'held').map(({ payer_id }) => payer_id),
    );
    const known = new Set(payers.map(({ payer_id }) => payer_id));
    const isFree = ({ payer_id }: LineItem) => known.has(payer_id) && !held.has(payer_id);
    const free = lines.filter(isFree).map((of) => ({ ...of, recon_status: 'clear' as const }));
    const back = Map.groupBy(
        lines.filter((of) => !isFree(of)),
        ({ payer_id }) => payer_id,
    );
    const heldBack = [...back].map(([payer_id, of]) => ({ payer_id, line_count: of.length }));
    return { free, heldBack };
}
