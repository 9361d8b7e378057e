import { existsSync } from 'node:fs';

import { isAdditiveMeter } from '../compile/whole-meters.ts';
import type { Engine } from '../duck/engine.ts';
import { createTableSql, quoteName, quoteTable, quoteText } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { History } from '../schema/certificate.ts';
import type { Stage } from '../stage/define.ts';
import { fillTables, readStageSql } from '../stage/run.ts';
import { carried } from './carried.ts';
import { keysView } from './carry-keys.ts';
import { takeOver } from './carry-over.ts';
import { findTouched } from './carry-touched.ts';
import { type RunFolder, readCertificate } from './folders.ts';
import { type IngestedObject, lookAt, storedRows } from './ingest.ts';
import type { Role } from './lake.ts';
import { verifyBatch } from './lake.ts';
import { loadMacros, metersByEvent } from './prepare.ts';
import type { Project } from './project.ts';

/*
 * Carrying forward. What a run finds is a sum over groups of rows that belong together (copies of an
 * event, an event and its debits, a day of an account). So what an earlier run found stays right for
 * every group that nothing new belongs to: it is taken as it was, less what that run found of the
 * rows that are looked at again, and what is found of them and of the new rows is added. What was
 * found of them is not remembered: it is computed again, by the same SQL, as the earlier run would.
 */

export interface Carrying {
    readonly engine: Engine;
    readonly project: Project;
    readonly stages: readonly Stage[];
    readonly objects: readonly IngestedObject[];
    readonly lake: string;
    /** The run that spoke for the period before; null for none. */
    readonly previous: RunFolder | null;
}

/**
 * Lets the stages look at as few rows as they can, with what is known of the others in carried.*:
 * at all rows where nothing, or nothing that is still true, is known of them.
 * @throws RunError LAKE_DAMAGED, ENGINE_*
 */
export async function carry(of: Carrying): Promise<History> {
    const carriedOn = whyAll(of) ?? (await carryOn(of));
    if (typeof carriedOn !== 'string') return carriedOn;
    for (const { name } of carried) await of.engine.run(`delete from ${quoteTable(name)}`);
    return lookAtAll(of, carriedOn);
}

async function lookAtAll({ engine, project, objects }: Carrying, because: string) {
    for (const { batch } of distinct(objects.filter(({ isNew }) => !isNew)))
        await verifyBatch(batch);
    await lookAt(engine, project.config, await storedRows(engine, project.config, objects));
    return { from: null, because };
}

const distinct = (objects: readonly IngestedObject[]) => [
    ...new Map(objects.map((of) => [of.batch.id, of])).values(),
];

/** Why nothing can be carried on, before anything is looked at; null when it can. */
function whyAll({ project, previous }: Carrying): string | null {
    const { config } = project;
    if (!config.engine.incremental) return 'engine.incremental is false';
    if (previous === null) return 'it is the first run of the period';
    if (!existsSync(previous.database)) return `the tables of ${previous.runId} are gone`;
    if (readCertificate(previous)?.repriced_from) {
        return `${previous.runId} was priced anew and compared nothing with debits`;
    }
    if (readCertificate(previous)?.history.counted_there !== undefined) {
        return `${previous.runId} was counted on ClickHouse`;
    }
    const whole = config.meters.find((meter) => meter.rated && !isAdditiveMeter(meter));
    if (whole) return `meter ${whole.meter} cannot be added up by days`;
    const [byEvent] = metersByEvent(project);
    return byEvent === undefined ? null : `meter ${byEvent} is priced event by event`;
}

/** Goes on from the previous run, or says why it cannot. */
async function carryOn(of: Carrying): Promise<History | string> {
    const { engine, previous, project } = of;
    const main = String((await engine.one('select current_database() as name')).name);
    if (!(await isAttached(engine, previous))) {
        return `the tables of ${previous?.runId} cannot be read`;
    }
    try {
        const changed = await changedSince(of);
        if (changed !== null) return changed;
        const { old, fresh } = await splitObjects(of);
        const touched = await loadTouched(of, old, fresh);
        if (touched === null) return 'new rows touch most of the others';
        const again = touched.names.map((name) => `select * from ${quoteName(main)}.${name}`);
        const [usage = [], debits = []] = [again.slice(0, 1), again.slice(1)];
        await findBefore(of, main, { usage, debits });
        const wrong = await takeOver(engine);
        if (wrong !== null) return wrong;
        const parts = await storedRows(engine, project.config, fresh);
        await lookAt(engine, project.config, {
            usage: [...parts.usage, ...usage],
            debits: [...parts.debits, ...debits],
        });
        return { from: previous?.runId ?? '', looked_at: `${touched.count}` };
    } finally {
        await engine.run(`use ${quoteName(main)}`);
        await engine.run('detach database if exists before');
        await engine.run('detach database if exists previous');
    }
}

