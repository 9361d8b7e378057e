import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { openClickHouse } from '../../src/clickhouse/http.ts';
import { Engine } from '../../src/duck/engine.ts';
import { requireFew } from '../../src/run/clickhouse/count.ts';
import { requireRowsHere } from '../../src/run/clickhouse/open.ts';
import { ClickSession } from '../../src/run/clickhouse/session.ts';
import { runFolder } from '../../src/run/folders.ts';
import { fails, fakeSecret, masked, raises, tieout, tinyProject } from '../support/terminal.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
});

type Answers = (statement: string, response: ServerResponse, request: IncomingMessage) => void;

/** A server that answers as ClickHouse does, on loopback. */
async function serverOf(answers: Answers): Promise<string> {
    const server = createServer((request, response) => {
        let statement = '';
        request.setEncoding('utf8');
        request.on('data', (text) => {
            statement += text;
        });
        request.on('end', () => answers(statement, response, request));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const exception =
    (code: number, name: string, text: string): Answers =>
    (statement, response) => {
        if (statement === 'select 1') return void response.end('1\n');
        response.writeHead(500, { 'x-clickhouse-exception-code': String(code) });
        response.end(`Code: ${code}. DB::Exception: ${text}. (${name}) (version 26.7.2.1)\n`);
    };

const open = (url: string): Promise<ClickHouse> =>
    openClickHouse({ url, user: 'night', password: fakeSecret, session: 's' });

/** Without the port. */
const plain = (text: string) => text.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT');

/** Asks a server that answers so. */
async function asking(answers: Answers): Promise<unknown> {
    const clickhouse = await open(await serverOf(answers));
    stops.push(() => clickhouse.close());
    return clickhouse.read('select a\nfrom b format Parquet');
}

describe('a server that cannot be used', () => {
    test('CLICKHOUSE_UNREACHABLE: nobody is there', async () => {
        const said = await raises('CLICKHOUSE_UNREACHABLE', () => open('http://127.0.0.1:9'));
        expect(said).toMatch(/^CLICKHOUSE_UNREACHABLE: http:\/\/127\.0\.0\.1:9 did not answer/);
        expect(said).toMatch(/ECONNREFUSED/);
    });

    test('CLICKHOUSE_UNREACHABLE: it goes away in the middle of an answer', async () => {
        const answers: Answers = (statement, response) => {
            if (statement === 'select 1') return void response.end('1\n');
            response.writeHead(200, { 'content-length': '1000' });
            response.write('PAR1');
            setTimeout(() => response.destroy(), 20);
        };
        const said = await raises('CLICKHOUSE_UNREACHABLE', () => asking(answers));
        expect(said).toMatch(/did not answer, or not to the end/);
    });

    test('CLICKHOUSE_REFUSED: another password', async () => {
        const url = await serverOf((_, response) => {
            response.writeHead(403, { 'x-clickhouse-exception-code': '516' });
            response.end(
                'Code: 516. DB::Exception: night: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)\n',
            );
        });
        const said = await raises('CLICKHOUSE_REFUSED', () => open(url));
        expect(said).not.toContain(fakeSecret);
        expect(plain(said)).toMatchInlineSnapshot(`
          "CLICKHOUSE_REFUSED: http://127.0.0.1:PORT refused: night: Authentication failed: password is incorrect.
            -> Check TIEOUT_CLICKHOUSE_USER and TIEOUT_CLICKHOUSE_PASSWORD, and the grants in docs/clickhouse.md.
          "
        `);
    });

    test('statements say who asks, in one session, and wait for the end', async () => {
        const asked: (readonly [string | undefined, string])[] = [];
        const url = await serverOf((_, response, request) => {
            asked.push([request.headers.authorization, request.url ?? '']);
            response.end('');
        });
        const clickhouse = await open(url);
        stops.push(() => clickhouse.close());
        await clickhouse.run('set a = 1');
        const [first] = asked;
        expect(asked).toHaveLength(2);
        expect(first?.[0]).toBe(`Basic ${Buffer.from(`night:${fakeSecret}`).toString('base64')}`);
        for (const [, path] of asked) {
            expect(path).toContain('session_id=s');
            expect(path).toContain('wait_end_of_query=1');
            expect(path).not.toContain(fakeSecret);
        }
    });
});

describe('a statement that fails', () => {
    test('CLICKHOUSE_MEMORY: the server has not enough', async () => {
        const said = await raises('CLICKHOUSE_MEMORY', () =>
            asking(
                exception(
                    241,
                    'MEMORY_LIMIT_EXCEEDED',
                    'Query memory limit exceeded: would use 10 GiB',
                ),
            ),
        );
        expect(plain(said)).toMatchInlineSnapshot(`
          "CLICKHOUSE_MEMORY: http://127.0.0.1:PORT: out of memory: Query memory limit exceeded: would use 10 GiB.
            -> Give the user of tieout more (\`max_memory_usage\`), or let it spill (\`max_bytes_before_external_group_by\`), then run again.
          "
        `);
    });

    test('CLICKHOUSE_OBJECT_CHANGED: an object is another one', async () => {
        const said = await raises('CLICKHOUSE_OBJECT_CHANGED', () =>
            asking(
                exception(
                    395,
                    'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO',
                    'OBJECT_CHANGED: while executing',
                ),
            ),
        );
        expect(plain(said)).toMatchInlineSnapshot(`
          "CLICKHOUSE_OBJECT_CHANGED: http://127.0.0.1:PORT read an object that is not the one that was listed
            -> Let the producer finish, then run again. Objects must not be overwritten in place.
          "
        `);
    });

    test('CLICKHOUSE_OBJECT_UNREADABLE: the bucket does not let it in', async () => {
        const said = await raises('CLICKHOUSE_OBJECT_UNREADABLE', () =>
            asking(exception(499, 'S3_ERROR', 'Failed to get object info: Forbidden')),
        );
        expect(plain(said)).toMatchInlineSnapshot(`
          "CLICKHOUSE_OBJECT_UNREADABLE: http://127.0.0.1:PORT could not read the bucket: Failed to get object info: Forbidden.
            -> Check \`engine.clickhouse.endpoint\` and the named collection of \`engine.clickhouse.collection\` on the server, then run again.
          "
        `);
    });

    test('CLICKHOUSE_FAILED: another one of ours', async () => {
        const said = await raises('CLICKHOUSE_FAILED', () =>
            asking(exception(62, 'SYNTAX_ERROR', 'Syntax error: failed at position 7')),
        );
        expect(plain(said)).toMatchInlineSnapshot(`
          "CLICKHOUSE_FAILED: http://127.0.0.1:PORT refused a statement: Syntax error: failed at position 7. (select a from b format Parquet ...)
            -> Nothing was kept. Run without \`engine.clickhouse\` meanwhile, and report the message.
          "
        `);
    });

    test('AMOUNT_OVERFLOW: a sum that no decimal holds', async () => {
        const said = await raises('AMOUNT_OVERFLOW', () =>
            asking(exception(407, 'DECIMAL_OVERFLOW', 'Decimal math overflow')),
        );
        expect(said).toMatch(/^AMOUNT_OVERFLOW: clickhouse: /);
    });
});

describe('an answer that is not whole', () => {
    /** A session whose server says one thing to everything. */
    async function sessionOf(answer: string): Promise<ClickSession> {
        const folder = mkdtempSync(join(tmpdir(), 'tieout-click-'));
        const engine = await Engine.open({
            file: ':memory:',
            memory: '1GB',
            threads: 1,
            spill: folder,
        });
        stops.push(async () => {
            engine.close();
            rmSync(folder, { recursive: true, force: true });
        });
        const clickhouse: ClickHouse = {
            address: 'http://ch.example',
            run: async () => {},
            read: async () => Buffer.from(answer, 'latin1'),
            insert: async () => {},
            close: async () => {},
        };
        return ClickSession.open(clickhouse, engine, folder);
    }

    test('CLICKHOUSE_ANSWER_SHORT: an exception stands where rows would', async () => {
        const session = await sessionOf('PAR1\u0015Code: 241. DB::Exception: Memory limit');
        const said = await raises('CLICKHOUSE_ANSWER_SHORT', () =>
            session.bring('a', 'select 1 as a'),
        );
        expect(plain(said)).toMatchInlineSnapshot(`
          "CLICKHOUSE_ANSWER_SHORT: http://ch.example ended an answer before its end (select 1 as a format Parquet ...)
            -> Run again; if it repeats, something between here and the server cuts answers off.
          "
        `);
    });

    test('CONTRACT_MISMATCH: a select gives another type than its table has', async () => {
        const session = await sessionOf('{"name":"a","type":"Float64"}\n');
        const table = { name: 't', order: ['a'], columns: { a: 'Int64' } };
        const said = await raises('CONTRACT_MISMATCH', () =>
            session.make(table, ['select a from b']),
        );
        expect(said).toMatch(
            /clickhouse\/t: the select gives a Float64, the contract says a Int64/,
        );
    });
});

describe('a project that is not for it', () => {
    const there = (text: string) =>
        text.replace('engine: {', 'engine: { clickhouse: { url: "http://ch.example:8123" },');

    test('CLICKHOUSE_UNSUPPORTED: a folder, a calendar, CSV', async () => {
        const config = (text: string) =>
            there(text)
                .replace('dates: dt={date}/', 'dates: dt={date}/\n    format: csv')
                .replace(
                    'derived:',
                    'derived:\n  peak: { calendar: { zone: UTC, windows: [{ is: day, from: "08:00", to: "20:00" }], otherwise: night } }',
                );
        const said = await fails('CLICKHOUSE_UNSUPPORTED', 2, { config });
        expect(said).toMatchInlineSnapshot(`
          "CLICKHOUSE_UNSUPPORTED: what this project needs is not done on ClickHouse:
          - input gateway is CSV
          - \`store\` is a folder of this machine, which no server reads: a bucket is needed
          - derived peak is a calendar
            -> Take \`engine.clickhouse\` out of tieout.yaml: DuckDB does all of it, with the same numbers. See docs/clickhouse.md.
          "
        `);
    });

    test('CLICKHOUSE_UNSUPPORTED: rows that stay there cannot be erased', async () => {
        const line = 'erase --account acme --reason asked';
        const said = await fails('CLICKHOUSE_UNSUPPORTED', 2, { config: there, line });
        expect(said).toMatch(/`tieout erase` looks at rows, and they stay there/);
    });

    test('CLICKHOUSE_MANY_RETURNED: nearly everything is written in an unusual way', async () => {
        const rows = async () => [{ returned: '9000', stored: '10000', unread: '8999' }];
        const said = await raises('CLICKHOUSE_MANY_RETURNED', () => requireFew({ rows }, 5000));
        expect(plain(said)).toMatchInlineSnapshot(`
          "CLICKHOUSE_MANY_RETURNED: 9000 of 10000 rows would come back, 8999 of them in a form that is not read there; 5000 may
            -> Look at what is common to them (docs/clickhouse.md says what is read there), or raise \`engine.clickhouse.returned_rows\`.
          "
        `);
    });

    test('CLICKHOUSE_ROWS_ELSEWHERE: what is behind a line stayed there', async () => {
        const project = tinyProject();
        await tieout('run --period 2026-10', { cwd: project.folder });
        const [file = ''] = globSync(
            join(project.folder, '.tieout/runs/*/output/certificate.json'),
        );
        const certificate = JSON.parse(readFileSync(file, 'utf8'));
        certificate.history = { from: null, because: '', counted_there: '17', looked_at: '0' };
        writeFileSync(file, JSON.stringify(certificate));
        const run = runFolder(join(project.folder, '.tieout'), certificate.run_id);
        const said = await raises('CLICKHOUSE_ROWS_ELSEWHERE', async () =>
            requireRowsHere(run, 'explain'),
        );
        expect(masked(said, project.folder)).toMatchInlineSnapshot(`
          "CLICKHOUSE_ROWS_ELSEWHERE: 2026-10-nightly-RUN was counted on ClickHouse, and explain needs rows that are not here
            -> Run the period without \`engine.clickhouse\` where you need that: the numbers are the same.
          "
        `);
        project.remove();
    });
});
