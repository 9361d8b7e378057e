import { existsSync } from 'node:fs';
import { carried } from '../../pipelines/15-carry/tables.ts';
import { isAdditiveMeter } from '../compile/whole-meters.ts';
import type { Engine } from '../duck/engine.ts';
import { createTableSql, quoteName, quoteTable, quoteText } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { History } from '../schema/certificate.ts';
import type { Stage } from '../stage/define.ts';
import { fillTables, readStageSql } from '../stage/run.ts';
import { keysView } from './carry-keys.ts';
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
    const because = await whyAll(of);
    if (because === null) {
        const history = await carryOn(of);
        if (history.from !== null) return history;
        await emptyCarried(of.engine);
        return lookAtAll(of, history.because ?? '');
    }
    return lookAtAll(of, because);
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

async function emptyCarried(engine: Engine): Promise<void> {
    for (const { name } of carried) await engine.run(`delete from ${quoteTable(name)}`);
}

/** Why nothing can be carried on, before anything is looked at; null when it can. */
async function whyAll({ project, previous }: Carrying): Promise<string | null> {
    const { config } = project;
    if (!config.engine.incremental) return 'engine.incremental is false';
    if (previous === null) return 'it is the first run of the period';
    if (!existsSync(previous.database)) return `the tables of ${previous.runId} are gone`;
    if (readCertificate(previous)?.repriced_from) {
        return `${previous.runId} was priced anew and compared nothing with debits`;
    }
    const whole = config.meters.find((meter) => meter.rated && !isAdditiveMeter(meter));
    if (whole) return `meter ${whole.meter} cannot be added up by days`;
    const [byEvent] = metersByEvent(project);
    return byEvent === undefined ? null : `meter ${byEvent} is priced event by event`;
}

