import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type BothNights, bothNights, expectSame } from '../support/both-engines.ts';
import { openChdb } from '../support/chdb.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { tinyFiles } from '../support/terminal.ts';

/*
 * docs/clickhouse-statements.md: what a cluster of two nodes is sent for the tiny project, in order,
 * with its plans. `npm run test:clickhouse -- --update` writes it anew.
 */

let s3: S3Server;
let nights: BothNights;

beforeAll(async () => {
    s3 = await startS3();
    const tiny = tinyFiles();
    const isData = (name: string) => name.startsWith('data/');
    nights = await bothNights(
        s3,
        Object.fromEntries(Object.entries(tiny).filter(([name]) => !isData(name))),
        Object.fromEntries(
            Object.entries(tiny).flatMap(([name, text]) =>
                isData(name) ? [[name.slice('data/'.length), text]] : [],
            ),
        ),
    );
});
afterAll(async () => {
    nights?.remove();
    await s3?.stop();
});

/** The statement as a cluster is sent it: where rows are read, and nothing else, is another word. */
const onCluster = (statement: string) =>
    statement
        .replaceAll(/\bs3\(/g, "s3Cluster('reports', ")
        .replaceAll(
            /http:\/\/127\.0\.0\.1:\d+\/[a-z0-9-]+\//g,
            'https://s3.example/usage-of-tiny/',
        );

/** A plan prints whole expressions, which the statement has anyway. */
const shortened = (plan: string) =>
    plan
        .split('\n')
        .map((line) => (line.length > 120 ? `${line.slice(0, 118)} …` : line))
        .join('\n');

const kinds = /^(insert into (?!\w+ format)|select )/;

test('the tiny project gives the same files', () => expectSame(nights));

test('the statements of a cluster, and their plans', async () => {
    const config = join(import.meta.dirname, 'cluster.xml');
    const session = await openChdb({}, [`--config-file=${config}`]);
    const parts: string[] = [];
    onTestFinished(() => session.close());
    // Tables are made again in the other session, so that what reads them can be planned.
    for (const statement of nights.statements) {
        if (/^(create temporary table|set )/.test(statement)) {
            await session.run(statement);
        }
    }
    for (const statement of nights.statements.filter((of) => kinds.test(of))) {
        const [, table, select = statement] =
            /^insert into (\w+)\n([\s\S]*)$/.exec(statement) ?? [];
        const there = onCluster(select);
        const plan = await session.read(
            `explain ${there.replace(/\nformat \w+$/, '')} format TSVRaw`,
        );
        const title = table ? `insert into ${table}` : 'select, which comes back';
        parts.push(
            `## ${title}\n\n\`\`\`sql\n${there}\n\`\`\`\n\n\`\`\`text\n${shortened(new TextDecoder().decode(plan).trimEnd())}\n\`\`\`\n`,
        );
    }
    const head = readFileSync(join(import.meta.dirname, 'statements-head.md'), 'utf8');
    await expect(`${head}\n${parts.join('\n')}`).toMatchFileSnapshot(
        join(import.meta.dirname, '../../docs/clickhouse-statements.md'),
    );
});
