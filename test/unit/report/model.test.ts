import { describe, expect, test } from 'vitest';
import { breakCode, breakCodes } from '../../../src/report/break-codes.ts';
import { codeTotals, largestFirst } from '../../../src/report/breaks-summary.ts';
import { amountFigure, figure, sum, summaryAmount } from '../../../src/report/figures.ts';
import { renderHtml } from '../../../src/report/html.ts';
import { buildReport } from '../../../src/report/model.ts';
import { renderTerminal } from '../../../src/report/terminal.ts';
import type { BreakTotal } from '../../../src/schema/break.ts';
import {
    breakItem,
    certificate,
    hexKey,
    lineItem,
    lineItems,
    payerTotal,
    shuffled,
    tieOut,
} from '../../support/documents.ts';

const total = (over: Partial<BreakTotal>): BreakTotal => {
    const one = { code: 'METERED_NOT_DEBITED', asset: 'USD', break_count: 1, amount: '4.2' };
    return { ...one, money_amount: '4.2', currency: 'USD', ...over };
};

describe('figures', () => {
    test('keep every digit, with thousands apart', () => {
        expect(figure('-1234567.00000125')).toBe('-1,234,567.00000125');
        expect(figure('123')).toBe('123');
        expect(amountFigure('1234.5', 'USD')).toBe('1,234.50');
        expect(amountFigure('1234.5', 'JPY')).toBe('1,234.5');
        expect(amountFigure('1234.50', 'credits')).toBe('1,234.5');
        expect(sum(['0.1', '0.2', '-0.3'])).toBe('0');
    });

    test('a summary rounds to the currency, but never to nothing', () => {
        expect(summaryAmount('2549.6375', 'EUR')).toBe('2,549.64 EUR');
        expect(summaryAmount('-0.004', 'EUR')).toBe('-0.004 EUR');
        expect(summaryAmount('0', 'EUR')).toBe('0.00 EUR');
        expect(summaryAmount('1.2345', 'credits')).toBe('1.2345 credits');
    });
});

describe('order', () => {
    test('breaks: the largest of each currency by turns, whatever its sign, unpriced last', () => {
        const of = (break_id: string, money_amount: string | null, currency: string | null) =>
            breakItem({ break_id, money_amount, currency, amount: money_amount ?? '3' });
        const items = [
            of('small-usd', '1', 'USD'),
            of('jpy', '90000', 'JPY'),
            of('big-usd', '-200', 'USD'),
            of('eur', '100', 'EUR'),
            of('none', null, null),
        ];
        const ids = ['eur', 'jpy', 'big-usd', 'small-usd', 'none'];
        for (let seed = 0; seed < 10; seed += 1) {
            expect(largestFirst(shuffled(items, seed)).map((item) => item.break_id)).toEqual(ids);
        }
    });

    test('codes: the most frequent first, ties as in the catalogue, what was accepted last', () => {
        const codes = codeTotals([
            total({ code: 'AMOUNT_ROUNDING', break_count: 400 }),
            total({ code: 'ZZZ_UNKNOWN', break_count: 2 }),
            total({ code: 'OPEN_HOLD', break_count: 2 }),
            total({ code: 'AMOUNT_PRICE', asset: 'USD', break_count: 1 }),
            total({ code: 'AMOUNT_PRICE', asset: 'EUR', break_count: 4 }),
        ]);
        expect(codes.map((one) => [one.code, one.break_count])).toEqual([
            ['AMOUNT_PRICE', 5],
            ['OPEN_HOLD', 2],
            ['ZZZ_UNKNOWN', 2],
            ['AMOUNT_ROUNDING', 400],
        ]);
        expect(codes[0]?.totals.map((one) => one.asset)).toEqual(['EUR', 'USD']);
    });

    test('every code has its words; one that is not listed does not fail the report', () => {
        for (const [code, { fate, ...words }] of Object.entries(breakCodes)) {
            expect(code).toMatch(/^[A-Z_]+$/);
            expect(fate).toMatch(/^(break|counted|accepted)$/);
            for (const text of Object.values(words)) expect(text).toMatch(/^[A-Z].*\.$/);
        }
        expect(breakCode('ELSE').action).toBe('Investigate by hand.');
        expect(breakCode('toString').action).toBe('Investigate by hand.');
    });

    test('the same documents give the same bytes, whatever the order of their rows', () => {
        const lines = ['b', 'a', 'c'].flatMap((payer_id) =>
            lineItems(4, { payer_id, invoice_key: payer_id }),
        );
        const breaks = Array.from({ length: 12 }, (_, index) =>
            breakItem({ break_id: hexKey(index), payer_id: 'abc'[index % 3] ?? '' }),
        );
        const evidence = certificate({
            payers: ['a', 'b', 'c'].map((payer_id) => payerTotal({ payer_id })),
            tie_outs: ['a', 'b', 'c'].map((payer_id) => tieOut({ payer_id, account_id: payer_id })),
            breaks: [total({}), total({ code: 'OPEN_HOLD' }), total({ asset: 'EUR' })],
            suspense: ['A', 'B', 'C'].map((code) => ({ code, row_count: '1' })),
        });
        const build = (seed: number) =>
            buildReport({
                certificate: {
                    ...evidence,
                    payers: shuffled(evidence.payers, seed),
                    tie_outs: shuffled(evidence.tie_outs, seed),
                    breaks: shuffled(evidence.breaks, seed),
                    suspense: shuffled(evidence.suspense, seed),
                },
                lines: shuffled(lines, seed),
                breaks: shuffled(breaks, seed),
            });
        const first = build(0);
        for (let seed = 1; seed < 8; seed += 1) {
            expect(build(seed)).toEqual(first);
            expect(renderHtml(build(seed))).toBe(renderHtml(first));
            expect(renderTerminal(build(seed))).toBe(renderTerminal(first));
        }
    });
});

