import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { generatedWallets, projectFiles } from '../../../fixtures/project.ts';
import { knownMeters, loadConfig } from '../../../src/compile/config.ts';
import { compare, multiply, parseAmount } from '../../../src/money/amount.ts';
import type { CompiledCard } from '../../../src/rules/card.ts';
import { parseExactJson, plainDecimal } from '../../../src/rules/exact-json.ts';
import { genaiProviders, importGenaiPrices } from '../../../src/rules/import-genai-prices.ts';
import { importLitellm, litellmProviders } from '../../../src/rules/import-litellm.ts';
import { lintCard } from '../../../src/rules/lint.ts';
import { hourBands, type ImportedCard } from '../../../src/rules/price-list.ts';
import { runSpecs, specProblems } from '../../../src/run/rule-specs.ts';
import { loaded, printed } from './support.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const fixture = (name: string) =>
    parseExactJson(readFileSync(join(root, 'fixtures', 'formats', name), 'utf8'));
const genai = () => importGenaiPrices(fixture('genai-prices.json'), { version: '1' });
const litellm = () => importLitellm(fixture('litellm.json'), { version: '1' });
const rowsWith = ({ matrixCsv }: ImportedCard, text: string) =>
    matrixCsv.split('\n').filter((line) => line.includes(text));

/** The card as a run would read it; it must lint clean. */
function cardOf(made: ImportedCard): CompiledCard {
    const card = loaded({
        'rules/card.yaml': made.cardYaml,
        [`rules/${made.card}.csv`]: made.matrixCsv,
    });
    const known = { meters: { tokens: made.attributes } };
    expect(printed(lintCard(card, { known }))).toEqual([]);
    return card;
}

/** The generated config with the snippet in it, and the attributes that the snippet asks for. */
function configProblems(made: ImportedCard): readonly string[] {
    const base = parse(
        projectFiles({ name: 'x', store: { folder: 'd' }, wallets: generatedWallets })[
            'tieout.yaml'
        ] ?? '',
    );
    const snippet = parse(made.derivedYaml);
    const names = ['reported_model', 'model', 'provider', 'service_tier'];
    base.usage[0].attributes = Object.fromEntries(
        names
            .filter(
                (name) =>
                    !(name in snippet.derived) &&
                    !(name === 'reported_model' && !snippet.derived.model),
            )
            .map((name) => [name, `data.${name}`]),
    );
    for (const name of ['cache_read_tokens', 'cache_write_tokens', 'cache_write_1h_tokens']) {
        base.usage[0].quantities[name] = { path: `data.${name}`, optional: true };
    }
    const texts: Readonly<Record<string, string>> = {
        'tieout.yaml': stringify({ ...base, ...snippet }),
        'assets.json': JSON.stringify(
            ['USD', 'TOK', 'REQ'].map((asset) => ({
                asset,
                kind: asset === 'USD' ? 'currency' : 'unit',
                precision: 6,
            })),
        ),
    };
    const config = loadConfig('tieout.yaml', (path) => texts[path] ?? '');
    if ('problems' in config) return printed(config.problems);
    expect(knownMeters(config.config)).toEqual({ tokens: [...made.attributes].sort() });
    return [];
}

describe('numbers as they are written', () => {
    test.each([
        ['0.1', '0.1'],
        ['4.10', '4.1'],
        ['3.75e-2', '0.0375'],
        ['1.2E-6', '0.0000012'],
        ['1e3', '1000'],
        ['1.5e+1', '15'],
        ['123e-1', '12.3'],
        ['0', '0'],
        ['0.0', '0'],
        ['-2.5e-1', '-0.25'],
        ['0.18000000000000002', '0.18000000000000002'],
        ['prose', null],
        ['', null],
        ['.5', null],
    ])('%s', (written, plain) => {
        expect(plainDecimal(written)).toBe(plain);
    });

    test('any decimal with any exponent keeps its value, to the digit', () => {
        fc.assert(
            fc.property(
                fc.bigInt({ min: 0n, max: 10n ** 25n }),
                fc.integer({ min: 0, max: 20 }),
                fc.integer({ min: -30, max: 20 }),
                (units, scale, exponent) => {
                    const digits = units.toString().padStart(scale + 1, '0');
                    const at = digits.length - scale;
                    const text = scale ? `${digits.slice(0, at)}.${digits.slice(at)}` : digits;
                    const plain = parseAmount(plainDecimal(`${text}e${exponent}`) ?? '');
                    const power =
                        exponent < 0
                            ? { units: 1n, scale: -exponent }
                            : { units: 10n ** BigInt(exponent), scale: 0 };
                    expect(compare(plain, multiply({ units, scale }, power))).toBe(0);
                },
            ),
        );
    });

    test('every number of a JSON text, and nothing else', () => {
        expect(
            parseExactJson('{"a": [0.10, 1e-7, "2", true, null], "b": 12345678901234567890}'),
        ).toEqual({ a: ['0.10', '1e-7', '2', true, null], b: '12345678901234567890' });
        expect(() => parseExactJson('{')).toThrow(SyntaxError);
    });
});

