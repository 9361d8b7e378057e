import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/run/pipeline.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { memoryStore } from '../support/memory-store.ts';
import { generatedWorld, type TestProject, testProject } from '../support/project.ts';

/** The same inputs give the same bytes, whatever the machine does in between. */
const world = generatedWorld();
const projects: TestProject[] = [];

function project(
    objects = world.objects,
    change: (config: string) => string = (of) => of,
): TestProject {
    const config = world.files['tieout.yaml'] ?? '';
    const made = testProject(
        { ...world.files, 'tieout.yaml': change(config) },
        memoryStore(objects),
    );
    projects.push(made);
    return made;
}

const threads = (count: number) => (config: string) =>
    config.replace('engine: {', `engine: { threads: ${count},`);

function documents({ run }: RunResult): Record<string, string> {
    return Object.fromEntries(
        ['line_items.csv', 'breaks.csv', 'suspense.csv', 'stripe-requests.json'].map((name) => [
            name,
            readFileSync(join(run.output, name), 'utf8'),
        ]),
    );
}

let first: RunResult;
beforeAll(async () => {
    first = await project().run();
});
afterAll(() => {
    for (const one of projects) one.remove();
});

describe('the same inputs give the same bytes', () => {
    test.each([1, 2, 8])('with %i thread(s)', async (count) => {
        const result = await project(world.objects, threads(count)).run();
        expect(documents(result)).toEqual(documents(first));
        expect(result.certificate.run_digest).toBe(first.certificate.run_digest);
    });

    test('with the listing in another order', async () => {
        const store = faultyStore(memoryStore(world.objects), [{ kind: 'shuffle' }]);
        const shuffled = testProject(world.files, store);
        projects.push(shuffled);
        const result = await shuffled.run();
        expect(result.run.runId).toBe(first.run.runId);
        expect(result.certificate.run_digest).toBe(first.certificate.run_digest);
    });

    test('with every object cut into three', async () => {
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
        expect(documents(result)['line_items.csv']).toBe(documents(first)['line_items.csv']);
        expect(documents(result)['breaks.csv']).toBe(documents(first)['breaks.csv']);
        expect(result.certificate.run_digest).toBe(first.certificate.run_digest);
    });

    test.each(['UTC', 'America/Los_Angeles', 'Pacific/Kiritimati'])('in TZ %s', async (zone) => {
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
        for (const [key, bytes] of Object.entries(world.objects)) made.write(`data/${key}`, bytes);
        const { stdout } = await promisify(execFile)(process.execPath, ['run.ts'], {
            cwd: made.folder,
            env: { ...process.env, TZ: zone },
        });
        expect(stdout).toBe(first.certificate.run_digest);
    });

    test('a finished identical run is left alone', async () => {
        const made = project();
        const one = await made.run();
        const before = readdirSync(one.run.folder, { recursive: true }).sort();
        const again = await made.run();
        expect(again.isReused).toBe(true);
        expect(again.run.runId).toBe(one.run.runId);
        expect(readdirSync(one.run.folder, { recursive: true }).sort()).toEqual(before);
    });

    test('another price, another run', async () => {
        const made = project();
        const one = await made.run();
        const rates = world.files['rates.csv'] ?? '';
        made.write('rates.csv', rates.replace('4.5', '4.6'));
        const other = await made.run();
        expect(other.run.runId).not.toBe(one.run.runId);
        expect(other.certificate.run_digest).not.toBe(one.certificate.run_digest);
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
        expect(documents(result)['line_items.csv']).toBe(documents(first)['line_items.csv']);
        expect(documents(result)['breaks.csv']).toBe(documents(first)['breaks.csv']);
    });
});
