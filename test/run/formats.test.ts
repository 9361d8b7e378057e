import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import { memoryStore } from '../support/memory-store.ts';
import { generatedWorld, smallBucket, type TestProject, testProject } from '../support/project.ts';

/**
 * One month in every accepted shape gives the same lines and breaks. Only usable rows are taken
 * along: a CSV or Parquet file could not hold half a JSON object.
 */
const world = generatedWorld({
    ...smallBucket,
    faults: { duplicates: 5, conflicts: 2, unpriced: 2 },
});
const made: TestProject[] = [];
const folder = mkdtempSync(join(tmpdir(), 'tieout-formats-'));
let reference: RunResult;

const usageMap = `
    columns: { source: source, event_id: id, event_type: type, account_id: subject, event_at: time }
    attributes: { model: model }
    quantities:
      input_tokens: input_tokens
      cached_input_tokens: cached_input_tokens
      output_tokens: output_tokens
`;

async function run(
    objects: Readonly<Record<string, Uint8Array>>,
    options: { readonly format?: string; readonly isFlat?: boolean } = {},
): Promise<RunResult> {
    const config = (world.files['tieout.yaml'] ?? '')
        .replace(
            /preset: cloudevents\n([\s\S]*?) {4}attributes:[\s\S]*?\n\ndebits/,
            options.isFlat ? `preset: none\n$1${usageMap}\ndebits` : '$&',
        )
        .replaceAll(
            /prefix: (usage|debits)\//g,
            `prefix: $1/\n    format: ${options.format ?? 'auto'}`,
        );
    const project = testProject({ ...world.files, 'tieout.yaml': config }, memoryStore(objects));
    made.push(project);
    return project.run();
}

function said({ run: { output } }: RunResult): readonly string[] {
    return ['line_items.csv', 'breaks.csv'].map((name) => readFileSync(join(output, name), 'utf8'));
}

const texts = Object.entries(world.objects).map(
    ([key, bytes]) => [key, gunzipSync(bytes).toString('utf8')] as const,
);

/** Every object as another format, written by the engine from its lines. */
async function converted(ending: string, options: string): Promise<Record<string, Uint8Array>> {
    const engine = await Engine.open({
        file: ':memory:',
        memory: '1GB',
        threads: 2,
        spill: folder,
    });
    const objects: Record<string, Uint8Array> = {};
    for (const [key, text] of texts) {
        const from = join(folder, 'in.ndjson');
        const to = join(folder, `out.${ending}`);
        writeFileSync(from, text);
        const select = key.startsWith('usage/') ? usageSelect(from) : debitSelect(from);
        await engine.run(`copy (${select}) to '${to}' (${options})`);
        objects[key.replace('.ndjson.gz', `.${ending}`)] = readFileSync(to);
    }
    engine.close();
    return objects;
}

const lines = (path: string) =>
    `read_csv('${path}', auto_detect = false, header = false, columns = {'line': 'VARCHAR'}, delim = E'\\x01', quote = '', escape = '')`;

function usageSelect(path: string): string {
    const of = (field: string, type: string, name: string) =>
        `cast(line ->> '$.${field}' as ${type}) as ${name}`;
    return `select ${[
        of('source', 'varchar', 'source'),
        of('id', 'varchar', 'id'),
        of('type', 'varchar', 'type'),
        of('subject', 'varchar', 'subject'),
        `cast(line ->> '$.time' as timestamptz) as time`,
        of('data.model', 'varchar', 'model'),
        of('data.input_tokens', 'bigint', 'input_tokens'),
        of('data.cached_input_tokens', 'bigint', 'cached_input_tokens'),
        of('data.output_tokens', 'bigint', 'output_tokens'),
    ].join(', ')} from ${lines(path)}`;
}

