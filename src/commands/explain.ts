import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { charges } from '../../pipelines/50-roll-up/tables.ts';
import { breakCauses } from '../../pipelines/70-reconcile/cause-tables.ts';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import { lineAccounts, operatorSide } from '../compile/meter-parts.ts';
import type { Engine, Row } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import { counted, figure } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { latestRun, spokenPeriods } from '../run/books.ts';
import { requireRowsHere } from '../run/clickhouse/open.ts';
import { trimmed } from '../run/decimals.ts';
import type { RunFolder } from '../run/folders.ts';
import type { RowsFound } from '../run/moved-rows.ts';
import { readLines } from '../run/outputs.ts';
import type { Project } from '../run/project.ts';
import { fetchLake } from '../run/published.ts';
import { hasSales } from '../run/sale-outputs.ts';
import { saleEventsSql } from '../run/sell.ts';
import { inTables } from '../run/tables.ts';
import type { Break } from '../schema/break.ts';
import { isCharged, type LineItem } from '../schema/line-item.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { breaksBeginning, breakText, breakTrace, withRawRecords } from './explain-break.ts';
import {
    attachSales,
    type ChannelTrace,
    channelText,
    channelTrace,
    type Sale,
    saleLines,
} from './explain-channel.ts';
import { conversionOf, conversionText } from './explain-conversion.ts';
import { correctionText, correctionTrace } from './explain-correction.ts';
import { type EventsTrace, eventsText, eventsTrace, withRaw } from './explain-events.ts';
import { writeRecords } from './explain-list.ts';
import { otherText, otherTrace } from './explain-other.ts';
import { type PaidTrace, paidText, paidTrace } from './explain-paid.ts';
import { isFee, type PricedTrace, pricedText, pricedTraces } from './explain-priced.ts';
import { type NotAsRead, notAsRead, notAsReadText } from './explain-rows.ts';
import { requirePeriod } from './run.ts';

export interface ExplainFlags {
    readonly lineKey: string;
    readonly period?: string;
    /** How many events to show. */
    readonly events: number;
    /** Fetch the objects again and show the very lines. */
    readonly raw: boolean;
    /** Of a break: a new CSV file for all events and debit entries. */
    readonly out?: string;
}

/** A line with the run that it is of, and the sale where it is one of a seller. */
interface Found {
    readonly run: RunFolder;
    readonly line: LineItem;
    readonly sale?: Sale;
}

/** How a line came from metered usage to its amount. */
interface RatedTrace {
    readonly rate: Row;
    /** How its prices came from another currency; left out where the card is in this one. */
    readonly converted?: Row;
    readonly days: readonly Row[];
    /** How a rate with terms came to the amount; none for quantity x price. */
    /** More than one where the line sums up accounts that were priced apart. */
    readonly priced: readonly PricedTrace[];
    /** Which commitments count it, which wallets and grants paid it. */
    readonly paid: PaidTrace;
}

interface Explanation extends RatedTrace, EventsTrace, NotAsRead {
    readonly run_id: string;
    readonly line: LineItem;
    /** Who sells, of a line of a sale. */
    readonly seller_id?: string;
    /** The same usage at all levels, where it is sold on. */
    readonly channel?: ChannelTrace;
}

/** `tieout explain`: from a line, or a break, to its rate, its days, its events and their debits. */
export async function explain(flags: ExplainFlags, context: CommandContext): Promise<Answer> {
    const project = projectOf(context);
    const runs = await inState(project, context, async (state) => {
        const wanted = flags.period ? [requirePeriod(flags.period)] : await spokenPeriods(state);
        return Promise.all(wanted.map((period) => latestRun(state, period)));
    });
    if (runs.length === 0) {
        throw new RunError('RUN_NOT_FOUND', { detail: `no finished run in ${project.state}` });
    }
    const found = await findLine(flags.lineKey, runs, project);
    if (!found) return breakAnswer(flags, runs, project, context);
    const correction = await inState(project, context, (state) =>
        correctionTrace(state, found.run.runId, found.line),
    );
    if (correction) return { exit: 0, text: correctionText(correction), json: correction };
    if (!isCharged(found.line)) {
        const other = await inRun(found.run, project, (engine) =>
            otherTrace(engine, found.run.runId, found.line),
        );
        return { exit: 0, text: otherText(other), json: other };
    }
    requireRowsHere(found.run, 'the events of a line');
    const explanation = await explanationOf(found, flags, project, context);
    return { exit: 0, text: explanationText(explanation), json: explanation };
}

