import { describe, expect, test } from 'vitest';
import { buildReport, type ReportSource } from '../../../src/report/model.ts';
import { renderTerminal } from '../../../src/report/terminal.ts';
import { breakItem, certificate, lineItem, payerTotal, tieOut } from '../../support/documents.ts';

const terminal = (over: Parameters<typeof certificate>[0], rest: Partial<ReportSource> = {}) =>
    renderTerminal(
        buildReport({ certificate: certificate(over), lines: [lineItem()], breaks: [], ...rest }),
    );

describe('the terminal report', () => {
    test('of a clean night', () => {
        expect(terminal({})).toBe(`\
Tie-out report: October 2026 (2026-10-0123456789abcdef, as of 2026-11-01T02:00:00Z)

All 12.50 USD may be invoiced.

- October 2026 was rated at 12.50 USD: 1 invoice line for 1 payer.
- The tie-out is zero: in the one group, what was rated less what was debited is explained to the last digit.
- No payer is held.
- There are no open breaks.

Tie-out: rated - debited = breaks + rounding + repriced + unexplained
   payer    asset    rated    debited    breaks    rounding    repriced    unexplained    result
   acme     USD      12.50      12.50      0.00        0.00        0.00           0.00    tied

Payers
   payer    lines       amount    in breaks    limit    status
   acme         1    12.50 USD         0.00    10.00    clear

In suspense
   code                 rows
   TIMESTAMP_INVALID       1
`);
    });

    test('names held payers and why', () => {
        const payers = [
            payerTotal({ recon_status: 'held', break_money: '99.123' }),
            payerTotal({ payer_id: 'b', payer_name: 'Beta', recon_status: 'held' }),
            payerTotal({ payer_id: 'c', payer_name: 'C', unrated_count: 2, recon_status: 'held' }),
        ];
        const text = terminal({ result: 'held', payers });
        expect(text).toContain(
            '  held: Acme Corp: breaks of 99.12 USD are over its limit of 10.00 USD\n' +
                '  held: Beta: a break or a fee has no price in USD\n' +
                '  held: C: no rate prices some of its usage (unrated.csv)\n',
        );
    });

    test('rounds margins to the digits of their currency, and says so', () => {
        const margins = [
            {
                ...{
                    seller_id: 'dist',
                    product: 'llm',
                    currency: 'USD',
                    bought: '1.23456789012345',
                },
                ...{ own_use: '0.000000000000000000000001', sold: '-2.005', margin: null },
            },
        ];
        expect(terminal({ margins })).toContain(`\
Margins, rounded (exact in margins.csv)
   seller    product    bought    own use     sold    margin    currency
   dist      llm          1.23       0.00    -2.01      none    USD
`);
    });

    test('puts breaks by code under each other, and says where there is no price', () => {
        const breaks = [
            { code: 'OPEN_HOLD', asset: 'credits', break_count: 2, amount: '0' },
            { code: 'AMOUNT_PRICE', asset: 'USD', break_count: 1_500, amount: '-1234.5' },
        ].map((one) => ({ ...one, money_amount: null, currency: null }));
        const text = terminal({ breaks }, { breaks: [breakItem()] });
        expect(text).toContain(`\
Breaks by code
   code            breaks    effect in the asset    in money
   AMOUNT_PRICE     1,500          -1,234.50 USD    no price
   OPEN_HOLD            2              0 credits    no price
`);
    });

    test('shows forty rows of a table and counts the rest', () => {
        const tie_outs = Array.from({ length: 1_041 }, (_, index) =>
            tieOut({ payer_id: `p${index}`, account_id: `a${index}` }),
        );
        const text = terminal({ tie_outs });
        expect(text).toContain('... and 1,001 more');
        expect(text.split('\n').length).toBeLessThan(80);
    });

    test('no name can move the cursor, colour the text, reorder it or start a line', () => {
        const text = '\u001b[2J\u202E\r\nresult: clean\u0007\u0000\u{e0041}';
        const out = terminal(
            {
                ...{ run_id: text, as_of: text, period: text },
                tie_outs: [tieOut({ payer_id: text, account_id: text, asset: text })],
                payers: [
                    payerTotal({
                        ...{ payer_id: text, payer_name: text, currency: text },
                        recon_status: 'held',
                    }),
                ],
                breaks: [
                    {
                        ...{ code: text, asset: text, currency: text },
                        ...{ break_count: 1, amount: '1', money_amount: '1' },
                    },
                ],
                suspense: [{ code: text, row_count: '1' }],
            },
            {
                lines: [lineItem({ payer_id: text, currency: text })],
                breaks: [breakItem({ asset: text, currency: text })],
            },
        );
        expect(out).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
        expect(out).not.toMatch(/^result: clean/m);
        expect(out).toContain('\\u{1B}[2J\\u{202E}\\r\\n');
    });

    test('no line ends in blanks, and the last one ends', () => {
        const text = terminal({});
        expect(text).not.toMatch(/ $/m);
        expect(text.endsWith('\n')).toBe(true);
        expect(text.endsWith('\n\n')).toBe(false);
    });
});
