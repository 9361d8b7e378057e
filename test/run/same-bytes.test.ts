import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { documents, firstRun, project, threads, world } from './same-bytes.world.ts';

const first = firstRun();

describe('the same inputs give the same bytes', () => {
    test('with 8 threads', async () => {
        const result = await project(world.objects, threads(8)).run();
        expect(documents(result)).toEqual(documents(first.result));
        expect(result.certificate.run_digest).toBe(first.result.certificate.run_digest);
    });

    test('doubled objects change nothing but the number of duplicates', async () => {
        const doubled = Object.fromEntries(
            Object.entries(world.objects).flatMap(([key, bytes]) => [
                [key, bytes],
                [key.replace('.ndjson.gz', '-zz.ndjson.gz'), bytes],
            ]),
        );
        const result = await project(doubled, (config) =>
            config.replace('suspense_percent: "2"', 'suspense_percent: "5"'),
        ).run();
        expect(documents(result)['line_items.csv']).toBe(documents(first.result)['line_items.csv']);
        expect(documents(result)['breaks.csv']).toBe(documents(first.result)['breaks.csv']);
    });

    test('a finished identical run is left alone', async () => {
        const { folder, runId } = first.result.run;
        const files = () => readdirSync(folder, { recursive: true }).sort();
        const before = files();
        const again = await first.project.run();
        expect(again.isReused).toBe(true);
        expect(again.run.runId).toBe(runId);
        expect(files()).toEqual(before);
    });

    test('another price, another run', async () => {
        const rates = world.files['rates.csv'] ?? '';
        first.project.write('rates.csv', rates.replace('4.5', '4.6'));
        const other = await first.project.run();
        expect(other.run.runId).not.toBe(first.result.run.runId);
        expect(other.certificate.run_digest).not.toBe(first.result.certificate.run_digest);
    });
});
