import { accountPaths, accountSpans, rawObjects } from '../../pipelines/10-ingest/tables.ts';
import { mediate } from '../../pipelines/20-mediate/stage.ts';
import { compiledMetered, meteredUsage } from '../../pipelines/30-meter/tables.ts';
import * as cut from '../../pipelines/31-cut/tables.ts';
import { reconcile } from '../../pipelines/70-reconcile/stage.ts';
import { holds } from '../../pipelines/70-reconcile/tables.ts';
import { owner } from '../compile/meter-parts.ts';
import { eventShape } from '../compile/shape.ts';
import { isAdditiveMeter } from '../compile/whole-meters.ts';
import type { Engine } from '../duck/engine.ts';
import { createTableSql, quoteName, quoteTable, quoteText } from '../duck/sql.ts';
import type { Table } from '../duck/table.ts';
import { RunError } from '../errors/index.ts';
import type { Certificate } from '../schema/certificate.ts';
import { runBoundaries } from '../stage/control.ts';
import { recordTotals } from '../stage/totals.ts';
import { basisOf } from './basis.ts';
import type { RunFolder } from './folders.ts';
import type { Project } from './project.ts';

/*
 * What the tables of a finished run hold for one that is made from them: its partials, and what it
 * found comparing usage with debits. All of it is looked at before anything is priced.
 */

/** A finished run whose tables another one is made from. */
export interface Source {
    readonly run: RunFolder;
    readonly certificate: Certificate;
}

/** What the reconciliation of a run found, holds left out: those are decided anew. */
function reconciled({ config, assets }: Project): readonly Table[] {
    return reconcile(config, assets).writes.filter(({ name }) => name !== holds.name);
}

/**
 * @throws RunError PARTIALS_UNUSABLE when the run read, metered or compared in another way than the
 * project does now
 */
export async function requireBasis(
    engine: Engine,
    { run: { runId } }: Source,
    project: Project,
): Promise<void> {
    const found = await engine.rows(
        `select 1 from information_schema.tables where table_schema = 'run' and table_name = 'basis'`,
    );
    const rows = found.length ? await engine.rows('select part, sha256 from run.basis') : [];
    const kept = new Map(rows.map(({ part, sha256 }) => [String(part), sha256]));
    const changed = basisOf(project).filter(({ part, sha256 }) => kept.get(part) !== sha256);
    if (changed.length === 0) return;
    const reasons =
        rows.length === 0
            ? ['it was made by a version that does not say what its partials rest on']
            : changed
                  .map(({ part }) => part)
                  // What an event is worth is made of the same meters.
                  .filter((part, _, all) => part !== 'reconciliation' || !all.includes('meters'))
                  .map((part) => changes[part] ?? part);
    throw new RunError('PARTIALS_UNUSABLE', { run_id: runId, reasons });
}

const changes: Readonly<Record<string, string>> = {
    inputs: 'what is read as usage and debits has changed (`usage`, `debits` of tieout.yaml)',
    meters: 'what events come to has changed (`meters`, `derived`, or the SQL of their stages)',
    reconciliation:
        'how usage is compared with debits has changed (`assets`, `counts`, `tolerances`, `reconcile`, `open_hold_hours`, or its SQL)',
};

/**
 * Whether the tables are those that the certificate speaks of. What the reconciliation found is then
 * stated as the totals of this run too.
 * @throws RunError RUN_DAMAGED
 */
export async function requireWhole(
    engine: Engine,
    { run, certificate }: Source,
    project: Project,
): Promise<void> {
    const tables = [meteredUsage, ...reconciled(project)];
    await recordTotals('kept', tables, engine);
    const rows = await engine.rows(
        "select relation, row_count::varchar as row_count, hash_total from control.totals where stage = 'kept'",
    );
    const stated = new Map(certificate.totals.map((of) => [of.relation, of]));
    const differs = rows.filter(({ relation, row_count, hash_total }) => {
        const of = stated.get(String(relation));
        return of?.row_count !== row_count || of?.hash_total !== hash_total;
    });
    if (differs.length === 0) return;
    throw new RunError('RUN_DAMAGED', {
        folder: run.folder,
        file: run.database,
        detail: `${differs.map(({ relation }) => relation).join(', ')} is not what the certificate says`,
    });
}

/** Metered usage of the run, whole: a million rows are called otherwise, and not copied. */
const before = 'metered.usage_before';

/** Puts aside what partials were cut by, and drops all that is made anew. */
export async function keepPartials(engine: Engine, project: Project): Promise<void> {
    const columns = Object.keys(cut.keptUsage.columns).map(quoteName).join(', ');
    await engine.runAll([
        'create schema kept',
        `alter table ${meteredUsage.name} rename to usage_before`,
        `create view ${cut.keptUsage.name} as select ${columns} from ${before}
            where meter not in (${list(wholeMeters(project))})`,
    ]);
    await keep(engine, cut.keptPaths, accountPaths);
    await keep(engine, cut.keptSpans, accountSpans);
    await keep(engine, cut.keptBoundaries, runBoundaries);
    const { config, assets } = project;
    const { compiled = [] } = reconcile(config, assets);
    const found = [rawObjects, ...mediate(eventShape(config)).writes, ...reconciled(project)];
    const names = [...found, ...compiled.map(({ table }) => table)].map(({ name }) => name);
    const kept = new Set([before, ...names]);
    const rows = await engine.rows(`
        select table_schema || '.' || table_name as name, table_type
        from information_schema.tables
        where table_schema not in ('control', 'kept', 'raw', 'rules', 'run', 'accounts')
        order by name`);
    const drops = rows
        .filter(({ name }) => !kept.has(String(name)))
        .map(({ name, table_type }) => {
            const kind = table_type === 'VIEW' ? 'view' : 'table';
            return `drop ${kind} ${quoteTable(String(name))}`;
        });
    const isKept = "stage in ('20-mediate', 'kept')";
    await engine.runAll([
        ...drops,
        `delete from control.stages where not ${isKept}`,
        `delete from control.totals where not ${isKept}`,
    ]);
}

