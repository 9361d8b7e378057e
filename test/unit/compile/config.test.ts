import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { generatedWallets, projectFiles } from '../../../fixtures/project.ts';
import { knownMeters, loadConfig } from '../../../src/compile/config.ts';

const assets = [
    { asset: 'USD', kind: 'currency', precision: 6, counts: 'prose for people' },
    { asset: 'TOK', kind: 'unit', precision: 0 },
    { asset: 'REQ', kind: 'unit', precision: 0 },
];
const text =
    projectFiles({ name: 'tiny', store: { folder: 'bucket' }, wallets: generatedWallets })[
        'tieout.yaml'
    ] ?? '';

// biome-ignore lint/suspicious/noExplicitAny: a document that tests damage on purpose
type Document = any;

/** Loads the fixture's config after a change to it. */
function load(change: (document: Document) => unknown = () => undefined, of: unknown = assets) {
    const document: Document = parse(text);
    change(document);
    const files: Readonly<Record<string, string>> = {
        'tieout.yaml': stringify(document),
        'assets.json': JSON.stringify(of),
    };
    return loadConfig('tieout.yaml', (path) => files[path] ?? '');
}

function problemsOf(change: (document: Document) => unknown, of?: unknown): readonly string[] {
    const loaded = load(change, of);
    if (!('problems' in loaded)) throw new Error('no problems');
    return loaded.problems.map(({ path, code, message }) => `${path} ${code}: ${message}`);
}

