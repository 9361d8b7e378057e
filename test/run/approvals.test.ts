import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tieout, tinyFiles, tinyProject } from '../support/terminal.ts';
import { picksIn, readable, served } from './serve.world.ts';

/*
 * The ninth request, worth 0.0285 USD, was never debited, and nothing may differ: acme is held. Whoever
 * decides about more than a cent needs somebody else.
 */
const files = tinyFiles();
const config = `${`${files['tieout.yaml']}`.replace(/^hold:.*\n/m, '')}hold: { absolute: "0", percent: "0" }
decisions: { approve_above: "0.01" }
`;

describe('a decision above the limit', () => {
    const project = tinyProject({ ...files, 'tieout.yaml': config });
    afterAll(project.remove);
    const cwd = project.folder;
    const type = (line: string) => tieout([...line.split(' '), '--period', '2026-10'], { cwd });
    const asJson = async (line: string) => JSON.parse((await type(`${line} --json`)).out);
    let id: string;
    beforeAll(async () => {
        await type('run');
        id = (await asJson('break list')).items[0].break_id;
    }, 600_000);

    test.each([
        ['0.03', 75, 'is 0.0285 USD, and was seen at 0.03'],
        ['0.0285 0.01', 2, '1 breaks are named, and 2 amounts were seen'],
        ['much', 2, '--seen much is no amount'],
    ])('--seen %s: nothing is entered', async (seen, exit, detail) => {
        const said = await type(`break comment ${id} --by ada --reason x --seen ${seen}`);
        expect(said).toMatchObject({ exit, out: '' });
        expect(said.err).toContain(detail);
        expect((await asJson(`break show ${id}`))[0].notes).toEqual([]);
    });

    test('waits: the break stays open, and its payer held', async () => {
        const line = `break resolve ${id} --as written-off --by ada --reason lost --seen 0.0285`;
        const said = await type(line);
        expect(said.out).toContain('(0.0285 USD): open; written off is proposed by ada: waits for');
        expect(said.out).toMatch(/lines of acme: held\n$/);
        expect((await type(`break show ${id}`)).out).toContain('ada proposed to resolve it');
        expect((await type('break list --status proposed')).out).toContain('open, proposed');
        expect((await type('break list --status written_off')).out).toContain('none as asked');
    });

    test('its maker can’t approve it, however they write themselves', async () => {
        const said = await type(`break approve ${id} --by Ada`);
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toContain("was proposed by ada, who can't approve it, too");
    });

    test('another person approves it, in the browser too, and it counts', async () => {
        const app = served(cwd);
        const session = await app.signIn('bob');
        const page = await app.get(`/periods/2026-10/breaks/${id}`, { session });
        expect(readable(page.text)).toContain('written off is proposed by ada');
        const form = { deed: 'approve', pick: picksIn(page.text), run: runIn(page.text) };
        const done = await app.post('/periods/2026-10/decide', form, { session });
        expect(done.status).toBe(303);
        const [item] = await asJson(`break show ${id}`);
        expect(item).toMatchObject({ status: 'written_off', proposed: null });
        const again = await type(`break approve ${id} --by bob`);
        expect(again.err).toContain('waits for approval');
    });

    test('a release: proposed, approved by another, and only then it writes files', async () => {
        await type(`break reopen ${id} --by bob --reason found`);
        const proposed = await type('release acme --by ada --reason agreed');
        expect(proposed).toMatchObject({ exit: 1, err: '' });
        expect(proposed.out).toMatch(/in 2026-10: held\n/);
        expect(proposed.out).toMatch(/^proposed +release by ada .* waits for a second person/m);
        expect(proposed.out).not.toContain('file ');
        expect((await type('break list')).out).toContain('release of acme is proposed by ada');
        expect((await type('release acme --approve --by ada')).exit).toBe(2);
        expect((await type('release acme --approve --by bob --seen 1')).exit).toBe(75);
        const approved = await type('release acme --approve --by bob --seen 0.0285');
        expect(approved).toMatchObject({ exit: 0, err: '' });
        expect(approved.out).toMatch(/^by +ada, approved by bob$/m);
        expect(approved.out).toMatch(/^file +.*netsuite-invoices-001\.csv$/m);
        expect((await type('run')).exit).toBe(0);
    });
});

const runIn = (text: string) => /name="run" value="([^"]*)"/.exec(text)?.[1] ?? '';
