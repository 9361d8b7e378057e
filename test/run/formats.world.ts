import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import { memoryStore } from '../support/memory-store.ts';
import { generatedWorld, smallBucket, type TestProject, testProject } from '../support/project.ts';

/*
 * One month in every accepted shape gives the same lines and breaks. Only usable rows are taken
 * along: a CSV or Parquet file could not hold half a JSON object.
 */
const world = generatedWorld({
    ...smallBucket,
    faults: { duplicates: 5, conflicts: 2, unpriced: 2 },
});
const made: TestProject[] = [];
/** For files on their way into another format. */
export const folder = mkdtempSync(join(tmpdir(), 'tieout-formats-'));

const usageMap = `
    columns: { source: source, event_id: id, event_type: type, account_id: subject, event_at: time }
    attributes: { model: model }
    quantities:
      input_tokens: input_tokens
      cached_input_tokens: cached_input_tokens
      output_tokens: output_tokens
`;

/** A night over those objects. */
export async function run(
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

/** What must be the same. */
export function said({ run: { output } }: RunResult): readonly string[] {
    return ['line_items.csv', 'breaks.csv'].map((name) => readFileSync(join(output, name), 'utf8'));
}

/** Every object by its key, as text. */
export const texts = Object.entries(world.objects).map(
    ([key, bytes]) => [key, gunzipSync(bytes).toString('utf8')] as const,
);

/** Every object as another format, written by the engine from its lines. */
export async function converted(
    ending: string,
    options: string,
): Promise<Record<string, Uint8Array>> {
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

/** Usage of an NDJSON file as columns. */
export function usageSelect(path: string): string {
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

/** The month as it was generated, for the tests of a file to compare with. */
export function asGenerated(): () => RunResult {
    let reference: RunResult;
    beforeAll(async () => {
        reference = await run(world.objects);
    });
    afterAll(() => {
        for (const project of made.splice(0)) project.remove();
        rmSync(folder, { recursive: true, force: true });
    });
    return () => reference;
}
