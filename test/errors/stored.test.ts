import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { silent } from '../../src/effects.ts';
import { latestRun } from '../../src/run/books.ts';
import { openTables } from '../../src/run/tables.ts';
import { folderState } from '../../src/state/state.ts';
import { beforehand } from '../support/beforehand.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { memoryStore } from '../support/memory-store.ts';
import { fails, fakeSecret, type TinyProject, tinyFiles } from '../support/terminal.ts';

const first = 'usage/dt=2026-10-01/0.ndjson';
const tiny = tinyFiles();
const text = tiny[`data/${first}`] ?? '';

/** Replaces the first object of usage; the name may say what is in it. */
function instead(
    body: string | Uint8Array,
    name = first,
): Record<string, string | Uint8Array | null> {
    return { [`data/${first}`]: null, [`data/${name}`]: body };
}

/** Does something to the folder when the run has listed and is about to fetch. */
function whileRead(work: (folder: string) => void) {
    let folder = '';
    return {
        before: (project: TinyProject) => {
            folder = project.folder;
        },
        progress: {
            ...silent,
            begin: (name: string) => {
                if (name === 'fetch gateway') work(folder);
            },
        },
    };
}

/** The objects of the tiny project in a store that gives them badly. */
function tinyStore(...faults: Parameters<typeof faultyStore>[1]) {
    const objects = Object.entries(tiny)
        .filter(([name]) => name.startsWith('data/'))
        .map(([name, body]) => [name.slice('data/'.length), body]);
    return faultyStore(memoryStore(Object.fromEntries(objects)), faults);
}

describe('the store', () => {
    let server: Server;
    let answer: { status: number; code: string; message: string };
    let endpoint = '';

    beforeAll(async () => {
        server = createServer((_request, response) => {
            response.writeHead(answer.status, { 'content-type': 'application/xml' });
            response.end(
                `<Error><Code>${answer.code}</Code><Message>${answer.message}</Message></Error>`,
            );
        });
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => server.close());

    const bucket = (at: string) => (config: string) =>
        config.replace('folder: data', `bucket: night\n  endpoint: ${at}\n  path_style: true`);
    const before = () => {
        vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
        vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
        vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
        vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    };

    test('STORE_BUCKET_MISSING: no such bucket', async () => {
        answer = { status: 404, code: 'NoSuchBucket', message: 'The bucket does not exist' };
        const config = bucket(endpoint);
        expect(await fails('STORE_BUCKET_MISSING', 2, { config, before })).toMatchInlineSnapshot(`
          "STORE_BUCKET_MISSING: s3://night does not exist
            -> Check \`bucket\`, \`endpoint\` and \`region\` of \`store\` and \`state\` in tieout.yaml.
          "
        `);
    });

    test('STORE_BUCKET_MISSING: no such folder', async () => {
        const config = (of: string) => of.replace('folder: data', 'folder: elsewhere');
        expect(await fails('STORE_BUCKET_MISSING', 2, { config })).toMatchInlineSnapshot(`
          "STORE_BUCKET_MISSING: folder:PROJECT/elsewhere does not exist
            -> Check \`store.folder\` in tieout.yaml; a relative path starts beside that file.
          "
        `);
    });

    test('STORE_ACCESS_DENIED: wrong credentials, whatever the server repeats of them', async () => {
        const message = `The key AKIAEXAMPLE with ${fakeSecret} is not in our records`;
        answer = { status: 403, code: 'InvalidAccessKeyId', message };
        const config = bucket(endpoint);
        expect(await fails('STORE_ACCESS_DENIED', 2, { config, before })).toMatchInlineSnapshot(`
          "STORE_ACCESS_DENIED: s3://night refused list usage/: 403 InvalidAccessKeyId: The key AKIAEXAMPLE with (AWS_SECRET_ACCESS_KEY) is not in our records
            -> Check AWS_PROFILE or AWS_ACCESS_KEY_ID / AWS_SECRET_ACCESS_KEY, and that the identity may list and get, and put where \`state\` is.
          "
        `);
    });

    test('STORE_ACCESS_DENIED: no credentials', async () => {
        const none = () => {
            before();
            for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) {
                vi.stubEnv(name, undefined);
            }
        };
        const config = bucket(endpoint);
        const said = await fails('STORE_ACCESS_DENIED', 2, { config, before: none });
        expect(said).toMatchInlineSnapshot(`
          "STORE_ACCESS_DENIED: s3://night refused list usage/: no usable credentials in the environment, a profile or the instance role
            -> Check AWS_PROFILE or AWS_ACCESS_KEY_ID / AWS_SECRET_ACCESS_KEY, and that the identity may list and get, and put where \`state\` is.
          "
        `);
    });

    test('STORE_UNREACHABLE: nobody listens', async () => {
        const config = bucket('http://127.0.0.1:9');
        const said = await fails('STORE_UNREACHABLE', 75, { config, before });
        expect(said).toMatchInlineSnapshot(`
          "STORE_UNREACHABLE: s3://night did not answer list usage/ after 5 attempts: Error: connect ECONNREFUSED 127.0.0.1:PORT
            -> Check the network and the endpoint, then run the same command again; what is half done does not count.
          "
        `);
    });

    test('STORE_UNREACHABLE: the body breaks off again and again', async () => {
        const store = tinyStore({ kind: 'reset', key: first, times: Number.POSITIVE_INFINITY });
        expect(await fails('STORE_UNREACHABLE', 75, { store })).toMatchInlineSnapshot(`
          "STORE_UNREACHABLE: s3://memory did not answer get usage/dt=2026-10-01/0.ndjson after 3 attempts: read ECONNRESET after 534 of 1068 bytes
            -> Check the network and the endpoint, then run the same command again; what is half done does not count.
          "
        `);
    });

    test('STORE_PREFIX_EMPTY: nothing of the period', async () => {
        const line = 'run --period 2026-09 --as-of 2026-09-20T00:00:00Z';
        expect(await fails('STORE_PREFIX_EMPTY', 2, { line })).toMatchInlineSnapshot(`
          "STORE_PREFIX_EMPTY: no object under folder:PROJECT/data/usage/ matches dt={date}/ from 2026-08-31 to 2026-09-20
            -> Check \`prefix\` and \`dates\` of this input, and the period: an empty night is never assumed.
          "
        `);
    });

    test('LIMIT_OBJECTS: more objects than anybody meant', async () => {
        const config = (of: string) => of.replace('limits: {', 'limits: { objects: 1,');
        expect(await fails('LIMIT_OBJECTS', 2, { config })).toMatchInlineSnapshot(`
          "LIMIT_OBJECTS: 2 objects under usage/, more than the limit of 1
            -> Narrow the prefix or dates, or raise \`limits.objects\` in tieout.yaml.
          "
        `);
    });
});

