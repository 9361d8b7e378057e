import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../fixtures/project.ts';
import { type BothNights, bothNights, expectSame, returnedOf } from '../support/both-engines.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

/** Where a real month may be: usage and debits, accounts, assets and rates. */
const data = process.env.TIEOUT_REAL_MONTH ?? join('..', 'shared', 'real', 'night');
const isThere = existsSync(join(data, 'truth.json'));
if (!isThere) process.stderr.write(`the real month is not on this machine (${data})\n`);

describe.skipIf(!isThere)('the real month', () => {
    let s3: S3Server;
    let nights: BothNights;

    beforeAll(async () => {
        s3 = await startS3();
        const read = (name: string) => readFileSync(join(data, name), 'utf8');
        const objects = globSync('{usage,debits}/**/*.gz', { cwd: data }).map(
            (key) => [key, readFileSync(join(data, key))] as const,
        );
        const files = {
            ...projectFiles({
                ...{ name: 'night', store: { folder: 'data' }, memory: '2GB' },
                wallets: [
                    { accounts: 'org-a', asset: 'USD', shape: 'instant' },
                    { accounts: 'org-b', asset: 'TOK', shape: 'two_phase', funding: 'postpaid' },
                    { accounts: 'org-c', asset: 'REQ', shape: 'aggregated', funding: 'postpaid' },
                ],
            }),
            ...Object.fromEntries(
                ['accounts.json', 'assets.json', 'rates.csv'].map((of) => [of, read(of)]),
            ),
        };
        nights = await bothNights(s3, files, Object.fromEntries(objects), {
            ...{ period: '2026-02', as_of: '2026-03-05T00:00:00Z' },
        });
    }, 180_000);
    afterAll(async () => {
        nights?.remove();
        await s3?.stop();
    });

    test('gives the same files, to the byte', () => expectSame(nights));

    test('has most of what agrees counted there', () => {
        const [returned, all] = returnedOf(nights.there);
        expect(all).toBe(117_650);
        // Days of aggregated wallets, breaks, copies and suspense.
        expect(returned).toBeLessThan(all / 8);
    });
});
