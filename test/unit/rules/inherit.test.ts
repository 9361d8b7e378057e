import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompiledRate } from '../../../src/rules/card.ts';
import { lintCard } from '../../../src/rules/lint.ts';
import { cardOf, type Files, header, known, load, loaded, matrixCard } from './support.ts';

const jan = '2026-01-01T00:00:00Z';
const base = cardOf([
    `when: { model: opus }, price: "5", from: ${jan}`,
    `when: { model: haiku }, price: "1", from: ${jan}, to: 2026-06-01T00:00:00Z`,
    `when: { model: haiku }, price: "0.5", from: 2026-06-01T00:00:00Z`,
]);

/** A card derived from base.yaml: its own rates, each a line of flow YAML, and what it adds above. */
function derived(rates: readonly string[], head = 'markup: { percent: "20" }'): string {
    const charges = rates.length
        ? `charges:
  - product: llm
    meter: tokens
    model: per_unit
    unit: token
    price_per: "1000"
    rates:
${rates.map((rate) => `      - { ${rate} }`).join('\n')}
`
        : '';
    return `card: retail
version: "2"
currency: USD
extends: base.yaml
${head}
${charges}`;
}

const files = (card: string, more: Files = {}): Files => ({
    'rules/base.yaml': base,
    'rules/card.yaml': card,
    ...more,
});

const line = ({ match_key, unit_price, effective_from, effective_to, file, line }: CompiledRate) =>
    `${match_key} ${unit_price} ${effective_from} ${effective_to ?? 'open'} ${file}:${line}`;

