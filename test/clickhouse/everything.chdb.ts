import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../fixtures/generator/random.ts';
import { Spots } from '../properties/injection.plan.ts';
import { cleanBooks, filesOver } from '../properties/injection.world.ts';
import { counted, injections } from '../properties/injections.ts';
import { type BothNights, bothNights, expectSame, returnedOf } from '../support/both-engines.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

/*
 * A night on ClickHouse gives the very files of one without it, whatever is wrong with the data: every
 * break that there is, and every row that cannot be used.
 */

let s3: S3Server;
let nights: BothNights;

beforeAll(async () => {
    s3 = await startS3();
    const { books, beside } = cleanBooks({ seed: 7, events: 500 });
    const spots = new Spots(books);
    const random = new Random(7, 500);
    for (const [code, of] of [...Object.entries(injections), ...Object.entries(counted)]) {
        for (const injector of of) spots.inject(code, injector, random);
    }
    const { files, objects } = filesOver([books], beside);
    nights = await bothNights(s3, files, objects as never);
});
afterAll(async () => {
    nights?.remove();
    await s3?.stop();
});

describe('every kind of break at once', () => {
    test('gives the same files, to the byte', () => expectSame(nights));

    test('what agrees does not come back', () => {
        const [returned, all] = returnedOf(nights.there);
        expect(returned).toBeGreaterThan(0);
        expect(returned).toBeLessThan(all);
    });
});