describe('genai-prices', () => {
    test('tiers become context bands, dates spans, and times of the day bands', () => {
        const made = genai();
        expect(made.attributes).toEqual([
            'provider',
            'model',
            'token_class',
            'context_band',
            'time_of_day',
        ]);
        expect(rowsWith(made, 'aurora-large,input')).toEqual([
            'borealis,aurora-large,input,over_200k,*,2000-01-01T00:00:00Z,2026-03-13T00:00:00Z,8.2',
            'borealis,aurora-large,input,over_200k,*,2026-03-13T00:00:00Z,,4.1',
            'borealis,aurora-large,input,up_to_128k,*,2000-01-01T00:00:00Z,,4.1',
            'borealis,aurora-large,input,up_to_200k,*,2000-01-01T00:00:00Z,,4.1',
        ]);
        expect(rowsWith(made, 'aurora-night,output')).toEqual([
            'borealis,aurora-night,output,*,0030-1630,2000-01-01T00:00:00Z,,1.1',
            'borealis,aurora-night,output,*,1630-0030,2000-01-01T00:00:00Z,,0.55',
        ]);
        expect(rowsWith(made, 'borealis,aurora-mini')).toEqual([
            'borealis,aurora-mini,input,*,*,2000-01-01T00:00:00Z,,0.0375',
            'borealis,aurora-mini,input_audio,*,*,2000-01-01T00:00:00Z,,0.7',
            'borealis,aurora-mini,output,*,*,2000-01-01T00:00:00Z,,0.1',
        ]);
        expect(rowsWith(made, '"aurora, wide"')).toHaveLength(4);
        expect(cardOf(made).rates).toHaveLength(24);
    });

    test('what a card cannot hold is said, each thing once', () => {
        expect(genai().notes).toEqual([
            'borealis/aurora-large: web_searches_kcount 10 is not imported: it is a price of something else than tokens',
            'borealis/aurora-moon: no price is imported: the condition {"moon":"full"} is not understood',
            'meridian/aurora-mini: input_mtok 0.18000000000000002 is not imported: the price of one token would have more than 12 decimals',
            'meridian/aurora, wide: requests_kcount 12 is not imported: it is a price of something else than tokens',
            'borealis: models it does not list are those of meridian: not imported',
            'borealis/aurora-large: names that match {"regex":"^al-\\\\d+$"} are not recognised: write a map for them',
        ]);
    });

    test('one provider needs no provider attribute, and only its own bands', () => {
        const made = importGenaiPrices(fixture('genai-prices.json'), {
            version: '1',
            provider: 'meridian',
        });
        expect(made.card).toBe('genai-prices-meridian');
        expect(made.attributes).toEqual(['model', 'token_class', 'context_band']);
        expect(made.derivedYaml).toContain('up_to: "128000"');
        expect(made.derivedYaml).not.toContain('200k');
        expect(genaiProviders(fixture('genai-prices.json'))).toEqual(['borealis', 'meridian']);
        cardOf(made);
    });

    test.each(['[]', '{}', '[{"id": "x"}]', '[{"id": "x", "models": [{"id": "y"}]}]'])(
        '%s is no such list',
        (text) => {
            expect(() => importGenaiPrices(parseExactJson(text), { version: '1' })).toThrow();
        },
    );
});

