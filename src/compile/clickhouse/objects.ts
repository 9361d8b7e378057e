import { clickName, clickText } from './sql.ts';

/** How a cluster, or one server, reads the bucket. */
export interface ObjectSource {
    /** Name of the cluster; left out, one server reads. */
    readonly cluster?: string | undefined;
    /** Named collection of the server with what it needs to be let in; left out, its own role. */
    readonly collection?: string | undefined;
    /** Where the bucket is, for the server: without a slash at the end. */
    readonly bucketUrl: string;
    /** What keys begin with in the paths that the server gives. */
    readonly pathPrefix: string;
    /** Lines that are longer are no lines. */
    readonly lineBytes: number;
}

/** Objects of one input in one format. */
export interface ObjectSet {
    readonly input: string;
    readonly format: 'ndjson' | 'parquet';
    readonly keys: readonly string[];
}

/** Keys that stand in a list of alternatives as they are. */
export const readableKey = /^[A-Za-z0-9/_.=@~:+-]+$/;

function sourceSql(
    { cluster, collection, bucketUrl }: ObjectSource,
    keys: readonly string[],
    options: Readonly<Record<string, string>>,
): string {
    const [only = ''] = keys;
    const which = keys.length === 1 ? only : `{${keys.join(',')}}`;
    const url = `${bucketUrl}/${which}`;
    const named = Object.entries({ url, ...options })
        .map(([name, value]) => `${name} = ${clickText(value)}`)
        .join(', ');
    const place = cluster === undefined ? [] : [clickText(cluster)];
    const name = cluster === undefined ? 's3' : 's3Cluster';
    if (collection !== undefined) {
        return `${name}(${[...place, clickName(collection), named].join(', ')})`;
    }
    const { format = '', structure = 'auto', compression_method = 'auto' } = options;
    const values = [url, format, structure, compression_method].map(clickText);
    return `${name}(${[...place, ...values].join(', ')})`;
}

/** What a row is of, as the server says it. */
const place = `_path as path, trim(both '"' from _etag) as etag, toInt64(assumeNotNull(_row_number)) + 1 as line_no`;

/**
 * What is made of each stored row, where it is read: on a cluster every node does this select, and no
 * other, over objects of its own.
 * @param names expressions by which the columns may call something.
 */
export function madeClickSql(
    source: ObjectSource,
    set: ObjectSet,
    names: readonly string[],
    columns: readonly string[],
): string {
    return `${names.length ? `with ${names.join(',\n    ')}\n` : ''}select ${[place, ...columns].join(',\n    ')}
from ${rowsOf(source, set)}`;
}

const rowsOf = (source: ObjectSource, { format, keys }: ObjectSet): string =>
    format === 'ndjson'
        ? sourceSql(source, keys, { format: 'LineAsString', structure: 'line String' })
        : sourceSql(source, keys, { format: 'Parquet' });

/** What a column of Parquet is called where fields are made of it: none of them is called so. */
export const asColumns = (columns: readonly string[]): readonly string[] =>
    columns.map((name) => `${clickName(name)} as ${clickName(`column.${name}`)}`);

/** The rows of some objects as they are stored: lines of text, or the columns of Parquet. */
export function storedClickSql(
    source: ObjectSource,
    set: ObjectSet,
    columns: readonly string[],
): string {
    const { format } = set;
    const made = rowsOf(source, set);
    const wanted = format === 'ndjson' ? ['line'] : asColumns(columns);
    return `select ${[place, ...wanted].join(', ')}
        from ${made}`;
}

/** The columns of Parquet objects, to be described. */
export const parquetColumnsSql = (source: ObjectSource, { keys }: ObjectSet): string =>
    `describe table ${sourceSql(source, keys, { format: 'Parquet' })}`;

/** What is pinned of objects: the hash of their bytes, with how many there are. */
export function pinsSql(source: ObjectSource, keys: readonly string[]): string {
    const made = sourceSql(source, keys, {
        ...{ format: 'RawBLOB', structure: 'bytes String', compression_method: 'none' },
    });
    return `select _path as path, trim(both '"' from _etag) as etag, toString(length(bytes)) as size,
    lower(hex(SHA256(bytes))) as sha256
from ${made}`;
}

/** Rows of stored objects with the number that an object has in the run. One that is another stops it. */
export const numberedClickSql = (rows: string, columns: readonly string[]): string =>
    `select objects.object_no as object_no, ${columns.map((column) => `stored.${clickName(column)} as ${clickName(column)}`).join(', ')}
from (
${rows}
) as stored
inner join objects on stored.path = objects.path
where throwIf(stored.etag <> objects.etag, 'OBJECT_CHANGED') = 0`;

/** Rows as they are stored, by their places: to be read by the SQL of the stage. */
export function returnedClickSql(
    source: ObjectSource,
    set: ObjectSet,
    columns: readonly string[],
    where: string,
): string {
    const stored = storedClickSql(source, set, columns);
    const made =
        set.format === 'ndjson'
            ? [
                  "isValidUTF8(line) and position(line, '\\0') = 0 as is_text",
                  'toInt64(length(line)) as byte_count',
                  'line as raw_text',
              ]
            : columns.map((name) => `${clickName(`column.${name}`)} as ${clickName(name)}`);
    return `select objects.object_no as ${clickName(placeNames.object_no)}, stored.line_no as ${clickName(placeNames.line_no)},
    ${made.join(', ')}
from (
${stored}
) as stored
inner join objects on stored.path = objects.path
where throwIf(stored.etag <> objects.etag, 'OBJECT_CHANGED') = 0
    and (objects.object_no, stored.line_no) in (${where})`;
}

/** What the places of such rows are called: no column of an input is called so. */
export const placeNames = { object_no: '_tieout_object_no', line_no: '_tieout_line_no' } as const;
