import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ErrorCode, RunError } from '../../../src/errors/index.ts';
import type { ObjectEntry, ObjectStore } from '../../../src/store/object-store.ts';
import { type SpoolOptions, spoolObjects } from '../../../src/store/spool.ts';
import { type Fault, faultyStore } from '../../support/faulty-store.ts';
import { memoryStore } from '../../support/memory-store.ts';

let dir = '';

beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tieout-spool-'));
});

afterEach(async () => {
    await rm(dir, { recursive: true });
});

type Options = Partial<Omit<SpoolOptions, 'store' | 'entries'>>;

async function listed(store: ObjectStore): Promise<readonly ObjectEntry[]> {
    const entries: ObjectEntry[] = [];
    for await (const entry of store.list('')) entries.push(entry);
    return entries;
}

/** Spools every object of a store, or the entries given. */
async function spool(store: ObjectStore, options: Options & { entries?: readonly ObjectEntry[] }) {
    return spoolObjects({
        store,
        entries: options.entries ?? (await listed(store)),
        dir,
        format: 'auto',
        csv: { requiredColumns: ['id', 'amount'], delimiter: ',' },
        concurrency: 4,
        lineBytesLimit: 1000,
        ...options,
    });
}

/** Spools one object whole and in pieces of one byte: both must give the same. */
async function spoolOne(key: string, body: string | Uint8Array, options: Options = {}) {
    const [whole] = await spool(memoryStore({ [key]: body }), options);
    if (!whole) throw new Error('nothing was spooled');
    const bytes = await readFile(whole.path);
    const [pieced] = await spool(memoryStore({ [key]: body }, { chunkBytes: 1 }), options);
    if (!pieced) throw new Error('nothing was spooled');
    expect(pieced).toEqual(whole);
    expect((await readFile(pieced.path)).equals(bytes)).toBe(true);
    return { ...whole, bytes, text: bytes.toString() };
}

/** The error one object gives, which must be the same whole and byte by byte. */
async function failureOf(key: string, body: string | Uint8Array, options: Options = {}) {
    const whole = await failure(spool(memoryStore({ [key]: body }), options));
    const small = memoryStore({ [key]: body }, { chunkBytes: 1 });
    const pieced = await failure(spool(small, options));
    expect(pieced.code).toBe(whole.code);
    expect(await readdir(dir)).toEqual([]);
    return { code: whole.code, params: whole.params, pieced: pieced.params };
}

async function failure(work: Promise<unknown>): Promise<RunError> {
    const error = await work.then(
        () => new Error('it did not fail'),
        (reason: unknown) => reason,
    );
    if (!(error instanceof RunError)) throw error;
    return error;
}

const bytes = (...parts: (string | number[] | Uint8Array)[]) =>
    Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));

/** The least a file needs to be taken for Parquet: both marks, and a footer that fits. */
function parquet(body = 'rows and footer', footerBytes = 6): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(footerBytes);
    return bytes('PAR1', body, length, 'PAR1');
}

const ndjson = '{"a":1}\n{"a":2}\n';
const csv = 'id,amount\n1,2\n';

