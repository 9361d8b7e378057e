import type { UsageInput } from '../schema/config.ts';

/** Where a field comes from: one path, or several with what is made of their texts. */
export interface Source {
    readonly paths: readonly string[];
    /** SQL of the field from the SQL of each path. Of several the first that `values` knows counts. */
    readonly sql?: (...texts: readonly string[]) => readonly string[];
    /** Paths of whole numbers: where one has anything else, the row cannot be used. */
    readonly whole?: readonly string[];
}

/** Decimals of amounts that are written in minor units, by asset. */
export interface Decimals {
    readonly of: Readonly<Record<string, number>>;
    /** Of all others; null: nobody can say. */
    readonly otherwise: number | null;
}

export type Signs = 'above_adds' | 'say_nothing';

/** How a system writes instants: as RFC 3339, or as a number since 1970. */
export type Instants = UsageInput['instants'];

/** What one system calls the fields of an event or an entry, and how it writes them. */
export interface Preset<F extends string = string> {
    readonly fields: Readonly<Partial<Record<F, string | Source>>>;
    readonly constants?: Readonly<Partial<Record<F, string>>>;
    /** What stands for what in a field. Others stay as they are. */
    readonly values?: Readonly<Partial<Record<F, Readonly<Record<string, string>>>>>;
    readonly instants?: Instants;
    readonly decimals?: Decimals;
    /** Object that may hold all of it: every path is looked for in it first. */
    readonly wrapper?: string;
    /** Array of which each element is an entry; paths that begin with it are within the element. */
    readonly each?: string;
    /** Where amounts have a sign: whether one above zero adds to the balance, or says nothing. */
    readonly signs?: Signs;
    /** Where it is true, a line of NDJSON is none of this system. */
    readonly envelope?: Source;
    /** Of debits: a capture ends its hold, and what it left of it is given back without an entry. */
    readonly capturesEndHolds?: boolean;
}

/** The entry type of what moved nothing: the row is told, and counts for nothing. */
export const unbooked = 'unbooked';

/** The first of several paths that is there. */
export const firstOf = (...paths: readonly string[]): Source => ({
    paths,
    sql: (...texts) => [`coalesce(${texts.join(', ')})`],
});

/** What is made of the texts of some paths. */
export const madeOf = (
    paths: readonly string[],
    sql: (...texts: readonly string[]) => string,
): Source => ({ paths, sql: (...texts) => [sql(...texts)] });
