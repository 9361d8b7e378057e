import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { beforehand } from '../support/beforehand.ts';
import { tieout, tinyProject } from '../support/terminal.ts';

/** A month from its run to its end, and what a late correction has to go through. */
describe('close and reopen', () => {
    const project = tinyProject();
    afterAll(project.remove);
    const cwd = project.folder;
    const type = (...line: readonly string[]) => tieout([...line, '--period', '2026-10'], { cwd });
    const entries = () => readdirSync(join(cwd, '.tieout/commits')).length;

    test('a run is entered once, however often it is started', async () => {
        const [first] = await beforehand(project, ['run', '--period', '2026-10']);
        expect(first?.exit).toBe(0);
        expect((await type('run')).out).toContain('nothing was done');
        expect(entries()).toBe(1);
    });

    test('close freezes the month by the digest of its run', async () => {
        const said = await type('close', '--by', 'ada', '--reason', 'month end');
        expect(said).toMatchObject({ exit: 0, err: '' });
        expect(said.out).toMatch(/^2026-10 is closed\nrun +2026-10-nightly-[0-9a-f]{12}\ndigest +/);
        const again = await type('close', '--by', 'bob');
        expect(again.out).toContain('2026-10 is closed already');
        expect(again.out).toContain('ada');
        expect(entries()).toBe(2);
    });

    test('the very run is still a no-op; what came later is refused before anything is read', async () => {
        expect((await type('run')).exit).toBe(0);
        const late = JSON.parse(
            readFileSync(join(cwd, 'data/usage/dt=2026-10-02/0.ndjson'), 'utf8').split('\n')[0] ??
                '',
        );
        project.write(
            'data/usage/dt=2026-10-02/late.ndjson',
            `${JSON.stringify({ ...late, id: 'late' })}\n`,
        );
        const said = await type('run');
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toContain('PERIOD_CLOSED: 2026-10 was closed by ada');
        expect(readdirSync(join(cwd, '.tieout/runs'))).toHaveLength(1);
    });

    test('reopened, a run takes the place of the closed one; the log keeps all of it', async () => {
        const said = await type('reopen', '--by', 'ada', '--reason', 'an event came late');
        expect(said.out).toContain('2026-10 is open again');
        expect((await type('run')).exit).toBe(0);
        expect((await type('close', '--by', 'ada')).exit).toBe(0);
        const kinds = readdirSync(join(cwd, '.tieout/commits'))
            .map((name) => JSON.parse(readFileSync(join(cwd, '.tieout/commits', name), 'utf8')))
            .map(({ kind, run_id }) => [kind, run_id]);
        const [first, second] = [kinds[0]?.[1], kinds[3]?.[1]];
        expect(second).not.toBe(first);
        expect(kinds).toEqual([
            ['run', first],
            ['close', first],
            ['reopen', first],
            ['run', second],
            ['close', second],
        ]);
    });
});