describe('formats and compressions', () => {
    const packed = [
        { how: 'plain', suffix: '', pack: (body: Buffer) => body },
        { how: 'gzip', suffix: '.gz', pack: (body: Buffer) => gzipSync(body) },
        { how: 'zstd', suffix: '.zst', pack: (body: Buffer) => zstdCompressSync(body) },
        // The magic bytes decide; a name without suffix, or with a wrong one, changes nothing.
        { how: 'gzip without suffix', suffix: '', pack: (body: Buffer) => gzipSync(body) },
        { how: 'zstd named .gz', suffix: '.gz', pack: (body: Buffer) => zstdCompressSync(body) },
        { how: 'plain named .gz', suffix: '.gz', pack: (body: Buffer) => body },
    ];
    const contents = [
        { key: 'a.ndjson', body: ndjson, format: 'ndjson', line_count: 2 },
        { key: 'a.jsonl', body: ndjson, format: 'ndjson', line_count: 2 },
        { key: 'a.json', body: ndjson, format: 'ndjson', line_count: 2 },
        { key: 'a', body: ndjson, format: 'ndjson', line_count: 2 },
        { key: 'A.CSV', body: csv, format: 'csv', line_count: 2 },
        { key: 'a.parquet', body: parquet(), format: 'parquet', line_count: null },
        { key: 'a.ndjson', body: parquet(), format: 'parquet', line_count: null },
    ] as const;
    for (const { how, suffix, pack } of packed) {
        for (const { key, body, format, line_count } of contents) {
            test(`${format} as ${key}, ${how}`, async () => {
                const stored = pack(Buffer.from(body));
                const object = await spoolOne(`${key}${suffix}`, stored);
                expect(object).toMatchObject({ object_no: 1, format, line_count });
                expect(object.size).toBe(stored.length);
                expect(object.sha256).toBe(createHash('sha256').update(stored).digest('hex'));
                expect(object.path).toBe(join(dir, `000001.${format}`));
                expect(object.bytes.equals(Buffer.from(body))).toBe(true);
            });
        }
    }

    test('a format that is stated is not guessed', async () => {
        expect((await spoolOne('a.csv', ndjson, { format: 'ndjson' })).format).toBe('ndjson');
        expect((await spoolOne('a.json', csv, { format: 'csv' })).format).toBe('csv');
    });

    test('every member of a gzip file and every frame of a zstd file is read', async () => {
        const line = (n: number) => `{"n":${n},"text":"${'x'.repeat(n)}"}\n`;
        const all = [1, 300, 0, 700].map(line).join('');
        for (const pack of [gzipSync, zstdCompressSync]) {
            const stored = bytes(...[1, 300, 0, 700].map((n) => pack(Buffer.from(line(n)))));
            const object = await spoolOne('a.ndjson', stored);
            expect(object.line_count).toBe(4);
            expect(object.text).toBe(all);
        }
    });

    test('a zstd block that is one byte repeated has no more bytes than one', async () => {
        const repeated = bytes([0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, (5 << 3) | 3, 0, 0], 'x');
        const object = await spoolOne('a', bytes(repeated, zstdCompressSync('y\n')));
        expect(object.text).toBe('xxxxxy\n');
    });

    test('zstd with checksum, without content size, skippable frames and many blocks', async () => {
        const many = Array.from({ length: 60_000 }, (_, n) => `{"n":${(n * 7919) % 100_003}}\n`);
        const text = many.join('');
        const skippable = bytes([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0], 'skip');
        const framed = zstdCompressSync(text, { params: { 201: 1, 200: 0 } });
        const tail = zstdCompressSync('{"last":true}\n');
        const stored = bytes(skippable, framed, skippable, tail, skippable);
        for (const chunkBytes of [997, 65_536, 1 << 20]) {
            const store = memoryStore({ 'a.ndjson': stored }, { chunkBytes });
            const [object] = await spool(store, {});
            expect(object?.line_count).toBe(60_001);
            expect(await readFile(object?.path ?? '', 'utf8')).toBe(`${text}{"last":true}\n`);
        }
    });
});

