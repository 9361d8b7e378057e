import { describe, expect, test } from 'vitest';
import { lintCard } from '../../../src/rules/lint.ts';
import {
    cardOf,
    header,
    known,
    linted,
    lintedRates,
    lintedRows,
    loaded,
    matrixCard,
} from './support.ts';

const jan = '2026-01-01T00:00:00Z';
const feb = '2026-02-01T00:00:00Z';
const mar = '2026-03-01T00:00:00Z';
const apr = '2026-04-01T00:00:00Z';
const good = `when: {}, price: "1", from: ${jan}`;

describe('names', () => {
    test('UNKNOWN_METER, once for a charge, at its line', () => {
        const text = cardOf([good, `when: { model: a }, price: "1", from: ${jan}`]);
        expect(
            linted({ 'rules/card.yaml': text.replace('meter: tokens', 'meter: tokns') }),
        ).toEqual([
            'rules/card.yaml:6: UNKNOWN_METER no meter is called "tokns"\n    Did you mean "tokens"?',
        ]);
        expect(
            linted({ 'rules/card.yaml': text.replace('meter: tokens', 'meter: seats') }),
        ).toEqual([
            'rules/card.yaml:6: UNKNOWN_METER no meter is called "seats"\n    Known here: tokens, requests.',
        ]);
    });

    test('UNKNOWN_ATTRIBUTE, where it is first named, even as a wildcard', () => {
        expect(
            lintedRates(
                `when: { modle: "*", model: opus }, price: "1", from: ${jan}`,
                `when: { modle: opus, model: "*" }, price: "1", from: ${feb}`,
            ),
        ).toEqual([
            'rules/card.yaml:11: UNKNOWN_ATTRIBUTE meter tokens has no attribute "modle"\n    Did you mean "model"?',
        ]);
        const files = {
            'rules/card.yaml': matrixCard.replace('token_class: class', 'tokenclass: class'),
            'rules/rates.csv': `${header}\na,b,1,${jan},,,\nb,b,1,${jan},,,\n`,
        };
        expect(linted(files)).toEqual([
            'rules/card.yaml:11: UNKNOWN_ATTRIBUTE meter tokens has no attribute "tokenclass"\n    Did you mean "token_class"?',
        ]);
    });

    test('UNKNOWN_CURRENCY', () => {
        const text = cardOf([good]);
        expect(
            linted({ 'rules/card.yaml': text.replace('currency: USD', 'currency: usd') }),
        ).toEqual([
            'rules/card.yaml:3: UNKNOWN_CURRENCY usd is not a currency\n    Did you mean "USD"?',
        ]);
        expect(
            linted({ 'rules/card.yaml': text.replace('currency: USD', 'currency: TOK') }),
        ).toEqual([
            'rules/card.yaml:3: UNKNOWN_CURRENCY TOK is not a currency\n    Use a code of ISO 4217: "USD".',
        ]);
    });
});

describe('one rate', () => {
    test('NEGATIVE_PRICE', () => {
        expect(lintedRates(`when: {}, price: "-5", from: ${jan}`)).toEqual([
            'rules/card.yaml:11: NEGATIVE_PRICE the price of one unit is -0.005\n    A rate never pays the customer: use a credit for that.',
        ]);
    });

    test('EMPTY_SPAN, and it overlaps nothing', () => {
        expect(lintedRates(`${good}, to: ${jan}`, good)).toEqual([
            `rules/card.yaml:11: EMPTY_SPAN this rate never holds: it begins at ${jan} and ends at ${jan}\n    The end is the first instant after it: it must be later than from.`,
        ]);
    });
});