describe('litellm', () => {
    test('fields become token classes, bands and service tiers', () => {
        const made = litellm();
        expect(rowsWith(made, 'aurora-large,input')).toEqual([
            'borealis/aurora-large,input,over_200k,priority,2000-01-01T00:00:00Z,,0.00001435',
            'borealis/aurora-large,input,over_200k,standard,2000-01-01T00:00:00Z,,0.0000082',
            'borealis/aurora-large,input,up_to_200k,batch,2000-01-01T00:00:00Z,,0.00000205',
            'borealis/aurora-large,input,up_to_200k,priority,2000-01-01T00:00:00Z,,0.000007175',
            'borealis/aurora-large,input,up_to_200k,standard,2000-01-01T00:00:00Z,,0.0000041',
        ]);
        expect(rowsWith(made, 'cache_write_1h,')).toHaveLength(2);
        expect(rowsWith(made, 'aurora-mini,')).toEqual([
            'borealis/aurora-mini,cache_read,*,*,2000-01-01T00:00:00Z,,0.0000000375',
            'borealis/aurora-mini,input,*,*,2000-01-01T00:00:00Z,,0.0000003',
            'borealis/aurora-mini,output,*,*,2000-01-01T00:00:00Z,,0.0000012',
        ]);
        expect(cardOf(made).rates).toHaveLength(19);
    });

    test('a tier without a price of its own for long contexts has none', () => {
        const made = litellm();
        expect(rowsWith(made, 'input,over_200k,batch')).toEqual([]);
        expect(made.notes).toContain(
            'borealis/aurora-large: input has no price in tier batch for over_200k: such usage is UNRATED',
        );
    });

    test('every price of the list is in the card or in the notes', () => {
        const made = litellm();
        const all = fixture('litellm.json') as Record<string, Record<string, unknown>>;
        const { length } = Object.entries(all).flatMap(([model, fields]) =>
            /^(sample_spec|fallback_gen|borealis\/\*)/.test(model)
                ? []
                : Object.keys(fields).filter((key) => /cost|pricing|multiplier/.test(key)),
        );
        const noted = made.notes.filter((note) => note.includes('is not imported')).length;
        expect(cardOf(made).rates.length + noted).toBe(length);
        expect(made.notes).toContain(
            'borealis/*: no price is imported: it is not the name of one model',
        );
        expect(
            made.notes.filter((note) => note.startsWith('meridian/odd: tiered_pricing')),
        ).toEqual([
            expect.stringContaining('each slice of the tokens of a request has its own price'),
        ]);
    });

    test('one provider', () => {
        const made = importLitellm(fixture('litellm.json'), { version: '1', provider: 'meridian' });
        expect(made.card).toBe('litellm-meridian');
        expect(made.attributes).toEqual(['model', 'token_class', 'context_band']);
        expect(rowsWith(made, 'free').map((line) => line.split(',').at(-1))).toEqual(['0', '0']);
        expect(litellmProviders(fixture('litellm.json'))).toEqual(['borealis', 'meridian']);
    });
});

describe('times of the day', () => {
    test('become a calendar: every part of the day a window, but the one over midnight', () => {
        const { derived } = parse(genai().derivedYaml);
        expect(derived.time_of_day).toEqual({
            calendar: {
                zone: 'UTC',
                windows: [{ is: '0030-1630', from: '00:30', to: '16:30' }],
                otherwise: '1630-0030',
            },
        });
    });

    test('a list without them needs none', () => {
        expect(parse(litellm().derivedYaml).derived).not.toHaveProperty('time_of_day');
    });

    test('seconds tell parts of the day apart', () => {
        const names = hourBands(['08:30:15', '08:30:00', '20:00:00']).map(({ name }) => name);
        expect(names).toEqual(['0830-083015', '083015-2000', '2000-0830']);
    });
});

/** The worked examples of a card through the SQL of 40-rate; all of them must come out. */
async function examplesOf(made: ImportedCard): Promise<readonly string[]> {
    const known = { meters: { tokens: made.attributes } };
    const outcome = await runSpecs('card.specs.yaml', made.specsYaml, cardOf(made), known);
    if ('problems' in outcome) return printed(outcome.problems);
    expect(printed(specProblems(outcome.results))).toEqual([]);
    return outcome.results.map(({ name }) => name);
}

