import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { Engine } from '../../src/duck/engine.ts';
import { silent } from '../../src/effects.ts';
import { runPipeline } from '../../src/run/pipeline.ts';
import { openProject } from '../../src/run/project.ts';
import { fewOf, takesAll } from '../support/how-many.ts';
import { oneNight, within } from '../support/night.ts';
import { defaults, testProject } from '../support/project.ts';
import { accounts, card, files, jan, store } from './channel.world.ts';

const night = oneNight(() => testProject(files, store));

describe('a distributor, three resellers and their customers', () => {
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

    test('two databases are open at once, and together have the memory of one', async () => {
        const opened = vi.spyOn(Engine, 'open');
        const said = vi.spyOn(Engine.prototype, 'run');
        await night.project.run({ as_of: '2026-11-06T00:00:00Z' });
        const limits = said.mock.calls.flatMap(([sql]) => /memory_limit.*/.exec(sql) ?? []);
        expect(opened.mock.calls.map(([of]) => of.memory)).toEqual(['512MB', '256MB']);
        expect(limits).toEqual(["memory_limit = '256MB'", "memory_limit = '512MB'"]);
    });

    test.runIf(takesAll)('the same bytes again, from nothing', async () => {
        const other = testProject(files, store);
        try {
            const again = await other.run();
            expect(again.certificate.run_digest).toBe(night.result.certificate.run_digest);
            expect(again.certificate.outputs).toEqual(night.result.certificate.outputs);
        } finally {
            other.remove();
        }
    });

    test.each(fewOf(['85-resell', '45-price', 'write'], 1))(
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
});
