import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { quote } from '../../src/commands/quote.ts';
import { silent } from '../../src/effects.ts';
import { tieout } from '../support/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'tieout-quote-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Answer = Readonly<Record<string, unknown>>;

async function answersTo(text: string): Promise<readonly Answer[]> {
    writeFileSync(join(folder, 'q.jsonl'), text);
    const effects = { openStore: async () => Promise.reject(), now: () => '', progress: silent };
    const { text: out } = await quote(
        { file: 'q.jsonl' },
        { effects, environment: {}, configFile: null, cwd: folder },
    );
    return out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

const line = (charge: object, rest: object = {}) =>
    JSON.stringify({ id: 'q', charge, currency: 'USD', ...rest });

const ladder = [
    { up_to: '99', unit_price: '1', flat_fee: '10' },
    { up_to: null, unit_price: '0.5', flat_fee: '20' },
];
const bulk = [
    { up_to: '100', unit_price: '1' },
    { up_to: null, unit_price: '0.5' },
];

describe('the traps of charge models', () => {
    test.each([
        // what, charge, usage, amount_exact, amount
        [
            'a bound is the end of its tier',
            { model: 'graduated', tiers: ladder },
            '99',
            '109',
            '109.00',
        ],
        [
            'just over it the next is entered',
            { model: 'graduated', tiers: ladder },
            '99.5',
            '129.25',
            '129.25',
        ],
        [
            'the first tier just under',
            { model: 'graduated', tiers: ladder },
            '98.5',
            '108.5',
            '108.50',
        ],
        ['zero usage enters nothing', { model: 'graduated', tiers: ladder }, '0', '0', '0.00'],
        [
            'unless it is charged',
            { model: 'graduated', tiers: ladder, charge_zero_usage: true },
            '0',
            '10',
            '10.00',
        ],
        ['a volume price falls for all', { model: 'volume', tiers: bulk }, '101', '50.5', '50.50'],
        [
            'packages begun',
            { model: 'package', package_size: '1000', package_price: '3' },
            '2001',
            '9',
            '9.00',
        ],
        [
            'sub-cent prices over billions',
            { model: 'per_unit', unit_price: '0.0000000375' },
            '3000000001',
            '112.5000000375',
            '112.50',
        ],
        ['half a cent goes up', { model: 'per_unit', unit_price: '0.005' }, '1', '0.005', '0.01'],
        [
            'or to even',
            { model: 'per_unit', unit_price: '0.005', rounding: { mode: 'half_even' } },
            '1',
            '0.005',
            '0.00',
        ],
        [
            'a mirror of a negative quantity',
            { model: 'graduated', tiers: ladder },
            '-99',
            '-109',
            '-109.00',
        ],
        [
            'the minimum comes after the maximum',
            { model: 'per_unit', unit_price: '1', maximum: '5', minimum: '7' },
            '10',
            '7',
            '7.00',
        ],
        [
            'discounts work on what is left',
            {
                model: 'per_unit',
                unit_price: '1',
                discounts: [{ percent: '10' }, { amount: '5' }, { percent: '50' }],
            },
            '100',
            '42.5',
            '42.50',
        ],
        [
            'units are begun before tiers',
            {
                model: 'per_unit',
                unit_price: '2',
                unit_conversion: { divide_by: '1000', rounding: 'up' },
            },
            '1001',
            '4',
            '4.00',
        ],
        [
            'included once exceeded is not',
            {
                model: 'per_unit',
                unit_price: '1',
                included: '10',
                included_mode: 'whole_once_exceeded',
            },
            '11',
            '11',
            '11.00',
        ],
    ])('%s', async (_what, charge, quantity, amount_exact, amount) => {
        expect(await answersTo(line(charge, { quantity }))).toMatchObject([
            { amount_exact, amount },
        ]);
    });

    test.each([
        ['JPY', '0.5', '1'],
        ['KWD', '0.0005', '0.001'],
        ['CLF', '0.00005', '0.0001'],
    ])('%s rounds to its own minor unit', async (currency, unit_price, amount) => {
        const charge = { model: 'per_unit', unit_price };
        expect(await answersTo(line(charge, { quantity: '1', currency }))).toMatchObject([
            { amount },
        ]);
    });

    test('packages of a period are counted on the cumulative quantity: three, not four', async () => {
        const charge = { model: 'package', package_size: '1000', package_price: '1' };
        const [first, second] = await answersTo(
            [
                line(charge, { quantity: '1400' }),
                line(charge, {
                    quantity: '1300',
                    previously_billed: { quantity: '1400', amount: '2' },
                }),
            ].join('\n'),
        );
        expect([first?.amount, second?.amount]).toEqual(['2.00', '1.00']);
    });

    test('a volume tier entered later gives money back', async () => {
        const answers = await answersTo(
            line(
                { model: 'volume', tiers: bulk },
                { quantity: '1', previously_billed: { quantity: '100', amount: '100' } },
            ),
        );
        expect(answers).toMatchObject([{ amount: '-49.50' }]);
    });

    test('groups are rounded on their own: 20.66 by lines, not 20.67 by total', async () => {
        const charge = { model: 'per_unit', unit_price: '1' };
        const groups = { a: '10.333', b: '10.333' };
        expect(await answersTo(line(charge, { groups }))).toMatchObject([{ amount: '20.66' }]);
        const pool = { ...charge, tier_scope: 'pool' };
        expect(await answersTo(line(pool, { groups }))).toMatchObject([
            { amount: '20.67', groups: { a: { amount: '10.34' }, b: { amount: '10.33' } } },
        ]);
    });

    test('days are civil dates, whatever the clock does', async () => {
        const span = {
            period_start: '2026-03-01',
            period_end: '2026-04-01',
            unit: 'day',
            zone: 'America/New_York',
        };
        const part = (from: string, to: string) =>
            line({ model: 'flat', fee: '31', proration: { ...span, from, to } });
        const answers = await answersTo(
            [
                part('2026-03-01', '2026-03-08'),
                part('2026-03-08', '2026-03-09'),
                part('2026-03-09', '2026-04-01'),
            ].join('\n'),
        );
        expect(answers.map(({ amount }) => amount)).toEqual(['7.00', '1.00', '23.00']);
    });

    test('a percentage by event: free events, fixed fee, minimum and maximum', async () => {
        const charge = {
            model: 'percentage',
            percent: '1',
            fixed_fee_per_event: '0.10',
            free_events: '1',
            min_per_event: '0.50',
            max_per_event: '2',
        };
        const events = ['1000', '10', '100', '5000'].map((value, index) => ({
            id: `e${index}`,
            value,
        }));
        // free; 0.20 raised to 0.50; 1.10; 50.10 capped at 2
        expect(await answersTo(line(charge, { events }))).toMatchObject([{ amount: '3.60' }]);
    });

    test('several dimensions: the smallest step that holds all', async () => {
        const steps = [
            { up_to: { cpu: '4', memory: '16' }, price: '50' },
            { up_to: { cpu: '8', memory: '32' }, price: '80' },
            { up_to: null, price: '90' },
        ];
        const at = (cpu: string, memory: string) =>
            line({ model: 'stairstep', steps }, { quantity: { cpu, memory } });
        const answers = await answersTo([at('4', '16'), at('4', '17'), at('9', '1')].join('\n'));
        expect(answers.map(({ amount }) => amount)).toEqual(['50.00', '80.00', '90.00']);
    });
});

describe('bad input is answered, line by line', () => {
    test.each([
        ['not JSON', 'nonsense', 'QUOTE_JSON'],
        [
            'a number',
            line({ model: 'per_unit', unit_price: 0.5 }, { quantity: '1' }),
            'QUOTE_NUMBER',
        ],
        [
            'an exponent',
            line({ model: 'per_unit', unit_price: '1e3' }, { quantity: '1' }),
            'QUOTE_DECIMAL',
        ],
        [
            'a misspelt key',
            line({ model: 'per_unit', unit_prize: '1' }, { quantity: '1' }),
            'QUOTE_KEY',
        ],
        [
            'an unknown model',
            line({ model: 'tiered', tiers: [] }, { quantity: '1' }),
            'QUOTE_CHOICE',
        ],
        [
            'a bounded last tier',
            line({ model: 'volume', tiers: [{ up_to: '5', unit_price: '1' }] }, { quantity: '1' }),
            'QUOTE_TIERS',
        ],
        [
            'tiers that fall',
            line(
                {
                    model: 'volume',
                    tiers: [
                        { up_to: '5', unit_price: '1' },
                        { up_to: '5', unit_price: '1' },
                        { up_to: null, unit_price: '1' },
                    ],
                },
                { quantity: '1' },
            ),
            'QUOTE_TIERS',
        ],
        [
            'an unknown currency',
            line({ model: 'flat', fee: '1' }, { currency: 'XXQ' }),
            'QUOTE_CURRENCY',
        ],
        ['no usage', line({ model: 'per_unit', unit_price: '1' }), 'QUOTE_USAGE'],
        [
            'too many digits',
            line(
                { model: 'per_unit', unit_price: '99999999999999.999999999999' },
                { quantity: '99999999999999.999999999999' },
            ),
            'QUOTE_RANGE',
        ],
        [
            'a period that ends before it begins',
            line({
                model: 'flat',
                fee: '1',
                proration: {
                    from: '2026-01-01',
                    to: '2026-01-02',
                    period_start: '2026-02-01',
                    period_end: '2026-01-01',
                    unit: 'day',
                },
            }),
            'QUOTE_SPAN',
        ],
    ])('%s', async (_what, text, code) => {
        const good = line({ model: 'flat', fee: '1' });
        const [before, bad, after] = await answersTo([good, text, good].join('\n'));
        expect(bad).toMatchObject({ error: { code } });
        expect([before?.amount, after?.amount]).toEqual(['1.00', '1.00']);
    });

    const linear = { model: 'per_unit', unit_price: '1' };
    const bounded = [{ up_to: '5', unit_price: '1' }];
    test.each([
        // charge, the rest of the line, code, message
        [
            { ...linear, unit_price: { a: '1' } },
            { quantity: '1' },
            'QUOTE_SHAPE charge.unit_price is an object. Write text in quotes there.',
        ],
        [
            { model: 'graduated', tiers: 5 },
            { quantity: '1' },
            'QUOTE_SHAPE charge.tiers is 5. Write a list there.',
        ],
        [
            { model: 'graduated', tiers: [] },
            { quantity: '1' },
            'QUOTE_SHAPE charge.tiers is an empty list. Write at least one there.',
        ],
        [
            { ...linear, charge_zero_usage: 'yes' },
            { quantity: '1' },
            'QUOTE_SHAPE charge.charge_zero_usage is the text "yes". Write true or false, without quotes there.',
        ],
        [
            { ...linear, unit_price: 0.5 },
            { quantity: '1' },
            'QUOTE_NUMBER charge.unit_price is a JSON number. Write it in quotes, "0.5": a JSON number may lose digits.',
        ],
        [
            { model: 'per_unit', unit_prize: '1' },
            { quantity: '1' },
            'QUOTE_KEY charge: unknown key "unit_prize". Did you mean "unit_price"?',
        ],
        [
            linear,
            { quantity: '1', rebate: '1' },
            'QUOTE_KEY the line: unknown key "rebate". Known here, among others: meter, at, previously_billed, commitment, charge.',
        ],
        [
            // In the words of a rate card; see test/unit/rules/terms.test.ts.
            { model: 'graduated', tiers: bounded },
            { quantity: '1' },
            'QUOTE_TIERS the last tier ends at 5, and nothing prices what is above it. Leave up_to out of the last tier, or add one without it.',
        ],
        [
            linear,
            { events: [{ value: '1' }, { id: 'e2', valeu: '5' }] },
            'QUOTE_EVENT event e2 has no value, which the meter counts. Add it, correct meter.field, or write "optional": true in the meter to count it as nothing.',
        ],
    ])('%j %j: %s', async (charge, rest, expected) => {
        const [, answer] = await answersTo(
            `${line({ model: 'flat', fee: '1' })}\n${line(charge, rest)}`,
        );
        const [code, ...message] = expected.split(' ');
        expect(answer?.error).toEqual({ code, message: `line 2: ${message.join(' ')}` });
    });

    test('up_to may be left out of the last tier, as on a card', async () => {
        const tiers = [{ up_to: '5', unit_price: '1' }, { unit_price: '2' }];
        const [answer] = await answersTo(line({ model: 'graduated', tiers }, { quantity: '6' }));
        expect(answer).toMatchObject({ amount: '7.00' });
    });

    test('any line without a price makes the exit code 1, and one sentence says so', async () => {
        const good = line({ model: 'flat', fee: '1' });
        const said = (text: string) => {
            writeFileSync(join(folder, 'q.jsonl'), text);
            return tieout('quote --file q.jsonl', { cwd: folder });
        };
        expect(await said(`${good}\n${good}\n`)).toMatchObject({ exit: 0, err: '' });
        const { exit, out, err } = await said(`${good}\n[]\n${good}\n`);
        expect([exit, out.split('\n').length]).toEqual([1, 4]);
        expect(err).toBe(
            '1 of 3 lines has no price: QUOTE_SHAPE line 2: the line is a list. Write an object there.\n',
        );
    });
});
