import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { generatedWallets, projectFiles } from '../../../fixtures/project.ts';
import { knownMeters, loadConfig } from '../../../src/compile/config.ts';
import { compileFormula } from '../../../src/compile/formula.ts';
import { Engine } from '../../../src/duck/engine.ts';

const text =
    projectFiles({ name: 'tiny', store: { folder: 'bucket' }, wallets: generatedWallets })[
        'tieout.yaml'
    ] ?? '';
const assets = [
    { asset: 'USD', kind: 'currency', precision: 6 },
    { asset: 'TOK', kind: 'unit', precision: 0 },
    { asset: 'REQ', kind: 'unit', precision: 0 },
];

type Meter = Readonly<Record<string, unknown>>;
const base = { meter: 'm', unit: 'x', value: 'output_tokens' };

/** The fixture's config with more meters, and without its wallet in money unless it is wanted. */
function load(meters: readonly Meter[], wallets: readonly unknown[] = generatedWallets.slice(1)) {
    const document = parse(text);
    document.meters.push(...meters);
    document.wallets = wallets;
    const files: Readonly<Record<string, string>> = {
        'tieout.yaml': stringify(document),
        'assets.json': JSON.stringify(assets),
    };
    return loadConfig('tieout.yaml', (path) => files[path] ?? '');
}

function problemsOf(meters: readonly Meter[], wallets?: readonly unknown[]): readonly string[] {
    const loaded = load(meters, wallets);
    return 'problems' in loaded
        ? loaded.problems.map(({ path, code, message }) => `${path} ${code}: ${message}`)
        : [];
}

describe('meters of the config', () => {
    test('of every aggregation', () => {
        const kinds = ['min', 'max', 'latest', 'average', 'unique_count', 'sum'].map(
            (aggregation) => ({ ...base, meter: aggregation, aggregation }),
        );
        const meters = [
            ...kinds,
            { ...base, meter: 'p95', aggregation: 'percentile', percentile: '95' },
            { ...base, meter: 'held', aggregation: 'weighted_sum', opening: 'zero' },
            {
                ...{ ...base, meter: 'busy', aggregation: 'sum' },
                window: { unit: 'hour', of: 'max', zone: 'Europe/Berlin' },
            },
            { ...base, meter: 'part', aggregation: 'max', rated: false },
            { meter: 'made', unit: 'x', aggregation: 'formula', formula: 'part * 2 + busy' },
        ];
        expect(problemsOf(meters)).toEqual([]);
        const loaded = load(meters);
        if ('problems' in loaded) throw new Error('problems');
        // What is only a part of a formula has no rates.
        expect(Object.keys(knownMeters(loaded.config))).toEqual([
            ...['tokens', 'min', 'max', 'latest', 'average', 'unique_count', 'sum'],
            ...['p95', 'held', 'busy', 'made'],
        ]);
    });

    test.each<readonly [string, Meter, readonly string[]]>([
        [
            'a maximum of nothing',
            { aggregation: 'max', value: undefined },
            ['meters.1 METER_AGGREGATION: max needs a value'],
        ],
        [
            'a value twice',
            { aggregation: 'max', quantity: 'input_tokens' },
            ['meters.1 METER_QUANTITY: quantity and value say the same: leave one out'],
        ],
        [
            'a percentile without its percent',
            { aggregation: 'percentile' },
            ['meters.1 METER_AGGREGATION: percentile needs `percentile`, "0" to "100"'],
        ],
        [
            'a percent of 101, and an operation of a percentile',
            { aggregation: 'percentile', percentile: '101', operation: 'event_type' },
            [
                'meters.1 METER_AGGREGATION: `percentile` is 101, not a decimal from 0 to 100',
                'meters.1 METER_AGGREGATION: `operation` is of unique_count',
            ],
        ],
        [
            'a window in no zone, put together by counting',
            { aggregation: 'count', window: { unit: 'day', of: 'max', zone: 'Berlin' } },
            [
                'meters.1.window.zone UNKNOWN_ZONE: Berlin is not an IANA time zone',
                'meters.1 METER_AGGREGATION: windows are put together by sum, min, max, latest, average, percentile, not by count',
            ],
        ],
        [
            'token classes of a maximum',
            { aggregation: 'max', value: undefined, token_classes: { output: 'output_tokens' } },
            [
                'meters.1.token_classes METER_QUANTITY: token_classes are of a sum without window or unit_conversion',
            ],
        ],
        [
            'a value that divides',
            { aggregation: 'max', value: 'output_tokens / 2' },
            ['meters.1 BAD_EXPRESSION: division is not exact and not allowed; multiply instead'],
        ],
        [
            'a conversion both ways',
            { aggregation: 'sum', unit_conversion: { divide_by: '10', multiply_by: '2' } },
            [
                'meters.1.unit_conversion METER_CONVERSION: unit_conversion needs either divide_by or multiply_by',
            ],
        ],
        [
            'a level that is carried in from days that are not read',
            { aggregation: 'weighted_sum' },
            [
                'meters.1 METER_OPENING: m carries its level in from before the period, and of gateway only days of the period are read',
            ],
        ],
        [
            'an opening of a maximum',
            { aggregation: 'max', opening: 'zero' },
            [
                'meters.1.opening METER_AGGREGATION: `opening` is of weighted_sum, or of deltas: nothing else carries a level',
            ],
        ],
        [
            'what is neither rated nor a part',
            { aggregation: 'max', rated: false },
            ['meters.1.rated METER_UNUSED: m is not rated, and no formula is made of it'],
        ],
        [
            'a formula with a value, of what does not exist',
            { aggregation: 'formula', formula: 'm2 + 1' },
            [
                'meters.1.value METER_FORMULA: a formula takes no value: its meters have their own',
                'meters.1.formula BAD_EXPRESSION: m2 is not a meter it can be made of',
            ],
        ],
        [
            'a formula of meters with other attributes',
            { aggregation: 'formula', value: undefined, formula: 'tokens' },
            [
                'meters.1.formula BAD_EXPRESSION: tokens has the attributes (context_band, model, token_class), and m (): they must be the same',
            ],
        ],
        [
            'a formula that is not there',
            { aggregation: 'formula', value: undefined },
            ['meters.1 METER_FORMULA: aggregation formula needs a `formula`'],
        ],
    ])('%s', (_what, meter, expected) => {
        expect(problemsOf([{ ...base, ...meter }])).toEqual(expected);
    });

    test('a wallet in money that is debited by event, and a meter that is no sum of events', () => {
        const peak = { ...base, aggregation: 'max' };
        const wallet = (shape: string) => ({ accounts: 'org', asset: 'USD', shape });
        for (const shape of ['instant', 'two_phase']) {
            expect(problemsOf([peak], [wallet(shape)])).toEqual([
                'wallets.0.shape WALLET_NOT_ADDITIVE: org is debited in USD event by event, and no event is worth a share of m: the days of such a meter cannot be added',
            ]);
        }
        expect(problemsOf([peak], [wallet('aggregated')])).toEqual([]);
        expect(problemsOf([{ ...base, aggregation: 'sum' }], [wallet('instant')])).toEqual([]);
    });
});

