import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { eventShape } from '../compile/shape.ts';
import type { Engine } from '../duck/engine.ts';
import { quoteName, quoteText } from '../duck/sql.ts';
import type { Config } from '../schema/config.ts';
import { type IngestedObject, type SourceOf, sourcesOf } from './ingest.ts';
import { isTogether, keysPath, ownFiles, togetherSql, verifyBatch } from './lake.ts';
import { typedRows } from './landing.ts';

/*
 * The keys of stored rows: hashes of the ids that link a row to others, by the place of the row. New
 * rows find what they touch among all older ones by them alone. A hash that is met by chance only
 * costs a second look: whatever is found is compared in full by the stages.
 */

const hashOf = (value: string) => `case when ${value} is not null then hash(${value}) end`;

const usageKeys = `${hashOf('event_id')} as event_hash,
    ${hashOf('authorization_id')} as authorization_hash,
    cast(null as ubigint) as entry_hash,
    cast(null as ubigint) as reversal_hash,
    case when account_id is not null and event_at is not null
        then hash(account_id, cast(event_at as date)) end as day_hash,
    ${hashOf('account_id')} as account_hash`;

const debitKeys = `${hashOf('event_id')} as event_hash,
    ${hashOf('authorization_id')} as authorization_hash,
    ${hashOf('entry_id')} as entry_hash,
    ${hashOf('reversal_of')} as reversal_hash,
    case when is_day_debit(aggregated, event_id, authorization_id, reversal_of, meter)
        then hash(account_id, cast(coalesce(occurred_at, booked_at) as date)) end as day_hash,
    ${hashOf('account_id')} as account_hash`;

/** The links by which rows belong together, and the keys that each is looked up in. */
export const links = [
    ['event_hash', 'event_hash'],
    ['authorization_hash', 'authorization_hash'],
    ['entry_hash', 'entry_hash'],
    ['entry_hash', 'reversal_hash'],
    ['reversal_hash', 'entry_hash'],
    ['day_hash', 'day_hash'],
] as const;

/**
 * Makes the keys of all rows of some objects readable, as a view of the given name: role, object_no,
 * line_no and the hashes. They are written once for each batch, when they are first asked for.
 * @param lake folder of the lake; keys lie beside the batches, and can be made again.
 */
export async function keysView(
    engine: Engine,
    config: Config,
    lake: string,
    objects: readonly IngestedObject[],
    name: string,
): Promise<void> {
    const parts: string[] = [];
    for (const source of sourcesOf(objects)) {
        const file = await keysFile(engine, config, lake, source);
        const places = source.batch.objects.map((_, index) => source.numbers.get(index + 1));
        const list = `cast([${places.map((no) => no ?? 'null').join(', ')}] as bigint[])`;
        parts.push(`select ${quoteText(source.role)} as role, * replace (${list}[object_no] as object_no)
            from read_parquet(${quoteText(file)}) where ${list}[object_no] is not null`);
    }
    const none = `select '' as role, cast(0 as bigint) as object_no, cast(0 as bigint) as line_no, ${[
        ...['event_hash', 'authorization_hash', 'entry_hash'],
        ...['reversal_hash', 'day_hash', 'account_hash'],
    ]
        .map((hash) => `cast(null as ubigint) as ${hash}`)
        .join(', ')} where false`;
    await engine.run(
        `create or replace temp view ${quoteName(name)} as ${[...parts, none].join('\nunion all by name\n')}`,
    );
}

async function keysFile(
    engine: Engine,
    config: Config,
    lake: string,
    { batch, input, role }: SourceOf,
): Promise<string> {
    const file = keysPath(lake, batch);
    if (existsSync(file)) return file;
    // Keys stay: they must not be those of rows with a changed byte.
    await verifyBatch(batch);
    mkdirSync(dirname(file), { recursive: true });
    const numbers = new Map(batch.objects.map((_, index) => [index + 1, index + 1]));
    const rows = isTogether(batch)
        ? togetherSql({ batch, numbers })
        : await typedRows(engine, input, role, ownFiles({ batch, numbers }), eventShape(config));
    const partial = `${file}.${process.pid}.partial`;
    await engine.run(
        `copy (select object_no, line_no, ${role === 'usage' ? usageKeys : debitKeys}
            from (${rows})) to ${quoteText(partial)} (format parquet)`,
    );
    renameSync(partial, file);
    return file;
}