describe('lines', () => {
    const x02 = String.fromCharCode(2);
    const cases = [
        ['as it is', '{"a":1}\n', '{"a":1}\n', 1],
        ['no final newline', '{"a":1}\n{"a":2}', '{"a":1}\n{"a":2}\n', 2],
        ['CRLF', '{"a":1}\r\n{"a":2}\r\n', '{"a":1}\n{"a":2}\n', 2],
        ['CRLF without the last LF', '{"a":1}\r\n{"a":2}\r', '{"a":1}\n{"a":2}\n', 2],
        ['empty lines are lines', '\n{"a":1}\n\n\r\n', '\n{"a":1}\n\n\n', 4],
        ['only a newline', '\n', '\n', 1],
        ['nothing', '', '', 0],
        ['BOM', '\ufeff{"a":1}\n', '{"a":1}\n', 1],
        ['only a BOM', '\ufeff', '', 0],
        ['a second BOM is content', '\ufeff\ufeffa\n', '\ufeffa\n', 1],
        ['a BOM in mid-file is content', 'a\n\ufeffb\n', 'a\n\ufeffb\n', 2],
        ['one character', 'a', 'a\n', 1],
        ['all lengths of UTF-8', 'aé€😀\n😀', 'aé€😀\n😀\n', 2],
        ['line separators of Unicode end no line', 'a\u2028b\u0085c\n', 'a\u2028b\u0085c\n', 1],
        ['0x01 is masked', 'a\u0001b\n\u0001\n', `a${x02}b\n${x02}\n`, 2],
        ['other control bytes stay', 'a\u0002\t\u001a\u007f\n', 'a\u0002\t\u001a\u007f\n', 1],
        ['a bare CR is masked', 'a\rb\n\r\r\nc\r\rd', `a${x02}b\n${x02}\nc${x02}${x02}d\n`, 3],
    ] as const;
    for (const [name, body, text, line_count] of cases) {
        test(name, async () => {
            const object = await spoolOne('a.ndjson', body);
            expect(object.text).toBe(text);
            expect(object.line_count).toBe(line_count);
        });
    }

    test('any bytes, however they are cut, give what one slow look at them gives', async () => {
        const pieces = ['a', 'bb', '\n', '\r\n', '\r', '\u0001', 'é', '😀', '\ufeff', 'xxxxxxxxx'];
        const bad = [bytes([0]), bytes([0xff]), bytes([0xe2, 0x82])];
        const part = fc.oneof(
            { weight: 60, arbitrary: fc.constantFrom(...pieces) },
            { weight: 1, arbitrary: fc.constantFrom(...bad) },
        );
        const body = fc.array(part, { maxLength: 60 }).map((parts) => bytes(...parts));
        const asked = [
            body,
            fc.constantFrom(1, 2, 3, 7),
            fc.constantFrom('ndjson', 'csv'),
        ] as const;
        await fc.assert(
            fc.asyncProperty(...asked, async (stored, chunkBytes, format) => {
                const expected = slowly(stored, format, 12);
                const store = memoryStore({ a: stored }, { chunkBytes });
                const csv = { requiredColumns: [], delimiter: ',' };
                const work = spool(store, { format, csv, lineBytesLimit: 12 });
                if (typeof expected !== 'string') {
                    const { code, params } = await failure(work);
                    expect({ code, line: (params as { line?: number }).line }).toEqual(expected);
                    return;
                }
                const [object] = await work;
                expect(await readFile(object?.path ?? '', 'utf8')).toBe(expected);
                expect(object?.line_count).toBe(expected.split('\n').length - 1);
            }),
            { numRuns: 300, seed: 7 },
        );
    });

    test('a CSV keeps 0x01: only NDJSON is read with it as separator', async () => {
        const object = await spoolOne('a.csv', 'id,amount\na\u0001b,1\n');
        expect(object.text).toBe('id,amount\na\u0001b,1\n');
    });

    test('a quoted cell of a CSV holds line ends, and a record is a line', async () => {
        const object = await spoolOne('a.csv', 'id,amount\n1,"two\n\nlines"\n\n2,"say ""x"""\n');
        expect(object.text).toBe('id,amount\n1,"two\n\nlines"\n""\n2,"say ""x"""\n');
        expect(object.line_count).toBe(4);
    });

    test('CSV_QUOTE_OPEN: a quote that never closes', async () => {
        const store = memoryStore({ 'a.csv': 'id,amount\n1,x\n2,"cut' });
        const { code, params } = await failure(spool(store, { format: 'csv' }));
        expect({ code, params }).toMatchObject({ code: 'CSV_QUOTE_OPEN', params: { line: 3 } });
    });

    test('a line may be as long as the limit, its ending not counted', async () => {
        const body = `${'x'.repeat(10)}\r\n${'y'.repeat(10)}\n${'z'.repeat(10)}`;
        expect((await spoolOne('a', body, { lineBytesLimit: 10 })).line_count).toBe(3);
    });
});

/** The rules of a line, said once more with strings: the text as spooled, or the first error. */
function slowly(stored: Buffer, format: 'ndjson' | 'csv', limit: number) {
    const isMarked = stored.subarray(0, 3).equals(bytes([0xef, 0xbb, 0xbf]));
    const all = stored.toString('latin1', isMarked ? 3 : 0).replace(/\r$/, '\r\n');
    const lines = all.split('\n').map((line, at, { length }) => ({
        raw: at < length - 1 ? line.replace(/\r$/, '') : line,
        line: at + 1,
    }));
    if (lines.at(-1)?.raw === '') lines.pop();
    const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    let text = '';
    for (const { raw, line } of lines) {
        const masked =
            format === 'ndjson'
                ? raw.replaceAll('\r', '\u0002').replaceAll('\u0001', '\u0002')
                : raw;
        const refused = format === 'ndjson' ? ['\0'] : ['\0', '\r'];
        const end = Math.min(...refused.map((byte) => `${masked}${byte}`.indexOf(byte)));
        const sound = Buffer.from(masked.slice(0, end), 'latin1');
        const decoded = decodable(fatal, sound.subarray(0, limit + 1));
        const isWhole = end === masked.length && sound.length <= limit;
        if (decoded === 'invalid' || (decoded === 'cut' && isWhole)) {
            return { code: 'OBJECT_NOT_TEXT', line };
        }
        if (sound.length > limit) return { code: 'OBJECT_LINE_TOO_LONG', line };
        if (!isWhole) return { code: 'OBJECT_NOT_TEXT', line };
        if (format === 'csv' && line === 1 && decoded === '') return headless;
        const isEmptyRecord = format === 'csv' && decoded === '';
        text += isEmptyRecord ? '""\n' : `${decoded}\n`;
    }
    return format === 'csv' && text === '' ? headless : text;
}

