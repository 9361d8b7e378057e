import { join } from 'node:path';
import { rawObjects } from '../../pipelines/10-ingest/tables.ts';
import { debitRows, usageRows } from '../../pipelines/20-mediate/tables.ts';
import { debitFields } from '../compile/presets.ts';
import { type EventShape, eventShape } from '../compile/shape.ts';
import type { Engine } from '../duck/engine.ts';
import { quoteName, quoteTable, quoteText } from '../duck/sql.ts';
import type { RowOf } from '../duck/table.ts';
import type { Progress } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import type { Config } from '../schema/config.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { makeFolders, type RunFolder } from './folders.ts';
import {
    type Batch,
    type BatchObject,
    type BatchSource,
    basisOf,
    type Input,
    isTogether,
    type Landed,
    landedObjects,
    ownFiles,
    type Role,
    rowsFile,
    togetherSql,
} from './lake.ts';
import { landObjects, typedRows } from './landing.ts';
import type { InputListing } from './listing.ts';
import { replaceTable } from './prepare.ts';

/** An object of a run and where its rows are, numbered over all inputs. */
export interface IngestedObject extends Landed {
    readonly object_no: number;
    readonly input: Input;
    readonly role: Role;
    /** Landed by this very run, from bytes that it verified. */
    readonly isNew: boolean;
}

/**
 * Brings every object here that is not in the lake yet, verified, and numbers all objects of the run
 * by input and key: what numbers an object has does not depend on when it was read.
 * @throws RunError OBJECT_GONE, OBJECT_*, CSV_HEADER_MISSING, CONFIG_INVALID, STORE_*
 */
export async function ingest(
    engine: Engine,
    store: ObjectStore,
    config: Config,
    listings: readonly InputListing[],
    run: Pick<RunFolder, 'lake' | 'scratch'>,
    progress: Progress,
): Promise<readonly IngestedObject[]> {
    const shape = eventShape(config);
    const objects: IngestedObject[] = [];
    makeFolders(run.scratch);
    // Lines of text are only needed until they are parsed: they live in a file of their own.
    await engine.run(`attach ${quoteText(join(run.scratch, 'lines.duckdb'))} as scratch`);
    for (const { input, role, entries, gone, counted_by } of listings) {
        const basis = basisOf(config, input, role, shape, engine.version);
        const landedBefore = landedObjects(run.lake, input.name, basis);
        const missing = entries.filter((entry) => landedBefore(entry) === null);
        const lost = missing.find(({ key }) => gone.includes(key));
        if (lost) {
            const { address } = store;
            throw new RunError('OBJECT_GONE', { store: address, key: lost.key, run: counted_by });
        }
        const landing = { engine, store, config, shape, basis, progress, ...run };
        const batches = missing.length ? await landObjects(landing, input, role, missing) : [];
        const landedNow = new Map(batches.flatMap(landedOf));
        for (const entry of entries) {
            const landed = landedNow.get(entry.key) ?? landedBefore(entry);
            if (!landed) throw new Error('what was not in the lake has just been landed');
            const isNew = landedNow.has(entry.key);
            objects.push({ object_no: objects.length + 1, input, role, isNew, ...landed });
        }
    }
    await engine.run('detach scratch');
    await fillObjects(engine, objects);
    return objects;
}

/** Says what the objects of a run are. */
export async function fillObjects(
    engine: Engine,
    objects: readonly IngestedObject[],
): Promise<void> {
    await engine.transaction(() => replaceTable(engine, rawObjects, objects.map(objectRow)));
}

const landedOf = (batch: Batch) =>
    batch.objects.map(({ key }, index) => [key, { batch, number: index + 1 }] as const);

/** What was pinned of an object when it was read. */
export function pinOf({ batch, number }: Landed): BatchObject {
    const object = batch.objects[number - 1];
    if (!object) throw new Error('a batch has the objects it is said to have');
    return object;
}

