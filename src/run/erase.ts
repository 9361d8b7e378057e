import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '../duck/engine.ts';
import { quoteList, quoteName, quoteText } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import { textAt } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { makeFolders, runFolder } from './folders.ts';
import { withRewriting } from './keep.ts';
import { type Batch, deleteBatch, lakeInputs, liveBatches, storedBatches } from './lake.ts';
import { batchRows, isReadable, mergeOf, type Rewriting, replaceBatches } from './lake-merge.ts';
import type { Project } from './project.ts';

/*
 * Erasure: an identifier of a person or customer leaves the rows of the lake. Wherever it stood, the
 * same stand-in stands then, so that what belonged together still does and every total stays.
 */

/** What is erased, and what stands in its place. */
export interface Erasing {
    /** account: where it is a whole value. value: wherever it occurs in one. */
    readonly kind: 'account' | 'value';
    readonly identifier: string;
    readonly stand_in: string;
}

/** A batch that holds it: how many rows of which of its objects. */
export interface Holding {
    readonly batch: Batch;
    readonly rows: ReadonlyMap<number, number>;
    /** Accounts that get another name. */
    readonly accounts: readonly string[];
    /** It was replaced: nothing reads it any more. */
    readonly isReplaced: boolean;
}

/** Columns that say what a row is, not who: a stand-in there would change what is counted. */
const fixed = ['event_type', 'entry_type', 'asset', 'unit', 'meter', 'aggregated'];
/** Columns that tieout itself wrote, and the text of the line, which is replaced as a whole. */
const ours = ['input', 'suspense', 'raw_text'];

const saltKey = 'erase.salt';

/**
 * The stand-in of an identifier. Without the salt of the state nobody can tell of whom it is; with it
 * the same identifier always gets the same one, on every machine.
 * @param newSalt where there is none yet.
 */
export async function standInOf(
    { store, folder, isBucket }: State,
    identifier: string,
    newSalt: () => string,
): Promise<string> {
    if (!isBucket) makeFolders(folder);
    let salt = await saltIn(store);
    if (salt === null) {
        // Somebody else may be faster: then theirs it is.
        await store.create(saltKey, `${newSalt()}\n`);
        salt = await textAt(store, saltKey);
    }
    const hash = createHmac('sha256', salt.trim()).update(identifier).digest('hex');
    return `erased-${hash.slice(0, 16)}`;
}

async function saltIn(store: ObjectStore): Promise<string | null> {
    try {
        return await textAt(store, saltKey);
    } catch (error) {
        if (error instanceof RunError && error.code === 'OBJECT_MISSING') return null;
        throw error;
    }
}

/** An account as a word of its own, between whatever cannot be a part of a name. */
const wordOf = (text: string) =>
    `(^|[^A-Za-z0-9_.-])${text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')}($|[^A-Za-z0-9_.-])`;

/** Whether a text that people write names it. */
export function names({ kind, identifier }: Erasing, text: string): boolean {
    return kind === 'value'
        ? text.includes(identifier)
        : new RegExp(wordOf(identifier), 'm').test(text);
}

/** An identifier as it is, and as JSON writes it. */
const spellings = (identifier: string): readonly string[] => [
    ...new Set([identifier, JSON.stringify(identifier).slice(1, -1)]),
];

const isIn = ({ kind, identifier }: Erasing, column: string) =>
    kind === 'value'
        ? `strpos(${quoteName(column)}, ${quoteText(identifier)}) > 0`
        : `${quoteName(column)} = ${quoteText(identifier)}`;

const isInText = ({ kind, identifier }: Erasing, column: string) =>
    spellings(identifier)
        .map((spelling) =>
            kind === 'value'
                ? `strpos(${column}, ${quoteText(spelling)}) > 0`
                : `regexp_matches(${column}, ${quoteText(wordOf(spelling))})`,
        )
        .join(' or ');