describe('worked examples', () => {
    test('one model without bands, and each kind of band in every band', async () => {
        expect(await examplesOf(genai())).toEqual([
            'borealis/aurora-mini, input',
            'borealis/aurora-night, input, 0030-1630',
            'borealis/aurora-night, input, 1630-0030',
            'borealis/aurora-large, cache_read, up_to_128k',
            'borealis/aurora-large, cache_read, up_to_200k',
            'borealis/aurora-large, cache_read, over_200k',
            'a model that is not in the list has no price',
        ]);
    });

    test('prices for one unit', async () => {
        expect(await examplesOf(litellm())).toMatchInlineSnapshot(`
          [
            "borealis/aurora-mini, cache_read",
            "borealis/aurora-large, cache_read, up_to_200k, standard",
            "borealis/aurora-large, cache_read, over_200k, standard",
            "borealis/aurora-large, input, up_to_200k, batch",
            "borealis/aurora-large, input, up_to_200k, priority",
            "borealis/aurora-large, input, over_200k, priority",
            "borealis/aurora-large, input, up_to_200k, standard",
            "borealis/aurora-large, input, over_200k, standard",
            "a model that is not in the list has no price",
          ]
        `);
        expect(parse(litellm().specsYaml).specs[0]).toMatchObject({
            quantity: '1234567',
            expect: { amount: '0.0462962625' },
        });
    });
});

test.each([
    ['genai-prices', genai],
    ['litellm', litellm],
])('derived.yaml of %s is what the config needs', (_name, make) => {
    expect(configProblems(make())).toEqual([]);
});

const real = join(root, '..', 'shared', 'real', 'prices', 'genai-prices.json');
const skipped = existsSync(real) ? '' : ` (skipped: ${real} is absent)`;

describe.skipIf(skipped)(`the whole of genai-prices${skipped}`, () => {
    const text = skipped ? '[]' : readFileSync(real, 'utf8');

    test('imports and lints clean, and the config takes its snippet', () => {
        const made = importGenaiPrices(parseExactJson(text), { version: '1' });
        expect(cardOf(made).rates.length).toBeGreaterThan(3_000);
        expect(configProblems(made)).toEqual([]);
    });

    test('its worked examples come out, those of models with a price by time of day too', async () => {
        const made = importGenaiPrices(parseExactJson(text), { version: '1' });
        expect(await examplesOf(made)).toContain('deepseek/deepseek-chat, cache_read, 1630-0030');
    });

    test('every price comes back exactly', () => {
        const made = importGenaiPrices(parseExactJson(text), { version: '1' });
        const { rates } = cardOf(made);
        const inCard = new Map(
            rates.map((rate) => {
                const { provider, model, token_class, context_band } = JSON.parse(rate.match_key);
                const at = rate.effective_from.startsWith('2000') ? 'first' : 'later';
                return [[provider, model, token_class, context_band ?? '*', at].join('|'), rate];
            }),
        );
        let compared = 0;
        // The list again, read in another way: by JavaScript numbers, printed as shortly as can be.
        type Price = number | { base: number; tiers: { start: number; price: number }[] };
        type Model = { id: string; prices: Record<string, Price> | unknown[] };
        for (const { id, models } of JSON.parse(text) as { id: string; models: Model[] }[]) {
            for (const { id: model, prices } of models) {
                if (Array.isArray(prices)) continue;
                for (const [key, price] of Object.entries(prices)) {
                    const expected =
                        typeof price === 'number'
                            ? [['*', price] as const]
                            : [
                                  ['up_to_128k', price.base] as const,
                                  ['over_512k', price.tiers.at(-1)?.price ?? 0] as const,
                              ];
                    for (const [band, value] of expected) {
                        const name = key.replace('_mtok', '');
                        const rate = inCard.get([id, model, name, band, 'first'].join('|'));
                        if (!rate) {
                            const of = `${id}/${model}: ${key} `;
                            expect(
                                made.notes.some((note) => note.startsWith(of)),
                                of,
                            ).toBe(true);
                            continue;
                        }
                        const million = { units: 1_000_000n, scale: 0 };
                        const back = multiply(parseAmount(rate.unit_price), million);
                        const listed = parseAmount(plainDecimal(String(value)) ?? '');
                        expect(compare(back, listed), `${id}/${model} ${key}`).toBe(0);
                        compared += 1;
                    }
                }
            }
        }
        expect(compared).toBeGreaterThan(3_000);
    });
});
