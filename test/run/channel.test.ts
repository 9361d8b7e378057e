import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { Engine } from '../../src/duck/engine.ts';
import { silent } from '../../src/effects.ts';
import { runPipeline } from '../../src/run/pipeline.ts';
import { openProject } from '../../src/run/project.ts';
import { besideTiny, csvOf, oneNight, storeOfDay, within } from '../support/night.ts';
import { defaults, testProject } from '../support/project.ts';
import { tieout, usageLine } from '../support/terminal.ts';

/*
 * The operator sells to dist, dist to three resellers, and they to their customers. Input tokens only:
 * a million cost
 *
 *     the operator's rate_card   3     nobody here
 *     wholesale                  1     the operator to dist, who pays for all of them
 *     dealer                     2     dist to r1, r2 and r3
 *     retail                     4     r1 to a and b, r2 to c
 *     retail-r3                  5     r3 to d, from the 15th; before that r3 uses d's tokens itself
 *
 * Millions used: a 1, b 2, c 3, d 1 before and 1 after the 15th, r1 itself 1, dist itself 1: 10.
 *
 *     dist  buys 10 x 1 = 10, of it 1 for itself; sells 9 x 2 = 18; keeps 18 - 9 = 9
 *     r1    buys 4 x 2 = 8, of it 2 for itself; sells 3 x 4 = 12; keeps 12 - 6 = 6
 *     r2    buys 3 x 2 = 6; sells 3 x 4 = 12; keeps 6
 *     r3    buys 2 x 2 = 4; sells 1 x 5 = 5; d's million before the 15th is a cost of d: keeps 1
 */
const jan = '2026-01-01T00:00:00Z';
const account = { currency: 'USD', valid_from: jan };
const below = (parent: string, ...ids: readonly string[]) =>
    ids.map((account_id) => ({ ...account, account_id, parent }));
const accounts = [
    { ...account, account_id: 'dist' },
    ...below('dist', 'r1', 'r2', 'r3'),
    ...below('r1', 'a', 'b'),
    ...below('r2', 'c'),
    ...below('r3', 'd'),
];
const used: readonly (readonly [string, number])[] = [
    ...(['a:1', 'b:1', 'b:2', 'c:1', 'c:2', 'c:3', 'd:1', 'd:20', 'r1:1', 'dist:1'] as const).map(
        (of) => [of.split(':')[0] ?? '', Number.parseInt(of.split(':')[1] ?? '', 10)] as const,
    ),
];
// Ten events of 100,000 tokens are a million, in the band of standard prices.
const events = used.flatMap(([subject, day], at) =>
    Array.from({ length: 10 }, (_, part) => ({
        ...usageLine(1, { input_tokens: 100_000, output_tokens: 0 }),
        ...{ id: `evt-${at}-${part}`, subject },
        time: `2026-10-${String(day).padStart(2, '0')}T0${part}:00:00Z`,
    })),
);

const card = (name: string, price: string) =>
    stringify({
        ...{ card: name, version: '1', currency: 'USD' },
        charges: [
            {
                ...{ product: 'tokens', meter: 'tokens', model: 'per_unit', unit: 'token' },
                price_per: '1000000',
                rates: [{ when: { token_class: 'input' }, price, from: jan }],
            },
        ],
    });
const contract = (id: string, of: string, seller: string | null, name: string, from = jan) => ({
    ...{ contract: id, account: of, from, cards: [{ card: `cards/${name}.yaml` }] },
    ...(seller ? { seller } : {}),
});
const contracts = [
    contract('supply', 'dist', null, 'wholesale'),
    ...['r1', 'r2', 'r3'].map((of) => contract(`dealer-${of}`, of, 'dist', 'dealer')),
    ...['a', 'b'].map((of) => contract(`retail-${of}`, of, 'r1', 'retail')),
    contract('retail-c', 'c', 'r2', 'retail'),
    contract('retail-d', 'd', 'r3', 'retail-r3', '2026-10-15T00:00:00Z'),
];

