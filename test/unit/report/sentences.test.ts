import { describe, expect, test } from 'vitest';
import { buildReport, type ReportSource } from '../../../src/report/model.ts';
import {
    breakItem,
    certificate,
    lineItem,
    lineItems,
    payerTotal,
    tieOut,
} from '../../support/documents.ts';

type Over = Parameters<typeof certificate>[0];
const report = (over: Over, rest: Partial<ReportSource> = {}) =>
    buildReport({ certificate: certificate(over), lines: [lineItem()], breaks: [], ...rest });
const words = (over: Over, rest: Partial<ReportSource> = {}) => {
    const { answer, sentences } = report(over, rest);
    return [answer.tone, answer.text, ...sentences];
};

const held = payerTotal({
    payer_id: 'globex',
    payer_name: 'Globex',
    currency: 'EUR',
    break_count: 1,
    break_money: '99.5',
    recon_status: 'held',
});
const heldLine = lineItem({
    line_key: 'h',
    payer_id: 'globex',
    currency: 'EUR',
    amount: '30.00',
    recon_status: 'held',
});
const heldNight = { payers: [payerTotal(), held], result: 'held' } as const;

describe('what the report says', () => {
    test('of a clean night', () => {
        expect(words({})).toEqual([
            'good',
            'All 12.50 USD may be invoiced.',
            'October 2026 was rated at 12.50 USD: 1 invoice line for 1 payer.',
            'The tie-out is zero: in the one group, what was rated less what was debited is explained to the last digit.',
            'No payer is held.',
            'There are no open breaks.',
        ]);
    });

    test.each([
        [[['wallet_settlement', '-12.00']], 'Wallets paid 12.00 USD of it: 0.50 USD is left.'],
        [
            [
                ['true_up', '100.00'],
                ['overage', '5.00'],
                ['commitment_fee', '20.00'],
            ],
            'Commitments add 125.00 USD: 137.50 USD is left.',
        ],
        [
            [
                ['wallet_settlement', '-2.00'],
                ['balance_consumed', '-3.00'],
                ['commitment_consumed', '-4.00'],
                ['overage', '1.00'],
            ],
            'Wallets paid 2.00 USD of it, grants and prepaid commitments paid 7.00 USD and commitments add 1.00 USD: 4.50 USD is left.',
        ],
        [
            [
                ['debit_adjustment', '4.00'],
                ['credit_adjustment', '-6.00'],
            ],
            'Corrections of closed periods add -2.00 USD: 10.50 USD is left.',
        ],
    ] as const)('of lines beside usage, case %#', (beside, sentence) => {
        const lines = [
            lineItem(),
            ...beside.map(([line_type, amount]) =>
                lineItem({ line_key: line_type, line_type, amount }),
            ),
        ];
        expect(words({}, { lines })[3]).toBe(sentence);
    });

    test('of a night with one payer held', () => {
        const breaks = [
            breakItem({ payer_id: 'globex', currency: 'EUR', money_amount: '-99.5' }),
            breakItem({ break_id: '2', money_amount: '4.206' }),
            breakItem({ break_id: '3', money_amount: null, currency: null }),
        ];
        expect(words(heldNight, { lines: [lineItem(), heldLine], breaks })).toEqual([
            'warn',
            '12.50 USD may be invoiced now; 30.00 EUR must wait for 1 held payer.',
            'October 2026 was rated at 30.00 EUR and 12.50 USD: 2 invoice lines for 2 payers.',
            'The tie-out is zero: in the one group, what was rated less what was debited is explained to the last digit.',
            '1 of 2 payers is held; 30.00 EUR must not be delivered yet.',
            '3 breaks are open, 99.50 EUR and 4.21 USD in size and -99.50 EUR and 4.21 USD net (rated less debited); 1 has no price.',
        ]);
    });

    test('of a night with everyone held', () => {
        const over = { payers: [held], result: 'held' } as const;
        expect(words(over, { lines: [heldLine] }).slice(0, 2)).toEqual([
            'warn',
            'Invoice nothing yet: 30.00 EUR must wait for 1 held payer.',
        ]);
        expect(report(over, { lines: [heldLine] }).headline.held).toMatchObject([
            { payer_id: 'globex', is_over_limit: true },
        ]);
    });

    test.each([
        ['none has', [], 'Invoice nothing yet: 1 held payer must wait.'],
        ['another has', [lineItem()], '12.50 USD may be invoiced now; 1 held payer must wait.'],
    ])('of a payer that is held without a line: %s one', (_, lines, answer) => {
        const payers = [payerTotal(), { ...held, unrated_count: 1, line_count: 0 }];
        expect(words({ payers, result: 'held' }, { lines })[1]).toBe(answer);
    });

    test('of a payer that is held for a break without a price', () => {
        const payers = [payerTotal({ break_count: 1, recon_status: 'held' })];
        const { headline } = report({ payers, result: 'held' });
        expect(headline.held).toMatchObject([{ is_over_limit: false }]);
    });

    test('of a night that does not tie out, even where the parts offset each other', () => {
        const tie_outs = [
            tieOut({ unexplained: '5' }),
            tieOut({ account_id: 'b', unexplained: '-5' }),
            tieOut({ account_id: 'c' }),
        ];
        expect(words({ tie_outs }).slice(0, 4)).toEqual([
            'bad',
            'Do not invoice from this run: it does not tie out.',
            'October 2026 was rated at 12.50 USD: 1 invoice line for 1 payer.',
            'The tie-out is NOT zero: 2 of 3 account-and-asset groups do not add up and 0.00 USD net is unexplained.',
        ]);
    });

    test('of a night without a debit log: never that there is no difference', () => {
        const over = {
            tie_outs: [tieOut({ status: 'unauditable', debited: '0' })],
            payers: [payerTotal({ recon_status: 'unauditable' })],
        };
        const lines = [lineItem({ recon_status: 'unauditable' })];
        expect(words(over, { lines })).toEqual([
            'warn',
            '12.50 USD may be invoiced, unaudited: there is no debit log.',
            'October 2026 was rated at 12.50 USD: 1 invoice line for 1 payer.',
            'Nothing was tied out: there is no debit log to compare with.',
            'No payer is held.',
            'There are no open breaks.',
        ]);
    });

    test('of a night where some have no debit log', () => {
        const tie_outs = [tieOut(), tieOut({ account_id: 'b', status: 'unauditable' })];
        const lines = [
            lineItem(),
            lineItem({ line_key: '2', amount: '1.00', recon_status: 'unauditable' }),
        ];
        const said = words({ tie_outs }, { lines });
        expect(said[1]).toBe(
            '13.50 USD may be invoiced; 1.00 USD of it has no debit log behind it.',
        );
        expect(said[4]).toBe(
            '1 group has no debit log and could not be audited; that is not “no difference”.',
        );
    });

    test('of breaks that belong to nobody: the run is held though no payer is', () => {
        const breaks = [breakItem({ payer_id: null, account_id: null })];
        const said = words({ result: 'held' }, { breaks });
        expect(said[1]).toBe(
            '12.50 USD may be invoiced, but look at the 1 break without a payer first.',
        );
        expect(said.slice(4, 6)).toEqual([
            'No payer is held.',
            '1 break belongs to no payer: no hold covers it.',
        ]);
    });

    test('of a night without lines', () => {
        const over = { payers: [], tie_outs: [] };
        expect(words(over, { lines: [] })).toEqual([
            'warn',
            'There is nothing to invoice.',
            'October 2026 has no invoice lines.',
            'Nothing was tied out: there is no debit log to compare with.',
            'No payer is held.',
            'There are no open breaks.',
        ]);
    });

    test('of a reconciliation, which invoices nothing', () => {
        const payers = [payerTotal({ line_count: 0, amount: '0.00', amount_exact: '12.5075' })];
        const over = { pipeline: 'reconcile', payers } as const;
        expect(words(over, { lines: [] }).slice(0, 3)).toEqual([
            'good',
            'Usage and debits agree within the limits of every payer.',
            'October 2026 was rated at 12.51 USD for 1 payer; a reconciliation writes no invoice lines.',
        ]);
        const alarm = { ...over, payers: [held], result: 'held' } as const;
        expect(words(alarm, { lines: [] }).slice(0, 2)).toEqual([
            'warn',
            'Usage and debits differ too much for 1 payer.',
        ]);
        const unaudited = { ...over, tie_outs: [tieOut({ status: 'unauditable' })] } as const;
        expect(words(unaudited, { lines: [] })[1]).toBe(
            'Nothing could be compared: there is no debit log.',
        );
        expect(words({ ...over, result: 'held' }, { lines: [] })[1]).toBe(
            'Usage and debits differ where no payer is known.',
        );
    });

    test('of a period that is no month', () => {
        expect(report({ period: '2026-Q4' }).period_title).toBe('2026-Q4');
        expect(report({ period: '2026-01' }).period_title).toBe('January 2026');
    });

    test('with thousands apart', () => {
        const lines = lineItems(1_200, { amount: '1000.00' });
        expect(words({}, { lines })[2]).toBe(
            'October 2026 was rated at 1,200,000.00 USD: 1,200 invoice lines for 1 payer.',
        );
    });
});
