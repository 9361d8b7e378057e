/** The columns of DuckDB that contracts may use, with what they become in TypeScript. */
export interface Column<T = unknown> {
    readonly type: string;
    readonly nullable: boolean;
    readonly comment: string;
    /** Never present: carries the TypeScript type for RowOf. */
    readonly row?: T;
}

const column =
    <T>(type: string) =>
    (comment: string): Column<T> => ({ type, nullable: false, comment });

/** Opaque text. */
export const varchar = column<string>('VARCHAR');
export const bigint = column<bigint>('BIGINT');
export const hugeint = column<bigint>('HUGEINT');
export const boolean = column<boolean>('BOOLEAN');
/** UTC, microseconds, without a zone. Comes out as ISO text ending in Z. */
export const timestamp = column<string>('TIMESTAMP');
/** A civil date. Comes out as yyyy-MM-dd. */
export const date = column<string>('DATE');
/** DECIMAL(38,12): every quantity. Comes out as exact decimal text. */
export const quantity = column<string>('DECIMAL(38,12)');
/** DECIMAL(38,24): an amount before its one rounding; holds quantity x price exactly. */
export const exactAmount = column<string>('DECIMAL(38,24)');
/** DECIMAL(38,12): an amount of an asset as a log states it, or a rounded amount. */
export const amount = column<string>('DECIMAL(38,12)');
/** A list of text. */
export const varcharList = column<readonly string[]>('VARCHAR[]');

/** A value of whatever type the config makes it: compared whole, never taken apart. */
export function opaque(comment: string): Column<unknown> {
    return { type: 'ANY', nullable: false, comment };
}

/** Any other type, spelled as `describe` prints it. */
export function typed(type: string, comment: string): Column<unknown> {
    return { type, nullable: false, comment };
}

/** The same column, allowed to be null. */
export function nullable<T>(of: Column<T>): Column<T | null> {
    return { type: of.type, comment: of.comment, nullable: true };
}

/**
 * table: in the run's database. view: computed where it is read. lake: a view of event scale over
 * Parquet that lies in the lake; its rows are not copied, and yet checked and totalled as a table's.
 */
export type Storage = 'table' | 'lake' | 'view';

export interface Table<
    C extends Readonly<Record<string, Column>> = Readonly<Record<string, Column>>,
> {
    /** `schema.name`. */
    readonly name: string;
    readonly comment: string;
    /** The columns that identify a row. Checked unique after every insert. */
    readonly grain: readonly string[];
    readonly columns: C;
    readonly storage: Storage;
    /**
     * Keys that alone can repeat, where an earlier relation has found them: the grain is checked
     * among these rows only, which proves the same at a fraction of the cost.
     */
    readonly repeatable?: { readonly keys: string; readonly hash: string };
    /**
     * Holds what was found of the rows that this run looked at, which need not be all of the period:
     * how much that is says nothing about the result.
     */
    readonly isPartial?: true;
    /** Columns that carry control totals, where the relation has them. */
    readonly totals?: { readonly quantity?: string; readonly amount?: string };
}

/** Declares a relation: its grain, its columns in order, and where it is stored. */
export function defineTable<const C extends Readonly<Record<string, Column>>>(
    name: string,
    table: Omit<Table<C>, 'name' | 'storage'> & { readonly storage?: Storage },
): Table<C> {
    return { storage: 'table', ...table, name };
}

/**
 * A table of the same grain and columns as another relation, some of them left out: for rows of that
 * relation that come from elsewhere.
 */
export function tableLike(
    name: string,
    comment: string,
    of: Table,
    without: readonly string[] = [],
): Table {
    const columns = Object.entries(of.columns).filter(([column]) => !without.includes(column));
    return defineTable(name, { comment, grain: of.grain, columns: Object.fromEntries(columns) });
}

/** The TypeScript row of a contract: decimals and instants as exact text, BIGINT as bigint. */
export type RowOf<T> =
    T extends Table<infer C>
        ? { readonly [K in keyof C]: C[K] extends Column<infer V> ? V : never }
        : never;