describe('formulas', () => {
    const values: Readonly<Record<string, string>> = {
        a: '3',
        b: '0.000000000005',
        c: '99999999999999',
    };
    const column = (name: string) =>
        name in values ? `cast('${values[name]}' as decimal(38,12))` : null;

    test.each([
        ['a', '3'],
        ['a + 2 * a', '9'],
        ['(a + 2) * a', '15'],
        ['a - a - a', '-3'],
        ['a - (a - a)', '3'],
        ['-a * -a', '9'],
        ['-(a + 1)', '-4'],
        ['2 - -a', '5'],
        ['a*a*a', '27'],
        ['b * 0.5', '0.000000000003'],
        ['-b * 0.5', '-0.000000000003'],
        ['b * 0.3', '0.000000000002'],
        ['c * 1000000', '99999999999999000000'],
    ])('%s is %s', async (formula, expected) => {
        const engine = await Engine.open({
            ...{ file: ':memory:', memory: '1GB', threads: 1, spill: '/tmp' },
        });
        try {
            const { made } = await engine.one(
                `select ${compileFormula(formula, column).sql} as made`,
            );
            expect(String(made).replace(/\.?0+$/, (end) => (end.startsWith('.') ? '' : end))).toBe(
                expected,
            );
        } finally {
            engine.close();
        }
    });

    test('a product of two meters of 15 digits stops the statement; it is never cut', async () => {
        const engine = await Engine.open({
            ...{ file: ':memory:', memory: '1GB', threads: 1, spill: '/tmp' },
        });
        try {
            const sql = compileFormula('c * a', column).sql;
            await expect(engine.one(`select ${sql} as made`)).rejects.toThrow(
                'more than 14 digits',
            );
        } finally {
            engine.close();
        }
    });

    test('names its meters once, sorted', () => {
        expect(compileFormula('c + a * c', column).meters).toEqual(['a', 'c']);
    });

    test.each([
        ['', 'the formula ends too early'],
        ['a +', 'the formula ends too early'],
        ['a / b', 'division is not exact and not allowed; multiply instead'],
        ['a b', 'cannot read `b`'],
        ['(a', 'the formula ends too early'],
        ['a)', 'cannot read `)`'],
        ['x', 'x is not a meter it can be made of'],
        ['a; drop table x', 'cannot read `;`'],
        ['max(a)', 'max is not a meter it can be made of'],
        ['a * * b', 'cannot read `*`'],
    ])('%s: %s', (formula, problem) => {
        expect(() => compileFormula(formula, column)).toThrow(problem);
    });
});