describe('an object that is not as it was listed', () => {
    test('OBJECT_CHANGED: written again while it is read', async () => {
        const change = whileRead((folder) => writeFileSync(join(folder, 'data', first), '{}\n'));
        expect(await fails('OBJECT_CHANGED', 75, change)).toMatchInlineSnapshot(`
          "OBJECT_CHANGED: folder:PROJECT/data/usage/dt=2026-10-01/0.ndjson changed while it was read: listed as 1068-MTIME, read as 3-MTIME
            -> Let the producer finish, then run again. Objects must not be overwritten in place.
          "
        `);
    });

    test('OBJECT_MISSING: deleted after it was listed', async () => {
        const change = whileRead((folder) => rmSync(join(folder, 'data', first)));
        expect(await fails('OBJECT_MISSING', 75, change)).toMatchInlineSnapshot(`
          "OBJECT_MISSING: folder:PROJECT/data/usage/dt=2026-10-01/0.ndjson was listed and is gone
            -> Find out who deletes input objects, restore it, and run again.
          "
        `);
    });

    test('OBJECT_SHORT: ends early, three times', async () => {
        const store = tinyStore({ kind: 'short', key: first, times: Number.POSITIVE_INFINITY });
        expect(await fails('OBJECT_SHORT', 75, { store })).toMatchInlineSnapshot(`
          "OBJECT_SHORT: s3://memory/usage/dt=2026-10-01/0.ndjson ended after 534 of 1068 bytes
            -> Run again; if it repeats, the object or the network in between is damaged.
          "
        `);
    });
});