describe('the config', () => {
    test('of the fixture is whole; assets count what the config says', () => {
        const loaded = load();
        if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
        expect(loaded.assets).toEqual({
            USD: { kind: 'currency', precision: 6, counts: 'tokens' },
            TOK: { kind: 'unit', precision: 0, counts: 'tokens' },
            REQ: { kind: 'unit', precision: 0, counts: 'requests' },
        });
        expect(knownMeters(loaded.config)).toEqual({
            tokens: ['context_band', 'model', 'token_class'],
        });
    });

    test.each<readonly [string, (document: Document) => unknown, readonly string[]]>([
        [
            'two inputs of one name',
            (of) => {
                of.debits[0].name = 'gateway';
            },
            ['usage DUPLICATE_INPUT: two inputs are called gateway'],
        ],
        [
            'a state among what the inputs read',
            (of) => {
                of.store = { bucket: 'b' };
                of.state = { bucket: 'b', prefix: 'usage/state' };
            },
            [
                'state.prefix STATE_IN_INPUT: the state is in the bucket of the inputs, and gateway reads usage/',
            ],
        ],
        [
            'a state that is the bucket of the inputs',
            (of) => {
                of.store = { bucket: 'b' };
                of.state = { bucket: 'b' };
            },
            [
                'state.prefix STATE_IN_INPUT: the state is in the bucket of the inputs, and gateway reads usage/',
                'state.prefix STATE_IN_INPUT: the state is in the bucket of the inputs, and wallet reads debits/',
            ],
        ],
        [
            'a state with a key that there is not',
            (of) => {
                of.state = { bucket: 'b', prefx: 'x' };
            },
            ['state.prefx CONFIG_INVALID: unknown key "prefx". Did you mean "prefix"?'],
        ],
        [
            'a state that is a folder, as inputs are said to be in one',
            (of) => {
                of.state = { folder: '.tieout' };
            },
            ['state.bucket CONFIG_INVALID: bucket is missing'],
        ],
        [
            'a state that is alone with somebody',
            (of) => {
                of.state = { bucket: 'b', alone: 'yes' };
            },
            [
                'state.alone CONFIG_INVALID: alone is the text "yes", and has to be true or false without quotes',
            ],
        ],
        [
            'an attribute and a quantity that are columns of tieout',
            (of) => {
                of.usage[0].attributes.payer_id = 'data.payer';
                of.usage[0].quantities.line_no = 'data.line';
            },
            [
                'usage.0 RESERVED_NAME: payer_id is a column of tieout itself',
                'usage.0 RESERVED_NAME: line_no is a column of tieout itself',
            ],
        ],
        [
            'a field that no event has',
            (of) => {
                of.usage[0].columns = { user: 'data.user' };
            },
            ['usage.0.columns.user UNKNOWN_FIELD: user is not a field of tieout'],
        ],
        [
            'a field that no debit has',
            (of) => {
                of.debits[0].columns = { price: 'price' };
            },
            ['debits.0.columns.price UNKNOWN_FIELD: price is not a field of tieout'],
        ],
        [
            'a band over what is not declared',
            (of) => {
                of.derived.context_band.band = 'tokens_in';
            },
            [
                'derived.context_band UNKNOWN_COLUMN: tokens_in is not declared: account_id, cached_input_tokens, event_type, input_tokens, model, output_tokens, source',
            ],
        ],
        [
            'a band that ends',
            (of) => {
                of.derived.context_band.steps = [{ up_to: '5', is: 'a' }];
            },
            ['derived.context_band BAND_BOUNDED: the last step has a bound'],
        ],
        [
            'bounds that do not rise, and a step after the open one',
            (of) => {
                of.derived.context_band.steps = [
                    { up_to: '5', is: 'a' },
                    { up_to: '5', is: 'b' },
                    { is: 'c' },
                    { is: 'd' },
                ];
            },
            [
                'derived.context_band.steps.1 BAND_ORDER: the bounds must rise from step to step',
                'derived.context_band.steps.2 BAND_ORDER: the bounds must rise from step to step',
            ],
        ],
        [
            'a derived attribute with a name that is taken',
            (of) => {
                of.derived.model = { sql: '1' };
            },
            ['derived.model RESERVED_NAME: model is taken'],
        ],
        [
            'a derived attribute made of another one',
            (of) => {
                of.derived.twice = { sql: "context_band || 'x'" };
            },
            [
                'derived.twice BAD_EXPRESSION: context_band is not a column of the event: account_id, cached_input_tokens, event_type, input_tokens, model, output_tokens, source',
            ],
        ],
        [
            'an attribute of a meter that nothing declares',
            (of) => {
                of.meters[0].attributes = ['region'];
            },
            [
                'meters.0 UNKNOWN_COLUMN: region is not declared: account_id, cached_input_tokens, context_band, event_type, input_tokens, model, output_tokens, source',
            ],
        ],
        [
            'two meters of one name',
            (of) => {
                of.meters.push({ ...of.meters[0] });
            },
            ['meters.1 DUPLICATE_METER: two meters are called tokens'],
        ],
        [
            'a sum of nothing, a sum of two things, a count of something',
            (of) => {
                const [tokens] = of.meters;
                const { token_classes: _, ...bare } = tokens;
                of.meters = [
                    bare,
                    { ...tokens, meter: 'b', quantity: 'input_tokens' },
                    { ...bare, meter: 'c', aggregation: 'count', quantity: 'input_tokens' },
                ];
            },
            [
                'meters.0 METER_QUANTITY: a sum needs either quantity or token_classes',
                'meters.1 METER_QUANTITY: a sum needs either quantity or token_classes',
                'meters.2 METER_QUANTITY: a count takes neither quantity nor token_classes',
            ],
        ],
        [
            'expressions that are not allowed, wherever they stand',
            (of) => {
                of.meters[0].where = 'now() > 1';
                of.meters[0].token_classes.input = 'input_tokens / 2';
                of.counts.tokens = 'nothing';
            },
            [
                'meters.0.where BAD_EXPRESSION: now() is not one of the allowed functions: least, greatest, abs, coalesce, nullif, lower, upper, trim, length, starts_with, ends_with, contains, split_part',
                'meters.0 BAD_EXPRESSION: division is not exact and not allowed; multiply instead',
                'counts.tokens BAD_EXPRESSION: nothing is not a column of the event: account_id, cached_input_tokens, context_band, event_type, input_tokens, model, output_tokens, source',
            ],
        ],
        [
            'a wallet in an asset that does not exist',
            (of) => {
                of.wallets[0].asset = 'XTS';
            },
            ['wallets.0.asset UNKNOWN_ASSET: XTS is not in assets'],
        ],
        [
            'a wallet in units of nothing',
            (of) => {
                of.asset_counts = { REQ: 'requests' };
            },
            ['wallets.1.asset ASSET_COUNTS_NOTHING: TOK is a unit and nothing says what it counts'],
        ],
        [
            'tolerances and counts of assets that do not exist, counts that do not exist',
            (of) => {
                of.tolerances.EUR = { absolute: '0.01' };
                of.reconcile = { rules: [{ rule: 'R2', enabled: false, assets: ['GBP'] }] };
                of.asset_counts.GPU = 'seconds';
            },
            [
                'tolerances.EUR UNKNOWN_ASSET: EUR is not in assets',
                'asset_counts.GPU UNKNOWN_ASSET: GPU is not in assets',
                'reconcile.rules.0.assets.0 UNKNOWN_ASSET: GBP is not in assets',
                'asset_counts.GPU UNKNOWN_COUNT: seconds is not in counts',
            ],
        ],
        [
            'keys that nobody knows, numbers that are no text, names that are no names',
            (of) => {
                of.open_hold_minutes = 5;
                of.hold.absolute = 1.5;
                of.meters[0].meter = 'Tokens';
            },
            [
                'meters.0.meter CONFIG_INVALID: "Tokens" is not a name: write lower-case letters, digits and _, a letter first',
                'hold.absolute CONFIG_INVALID: a bare number loses digits: write it in quotes, "1.5"',
                'open_hold_minutes CONFIG_INVALID: unknown key "open_hold_minutes". Known here, among others: open_hold_hours, openings, asset_counts, tolerances, limits.',
            ],
        ],
        [
            'more than twelve decimals of tolerance',
            (of) => {
                of.tolerances.USD.absolute = '0.0000000000001';
            },
            [
                'tolerances.USD.absolute CONFIG_INVALID: "0.0000000000001" is not a decimal: write it like "0.50"',
            ],
        ],
    ])('%s', (_title, change, problems) => {
        expect(problemsOf(change)).toEqual(problems);
    });

    test('a currency that ISO does not list', () => {
        const of = [...assets, { asset: 'USDT', kind: 'currency', precision: 6 }];
        expect(problemsOf(() => undefined, of)).toEqual([
            '3.asset UNKNOWN_CURRENCY: USDT is not an ISO 4217 currency',
        ]);
    });

    test('an asset that stands twice: neither wins', () => {
        expect(problemsOf(() => undefined, [...assets, assets[0]])).toEqual([
            '3.asset DUPLICATE_ASSET: USD is there twice',
        ]);
    });

    const wrongRates = [
        { currency: 'USD', rate: '0.002', from: '2026-01-01T00:00:00Z' },
        { currency: 'USD', rate: '0.003', from: '2026-01-01T01:00:00+01:00' },
        { currency: 'US', rate: '0.003', from: '2026-02-01T00:00:00Z' },
        { currency: 'EUR', rate: '0.003', from: '2026-02-01' },
    ];

    test('rates of assets: of money, twice, in unknown money, from no instant', () => {
        const problems = problemsOf((of) => {
            const rate = { currency: 'EUR', rate: '0.9', from: '2026-01-01T00:00:00Z' };
            of.assets = {
                USD: { kind: 'currency', precision: 6, rates: [rate] },
                TOK: { kind: 'unit', precision: 0, rates: wrongRates },
                REQ: { kind: 'unit', precision: 0 },
            };
        });
        expect(problems).toEqual([
            'assets.USD.rates ASSET_RATE: USD is a currency and has rates: money is worth itself',
            'assets.TOK.rates.1.from ASSET_RATE_TWICE: TOK has two rates in USD from 2026-01-01T00:00:00Z',
            'assets.TOK.rates.2.currency UNKNOWN_CURRENCY: TOK: US is not an ISO 4217 currency',
            'assets.TOK.rates.3.from BAD_INSTANT: TOK: "2026-02-01" is not an instant',
        ]);
    });

    test('what is wrong within assets is told of assets, not that they could be a file', () => {
        const problems = problemsOf((of) => {
            of.assets = { TOK: { kind: 'unit', precision: 13, counts: 5 } };
        });
        expect(problems).toEqual([
            'assets.TOK.precision CONFIG_INVALID: precision is 13',
            'assets.TOK.counts CONFIG_INVALID: counts is 5, and has to be text',
        ]);
    });

    test('the same of a file, with its own line', () => {
        const of = [...assets.slice(0, 1), { ...assets[1], rates: wrongRates }, assets[2]];
        expect(problemsOf(() => undefined, of)[0]).toBe(
            '1.rates.1.from ASSET_RATE_TWICE: TOK has two rates in USD from 2026-01-01T00:00:00Z',
        );
    });

    test('rates of a file are read', () => {
        const rates = wrongRates.slice(0, 1);
        const loaded = load(undefined, [assets[0], { ...assets[1], rates }, assets[2]]);
        expect('assets' in loaded && loaded.assets.TOK).toMatchObject({ kind: 'unit', rates });
    });

    test('problems of the assets file say their file and line', () => {
        const of = [{ asset: 'USD', kind: 'money', precision: 6 }];
        expect(problemsOf(() => undefined, of)[0]).toMatch(
            /^0.kind ASSET_INVALID: kind: "money" is not a choice here/,
        );
    });

    test('every problem has the line of what is wrong', () => {
        const broken = text.replace('absolute: "1.00"', 'absolute: "a lot"');
        const loaded = loadConfig('tieout.yaml', (path) =>
            path === 'tieout.yaml' ? broken : '[]',
        );
        const line = broken.split('\n').findIndex((of) => of.includes('a lot')) + 1;
        expect('problems' in loaded && loaded.problems).toMatchObject([
            { file: 'tieout.yaml', line, path: 'hold.absolute', code: 'CONFIG_INVALID' },
        ]);
    });

    test('a key that stands twice', () => {
        const loaded = loadConfig('tieout.yaml', () => `name: a\nname: b\n${text}`);
        expect('problems' in loaded && loaded.problems[0]).toMatchObject({ line: 2 });
    });
});