const headless = { code: 'CSV_HEADER_MISSING', line: undefined };

/** The text, or whether it is wrong as it stands or only not finished. */
function decodable(decoder: TextDecoder, line: Buffer): string {
    for (let left = 0; left <= 3; left += 1) {
        try {
            const text = decoder.decode(line.subarray(0, line.length - left));
            if (left === 0) return text;
            const tail = line.subarray(line.length - left);
            return (tail[0] ?? 0) >= 0xc2 ? 'cut' : 'invalid';
        } catch {}
    }
    return 'invalid';
}

describe('what is refused', () => {
    const gz = gzipSync(ndjson);
    const zst = zstdCompressSync(ndjson);
    const noise = Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * n * 31 + n) & 255));
    const cases: readonly (readonly [
        name: string,
        code: ErrorCode,
        key: string,
        body: string | Uint8Array,
        params?: object,
        options?: Options,
    ])[] = [
        ['gzip cut', 'OBJECT_COMPRESSION_DAMAGED', 'a', gz.subarray(0, -1)],
        ['gzip cut in its header', 'OBJECT_COMPRESSION_DAMAGED', 'a', gz.subarray(0, 5)],
        ['gzip with a byte turned', 'OBJECT_COMPRESSION_DAMAGED', 'a', turned(gz, 14)],
        ['gzip, then text', 'OBJECT_COMPRESSION_DAMAGED', 'a', bytes(gz, 'garbage')],
        ['gzip, then zeros', 'OBJECT_COMPRESSION_DAMAGED', 'a', bytes(gz, [0, 0, 0])],
        [
            'gzip, then half a member',
            'OBJECT_COMPRESSION_DAMAGED',
            'a',
            bytes(gz, gz.subarray(0, 9)),
        ],
        ['zstd cut', 'OBJECT_COMPRESSION_DAMAGED', 'a', zst.subarray(0, -1)],
        ['zstd cut in its header', 'OBJECT_COMPRESSION_DAMAGED', 'a', zst.subarray(0, 5)],
        ['zstd, then text', 'OBJECT_COMPRESSION_DAMAGED', 'a', bytes(zst, 'garbage')],
        ['zstd, then two bytes', 'OBJECT_COMPRESSION_DAMAGED', 'a', bytes(zst, 'ga')],
        [
            'zstd, then half a frame',
            'OBJECT_COMPRESSION_DAMAGED',
            'a',
            bytes(zst, zst.subarray(0, 9)),
        ],
        [
            'zstd, then half a skippable frame',
            'OBJECT_COMPRESSION_DAMAGED',
            'a',
            bytes(zst, [0x50, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1]),
        ],
        [
            'zstd, then half a magic',
            'OBJECT_COMPRESSION_DAMAGED',
            'a',
            bytes(zst, zst.subarray(0, 2)),
        ],
        ['NUL', 'OBJECT_NOT_TEXT', 'a', 'ok\nb\u0000d\n', { line: 2 }],
        ['invalid UTF-8', 'OBJECT_NOT_TEXT', 'a', bytes('ok\n\nx', [0xff], '\n'), { line: 3 }],
        [
            'a character cut by a line end',
            'OBJECT_NOT_TEXT',
            'a',
            bytes([0xe2, 0x82], '\nb'),
            { line: 1 },
        ],
        [
            'a character cut by the end',
            'OBJECT_NOT_TEXT',
            'a',
            bytes('a\nb', [0xe2, 0x82]),
            { line: 2 },
        ],
        [
            'an overlong character',
            'OBJECT_NOT_TEXT',
            'a',
            bytes('a\n', [0xc0, 0xaf], '\n'),
            { line: 2 },
        ],
        ['a surrogate', 'OBJECT_NOT_TEXT', 'a', bytes([0xed, 0xa0, 0x80], '\n'), { line: 1 }],
        ['UTF-16', 'OBJECT_NOT_TEXT', 'a', Buffer.from('\ufeff{"a":1}\n', 'utf16le'), { line: 1 }],
        ['noise', 'OBJECT_NOT_TEXT', 'a.ndjson', noise],
        ['noise as CSV', 'OBJECT_NOT_TEXT', 'a.csv', noise],
        ['noise in gzip', 'OBJECT_NOT_TEXT', 'a.ndjson.gz', gzipSync(noise)],
        ['Parquet said to be NDJSON', 'OBJECT_NOT_TEXT', 'a', parquet(), {}, { format: 'ndjson' }],
        [
            'what comes first',
            'OBJECT_NOT_TEXT',
            'a',
            bytes([0xff], '\n', 'x'.repeat(1001)),
            { line: 1 },
        ],
        [
            'a long line',
            'OBJECT_LINE_TOO_LONG',
            'a',
            `a\n${'x'.repeat(1001)}\n`,
            { line: 2, limit: 1000 },
        ],
        ['a long line without an end', 'OBJECT_LINE_TOO_LONG', 'a', 'x'.repeat(5000), { line: 1 }],
        ['a long line of bare CRs', 'OBJECT_LINE_TOO_LONG', 'a', '\r'.repeat(1002), { line: 1 }],
        [
            'too long before it is no text',
            'OBJECT_LINE_TOO_LONG',
            'a',
            `${'x'.repeat(1001)}\n\u0000`,
        ],
        ['a bare CR in CSV', 'OBJECT_NOT_TEXT', 'a.csv', 'id,amount\r1,2\r', { line: 1 }],
        ['an empty CSV', 'CSV_HEADER_MISSING', 'a.csv.gz', gzipSync(''), { missing: 'id, amount' }],
        ['a CSV of only a BOM', 'CSV_HEADER_MISSING', 'a.csv', '\ufeff', { missing: 'id, amount' }],
        ['a CSV without header', 'CSV_HEADER_MISSING', 'a.csv', '1,2\n', { header: '1,2' }],
        ['a CSV with an empty header', 'CSV_HEADER_MISSING', 'a.csv', '\nid,amount\n'],
        ['a column short', 'CSV_HEADER_MISSING', 'a.csv', 'id\n1\n', { missing: 'amount' }],
        [
            'a name in other case',
            'CSV_HEADER_MISSING',
            'a.csv',
            'ID,amount\n1,2\n',
            { missing: 'id' },
        ],
        ['another delimiter', 'CSV_HEADER_MISSING', 'a.csv', 'id;amount\n1;2\n'],
        ['a quote left open', 'CSV_HEADER_MISSING', 'a.csv', 'id,amount,"x\n1,2,3\n'],
        [
            'a column twice',
            'CSV_HEADER_MISSING',
            'a.csv',
            'id,amount,Amount\n',
            { missing: 'a single amount' },
        ],
        ['Parquet cut at its end', 'OBJECT_NOT_PARQUET', 'a', parquet().subarray(0, -1)],
        ['Parquet cut to its head', 'OBJECT_NOT_PARQUET', 'a', 'PAR1'],
        ['Parquet with marks only', 'OBJECT_NOT_PARQUET', 'a', 'PAR1PAR1'],
        ['Parquet cut at its start', 'OBJECT_NOT_PARQUET', 'a.parquet', parquet().subarray(1)],
        ['Parquet with its middle gone', 'OBJECT_NOT_PARQUET', 'a', parquet('short', 600)],
        ['text said to be Parquet', 'OBJECT_NOT_PARQUET', 'a', ndjson, {}, { format: 'parquet' }],
        ['an empty Parquet', 'OBJECT_NOT_PARQUET', 'a', '', {}, { format: 'parquet' }],
    ];
    for (const [name, code, key, body, params = {}, options = {}] of cases) {
        test(`${name}: ${code}`, async () => {
            const found = await failureOf(key, body, options);
            expect(found.code).toBe(code);
            expect(found.params).toMatchObject({ store: 's3://memory', key, ...params });
            expect(found.pieced).toMatchObject(params);
        });
    }

    test('a header may be quoted, in any order, with more columns and any delimiter', async () => {
        const body = '"amount";"a;b";id\n1;2;3';
        const options = { csv: { requiredColumns: ['id', 'amount'], delimiter: ';' } };
        const object = await spoolOne('a.csv', body, options);
        expect(object.line_count).toBe(2);
    });
});

