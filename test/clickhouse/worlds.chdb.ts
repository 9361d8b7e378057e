import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunError } from '../../src/errors/index.ts';
import { worlds } from '../support/arbitraries.ts';
import { bothNights, expectSame, returnedOf } from '../support/both-engines.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { asOf, period, projectFiles } from '../support/world.ts';

/*
 * Worlds of any kind: accounts that move, prices that change, debits of every shape, rows that cannot be
 * used. What is not done there is refused; all others give the same files.
 */

const seed = 20_261_128;
const count = Number.parseInt(process.env.TIEOUT_CLICKHOUSE_WORLDS ?? '5', 10);
const inBucket = 'bucket/';

let s3: S3Server;
beforeAll(async () => {
    s3 = await startS3();
});
afterAll(() => s3?.stop());

const certain: number[] = [];

test.each(fc.sample(worlds({}), { numRuns: count, seed }).map((world, at) => [at, world] as const))(
    'world %i gives the same files, or is refused',
    async (_at, world) => {
        const all = Object.entries(projectFiles(world));
        const beside = all.filter(([name]) => !name.startsWith(inBucket));
        const objects = all.flatMap(([name, text]) =>
            name.startsWith(inBucket) ? [[name.slice(inBucket.length), text]] : [],
        );
        try {
            const nights = await bothNights(
                s3,
                Object.fromEntries(beside),
                Object.fromEntries(objects),
                {
                    ...{ period, as_of: asOf },
                },
            );
            expectSame(nights);
            const [returned, rows] = returnedOf(nights.there);
            certain.push(rows - returned);
            nights.remove();
        } catch (error) {
            if (!(error instanceof RunError) || error.code !== 'CLICKHOUSE_UNSUPPORTED')
                throw error;
        }
    },
);

test('some of it is counted there', () => expect(Math.max(...certain)).toBeGreaterThan(0));
