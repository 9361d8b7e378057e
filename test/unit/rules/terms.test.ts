import { describe, expect, test } from 'vitest';
import { rateUnits } from '../../../src/quote/rate-units.ts';
import { lintCard } from '../../../src/rules/lint.ts';
import { type Files, known, linted, load, loaded, printed } from './support.ts';

const jan = '2026-01-01T00:00:00Z';

/** A card of one charge: its model with keys of flow YAML, its rates; the first stands on line 11. */
function card(model: string, terms: string, ...rates: readonly string[]): string {
    return `card: list
version: "1"
currency: USD
charges:
  - product: llm
    meter: tokens
    model: ${model}
    unit: token
${terms ? `    ${terms}` : '    description: d'}
    rates:
${rates.map((rate) => `      - { ${rate} }`).join('\n')}
`;
}
const all = `when: {}, from: ${jan}`;
const of = (text: string): Files => ({ 'rules/card.yaml': text });
const termsOf = (text: string) =>
    loaded(of(text)).rates.map(({ terms }) => terms && JSON.parse(terms));
const problems = (model: string, terms: string, ...rates: readonly string[]) =>
    load(of(card(model, terms, ...(rates.length ? rates : [all]))));

describe('terms of a rate', () => {
    test('are those of the charge, with what the rate says itself over them', () => {
        const text = card(
            'package',
            'package_size: "10"',
            `${all}, package_price: "3", to: 2026-02-01T00:00:00Z`,
            'when: {}, from: 2026-02-01T00:00:00Z, package_price: "4", package_size: "20", minimum: "5"',
        );
        expect(termsOf(text)).toMatchObject([
            { model: 'package', package_size: '10', package_price: '3' },
            { model: 'package', package_size: '20', package_price: '4', minimum: '5' },
        ]);
    });

    test('of a bare per_unit are none; with a modifier they hold its price', () => {
        expect(termsOf(card('per_unit', 'price_per: "1000"', `${all}, price: "5"`))).toEqual([
            null,
        ]);
        expect(
            termsOf(card('per_unit', 'price_per: "1000"', `${all}, price: "5", maximum: "9"`)),
        ).toMatchObject([{ model: 'per_unit', unit_price: '0.005', maximum: '9' }]);
    });

    test('of a per_unit with another list price hold its price', () => {
        const text = card('per_unit', '', `${all}, price: "5", list_price: "4"`);
        expect(loaded(of(text)).rates).toMatchObject([{ unit_price: '4' }]);
        expect(termsOf(text)).toMatchObject([{ model: 'per_unit', unit_price: '5' }]);
        expect(problems('flat', 'fee: "1"', `${all}, list_price: "4"`)).toEqual([
            expect.stringContaining('TERM_CONFLICT a flat fee has no list price'),
        ]);
    });

    test('give the list price, unless the rate states one', () => {
        const price = (model: string, terms: string, rate = all) =>
            loaded(of(card(model, terms, rate))).rates[0]?.unit_price;
        const tiers = 'tiers: [{ up_to: "5", unit_price: "0.02" }, { unit_price: "0.01" }]';
        expect(price('graduated', tiers)).toBe('0.02');
        expect(price('volume', 'tiers: [{ flat_fee: "5" }]')).toBe('0');
        expect(price('percentage', 'percent: "2.9"')).toBe('0.029');
        expect(price('percentage', 'percent: "2.9"\n    min_per_event: "1"')).toBe('0');
        expect(price('dynamic', 'markup_percent: "20"')).toBe('1.2');
        expect(price('package', 'package_size: "1"\n    package_price: "9"')).toBe('0');
        expect(price('graduated', tiers, `${all}, list_price: "0.015"`)).toBe('0.015');
        expect(
            price('per_unit', 'unit_conversion: { divide_by: "1000" }', `${all}, price: "2"`),
        ).toBe('0');
    });
});

