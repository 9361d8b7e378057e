import type { Engine, Row } from '../duck/engine.ts';
import { compareText } from '../export/order.ts';
import type { Break } from '../schema/break.ts';
import type { BreakEvidence, RawRecord } from '../schema/report.ts';
import { trimmed } from './decimals.ts';

/** Records that a break shows of each side: a day of an account may have thousands. */
const LIMIT = 8;

/**
 * Ids of the entries of a break. In its list a space of an id is `%20`: whoever looks for an id that has
 * either finds it.
 */
export function entriesOf({ entry_ids }: Pick<Break, 'entry_ids'>): readonly string[] {
    const listed = entry_ids.split(' ').filter(Boolean);
    return [...new Set(listed.flatMap((id) => [id, id.replaceAll('%20', ' ')]))];
}

/** Names that no field of an event can have: where a record is, and for which break. */
const place = { break_id: '@break', key: '@key', line: '@line', all: '@all' } as const;

const wantedSql = `
    wanted as (
        select unnest(from_json($wanted, '[{"break_id": "VARCHAR", "event_id": "VARCHAR",
            "authorization_id": "VARCHAR", "entry_ids": ["VARCHAR"], "day_account": "VARCHAR",
            "day": "DATE"}]'), recursive := true)
    )`;

/** An event is named by its id, by the authorization that it names, or by its account and day. */
const usageSql = `
    with ${wantedSql},

    named as (
        select wanted.break_id, events.object_no, events.line_no, events.event_at
        from mediated.usage_events as events
        inner join wanted on events.event_id = wanted.event_id
        union all
        select wanted.break_id, events.object_no, events.line_no, events.event_at
        from mediated.usage_events as events
        inner join wanted
            on wanted.event_id is null and events.authorization_id = wanted.authorization_id
        union all
        select wanted.break_id, events.object_no, events.line_no, events.event_at
        from mediated.usage_events as events
        inner join wanted
            on events.account_id = wanted.day_account and events.event_on = wanted.day
    ),

    placed as (
        select named.*, objects.key,
            row_number() over (
                partition by named.break_id order by named.event_at, objects.key, named.line_no
            ) as place_no,
            count(*) over (partition by named.break_id) as all_count
        from named inner join raw.objects as objects on named.object_no = objects.object_no
    )

    select placed.break_id as "@break", placed.key as "@key", placed.line_no as "@line",
        placed.all_count as "@all", events.* exclude (object_no, line_no)
    from placed
    inner join mediated.usage_events as events
        on placed.object_no = events.object_no and placed.line_no = events.line_no
    where placed.place_no <= ${LIMIT}
    order by "@break", placed.place_no`;

/** A debit entry by its id, and whatever else names the same event or authorization. */
const debitSql = `
    with ${wantedSql},

    named as (
        select wanted.break_id, entries.object_no, entries.line_no
        from mediated.debit_entries as entries
        inner join (select break_id, unnest(entry_ids) as entry_id from wanted) as wanted
            on entries.entry_id = wanted.entry_id
        union all
        select wanted.break_id, entries.object_no, entries.line_no
        from mediated.debit_entries as entries
        inner join wanted on entries.event_id = wanted.event_id
        union all
        select wanted.break_id, entries.object_no, entries.line_no
        from mediated.debit_entries as entries
        inner join wanted on entries.authorization_id = wanted.authorization_id
    ),

    places as (select break_id, object_no, line_no from named group by all)

    select places.break_id as "@break", objects.key as "@key", places.line_no as "@line",
        count(*) over (partition by places.break_id) as "@all",
        entries.* exclude (object_no, line_no)
    from places
    inner join mediated.debit_entries as entries
        on places.object_no = entries.object_no and places.line_no = entries.line_no
    inner join raw.objects as objects on places.object_no = objects.object_no
    qualify row_number() over (
        partition by places.break_id order by entries.booked_at, objects.key, places.line_no
    ) <= ${LIMIT}
    order by "@break", entries.booked_at, "@key", "@line"`;