async function isAttached(engine: Engine, previous: RunFolder | null): Promise<boolean> {
    try {
        await engine.run(`attach ${quoteText(previous?.database ?? '')} as previous (read_only)`);
        return true;
    } catch (error) {
        if (error instanceof RunError && error.code === 'ENGINE_FAILED') return false;
        throw error;
    }
}

/** Objects that the previous run read, and those that it did not. */
async function splitObjects({ engine, objects }: Pick<Carrying, 'engine' | 'objects'>) {
    const rows = await engine.rows(`
        select objects.object_no
        from raw.objects as objects
        semi join previous.raw.objects as before using (input, key, sha256)`);
    const known = new Set(rows.map(({ object_no }) => object_no));
    const isOld = ({ object_no }: IngestedObject) => known.has(BigInt(object_no));
    return { old: objects.filter(isOld), fresh: objects.filter((object) => !isOld(object)) };
}

/** Stages whose SQL decides what is carried. */
const deciding = /^(20|30|40|70)-/;

/**
 * What makes the previous run worthless for this one; null for nothing. A run of older code may lack
 * a column: that is a change too.
 */
async function changedSince(of: Carrying): Promise<string | null> {
    try {
        return (await changedStage(of)) ?? (await firstChange(of.engine));
    } catch (error) {
        if (!(error instanceof RunError) || error.code !== 'ENGINE_FAILED') throw error;
        const { detail } = (error as RunError<'ENGINE_FAILED'>).params;
        if (!/^(Binder|Catalog) Error/.test(detail)) throw error;
        return 'another version of tieout made the run before';
    }
}

async function changedStage({ engine, stages }: Carrying): Promise<string | null> {
    const rows = await engine.rows('select stage, sql_sha256 from previous.control.stages');
    const before = new Map(rows.map(({ stage, sql_sha256 }) => [stage, sql_sha256]));
    const changed = stages
        .filter(({ name }) => deciding.test(name))
        .find((stage) => before.get(stage.name) !== JSON.stringify(readStageSql(stage).sha256));
    return changed ? `what ${changed.name} does has changed` : null;
}

async function firstChange(engine: Engine): Promise<string | null> {
    for (const [what, sql] of Object.entries(changes)) {
        const { row_count } = await engine.one(`select count(*) as row_count from (${sql})`);
        if (row_count !== 0n) return what;
    }
    return null;
}

const differs = (name: string, where = '') => `
    (select * from ${name} ${where} except all select * from previous.${name} ${where})
    union all
    (select * from previous.${name} ${where} except all select * from ${name} ${where})`;

const knownCards = 'where card in (select card from previous.rules.book_cards)';
const knownBooks = 'where book_id in (select book_id from previous.rules.book_cards)';

/** Sentence to a select of what makes it true. */
const changes: Readonly<Record<string, string>> = {
    'what is read, metered or compared has changed': differs('run.basis'),
    'rows are made of objects in another way': `select key from previous.raw.objects as before
        inner join raw.objects as objects using (input, key, sha256)
        where before.basis is distinct from objects.basis`,
    'an object was overwritten or is gone': `select key from previous.raw.objects
        anti join raw.objects as objects using (input, key, sha256)`,
    'identifiers were erased from an object': `select key from previous.raw.objects as before
        inner join raw.objects as objects using (input, key, sha256)
        where before.erased is distinct from objects.erased`,
    'inputs changed their order': `select object_no from (
            select objects.object_no,
                lag(objects.object_no) over (order by before.object_no) as number_before
            from previous.raw.objects as before
            inner join raw.objects as objects using (input, key)
        ) where object_no < number_before`,
    'rates changed': differs('rules.rates', knownCards),
    'contracts changed what prices usage': differs('rules.book_cards', knownBooks),
    'assets changed': differs('rules.assets'),
    'what assets are worth changed': differs('rules.asset_rates'),
    'currency rates changed': differs('rules.currency_rates'),
    'currency rates that are missing changed': differs('rules.missing_conversions'),
    'it knows less than the run before': `select before.as_of
        from run.parameters as parameters
        cross join previous.run.parameters as before
        where before.as_of > parameters.as_of
            or before.open_hold_hours <> parameters.open_hold_hours`,
};

/** Stored rows that are looked at again become tables: a share above this is not worth it. */
const shareLimit = 2n;