async function carryOn(of: Carrying): Promise<History> {
    const { engine, previous } = of;
    const main = String((await engine.one('select current_database() as name')).name);
    if (!(await isAttached(engine, previous))) {
        return { from: null, because: `the tables of ${previous?.runId} cannot be read` };
    }
    try {
        const changed = await changedSince(of);
        if (changed !== null) return { from: null, because: changed };
        const rows = await loadTouched(of);
        if (rows === null) return { from: null, because: 'new rows touch most of the others' };
        await findBefore(of, main);
        const wrong = await takeOver(engine);
        if (wrong !== null) return { from: null, because: wrong };
        const { config } = of.project;
        const fresh = await storedRows(engine, config, (await splitObjects(of)).fresh);
        await lookAt(engine, config, {
            usage: [...fresh.usage, 'select * from carried.usage_rows'],
            debits: [
                ...fresh.debits,
                ...(rows.hasDebits ? ['select * from carried.debit_rows'] : []),
            ],
        });
        return { from: previous?.runId ?? '', looked_at: `${rows.count}` };
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
    const { engine, stages } = of;
    const rows = await engine.rows('select stage, sql_sha256 from previous.control.stages');
    const before = new Map(rows.map(({ stage, sql_sha256 }) => [stage, sql_sha256]));
    for (const stage of stages.filter(({ name }) => deciding.test(name))) {
        if (before.get(stage.name) !== JSON.stringify(readStageSql(stage).sha256)) {
            return `what ${stage.name} does has changed`;
        }
    }
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

async function loadTouched(
    of: Carrying,
): Promise<{ readonly count: bigint; readonly hasDebits: boolean } | null> {
    const { engine, project, lake } = of;
    const { config } = project;
    const { old, fresh } = await splitObjects(of);
    await keysView(engine, config, lake, old, 'old_keys');
    await keysView(engine, config, lake, fresh, 'new_keys');
    await findTouched(engine);
    const { count, total } = await engine.one(`select
        (select count(*) from touched) as count, (select count(*) from old_keys) as total`);
    if ((count as bigint) * shareLimit > (total as bigint)) return null;
    const places = await engine.rows('select distinct object_no from touched');
    const numbers = new Set(places.map(({ object_no }) => object_no));
    const batches = new Set(
        old.filter(({ object_no }) => numbers.has(BigInt(object_no))).map(({ batch }) => batch.id),
    );
    const touched = old.filter(({ batch }) => batches.has(batch.id));
    for (const { batch } of distinct(touched)) await verifyBatch(batch);
    const names = { usage: 'usage_rows', debits: 'debit_rows' } as const;
    const has: Record<Role, boolean> = { usage: false, debits: false };
    for (const role of ['usage', 'debits'] as const) {
        const some = touched.filter((object) => object.role === role);
        const parts = await storedRows(engine, config, some.length ? some : firstOf(old, role));
        if (parts[role].length === 0) continue;
        has[role] = true;
        await engine.run(`create or replace table carried.${names[role]} as
            select stored.* from (${parts[role].join('\nunion all by name\n')}) as stored
            semi join (select * from touched where role = ${quoteText(role)}) as places
                on stored.object_no = places.object_no and stored.line_no = places.line_no`);
    }
    const { looked_at } = await engine.one(`select
        (select count(*) from touched) + (select count(*) from new_keys) as looked_at`);
    return { count: looked_at as bigint, hasDebits: has.debits };
}

const firstOf = (objects: readonly IngestedObject[], role: Role) =>
    objects.filter((object) => object.role === role).slice(0, 1);

/** What the previous run knew beside rows, and went by. */
const knownBefore = [
    ...['rules.assets', 'rules.asset_rates', 'accounts.spans', 'accounts.paths', 'run.parameters'],
    ...['rated.rate_choices', 'recon.logged_accounts'],
];

/** Up to the outcomes: what follows is made of them. */
const isOfBefore = (name: string) =>
    !['recon.logged_accounts', 'recon.breaks', 'recon.break_legs', 'recon.matches'].includes(
        name,
    ) &&
    !['recon.tie_outs', 'recon.wallet_payments', 'recon.holds', 'recon.sequence_gaps'].includes(
        name,
    );

/** Computes in a database of its own, `before`, what the previous run found of the touched rows. */
async function findBefore({ engine, project, stages }: Carrying, main: string): Promise<void> {
    const { config } = project;
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
    await lookAt(engine, config, await rowsIn(engine, main));
    for (const stage of stages.filter(({ name }) => /^(20|30|70)-/.test(name))) {
        await fillTables(stage, engine, isOfBefore);
    }
    await engine.run(`use ${quoteName(main)}`);
}

async function rowsIn(engine: Engine, main: string): Promise<Record<Role, readonly string[]>> {
    const found = await engine.rows(
        `select table_name from information_schema.tables
        where table_catalog = $main and table_schema = 'carried' and table_name = 'debit_rows'`,
        {
            main,
        },
    );
    const from = (name: string) => `select * from ${quoteName(main)}.carried.${name}`;
    return { usage: [from('usage_rows')], debits: found.length ? [from('debit_rows')] : [] };
}

/** Fills carried.*: the previous run less `before`. What does not fit is said; null for nothing. */
async function takeOver(engine: Engine): Promise<string | null> {
    await engine.run(`create or replace temp table renumbered as
        select before.object_no as old_no, objects.object_no as new_no
        from previous.raw.objects as before
        inner join raw.objects as objects using (input, key)`);
    for (const { name } of carried) {
        await engine.run(`delete from ${quoteTable(name)}`);
        await engine.run(`insert into ${quoteTable(name)} by name ${takenSql[name]}`);
    }
    for (const [what, sql] of Object.entries(misfits)) {
        const { row_count } = await engine.one(`select count(*) as row_count from (${sql})`);
        if (row_count !== 0n) return `${what} of the run before do not add up`;
    }
    return null;
}

const repeatsSql = (name: string) => `
    select places.new_no as object_no, repeats.line_no, repeats.kind, repeats.source,
        repeats.record_id, firsts.new_no as first_object_no, repeats.first_line_no, repeats.content
    from previous.${name} as repeats
    inner join renumbered as places on repeats.object_no = places.old_no
    inner join renumbered as firsts on repeats.first_object_no = firsts.old_no
    anti join before.${name} as again
        on places.new_no = again.object_no and repeats.line_no = again.line_no`;

const suspendedSql = (name: string) => `
    select places.new_no as object_no, suspended.* exclude (object_no)
    from previous.${name} as suspended
    inner join renumbered as places on suspended.object_no = places.old_no
    anti join before.${name} as again
        on places.new_no = again.object_no and suspended.line_no = again.line_no`;

/** Sums of the previous run less those of `before`; what has no rows left is gone. */
function lessSql(
    name: string,
    sums: Readonly<Record<string, string>>,
    counts: readonly string[],
    where = '',
): string {
    const names = Object.keys(sums);
    const signed = (sign: string) =>
        names.map((column) => `${sign}${quoteName(column)} as ${quoteName(column)}`).join(', ');
    const totals = Object.entries(sums).map(
        ([column, type]) => `cast(sum(${quoteName(column)}) as ${type}) as ${quoteName(column)}`,
    );
    return `select * exclude (${names.join(', ')}), ${totals.join(', ')}
        from (
            select * replace (${signed('')}) from previous.${name} ${where}
            union all by name
            select * replace (${signed('-')}) from before.${name} ${where}
        )
        group by all
        having ${counts.map((column) => `sum(${quoteName(column)}) <> 0`).join(' or ')}`;
}

const exact = 'decimal(38, 24)';
const takenSql: Readonly<Record<string, string>> = {
    'carried.usage_repeats': repeatsSql('mediated.usage_repeats'),
    'carried.debit_repeats': repeatsSql('mediated.debit_repeats'),
    'carried.suspended_usage': suspendedSql('suspense.usage_rows'),
    'carried.suspended_debits': suspendedSql('suspense.debit_rows'),
    'carried.object_lines': `
        select places.new_no as object_no,
            lines.line_count - coalesce(again.line_count, 0) as line_count,
            lines.record_count - coalesce(again.record_count, 0) as record_count,
            lines.duplicate_count - coalesce(again.duplicate_count, 0) as duplicate_count,
            lines.conflict_count - coalesce(again.conflict_count, 0) as conflict_count,
            lines.suspended_count - coalesce(again.suspended_count, 0) as suspended_count
        from previous.mediated.object_lines as lines
        inner join renumbered as places on lines.object_no = places.old_no
        left join before.mediated.object_lines as again on places.new_no = again.object_no`,
    'carried.metered_usage': lessSql(
        'metered.usage',
        { quantity: 'decimal(38, 12)', event_count: 'bigint' },
        ['event_count', 'quantity'],
    ),
    'carried.outcomes': `
        (select * from previous.recon.outcomes where fate = 'break'
            except all select * from before.recon.outcomes where fate = 'break')
        union all by name
        ${lessSql(
            'recon.outcomes',
            {
                ...{ expected: exact, actual: exact, money: exact, captured: exact, paid: exact },
                ...{ usage_count: 'bigint', entry_count: 'bigint' },
            },
            ['usage_count', 'entry_count'],
            "where fate <> 'break'",
        )}`,
    'carried.sides': lessSql('recon.sides', { record_count: 'bigint', amount: exact }, [
        'record_count',
    ]),
    'carried.log_totals': lessSql(
        'recon.log_totals',
        {
            ...{ entry_count: 'bigint', usage_entry_count: 'bigint', numbered_count: 'bigint' },
            captured: exact,
        },
        ['entry_count'],
    ),
    // Numbers that were seen stay seen, whatever is looked at again.
    'carried.sequence_spans': 'select * from previous.recon.sequence_spans',
};

/** What would show that the previous run did not find what is taken from it. */
const misfits: Readonly<Record<string, string>> = {
    lines: `select * from carried.object_lines
        where least(line_count, record_count, duplicate_count, conflict_count, suspended_count) < 0`,
    quantities: 'select * from carried.metered_usage where event_count < 0',
    outcomes: `select * from carried.outcomes where least(usage_count, entry_count) < 0`,
    breaks: `select * from before.recon.outcomes where fate = 'break'
        except all select * from previous.recon.outcomes`,
    sides: 'select * from carried.sides where record_count < 0',
};
