import { describe, expect, test } from 'vitest';
import { cardOf, header, load, loaded, matrixCard } from './support.ts';

const inline = (...rates: readonly string[]) => load({ 'rules/card.yaml': cardOf(rates) });
const rows = (...lines: readonly string[]) =>
    load({ 'rules/card.yaml': matrixCard, 'rules/rates.csv': [header, ...lines].join('\n') });
const from = 'from: 2026-01-01T00:00:00Z';

describe('the card', () => {
    test('every problem of its shape at once, each at its line', () => {
        const text = cardOf(
            [
                `when: { model: opus }, price: 0.5, ${from}`,
                `when: { model: 4 }, prise: "1", price: "1", ${from}`,
                `price: "1"`,
            ],
            '\n    currancy: EUR',
        ).replace('version: "1"', 'version: 1.10');
        expect(load({ 'rules/card.yaml': text })).toEqual([
            'rules/card.yaml:2: CARD_INVALID version must be text: write it in quotes, "1.1" (version)',
            'rules/card.yaml:12: CARD_INVALID price is a bare number, which loses digits: write it in quotes, like "0.5" (charges.0.rates.0.price)',
            'rules/card.yaml:13: CARD_INVALID the value of an attribute ("*" is any) must be text: write it in quotes, "4" (charges.0.rates.1.when.model)',
            'rules/card.yaml:13: CARD_INVALID unknown key "prise". Did you mean "price"? (charges.0.rates.1.prise)',
            'rules/card.yaml:14: CARD_INVALID when is missing: write `when: {}` for a rate of all usage of the meter (charges.0.rates.2.when)',
            'rules/card.yaml:14: CARD_INVALID from is missing (charges.0.rates.2.from)',
            'rules/card.yaml:10: CARD_INVALID unknown key "currancy". Known here, among others: product, unit, rates, proration, tier_scope. (charges.0.currancy)',
        ]);
    });

    test.each([
        [
            'model: per_unit',
            'model: per_unti',
            '"per_unti" is not a charge model. Did you mean "per_unit"?',
        ],
        [
            'model: per_unit',
            'model: tiered',
            '"tiered" is not a charge model. Known here: per_unit, graduated, volume, package, stairstep, percentage, graduated_percentage, dynamic, flat.',
        ],
        ['    model: per_unit\n', '', 'model is missing: write `model: per_unit`'],
        [
            'price_per: "1000"',
            'price_per: "1e3"',
            'price_per must be a whole number above zero, like "1000000"',
        ],
        [
            'price_per: "1000"',
            'price_per: "0"',
            'price_per must be a whole number above zero, like "1000000"',
        ],
        [
            'price_per: "1000"',
            'price_per: 1000',
            'price_per must be text: write it in quotes, "1000"',
        ],
        [
            'card: list',
            'card: My List',
            'a card is named with lower-case letters, digits, ".", "_" and "-"',
        ],
        ['currency: USD', 'currency:', 'currency is empty'],
    ])('%s as %s', (right, wrong, message) => {
        const text = cardOf([`when: {}, price: "1", ${from}`]).replace(right, wrong);
        const problems = load({ 'rules/card.yaml': text });
        expect(problems).toHaveLength(1);
        expect(problems).toEqual([expect.stringContaining(`CARD_INVALID ${message} (`)]);
    });

    test('a key twice, and text that is not YAML', () => {
        expect(inline(`when: {}, price: "1", price: "2", ${from}`)).toEqual([
            'rules/card.yaml:11: CARD_INVALID the same key twice\n    Keep one of the two.',
        ]);
    });

    test('NO_RATES', () => {
        const text = cardOf([]).replace('    rates:\n', '');
        expect(load({ 'rules/card.yaml': text })).toEqual([
            'rules/card.yaml:5: NO_RATES charge llm has no rates\n    Give it rates, a matrix, or both; otherwise take it out.',
        ]);
    });
});