/** Text columns of rows that may hold an identifier. */
async function textColumns(engine: Engine, rows: string): Promise<readonly string[]> {
    const columns = await engine.describe(rows);
    return columns
        .filter(({ name, type }) => type === 'VARCHAR' && !ours.includes(name))
        .map(({ name }) => name);
}

const holdsSql = (erasing: Erasing, columns: readonly string[]) =>
    `coalesce(${columns.map((column) => isIn(erasing, column)).join(' or ')}, false)
        or coalesce(${isInText(erasing, 'raw_text')}, false)`;

/**
 * Finds what holds the identifier: every batch of the lake, also one that another replaced.
 * @throws RunError ERASE_REFUSED when a batch cannot be looked into, or when it is a word by which
 * rows are counted
 */
async function findHoldings(of: Rewriting, erasing: Erasing): Promise<readonly Holding[]> {
    const found: Holding[] = [];
    for (const input of lakeInputs(of.lake)) {
        const stored = storedBatches(of.lake, input);
        const live = new Set(liveBatches(stored).map(({ id }) => id));
        for (const batch of stored) {
            const isReplaced = !live.has(batch.id);
            const holding = isReadable(of, batch)
                ? await holdingOf(of, erasing, batch)
                : await opaqueHolding(of.engine, erasing, batch, isReplaced);
            if (holding.rows.size > 0) found.push({ batch, isReplaced, ...holding });
        }
    }
    return found;
}

type Held = Pick<Holding, 'rows' | 'accounts'>;

async function holdingOf(of: Rewriting, erasing: Erasing, batch: Batch): Promise<Held> {
    const rows = await batchRows(of, allOf(batch));
    const columns = await textColumns(of.engine, rows);
    const found = await of.engine.rows(`select object_no, count(*) as row_count,
            list(distinct account_id order by account_id)
                filter (where ${isIn(erasing, 'account_id')}) as accounts,
            count(*) filter (where ${columns
                .filter((column) => fixed.includes(column))
                .map((column) => isIn(erasing, column))
                .join(' or ')}) as fixed_count
        from (${rows}) where ${holdsSql(erasing, columns)}
        group by object_no order by object_no`);
    if (found.some(({ fixed_count }) => fixed_count !== 0n)) {
        refuse(
            'it stands where rows say what they are: an asset, a type, a unit or a meter',
            'Name more of the identifier: a stand-in there would change what is counted.',
        );
    }
    const accounts = found.flatMap((row) => (row.accounts as readonly string[] | null) ?? []);
    return {
        rows: new Map(found.map((row) => [wholeOf(row.object_no), wholeOf(row.row_count)])),
        accounts: [...new Set(accounts)].sort(),
    };
}

const wholeOf = (value: unknown) => Number.parseInt(String(value), 10);

const allOf = (batch: Batch) => ({
    batch,
    numbers: new Map(batch.objects.map((_, index) => [index + 1, index + 1])),
});

/** Files that were read by another config: whether they hold it can be seen, which rows are not. */
async function opaqueHolding(
    engine: Engine,
    { identifier }: Erasing,
    batch: Batch,
    isReplaced: boolean,
): Promise<Held> {
    const files = Object.keys(batch.files).map((name) => join(batch.folder, name));
    const { row_count } = await engine.one(
        `select count(*) as row_count
        from read_parquet(${quoteList(files)}, union_by_name = true) as stored
        where strpos(cast(stored as varchar), $identifier) > 0`,
        { identifier },
    );
    if (row_count === 0n) return { rows: new Map(), accounts: [] };
    if (!isReplaced) {
        refuse(
            `${batch.folder} was read when ${batch.input} was configured otherwise, and holds it`,
            `Run all open periods once, so that its objects are read as they are configured now; then delete ${batch.folder}.`,
        );
    }
    return { rows: new Map([[1, wholeOf(row_count)]]), accounts: [] };
}

function refuse(detail: string, remedy: string): never {
    throw new RunError('ERASE_REFUSED', { detail, remedy });
}

