import { describe, expect, test } from 'vitest';
import { rateOfPeriod } from '../../../src/compile/conversions.ts';
import { loadCurrencyRates } from '../../../src/rules/currency-rates.ts';
import { printed } from './support.ts';

const header = 'from,to,on,rate,source\n';
function load(text: string, age = 31) {
    const read = loadCurrencyRates('fx.csv', text, age);
    return 'problems' in read ? printed(read.problems) : read.rates;
}

describe('currency rates', () => {
    test('are exact texts with their lines; columns come in any order', () => {
        expect(
            load('source,rate,on,to,from\r\n"ECB, fixing",0.920000000001,2026-01-30,EUR,USD\r\n'),
        ).toEqual({
            ...{ file: 'fx.csv', max_age_days: 31 },
            rows: [
                {
                    ...{ from: 'USD', to: 'EUR', on: '2026-01-30', rate: '0.920000000001' },
                    ...{ source: 'ECB, fixing', line: 2 },
                },
            ],
        });
        expect(load(header)).toMatchObject({ rows: [] });
    });

    test('every problem at once, each at its line', () => {
        const rows = [
            'USD,EUR,2026-01-30,0.92,ECB',
            'USD,EUR,2026-01-30,0.93,ECB',
            'usd,EUR,2026-01-30,0.92,ECB',
            'USD,USD,2026-01-30,1,ECB',
            'USD,EUR,2026-02-30,0.92,ECB',
            'USD,EUR,30.01.2026,0.92,ECB',
            'USD,EUR,2026-03-01,0,ECB',
            'USD,EUR,2026-03-02,"0,92",ECB',
            'USD,EUR,2026-03-03,0.92,',
            'USD,EUR,2026-03-04,0.92',
        ];
        const remedy = '\n    A row is like USD,EUR,2026-01-30,0.92,ECB: 1 USD was 0.92 EUR.';
        const day = '\n    Write it as yyyy-mm-dd, like 2026-01-30.';
        expect(load(`${header}${rows.join('\n')}\n`)).toEqual([
            'fx.csv:3: CURRENCY_RATE_TWICE 1 USD on 2026-01-30 is 0.93 EUR here and 0.92 at line 2\n    Keep one of them: an invoice has one rate.',
            'fx.csv:4: UNKNOWN_CURRENCY usd is not an ISO 4217 currency\n    Write the three-letter code, e.g. USD.',
            'fx.csv:5: CURRENCY_RATE_INVALID this rate is from USD to itself\n    Take the row out: prices in a currency are not converted to it.',
            `fx.csv:6: CURRENCY_RATE_INVALID on "2026-02-30" is not a date${day}`,
            `fx.csv:7: CURRENCY_RATE_INVALID on "30.01.2026" is not a date${day}`,
            `fx.csv:8: CURRENCY_RATE_INVALID rate is "0": it must be above zero (rate)${remedy}`,
            `fx.csv:9: CURRENCY_RATE_INVALID rate "0,92" is not a plain decimal of at most 12 places that is not negative (rate)${remedy}`,
            `fx.csv:10: CURRENCY_RATE_INVALID source is empty (source)${remedy}`,
            'fx.csv:11: CURRENCY_RATE_INVALID this row has 4 cells, the header has 5\n    Write one cell for each column; quote a cell with a comma in it.',
        ]);
    });

    test('a header that lacks columns, has others, or one twice', () => {
        expect(load('from,to,date,rate,rate,source\n')).toEqual([
            'fx.csv:1: CURRENCY_RATE_INVALID there is no column "on"\n    The columns are from, to, on, rate, source.',
            'fx.csv:1: CURRENCY_RATE_INVALID column "date" is not known\n    Did you mean "rate"? The columns are from, to, on, rate, source.',
            'fx.csv:1: CURRENCY_RATE_INVALID two columns are called "rate"\n    The columns are from, to, on, rate, source.',
        ]);
        expect(load('')).toEqual(['fx.csv:1: CURRENCY_RATE_INVALID fx.csv is empty']);
    });
});

describe('the one rate of a pair for a period', () => {
    const rates = (...rows: readonly string[]) => {
        const read = load(`${header}${rows.join('\n')}\n`);
        if (!('rows' in read)) throw new Error(read.join('\n'));
        return read;
    };
    const all = rates(
        'USD,EUR,2026-09-30,0.92,a',
        'USD,EUR,2026-08-31,0.91,b',
        'USD,EUR,2026-10-02,0.93,c',
        'EUR,GBP,2026-10-01,0.85,d',
        'EUR,USD,2026-10-01,1.1,e',
    );
    test.each([
        ['the latest by the first of the month', '2026-10', 'USD', 'EUR', '0.92'],
        ['of the first itself', '2026-10', 'EUR', 'GBP', '0.85'],
        ['the next month has another', '2026-11', 'USD', 'EUR', '0.93'],
        ['thirty-one days are not too old', '2026-10', 'USD', 'EUR', '0.92'],
        [
            'nothing before its first row',
            '2026-08',
            'USD',
            'EUR',
            'fx.csv has no rate from USD to EUR on or before 2026-08-01',
        ],
        [
            'older than it may be',
            '2026-12',
            'USD',
            'EUR',
            'the latest rate from USD to EUR in fx.csv is of 2026-10-02: 60 days before 2026-12-01, and currency_rates_max_age_days is 31',
        ],
        ['not inverted', '2026-10', 'GBP', 'EUR', 'fx.csv has no rate from GBP to EUR of any date'],
        ['not chained', '2026-10', 'USD', 'GBP', 'fx.csv has no rate from USD to GBP of any date'],
    ])('%s', (_name, period, from, to, expected) => {
        const found = rateOfPeriod(all, { from, to }, period);
        expect('rate' in found ? found.rate : found.evidence).toBe(expected);
    });

    test('exactly as old as it may be, and a day older', () => {
        const found = (on: string) =>
            'rate' in
            rateOfPeriod(rates(`USD,EUR,${on},1,a`), { from: 'USD', to: 'EUR' }, '2026-10');
        expect([found('2026-08-31'), found('2026-08-30')]).toEqual([true, false]);
    });
});
