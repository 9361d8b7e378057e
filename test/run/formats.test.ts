import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/run/pipeline.ts';
import { asGenerated, converted, run, said } from './formats.world.ts';

const reference = asGenerated();

describe('one month in every shape', () => {
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