describe('a card derived from another', () => {
    test('takes its rates over, raised exactly, under its own name, with their place', () => {
        const card = loaded(files(derived([])));
        expect(card.rates.map(line)).toEqual([
            `{"model":"haiku"} 0.0012 ${jan} 2026-06-01T00:00:00Z rules/base.yaml:12`,
            '{"model":"haiku"} 0.0006 2026-06-01T00:00:00Z open rules/base.yaml:13',
            `{"model":"opus"} 0.006 ${jan} open rules/base.yaml:11`,
        ]);
        expect(card.rates[2]).toMatchObject({
            rate_id: `retail/tokens/model=opus@${jan}`,
            card: 'retail',
            card_version: '2',
            product: 'llm',
            unit: 'token',
        });
        expect(lintCard(card, { known })).toEqual([]);
    });

    test('an override takes the place of a rate for the time it covers, at its own price', () => {
        const card = loaded(
            files(
                derived([
                    `when: { model: opus }, price: "4", from: 2026-03-01T00:00:00Z, to: 2026-04-01T00:00:00Z`,
                ]),
            ),
        );
        expect(
            card.rates.filter(({ mask, match_key }) => mask && /opus/.test(match_key)).map(line),
        ).toEqual([
            `{"model":"opus"} 0.006 ${jan} 2026-03-01T00:00:00Z rules/base.yaml:11`,
            '{"model":"opus"} 0.004 2026-03-01T00:00:00Z 2026-04-01T00:00:00Z rules/card.yaml:13',
            '{"model":"opus"} 0.006 2026-04-01T00:00:00Z open rules/base.yaml:11',
        ]);
        expect(card.boundaries).toContain('2026-04-01 00:00:00.000000');
        expect(lintCard(card, { known })).toEqual([]);
    });

    test('an override may cover several rates, and all of their time', () => {
        const card = loaded(
            files(derived([`when: { model: haiku, region: "*" }, price: "9", from: ${jan}`])),
        );
        expect(card.rates.map(line)).toEqual([
            `{"model":"haiku"} 0.009 ${jan} open rules/card.yaml:13`,
            `{"model":"opus"} 0.006 ${jan} open rules/base.yaml:11`,
        ]);
    });

    test('another priority or another pattern replaces nothing', () => {
        const card = loaded(
            files(
                derived([
                    `when: { model: opus }, price: "4", from: ${jan}, priority: 1`,
                    `when: { model: opus, region: eu }, price: "7", from: ${jan}`,
                ]),
            ),
        );
        expect(card.rates.map(({ unit_price }) => unit_price).sort()).toEqual([
            '0.0006',
            '0.0012',
            '0.004',
            '0.006',
            '0.007',
        ]);
        expect(lintCard(card, { known })).toEqual([]);
    });

    test('a matrix overrides like rates, and keeps its own lines', () => {
        const card = matrixCard
            .replace('card: list', 'card: retail\nextends: base.yaml')
            .replace('token_class: class', 'region: class');
        const rows = `${header}\nopus,*,0.0044,2026-02-01T00:00:00Z,,,\n`;
        const own = loaded(files(card, { 'rules/rates.csv': rows }));
        expect(own.rates.map(line).slice(2)).toEqual([
            `{"model":"opus"} 0.005 ${jan} 2026-02-01T00:00:00Z rules/base.yaml:11`,
            '{"model":"opus"} 0.0044 2026-02-01T00:00:00Z open rules/rates.csv:2',
        ]);
    });

    test('a discount, down to nothing and no further', () => {
        const first = (percent: string) => {
            const card = load(files(derived([], `markup: { percent: "${percent}" }`)));
            return 'rates' in card ? card.rates.map(({ unit_price }) => unit_price) : card;
        };
        expect(first('-7.5')).toEqual(['0.000925', '0.0004625', '0.004625']);
        expect(first('-100')).toEqual(['0', '0', '0']);
        const wrong = (percent: string) => [
            `rules/card.yaml:5: BAD_MARKUP "${percent}" is not a percentage that can be added\n    Write a decimal of -100 or more, like "20" or "-7.5".`,
        ];
        expect(first('-100.1')).toEqual(wrong('-100.1'));
        expect(first('20%')).toEqual(wrong('20%'));
    });

    test('a chain of eight cards raises at every step, and a ninth is refused', () => {
        const link = (at: number) =>
            derived([], 'markup: { percent: "10" }').replace('base.yaml', `c${at - 1}.yaml`);
        const chain: Record<string, string> = { 'rules/c1.yaml': base };
        for (let at = 2; at <= 8; at += 1) chain[`rules/c${at}.yaml`] = link(at);
        const eight = loaded({ ...chain, 'rules/card.yaml': link(8) });
        // 0.005 x 1.1^7 = 0.005 x 1.9487171
        expect(eight.rates.find(({ match_key }) => /opus/.test(match_key))?.unit_price).toBe(
            '0.0097435855',
        );
        expect(load({ ...chain, 'rules/card.yaml': link(9) })).toEqual([
            'rules/c2.yaml:4: CARD_TOO_DEEP rules/card.yaml > rules/c8.yaml > rules/c7.yaml > rules/c6.yaml > rules/c5.yaml > rules/c4.yaml > rules/c3.yaml > rules/c2.yaml > rules/c1.yaml is more than 8 cards\n    Derive the card from one further down the chain.',
        ]);
    });
});