describe('waterfalls', () => {
    const waterfallsOf = (over: Parameters<typeof certificate>[0], breaks = [breakItem()]) =>
        buildReport({ certificate: certificate(over), lines: [], breaks }).waterfalls;

    test('sum accounts per payer and asset; parts and rest make the breaks', () => {
        const ties = [
            tieOut({ rated: '12.5', debited: '8.3', difference: '4.2', broken: '4.2' }),
            tieOut({
                account_id: 'acme-us',
                rated: '100',
                debited: '98.9995',
                difference: '1.0005',
                broken: '1',
                rounding: '0.0005',
            }),
            tieOut({ asset: 'EUR', rated: '3', debited: '3' }),
        ];
        const breaks = [
            breakItem(),
            breakItem({
                break_id: '2',
                account_id: 'acme-us',
                code: 'AMOUNT_PRICE',
                amount: '0.75',
            }),
            breakItem({ break_id: '3', code: 'OPEN_HOLD', amount: '0' }),
        ];
        const [usd, eur] = waterfallsOf({ tie_outs: ties }, breaks);
        expect(usd).toEqual({
            payer_id: 'acme',
            payer_name: 'Acme Corp',
            asset: 'USD',
            status: 'tied',
            account_count: 2,
            untied_count: 0,
            rated: '112.5',
            debited: '107.2995',
            difference: '5.2005',
            broken: '5.2',
            breaks: [
                { code: 'AMOUNT_PRICE', amount: '0.75' },
                { code: 'METERED_NOT_DEBITED', amount: '4.2' },
                { code: 'NOT_LISTED', amount: '0.25' },
            ],
            rounding: '0.0005',
            repriced: '0',
            unexplained: '0',
        });
        expect(eur).toMatchObject({ asset: 'EUR', rated: '3', broken: '0', breaks: [] });
        for (const one of [usd, eur]) {
            const parts = one?.breaks.map((part) => part.amount) ?? [];
            expect(sum(parts)).toBe(one?.broken);
            expect(sum([one?.broken ?? '', one?.rounding ?? '', one?.unexplained ?? ''])).toBe(
                one?.difference,
            );
        }
    });

    test('what needs a reader comes first', () => {
        const tie_outs = [
            tieOut({ payer_id: 'a', account_id: 'a' }),
            tieOut({ payer_id: 'b', account_id: 'b', status: 'unauditable', debited: '0' }),
            tieOut({ payer_id: 'c', account_id: 'c', broken: '1', difference: '1' }),
            tieOut({ payer_id: 'd', account_id: 'd', unexplained: '1', difference: '1' }),
        ];
        const payers = waterfallsOf({ tie_outs }, []).map((one) => one.payer_id);
        expect(payers).toEqual(['d', 'c', 'b', 'a']);
    });

    test('two accounts whose unexplained offset each other are still not tied', () => {
        const tie_outs = [
            tieOut({ payer_id: 'a', account_id: 'a', broken: '1' }),
            tieOut({ account_id: 'x', unexplained: '5' }),
            tieOut({ account_id: 'y', unexplained: '-5' }),
        ];
        const source = { certificate: certificate({ tie_outs }), lines: [lineItem()], breaks: [] };
        const model = buildReport(source);
        expect(model.waterfalls[0]).toMatchObject({ unexplained: '0', untied_count: 2 });
        expect(model.answer.tone).toBe('bad');
        expect(renderTerminal(model)).toContain('NOT TIED');
        expect(renderHtml(model)).toContain('not tied');
    });
});