describe('terms that cannot be meant', () => {
    const at = 'rules/card.yaml';

    test('tiers: the last one bounded, bounds that do not rise, one open too soon', () => {
        expect(
            problems(
                'graduated',
                'tiers:\n      - { up_to: "100", unit_price: "1" }\n      - { up_to: "100", unit_price: "1" }\n      - { unit_price: "1" }\n      - { up_to: "200", unit_price: "1" }',
            ),
        ).toEqual([
            `${at}:11: TIERS_ORDER tier 2 ends at 100, which is not above 100, where it begins\n    Write the tiers in the order of their bounds; up_to counts from zero.`,
            `${at}:12: TIERS_ORDER tier 3 is open, and is not the last\n    Give it an up_to, or move it to the end.`,
            `${at}:13: TIERS_BOUNDED the last tier ends at 200, and nothing prices what is above it\n    Leave up_to out of the last tier, or add one without it.`,
        ]);
        expect(problems('volume', 'tiers: []')).toEqual([
            `${at}:9: TIERS_EMPTY there are no tiers\n    Write at least one tier, without up_to.`,
        ]);
        expect(problems('stairstep', 'steps: [{ up_to: "5", price: "1" }]')).toEqual([
            expect.stringContaining('TIERS_BOUNDED the last step ends at 5'),
        ]);
    });

    test('a tier without a price, and one with two kinds', () => {
        expect(
            problems(
                'volume',
                'tiers: [{ up_to: "1" }, { up_to: "2", package_size: "5" }, { unit_price: "1", package_size: "5", package_price: "1" }]',
            ),
        ).toEqual([
            expect.stringContaining(`${at}:9: TIER_PRICE tier 1 has no price`),
            expect.stringContaining('TIER_PRICE tier 2 mixes a unit_price with packages'),
            expect.stringContaining('TIER_PRICE tier 3 mixes a unit_price with packages'),
        ]);
    });

    test.each([
        ['graduated', 'tiers: [{ unit_price: 0.5 }]', 'CARD_INVALID unit_price is a bare number'],
        [
            'graduated',
            'tiers: [{ unit_price: "-1" }]',
            'CARD_INVALID unit_price "-1" is not a plain decimal of at most 12 places that is not negative',
        ],
        [
            'graduated',
            'tiers: [{ up_to: "0", unit_price: "1" }]',
            'CARD_INVALID up_to is "0": it must be above zero',
        ],
        [
            'graduated',
            'tiers: [{ unit_prise: "1" }]',
            'unknown key "unit_prise". Did you mean "unit_price"?',
        ],
        ['graduated', 'tier: [{ unit_price: "1" }]', 'unknown key "tier". Did you mean "tiers"?'],
        [
            'stairstep',
            'steps: [{ up_to: { cpu: "1" }, price: "1" }]',
            'up_to must be a decimal in quotes',
        ],
        ['flat', 'fee: "1"\n    bill: early', 'bill: "early" is not a choice here'],
        [
            'flat',
            'fee: "1"\n    tier_scope: contract_term',
            'TERM_CONFLICT tier_scope contract_term counts usage over a term, and a flat fee is of a period',
        ],
        [
            'volume',
            'tiers: [{ unit_price: "1" }]\n    tier_scope: contract_term\n    minimum: "5"',
            'TERM_CONFLICT tier_scope contract_term counts usage over a term, and minimum is of a period',
        ],
        [
            'package',
            'package_size: "1"\n    package_price: "1"\n    tier_scope: contract_term\n    charge_zero_usage: true',
            'TERM_CONFLICT tier_scope contract_term counts usage over a term, and charge_zero_usage is of a period',
        ],
        [
            'percentage',
            'percent: "1"\n    tier_scope: contract_term\n    proration: { unit: day }',
            'TERM_CONFLICT tier_scope contract_term counts usage over a term, and proration is of a period',
        ],
        [
            'flat',
            'fee: "1"\n    tier_scope: payer',
            'tier_scope: "payer" is not line, account, pool or contract_term',
        ],
        ['flat', 'fee: "1"\n    proration: "0.5"', 'CARD_INVALID'],
        ['flat', 'fee: "1"\n    currency: EUR', 'unknown key "currency"'],
        ['per_unit', 'minimum: "5"', 'CARD_INVALID price is missing'],
        ['flat', 'minimum: "5"', 'TERM_MISSING a flat rate needs fee, and has none'],
        [
            'flat',
            'fee: "1"\n    included: "5"',
            'TERM_CONFLICT included changes a quantity, and a flat fee has none',
        ],
        [
            'percentage',
            'percent: "1"\n    max_per_event: "5"\n    unit_conversion: { divide_by: "2" }',
            'TERM_CONFLICT unit_conversion changes a quantity, and a percentage of each event has none',
        ],
        [
            'dynamic',
            'unit_conversion: { rounding: up }',
            'TERM_CONFLICT unit_conversion needs divide_by or multiply_by, and not both',
        ],
        [
            'dynamic',
            'discounts: [{ percent: "100.1" }]',
            'TERM_CONFLICT a discount of 100.1 percent is more than there is',
        ],
        [
            'dynamic',
            'discounts: [{ percent: "1", amount: "1" }]',
            'TERM_CONFLICT a discount is a percent or an amount, and not both',
        ],
        [
            'percentage',
            'percent: "0.00000000001"',
            'PRICE_TOO_FINE the list price 0.0000000000001 for a unit',
        ],
    ])('%s with %s', (model, terms, said) => {
        expect(problems(model, terms)).toEqual(
            expect.arrayContaining([expect.stringContaining(said)]),
        );
    });

    test('a charge without usage looks at no attribute', () => {
        const rate = `when: { model: opus }, from: ${jan}`;
        const said = expect.stringContaining('rules/card.yaml:11: ZERO_USAGE_PATTERN');
        expect(problems('flat', 'fee: "1"', rate)).toEqual([said]);
        expect(
            problems(
                'graduated',
                'tiers: [{ unit_price: "1" }]',
                `${rate}, charge_zero_usage: true`,
            ),
        ).toEqual([said]);
    });

    test('a fee has no rival of another priority, for no usage decides between them', () => {
        const text = card('flat', 'fee: "1"', all, `${all}, priority: 1`);
        expect(linted(of(text))).toEqual([
            expect.stringContaining(
                'rules/card.yaml:11: FEE_RIVAL this flat rate is charged to accounts, and rules/card.yaml:12 is for all usage',
            ),
            expect.stringContaining('rules/card.yaml:12: FEE_RIVAL'),
        ]);
    });

    test('a fee beside what usage costs overlaps, and no priority would help', () => {
        const text = card('flat', 'fee: "1"', all).concat(
            '  - product: usage\n    meter: tokens\n    unit: token\n    model: per_unit\n',
            `    rates:\n      - { ${all}, price: "2" }\n`,
        );
        expect(linted(of(text))).toEqual([
            expect.stringContaining(
                'Keep one of them, or give the fee a meter of its own, over the same events.',
            ),
        ]);
    });

    test('two models at once overlap, and are told by their models', () => {
        const text = card('graduated', 'tiers: [{ unit_price: "1" }]', all, `${all}, minimum: "5"`);
        expect(linted(of(text))).toEqual([
            expect.stringContaining('RATE_OVERLAP two rates hold at once'),
        ]);
        expect(linted(of(text))[0]).toContain('graduated terms here and graduated terms at');
    });

    test('so many decimals that no amount of it can be computed', () => {
        const text = card(
            'graduated',
            'tiers: [{ unit_price: "0.000000000001" }]\n    discounts: [{ percent: "0.000000000001" }, { percent: "0.000000000001" }]',
            all,
        );
        const { rates } = loaded(of(text));
        expect(() => rateUnits(rates, () => false)).toThrow(/card\.yaml:12: TERMS_TOO_FINE/);
    });
});