function debitSelect(path: string): string {
    const text = ['entry_id', 'entry_type', 'account_id', 'asset', 'event_id', 'authorization_id'];
    const rest = ['wallet_id', 'meter', 'aggregated', 'reversal_of', 'unit'];
    return `select ${[
        ...[...text, ...rest].map((name) => `line ->> '$.${name}' as ${name}`),
        ...['booked_at', 'occurred_at', 'expires_at'].map(
            (name) => `cast(line ->> '$.${name}' as timestamptz) as ${name}`,
        ),
        ...['amount', 'quantity'].map(
            (name) => `cast(line ->> '$.${name}' as decimal(38,12)) as ${name}`,
        ),
        `cast(line ->> '$.sequence' as bigint) as sequence`,
    ].join(', ')} from ${lines(path)}`;
}

beforeAll(async () => {
    reference = await run(world.objects);
});
afterAll(() => {
    for (const project of made) project.remove();
    rmSync(folder, { recursive: true, force: true });
});

describe('one month in every shape', () => {
    test.each([
        ['plain', '', (text: string) => Buffer.from(text)],
        ['zstd', '.zst', (text: string) => zstdCompressSync(text)],
        ['gzip without its ending', '.ndjson', (text: string) => gzipSync(text)],
        [
            'CRLF and a byte order mark',
            '',
            (text: string) => Buffer.from(`\uFEFF${text.replaceAll('\n', '\r\n')}`),
        ],
        ['no line end at the end', '', (text: string) => Buffer.from(text.trimEnd())],
    ])('NDJSON: %s', async (_name, ending, write) => {
        const objects = Object.fromEntries(
            texts.map(([key, text]) => [key.replace('.gz', ending), write(text)]),
        );
        expect(said(await run(objects))).toEqual(said(reference));
    });

    test('CSV', async () => {
        const objects = await converted('csv', 'format csv, header');
        expect(said(await run(objects, { format: 'csv', isFlat: true }))).toEqual(said(reference));
    });

    test('CSV, gzip', async () => {
        const plain = await converted('csv', 'format csv, header');
        const objects = Object.fromEntries(
            Object.entries(plain).map(([key, bytes]) => [`${key}.gz`, gzipSync(bytes)]),
        );
        expect(said(await run(objects, { isFlat: true }))).toEqual(said(reference));
    });

    test('Parquet', async () => {
        const objects = await converted('parquet', 'format parquet');
        expect(said(await run(objects, { format: 'parquet', isFlat: true }))).toEqual(
            said(reference),
        );
    });

    test('Parquet in more objects than are read in place', async () => {
        const objects = await converted('parquet', 'format parquet');
        const [first = ''] = Object.keys(objects).filter((key) => key.startsWith('usage/'));
        const engine = await Engine.open({
            file: ':memory:',
            memory: '1GB',
            threads: 1,
            spill: folder,
        });
        const to = join(folder, 'none.parquet');
        writeFileSync(join(folder, 'none.ndjson'), '{}');
        const none = usageSelect(join(folder, 'none.ndjson'));
        await engine.run(`copy (${none} limit 0) to '${to}' (format parquet)`);
        engine.close();
        for (let at = 0; at <= 200; at += 1) {
            objects[first.replace('.parquet', `.${at}.parquet`)] = readFileSync(to);
        }
        const result = await run(objects, { format: 'parquet', isFlat: true });
        expect(said(result)).toEqual(said(reference));
        const [batch = ''] = readdirSync(join(result.run.lake, 'gateway'));
        expect(readdirSync(join(result.run.lake, 'gateway', batch))).toEqual([
            'batch.json',
            'rows.parquet',
        ]);
    });

    test('CSV and Parquet by turns: every row keeps its object and line', async () => {
        const csv = Object.entries(await converted('csv', 'format csv, header'));
        const parquet = Object.entries(await converted('parquet', 'format parquet'));
        const objects = csv.map((of, at) => (at % 2 === 0 ? of : (parquet[at] ?? of)));
        const result = await run(Object.fromEntries(objects), { isFlat: true });
        expect(said(result)).toEqual(said(reference));
        // A conflict names both its places.
        const places = ({ run: { output } }: RunResult) =>
            readFileSync(join(output, 'repeats.csv'), 'utf8')
                .replaceAll(/\.(ndjson\.gz|csv|parquet),/g, ',')
                .split('\n')
                .map((line) => line.split(',').slice(0, 4));
        expect(places(result)).toEqual(places(reference));
    });
});