describe('what is in an object', () => {
    test('OBJECT_COMPRESSION_DAMAGED: gzip cut short', async () => {
        const files = instead(gzipSync(text).subarray(0, -20), `${first}.gz`);
        expect(await fails('OBJECT_COMPRESSION_DAMAGED', 2, { files })).toMatchInlineSnapshot(`
          "OBJECT_COMPRESSION_DAMAGED: folder:PROJECT/data/usage/dt=2026-10-01/0.ndjson.gz is not a whole gzip stream: unexpected end of file
            -> Ask the producer for the whole object; a truncated file is never billed from.
          "
        `);
    });

    test('OBJECT_COMPRESSION_DAMAGED: zstd with something after it', async () => {
        const body = Buffer.concat([zstdCompressSync(text), Buffer.from('and more')]);
        const files = instead(body, `${first}.zst`);
        expect(await fails('OBJECT_COMPRESSION_DAMAGED', 2, { files })).toMatchInlineSnapshot(`
          "OBJECT_COMPRESSION_DAMAGED: folder:PROJECT/data/usage/dt=2026-10-01/0.ndjson.zst is not a whole zstd stream: bytes after its end
            -> Ask the producer for the whole object; a truncated file is never billed from.
          "
        `);
    });

    test('OBJECT_NOT_TEXT: binary noise', async () => {
        const noise = Buffer.from(Array.from({ length: 999 }, (_, at) => (at * 167 + 89) % 256));
        expect(await fails('OBJECT_NOT_TEXT', 2, { files: instead(noise) })).toMatchInlineSnapshot(`
          "OBJECT_NOT_TEXT: folder:PROJECT/data/usage/dt=2026-10-01/0.ndjson:1 is not UTF-8 text: a NUL byte
            -> Move the file out of the input prefix, or state its real \`format\` in tieout.yaml.
          "
        `);
    });

    test('OBJECT_NOT_TEXT: a key that would write on the terminal', async () => {
        const name = 'usage/dt=2026-10-01/\u001b]0;owned\u0007\nUSAGE: all is well\u202e.ndjson';
        const files = instead(Buffer.from([0x61, 0xff, 0x0a]), name);
        expect(await fails('OBJECT_NOT_TEXT', 2, { files })).toMatchInlineSnapshot(`
          "OBJECT_NOT_TEXT: folder:PROJECT/data/usage/dt=2026-10-01/\\u{1B}]0;owned\\u{7}\\nUSAGE: all is well\\u{202E}.ndjson:1 is not UTF-8 text: invalid UTF-8
            -> Move the file out of the input prefix, or state its real \`format\` in tieout.yaml.
          "
        `);
    });

    test('OBJECT_LINE_TOO_LONG: a line over the limit', async () => {
        const config = (of: string) => of.replace('limits: {', 'limits: { line_bytes: 4000,');
        const files = instead(`${text}${'x'.repeat(4001)}\n`);
        const said = await fails('OBJECT_LINE_TOO_LONG', 2, { config, files });
        expect(said).toMatchInlineSnapshot(`
          "OBJECT_LINE_TOO_LONG: folder:PROJECT/data/usage/dt=2026-10-01/0.ndjson:6 is longer than the limit of 4000 bytes
            -> Look at the line; if it is real, raise \`limits.line_bytes\` in tieout.yaml.
          "
        `);
    });

    test('CSV_HEADER_MISSING: rows from the first line on', async () => {
        const files = instead('/gateway,evt-1,llm.completion,acme\n', `${first}.csv`);
        expect(await fails('CSV_HEADER_MISSING', 2, { files })).toMatchInlineSnapshot(`
          "CSV_HEADER_MISSING: folder:PROJECT/data/usage/dt=2026-10-01/0.ndjson.csv:1 is not the header this input expects: /gateway,evt-1,llm.completion,acme lacks data.model, data.input_tokens, data.cached_input_tokens, data.output_tokens
            -> Add the header line, or correct the column map of this input in tieout.yaml.
          "
        `);
    });

    test('CSV_QUOTE_OPEN: cut inside a cell', async () => {
        const header =
            'source,id,type,subject,time,specversion,data.model,data.input_tokens,data.cached_input_tokens,data.output_tokens';
        const files = instead(`${header}\n/gateway,"evt-1`, `${first}.csv`);
        expect(await fails('CSV_QUOTE_OPEN', 2, { files })).toMatchInlineSnapshot(`
          "CSV_QUOTE_OPEN: folder:PROJECT/data/usage/dt=2026-10-01/0.ndjson.csv:2 opens a quote that never closes
            -> Ask the producer for the whole file; a cut CSV is never billed from.
          "
        `);
    });

    test('OBJECT_NOT_PARQUET: called Parquet', async () => {
        const files = instead(text, 'usage/dt=2026-10-01/0.parquet');
        expect(await fails('OBJECT_NOT_PARQUET', 2, { files })).toMatchInlineSnapshot(`
          "OBJECT_NOT_PARQUET: folder:PROJECT/data/usage/dt=2026-10-01/0.parquet is not a whole Parquet file: it does not begin with PAR1
            -> Ask the producer for the whole object, or state its real \`format\` in tieout.yaml.
          "
        `);
    });

    test('CONFIG_INVALID: a shape of JSON in a CSV', async () => {
        const said = await fails('CONFIG_INVALID', 2, {
            config: (of) => of.replace('preset: cloudevents', 'preset: metronome'),
            files: instead(
                'transaction_id,data.model,data.input_tokens,data.cached_input_tokens,data.output_tokens\nt,m1,1,0,1\n',
                'usage/dt=2026-10-01/0.csv',
            ),
        });
        expect(said).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 1 problem in the configuration
          tieout.yaml:1: PRESET_FORMAT usage/dt=2026-10-01/0.csv is csv, and metronome is a shape of NDJSON (gateway.preset)
              Export one JSON object per line; for columns, \`preset: none\` and \`columns\`.
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
    });

    test('CONFIG_INVALID: a DOUBLE in Parquet', async () => {
        const config = (of: string) =>
            of
                .replace(
                    'preset: cloudevents',
                    'preset: none\n    columns: { source: source, event_id: id, event_type: type, account_id: subject, event_at: time }',
                )
                .replaceAll(/data\.(\w+)/g, '$1');
        const said = await fails('CONFIG_INVALID', 2, {
            config,
            files: { 'data/usage/dt=2026-10-02/0.ndjson': null },
            before: async ({ folder }) => {
                rmSync(join(folder, 'data', first));
                const engine = await Engine.open({
                    file: ':memory:',
                    memory: '200MB',
                    threads: 1,
                    spill: folder,
                });
                await engine.run(`copy (
                    select '/gateway' as source, 'evt-1' as id, 'llm.completion' as type,
                        'acme' as subject, timestamp '2026-10-01 01:00:00' as time, 'm1' as model,
                        1000.0::double as input_tokens, 0 as cached_input_tokens,
                        7 as File_Index
                ) to '${join(folder, 'data/usage/dt=2026-10-01/0.parquet')}' (format parquet)`);
                engine.close();
            },
        });
        expect(said).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 3 problems in the configuration
          tieout.yaml:1: PARQUET_COLUMN the column File_Index hides where a row stands in its files (gateway.File_Index)
              Write the files without it, or under another name.
          tieout.yaml:1: PARQUET_COLUMN input_tokens is DOUBLE, and input_tokens needs a whole number (gateway.input_tokens)
              Write the column exactly (integers, DECIMAL, TIMESTAMP in UTC), or map another one.
          tieout.yaml:1: PARQUET_COLUMN no column output_tokens in its Parquet files (gateway.output_tokens)
              Write the column exactly (integers, DECIMAL, TIMESTAMP in UTC), or map another one.
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
    });
});

describe('a run of another version', () => {
    const outdated = (line: string, change: string) =>
        fails('RUN_OUTDATED', 2, {
            line,
            hasRun: true,
            before: async ({ folder }) => {
                await beforehand({ folder }, 'run --period 2026-10');
                const run = await latestRun(folderState(join(folder, '.tieout')), '2026-10');
                const engine = await openTables(run, {
                    ...{ memory: '512MB', threads: 1, spill: join(folder, 'spill') },
                });
                await engine.run(change);
                engine.close();
            },
        });

    test.each([
        [
            'report --period 2026-10',
            'alter table recon.breaks drop column detail',
            'recon.breaks has no detail',
        ],
        [
            'explain 0 --period 2026-10',
            'alter table invoice.line_items drop column card',
            'invoice.line_items has no card',
        ],
        [
            'report --period 2026-10',
            'drop table recon.breaks',
            'Catalog Error: Table with name breaks does not exist!',
        ],
    ])('RUN_OUTDATED: %s after %s', async (line, change, detail) => {
        const text = await outdated(line, change);
        expect(text).toContain(`was written by another version of tieout (0.1.0): ${detail}`);
        expect(text).toContain('-> Run it again: `tieout run --period 2026-10 --as-of ');
    });
});