describe('rates of one pattern', () => {
    test('that meet are right', () => {
        expect(lintedRows(`a,b,1,${jan},${feb},,`, `a,b,2,${feb},,,`)).toEqual([]);
    });

    test('RATE_OVERLAP with the two prices, the two places and what to write', () => {
        expect(lintedRows(`a,b,2,${feb},,,`, `a,b,1,${jan},,,`)).toEqual([
            `rules/rates.csv:2: RATE_OVERLAP two rates hold at once from ${feb} for model=a, token_class=b: 2 here and 1 at rules/rates.csv:3\n    End the one at rules/rates.csv:3 with ${feb}, or give one a higher priority.`,
        ]);
    });

    test('RATE_OVERLAP with the longest before, not with the last', () => {
        expect(
            lintedRows(`a,b,1,${jan},${apr},,`, `a,b,2,${feb},${mar},5,`, `a,b,3,${mar},,,`),
        ).toEqual([expect.stringContaining('rates.csv:4: RATE_OVERLAP')]);
        expect(
            lintedRows(`a,b,1,${jan},${apr},,`, `a,b,2,${jan},${feb},,`, `a,b,3,${mar},,,`),
        ).toEqual([
            expect.stringMatching(
                /^rules\/rates\.csv:3: RATE_OVERLAP .*\n {4}Keep one of them, or give/,
            ),
            expect.stringMatching(/^rules\/rates\.csv:4: RATE_OVERLAP .* 1 at rules\/rates\.csv:2/),
        ]);
    });

    test('a higher priority may lie over another', () => {
        expect(lintedRows(`a,b,1,${jan},,,`, `a,b,2,${feb},${mar},5,`)).toEqual([]);
    });

    test('rates of other meters and other patterns do not overlap', () => {
        expect(lintedRows(`a,b,1,${jan},,,`, `a,c,1,${jan},,,`, `a,*,1,${jan},,,`)).toEqual([]);
    });

    test('two charges of one meter overlap like two rows', () => {
        const text = `${matrixCard}  - product: other
    meter: tokens
    model: per_unit
    unit: token
    rates: [{ when: { model: a, token_class: b }, price: "2", from: ${feb} }]
`;
        const csv = `${header}\na,b,1,${jan},,,\n`;
        expect(linted({ 'rules/card.yaml': text, 'rules/rates.csv': csv })).toEqual([
            expect.stringContaining('rules/card.yaml:21: RATE_OVERLAP two rates hold at once'),
        ]);
    });

    test('DUPLICATE_RATE', () => {
        expect(lintedRows(`a,b,1,${jan},,,`, `a,b,1.0,${jan},,0,`)).toEqual([
            'rules/rates.csv:3: DUPLICATE_RATE this rate is also at rules/rates.csv:2: model=a, token_class=b\n    Keep one of them.',
        ]);
    });

    test('RATE_GAP, down to the microsecond', () => {
        expect(lintedRows(`a,b,1,${jan},2026-01-31T23:59:59.999999Z,,`, `a,b,2,${feb},,,`)).toEqual(
            [
                `rules/rates.csv:3: RATE_GAP no rate holds from 2026-01-31T23:59:59.999999Z to ${feb} for model=a, token_class=b: the one before, at rules/rates.csv:2, has ended and this one has not begun\n    Let them meet, or add a rate for the time between.`,
            ],
        );
    });

    test('offers with a hole between them are right over a price without one', () => {
        expect(
            lintedRows(`a,b,9,${jan},,,`, `a,b,5,${jan},${feb},1,`, `a,b,4,${mar},${apr},1,`),
        ).toEqual([]);
    });
});

