import { join } from 'node:path';
import * as mediated from '../../../pipelines/20-mediate/clickhouse/tables.ts';
import * as compared from '../../../pipelines/70-reconcile/clickhouse/tables.ts';
import { reconcile } from '../../../pipelines/70-reconcile/stage.ts';
import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import {
    eventsClickSql,
    eventsTable,
    eventValuesClickSql,
    meterCount,
    priceColumns,
    pricesForClickSql,
} from '../../compile/clickhouse/events.ts';
import { debitRowsClickSql, usageRowsClickSql } from '../../compile/clickhouse/rows.ts';
import { beginning } from '../../compile/meters.ts';
import { eventShape } from '../../compile/shape.ts';
import type { Engine } from '../../duck/engine.ts';
import { quoteText } from '../../duck/sql.ts';
import type { Progress } from '../../effects.ts';
import { RunError } from '../../errors/index.ts';
import type { History } from '../../schema/certificate.ts';
import type { DebitInput, UsageInput } from '../../schema/config.ts';
import { readStageSql } from '../../stage/run.ts';
import { parseInstant } from '../../time/instant.ts';
import { boundariesIn } from '../basis.ts';
import type { RunFolder } from '../folders.ts';
import { fillObjects, type IngestedObject, lookAt } from '../ingest.ts';
import type { InputListing } from '../listing.ts';
import type { CompiledPeriod, Project } from '../project.ts';
import { bringMetered, takeShares } from './carried.ts';
import { type PlacedSet, pinnedObjects, pinObjects, placedSets, sourceOf } from './objects.ts';
import { returnedFolder } from './open.ts';
import { withRates } from './prices.ts';
import { bringRows, parquetColumns, type Returning } from './returned.ts';
import { ClickSession, parquetOf } from './session.ts';
import { clickStatement } from './statements.ts';

/*
 * The event-scale work of a night on ClickHouse. The server reads the objects, and of each event
 * decides whether its outcome is certain: read in the usual form, there once, of a known account,
 * with at most one plain debit that agrees, linked with nothing else. Of these only sums come back,
 * as what the stages add to what they find themselves. All other rows come back as they are stored,
 * and the stages look at them. So whatever is strange is decided by one SQL, here.
 */

export interface Counting {
    readonly engine: Engine;
    readonly clickhouse: ClickHouse;
    readonly project: Project;
    readonly promises: CompiledPeriod['promises'];
    readonly listings: readonly InputListing[];
    readonly run: RunFolder;
    /** Address of the store, for people. */
    readonly store: string;
    readonly progress: Progress;
}

/** What was counted, in place of objects that landed and of an earlier run. */
export interface Counted {
    readonly objects: readonly IngestedObject[];
    readonly history: History;
}

/**
 * Counts what is certain on ClickHouse, and lets the stages look at the rest.
 * @throws RunError CLICKHOUSE_*, OBJECT_*, CONTRACT_MISMATCH
 */
export async function countThere(of: Counting): Promise<Counted> {
    const { engine, project, run, progress } = of;
    const { config } = project;
    const source = sourceOf(config);
    const sets = placedSets(of.listings);
    const session = await ClickSession.open(of.clickhouse, engine, join(run.scratch, 'clickhouse'));
    await engine.run(`attach ${quoteText(join(run.scratch, 'lines.duckdb'))} as scratch`);
    const returning: Returning = {
        ...{ session, source, store: of.store, shape: eventShape(config) },
        folder: join(run.folder, returnedFolder),
    };
    progress.begin('pin');
    const entries = new Map(
        of.listings.flatMap((listing) =>
            listing.entries.map((entry) => [entry.key, entry] as const),
        ),
    );
    const pins = new Map<PlacedSet, Awaited<ReturnType<typeof pinObjects>>>();
    for (const set of sets)
        pins.set(set, await pinObjects(session, source, of.store, set, entries));
    progress.end(`${entries.size} objects`);
    progress.begin('read there');
    await uploadKnown(session, sets, source.pathPrefix, entries);
    const columns = await readRows(of, session, returning, sets);
    progress.end();
    progress.begin('compare there');
    const unread = await bringUnread(returning, sets, columns);
    await compare(of, session, unread);
    progress.end();
    progress.begin('bring back');
    const count = await requireFew(session, config.engine.clickhouse?.returned_rows ?? 0);
    const parts = await bringTouched(returning, sets, columns, unread);
    await takeShares(session, config);
    const lines = await lineCounts(session);
    await engine.run('detach scratch');
    const objects = sets
        .flatMap((set) =>
            pinnedObjects(
                config,
                returning.folder,
                set,
                entries,
                pins.get(set) ?? new Map(),
                lines,
            ),
        )
        .sort((one, other) => one.object_no - other.object_no);
    await fillObjects(engine, objects);
    await lookAt(engine, config, parts);
    progress.end(`${count.returned} of ${count.rows} rows`);
    return {
        objects,
        history: {
            from: null,
            because: 'engine.clickhouse is set',
            counted_there: String(count.rows - count.returned),
            looked_at: String(count.returned),
        },
    };
}