/** The copies of an event or entry that do not count, as they are told: their content is JSON. */
const repeatsSql = (side: 'usage' | 'debit') => `
    with ${wantedSql},

    ids as (
        ${
            side === 'usage'
                ? 'select break_id, event_id as record_id from wanted'
                : 'select break_id, unnest(entry_ids) as record_id from wanted'
        }
    )

    select ids.break_id as "@break", objects.key as "@key", repeats.line_no as "@line",
        repeats.kind as "copy that does not count", repeats.content
    from mediated.${side}_repeats as repeats
    inner join ids on repeats.record_id = ids.record_id
    inner join raw.objects as objects on repeats.object_no = objects.object_no
    qualify row_number() over (
        partition by ids.break_id order by objects.key, repeats.line_no
    ) <= ${LIMIT}
    order by "@break", "@key", "@line"`;

/**
 * Both sides of some breaks as the lake has them: one query a side, however many breaks. A break of a
 * whole day shows its first events, and how many there are.
 */
export async function readEvidence(
    engine: Engine,
    breaks: readonly Break[],
): Promise<readonly BreakEvidence[]> {
    if (breaks.length === 0) return [];
    const wanted = JSON.stringify(
        breaks.map(({ break_id, event_id, authorization_id, entry_ids, break_key }) => ({
            ...{ break_id, event_id, authorization_id },
            ...dayOf({ event_id, authorization_id, break_key }),
            entry_ids: entriesOf({ entry_ids }),
        })),
    );
    const counts = { usage: new Map<string, number>(), debits: new Map<string, number>() };
    const records = async (
        side: keyof typeof counts,
        table: string,
        ...statements: readonly string[]
    ) => {
        const decimals = await decimalsOf(engine, table);
        const found: (readonly [string, RawRecord])[] = [];
        for (const sql of statements) {
            const rows = await engine.rows(sql, { wanted });
            for (const row of rows) {
                if (row[place.all] === undefined) continue;
                counts[side].set(
                    String(row[place.break_id]),
                    Number.parseInt(String(row[place.all]), 10),
                );
            }
            found.push(
                ...rows.map(
                    (row) => [String(row[place.break_id]), recordOf(row, decimals)] as const,
                ),
            );
        }
        return Map.groupBy(found, ([break_id]) => break_id);
    };
    const usage = await records('usage', 'mediated.usage_events', usageSql, repeatsSql('usage'));
    const debits = await records('debits', 'mediated.debit_entries', debitSql, repeatsSql('debit'));
    const ofBreak = (all: typeof usage, break_id: string) =>
        (all.get(break_id) ?? []).map(([, record]) => record);
    return breaks
        .map(({ break_id }) => ({
            break_id,
            usage: ofBreak(usage, break_id),
            debits: ofBreak(debits, break_id),
            usage_count: counts.usage.get(break_id) ?? 0,
            debit_count: counts.debits.get(break_id) ?? 0,
        }))
        .filter((of) => of.usage.length + of.debits.length > 0)
        .sort((a, b) => compareText(a.break_id, b.break_id));
}

/** The account and day that a break is of as a whole; nulls for any other. */
function dayOf({
    event_id,
    authorization_id,
    break_key,
}: Pick<Break, 'event_id' | 'authorization_id' | 'break_key'>) {
    const [, day_account = null, day = null] =
        event_id === null && authorization_id === null
            ? (/^(.*)\|(\d{4}-\d\d-\d\d)$/s.exec(break_key) ?? [])
            : [];
    return { day_account, day };
}

/** Columns whose text has zeros that only their scale adds: an attribute keeps its own. */
async function decimalsOf(engine: Engine, table: string): Promise<ReadonlySet<string>> {
    const columns = await engine.rows(`describe ${table}`);
    return new Set(
        columns
            .filter(({ column_type }) => String(column_type).startsWith('DECIMAL'))
            .map(({ column_name }) => String(column_name)),
    );
}

const isPlace = new Set<string>(Object.values(place));

function recordOf(row: Row, decimals: ReadonlySet<string>): RawRecord {
    const fields = Object.entries(row).filter(
        ([name, value]) => !isPlace.has(name) && value !== null && value !== undefined,
    );
    return {
        key: String(row[place.key]),
        line: String(row[place.line]),
        fields: fields.map(([name, value]) => ({
            name,
            value: decimals.has(name) ? trimmed(value) : String(value),
        })),
    };
}
