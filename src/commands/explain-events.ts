import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LineSide } from '../compile/meter-parts.ts';
import { lineEventsSql } from '../compile/meters.ts';
import { eventShape } from '../compile/shape.ts';
import { isAdditiveMeter } from '../compile/whole-meters.ts';
import type { Engine, Row } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import { figure } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { trimmed } from '../run/decimals.ts';
import type { Project } from '../run/project.ts';
import { rawLines } from '../run/raw-lines.ts';
import type { LineItem } from '../schema/line-item.ts';
import type { CommandContext } from './command.ts';

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

/** The events behind a line, some of them in full. */
export interface EventsTrace {
    readonly event_count: string;
    readonly event_quantity: string;
    /** What the meter makes of the quantities of events, where it does not add them. */
    readonly aggregation?: string;
    readonly events: readonly EventTrace[];
}

/** Reads the events behind a line from the tables of its run, so many of them in full. */
export async function eventsTrace(
    engine: Engine,
    { config }: Project,
    line: LineItem,
    side: LineSide,
    limit: number,
): Promise<EventsTrace> {
    const meter = config.meters.find((of) => of.meter === line.meter);
    if (!meter) {
        throw new RunError('USAGE', {
            detail: `the meter ${line.meter} of this line is no longer in the config`,
            remedy: 'Explain it with the tieout.yaml of its run, by --config.',
        });
    }
    const events = lineEventsSql(config, eventShape(config), meter, line.attributes, side);
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
        limit ${limit}`,
        where,
    );
    return {
        event_count: String(total.event_count),
        event_quantity: trimmed(total.quantity),
        ...(isAdditiveMeter(meter) ? {} : { aggregation: meter.aggregation }),
        events: await Promise.all(shown.map((event) => eventTrace(engine, event))),
    };
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

/** The same with the very lines of the objects, fetched again. */
export async function withRaw(
    engine: Engine,
    trace: EventsTrace,
    project: Project,
    context: CommandContext,
): Promise<EventsTrace> {
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

/** The same for people. */
export function eventsText(line: LineItem, trace: EventsTrace, isFee: boolean): readonly string[] {
    const out = [headline(line, trace, isFee)];
    for (const event of trace.events) {
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
    const more = BigInt(trace.event_count) - BigInt(trace.events.length);
    if (more > 0n) out.push(`           and ${figure(more.toString())} more (--events N)`);
    return out;
}

/** What the events have to do with the quantity of the line. */
function headline(line: LineItem, trace: EventsTrace, isFee: boolean): string {
    const { event_count, event_quantity, aggregation } = trace;
    if (isFee) {
        return 'events     the line is a fee; what the account used of the meter has no part in it';
    }
    if (aggregation !== undefined) {
        return `events     ${figure(event_count)} of the period; the line is their ${aggregation}, they are not added`;
    }
    const is = event_quantity === line.quantity ? 'the quantity' : 'NOT the quantity';
    return `events     ${figure(event_count)}, together ${figure(event_quantity)} ${line.unit}: ${is} of the line`;
}