describe('a rate', () => {
    test('every problem of what its texts mean, at its line', () => {
        expect(
            inline(
                `when: { model: " opus" }, price: "5,00", from: 2026-02-30T00:00:00Z`,
                `when: { model: "opus-*" }, price: "0.0000000001", from: 2026-01-01`,
                `when: {}, price: "1", from: 0206-01-01T00:00:00Z, to: 2026-01-01T00:00:00`,
                `when: {}, price: "100000000000000000", ${from}`,
            ),
        ).toEqual([
            'rules/card.yaml:11: BAD_INSTANT from "2026-02-30T00:00:00Z" is not an instant\n    Write day, time and zone: 2026-03-01T00:00:00Z.',
            'rules/card.yaml:11: BAD_PRICE price "5,00" is not a plain decimal\n    Write digits and one point, like 0.5: no thousands, currency or exponent.',
            'rules/card.yaml:11: BAD_VALUE model " opus" begins or ends with a space, so no usage would match it\n    Write "opus".',
            'rules/card.yaml:12: BAD_INSTANT from "2026-01-01" is not an instant\n    Write day, time and zone: 2026-03-01T00:00:00Z.',
            'rules/card.yaml:12: BAD_VALUE model "opus-*" is not a pattern that can be matched\n    A * stands for a whole value, alone. Write one rate per value.',
            'rules/card.yaml:12: PRICE_TOO_FINE price 0.0000000001 for 1000 units is not a whole number of 10^-12 per unit\n    Prices are never rounded: use fewer decimals, or another price_per.',
            'rules/card.yaml:13: BAD_INSTANT from 0206-01-01T00:00:00Z is not between the years 1900 and 9999\n    Look at the year. A rate without an end has no "to".',
            'rules/card.yaml:13: BAD_INSTANT to "2026-01-01T00:00:00" is not an instant\n    Write day, time and zone: 2026-03-01T00:00:00Z.',
            'rules/card.yaml:14: PRICE_TOO_LARGE price 100000000000000000 for 1000 units is 10^14 or more\n    No amount can be that large: look for a slipped decimal point.',
        ]);
    });

    test.each([
        ['"5"', '1000', '0.005'],
        ['"0.000000001"', '1000', '0.000000000001'],
        ['"0"', '1000', '0'],
        ['"99999999999999.999999999999"', '1', '99999999999999.999999999999'],
        ['"1"', '3', null],
        ['"3"', '3', '1'],
        ['"0.1000000000000"', '1', '0.1'],
    ])('price %s for %s is %s a unit, exactly', (price, per, unitPrice) => {
        const text = cardOf([`when: {}, price: ${price}, ${from}`]).replace('"1000"', `"${per}"`);
        const card = load({ 'rules/card.yaml': text });
        if (unitPrice === null) expect(card).toEqual([expect.stringContaining('PRICE_TOO_FINE')]);
        else expect(card).toMatchObject({ rates: [{ unit_price: unitPrice }] });
    });
});

