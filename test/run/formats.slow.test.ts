import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import { fewOf, takesAll } from '../support/how-many.ts';
import { asGenerated, converted, folder, run, said, texts, usageSelect } from './formats.world.ts';

const reference = asGenerated();

describe('one month in every shape', () => {
    type Written = [name: string, ending: string, write: (text: string) => Uint8Array];
    const written: readonly Written[] = [
        ['zstd', '.zst', (text) => zstdCompressSync(text)],
        ['plain', '', (text) => Buffer.from(text)],
        ['no line end at the end', '', (text) => Buffer.from(text.trimEnd())],
        ['gzip without its ending', '.ndjson', (text) => gzipSync(text)],
    ];

    test.each(fewOf(written, 2))('NDJSON: %s', async (_name, ending, write) => {
        const objects = Object.fromEntries(
            texts.map(([key, text]) => [key.replace('.gz', ending), write(text)]),
        );
        expect(said(await run(objects))).toEqual(said(reference()));
    });

    test('NDJSON: CRLF and a byte order mark', async () => {
        const objects = texts.map(([key, text]) => [
            key.replace('.gz', ''),
            Buffer.from(`\uFEFF${text.replaceAll('\n', '\r\n')}`),
        ]);
        expect(said(await run(Object.fromEntries(objects)))).toEqual(said(reference()));
    });

    // Half of the rows are CSV in the last test, half are Parquet.
    test.runIf(takesAll)('CSV', async () => {
        const objects = await converted('csv', 'format csv, header');
        expect(said(await run(objects, { format: 'csv', isFlat: true }))).toEqual(
            said(reference()),
        );
    });

    test('CSV, gzip', async () => {
        const plain = await converted('csv', 'format csv, header');
        const objects = Object.fromEntries(
            Object.entries(plain).map(([key, bytes]) => [`${key}.gz`, gzipSync(bytes)]),
        );
        expect(said(await run(objects, { isFlat: true }))).toEqual(said(reference()));
    });

    test.runIf(takesAll)('Parquet', async () => {
        const objects = await converted('parquet', 'format parquet');
        expect(said(await run(objects, { format: 'parquet', isFlat: true }))).toEqual(
            said(reference()),
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
        expect(said(result)).toEqual(said(reference()));
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
        expect(said(result)).toEqual(said(reference()));
        // A conflict names both its places.
        const places = ({ run: { output } }: RunResult) =>
            readFileSync(join(output, 'repeats.csv'), 'utf8')
                .replaceAll(/\.(ndjson\.gz|csv|parquet),/g, ',')
                .split('\n')
                .map((line) => line.split(',').slice(0, 4));
        expect(places(result)).toEqual(places(reference()));
    });
});
