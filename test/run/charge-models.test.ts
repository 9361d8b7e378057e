import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { Engine } from '../../src/duck/engine.ts';
import { priceLines, type QuoteResult } from '../../src/quote/price.ts';
import { readLine } from '../../src/quote/read.ts';
import { sum } from '../../src/report/figures.ts';
import type { RateDiff } from '../../src/report/rate-diff.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import { takesAll } from '../support/how-many.ts';
import { memoryStore } from '../support/memory-store.ts';
import { oneNight } from '../support/night.ts';
import { generatedWorld, type TestProject, testProject } from '../support/project.ts';
import { tieout } from '../support/terminal.ts';

/**
 * A night with every charge model beside the plain prices: what it bills is what `tieout quote`
 * gives for the same quantity, what all share adds up, and the tie-out closes.
 */
const world = generatedWorld();
const projects: TestProject[] = [];
const jan = '2026-01-01T00:00:00Z';

const meters = [
    { meter: 'requests', aggregation: 'count', unit: 'request', attributes: ['model'] },
    {
        meter: 'answers',
        aggregation: 'sum',
        unit: 'token',
        attributes: ['model'],
        value: 'output_tokens',
    },
    { meter: 'spend', aggregation: 'sum', unit: 'USD', value: 'output_tokens' },
    { meter: 'seats', aggregation: 'count', unit: 'seat' },
    { meter: 'calls', aggregation: 'count', unit: 'call', attributes: ['model', 'context_band'] },
    {
        meter: 'blocks',
        aggregation: 'sum',
        unit: 'token',
        attributes: ['model'],
        value: 'input_tokens',
    },
    { meter: 'fees', aggregation: 'count', unit: 'month', event_type: 'llm.completion' },
    { meter: 'shared', aggregation: 'count', unit: 'month', event_type: 'nothing.at.all' },
];

const tiers = [
    { up_to: '10', unit_price: '0.01', flat_fee: '1' },
    { up_to: '40', unit_price: '0.007' },
    { unit_price: '0.0033' },
];
const charges = [
    {
        ...{ meter: 'requests', model: 'graduated', unit: 'request', tier_scope: 'account', tiers },
        discounts: [{ percent: '12.5' }],
    },
    {
        ...{ meter: 'answers', model: 'volume', unit: 'token', tier_scope: 'pool' },
        tiers: [{ up_to: '50000', unit_price: '0.00009' }, { unit_price: '0.000037' }],
        rounding: { mode: 'half_even' },
    },
    {
        ...{ meter: 'spend', model: 'percentage', unit: 'USD', percent: '2.9' },
        ...{ fixed_fee_per_event: '0.3', free_events: '2', max_per_event: '9.5' },
    },
    {
        meter: 'seats',
        model: 'stairstep',
        unit: 'seat',
        steps: [{ up_to: '1', price: '5' }, { price: '8' }],
    },
    { meter: 'calls', model: 'per_unit', unit: 'call', minimum: '3.5', tier_scope: 'account' },
    {
        ...{ meter: 'blocks', model: 'package', unit: 'token', tier_scope: 'account' },
        ...{ package_size: '100', package_price: '0.25', included: '100' },
        unit_conversion: { divide_by: '1000', rounding: 'up' },
    },
    { meter: 'fees', model: 'flat', unit: 'month', fee: '20', proration: { unit: 'day' } },
    {
        ...{ meter: 'shared', model: 'flat', unit: 'month', fee: '99.99', bill: 'advance' },
        ...{ tier_scope: 'pool', charge_zero_usage: true },
    },
].map((charge) => ({
    product: charge.meter,
    ...charge,
    rates:
        charge.meter === 'calls'
            ? [
                  { when: {}, price: '0.02', from: jan, to: '2026-10-16T12:00:00Z' },
                  { when: {}, price: '0.03', from: '2026-10-16T12:00:00Z' },
              ]
            : charge.meter === 'fees'
              ? [{ when: {}, from: '2026-10-22T00:00:00Z' }]
              : [{ when: {}, from: jan }],
}));

function project(threads: number): TestProject {
    const config = parse(world.files['tieout.yaml'] ?? '');
    config.meters.push(...meters);
    config.engine.threads = threads;
    const card = parse(world.files['rates.yaml'] ?? '');
    card.charges.push(...charges);
    const made = testProject(
        { ...world.files, 'tieout.yaml': stringify(config), 'rates.yaml': stringify(card) },
        memoryStore(world.objects),
    );
    projects.push(made);
    return made;
}

const night = oneNight(() => project(1));
afterAll(() => {
    for (const one of projects) one.remove();
});