describe('a matrix', () => {
    test('is read with places, priorities, open ends and notes', () => {
        expect(
            rows(
                'opus,input,0.5,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,10,"a, ""quoted""',
                'note"',
                'opus,*,0.25,2026-01-01T00:00:00Z,,,',
            ),
        ).toMatchObject({
            rates: [
                {
                    priority: 10n,
                    effective_to: '2026-02-01T00:00:00Z',
                    line: 2n,
                    file: 'rules/rates.csv',
                },
                { match_key: '{"model":"opus"}', priority: 0n, effective_to: null, line: 4n },
            ],
        });
    });

    test('line ends of Windows, a byte order mark and blank lines do not move the lines', () => {
        const text = `\ufeff${header}\r\n\r\nopus,input,x,2026-01-01T00:00:00Z,,,"a\r\nb"\r\nopus,output,y,2026-01-01T00:00:00Z,,,\r\n`;
        const problems = load({ 'rules/card.yaml': matrixCard, 'rules/rates.csv': text });
        expect(problems).toEqual([
            expect.stringMatching(/^rules\/rates\.csv:3: BAD_PRICE price "x"/),
            expect.stringMatching(/^rules\/rates\.csv:5: BAD_PRICE price "y"/),
        ]);
    });

    test('every problem of its cells at once', () => {
        expect(
            rows(
                ',input,1,2026-01-01T00:00:00Z,,,',
                'opus,input,,,,,',
                'opus,input,1,2026-01-01T00:00:00Z,,high,',
                'opus,input,1,2026-01-01T00:00:00Z,',
            ),
        ).toEqual([
            'rules/rates.csv:2: EMPTY_ATTRIBUTE model is empty\n    Write the value it must have, or * for any value.',
            'rules/rates.csv:3: EMPTY_CELL price is empty',
            'rules/rates.csv:3: EMPTY_CELL from is empty',
            'rules/rates.csv:4: BAD_PRIORITY priority "high" is not a whole number\n    Write one like 10; the higher wins. Leave it empty for 0.',
            'rules/rates.csv:5: CELL_COUNT this row has 5 cells, the header has 7',
        ]);
    });

    test('columns: one that is not there is shown in the card, the others in the file', () => {
        const text = `model,clas,price,price,from,to,priority,region\n`;
        expect(load({ 'rules/card.yaml': matrixCard, 'rules/rates.csv': text })).toEqual([
            'rules/card.yaml:11: UNKNOWN_COLUMN rules/rates.csv has no column "class" (attributes.token_class)\n    Did you mean "clas"?',
            'rules/card.yaml:16: UNKNOWN_COLUMN rules/rates.csv has no column "note" (ignore.0)\n    Known here: model, clas, price, price, from, to, priority, region.',
            'rules/rates.csv:1: DUPLICATE_COLUMN two columns are called "price"',
            'rules/rates.csv:1: EMPTY_MATRIX rules/rates.csv has no rates',
            'rules/rates.csv:1: UNUSED_COLUMN nothing in the card says what column "clas" is\n    Name it in the matrix: under attributes, as to or priority, or under ignore.',
            'rules/rates.csv:1: UNUSED_COLUMN nothing in the card says what column "region" is\n    Name it in the matrix: under attributes, as to or priority, or under ignore.',
        ]);
    });

    test('a column that nothing names is refused even where all else is right', () => {
        const text = `${header},region\nopus,input,1,2026-01-01T00:00:00Z,,,,eu\n`;
        expect(load({ 'rules/card.yaml': matrixCard, 'rules/rates.csv': text })).toEqual([
            expect.stringContaining(
                'rates.csv:1: UNUSED_COLUMN nothing in the card says what column "region" is',
            ),
        ]);
    });

    test('a quote that never closes is shown where it opens', () => {
        expect(
            rows(
                'opus,input,1,2026-01-01T00:00:00Z,,,',
                'opus,output,1,2026-01-01T00:00:00Z,,,"x',
                ',,,,',
            ),
        ).toEqual([
            'rules/rates.csv:3: BAD_CSV a quote opens here and never closes\n    A cell with a comma or quote in it is quoted whole; a quote in it is doubled.',
        ]);
    });

    test('a stray quote', () => {
        expect(rows('op"us,input,1,2026-01-01T00:00:00Z,,,')).toEqual([
            expect.stringMatching(/^rules\/rates\.csv:2: BAD_CSV Invalid Opening Quote/),
        ]);
    });

    test('an empty file', () => {
        expect(load({ 'rules/card.yaml': matrixCard, 'rules/rates.csv': '' })).toEqual([
            'rules/rates.csv:1: EMPTY_MATRIX rules/rates.csv is empty',
        ]);
    });

    test('FILE_NOT_FOUND at the line that names it', () => {
        expect(load({ 'rules/card.yaml': matrixCard })).toEqual([
            'rules/card.yaml:10: FILE_NOT_FOUND rules/rates.csv cannot be read\n    The file of a matrix is named relative to the folder of its card.',
        ]);
    });

    test('a charge may have rates of both kinds', () => {
        const card = `${matrixCard}    rates:\n      - { when: {}, price: "9", ${from} }\n`;
        const csv = `${header}\nopus,input,1,2026-01-01T00:00:00Z,,,\n`;
        expect(loaded({ 'rules/card.yaml': card, 'rules/rates.csv': csv }).rates).toHaveLength(2);
    });
});
