import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { charges } from '../../pipelines/50-roll-up/tables.ts';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import { lineAccounts } from '../compile/meter-parts.ts';
import { lineEventsSql } from '../compile/meters.ts';
import { eventShape } from '../compile/shape.ts';
import { isAdditiveMeter } from '../compile/whole-meters.ts';
import type { Engine, Row } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import { counted, figure } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { latestRun, latestRuns } from '../run/books.ts';
import { trimmed } from '../run/decimals.ts';
import type { RunFolder } from '../run/folders.ts';
import { readLines } from '../run/outputs.ts';
import type { Project } from '../run/project.ts';
import { rawLines } from '../run/raw-lines.ts';
import { inTables } from '../run/tables.ts';
import { isCharged, type LineItem } from '../schema/line-item.ts';
import { type Answer, type CommandContext, projectOf } from './command.ts';
import { conversionOf, conversionText } from './explain-conversion.ts';
import { correctionText, correctionTrace } from './explain-correction.ts';
import { otherText, otherTrace } from './explain-other.ts';
import { type PaidTrace, paidText, paidTrace } from './explain-paid.ts';
import { type PriceStep, priceSteps } from './explain-steps.ts';
import { requirePeriod } from './run.ts';

export interface ExplainFlags {
    readonly lineKey: string;
    readonly period?: string;
    /** How many events to show. */
    readonly events: number;
    /** Fetch the objects again and show the very lines. */
    readonly raw: boolean;
}

/** One event behind a line, where it was read, and the debits that name it. */
interface EventTrace {
    readonly source: string;
    readonly event_id: string;
    readonly event_at: string;
    readonly quantity: string;
    readonly key: string;
    readonly line: string;
    readonly raw?: string;
    readonly debits: readonly Row[];
}

interface Explanation {
    readonly run_id: string;
    readonly line: LineItem;
    readonly rate: Row;
    /** How its prices came from another currency; left out where the card is in this one. */
    readonly converted?: Row;
    readonly days: readonly Row[];
    /** How a rate with terms came to the amount; none for quantity x price. */
    /** More than one where the line sums up accounts that were priced apart. */
    readonly priced: readonly PricedTrace[];
    /** Which commitments count it, which wallets and grants paid it. */
    readonly paid: PaidTrace;
    readonly event_count: string;
    readonly event_quantity: string;
    /** What the meter makes of the quantities of events, where it does not add them. */
    readonly aggregation?: string;
    readonly events: readonly EventTrace[];
}

/** What a line was priced together with, and the tiers that all of it entered. */
interface PricedTrace {
    readonly terms: string;
    readonly quantity: string;
    readonly amount: string;
    readonly rounded: string;
    readonly line_count: string;
    readonly tiers: readonly Row[];
    readonly steps: readonly PriceStep[];
}

/** `tieout explain`: from a line to its rate, its days, its events and their debits. */
export async function explain(flags: ExplainFlags, context: CommandContext): Promise<Answer> {
    const project = projectOf(context);
    const runs = flags.period
        ? [await latestRun(project.state, requirePeriod(flags.period))]
        : await latestRuns(project.state);
    if (runs.length === 0) {
        throw new RunError('RUN_NOT_FOUND', { detail: `no finished run in ${project.state}` });
    }
    const found: { run: RunFolder; line: LineItem }[] = [];
    for (const run of runs) {
        const lines = await inRun(run, project, linesOf);
        const wanted = lines.filter(({ line_key }) =>
            line_key.startsWith(flags.lineKey.toLowerCase()),
        );
        found.push(...wanted.map((line) => ({ run, line })));
    }
    const [first] = found;
    if (!first) {
        const run = runs.map(({ runId }) => runId).join(', ');
        throw new RunError('LINE_NOT_FOUND', { line_key: flags.lineKey, run });
    }
    if (found.length > 1) {
        throw new RunError('USAGE', {
            detail: `"${flags.lineKey}" is the beginning of ${counted(found.length, 'line key')}`,
            remedy: 'Write more of the key, as it is in line_items.csv.',
        });
    }
    const correction = await correctionTrace(project.state, first.run.runId, first.line);
    if (correction) return { exit: 0, text: correctionText(correction), json: correction };
    if (!isCharged(first.line)) {
        const other = await inRun(first.run, project, (engine) =>
            otherTrace(engine, first.run.runId, first.line),
        );
        return { exit: 0, text: otherText(other), json: other };
    }
    const explanation = await explainIn(first.run, first.line, flags, project, context);
    return { exit: 0, text: explanationText(explanation), json: explanation };
}

async function inRun<T>(
    run: RunFolder,
    project: Project,
    work: (engine: Engine) => Promise<T>,
): Promise<T> {
    const options = {
        ...{ memory: project.config.engine.memory, threads: 2 },
        ...{ spill: join(tmpdir(), 'tieout-explain'), contracts: [lineItems, charges] },
    };
    return inTables(run, options, work);
}

/** The lines of a run. One that only reconciled has none. */
async function linesOf(engine: Engine): Promise<readonly LineItem[]> {
    const [exists] = await engine.rows(
        "select 1 from information_schema.tables where table_schema = 'invoice' and table_name = 'line_items'",
    );
    return exists ? readLines(engine) : [];
}