const micros = (column: string) =>
    `cast(epoch_us(${column}) as varchar) as ${column.replace(/_(from|to|start|end)$/, '_$1_us')}`;

/** What is known of accounts, objects and the period. */
async function uploadKnown(
    session: ClickSession,
    sets: readonly PlacedSet[],
    prefix: string,
    entries: ReadonlyMap<string, { readonly etag: string }>,
): Promise<void> {
    await session.create(mediated.objects);
    const lines = sets.flatMap(({ keys, numbers }) =>
        keys.map((key) =>
            JSON.stringify({
                path: `${prefix}${key}`,
                etag: entries.get(key)?.etag ?? '',
                object_no: numbers.get(key),
            }),
        ),
    );
    await session.clickhouse.insert(mediated.objects.name, `${lines.join('\n')}\n`);
    await session.upload(
        mediated.paths,
        `select account_id, ${['valid_from', 'valid_to', 'period_start', 'period_end'].map(micros).join(', ')},
            payer_id, pool_id, currency, wallet_asset, wallet_shape, is_prepaid, book_id, channel_id
        from accounts.paths
        semi join accounts.spans using (account_id)`,
    );
    await session.upload(
        mediated.parameters,
        `select ${['period_start', 'period_end'].map(micros).join(', ')} from run.parameters`,
    );
}

/** Reads all objects there. @returns the columns of sets of Parquet. */
async function readRows(
    { project: { assets } }: Counting,
    session: ClickSession,
    returning: Returning,
    sets: readonly PlacedSet[],
): Promise<ReadonlyMap<PlacedSet, readonly string[]>> {
    const { source, shape } = returning;
    const columns = new Map<PlacedSet, readonly string[]>();
    const selects = { usage: [] as string[], debits: [] as string[] };
    for (const set of sets) {
        const own = set.format === 'parquet' ? await parquetColumns(returning, set) : [];
        columns.set(set, own);
        const available = set.format === 'parquet' ? new Set(own) : null;
        selects[set.role].push(
            set.role === 'usage'
                ? usageRowsClickSql(source, set, set.of as UsageInput, shape, available)
                : debitRowsClickSql(
                      source,
                      set,
                      set.of as DebitInput,
                      Object.keys(assets),
                      available,
                  ),
        );
    }
    await session.make(mediated.usageRows(shape), selects.usage);
    await session.make(mediated.debitRows, selects.debits);
    return columns;
}

/** Selects of typed rows, by the set that they are of. */
type Brought = ReadonlyMap<PlacedSet, string>;

const tableOf = { usage: 'usage_rows', debits: 'debit_rows' } as const;
const ofSet = ({ numbers, keys }: PlacedSet) =>
    `object_no in (${keys.map((key) => numbers.get(key)).join(', ')})`;

/** Rows that are not read there: whatever is strange about them. */
async function bringUnread(
    returning: Returning,
    sets: readonly PlacedSet[],
    columns: ReadonlyMap<PlacedSet, readonly string[]>,
): Promise<Brought> {
    const brought = new Map<PlacedSet, string>();
    for (const set of sets) {
        const where = `select object_no, line_no from ${tableOf[set.role]} where not is_read and ${ofSet(set)}`;
        brought.set(set, await bringRows(returning, set, columns.get(set) ?? [], 'unread', where));
    }
    return brought;
}

/** By which ids a row is linked with others, and what each is of. */
const links = {
    usage: { event_id: 'event', authorization_id: 'authorization' },
    debits: {
        ...{ event_id: 'event', authorization_id: 'authorization' },
        ...{ entry_id: 'entry', reversal_of: 'entry', account_id: 'account' },
    },
} as const;

/** What rows that are not read there name, as this engine reads them. */
function seenSql(unread: Brought): string {
    const selects = [...unread].flatMap(([{ role }, rows]) =>
        Object.entries(links[role]).map(
            ([column, kind]) => `select '${kind}' as kind, ${column} as seen from (${rows})`,
        ),
    );
    return `select kind, seen from (${selects.join('\nunion all\n')})
        where seen is not null group by kind, seen`;
}

