import { globSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type TinyProject, tieout, tinyProject } from '../support/terminal.ts';

/* What is kept of rows and runs, and what people see of it when it lies elsewhere, or not at all. */

const made: TinyProject[] = [];
afterEach(() => {
    for (const one of made.splice(0)) one.remove();
});

function project(files?: Parameters<typeof tinyProject>[0]): TinyProject {
    const one = tinyProject(files);
    made.push(one);
    return one;
}

const says = async ({ folder }: TinyProject, line: string, now = '2026-11-05T09:00:00Z') => {
    const { exit, out, err } = await tieout(line, { cwd: folder, now });
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    return out;
};

/** The key of the first line of a period. */
function lineKey({ folder }: TinyProject): string {
    const [file = ''] = globSync(join(folder, '.tieout/runs/*/output/line_items.csv'));
    return /\b[0-9a-f]{64}\b/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
}

describe('explain', () => {
    test('says the same when the state folder lies elsewhere', async () => {
        const of = project();
        await says(of, 'run --period 2026-10');
        const line = `explain ${lineKey(of)} --period 2026-10`;
        const before = await says(of, line);
        expect(before).toContain('the quantity of the line');
        renameSync(join(of.folder, '.tieout'), join(of.folder, 'restored'));
        const config = readFileSync(join(of.folder, 'tieout.yaml'), 'utf8');
        of.write('tieout.yaml', `${config}\nstate: restored\n`);
        expect(await says(of, line)).toBe(before);
    });

    test('says which rows are kept no more', async () => {
        const of = project();
        await says(of, 'run --period 2026-10');
        for (const batch of globSync(join(of.folder, '.tieout/lake/gateway/*'))) {
            rmSync(batch, { recursive: true });
        }
        const out = await says(of, `explain ${lineKey(of)} --period 2026-10`);
        expect(out).toContain(
            'rows of 2 objects (usage/dt=2026-10-01/0.ndjson, usage/dt=2026-10-02/0.ndjson) are kept no more',
        );
    });
});
