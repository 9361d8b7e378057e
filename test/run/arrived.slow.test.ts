import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TinyProject, tieout, tinyProject } from '../support/terminal.ts';

/*
 * Every object but one arrived on the 3rd; the usage of the 2nd came on the 9th. As of the 5th it was
 * not known, though its day was over.
 */
let project: TinyProject;
beforeAll(() => {
    project = tinyProject();
    for (const path of readdirSync(join(project.folder, 'data'), {
        recursive: true,
        encoding: 'utf8',
    })) {
        const isLate = path.startsWith('usage/dt=2026-10-02/');
        const at = new Date(isLate ? '2026-10-09T00:00:00Z' : '2026-10-03T00:00:00Z');
        utimesSync(join(project.folder, 'data', path), at, at);
    }
});
afterAll(() => project?.remove());

const run = async (flags: string) => {
    const said = await tieout(`run --period 2026-10 ${flags} --json`, { cwd: project.folder });
    expect(said.exit, said.err).toBeLessThan(2);
    return JSON.parse(said.out) as {
        run_id: string;
        certificate: { arrived_by?: string; inputs: readonly { key: string }[] };
    };
};
const keys = ({ certificate }: Awaited<ReturnType<typeof run>>) =>
    certificate.inputs.map(({ key }) => key).filter((key) => key.startsWith('usage/'));
const [first, late] = ['usage/dt=2026-10-01/0.ndjson', 'usage/dt=2026-10-02/0.ndjson'];

test('without it an object is chosen by its day alone', async () => {
    const made = await run('--as-of 2026-10-05T00:00:00Z');
    expect(keys(made)).toEqual([first, late]);
    expect(made.certificate.arrived_by).toBeUndefined();
});

test('what the store got later is left out, and the certificate says by when', async () => {
    const made = await run('--as-of 2026-10-05T00:00:00Z --arrived');
    expect(keys(made)).toEqual([first]);
    expect(made.certificate.arrived_by).toBe('2026-10-05T00:00:00Z');
    expect(keys(await run('--as-of 2026-10-09T00:00:00Z --arrived'))).toEqual([first, late]);
    const again = await tieout(`run --reproduce ${made.run_id}`, { cwd: project.folder });
    expect(again).toMatchObject({ exit: 0, err: '' });
});

test('nothing at all is an error that says so, and so is the flag alone', async () => {
    const cwd = project.folder;
    const early = await tieout('run --period 2026-10 --as-of 2026-10-02T12:00:00Z --arrived', {
        cwd,
    });
    expect(early.exit).toBe(2);
    expect(early.err).toContain('and arrived by 2026-10-02T12:00:00Z');
    const alone = await tieout('run --period 2026-10 --arrived', { cwd });
    expect(alone.err).toContain('--arrived needs --as-of');
});
