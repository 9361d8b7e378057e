import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Column, neutralise, toCsv } from '../../../src/export/csv.ts';

type Row = Readonly<Record<string, string | number | bigint | null>>;
const column = (header: string, kind: Column<Row>['kind'] = 'text'): Column<Row> => {
    return { header, kind, value: (row) => row[header] ?? null };
};
const cell = (value: string | number | bigint | null, kind: Column<Row>['kind'] = 'text') => {
    const [, read] = parse(toCsv([{ a: value, b: 'x' }], [column('a', kind), column('b')]));
    return (read as string[])[0];
};

describe('a cell that a spreadsheet would run', () => {
    const formulas: readonly (readonly [string, string])[] = [
        ['equals', '=HYPERLINK("http://evil","x")'],
        ['plus', '+1+1'],
        ['minus', "-2+3+cmd|' /C calc'!A0"],
        ['at', '@SUM(1)'],
        ['full-width equals', '＝1+1'],
        ['full-width plus', '＋1'],
        ['full-width minus', '－1'],
        ['full-width at', '＠SUM(1)'],
        ['small equals', '﹦1'],
        ['small plus', '﹢1'],
        ['small hyphen', '﹣1'],
        ['small at', '﹫x'],
        ['the mathematical minus', '\u22121'],
        ['a leading tab', '\tx'],
        ['a leading carriage return', '\rx'],
        ['a leading line feed', '\nx'],
        ['a leading blank', ' =1'],
        ['leading blanks of many kinds', '\u00a0\u2003\u3000=1'],
        ['a leading quote', '"=1'],
        ['a leading apostrophe', "'=1"],
        ['an apostrophe before a tab', "'\tx"],
        ['a byte order mark', '\ufeff=1'],
        ['a zero-width space', '\u200b=1'],
        ['a bidi override', '\u202e=1'],
        ['a soft hyphen', '\u00ad=1'],
        ['NUL and escape', '\0\u001b=1'],
        ['a mixture', ' \u200b"\' @x'],
    ];
    test.each(formulas)('with %s gets an apostrophe', (_what, text) => {
        expect(neutralise(text)).toBe(`'${text}`);
        expect(cell(text)).toBe(`'${text}`);
    });

    test('any text column: a heading, and a number with a sign', () => {
        expect(toCsv([], [column('=a')])).toBe("'=a\n");
        expect(cell(-5)).toBe("'-5");
    });

    test.each(['', 'a=b', 'x-1', '1-1', 'Acme, Inc.', "O'Hara", '"quoted"', '_=1', '5', 'é', '株'])(
        '%j is left alone',
        (text) => expect(neutralise(text)).toBe(text),
    );

    test('two cells never become one: the apostrophe can be taken off again', () => {
        const alphabet = [...'\'"=+-@\t\r\n a\u200b\ufeff＝\u2212'];
        const texts = fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 5 });
        const restore = (written: string) =>
            written.startsWith("'") && neutralise(written.slice(1)) === written
                ? written.slice(1)
                : written;
        fc.assert(
            fc.property(texts, (text) => {
                expect(restore(neutralise(text))).toBe(text);
            }),
            { numRuns: 2_000 },
        );
    });
});

describe('a decimal column', () => {
    test.each(['-5', '-0.000000000001', '0', '12.50', '123456789012345678901234567890.1'])(
        'keeps %s as a number',
        (text) => expect(cell(text, 'decimal')).toBe(text),
    );
    test.each(['-', '--1', '-1+1', '-1e3', '=1', '+1', ' -1', '-1 ', '-.5', '-1,5', '-1\n', '－1'])(
        'does not trust %j',
        (text) => expect(cell(text, 'decimal')).toBe(neutralise(text)),
    );
    test('takes integers of any size', () => {
        expect(cell(-(10n ** 30n), 'decimal')).toBe(`-1${'0'.repeat(30)}`);
        expect(cell(-7, 'decimal')).toBe('-7');
    });
});

describe('RFC 4180', () => {
    const columns = [column('a'), column('b'), column('c', 'decimal')];
    const rows = (texts: readonly string[]) => texts.map((a) => ({ a, b: 'end', c: '-1.5' }));
    const roundTrip = (texts: readonly string[]) =>
        (parse(toCsv(rows(texts), columns), { columns: true }) as Row[]).map((row) => row.a);

    test('edge cases read back as they were', () => {
        const texts = [
            ...['', ' ', ',', '"', '""', '","', 'a"b', 'a,b', '"a"', "'", "''"],
            ...['a\nb', 'a\r\nb', 'a\rb', 'a\n', 'a\r', ' a', 'a ', 'a\t', 'a\u2028b', 'a\u0085b'],
            ...['\\', '\\"', '\\n', '#', ';', '|', '😀', '\u{1F1E6}', 'é', 'a\0b', '\u007f'],
        ];
        expect(roundTrip(texts)).toEqual(texts);
    });

    test('so does any text, behind its apostrophe', () => {
        const texts = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 8 });
        fc.assert(
            fc.property(texts, (all) => {
                const wellFormed = all.map((text) => text.toWellFormed());
                expect(roundTrip(wellFormed)).toEqual(wellFormed.map(neutralise));
            }),
        );
    });

    test('is LF, comma, a heading, no BOM; null is empty; half a character is replaced', () => {
        const text = toCsv(
            [
                { a: null, b: 'x,"y"', c: 3n },
                { a: '\ud83d', b: '' },
            ],
            columns,
        );
        expect(text).toBe('a,b,c\n,"x,""y""",3\n\ufffd,,\n');
        expect(toCsv([], columns)).toBe('a,b,c\n');
    });

    test('what a lax reader would cut off stands in quotes', () => {
        expect(toCsv(rows([' a', 'a ', 'a\rb']), columns)).toBe(
            'a,b,c\n" a",end,-1.5\n"a ",end,-1.5\n"a\rb",end,-1.5\n',
        );
    });
});