async function keep(engine: Engine, table: Table, from: Table): Promise<void> {
    const columns = Object.keys(table.columns).map(quoteName).join(', ');
    await engine.runAll([
        ...createTableSql(table),
        `insert into ${quoteTable(table.name)} by name select ${columns} from ${quoteTable(from.name)}`,
    ]);
}

/** Totals of what was kept, under the stage that found it. */
export async function stateKept(engine: Engine): Promise<void> {
    await engine.runAll([
        `delete from control.totals where stage = 'kept' and relation = ${quoteText(meteredUsage.name)}`,
        "update control.totals set stage = '70-reconcile' where stage = 'kept'",
    ]);
}

/** Leaves of the partials of the run how they were cut: what was made of them is metered usage now. */
export async function dropPartials(engine: Engine): Promise<void> {
    const views = [compiledMetered, cut.keptUsage].map(({ name }) => `drop view ${name}`);
    await engine.runAll([...views, `drop table ${before}`, `drop table ${cut.cutPartials.name}`]);
}

/** Who pays, from what, for when: what the reconciliation of a run rests on. */
const paying = [
    ...['account_id', 'payer_id', 'currency', 'wallet_asset', 'wallet_shape', 'is_prepaid'],
    ...['period_start', 'period_end'],
];

/**
 * Pools, books and channels may change; who pays may not, and no account may come or go.
 * @throws RunError PARTIALS_UNUSABLE
 */
export async function requirePayers(
    engine: Engine,
    { run: { runId: run_id } }: Source,
): Promise<void> {
    const moved = await accountsIn(engine, covered(cut.keptPaths, accountPaths, paying));
    const gone = await accountsIn(engine, covered(cut.keptSpans, accountSpans, ['account_id']));
    const reasons = [
        ...(gone.length ? [`${named(gone)}: begin or end at another instant`] : []),
        ...(moved.length
            ? [
                  `${named(moved)}: who pays, in what, from which wallet or for which time has changed`,
              ]
            : []),
    ];
    if (reasons.length) throw new RunError('PARTIALS_UNUSABLE', { run_id, reasons });
}

const namedAtMost = 5;

function named(accounts: readonly string[]): string {
    const more = accounts.length - namedAtMost;
    const first = accounts.slice(0, namedAtMost).join(', ');
    return more > 0 ? `${first} and ${more} more` : first;
}

async function accountsIn(engine: Engine, sql: string): Promise<readonly string[]> {
    const rows = await engine.rows(
        `select account_id from (${sql}) group by account_id order by account_id`,
    );
    return rows.map(({ account_id }) => String(account_id));
}

/**
 * Where two tables of spans cover time in different ways, however they cut it: the instants at which
 * one begins or ends to say something, and the other does not.
 */
function covered(one: Table, other: Table, columns: readonly string[]): string {
    const names = columns.map(quoteName).join(', ');
    const edges = ({ name }: Table) => `select ${names}, edge_at, sum(side) as side from (
            select ${names}, valid_from as edge_at, 1 as side from ${quoteTable(name)}
            union all
            select ${names}, valid_to as edge_at, -1 as side from ${quoteTable(name)}
        ) group by all having sum(side) <> 0`;
    return differing(edges(one), edges(other));
}

const differing = (one: string, other: string) =>
    `((${one}) except (${other})) union all ((${other}) except (${one}))`;

/** Meters that are charged for and cannot be added up. */
function wholeMeters({ config }: Project): readonly string[] {
    const whole = config.meters.filter((meter) => meter.rated && !isAdditiveMeter(meter));
    return whole.map(({ meter }) => meter);
}

const list = (meters: readonly string[]) => meters.map(quoteText).join(', ') || "''";

/**
 * Keeps the usage of meters that cannot be added up where the same instants cut it; it is no partial. Gives the meters of which it is to be metered again.
 */
export async function keepWholes(engine: Engine, project: Project): Promise<ReadonlySet<string>> {
    const whole = wholeMeters(project);
    await engine.runAll(createTableSql(cut.keptWholes));
    if (whole.length === 0) return new Set();
    const paths = ({ name }: Table) =>
        `select ${owner.join(', ')}, valid_from, valid_to from ${quoteTable(name)}`;
    const moved = await engine.rows(
        `${differing(paths(cut.keptPaths), paths(accountPaths))} limit 1`,
    );
    const boundaries = ({ name }: Table) => `select meter, boundary_at from ${quoteTable(name)}
        where meter <> '' and boundary_at < (select max(period_end) from accounts.paths)`;
    const rows = await engine.rows(
        differing(boundaries(cut.keptBoundaries), boundaries(runBoundaries)),
    );
    const changed = new Set(rows.map(({ meter }) => String(meter)));
    const again = whole.filter((meter) => moved.length || changed.has(meter));
    await engine.run(`insert into kept.wholes by name select * from ${before}
        where meter in (${list(whole)}) and meter not in (${list(again)})`);
    return new Set(again);
}