/** The select of rows with the stand-in in the place of what is erased. */
function erasedSql(rows: string, erasing: Erasing, columns: readonly string[]): string {
    const { kind, identifier, stand_in } = erasing;
    const [id, other] = [quoteText(identifier), quoteText(stand_in)];
    const replaced = columns
        .filter((column) => !fixed.includes(column))
        .map((column) => {
            const name = quoteName(column);
            const value =
                kind === 'value'
                    ? `replace(${name}, ${id}, ${other})`
                    : `case when ${name} = ${id} then ${other} else ${name} end`;
            return `${value} as ${name}`;
        });
    const text = `case when raw_text is not null and (${holdsSql(erasing, columns)})
        then ${quoteText(JSON.stringify({ erased: stand_in }))} else raw_text end as raw_text`;
    return `select * replace (${[...replaced, text].join(', ')}) from (${rows})`;
}

/** Writes a batch anew without it, in the place of the old one. */
async function replaced(of: Rewriting, erasing: Erasing, { batch, rows }: Holding): Promise<Batch> {
    const merge = mergeOf([batch]);
    const objects = merge.objects.map((object, index) => {
        const erased = [object.erased, erasing.stand_in].filter(Boolean).join(' ');
        return rows.has(index + 1) ? { ...object, erased } : object;
    });
    const columns = await textColumns(of.engine, await batchRows(of, allOf(batch)));
    const rewrite = (sql: string) => erasedSql(sql, erasing, columns);
    return replaceBatches(of, [batch], { ...merge, objects }, rewrite);
}

/** What took the place of a batch when an earlier start of the same erasure was cut off. */
const replacedBefore = ({ lake }: Rewriting, { stand_in }: Erasing, { batch }: Holding) =>
    storedBatches(lake, batch.input).find(
        ({ replaces = [], objects }) =>
            replaces.includes(batch.id) &&
            objects.some(({ erased = '' }) => erased.split(' ').includes(stand_in)),
    );

/** What an erasure found, and which batch took the place of which. */
export interface Erased {
    readonly holdings: readonly Holding[];
    /** By the id of the one that held it; none of one that others had replaced before. */
    readonly made: ReadonlyMap<string, Batch>;
}

export const nothingErased: Erased = { holdings: [], made: new Map() };

/** Looks at what was found, and throws when it may not be erased; null to look only. */
export type Admit = ((holdings: readonly Holding[]) => void) | null;

/**
 * Looks for an identifier in a lake, and writes what takes the place of each batch that holds it. The
 * batches themselves stay, and nothing reads them any more.
 * @throws RunError ERASE_REFUSED, LAKE_DAMAGED
 */
export async function rewriteLake(
    project: Project,
    erasing: Erasing,
    at: string,
    admit: Admit,
): Promise<Erased> {
    makeFolders(runFolder(project.state, '').lake);
    return withRewriting(project, at, async (of) => {
        const holdings = await findHoldings(of, erasing);
        const made = new Map<string, Batch>();
        if (admit === null) return { holdings, made };
        admit(holdings);
        for (const holding of holdings) {
            const instead = holding.isReplaced
                ? replacedBefore(of, erasing, holding)
                : await replaced(of, erasing, holding);
            if (instead) made.set(holding.batch.id, instead);
        }
        return { holdings, made };
    });
}

/**
 * Erases an identifier from the lake of a folder: what takes the place of batches is written, then an
 * entry says so, then the batches go. Interrupted, it is done by the same command again.
 * @param note enters it into the log.
 * @throws RunError ERASE_REFUSED, LAKE_DAMAGED
 */
export async function eraseFromLake(
    project: Project,
    erasing: Erasing,
    at: string,
    admit: Admit,
    note: (found: Erased) => Promise<void> = async () => {},
): Promise<Erased> {
    const found = await rewriteLake(project, erasing, at, admit);
    if (admit === null) return found;
    await note(found);
    const { lake } = runFolder(project.state, '');
    for (const { batch } of found.holdings) deleteBatch(lake, batch);
    return found;
}