/** What `tieout quote` says to lines, in a database of its own. */
async function quoted(lines: readonly object[]): Promise<readonly QuoteResult[]> {
    const own = await Engine.open({ file: ':memory:', memory: '1GB', threads: 1, spill: '/tmp' });
    try {
        return await priceLines(
            own,
            lines.map((line) => readLine(JSON.stringify(line))),
        );
    } finally {
        own.close();
    }
}

describe('a night with every charge model', () => {
    test('invoices each of them', async () => {
        const lines = await night.engine.rows(
            'select product, count(*)::varchar as lines, sum(amount)::varchar as amount from invoice.line_items group by product order by product',
        );
        expect(lines.map(({ product }) => product)).toEqual(
            ['llm-tokens', ...charges.map(({ product }) => product)].sort(),
        );
    });

    test('bills what a quote says of the same usage', async () => {
        const lines = await night.engine.rows(`
            select lines.line_id, lines.quantity::varchar as quantity, lines.currency,
                lines.numerator::varchar as numerator, lines.denominator::varchar as denominator,
                rates.terms, amounts.amount::varchar as amount, rates.meter,
                (amounts.rounded_units)::varchar as rounded
            from pricing.lines as lines
            inner join rules.rates as rates on lines.rate_id = rates.rate_id
            inner join pricing.line_amounts as amounts on lines.line_id = amounts.line_id
            order by lines.line_id`);
        expect(lines.length).toBeGreaterThan(20);
        const events = Map.groupBy(
            await night.engine.rows(
                'select line_id, value::varchar as value from pricing.events order by line_id, event_no',
            ),
            ({ line_id }) => String(line_id),
        );
        const answers = await quoted(
            lines.map((line) => {
                const { bill: _, proration, ...charge } = JSON.parse(String(line.terms));
                const own = events.get(String(line.line_id));
                // A fee is for its share of the period; the share of this card is ten of 31 days.
                if (proration) {
                    expect(`${line.numerator} of ${line.denominator}`).toBe('10 of 31');
                    charge.proration = {
                        ...{ from: '2026-10-22', to: '2026-11-01', unit: 'day' },
                        ...{ period_start: '2026-10-01', period_end: '2026-11-01' },
                    };
                }
                const usage = own
                    ? {
                          meter: { aggregation: 'sum', field: 'v' },
                          events: own.map(({ value }, at) => ({
                              ...{ id: String(at).padStart(6, '0'), time: '2026-10-01T00:00:00Z' },
                              v: sum([String(value).replace(/(\d{12})$/, '.$1')]),
                          })),
                      }
                    : { quantity: sum([String(line.quantity)]) };
                return { id: String(line.line_id), charge, currency: line.currency, ...usage };
            }),
        );
        lines.forEach((line, at) => {
            const answer = answers[at];
            if (!answer || 'error' in answer) throw new Error(JSON.stringify(answer));
            expect(sum([answer.amount.replace('.', '')]), String(line.line_id)).toBe(line.rounded);
            // A share without a last decimal is rounded by a quote, and cut on a line.
            const digits = (text: string) => sum([text]).slice(0, 22);
            expect(digits(answer.amount_exact)).toBe(digits(String(line.amount)));
        });
    });

    test('and everything ties out, to the last digit', async () => {
        const open = await night.engine.rows(
            'select account_id, asset, unexplained from recon.tie_outs where unexplained <> 0',
        );
        expect(open).toEqual([]);
        const repriced = await night.engine.rows(
            'select asset, sum(repriced)::varchar as repriced from recon.tie_outs group by asset order by asset',
        );
        expect(repriced.find(({ asset }) => asset === 'USD')?.repriced).not.toBe('0');
    });

    test('is explained step by step, and the steps add up', async () => {
        const [own] = projects;
        if (!own) throw new Error('no project');
        const stepsOf = async (product: string) => {
            const { line_key } = await night.engine.one(
                `select line_key from invoice.line_items where product = $product
                 order by quantity, line_key limit 1`,
                { product },
            );
            const { out } = await tieout(`explain ${line_key} --json`, { cwd: own.folder });
            const priced: readonly {
                readonly amount: string;
                readonly steps: readonly { readonly step: string; readonly amount: string }[];
            }[] = JSON.parse(out).priced;
            for (const { amount, steps } of priced) {
                expect(sum(steps.map((of) => of.amount))).toBe(amount);
            }
            return priced[0]?.steps.map(({ step }) => step);
        };
        expect(await stepsOf('requests')).toEqual(['tiers and fees', 'discount of 12.5 percent']);
        expect(await stepsOf('calls')).toEqual(['tiers and fees', 'minimum of 3.5']);
        expect(await stepsOf('fees')).toEqual(['tiers and fees, for its part of the period']);
        expect(await stepsOf('spend')).toEqual(['tiers and fees']);
    });

    test('is explained from what was metered to what tiers see, and for which part of the period', async () => {
        const [own] = projects;
        const explained = async (product: string) => {
            const { line_key } = await night.engine.one(
                `select line_key from invoice.line_items where product = $product
                 order by quantity desc, line_key limit 1`,
                { product },
            );
            return (await tieout(`explain ${line_key} --events 1`, { cwd: own?.folder ?? '' })).out;
        };
        const blocks = await explained('blocks');
        const [, metered, thousands, charged] =
            / metered: ([\d,]+)\n *unit conversion: \/ 1000 rounded up: ([\d,]+)\n *less 100 included: ([\d,]+)\n *from 0 up: ([\d,]+)/.exec(
                blocks,
            ) ?? [];
        const whole = (text = '') => Number.parseInt(text.replaceAll(',', ''), 10);
        expect(whole(metered)).toBeGreaterThan(100_000);
        expect(whole(thousands)).toBe(Math.ceil(whole(metered) / 1000));
        expect(whole(charged)).toBe(whole(thousands) - 100);
        expect(await explained('fees')).toMatch(
            /\n {11}proration: 10\/31 of the period for fees, minimum and maximum, 2026-10-22T00:00:00Z to 2026-11-01T00:00:00Z\n/,
        );
        expect(await explained('requests')).not.toMatch(/metered: |proration: /);
    });

    test('is explained tier by tier', async () => {
        const [own] = projects;
        if (!own) throw new Error('no project');
        const explained = async (product: string) => {
            const { line_key } = await night.engine.one(
                `select line_items.line_key from invoice.line_items as line_items
                 where product = $product order by quantity desc, line_key limit 1`,
                { product },
            );
            const said = await tieout(`explain ${line_key} --events 1`, { cwd: own.folder });
            expect(said).toMatchObject({ exit: 0, err: '' });
            return said.out.replaceAll(/[0-9a-f]{12,}/g, 'KEY');
        };
        const pooled = await explained('answers');
        expect(pooled).toContain('priced     {"model":"volume"');
        expect(pooled).toMatch(/\n {11}from [\d,]+ up: [\d,]+ x 0.000037, fees 0: [\d.]+\n/);
        expect(pooled).toMatch(/its share of [\d,]+ token, [\d.]+, rounded once to [\d.]+ for/);
        expect(pooled).toContain(': the quantity of the line');
        expect(await explained('shared')).toContain('the line is a fee');
        expect(await explained('llm-tokens')).not.toContain('priced');
        const tiersCsv = readFileSync(join(night.result.run.output, 'charge_tiers.csv'), 'utf8');
        expect(tiersCsv.split(/\r?\n/)[0]).toBe(
            'payer_id,account_id,product,rate_id,line_id,tier_no,from_quantity,to_quantity,quantity,unit_price,flat_fee,amount',
        );
    });

    test('is what rules diff makes of the same card, and another card moves what it says', async () => {
        const [own] = projects;
        if (!own) throw new Error('no project');
        const card = parse(readFileSync(join(own.folder, 'rates.yaml'), 'utf8'));
        const of = (product: string) =>
            card.charges.find((charge: { product: string }) => charge.product === product);
        of('requests').tiers[0].flat_fee = '3';
        of('spend').fixed_fee_per_event = '0.5';
        of('shared').fee = '100.99';
        own.write('next.yaml', stringify(card));
        const said = await tieout('rules diff next.yaml --period 2026-10 --json', {
            cwd: own.folder,
        });
        expect(said).toMatchObject({ exit: 0, err: '' });
        const diff = JSON.parse(said.out) as RateDiff;
        const rows = await night.engine.rows(
            `select payer_id, product, sum(amount)::varchar as amount from rolled.charges
             group by payer_id, product order by payer_id, product`,
        );
        expect(diff.rows.map(({ payer_id, product, old }) => [payer_id, product, old])).toEqual(
            rows.map(({ payer_id, product, amount }) => [payer_id, product, sum([String(amount)])]),
        );
        const moved = diff.rows.filter(({ delta }) => delta !== '0');
        expect(new Set(moved.map(({ product }) => product))).toEqual(
            new Set(['requests', 'shared', 'spend']),
        );
        // Two more for the first tier of each account, less an eighth; one more for each payer.
        const deltas = (product: string) =>
            sum(moved.filter((row) => row.product === product).map(({ delta }) => delta));
        expect(deltas('requests')).toBe('17.5');
        expect(deltas('shared')).toBe('3');
    });

    test.runIf(takesAll)('gives the same bytes on eight threads', async () => {
        const other = await project(8).run();
        const text = ({ run }: RunResult) =>
            readFileSync(join(run.output, 'line_items.csv'), 'utf8');
        expect(text(other)).toBe(text(night.result));
    });
});