async function inRun<T>(
    run: RunFolder,
    project: Project,
    work: (engine: Engine, found: RowsFound) => Promise<T>,
    hasRows = true,
): Promise<T> {
    const options = {
        ...(hasRows ? { rows: { config: project.config, ifLost: 'tell' } as const } : {}),
        ...{ memory: project.config.engine.memory, threads: 2 },
        ...{
            spill: join(tmpdir(), 'tieout-explain'),
            contracts: [lineItems, charges, breakCauses],
        },
    };
    return inTables(run, options, work);
}

/** The one line whose key begins so; null for none. @throws RunError USAGE */
async function findLine(
    lineKey: string,
    runs: readonly RunFolder[],
    project: Project,
): Promise<Found | null> {
    const found: Found[] = [];
    for (const run of runs) {
        const lines = await inRun(run, project, linesOf);
        const wanted = lines.filter(({ line }) => line.line_key.startsWith(lineKey.toLowerCase()));
        found.push(...wanted.map((of) => ({ run, ...of })));
    }
    const [first = null] = found;
    if (found.length > 1) {
        throw new RunError('USAGE', {
            detail: `"${lineKey}" is the beginning of ${counted(found.length, 'line key')}`,
            remedy: 'Write more of the key, as it is in line_items.csv or sale_lines.csv.',
        });
    }
    return first;
}

/**
 * The one break whose id begins so, as the latest run that has it says.
 * @throws RunError LINE_NOT_FOUND, USAGE
 */
async function breakAnswer(
    flags: ExplainFlags,
    runs: readonly RunFolder[],
    project: Project,
    context: CommandContext,
): Promise<Answer> {
    const found = new Map<string, { readonly run: RunFolder; readonly broken: Break }>();
    for (const run of runs.toSorted((one, other) => (one.runId < other.runId ? -1 : 1))) {
        const breaks = await inRun(run, project, (engine) =>
            breaksBeginning(engine, flags.lineKey),
        );
        for (const broken of breaks) found.set(broken.break_id, { run, broken });
    }
    const [first] = found.values();
    if (!first) {
        const run = runs.map(({ runId }) => runId).join(', ');
        throw new RunError('LINE_NOT_FOUND', { line_key: flags.lineKey, run });
    }
    if (found.size > 1) {
        throw new RunError('USAGE', {
            detail: `"${flags.lineKey}" is the beginning of ${counted(found.size, 'break id')}`,
            remedy: 'Write more of the id, as it is in breaks.csv.',
        });
    }
    await inState(project, context, (state) => fetchLake(state, first.run));
    const explanation = await inRun(first.run, project, async (engine, rows) => {
        const { broken } = first;
        const trace = await breakTrace(engine, broken, flags.events);
        const list =
            flags.out === undefined
                ? {}
                : { list: await writeRecords(engine, broken, flags.out, context.cwd) };
        return {
            ...list,
            run_id: first.run.runId,
            ...(flags.raw ? await withRawRecords(engine, trace, project, context) : trace),
            ...notAsRead(rows),
        };
    });
    return { exit: 0, text: breakText(explanation), json: explanation };
}

/** The lines of a run, of the operator and of sellers. One that only reconciled has none. */
async function linesOf(engine: Engine): Promise<readonly Omit<Found, 'run'>[]> {
    const [exists] = await engine.rows(
        "select 1 from information_schema.tables where table_schema = 'invoice' and table_name = 'line_items'",
    );
    if (!exists) return [];
    return [...(await readLines(engine)).map((line) => ({ line })), ...(await saleLines(engine))];
}

