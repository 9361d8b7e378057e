import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { faultyStore } from '../support/faulty-store.ts';
import { fewOf, takesAll } from '../support/how-many.ts';
import { memoryStore } from '../support/memory-store.ts';
import { documents, firstRun, project, threads, world } from './same-bytes.world.ts';

const first = firstRun();

describe('the same inputs give the same bytes', () => {
    test.each(fewOf([8, 2, 1], 1))('with %i thread(s)', async (count) => {
        const result = await project(world.objects, threads(count)).run();
        expect(documents(result)).toEqual(documents(first.result));
        expect(result.certificate.run_digest).toBe(first.result.certificate.run_digest);
    });

    test('with the listing in another order', async () => {
        const store = faultyStore(memoryStore(world.objects), [{ kind: 'shuffle' }]);
        const result = await project(store).run();
        expect(result.run.runId).toBe(first.result.run.runId);
        expect(result.certificate.run_digest).toBe(first.result.certificate.run_digest);
    });

    // Of random worlds in test/properties/same-night.slow.test.ts, as objects that are there twice are.
    test.runIf(takesAll)('with every object cut into three', async () => {
        const cut = Object.fromEntries(
            Object.entries(world.objects).flatMap(([key, bytes]) => {
                const lines = gunzipSync(bytes).toString('utf8').trimEnd().split('\n');
                const size = Math.ceil(lines.length / 3);
                return [0, 1, 2]
                    .map((part) => lines.slice(part * size, (part + 1) * size))
                    .filter((part) => part.length > 0)
                    .map((part, at) => [
                        key.replace('.ndjson.gz', `-${at}.ndjson.gz`),
                        gzipSync(`${part.join('\n')}\n`),
                    ]);
            }),
        );
        const result = await project(cut).run();
        expect(documents(result)['line_items.csv']).toBe(documents(first.result)['line_items.csv']);
        expect(documents(result)['breaks.csv']).toBe(documents(first.result)['breaks.csv']);
        expect(result.certificate.run_digest).toBe(first.result.certificate.run_digest);
    });

    test.each(fewOf(['Pacific/Kiritimati', 'America/Los_Angeles', 'UTC'], 1))(
        'in TZ %s',
        async (zone) => {
            const made = project();
            made.write(
                'run.ts',
                `import { openProject } from '${join(import.meta.dirname, '../../src/run/project.ts')}';
             import { runPipeline } from '${join(import.meta.dirname, '../../src/run/pipeline.ts')}';
             import { folderStore } from '${join(import.meta.dirname, '../../src/store/local.ts')}';
             const silent = { begin() {}, advance() {}, end() {} };
             const effects = { openStore: async () => folderStore(process.cwd() + '/data'), now: () => '2026-11-05T09:00:00Z', progress: silent };
             const options = { pipeline: 'nightly', period: '2026-10', as_of: '2026-11-05T00:00:00Z' };
             const { certificate } = await runPipeline(openProject('tieout.yaml'), effects, options);
             process.stdout.write(certificate.run_digest);`,
            );
            for (const [key, bytes] of Object.entries(world.objects))
                made.write(`data/${key}`, bytes);
            const { stdout } = await promisify(execFile)(process.execPath, ['run.ts'], {
                cwd: made.folder,
                env: { ...process.env, TZ: zone },
            });
            expect(stdout).toBe(first.result.certificate.run_digest);
        },
    );

    test.runIf(takesAll)(
        'doubled objects change nothing but the number of duplicates',
        async () => {
            const doubled = Object.fromEntries(
                Object.entries(world.objects).flatMap(([key, bytes]) => [
                    [key, bytes],
                    [key.replace('.ndjson.gz', '-zz.ndjson.gz'), bytes],
                ]),
            );
            const result = await project(doubled, (config) =>
                config.replace('suspense_percent: "2"', 'suspense_percent: "5"'),
            ).run();
            expect(documents(result)['line_items.csv']).toBe(
                documents(first.result)['line_items.csv'],
            );
            expect(documents(result)['breaks.csv']).toBe(documents(first.result)['breaks.csv']);
        },
    );

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