async function explainIn(
    run: RunFolder,
    line: LineItem,
    flags: ExplainFlags,
    project: Project,
    context: CommandContext,
): Promise<Explanation> {
    return inRun(run, project, async (engine) => {
        const trace = await traceOf(engine, run, line, flags, project);
        return flags.raw ? await withRaw(engine, trace, project, context) : trace;
    });
}

async function traceOf(
    engine: Engine,
    run: RunFolder,
    line: LineItem,
    flags: ExplainFlags,
    project: Project,
): Promise<Explanation> {
    const { config } = project;
    const keys = {
        account_id: line.account_id,
        payer_id: line.payer_id,
        meter: line.meter,
        attributes: line.attributes,
        rate_id: line.rate_id,
    };
    const meter = config.meters.find((of) => of.meter === line.meter);
    if (!meter) {
        throw new RunError('USAGE', {
            detail: `the meter ${line.meter} of this line is no longer in the config`,
            remedy: 'Explain it with the tieout.yaml of its run, by --config.',
        });
    }
    const events = lineEventsSql(config, eventShape(config), meter, line.attributes);
    const where = { account_id: line.account_id, payer_id: line.payer_id, rate_id: line.rate_id };
    const total = await engine.one(
        `select count(*) as event_count, coalesce(sum(quantity), 0) as quantity from (${events})`,
        where,
    );
    const shown = await engine.rows(
        `select events.*, objects.key
        from (${events}) as events
        inner join raw.objects as objects on events.object_no = objects.object_no
        order by events.event_at, events.source, events.event_id
        limit ${flags.events}`,
        where,
    );
    const converted = await conversionOf(engine, line);
    return {
        run_id: run.runId,
        line,
        ...(converted ? { converted } : {}),
        rate: await engine.one(
            `select rate_id, card, card_version, unit_price, currency, mask, match_key, priority,
                effective_from, effective_to, file, line
            from rules.rates where rate_id = $rate_id`,
            { rate_id: line.rate_id },
        ),
        days: await engine.rows(
            `select event_on, segment_at, quantity, event_count, amount from rated.usage
            where account_id in (${lineAccounts}) and payer_id = $payer_id and meter = $meter
                and attributes = $attributes and rate_id = $rate_id
            order by event_on, segment_at`,
            keys,
        ),
        priced: await pricedTraces(engine, line),
        paid: await paidTrace(engine, line),
        event_count: String(total.event_count),
        event_quantity: trimmed(total.quantity),
        ...(isAdditiveMeter(meter) ? {} : { aggregation: meter.aggregation }),
        events: await Promise.all(shown.map((event) => eventTrace(engine, event))),
    };
}

async function pricedTraces(engine: Engine, line: LineItem): Promise<readonly PricedTrace[]> {
    const charges = await engine.rows(
        `select distinct charges.line_id, rates.terms
        from rolled.charges as charges
        inner join rules.rates as rates on charges.rate_id = rates.rate_id
        where charges.line_id is not null and charges.payer_id = $payer_id
            and charges.account_id in (${lineAccounts}) and charges.product = $product
            and charges.meter = $meter and charges.attributes = $attributes
            and charges.rate_id = $rate_id
        order by charges.line_id`,
        {
            ...{ payer_id: line.payer_id, account_id: line.account_id, product: line.product },
            ...{ meter: line.meter, attributes: line.attributes, rate_id: line.rate_id },
        },
    );
    return Promise.all(
        charges.map(({ line_id, terms }) => pricedTrace(engine, String(line_id), String(terms))),
    );
}

async function pricedTrace(engine: Engine, line_id: string, terms: string): Promise<PricedTrace> {
    const whole = await engine.one(
        `select sum(quantity) as quantity, sum(amount) as amount, sum(rounded) as rounded,
            count(*) as line_count
        from rolled.charges where line_id = $line_id`,
        { line_id },
    );
    return {
        terms,
        quantity: trimmed(whole.quantity),
        amount: trimmed(whole.amount),
        rounded: trimmed(whole.rounded),
        line_count: String(whole.line_count),
        tiers: await engine.rows(
            `select tier_no, from_quantity, to_quantity, quantity, unit_price, flat_fee, amount
            from rolled.charge_tiers where line_id = $line_id order by tier_no`,
            { line_id },
        ),
        steps: await priceSteps(engine, line_id, terms),
    };
}

/** The terms in full, the tiers entered, and what the line is a share of. */
function pricedText(line: LineItem, priced: PricedTrace): readonly string[] {
    const { quantity, amount, rounded, line_count } = priced;
    const share =
        line_count === '1'
            ? []
            : [
                  `           its share of ${figure(quantity)} ${line.unit}, ${amount}, rounded once to ${rounded} for ${figure(line_count)} lines`,
              ];
    return [
        `priced     ${visible(priced.terms)}`,
        ...priced.tiers.map((tier) => {
            const bound =
                tier.to_quantity === null ? 'up' : `to ${figure(trimmed(tier.to_quantity))}`;
            const price = tier.unit_price === null ? '' : ` x ${trimmed(tier.unit_price)}`;
            return `           from ${figure(trimmed(tier.from_quantity))} ${bound}: ${figure(trimmed(tier.quantity))}${price}, fees ${trimmed(tier.flat_fee)}: ${trimmed(tier.amount)}`;
        }),
        ...stepsText(priced),
        ...share,
    ];
}

