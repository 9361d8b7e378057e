import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tieout } from '../../scripts/support/cli.ts';
import { killedNight, type Night, wholeNight } from '../../scripts/support/kill.ts';
import { fewOf } from '../support/how-many.ts';

/** A few seeds, and those that ever failed; `npm run kills` has as many as one likes. */
const known: readonly number[] = JSON.parse(
    readFileSync(join(import.meta.dirname, 'regressions.json'), 'utf8'),
).kills;
const folder = mkdtempSync(join(tmpdir(), 'tieout-kills-'));
let sound: Night;

beforeAll(async () => {
    await tieout(['init', folder], { cwd: folder, quiet: true });
    sound = await wholeNight(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([...known, ...fewOf([1, 2, 3, 4], 1)])(
    'a night that seed %i kills ends with the same bytes',
    async (seed) => {
        const { at, wrong } = await killedNight(folder, seed, sound);
        expect(wrong, `killed at ${at.join(', ')} ms`).toEqual([]);
    },
);
