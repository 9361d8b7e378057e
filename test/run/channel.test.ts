import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { csvOf, oneNight } from '../support/night.ts';
import { testProject } from '../support/project.ts';
import { tieout } from '../support/terminal.ts';
import { card, files, store } from './channel.world.ts';

const night = oneNight(() => testProject(files, store));

const csv = (name: string) => csvOf(night.result, name);

describe('a distributor, three resellers and their customers', () => {
    test('the operator bills the distributor alone, at its wholesale price', () => {
        const billed = csv('line_items.csv').filter((of) => of.line_type === 'usage');
        expect(new Set(billed.map((of) => `${of.payer_id} ${of.card}`))).toEqual(
            new Set(['dist wholesale']),
        );
        expect(billed.map((of) => `${of.account_id} ${of.amount}`)).toEqual(
            expect.arrayContaining([
                'a 1.00',
                'b 2.00',
                'c 3.00',
                'd 2.00',
                'dist 1.00',
                'r1 1.00',
            ]),
        );
        expect(
            readFileSync(join(night.result.run.output, 'stripe-requests.json'), 'utf8'),
        ).not.toContain('retail');
    });

    test('each buyer is billed by its seller, at that price', () => {
        const sold = Map.groupBy(csv('sale_lines.csv'), (of) => `${of.seller_id} > ${of.payer_id}`);
        expect(
            [...sold].map(([sale, of]) => [
                sale,
                of.map(({ account_id, amount, card }) => `${account_id} ${amount} ${card}`).join(),
            ]),
        ).toEqual([
            ['dist > r1', 'a 2.00 dealer,b 4.00 dealer,r1 2.00 dealer'],
            ['dist > r2', 'c 6.00 dealer'],
            ['dist > r3', 'd 4.00 dealer'],
            ['r1 > a', 'a 4.00 retail'],
            ['r1 > b', 'b 8.00 retail'],
            ['r2 > c', 'c 12.00 retail'],
            ['r3 > d', 'd 5.00 retail-r3'],
        ]);
        expect(
            csv('sale_lines.csv').every((of) => of.amount_minor === of.amount?.replace('.', '')),
        ).toBe(true);
        expect(csv('sale_lines.csv').find((of) => of.seller_id === 'r3')).toMatchObject({
            service_start: '2026-10-15T00:00:00Z',
            service_end: '2026-11-01T00:00:00Z',
        });
        expect(new Set(csv('sale_lines.csv').map((of) => of.recon_status))).toEqual(
            new Set(['clear']),
        );
    });

    test('margins, by hand', () => {
        expect(csv('margins.csv').map((of) => Object.values(of).join(' '))).toEqual([
            'dist tokens USD 10 1 18 9',
            'r1 tokens USD 8 2 12 6',
            'r2 tokens USD 6 0 12 6',
            'r3 tokens USD 4 0 5 1',
        ]);
        expect(night.result.certificate.margins?.map(({ margin }) => margin)).toEqual([
            ...['9', '6', '6', '1'],
        ]);
    });

    test('only what the operator bills is reconciled with the wallets', async () => {
        const open = await night.engine.rows(
            "select account_id from recon.tie_outs where unexplained <> 0 or status <> 'tied'",
        );
        expect(open).toEqual([]);
        expect(await night.engine.rows('select break_id from recon.breaks')).toEqual([]);
        expect(night.result.certificate.payers.map(({ payer_id }) => payer_id)).toEqual(['dist']);
    });

    test('a diff of a card does not pass over what sellers sell by it', async () => {
        const cwd = { cwd: night.project.folder, store };
        night.project.write('cards/dearer.yaml', card('retail', '9'));
        const sold = await tieout(
            'rules diff cards/retail.yaml cards/dearer.yaml --period 2026-10',
            cwd,
        );
        expect(sold).toMatchObject({
            ...{ exit: 2, out: '' },
            err: 'USAGE: retail is only in contracts of sellers (retail-a: r1 to a), and a diff does not compare sales\n  -> Compare sale_lines.csv of two runs instead.\n',
        });
        const billed = await tieout(
            'rules diff cards/wholesale.yaml cards/wholesale.yaml --period 2026-10',
            cwd,
        );
        expect(billed).toMatchObject({ exit: 0, err: '' });
    });

    /** What explain says of the line of a seller to a buyer; of the operator without one. */
    const explained = async (seller: string, account: string) => {
        const lines = seller
            ? csv('sale_lines.csv').filter((of) => of.seller_id === seller)
            : csv('line_items.csv');
        const line = lines.find((of) => of.account_id === account);
        const key = line?.line_key?.slice(0, 16);
        const said = await tieout(`explain ${key} --events 1`, {
            cwd: night.project.folder,
            store,
        });
        expect(said).toMatchObject({ exit: 0, err: '' });
        return said.out.split('\n');
    };
    const part = (text: readonly string[], ...names: readonly string[]) => {
        const heads = text.map((line, at) => ({ line, at })).filter(({ line }) => /^\S/.test(line));
        return heads.flatMap(({ line, at }, index) =>
            names.includes(line.split(' ')[0] ?? '')
                ? text
                      .slice(at, heads[index + 1]?.at)
                      .map((of) => of.replaceAll(/line [0-9a-f]{12}/g, 'line KEY'))
                : [],
        );
    };
    const input = 'tokens/token_class=input@2026-01-01T00:00:00Z';

    test('explain goes from a sale to its rate, its events, and the same usage at each level', async () => {
        const text = await explained('r1', 'b');
        expect(part(text, 'payer', 'rate', 'metered', 'events').slice(0, 7)).toEqual([
            'payer      b, for account b, billed by r1',
            `rate       retail/${input} in cards/retail.yaml:11, 2026-01-01T00:00:00Z to now`,
            '           matches {"token_class":"input"}, priority 0, card retail 1',
            'metered    2 day(s)',
            '           2026-10-01           1,000,000        10 events  4',
            '           2026-10-02           1,000,000        10 events  4',
            'events     20, together 2,000,000 token: the quantity of the line',
        ]);
        expect(part(text, 'channel', 'margin')).toEqual([
            'channel    this usage, level by level',
            `           the operator to dist: 2,000,000 token for 2 USD by wholesale/${input}, line KEY`,
            `           dist to r1: 2,000,000 token for 4 USD by dealer/${input}, line KEY`,
            `           r1 to b: 2,000,000 token for 8 USD by retail/${input}, line KEY: this line`,
            'margin     of dist: sold for 4, bought for 2: 2 USD, before lines are rounded',
            'margin     of r1: sold for 8, bought for 4: 4 USD, before lines are rounded',
        ]);
        expect(part(await explained('', 'b'), 'channel')[1]).toMatch(/to dist: .*: this line$/);
    });

    test('a seller that sold a part of what it bought of a usage has no margin of it alone', async () => {
        expect(part(await explained('r3', 'd'), 'channel', 'margin').slice(2)).toEqual([
            `           dist to r3: 2,000,000 token for 4 USD by dealer/${input}, line KEY`,
            `           r3 to d: 1,000,000 token for 5 USD by retail-r3/${input}, line KEY: this line`,
            'margin     of dist: sold for 4, bought for 2: 2 USD, before lines are rounded',
            'margin     of r3: not of this usage alone, which it does not sell as it buys it; see margins.csv',
        ]);
    });

    test('the report has a table of margins', async () => {
        const said = await tieout('report --period 2026-10', { cwd: night.project.folder, store });
        expect(said.out).toMatch(
            /Margins, rounded .*\n.*seller.*product.*bought.*\n.*dist .*tokens .*10.00.* 9.00/,
        );
        const page = readFileSync(join(night.result.run.output, 'report.html'), 'utf8');
        const cells = page.slice(page.indexOf('id="margins"')).replaceAll(/<[^>]*>\s*/g, ' ');
        expect(cells).toMatch(/dist +tokens +10 +1 +18 +9 +USD/);
    });
});