const beside = besideTiny();
const files = {
    ...beside,
    'tieout.yaml': `${(beside['tieout.yaml'] ?? '').replace('accounts: acme', 'accounts: dist')}contracts: contracts.yaml\n`,
    'accounts.json': JSON.stringify(accounts),
    'contracts.yaml': stringify({ contracts }),
    'cards/wholesale.yaml': card('wholesale', '1'),
    'cards/dealer.yaml': card('dealer', '2'),
    'cards/retail.yaml': card('retail', '4'),
    'cards/retail-r3.yaml': card('retail-r3', '5'),
};
const debits = events.map(({ id, subject, time }) => ({
    ...{ entry_id: `ent-${id}`, entry_type: 'capture', asset: 'USD', amount: '0.1' },
    ...{ account_id: subject, booked_at: time, event_id: id },
}));
const store = storeOfDay('2026-10-01', events, debits);

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

    test('charge models by pool and by event come to the same, level by level', async () => {
        const model = (name: string, terms: object) =>
            card(name, '0').replace(
                /model: per_unit[\s\S]*/,
                `${stringify(terms)
                    .split('\n')
                    .map((line, at) => (at ? `    ${line}` : line))
                    .join('\n')}`,
            );
        const rates = [{ when: { token_class: 'input' }, from: jan }];
        const pool = (unit_price: string) => ({
            ...{ model: 'graduated', unit: 'token', tier_scope: 'pool' },
            ...{ tiers: [{ unit_price }], rates },
        });
        const other = testProject(
            {
                ...files,
                'cards/wholesale.yaml': model('wholesale', pool('0.000001')),
                'cards/dealer.yaml': model('dealer', {
                    ...{ model: 'percentage', unit: 'token', percent: '0' },
                    ...{ fixed_fee_per_event: '0.2', rates },
                }),
                'cards/retail.yaml': model('retail', pool('0.000004')),
            },
            store,
        );
        const { certificate } = await within(other, ({ run }) => run());
        expect(certificate.margins).toEqual(night.result.certificate.margins);
    });

    test('what the card of a seller lacks is listed, and sold at no price', async () => {
        const output = card('retail-r3', '5').replace('token_class: input', 'token_class: output');
        const other = testProject({ ...files, 'cards/retail-r3.yaml': output }, store);
        try {
            const { run, certificate } = await other.run();
            expect(readFileSync(join(run.output, 'sales_unrated.csv'), 'utf8')).toMatch(
                /\nUNRATED,r3,d,d,tokens,.*,token,1000000\r?\n$/,
            );
            expect(certificate.margins?.find(({ seller_id }) => seller_id === 'r3')).toMatchObject({
                ...{ bought: '4', own_use: '4', sold: '0', margin: '0' },
            });
        } finally {
            other.remove();
        }
    });

    test('a buyer in another currency is billed in it, where there is a rate', async () => {
        const inYen = (id: string) =>
            JSON.stringify(
                accounts.map((of) => (of.account_id === id ? { ...of, currency: 'JPY' } : of)),
            );
        const fee = { product: 'seat', meter: 'tokens', model: 'flat', unit: 'month', fee: '9' };
        const rates = [{ when: {}, from: jan, priority: -1 }];
        const seat = parse(card('retail-r3', '5'));
        seat.charges.push({ ...fee, meter: 'seats', charge_zero_usage: true, rates });
        const config = parse(files['tieout.yaml']);
        const seats = { meter: 'seats', aggregation: 'count', unit: 'seat' };
        const changed = (from: string) => ({
            ...files,
            'tieout.yaml': stringify({
                ...config,
                meters: [...config.meters, { ...seats, event_type: 'seat' }],
                currency_rates: 'fx.csv',
            }),
            'fx.csv': `from,to,on,rate,source\nUSD,JPY,${from},150,BOJ\n`,
            'accounts.json': inYen('d'),
            'cards/retail-r3.yaml': stringify(seat),
        });
        const [known, late] = ['2026-09-30', '2026-10-02'].map((from) =>
            testProject(changed(from), store),
        );
        try {
            const made = await known?.run();
            const lines = readFileSync(join(made?.run.output ?? '', 'sale_lines.csv'), 'utf8');
            expect(lines).toMatch(/\nr3,.*,d,.*,tokens,.*,750,750,JPY,/);
            expect(lines).toMatch(/\nr3,.*,d,.*,seat,.*,1350,1350,JPY,/);
            const without = await late?.run();
            const lost = readFileSync(join(without?.run.output ?? '', 'sales_unrated.csv'), 'utf8');
            expect(lost.split(/\r?\n/).slice(1, -1)).toEqual([
                'CONVERSION_MISSING,r3,d,d,seats,{},month,1',
                expect.stringMatching(/^CONVERSION_MISSING,r3,d,d,tokens,.*,token,1000000$/),
            ]);
            expect(without?.certificate.payers).toEqual(night.result.certificate.payers);
        } finally {
            known?.remove();
            late?.remove();
        }
    });

    test('the same bytes again, from nothing', async () => {
        const other = testProject(files, store);
        try {
            const again = await other.run();
            expect(again.certificate.run_digest).toBe(night.result.certificate.run_digest);
            expect(again.certificate.outputs).toEqual(night.result.certificate.outputs);
        } finally {
            other.remove();
        }
    });

    test.each(['45-price', '85-resell', 'write'])(
        'cut off at %s, it goes on to the same',
        async (at) => {
            const other = testProject(files, store);
            const begin = (name: string) => {
                if (name === at) throw new Error('cut off');
            };
            try {
                const opened = openProject(join(other.folder, 'tieout.yaml'));
                const cut = { ...other.effects, progress: { ...silent, begin } };
                await expect(runPipeline(opened, cut, defaults)).rejects.toThrow('cut off');
                const { certificate } = await other.run();
                expect(certificate.outputs).toEqual(night.result.certificate.outputs);
            } finally {
                other.remove();
            }
        },
    );

    test('two databases are open at once, and together have the memory of one', async () => {
        const opened = vi.spyOn(Engine, 'open');
        const said = vi.spyOn(Engine.prototype, 'run');
        await night.project.run({ as_of: '2026-11-06T00:00:00Z' });
        const limits = said.mock.calls.flatMap(([sql]) => /memory_limit.*/.exec(sql) ?? []);
        expect(opened.mock.calls.map(([of]) => of.memory)).toEqual(['512MB', '256MB']);
        expect(limits).toEqual(["memory_limit = '256MB'", "memory_limit = '512MB'"]);
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
