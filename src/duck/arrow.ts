import {
    Table as ArrowTable,
    type Data,
    Decimal,
    Field,
    makeData,
    makeVector,
    RecordBatch,
    Schema,
    Struct,
    TimestampMicrosecond,
    tableToIPC,
    Utf8,
    vectorFromArray,
} from 'apache-arrow';
import type { Row } from './engine.ts';
import type { Column, Table } from './table.ts';

/** Rows of a message: readers take a file message by message. */
const ROWS_AT_ONCE = 65_536;

/**
 * The rows of a relation as an Arrow IPC file (Feather version 2), in the order given: DECIMAL exact,
 * whole numbers of 128 bits as DECIMAL(38, 0), instants as microseconds in UTC. The same rows give the same
 * bytes.
 * @param rows values as the engine gives them: decimals and instants as text, whole numbers as bigint.
 */
export function arrowFile(table: Table, rows: readonly Row[]): Uint8Array {
    const columns = Object.entries(table.columns);
    const fields = columns.map(
        ([name, of]) =>
            new Field(name, typeOf(of), of.nullable, new Map([['comment', of.comment]])),
    );
    const schema = new Schema(fields, new Map([['comment', table.comment]]));
    const batches: RecordBatch[] = [];
    for (let at = 0; at === 0 || at < rows.length; at += ROWS_AT_ONCE) {
        const some = rows.slice(at, at + ROWS_AT_ONCE);
        const children = columns.map(([name, of]) =>
            dataOf(
                of,
                some.map((row) => row[name] ?? null),
            ),
        );
        const type = new Struct(fields);
        batches.push(new RecordBatch(schema, makeData({ type, length: some.length, children })));
    }
    return tableToIPC(new ArrowTable(schema, batches), 'file');
}

function typeOf({ type }: Column) {
    if (type === 'VARCHAR') return new Utf8();
    if (type === 'TIMESTAMP') return new TimestampMicrosecond('UTC');
    return new Decimal(scaleOf(type), 38, 128);
}

/** DECIMAL(38,12) has 12 decimals, HUGEINT and BIGINT none. */
function scaleOf(type: string): number {
    const match = /^DECIMAL\(\d+,(\d+)\)$/.exec(type);
    if (match) return Number.parseInt(match[1] ?? '', 10);
    if (type === 'HUGEINT' || type === 'BIGINT') return 0;
    throw new TypeError(`no Arrow type for ${type}`);
}

function dataOf(column: Column, values: readonly unknown[]): Data {
    const type = typeOf(column);
    if (type instanceof Utf8) return vectorFromArray(values as (string | null)[], type).data[0]!;
    const nulls = nullsOf(values);
    if (type instanceof TimestampMicrosecond) {
        const data = BigInt64Array.from(values, microseconds);
        return makeVector(makeData({ type, length: values.length, data, ...nulls })).data[0]!;
    }
    const data = new Uint32Array(values.length * 4);
    for (const [at, value] of values.entries()) {
        const units = BigInt.asUintN(128, unitsOf(value, scaleOf(column.type)));
        for (let word = 0; word < 4; word += 1) {
            data[at * 4 + word] = Number.parseInt(
                `${(units >> BigInt(32 * word)) & 0xffff_ffffn}`,
                10,
            );
        }
    }
    return makeData({ type, length: values.length, data, ...nulls });
}

/** A bit for each value that is there; none where all are. */
function nullsOf(values: readonly unknown[]): { nullBitmap?: Uint8Array; nullCount: number } {
    const nullCount = values.filter((value) => value === null).length;
    if (nullCount === 0) return { nullCount };
    const nullBitmap = new Uint8Array(Math.ceil(values.length / 64) * 8);
    for (const [at, value] of values.entries()) {
        if (value !== null) nullBitmap[at >> 3] = (nullBitmap[at >> 3] ?? 0) | (1 << (at & 7));
    }
    return { nullBitmap, nullCount };
}

/** A decimal as text in whole numbers of 10 to minus a scale. */
function unitsOf(value: unknown, scale: number): bigint {
    if (value === null) return 0n;
    const [whole = '', fraction = ''] = String(value).split('.');
    return BigInt(whole + fraction.padEnd(scale, '0'));
}

/** An instant as text, 2026-10-01T00:00:00.000001Z, since 1970. */
function microseconds(value: unknown): bigint {
    if (value === null) return 0n;
    const text = String(value);
    const [seconds = '', fraction = ''] = text.replace('Z', '').split('.');
    return BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}
