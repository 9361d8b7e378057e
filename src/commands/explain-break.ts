import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, Row } from '../duck/engine.ts';
import { counted, figure } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { trimmed } from '../run/decimals.ts';
import { entriesOf } from '../run/evidence-of-breaks.ts';
import { readBreaks } from '../run/outputs.ts';
import type { Project } from '../run/project.ts';
import { rawLines } from '../run/raw-lines.ts';
import type { Break } from '../schema/break.ts';
import type { CommandContext } from './command.ts';
import { type NotAsRead, notAsReadText } from './explain-rows.ts';

/** A record of one side of a break, and where it was read. */
interface SideRecord {
    readonly id: string;
    readonly what: string;
    readonly at: string;
    readonly key: string;
    readonly line: string;
    readonly raw?: string;
}

/** A break with what made it as large as it is, and the records of both sides. */
export interface BreakExplanation extends NotAsRead {
    readonly run_id: string;
    readonly break: Break;
    readonly causes: readonly Row[];
    /** So many of the events, where a whole day is compared. */
    readonly usage: readonly SideRecord[];
    readonly usage_count: string;
    readonly debits: readonly SideRecord[];
    /** The file that all of them were written into. */
    readonly list?: { readonly file: string; readonly record_count: number };
}

/** Breaks of a run whose id begins so. */
export async function breaksBeginning(engine: Engine, id: string): Promise<readonly Break[]> {
    const breaks = await readBreaks(engine);
    return breaks.filter(({ break_id }) => break_id.startsWith(id.toLowerCase()));
}

/** The events of a break: the one that it names, or those of its account and day. */
const usageSql = `select events.source, events.event_id, events.event_type, events.event_at, objects.key,
        events.line_no
    from mediated.usage_events as events
    inner join raw.objects as objects on events.object_no = objects.object_no
    where case
        when $event_id <> ''
            then $event_id in (events.event_id,
                'ambiguous:' || events.source || '/' || events.event_id)
        else events.account_id || '|' || events.event_on = $break_key
    end`;

const debitsSql = `select entries.input, entries.entry_id, entries.entry_type, entries.amount, entries.asset,
        entries.booked_at, objects.key, entries.line_no
    from mediated.debit_entries as entries
    inner join raw.objects as objects on entries.object_no = objects.object_no
    where entries.entry_id in (select unnest(from_json($entry_ids, '["VARCHAR"]')))
        or ($event_id <> '' and entries.event_id = $event_id)
    order by entries.booked_at, entries.sequence, entries.entry_id, entries.input`;

const inOrder = 'order by events.event_at, events.source, events.event_id';

/** All events and debit entries of a break, in order. */
export async function recordsOf(
    engine: Engine,
    of: Break,
): Promise<{ readonly usage: readonly Row[]; readonly debits: readonly Row[] }> {
    const { break_key } = of;
    const event_id = of.event_id ?? '';
    const entry_ids = JSON.stringify(entriesOf(of));
    return {
        usage: await engine.rows(`${usageSql} ${inOrder}`, { event_id, break_key }),
        debits: await engine.rows(debitsSql, { entry_ids, event_id }),
    };
}

/** Reads what is behind a break from the tables of its run, so many events at most. */
export async function breakTrace(
    engine: Engine,
    of: Break,
    limit: number,
): Promise<Omit<BreakExplanation, 'run_id' | 'list'>> {
    const { break_id, break_key } = of;
    const entry_ids = JSON.stringify(entriesOf(of));
    const event_id = of.event_id ?? '';
    const place = (row: Row) => ({ key: String(row.key), line: String(row.line_no) });
    const { usage_count } = await engine.one(
        `select count(*)::varchar as usage_count from (${usageSql})`,
        { event_id, break_key },
    );
    const usage = await engine.rows(`${usageSql} ${inOrder} limit ${limit}`, {
        event_id,
        break_key,
    });
    const debits = await engine.rows(debitsSql, { entry_ids, event_id });
    return {
        break: of,
        causes: await engine.rows(
            `select cause, amount, rate_ids, effective_from, detail from recon.break_causes
            where break_id = $break_id order by cause_no`,
            { break_id },
        ),
        usage_count: String(usage_count),
        usage: usage.map((row) => ({
            ...{ id: String(row.event_id), what: `from ${row.source}` },
            ...{ at: String(row.event_at), ...place(row) },
        })),
        debits: debits.map((row) => ({
            id: String(row.entry_id),
            what: `${row.entry_type} ${trimmed(row.amount)} ${row.asset}`,
            ...{ at: String(row.booked_at), ...place(row) },
        })),
    };
}

