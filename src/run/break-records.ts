import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { breaks } from '../../pipelines/70-reconcile/tables.ts';
import { eventShape, shapeColumns } from '../compile/shape.ts';
import type { Engine, Row } from '../duck/engine.ts';
import { quoteName } from '../duck/sql.ts';
import type { Break } from '../schema/break.ts';
import type { Config } from '../schema/config.ts';
import type { RunFolder } from './folders.ts';
import type { RowsFound } from './moved-rows.ts';
import { breakOf } from './outputs.ts';
import { inTables } from './tables.ts';

/** One row of an object, as the lake has it: where it stood, and what it says. */
export interface StoredRecord {
    readonly key: string;
    readonly line: string;
    /** Fields that it has, in the order of the input. */
    readonly fields: readonly (readonly [string, string])[];
}

/** A break with the records of both sides behind it. */
export interface BreakRecords {
    readonly of: Break;
    readonly usage: readonly StoredRecord[];
    readonly debits: readonly StoredRecord[];
    /** Objects whose rows are kept no more, or that something was erased from since. */
    readonly found: RowsFound;
}

/** Records of one side that are shown at most: the debits of a day may be thousands. */
export const RECORDS_LIMIT = 50;

/**
 * Reads a break of a run and the stored rows that it is about; null where the run does not have it.
 * @throws RunError RUN_NOT_FOUND, RUN_OUTDATED, ENGINE_LOCKED, RUN_DAMAGED
 */
export async function readBreakRecords(
    run: RunFolder,
    config: Config,
    break_id: string,
): Promise<BreakRecords | null> {
    const options = {
        ...{ rows: { config, ifLost: 'tell' } as const, contracts: [breaks] },
        ...{ memory: config.engine.memory, threads: 2, spill: join(tmpdir(), 'tieout-serve') },
    };
    return inTables(run, options, async (engine, found) => {
        const [row] = await engine.rows('select * from recon.breaks where break_id = $break_id', {
            break_id,
        });
        if (!row) return null;
        const of = breakOf(row);
        const usage = await recordsOf(engine, 'usage', usageFields(config), usageWhere(of));
        return {
            of,
            usage,
            debits: await recordsOf(engine, 'debit', debitFields, debitsWhere(of)),
            found,
        };
    });
}

const debitFields = [
    ...['entry_id', 'entry_type', 'event_id', 'authorization_id', 'account_id', 'wallet_id'],
    ...['asset', 'amount', 'quantity', 'unit', 'meter', 'aggregated', 'grant_id', 'reversal_of'],
    ...['occurred_at', 'booked_at', 'expires_at', 'sequence', 'suspense'],
];

const usageFields = (config: Config) => [
    ...['event_id', 'source', 'event_type', 'account_id', 'authorization_id', 'event_at'],
    ...Object.keys(shapeColumns(eventShape(config))),
    'suspense',
];

interface Where {
    readonly sql: string;
    readonly values: Readonly<Record<string, string>>;
}

/** Usage that a break names: by its event, or by the authorization that it was done under. */
function usageWhere({ event_id, authorization_id }: Break): Where {
    if (event_id !== null) return { sql: 'rows.event_id = $event_id', values: { event_id } };
    if (authorization_id === null) return nothing;
    return { sql: 'rows.authorization_id = $authorization_id', values: { authorization_id } };
}

/** Its entries, and all others of the event or the authorization: a hold explains a capture. */
function debitsWhere({ event_id, authorization_id, entry_ids }: Break): Where {
    const parts: readonly (readonly [string, string, string | null])[] = [
        ['event_id', 'rows.event_id = $event_id', event_id],
        ['authorization_id', 'rows.authorization_id = $authorization_id', authorization_id],
        [
            'entry_ids',
            "list_contains(string_split($entry_ids, ' '), rows.entry_id)",
            entry_ids === '' ? null : entry_ids,
        ],
    ];
    const said = parts.flatMap(([name, sql, value]) =>
        value === null ? [] : [{ name, sql, value }],
    );
    if (said.length === 0) return nothing;
    return {
        sql: said.map(({ sql }) => sql).join(' or '),
        values: Object.fromEntries(said.map(({ name, value }) => [name, value])),
    };
}

const nothing: Where = { sql: 'false', values: {} };

async function recordsOf(
    engine: Engine,
    role: 'usage' | 'debit',
    fields: readonly string[],
    { sql, values }: Where,
): Promise<readonly StoredRecord[]> {
    const columns = fields.map((name) => `rows.${quoteName(name)}::varchar as ${quoteName(name)}`);
    const rows = await engine.rows(
        `select objects.key as "key of object", rows.line_no::varchar as "line of object",
            ${columns.join(', ')}
        from raw.${role}_rows as rows
        inner join raw.objects as objects on rows.object_no = objects.object_no
        where ${sql}
        order by objects.key, rows.line_no
        limit ${RECORDS_LIMIT}`,
        values,
    );
    return rows.map((row) => recordOf(row, fields));
}

function recordOf(row: Row, fields: readonly string[]): StoredRecord {
    const said = fields.flatMap((name) => {
        const value = row[name];
        return value === null || value === undefined ? [] : [[name, String(value)] as const];
    });
    return { key: String(row['key of object']), line: String(row['line of object']), fields: said };
}