/** Where older rows that are looked at again lie until the stages are through. */
const touchedRows = { usage: 'carried.usage_rows', debits: 'carried.debit_rows' } as const;

/** Takes them out of the tables of a run: the lake has them. */
export async function dropTouched(engine: Engine): Promise<void> {
    for (const name of Object.values(touchedRows)) await engine.run(`drop table if exists ${name}`);
}

/**
 * Finds the older rows that are looked at again, and puts them into tables. Null when they are too
 * many.
 * @returns how many rows are looked at in all, and the tables: of usage first, of debits if there are.
 */
async function loadTouched(
    { engine, project: { config }, lake }: Carrying,
    old: readonly IngestedObject[],
    fresh: readonly IngestedObject[],
): Promise<{ readonly count: bigint; readonly names: readonly string[] } | null> {
    await keysView(engine, config, lake, old, 'old_keys');
    await keysView(engine, config, lake, fresh, 'new_keys');
    await findTouched(engine);
    const { count, total, fresh_count } = await engine.one(`select
        (select count(*) from touched) as count, (select count(*) from old_keys) as total,
        (select count(*) from new_keys) as fresh_count`);
    if ((count as bigint) * shareLimit > (total as bigint)) return null;
    const places = await engine.rows('select distinct object_no from touched');
    const numbers = new Set(places.map(({ object_no }) => object_no));
    const batches = new Set(
        old.filter(({ object_no }) => numbers.has(BigInt(object_no))).map(({ batch }) => batch.id),
    );
    const touched = old.filter(({ batch }) => batches.has(batch.id));
    for (const { batch } of distinct(touched)) await verifyBatch(batch);
    const names: string[] = [];
    for (const role of ['usage', 'debits'] as const) {
        const some = touched.filter((object) => object.role === role);
        const parts = await storedRows(engine, config, some.length ? some : firstOf(old, role));
        if (parts[role].length === 0) continue;
        names.push(touchedRows[role]);
        await engine.run(`create or replace table ${touchedRows[role]} as
            select stored.* from (${parts[role].join('\nunion all by name\n')}) as stored
            semi join (select * from touched where role = ${quoteText(role)}) as places
                on stored.object_no = places.object_no and stored.line_no = places.line_no`);
    }
    return { count: (count as bigint) + (fresh_count as bigint), names };
}

const firstOf = (objects: readonly IngestedObject[], role: Role) =>
    objects.filter((object) => object.role === role).slice(0, 1);

/** What the previous run knew beside rows, and went by. */
const knownBefore = [
    ...[
        'rules.assets',
        'rules.asset_rates',
        'rules.off_rules',
        'rules.final_inputs',
        'rules.rates',
        'rules.book_cards',
        'accounts.spans',
        'accounts.paths',
        'run.parameters',
    ],
    ...['rated.rate_choices', 'recon.logged_accounts'],
];

/** What follows is made of the outcomes, and what was known is not found again. */
const notOfBefore = new Set([
    ...['recon.logged_accounts', 'recon.sequence_gaps', 'recon.breaks', 'recon.break_legs'],
    ...['recon.wallet_balances', 'recon.discontinuities', 'recon.form_breaks'],
    ...['recon.unconverted_accounts'],
    ...['recon.matches', 'recon.tie_outs', 'recon.wallet_payments', 'recon.holds'],
    ...['recon.found_breaks', 'recon.accepted_differences', 'recon.suggestions'],
    ...['recon.break_causes', 'recon.difference_causes'],
]);

/** Computes in a database of its own, `before`, what the previous run found of the touched rows. */
async function findBefore(
    { engine, project, stages }: Carrying,
    main: string,
    touched: Readonly<Record<Role, readonly string[]>>,
): Promise<void> {
    await engine.run("attach ':memory:' as before");
    await engine.run('use before');
    await loadMacros(engine);
    for (const name of knownBefore) {
        const [schema = ''] = name.split('.');
        await engine.run(`create schema if not exists ${quoteName(schema)}`);
        await engine.run(`create table ${name} as select * from previous.${name}`);
    }
    await engine.run('create schema raw');
    await engine.run(`create table raw.objects as select * from ${quoteName(main)}.raw.objects`);
    for (const table of carried) await engine.runAll(createTableSql(table));
    await lookAt(engine, project.config, touched);
    for (const stage of stages.filter(({ name }) => /^(20|30|70)-/.test(name))) {
        await fillTables(stage, engine, (name) => !notOfBefore.has(name));
    }
    await engine.run(`use ${quoteName(main)}`);
}