describe('what cannot be derived', () => {
    test.each([
        [
            'a cycle',
            files(derived([]), {
                'rules/base.yaml': derived([]).replace('base.yaml', '../rules/card.yaml'),
            }),
            'rules/base.yaml:4: CARD_CYCLE rules/card.yaml > rules/base.yaml > rules/card.yaml is a cycle\n    Take `extends` out of the card that begins the chain.',
        ],
        [
            'itself',
            { 'rules/card.yaml': derived([]).replace('base.yaml', 'card.yaml') },
            'rules/card.yaml:4: CARD_CYCLE rules/card.yaml > rules/card.yaml is a cycle\n    Take `extends` out of the card that begins the chain.',
        ],
        [
            'a base that is not there',
            { 'rules/card.yaml': derived([]) },
            'rules/card.yaml:4: FILE_NOT_FOUND rules/base.yaml cannot be read\n    The card that is extended is named relative to the folder of this one.',
        ],
        [
            'another currency',
            files(derived([]).replace('USD', 'EUR')),
            'rules/card.yaml:3: BASE_CURRENCY this card is in EUR, and base.yaml, which it extends, in USD\n    Prices are not converted: derive a card from one in its own currency.',
        ],
        [
            'a markup of nothing',
            { 'rules/card.yaml': `${base}markup: { percent: "20" }\n` },
            'rules/card.yaml:14: MARKUP_ALONE a markup needs a card that it raises\n    Name that card with `extends`, or take the markup out.',
        ],
        [
            'no charges and no base',
            { 'rules/card.yaml': 'card: list\nversion: "1"\ncurrency: USD\n' },
            'rules/card.yaml:1: CARD_INVALID a card needs at least one charge\n    Write charges, or `extends` with a card that has some.',
        ],
        [
            'a percentage as a number',
            files(derived([], 'markup: { percent: 20 }')),
            'rules/card.yaml:5: CARD_INVALID percent is a bare number, which loses digits: write it in quotes, like "0.5" (markup.percent)',
        ],
        [
            'a price that does not fit, told once',
            files(derived([], 'markup: { percent: "0.0000000001" }')),
            'rules/card.yaml:5: PRICE_TOO_FINE the price of a unit at rules/base.yaml:11 for model=opus, 0.005, raised by 0.0000000001% is 0.005000000000005, which has more than 12 decimals; 2 more like it\n    Prices are never rounded: give such rates a price of their own here.',
        ],
    ])('%s', (_what, given, problem) => {
        expect(load(given)).toEqual([problem]);
    });

    test('problems of both cards at once, each in its file', () => {
        const card = derived([`when: { model: opus }, price: "1,5", from: ${jan}`]);
        const wrong = base.replace('price: "5"', 'price: "five"');
        expect(load(files(card, { 'rules/base.yaml': wrong }))).toEqual([
            expect.stringContaining('rules/base.yaml:11: BAD_PRICE'),
            expect.stringContaining('rules/card.yaml:13: BAD_PRICE'),
        ]);
    });

    test('a price of its own takes the place of one that would be too fine', () => {
        const own = ['opus', 'haiku'].map(
            (model) => `when: { model: ${model} }, price: "5", from: ${jan}`,
        );
        const card = loaded(files(derived(own, 'markup: { percent: "0.0000000001" }')));
        expect(card.rates).toHaveLength(2);
    });
});

test('at every instant: its own rate where there is one, else the one of the base, raised', () => {
    const day = (at: number) => `2026-01-${String(at).padStart(2, '0')}T00:00:00Z`;
    const spans = fc
        .uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 8 })
        .map((days) => days.sort((one, other) => one - other))
        .map((days) => days.slice(0, -1).map((from, at) => ({ from, to: days[at + 1] ?? 31 })));
    const some = spans.chain((all) => fc.subarray(all));
    const rates = (of: readonly { from: number; to: number }[], price: string) =>
        of.map(
            ({ from, to }) =>
                `when: { model: opus }, price: "${price}", from: ${day(from)}, to: ${day(to)}`,
        );
    fc.assert(
        fc.property(spans, some, (under, over) => {
            const card = loaded(
                files(derived(rates(over, '7')), { 'rules/base.yaml': cardOf(rates(under, '5')) }),
            );
            for (let at = 1; at <= 21; at += 1) {
                const holds = ({ from, to }: { from: number; to: number }) => from <= at && at < to;
                const expected = over.some(holds) ? ['0.007'] : under.some(holds) ? ['0.006'] : [];
                const found = card.rates.filter(
                    ({ effective_from, effective_to }) =>
                        effective_from <= day(at) && day(at) < (effective_to ?? ''),
                );
                expect(found.map(({ unit_price }) => unit_price)).toEqual(expected);
            }
        }),
        { numRuns: 300 },
    );
});
