import { join } from 'node:path';
import { costOf } from '../support/cost.ts';
import { answerOf, prices, type SqlRow, tenMillionths } from './answer.ts';
import { loadPeer, peerVersion } from './peers.ts';
import type { Measured, Setting } from './subject.ts';

/** Of polars what the job needs; the package, which only the benchmark installs, has types of its own. */
interface Expression {
    readonly alias: (name: string) => Expression;
    readonly cast: (type: unknown) => Expression;
    readonly plus: (other: Expression) => Expression;
    readonly minus: (other: Expression) => Expression;
    readonly mul: (other: Expression | number) => Expression;
    readonly div: (other: Expression | number) => Expression;
    readonly modulo: (other: number) => Expression;
    readonly eq: (other: Expression) => Expression;
    readonly gt: (other: number) => Expression;
    readonly and: (other: Expression) => Expression;
    readonly filter: (predicate: Expression) => Expression;
    readonly sum: () => Expression;
    readonly count: () => Expression;
    readonly isNull: () => Expression;
    readonly isNotNull: () => Expression;
    readonly fillNull: (other: Expression) => Expression;
}
interface Frame {
    readonly select: (...columns: Expression[]) => Frame;
    readonly withColumns: (...columns: Expression[]) => Frame;
    readonly unique: (of: { subset: readonly string[]; keep: 'any' }) => Frame;
    readonly join: (other: Frame, of: object) => Frame;
    readonly groupBy: (columns: readonly Expression[]) => { agg: (...of: Expression[]) => Frame };
    readonly collect: () => Promise<{ toRecords: () => readonly Record<string, unknown>[] }>;
    readonly lazy: () => Frame;
}
interface Library {
    readonly col: (name: string) => Expression;
    readonly lit: (value: number) => Expression;
    readonly scanParquet: (files: string) => Frame;
    readonly readRecords: (rows: readonly object[], of: object) => Frame;
    readonly Int64: unknown;
    readonly Utf8: unknown;
    readonly Bool: unknown;
    readonly Date: unknown;
    readonly Decimal: (precision: number, scale: number) => unknown;
}

/**
 * The job in lazy frames. Of decimals polars for Node adds and multiplies some, and makes binary fractions
 * of others without a word; so amounts are whole ten-millionths of a dollar from the first step on.
 */
export async function measure(setting: Setting): Promise<Measured> {
    process.env.POLARS_MAX_THREADS = String(setting.threads);
    const pl = loadPeer<Library>('nodejs-polars');
    let rows: readonly Record<string, unknown>[] = [];
    const cost = await costOf(async () => {
        const done = await job(pl, setting.folder).collect();
        rows = done.toRecords();
    });
    return {
        parts: [{ name: 'job', cost }],
        answer: answerOf(rows.map(rowOf)),
        says: `${peerVersion('nodejs-polars')}, lazy frames over Parquet, amounts as whole ten-millionths (Int64); ${setting.threads} threads`,
    };
}

/** Whole ten-millionths as the millionths and dollars that other peers give. */
function rowOf(row: Record<string, unknown>): SqlRow {
    const shifted = (of: string, digits: number) => {
        const text = String(row[of] ?? 0).padStart(digits + 1, '0');
        return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
    };
    return {
        ...(row as SqlRow),
        rated: shifted('rated', 1),
        undebited_amount: shifted('undebited_amount', 1),
        debited: shifted('debited', 7),
        unused_amount: shifted('unused_amount', 7),
    };
}

function job(pl: Library, folder: string): Frame {
    const events = eventsOf(pl, folder);
    const entries = entriesOf(pl, folder);
    const { col } = pl;
    const none = (name: string) => col(name).isNull();
    const joined = events
        .join(entries, { leftOn: 'id', rightOn: 'event_id', how: 'full' })
        .withColumns(col('account').fillNull(col('entry_account')).alias('account'));
    // To six digits, half away from zero: no price is negative.
    const rounded = col('amount').plus(pl.lit(5));
    const isAgreed = rounded.minus(rounded.modulo(10)).eq(col('debited'));
    const tied = joined
        .groupBy([col('account')])
        .agg(
            ...[col('debited').count().alias('entries'), col('debited').sum().alias('debited')],
            isAgreed.sum().alias('agreed'),
            none('debited').sum().alias('undebited'),
            col('amount').filter(none('debited')).sum().alias('undebited_amount'),
            none('amount').sum().alias('unused'),
            col('debited').filter(none('amount')).sum().alias('unused_amount'),
        );
    return tied.join(ratedOf(pl, events), { on: 'account', how: 'left' });
}

function eventsOf(pl: Library, folder: string): Frame {
    const { col } = pl;
    const amounts = prices.map(({ model, is_long, ...of }) => ({
        ...{ model, is_long },
        input_price: Number(tenMillionths(of.input, 'millionths')),
        cached_price: Number(tenMillionths(of.cached, 'millionths')),
        output_price: Number(tenMillionths(of.output, 'millionths')),
    }));
    const types = { input_price: pl.Int64, cached_price: pl.Int64, output_price: pl.Int64 };
    const card = pl
        .readRecords(amounts, { schema: { model: pl.Utf8, is_long: pl.Bool, ...types } })
        .lazy();
    return pl
        .scanParquet(join(folder, 'data', 'usage', '*.parquet'))
        .unique({ subset: ['source', 'id'], keep: 'any' })
        .select(
            ...[col('id'), col('subject').alias('account'), col('model')],
            col('time').cast(pl.Date).alias('day'),
            col('input_tokens').gt(200_000).alias('is_long'),
            col('input_tokens').minus(col('cached_input_tokens')).alias('fresh'),
            ...[col('cached_input_tokens').alias('cached'), col('output_tokens').alias('output')],
        )
        .join(card, { on: ['model', 'is_long'], how: 'inner' })
        .withColumns(
            col('fresh')
                .mul(col('input_price'))
                .plus(col('cached').mul(col('cached_price')))
                .plus(col('output').mul(col('output_price')))
                .alias('amount'),
        );
}

function entriesOf(pl: Library, folder: string): Frame {
    const { col } = pl;
    const scale = pl.lit(10_000_000).cast(pl.Decimal(18, 0));
    return pl
        .scanParquet(join(folder, 'data', 'debits', '*.parquet'))
        .unique({ subset: ['entry_id'], keep: 'any' })
        .select(
            ...[col('account_id').alias('entry_account'), col('event_id')],
            col('amount').mul(scale).cast(pl.Int64).alias('debited'),
        );
}

/** Metered usage, and that by account. */
function ratedOf(pl: Library, events: Frame): Frame {
    const { col } = pl;
    const sums = ['fresh', 'cached', 'output', 'amount'].map((name) => col(name).sum());
    return events
        .groupBy(['account', 'model', 'is_long', 'day'].map(col))
        .agg(col('id').count().alias('events'), ...sums)
        .groupBy([col('account')])
        .agg(
            ...[col('events').sum(), col('day').count().alias('metered')],
            ...['fresh', 'cached', 'output'].map((name) => col(name).sum()),
            col('amount').sum().alias('rated'),
        );
}
