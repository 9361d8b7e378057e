import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import { type Delivered, sendAll, type Waybill, waybills } from '../deliver/deliver.ts';
import { writeParcels } from '../deliver/files.ts';
import { ownNames, readNames } from '../deliver/names.ts';
import { readOutbox } from '../deliver/outbox.ts';
import type { Target } from '../deliver/target.ts';
import { isTargetName, targets } from '../deliver/targets.ts';
import { RunError } from '../errors/index.ts';
import { type DeliveryProblem, gatherInvoices, moneyText } from '../export/invoices.ts';
import { add, parseAmount } from '../money/amount.ts';
import { amountWithCode, counted } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { readStateLog } from '../run/books.ts';
import { readStanding, type StandingRun } from '../run/items.ts';
import { readLines } from '../run/outputs.ts';
import type { Project } from '../run/project.ts';
import { fetchTables } from '../run/published.ts';
import { inTables } from '../run/tables.ts';
import type { DeliveryTie } from '../schema/delivery.ts';
import type { LineItem } from '../schema/line-item.ts';
import { nearestWord } from '../schema/suggest.ts';
import { closedBy } from '../state/commit-log.ts';
import { requireSafe, type State } from '../state/state.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
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
 * @throws RunError DELIVERY_REFUSED, DELIVERY_CHANGED, DELIVERY_OUTRUN, NAMES_INVALID, OUTBOX_DAMAGED,
 * RUN_NOT_FOUND, STATE_*, STORE_*
 */
export async function deliver(
    flags: DeliverFlags,
    context: CommandContext,
    start_id: string,
): Promise<Answer> {
    const project = projectOf(context);
    const period = requirePeriod(flags.period);
    const target = await targetOf(project, flags.target, context);
    try {
        return await inState(project, context, async (state) => {
            const made = await prepared(project, state, target, period);
            if (flags.out !== undefined) writeParcels(flags.out, target, made.waybills);
            if (!flags.send) return dryAnswer(target, made);
            await requireSafe(state);
            const { by } = flags;
            const { now, progress } = context.effects;
            const { run_id } = made.standing;
            const { store } = state;
            const sending = { target, store, period, run_id, by, start_id, now, progress };
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

/** What would be sent, and how far it is. */
interface Prepared extends Pick<StandingRun, 'standing'> {
    readonly waybills: readonly Waybill[];
    readonly problems: readonly DeliveryProblem[];
    /** Payers whose lines stay here, and lines of each. */
    readonly heldBack: readonly { readonly payer_id: string; readonly line_count: number }[];
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

type Rows = readonly (readonly [string, string])[];

const totalsText = (parcels: readonly { readonly currency: string; readonly amount: string }[]) => {
    const sums = Map.groupBy(parcels, ({ currency }) => currency);
    return [...sums]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([currency, of]) => {
            const sum = of.map(({ amount }) => parseAmount(amount)).reduce(add);
            return amountWithCode(moneyText(sum, currency), currency);
        })
        .join(', ');
};

function aboutText(
    target: Target,
    { standing, waybills: all, problems, heldBack }: Prepared,
): Rows {
    const parcels = all.map(({ parcel }) => parcel);
    const lineCount = parcels.reduce((sum, { line_count }) => sum + line_count, 0);
    return [
        ['target', `${target.name}, ${target.address}`],
        ['run', standing.run_id],
        [
            'in all',
            `${counted(parcels.length, 'parcel')} with ${counted(lineCount, 'line')}: ${totalsText(parcels) || 'nothing'}`,
        ],
        ...heldBack.map(
            ({ payer_id, line_count }) =>
                ['held', `${visible(payer_id)}: ${counted(line_count, 'line')}`] as const,
        ),
        ...problems.map(
            ({ code, severity, invoice_key, message }) =>
                [severity, `${code} ${visible(invoice_key)}: ${visible(message)}`] as const,
        ),
    ];
}

function dryAnswer(target: Target, made: Prepared): Answer {
    const { waybills: all, problems } = made;
    const verified = all.filter(({ last }) => last?.state === 'verified');
    const sending = all.filter(({ last }) => last?.state !== 'verified');
    const rows: Rows = [
        ...aboutText(target, made),
        ['there', `${counted(verified.length, 'parcel')}, read back before`],
        [
            'would send',
            sending.length === 0
                ? 'nothing'
                : `${counted(sending.length, 'parcel')}: ${totalsText(sending.map(({ parcel }) => parcel))}`,
        ],
        ['sent', 'nothing: this was a dry run, say --send'],
    ];
    return {
        exit: problems.some(({ severity }) => severity === 'refused') ? 1 : 0,
        text: textOf(rows),
        json: { ...jsonOf(target, made), is_sent: false, parcels: all },
    };
}

const textOf = (rows: Rows) =>
    `${rows.map(([name, text]) => `${name.padEnd(10)} ${text}`).join('\n')}\n`;

const jsonOf = ({ name, address }: Target, { standing, problems, heldBack }: Prepared) => ({
    target: name,
    address,
    period: standing.period,
    run_id: standing.run_id,
    held_back: heldBack,
    problems,
});

function sentAnswer(target: Target, made: Prepared, delivered: readonly Delivered[]): Answer {
    const open = delivered.filter((of) => of.state !== 'verified' || of.detail !== '');
    const ties = tiesOf(delivered);
    const untied = ties.filter(
        ({ ours, theirs }) =>
            ours.line_count !== theirs.line_count || ours.amount !== theirs.amount,
    );
    const isRefused = made.problems.some(({ severity }) => severity === 'refused');
    const rows: Rows = [
        ...aboutText(target, made),
        ['verified', counted(delivered.length - open.length, 'parcel')],
        ...open.map(
            ({ parcel, state, detail }) =>
                [state, `${visible(parcel.parcel_key)}: ${visible(detail)}`] as const,
        ),
        [
            'tie-out',
            untied.length === 0
                ? `zero for ${counted(ties.length, 'payer and currency', 'payers and currencies')}`
                : `NOT ZERO for ${untied.map(({ payer_id, currency }) => `${visible(payer_id)} (${currency})`).join(', ')}`,
        ],
    ];
    // Nobody said no: the next start goes on where this one is.
    const isOnItsWay = open.length > 0 && open.every(({ isPassing }) => isPassing);
    return {
        exit: isOnItsWay && !isRefused ? 75 : open.length + untied.length > 0 || isRefused ? 1 : 0,
        text: textOf(rows),
        json: { ...jsonOf(target, made), is_sent: true, delivered, ties },
    };
}

/** What we sent and what the target says that it has, by payer and currency. */
function tiesOf(delivered: readonly Delivered[]): readonly DeliveryTie[] {
    const groups = Map.groupBy(delivered, ({ parcel }) =>
        JSON.stringify([parcel.payer_id, parcel.currency]),
    );
    return [...groups.values()].map((of) => {
        const { payer_id, currency } = of[0]!.parcel;
        return {
            payer_id,
            currency,
            ours: sumOf(
                of.map(({ parcel }) => parcel),
                currency,
            ),
            theirs: sumOf(
                of.flatMap(({ counted: there }) => there ?? []),
                currency,
            ),
        };
    });
}

function sumOf(
    of: readonly { readonly line_count: number; readonly amount: string }[],
    currency: string,
): DeliveryTie['ours'] {
    const amounts = of.map(({ amount }) => parseAmount(amount));
    return {
        line_count: of.reduce((sum, { line_count }) => sum + line_count, 0),
        amount: moneyText(amounts.reduce(add, parseAmount('0')), currency),
    };
}