describe('a markup on a card with terms', () => {
    const derive = (base: string, percent: string) =>
        load({
            'rules/base.yaml': base,
            'rules/card.yaml': `card: retail\nversion: "1"\ncurrency: USD\nextends: base.yaml\nmarkup: { percent: "${percent}" }\n`,
        });
    const raised = (base: string, percent = '50') => {
        const made = derive(base, percent);
        if (!('rates' in made)) throw new Error(made.join('\n'));
        const meters = { ...known.meters };
        expect(printed(lintCard(made, { known: { meters } }))).toEqual([]);
        const [rate] = made.rates;
        return { list: rate?.unit_price, terms: JSON.parse(rate?.terms ?? '{}') };
    };

    test('raises every price, and nothing that bounds an amount or takes off it', () => {
        const { list, terms } = raised(
            card(
                'graduated',
                'tiers: [{ up_to: "5", unit_price: "0.02", flat_fee: "4" }, { package_size: "10", package_price: "6" }]\n    minimum: "10"\n    maximum: "20"\n    discounts: [{ percent: "10" }, { amount: "2" }]',
                all,
            ),
        );
        expect(list).toBe('0.03');
        expect(terms).toMatchObject({
            tiers: [
                { up_to: '5', unit_price: '0.03', flat_fee: '6' },
                { package_size: '10', package_price: '9' },
            ],
            ...{ minimum: '10', maximum: '20' },
            discounts: [{ percent: '10' }, { amount: '2' }],
        });
    });

    test('raises a percent, a fee, a step, and compounds with a markup', () => {
        const events = 'percent: "2"\n    fixed_fee_per_event: "0.3"\n    max_per_event: "5"';
        expect(raised(card('percentage', events, all)).terms).toMatchObject({
            ...{ percent: '3', fixed_fee_per_event: '0.45', max_per_event: '5' },
        });
        expect(raised(card('flat', 'fee: "10"', all)).terms).toMatchObject({ fee: '15' });
        expect(raised(card('stairstep', 'steps: [{ price: "8" }]', all)).terms).toMatchObject({
            steps: [{ price: '12' }],
        });
        // A cost and a fifth more, and half of that more: 1.2 x 1.5 = 1.8.
        expect(raised(card('dynamic', 'markup_percent: "20"', all))).toMatchObject({
            list: '1.8',
            terms: { markup_percent: '80' },
        });
    });

    test('that makes a price too fine is told once', () => {
        expect(derive(card('flat', 'fee: "0.000000000001"', all), '50')).toEqual([
            expect.stringContaining(
                'rules/card.yaml:5: PRICE_TOO_FINE a price of the flat rate at rules/base.yaml:11 for any usage raised by 50% is 0.0000000000015, which has more than 12 decimals',
            ),
        ]);
    });
});