/** A line of a sale is priced in tables of its own; the events behind it are those of the run. */
async function explanationOf(
    { run, line, sale }: Found,
    flags: ExplainFlags,
    project: Project,
    context: CommandContext,
): Promise<Explanation> {
    await inState(project, context, (state) => fetchLake(state, run));
    const own = sale ? { ...line, payer_id: sale.sale_id } : line;
    const tables = sale ? { ...run, database: run.sales } : run;
    // Tables of sales have no rows of objects: those are in the tables of the run.
    const rated = await inRun(tables, project, (engine) => ratedTrace(engine, own), !sale);
    const used = await inRun(run, project, async (engine, found) => {
        const isSold = await hasSales(engine);
        if (isSold) await attachSales(engine, run);
        const side = sale ? saleSide : operatorSide;
        const events = await eventsTrace(engine, project, own, side, flags.events);
        const channel =
            isSold && line.line_type === 'usage'
                ? await channelTrace(engine, own, side.tables)
                : undefined;
        return {
            ...(flags.raw ? await withRaw(engine, events, project, context) : events),
            ...notAsRead(found),
            ...(channel?.margins.length ? { channel } : {}),
        };
    });
    const seller = sale ? { seller_id: sale.seller_id } : {};
    return { run_id: run.runId, line, ...seller, ...rated, ...used };
}

const saleSide = { events: `(${saleEventsSql('compiled.events')})`, tables: 'sales.' };

async function ratedTrace(engine: Engine, line: LineItem): Promise<RatedTrace> {
    const { account_id, payer_id, meter, attributes, rate_id } = line;
    const converted = await conversionOf(engine, line);
    return {
        ...(converted ? { converted } : {}),
        rate: await engine.one(
            `select rate_id, card, card_version, unit_price, currency, mask, match_key, priority,
                effective_from, effective_to, file, line
            from rules.rates where rate_id = $rate_id`,
            { rate_id },
        ),
        days: await engine.rows(
            `select event_on, segment_at, quantity, event_count, amount from rated.usage
            where account_id in (${lineAccounts()}) and payer_id = $payer_id and meter = $meter
                and attributes = $attributes and rate_id = $rate_id
            order by event_on, segment_at`,
            { account_id, payer_id, meter, attributes, rate_id },
        ),
        priced: await pricedTraces(engine, line),
        paid: await paidTrace(engine, line),
    };
}

/** Terms make an amount of more than quantity x price: then that is what wallets are debited by. */
function quantityText({ line, priced, seller_id }: Explanation): string {
    const quantity = `           ${figure(line.quantity)} ${line.unit}`;
    if (priced.length === 0) return `${quantity} x ${line.unit_price}`;
    const list = seller_id === undefined ? 'the wallet takes' : 'listed at';
    return `${quantity}; ${list} ${line.unit_price} for one`;
}

function explanationText(of: Explanation): string {
    const { run_id, line, rate, converted, days, priced } = of;
    const span = `${rate.effective_from} to ${rate.effective_to ?? 'now'}`;
    const seller = of.seller_id === undefined ? '' : `, billed by ${visible(of.seller_id)}`;
    const out = [
        `line       ${line.line_key}`,
        `run        ${run_id}`,
        `payer      ${visible(line.payer_id)}, for account ${visible(line.account_id)}${seller}`,
        `what       ${visible(line.description)}`,
        `amount     ${line.amount} ${line.currency} = ${line.amount_exact} rounded once`,
        quantityText(of),
        `rate       ${rate.rate_id} in ${rate.file}:${rate.line}, ${span}`,
        `           matches ${rate.match_key}, priority ${rate.priority}, card ${rate.card} ${rate.card_version}`,
        ...(converted ? conversionText(line, converted) : []),
        ...priced.flatMap((one) => pricedText(line, one)),
        ...paidText(line, of.paid),
        ...(of.channel ? channelText(line, of.channel) : []),
        `metered    ${days.length} day(s)`,
        ...days.map(
            (day) =>
                `           ${day.event_on}  ${figure(trimmed(day.quantity)).padStart(18)}  ${String(day.event_count).padStart(8)} events  ${trimmed(day.amount)}`,
        ),
        ...notAsReadText(of),
        ...eventsText(line, of, isFee(priced)),
    ];
    return `${out.join('\n')}\n`;
}