describe('corrections of closed periods', () => {
    const correction = {
        ...{ backfill_id: 'b', corrects_period: '2026-09', payer_id: 'acme', currency: 'USD' },
        ...{ line_count: 1, amount: '4.00' },
    };
    const line = lineItem({
        ...{ line_key: 'k', line_type: 'debit_adjustment', amount: '4.00', backfill_id: 'b' },
        ...{ corrects_period: '2026-09', corrects_line_key: 'l' },
    });
    const failures = (amount: string, lines = [line]) =>
        buildReport({
            certificate: certificate({ corrections: [{ ...correction, amount }] }),
            ...{ lines, breaks: [] },
        })
            .proofs.filter(({ statement }) => statement.startsWith('Lines that correct'))
            .flatMap((proof) => proof.failures);

    test.each([
        ['lines and totals agree', '4.00', [line], []],
        ['a total is another', '5.00', [line], ['2026-09 / b / acme / USD']],
        ['no line has it', '4.00', [], ['2026-09 / b / acme / USD']],
        [
            'a line is of no backfill',
            '4.00',
            [line, { ...line, line_key: 'm', backfill_id: 'c' }],
            ['2026-09 / c / acme / USD'],
        ],
    ])('%s', (_what, amount, lines, expected) => {
        expect(failures(amount, lines)).toEqual(expected);
    });

    test('are a table on the terminal', () => {
        const model = buildReport({
            certificate: certificate({ corrections: [correction] }),
            ...{ lines: [line], breaks: [] },
        });
        expect(renderTerminal(model)).toContain(
            'Corrections of closed periods\n   period     payer    lines      amount    backfill\n   2026-09    acme         1    4.00 USD    b\n',
        );
    });
});

describe('proofs', () => {
    const proofsOf = (over: Parameters<typeof certificate>[0], lines = [lineItem()]) =>
        buildReport({ certificate: certificate(over), lines, breaks: [breakItem()] }).proofs;
    const failing = (over: Parameters<typeof certificate>[0], lines = [lineItem()]) =>
        proofsOf({ breaks: [total({})], ...over }, lines)
            .filter((proof) => !proof.holds)
            .map((proof) => [proof.statement.slice(0, 8), ...proof.failures]);

    test('hold for documents that agree', () => {
        expect(failing({})).toEqual([]);
        expect(proofsOf({})).toHaveLength(5);
    });

    test('a reconciliation need not have lines for its payers’ totals', () => {
        const none = { line_count: 0, amount: '0.00' };
        const payers = [payerTotal(none)];
        expect(failing({ pipeline: 'reconcile', payers }, [])).toEqual([]);
        expect(failing({ pipeline: 'reconcile' }, [])).toEqual([]);
        expect(proofsOf({ pipeline: 'reconcile' }, [])).toHaveLength(4);
    });

    test('lines must be as many and as much as the payer’s total', () => {
        const place = ['Lines ad', 'acme / USD'];
        expect(failing({ payers: [payerTotal({ line_count: 2 })] })).toEqual([place]);
        expect(failing({ payers: [payerTotal({ amount: '12.51' })] })).toEqual([place]);
        expect(failing({ payers: [] })).toEqual([place]);
        expect(failing({}, [])).toEqual([place]);
    });

    test('every line of every object must be accounted for', () => {
        const [input] = certificate().inputs;
        const inputs = [{ ...input!, suspended: '2' }];
        expect(failing({ inputs })).toEqual([['Lines in', 'usage/2026-10-09/part-0.ndjson.gz']]);
    });

    test('the identity must hold, and nothing be unexplained; unauditable groups stand apart', () => {
        expect(failing({ tie_outs: [tieOut({ rated: '13' })] })).toEqual([
            ['Rated - ', 'acme / acme-eu / USD'],
        ]);
        const tie_outs = [tieOut({ debited: '12', difference: '0.5', unexplained: '0.5' })];
        expect(failing({ tie_outs })).toEqual([['Unexplai', 'acme / acme-eu / USD: 0.5']]);
        expect(failing({ tie_outs: [tieOut({ status: 'unauditable', debited: '0' })] })).toEqual(
            [],
        );
    });

    test('the list of breaks must be as long as the totals say, without what was accepted', () => {
        const accepted = total({ code: 'AMOUNT_ROUNDING', break_count: 400 });
        expect(failing({ breaks: [total({}), accepted] })).toEqual([]);
        expect(failing({ breaks: [total({ break_count: 2 })] })).toEqual([
            ['The list', 'METERED_NOT_DEBITED / USD'],
        ]);
    });

    test('names five places and counts the rest', () => {
        const payers = Array.from({ length: 8 }, (_, index) =>
            payerTotal({ payer_id: `p${index}`, line_count: 1 }),
        );
        const [places] = failing({ payers: [...payers, payerTotal()] });
        expect(places).toHaveLength(1 + 6);
        expect(places?.at(-1)).toBe('and 3 more');
    });
});