/** From what the tiers give to the amount; of a single step the tiers have said all. */
function stepsText({ steps, amount }: PricedTrace): readonly string[] {
    if (steps.length < 2) return [];
    return [
        ...steps.map(({ step, amount: added }) => `           ${visible(step)}: ${added}`),
        `           together: ${amount}`,
    ];
}

async function eventTrace(engine: Engine, event: Row): Promise<EventTrace> {
    const debits = await engine.rows(
        `select entries.entry_id, entries.entry_type, entries.amount, entries.asset,
            entries.quantity, entries.booked_at, objects.key, entries.line_no
        from mediated.debit_entries as entries
        inner join raw.objects as objects on entries.object_no = objects.object_no
        where entries.event_id = $event_id
        order by entries.booked_at, entries.entry_id`,
        { event_id: String(event.event_id) },
    );
    return {
        source: String(event.source),
        event_id: String(event.event_id),
        event_at: String(event.event_at),
        quantity: trimmed(event.quantity),
        key: String(event.key),
        line: String(event.line_no),
        debits,
    };
}

async function withRaw(
    engine: Engine,
    trace: Explanation,
    project: Project,
    context: CommandContext,
): Promise<Explanation> {
    const store = await context.effects.openStore(project.config, project.folder);
    const folder = mkdtempSync(join(tmpdir(), 'tieout-raw-'));
    try {
        const wanted = trace.events.map(({ key, line }) => ({ key, line: BigInt(line) }));
        const lines = await rawLines(engine, store, wanted, folder, project.config);
        return {
            ...trace,
            events: trace.events.map((event) => ({
                ...event,
                raw: lines.get(`${event.key}:${event.line}`) ?? '(not text)',
            })),
        };
    } finally {
        await store.close();
        rmSync(folder, { recursive: true, force: true });
    }
}

const isFee = (priced: readonly PricedTrace[]) =>
    priced.some(({ terms }) => JSON.parse(terms).model === 'flat');

function explanationText({
    run_id,
    line,
    rate,
    converted,
    days,
    priced,
    ...rest
}: Explanation): string {
    const span = `${rate.effective_from} to ${rate.effective_to ?? 'now'}`;
    const out = [
        `line       ${line.line_key}`,
        `run        ${run_id}`,
        `payer      ${visible(line.payer_id)}, for account ${visible(line.account_id)}`,
        `what       ${visible(line.description)}`,
        `amount     ${line.amount} ${line.currency} = ${line.amount_exact} rounded once`,
        priced.length
            ? `           ${figure(line.quantity)} ${line.unit}; the wallet takes ${line.unit_price} for one`
            : `           ${figure(line.quantity)} ${line.unit} x ${line.unit_price}`,
        `rate       ${rate.rate_id} in ${rate.file}:${rate.line}, ${span}`,
        `           matches ${rate.match_key}, priority ${rate.priority}, card ${rate.card} ${rate.card_version}`,
        ...(converted ? conversionText(line, converted) : []),
        ...priced.flatMap((of) => pricedText(line, of)),
        ...paidText(line, rest.paid),
        `metered    ${days.length} day(s)`,
        ...days.map(
            (day) =>
                `           ${day.event_on}  ${figure(trimmed(day.quantity)).padStart(18)}  ${String(day.event_count).padStart(8)} events  ${trimmed(day.amount)}`,
        ),
        rest.aggregation === undefined && !isFee(priced)
            ? `events     ${figure(rest.event_count)}, together ${figure(rest.event_quantity)} ${line.unit}: ${rest.event_quantity === line.quantity ? 'the quantity of the line' : 'NOT the quantity of the line'}`
            : isFee(priced)
              ? 'events     the line is a fee; what the account used of the meter has no part in it'
              : `events     ${figure(rest.event_count)} of the period; the line is their ${rest.aggregation}, they are not added`,
    ];
    for (const event of rest.events) {
        out.push(
            `           ${event.event_at}  ${visible(event.event_id)}  ${figure(event.quantity)}  ${visible(event.key)}:${event.line}`,
        );
        if (event.raw !== undefined) out.push(`             ${visible(event.raw)}`);
        for (const debit of event.debits) {
            out.push(
                `             ${debit.entry_type} ${trimmed(debit.amount)} ${debit.asset} at ${debit.booked_at}  ${visible(String(debit.entry_id))}  ${visible(String(debit.key))}:${debit.line_no}`,
            );
        }
        if (event.debits.length === 0) out.push('             no debit names it');
    }
    const more = BigInt(rest.event_count) - BigInt(rest.events.length);
    if (more > 0n) out.push(`           and ${figure(more.toString())} more (--events N)`);
    return `${out.join('\n')}\n`;
}