function turned(body: Buffer, at: number): Buffer {
    const copy = Buffer.from(body);
    copy[at] = (copy[at] ?? 0) ^ 0xff;
    return copy;
}

describe('bodies that break', () => {
    const files = {
        'a.ndjson': ndjson,
        'b.csv.gz': gzipSync(csv),
        'c.zst': zstdCompressSync(ndjson),
    };

    async function withFaults(faults: readonly Fault[]) {
        const store = faultyStore(memoryStore(files), faults);
        const entries = await listed(memoryStore(files));
        return { store, work: spool(store, { entries }) };
    }

    for (const kind of ['reset', 'short'] as const) {
        for (const key of Object.keys(files)) {
            for (const after of [0, 1, 9]) {
                test(`${kind} of ${key} after ${after} bytes, twice, then whole`, async () => {
                    const clean = await spool(memoryStore(files), {});
                    const { store, work } = await withFaults([{ kind, key, after, times: 2 }]);
                    expect(await work).toEqual(clean);
                    expect(store.struck).toBe(2);
                    expect(store.operations.filter((name) => name.endsWith(key))).toHaveLength(3);
                });
            }
        }
    }

    test('a body that stays short: OBJECT_SHORT after three attempts', async () => {
        const { store, work } = await withFaults([
            { kind: 'short', key: 'a.ndjson', after: 8, times: Infinity },
        ]);
        const error = await failure(work);
        expect(error.code).toBe('OBJECT_SHORT');
        expect(error.params).toEqual({
            store: 's3://memory',
            key: 'a.ndjson',
            expected: 16,
            actual: 8,
        });
        expect(store.struck).toBe(3);
        expect(await readdir(dir)).not.toContain('000001.ndjson');
        expect(await readdir(dir)).not.toContain('000001.partial');
    });

    test('a connection that stays broken: STORE_UNREACHABLE after three attempts', async () => {
        const faults: Fault[] = [{ kind: 'reset', key: 'c.zst', after: 8, times: Infinity }];
        const { store, work } = await withFaults(faults);
        const error = await failure(work);
        expect(error.code).toBe('STORE_UNREACHABLE');
        expect(error.params).toMatchObject({ operation: 'get c.zst', attempts: 3 });
        expect(error.message).toContain('ECONNRESET after 8 of');
        expect(store.struck).toBe(3);
    });

    test('another etag in the answer: OBJECT_CHANGED, and no second attempt', async () => {
        const { store, work } = await withFaults([{ kind: 'etag', key: 'a.ndjson' }]);
        expect((await failure(work)).code).toBe('OBJECT_CHANGED');
        expect(store.operations.filter((name) => name === 'get a.ndjson')).toHaveLength(1);
    });

    test('another byte of the same length shows in compressed bytes, and in the hash', async () => {
        const clean = await spool(memoryStore(files), {});
        const packed = await withFaults([{ kind: 'bytes', key: 'b.csv.gz', after: 14 }]);
        expect((await failure(packed.work)).code).toBe('OBJECT_COMPRESSION_DAMAGED');
        const plain = await withFaults([{ kind: 'bytes', key: 'a.ndjson', after: 5 }]);
        const [object] = await plain.work;
        expect(plain.store.struck).toBe(1);
        expect(object?.sha256).not.toBe(clean[0]?.sha256);
    });

    test('an object overwritten after it was listed: OBJECT_CHANGED', async () => {
        const store = memoryStore({ a: 'one\n' });
        const entries = await listed(store);
        await store.put('a', 'two\n');
        expect((await failure(spool(store, { entries }))).code).toBe('OBJECT_CHANGED');
    });

    test('an object of another size than listed: OBJECT_CHANGED either way', async () => {
        for (const by of [-1, 1]) {
            const store = memoryStore({ a: 'one\n' });
            const entries = (await listed(store)).map((entry) => ({
                ...entry,
                size: entry.size + by,
            }));
            const error = await failure(spool(store, { entries }));
            expect(error.code).toBe('OBJECT_CHANGED');
            expect(error.params).toMatchObject({ expected: `${4 + by} bytes`, actual: '4 bytes' });
        }
    });

    test('a body longer than its own answer said: OBJECT_CHANGED', async () => {
        const store = memoryStore({ a: 'one\n' });
        const entries = await listed(store);
        const longer = await memoryStore({ a: 'one\nand more\n' }).get('a');
        const get: ObjectStore['get'] = async (key) => ({
            ...(await store.get(key)),
            stream: longer.stream,
        });
        expect((await failure(spool({ ...store, get }, { entries }))).code).toBe('OBJECT_CHANGED');
    });

    test('an object gone after it was listed: OBJECT_MISSING', async () => {
        const entries = [{ key: 'gone', size: 1, etag: 'x' }];
        expect((await failure(spool(memoryStore({}), { entries }))).code).toBe('OBJECT_MISSING');
    });
});