/** Decides of which events the outcome is certain. */
async function compare(of: Counting, session: ClickSession, unread: Brought): Promise<void> {
    const { project, promises } = of;
    const { config, assets } = project;
    const shape = eventShape(config);
    await session.upload(mediated.seenKeys, seenSql(unread));
    await session.make(mediated.entries, [clickStatement('20-mediate', 'entries')]);
    await session.make(mediated.touchedEvents, [clickStatement('20-mediate', 'touched_events')]);
    const boundaries = boundariesIn(project, promises).all.map(instantOf);
    await session.make(eventsTable(config, shape), [
        eventsClickSql(config, shape, assets, boundaries, instantOf(beginning)),
    ]);
    const metered = await bringMetered(
        session,
        config,
        'event_id not in (select event_id from touched_events)',
        'priced',
    );
    await withRates(of.engine, metered, async () => {
        for (let at = 0; at < meterCount(config); at += 1) {
            const prices = {
                name: `prices_${at}`,
                order: ['segment_us'],
                columns: priceColumns(config, at),
            };
            await session.upload(prices, pricesForClickSql(config, at));
        }
    });
    await session.upload(compared.walletAssets, walletAssetsSql(of));
    await session.make(compared.loggedAccounts, [
        clickStatement('70-reconcile', 'logged_accounts'),
    ]);
    await session.make(compared.eventValues, [eventValuesClickSql(config, shape)]);
    await session.make(compared.certain, [clickStatement('70-reconcile', 'certain')]);
    await session.make(mediated.returned, [clickStatement('20-mediate', 'returned')]);
}

const instantOf = (timestamp: string) => parseInstant(`${timestamp.replace(' ', 'T')}Z`);

/** A tolerance by percent is left to the stage: there, only equal amounts of it are certain. */
function walletAssetsSql({ project: { config, assets } }: Counting): string {
    const text = readStageSql(reconcile(config, assets)).selects['recon.wallet_assets'] ?? '';
    return `select asset, kind, cast(tolerance as varchar) as tolerance,
        is_tolerant and tolerance_percent = 0 as is_tolerant,
        [cast(epoch_us(since) as varchar) for since in coalesce(rate_changes, [])] as rate_changes
        from (${text})`;
}

/** Counts rows, and those that come back. @throws RunError CLICKHOUSE_MANY_RETURNED */
export async function requireFew(session: Pick<ClickSession, 'rows'>, limit: number) {
    const [row = {}] = await session.rows(`select
        (select toString(count()) from returned) as returned,
        toString((select count() from usage_rows) + (select count() from debit_rows)) as stored,
        toString((select countIf(not is_read) from usage_rows) + (select countIf(not is_read) from debit_rows)) as unread`);
    const number = (value: unknown) => Number.parseInt(String(value), 10);
    const count = {
        returned: number(row.returned),
        rows: number(row.stored),
        unread: number(row.unread),
    };
    if (count.returned > limit) throw new RunError('CLICKHOUSE_MANY_RETURNED', { ...count, limit });
    return count;
}

/** The rows that were read there and whose outcome is not certain, with those that were not read. */
async function bringTouched(
    returning: Returning,
    sets: readonly PlacedSet[],
    columns: ReadonlyMap<PlacedSet, readonly string[]>,
    unread: Brought,
): Promise<{ readonly usage: readonly string[]; readonly debits: readonly string[] }> {
    const parts = { usage: [] as string[], debits: [] as string[] };
    for (const set of sets) {
        const where = `select object_no, line_no from returned
            where role = '${set.role}' and is_read and ${ofSet(set)}`;
        parts[set.role].push(unread.get(set) ?? '');
        parts[set.role].push(
            await bringRows(returning, set, columns.get(set) ?? [], 'touched', where),
        );
    }
    return parts;
}

/** How many lines each object has, as the server reads them. */
async function lineCounts(session: ClickSession): Promise<ReadonlyMap<number, number>> {
    const file = await session.bring('line_counts', clickStatement('20-mediate', 'object_lines'));
    const rows = await session.engine.rows(`select object_no, line_count from ${parquetOf(file)}`);
    const whole = (value: unknown) => Number.parseInt(String(value), 10);
    return new Map(rows.map(({ object_no, line_count }) => [whole(object_no), whole(line_count)]));
}
