import { describe, expect, test } from 'vitest';
import { itemsOf, requireProposed } from '../../src/run/decide.ts';
import type { OpenItem, Standing } from '../../src/schema/item.ts';
import { beforehand } from '../support/beforehand.ts';
import { type Failing, fails, raises, type TinyProject } from '../support/terminal.ts';

const run = (project: TinyProject) => beforehand(project, 'run --period 2026-10');
const typed = (line: string): Failing => ({
    before: run,
    hasRun: true,
    line: [...line.split(' '), '--period', '2026-10'],
});

/** What a person may say of breaks and held payers. */
describe('decisions', () => {
    test('BREAK_NOT_FOUND: another id, or too little of one', async () => {
        expect(await fails('BREAK_NOT_FOUND', 2, typed('break show abc'))).toMatchInlineSnapshot(`
          "BREAK_NOT_FOUND: 2026-10 has no break "abc"
            -> Look for it: \`tieout break list --period 2026-10\`. At least six characters of an id are needed.
          "
        `);
    });

    test('BREAK_AMBIGUOUS: two begin alike', async () => {
        const items = ['a', 'b'].map((of) => ({ break_id: `abcdef${of}` }) as OpenItem);
        const standing = { period: '2026-10', items } as unknown as Standing;
        const said = await raises('BREAK_AMBIGUOUS', async () => itemsOf(standing, ['abcdef']));
        expect(said).toMatchInlineSnapshot(`
          "BREAK_AMBIGUOUS: 2 breaks begin with abcdef: abcdefa, abcdefb
            -> Write more of the id.
          "
        `);
    });

    test('PAYER_NOT_FOUND: an account that does not pay', async () => {
        const line = 'release acme-dev --reason agreed';
        expect(await fails('PAYER_NOT_FOUND', 2, typed(line))).toMatchInlineSnapshot(`
          "PAYER_NOT_FOUND: 2026-10 has no payer "acme-dev"
            -> It has acme.
          "
        `);
    });

    test('RELEASE_REFUSED: nobody holds its lines', async () => {
        const line = 'release acme --reason agreed';
        expect(await fails('RELEASE_REFUSED', 2, typed(line))).toMatchInlineSnapshot(`
          "RELEASE_REFUSED: the lines of acme in 2026-10 are not held, they are clear
            -> Nothing is to be done.
          "
        `);
        const back = 'release acme --withdraw --reason agreed';
        expect(await fails('RELEASE_REFUSED', 2, typed(back))).toMatchInlineSnapshot(`
          "RELEASE_REFUSED: the lines of acme in 2026-10 were not released, they are clear
            -> Nothing is to be done.
          "
        `);
    });

    test.each([
        ['nothing waits', null, 'nothing of AMOUNT_PRICE aaaaaaaaaaaa waits for approval'],
        [
            'its amount changed',
            { by: 'bob', changed: 'it was proposed at -19 and is -20 now' },
            "AMOUNT_PRICE aaaaaaaaaaaa can't be approved: it was proposed at -19 and is -20 now",
        ],
        [
            'it is of the same person, however written',
            { by: ' Ada', changed: null },
            "AMOUNT_PRICE aaaaaaaaaaaa was proposed by  Ada, who can't approve it, too",
        ],
    ])('APPROVAL_REFUSED: %s', async (_what, proposed, message) => {
        const item = { break_id: 'a'.repeat(64), code: 'AMOUNT_PRICE', proposed } as OpenItem;
        const said = await raises('APPROVAL_REFUSED', async () => requireProposed([item], 'ada'));
        expect(said).toContain(message);
    });

    test.each([
        ['release acme', 'held lines are not released without --reason'],
        ['break comment abcdef', 'BREAK_NOT_FOUND'],
        ['break resolve abcdef --reason x', 'how the breaks are resolved is missing'],
        ['break resolve abcdef --as paid --reason x', '--as paid is no way'],
        ['break list --status opn', '--status opn is none of open'],
        ['break list --age 5', '--age 5 is none of 0-1'],
    ])('`%s` says what is wrong', async (line, detail) => {
        const code = detail === 'BREAK_NOT_FOUND' ? detail : 'USAGE';
        expect(await fails(code, 2, typed(line))).toContain(detail);
    });
});
