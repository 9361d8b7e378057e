import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { debitLine, lines, masked, tieout, tinyFiles, tinyProject } from '../support/terminal.ts';

const log = 'data/debits/dt=2026-10-02/log.ndjson';

/** The ninth request was never debited, and nothing may differ: acme is held. */
const strict = () => {
    const files = tinyFiles();
    const config = `${files['tieout.yaml']}`;
    const limit = 'hold: { absolute: "0", percent: "0" }\n';
    return {
        ...files,
        'tieout.yaml': /^hold:.*\n/m.test(config)
            ? config.replace(/^hold:.*\n/m, limit)
            : `${config}${limit}`,
    };
};

/** A held month, and what people do about it. */
describe('a break from the night that finds it to the close of the month', () => {
    const project = tinyProject(strict());
    afterAll(project.remove);
    const cwd = project.folder;
    const type = (line: string, reason?: string) =>
        tieout(
            [
                ...line.split(' '),
                ...(reason === undefined ? [] : ['--reason', reason]),
                ...['--period', '2026-10'],
            ],
            { cwd },
        );
    const asJson = async (line: string) => JSON.parse((await type(`${line} --json`)).out);
    const idOf = async () => (await asJson('break list --status all')).items[0].break_id as string;
    const entries = () =>
        readdirSync(join(cwd, '.tieout/commits'))
            .sort()
            .map((name) => JSON.parse(readFileSync(join(cwd, '.tieout/commits', name), 'utf8')));

    test('the run holds the payer and lists the break', async () => {
        const said = await type('run');
        expect(said.exit).toBe(1);
        expect(said.out).toMatch(/^breaks +1 open$/m);
        expect(said.out).toMatch(/^held +acme$/m);
        const list = await type('break list');
        expect(masked(list.out, cwd)).toMatch(/METERED_NOT_DEBITED +evt-9 +acme +0\.0285 USD/);
        expect((await type('close --by ada')).err).toContain('lines of acme are held');
    });

    test('assigned and commented, it is still open, and the payer held', async () => {
        const id = (await idOf()).slice(0, 8);
        expect((await type(`break assign ${id} --to bob --by ada`)).out).toMatch(
            /open, with bob\n$/,
        );
        await type(`break comment ${id} --by bob`, 'the wallet was down');
        const shown = (await type(`break show ${id}`)).out;
        expect(shown).toMatch(/^owner +bob$/m);
        expect(shown).toMatch(/ {2}ada gave it to bob\n.* {2}bob said: the wallet was down\n$/);
        expect((await type('run')).exit).toBe(1);
        expect((await type('break list --owner eve')).out).toContain('none as asked');
    });

    test('resolved, the run lets go of its lines; opened again, they are held', async () => {
        const id = await idOf();
        const said = await type(`break resolve ${id} --as explained --by bob`, 'debited by hand');
        expect(said.out).toMatch(/: explained, with bob\nlines of acme: resolved\n$/);
        const run = await type('run');
        expect(run).toMatchObject({ exit: 0 });
        expect(run.out).toMatch(/^breaks +0 open, 1 resolved$/m);
        const reopened = await type(`break reopen ${id} --by ada`, 'it was not');
        expect(reopened.out).toMatch(/lines of acme: held\n$/);
        expect((await type('run')).exit).toBe(1);
    });

    test('released, its lines go out in files of their own; a close then is a close', async () => {
        const said = await type('release acme --by ada', 'acme agreed');
        expect(said).toMatchObject({ exit: 0, err: '' });
        const file = /^file +(.*netsuite-invoices-001\.csv)$/m.exec(said.out)?.[1] ?? '';
        expect(readFileSync(join(cwd, file), 'utf8').split('\n').length).toBeGreaterThan(2);
        expect((await type('run')).out).toMatch(/^released +acme$/m);
        const held = globbed();
        expect(held).not.toContain('netsuite-invoices-001.csv');
    });

    /** What the run itself wrote. */
    const globbed = () => {
        const [run = ''] = readdirSync(join(cwd, '.tieout/runs'));
        return readdirSync(join(cwd, '.tieout/runs', run, 'output'));
    };

    test('taken back, it is held; released again, the month can be closed', async () => {
        expect((await type('release acme --withdraw --by ada', 'too soon')).out).toContain('held');
        expect((await type('close --by ada')).exit).toBe(1);
        await type('release acme --by ada', 'now');
        expect((await type('close --by ada')).out).toContain('2026-10 is closed');
    });

    test('the log has every word, in order, and who said it', () => {
        const said = entries().map(({ kind, act = '', by }) => [kind, act, by].join(' ').trim());
        expect(said).toEqual([
            'run',
            'decide assign ada',
            'decide comment bob',
            'decide resolve bob',
            'decide reopen ada',
            ...['release  ada', 'withdraw  ada', 'release  ada'],
            'close  ada',
        ]);
    });
});

test('a release is for what held then: with one more break the payer is held again', async () => {
    const project = tinyProject(strict());
    const cwd = project.folder;
    try {
        await tieout('run --period 2026-10', { cwd });
        await tieout('release acme --period 2026-10 --reason agreed', { cwd });
        expect((await tieout('run --period 2026-10', { cwd })).exit).toBe(0);
        project.write(log, lines([6, 7].map((at) => debitLine(at))));
        const said = await tieout('run --period 2026-10', { cwd });
        expect(said.exit).toBe(1);
        expect(said.out).toMatch(/^held +acme$/m);
    } finally {
        project.remove();
    }
});

test('nothing is resolved in a month without a run', async () => {
    const project = tinyProject();
    const cwd = project.folder;
    try {
        const said = await tieout('break list --period 2026-10', { cwd });
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toContain('RUN_NOT_FOUND');
        expect(existsSync(join(cwd, '.tieout/commits'))).toBe(false);
    } finally {
        project.remove();
    }
});