function objectRow({
    object_no,
    input,
    role,
    batch,
    number,
}: IngestedObject): RowOf<typeof rawObjects> {
    const { key, size, etag, sha256, line_count, file, erased } = pinOf({ batch, number });
    return {
        object_no: BigInt(object_no),
        input: input.name,
        role,
        key,
        size: BigInt(size),
        etag,
        sha256,
        format: batch.format,
        path: join(batch.folder, file ?? rowsFile),
        line_count: line_count === null ? null : BigInt(line_count),
        basis: batch.basis,
        erased: erased ?? null,
    };
}

/** A batch with how it is read. */
export type SourceOf = BatchSource & Pick<IngestedObject, 'input' | 'role'>;

/** Batches with the objects of a run that are in them. */
export function sourcesOf(objects: readonly IngestedObject[]): readonly SourceOf[] {
    return [...Map.groupBy(objects, ({ batch }) => batch.id).values()].flatMap((of) => {
        const [first] = of;
        if (!first) return [];
        const { batch, input, role } = first;
        const numbers = new Map(of.map(({ number, object_no }) => [number, object_no]));
        return [{ batch, input, role, numbers }];
    });
}

/** The selects that give the rows of objects, one for each batch. */
export async function storedRows(
    engine: Engine,
    config: Config,
    objects: readonly IngestedObject[],
): Promise<Readonly<Record<Role, readonly string[]>>> {
    const shape = eventShape(config);
    const parts: Record<Role, string[]> = { usage: [], debits: [] };
    for (const source of sourcesOf(objects)) {
        const { batch, input, role } = source;
        parts[role].push(
            isTogether(batch)
                ? togetherSql(source)
                : await typedRows(engine, input, role, ownFiles(source), shape),
        );
    }
    return parts;
}

/**
 * Makes selects of rows those that the stages look at, as raw.usage_rows and raw.debit_rows.
 * @param parts none of a role gives no rows.
 */
export async function lookAt(
    engine: Engine,
    config: Config,
    parts: Readonly<Record<Role, readonly string[]>>,
): Promise<void> {
    const shape = eventShape(config);
    const { usage, debits } = parts;
    await replaceView(engine, usageRows(shape).name, withContent(usage, usageContent(shape)));
    await replaceView(
        engine,
        debitRows.name,
        withContent(
            debits.length ? debits : [emptyDebits()],
            debitFields.filter((field) => field !== 'entry_id'),
        ),
    );
}

async function replaceView(engine: Engine, name: string, sql: string): Promise<void> {
    const [schema = ''] = name.split('.');
    await engine.run(`create schema if not exists ${quoteName(schema)}`);
    await engine.run(`create or replace view ${quoteTable(name)} as ${sql}`);
}

function usageContent(shape: EventShape): readonly string[] {
    const declared = [...shape.attributes, ...shape.quantities.map(({ name }) => name)];
    return ['event_type', 'account_id', 'authorization_id', 'event_at', ...declared];
}

/**
 * What makes two copies of a record the same: everything in them that tieout reads, as one value.
 * Packing costs nothing until it is compared, which is for repeated records only.
 */
function withContent(parts: readonly string[], fields: readonly string[]): string {
    const names = fields.map(quoteName).map((name) => `${name} := ${name}`);
    return `select *, struct_pack(${names.join(', ')}) as content
        from (${parts.join('\nunion all by name\n')})`;
}

/** A project without a debit log still reconciles: everything in it is unauditable. */
function emptyDebits(): string {
    const types: Readonly<Record<string, string>> = {
        amount: 'decimal(38,12)',
        quantity: 'decimal(38,12)',
        unit_price: 'decimal(38,12)',
        occurred_at: 'timestamp',
        booked_at: 'timestamp',
        expires_at: 'timestamp',
        sequence: 'bigint',
        balance_before: 'decimal(38,12)',
        balance_after: 'decimal(38,12)',
        money_amount: 'decimal(38,12)',
    };
    const fields = debitFields.map(
        (field) => `cast(null as ${types[field] ?? 'varchar'}) as ${quoteName(field)}`,
    );
    return `select cast(null as varchar) as input, cast(null as bigint) as object_no, cast(null as bigint) as line_no,
        cast(null as bigint) as entry_no, cast(null as varchar) as raw_text, cast(null as varchar) as suspense, ${fields.join(', ')} where false`;
}