/** The same with the very lines of the objects, fetched again. */
export async function withRawRecords<T extends Pick<BreakExplanation, 'usage' | 'debits'>>(
    engine: Engine,
    trace: T,
    project: Project,
    context: CommandContext,
): Promise<T> {
    const store = await context.effects.openStore(project.config, project.folder);
    const folder = mkdtempSync(join(tmpdir(), 'tieout-raw-'));
    try {
        const wanted = [...trace.usage, ...trace.debits].map(({ key, line }) => ({
            key,
            line: BigInt(line),
        }));
        const lines = await rawLines(engine, store, wanted, folder, project.config);
        const withRaw = (record: SideRecord) => ({
            ...record,
            raw: lines.get(`${record.key}:${record.line}`) ?? '(not text)',
        });
        return { ...trace, usage: trace.usage.map(withRaw), debits: trace.debits.map(withRaw) };
    } finally {
        await store.close();
        rmSync(folder, { recursive: true, force: true });
    }
}

function recordText({ id, what, at, key, line, raw }: SideRecord): readonly string[] {
    return [
        `           ${at}  ${visible(id)}  ${visible(what)}  ${visible(key)}:${line}`,
        ...(raw === undefined ? [] : [`             ${visible(raw)}`]),
    ];
}

/** The same for people. */
export function breakText(of: BreakExplanation): string {
    const { break: broken, causes, usage, debits } = of;
    const asset = visible(broken.asset ?? '');
    const worth =
        broken.money_amount === null
            ? 'worth: not known'
            : `worth ${broken.money_amount} ${broken.currency ?? ''}`;
    const more = BigInt(of.usage_count) - BigInt(usage.length);
    const out = [
        `break      ${broken.break_id}`,
        `run        ${of.run_id}`,
        `what       ${broken.code} of ${visible(broken.break_key)}, ${counted(broken.age_days, 'day')} old`,
        `payer      ${visible(broken.payer_id ?? '(unknown)')}, for account ${visible(broken.account_id ?? '(unknown)')}`,
        `amount     ${broken.amount} ${asset}: usage says ${broken.expected}, debited ${broken.actual}; ${worth}`,
        `           ${visible(broken.detail)}`,
        ...(causes.length ? [`causes     together ${broken.amount} ${asset}`] : []),
        ...causes.map(
            ({ cause, amount, detail }) =>
                `           ${trimmed(amount)} ${String(cause).replaceAll('_', ' ')}${detail ? `: ${visible(String(detail))}` : ''}`,
        ),
        `usage      ${usage.length ? `${figure(of.usage_count)} event(s)` : 'no event'}`,
        ...usage.flatMap(recordText),
        ...(more > 0n
            ? [
                  `           and ${figure(more.toString())} more (--events N, or all with --out FILE.csv)`,
              ]
            : []),
        `debits     ${debits.length ? counted(debits.length, 'entry', 'entries') : 'no entry'}`,
        ...debits.flatMap(recordText),
        ...(of.list
            ? [`written    ${counted(of.list.record_count, 'record')} to ${visible(of.list.file)}`]
            : []),
        ...notAsReadText(of),
        `do         ${broken.action}`,
    ];
    return `${out.join('\n')}\n`;
}