describe('rates of two patterns', () => {
    test('RATE_TIE with both places and the usage that both match', () => {
        expect(
            lintedRates(
                `when: { model: opus }, price: "1", from: ${jan}`,
                `when: { region: eu }, price: "2", from: ${jan}`,
            ),
        ).toEqual([
            'rules/card.yaml:12: RATE_TIE nothing decides between this rate for region=eu and the one for model=opus at rules/card.yaml:11: usage with model=opus, region=eu matches both, with as many attributes, the same priority and the same from\n    Give one of them a higher priority, or add a rate for model=opus, region=eu.',
        ]);
    });

    test.each([
        [
            'an attribute on which they differ',
            'model: opus, region: eu',
            'model: haiku, token_class: input',
            '',
        ],
        ['a higher priority', 'model: opus', 'region: eu', ', priority: 1'],
    ])('no tie: %s', (_, one, other, more) => {
        expect(
            lintedRates(
                `when: { ${one} }, price: "1", from: ${jan}`,
                `when: { ${other} }, price: "2", from: ${jan}${more}`,
            ),
        ).toEqual([]);
    });

    test('no tie: a later from decides', () => {
        expect(
            lintedRates(
                `when: { model: opus }, price: "1", from: ${jan}`,
                `when: { region: eu }, price: "2", from: ${feb}`,
            ),
        ).toEqual([]);
    });

    test('a tie on one shared attribute with the same value', () => {
        expect(
            lintedRates(
                `when: { model: opus, region: eu }, price: "1", from: ${jan}`,
                `when: { model: opus, token_class: input }, price: "2", from: ${jan}`,
            ),
        ).toEqual([
            expect.stringContaining('usage with model=opus, region=eu, token_class=input matches'),
        ]);
    });

    const third = (when: string, more: string) =>
        lintedRates(
            `when: { model: opus }, price: "1", from: ${jan}, to: ${apr}`,
            `when: { region: eu }, price: "2", from: ${jan}`,
            `when: { ${when} }, price: "3", ${more}`,
        );

    test('no tie where a third rate beats both for all that they share', () => {
        expect(third('model: opus, region: eu', `from: ${jan}`)).toEqual([]);
        expect(third('model: opus, region: eu', `from: ${jan}, to: ${apr}`)).toEqual([]);
        expect(third('model: opus', `from: ${jan}, to: ${apr}, priority: 1`)).toEqual([]);
    });

    test('a tie where the third covers only a part of the time, or of the usage', () => {
        const tie = [expect.stringContaining('rules/card.yaml:12: RATE_TIE')];
        expect(third('model: opus, region: eu', `from: ${jan}, to: ${mar}`)).toEqual(tie);
        expect(third('model: opus, region: eu', `from: ${feb}`)).toEqual(tie);
        expect(third('model: opus, region: eu, token_class: input', `from: ${jan}`)).toEqual(tie);
        expect(third('model: opus, region: us', `from: ${jan}`)).toEqual(tie);
    });

    test('a mistake in two long lists is shown a hundred times, not ten thousand', () => {
        const rates = Array.from({ length: 30 }, (_, at) => [
            `when: { model: m${at} }, price: "1", from: ${jan}`,
            `when: { region: r${at} }, price: "1", from: ${jan}`,
        ]);
        const problems = lintedRates(...rates.flat());
        expect(problems).toHaveLength(101);
        expect(problems).toContainEqual(
            expect.stringContaining('there are more ties than these 100'),
        );
    });
});

test('ten thousand rates of six attributes', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const mapped = names.map((name) => `${name}: ${name}`).join(', ');
    const card = matrixCard.replace('model: model, token_class: class', mapped);
    const rows = Array.from({ length: 10_000 }, (_, at) => {
        // Every mask in turn; values spread so that each pattern comes once.
        const cells = names.map((_name, bit) => ((at >> bit) & 1 ? `v${(at >> 6) + bit}` : '*'));
        return at % 64 === 0 && at > 0 ? [] : [`${cells.join(',')},1,${jan},,${at},`];
    }).flat();
    const csv = [`${names.join(',')},price,from,to,priority,note`, ...rows].join('\n');
    const start = performance.now();
    const compiled = loaded({ 'rules/card.yaml': card, 'rules/rates.csv': csv });
    const read = performance.now();
    expect(lintCard(compiled, { known: { meters: { ...known.meters, tokens: names } } })).toEqual(
        [],
    );
    const end = performance.now();
    console.log(
        `${compiled.rates.length} rates: read in ${Math.round(read - start)} ms, linted in ${Math.round(end - read)} ms`,
    );
});
