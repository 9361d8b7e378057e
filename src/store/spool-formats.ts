import type { FileHandle } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { RunError } from '../errors/index.ts';
import { chain } from './inflate.ts';
import { lineFeed, type ObjectPlace, TextLines } from './text-lines.ts';

export type SpoolFormat = 'ndjson' | 'csv' | 'parquet';

/** What the writing of one object depends on. */
export interface FormatJob {
    readonly at: ObjectPlace;
    readonly options: {
        readonly format: 'auto' | SpoolFormat;
        readonly csv: { readonly requiredColumns: readonly string[]; readonly delimiter: string };
        readonly lineBytesLimit: number;
    };
}

/** What the plain bytes of an object were. */
export interface Plain {
    readonly format: SpoolFormat;
    readonly line_count: number | null;
}

const parquetMagic = 'PAR1';

/** What an object is: as the config says, else by its first bytes, else by its name. */
export function formatOf({ at, options }: FormatJob, head: Buffer): SpoolFormat {
    if (options.format !== 'auto') return options.format;
    if (head.toString('latin1', 0, 4) === parquetMagic) return 'parquet';
    const name = at.key.toLowerCase().replace(/\.(gz|zst)$/, '');
    if (name.endsWith('.csv')) return 'csv';
    // A file that calls itself Parquet and is not must not be read as a page of bad lines.
    return name.endsWith('.parquet') ? 'parquet' : 'ndjson';
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

/** Copies Parquet as it is. Its footer says how long it is itself, so a cut at either end shows. */
export async function writeParquet(
    job: FormatJob,
    head: Buffer,
    rest: AsyncIterator<Buffer>,
    file: FileHandle,
): Promise<Plain> {
    const refused = (detail: string) => new RunError('OBJECT_NOT_PARQUET', { ...job.at, detail });
    if (head.toString('latin1', 0, 4) !== parquetMagic)
        throw refused('it does not begin with PAR1');
    let size = 0;
    let tail = Buffer.alloc(0);
    for await (const chunk of chain(head, rest)) {
        await writeAll(file, chunk);
        size += chunk.length;
        tail = Buffer.concat([tail, chunk.subarray(-8)]).subarray(-8);
    }
    if (size < 12 || tail.toString('latin1', 4) !== parquetMagic) {
        throw refused('it does not end with PAR1');
    }
    if (tail.readUInt32LE() > size - 12) throw refused('its footer is longer than the file');
    // It goes into the lake as it is: the disk writes it while others are still on their way.
    await file.sync();
    return { format: 'parquet', line_count: null };
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Writes text as UTF-8 lines that end in LF, and gives their number. */
export async function writeText(
    job: FormatJob,
    format: 'ndjson' | 'csv',
    head: Buffer,
    rest: AsyncIterator<Buffer>,
    file: FileHandle,
): Promise<number> {
    const lines = new TextLines(job.at, format, job.options.lineBytesLimit);
    const header: Buffer[] = [];
    let isHeaderKnown = format !== 'csv';
    const write = async (ready: Buffer) => {
        await writeAll(file, ready);
        if (isHeaderKnown) return;
        const end = ready.indexOf(lineFeed);
        header.push(Buffer.from(end < 0 ? ready : ready.subarray(0, end)));
        if (end < 0) return;
        isHeaderKnown = true;
        requireHeader(job, Buffer.concat(header).toString());
    };
    const isMarked = head.subarray(0, 3).equals(byteOrderMark);
    for await (const chunk of chain(isMarked ? head.subarray(3) : head, rest)) {
        const { ready, error } = lines.push(chunk);
        await write(ready);
        if (error) throw error;
    }
    await write(lines.end());
    if (!isHeaderKnown) requireHeader(job, '');
    return lines.count;
}

/** A CSV without its header would be read with its first row as names: refused at once. */
function requireHeader({ at, options }: FormatJob, header: string): void {
    const { requiredColumns, delimiter } = options.csv;
    const missing = missingColumns(header, requiredColumns, delimiter);
    if (missing.length === 0) return;
    throw new RunError('CSV_HEADER_MISSING', {
        ...at,
        header: header === '' ? 'an empty line' : header.slice(0, 200),
        missing: missing.join(', '),
    });
}

function missingColumns(
    header: string,
    required: readonly string[],
    delimiter: string,
): readonly string[] {
    if (header === '') return required.length ? required : ['every column'];
    if (required.length === 0) return [];
    const names = columnNames(header, delimiter);
    // The engine takes names in any case, and silently renames the second of two.
    const times = (column: string) =>
        names.filter((name) => name.toLowerCase() === column.toLowerCase()).length;
    return required.flatMap((column) => {
        if (!names.includes(column)) return [column];
        return times(column) > 1 ? [`a single ${column}`] : [];
    });
}

function columnNames(header: string, delimiter: string): readonly string[] {
    try {
        const [names] = parse(header, { delimiter, relax_column_count: true }) as string[][];
        return names ?? [];
    } catch {
        return []; // A quote that does not close: no name in it can be trusted.
    }
}