describe('many objects', () => {
    const names = Array.from({ length: 40 }, (_, n) => `n${String(n).padStart(2, '0')}`);
    const files = Object.fromEntries(names.map((name, n) => [name, `{"n":${n}}\n`.repeat(n + 1)]));

    test('come back in the order given, whatever the concurrency', async () => {
        const one = await spool(memoryStore(files), { concurrency: 1 });
        const eight = await spool(memoryStore(files, { chunkBytes: 3 }), { concurrency: 8 });
        expect(eight).toEqual(one);
        expect(one.map(({ object_no }) => object_no)).toEqual(names.map((_, n) => n + 1));
        expect(one.map(({ line_count }) => line_count)).toEqual(names.map((_, n) => n + 1));
        expect(await readdir(dir)).toHaveLength(40);
    });

    test('of several failures the first in order is told, however late it comes', async () => {
        // The first broken object is long and slow, the later one fails with its first byte.
        const broken = {
            ...files,
            n03: `${'{"n":3}\n'.repeat(4000)}\u0000`,
            n05: '\u0000',
            n30: '\u0000',
        };
        for (const concurrency of [1, 2, 8, 40]) {
            const store = faultyStore(memoryStore(broken, { chunkBytes: 64 }), []);
            const error = await failure(spool(store, { concurrency }));
            expect(error.params).toMatchObject({ key: 'n03', line: 4001 });
            const fetched = store.operations.filter((name) => name.startsWith('get')).length;
            if (concurrency < 40) expect(fetched).toBeLessThan(40);
            expect((await readdir(dir)).filter((name) => name.endsWith('.partial'))).toEqual([]);
        }
    });

    test('an object under way when an earlier one fails is left, and not told', async () => {
        const store = memoryStore({ a: '\0', b: '{"b":1}\n'.repeat(40_000) }, { chunkBytes: 64 });
        let read = 0;
        const onProgress = (at: { bytes: number; key: string }) => {
            if (at.key === 'b') read += at.bytes;
        };
        const error = await failure(spool(store, { concurrency: 2, onProgress }));
        expect(error.params).toMatchObject({ key: 'a' });
        expect(read).toBeLessThan(100_000);
        expect(await readdir(dir)).toEqual([]);
    });

    test('progress adds up to the stored bytes, retries or not', async () => {
        const faults: Fault[] = [{ kind: 'reset', key: 'n20', times: 2 }];
        const store = faultyStore(memoryStore(files, { chunkBytes: 7 }), faults);
        let sum = 0;
        const objects = await spool(store, {
            onProgress: ({ bytes: more, key }) => {
                expect(more).toBeGreaterThan(0);
                expect(files).toHaveProperty(key);
                sum += more;
            },
        });
        expect(store.struck).toBe(2);
        expect(sum).toBe(objects.reduce((total, { size }) => total + size, 0));
    });

    test('an earlier spool is removed, other files in the folder are not', async () => {
        await spool(memoryStore(files), {});
        await writeFile(join(dir, '000002.partial'), 'half');
        await writeFile(join(dir, 'notes.txt'), 'mine');
        await spool(memoryStore({ 'a.csv': csv }), {});
        expect((await readdir(dir)).sort()).toEqual(['000001.csv', 'notes.txt']);
    });

    test('no key becomes a path', async () => {
        const key = '../../../escape\n\'"; drop.ndjson';
        const object = await spoolOne(key, ndjson);
        expect(object.key).toBe(key);
        expect(object.path).toBe(join(dir, '000001.ndjson'));
    });
});
