import type { Part } from '../support/cost.ts';
import type { Answer } from './answer.ts';

/** What a subject works on, and with. */
export interface Setting {
    /** Where `data.ts` made usage and debits. */
    readonly folder: string;
    readonly events: string;
    /** What an engine may hold, as DuckDB says it: 6GB. */
    readonly memory: string;
    readonly threads: number;
    /** The program that nights are run with. */
    readonly cli: string;
}

/** What came of one run of a subject, in a process of its own. */
export interface Measured {
    readonly parts: readonly Part[];
    /** What the job came to; null of a subject that does something else. */
    readonly answer: Answer | null;
    /** Version and settings of what did it. */
    readonly says: string;
    /** Of a night: runs that say the same have the same. */
    readonly digest?: string;
}

/** What a module of a subject exports as `measure`. */
export type Measure = (setting: Setting) => Promise<Measured>;

/**
 * `all`: the size that was asked for. `small`: at most a million events, for what would take unbearably
 * long otherwise. `rates`: its own, of metered rows.
 */
export type Size = 'all' | 'small' | 'rates';

/** One thing that the suite measures. */
export interface Subject {
    readonly name: string;
    readonly size: Size;
    /** What else of the data it needs than Parquet. */
    readonly needs?: 'text' | 'csv';
    /** Measured once, whatever `--runs` says: it consists of several nights. */
    readonly isOnce?: boolean;
    /** Software that the benchmark installs, or that has to be there. */
    readonly peer?: 'chdb' | 'nodejs-polars' | 'decimal.js' | 'postgresql';
    /** Its module, where it is not called as the subject is. */
    readonly module?: string;
}

/** In the order in which they are measured. A price is changed by the last of them. */
export const subjects: readonly Subject[] = [
    { name: 'floor', size: 'all' },
    { name: 'night', size: 'all' },
    { name: 'duckdb', size: 'all' },
    { name: 'clickhouse', size: 'all', peer: 'chdb' },
    { name: 'polars', size: 'all', peer: 'nodejs-polars' },
    { name: 'small-night', size: 'small', module: 'night' },
    { name: 'text-floor', size: 'small', needs: 'text' },
    { name: 'text-night', size: 'small', needs: 'text' },
    { name: 'postgres', size: 'small', needs: 'csv', peer: 'postgresql' },
    { name: 'node', size: 'small', needs: 'text', peer: 'decimal.js' },
    { name: 'rates', size: 'rates', isOnce: true },
    { name: 'month', size: 'all', isOnce: true },
    { name: 'reprice', size: 'all', isOnce: true },
];
