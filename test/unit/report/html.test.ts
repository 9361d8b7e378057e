import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { renderHtml } from '../../../src/report/html.ts';
import { script } from '../../../src/report/html-script.ts';
import { style } from '../../../src/report/html-style.ts';
import { buildReport, type ReportSource } from '../../../src/report/model.ts';
import { clipped, visible } from '../../../src/report/visible.ts';
import {
    balanceStatement,
    breakItem,
    certificate,
    commitmentStatement,
    hexKey,
    lineItem,
    lineItems,
    payerTotal,
    tieOut,
} from '../../support/documents.ts';

const hashOf = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;

const page = (over: Parameters<typeof certificate>[0] = {}, rest: Partial<ReportSource> = {}) =>
    renderHtml(
        buildReport({
            certificate: certificate(over),
            lines: [lineItem()],
            breaks: [breakItem()],
            ...rest,
        }),
    );

describe('text from outside', () => {
    const hostile = [
        '<script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        '\'"`<>&',
        '</style></title><script>',
        '\u202Egnp.exe',
        '\u001b[31mred\u001b[0m',
        'a\u200bb\u0000c\nd',
        '{{constructor}}',
    ];

    test.each(hostile)('%j does nothing, wherever it stands', (text) => {
        const [input] = certificate().inputs;
        const html = page(
            {
                run_id: text,
                period: text,
                as_of: text,
                tieout_version: text,
                completeness: text,
                rules: { [text]: text },
                stages: [{ stage: text, sql_sha256: { [text]: text }, audits: [text] }],
                outputs: { [text]: text },
                inputs: [{ ...input!, input: text, key: text, sha256: text, lines: '1' }],
                suspense: [{ code: text, row_count: '1' }],
                totals: [
                    {
                        ...certificate().totals[0]!,
                        ...{ stage: text, relation: text, side: text, slice: text },
                        hash_total: text,
                    },
                ],
                tie_outs: [tieOut({ payer_id: text, account_id: text, asset: text, broken: '1' })],
                breaks: [
                    {
                        code: text,
                        asset: text,
                        break_count: 1,
                        amount: '1',
                        money_amount: '1',
                        currency: text,
                    },
                ],
                payers: [
                    payerTotal({
                        payer_id: text,
                        payer_name: text,
                        currency: text,
                        recon_status: 'held',
                    }),
                ],
            },
            {
                statements: {
                    commitments: [
                        commitmentStatement({
                            ...{ payer_id: text, commitment_id: text, description: `${text}!` },
                            ...{ meter: text, window_start: text, window_end: text },
                            currency: text,
                        }),
                    ],
                    balances: [
                        balanceStatement({
                            ...{ payer_id: text, grant_id: text, description: `${text}!` },
                            asset: text,
                        }),
                    ],
                },
                lines: [
                    lineItem({ line_type: 'true_up', description: text }),
                    lineItem({
                        ...{ line_key: text, payer_id: text, payer_name: text, product: text },
                        ...{ account_id: text, account_name: `${text}!`, attributes: text },
                        ...{ unit: text, currency: text, recon_status: 'held' },
                    }),
                ],
                breaks: [
                    breakItem({
                        ...{ break_id: text, code: text, break_key: text, payer_id: text },
                        ...{ account_id: text, asset: text, currency: text, detail: text },
                        action: text,
                    }),
                ],
            },
        );
        expect(html.split('<script>')).toHaveLength(2);
        const tags = new Set(
            [...html.split('<script>')[0]!.matchAll(/<([a-z0-9]+)/g)].map(([, name]) => name),
        );
        expect([...tags].filter((name) => !expectedTags.has(name ?? ''))).toEqual([]);
        expect(html).not.toMatch(/<[^>]*\son[a-z]+=/i);
        expect(html).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    });

    const expectedTags = new Set([
        ...['html', 'head', 'meta', 'title', 'style', 'body', 'header', 'main', 'footer', 'nav'],
        ...['section', 'h1', 'h2', 'p', 'a', 'ul', 'li', 'dl', 'dt', 'dd', 'div', 'span', 'br'],
        ...['table', 'caption', 'thead', 'tbody', 'tr', 'th', 'td', 'code', 'bdi', 'strong'],
        ...['svg', 'rect'],
    ]);

    test('is shown as it is, and what cannot be seen as an escape', () => {
        const payers = [payerTotal({ payer_name: '<b>"A & B"</b> \u202Eevil' })];
        const html = page({ payers });
        expect(html).toContain('&lt;b>&quot;A &amp; B&quot;&lt;/b> \\u{202E}evil');
        expect(visible('\u001b[2J\t\u2066x')).toBe('\\u{1B}[2J\\t\\u{2066}x');
        expect(visible('می\u200cخواهم \u{1f469}\u200d\u{1f680}')).toBe(
            'می\u200cخواهم \u{1f469}\u200d\u{1f680}',
        );
    });

    test('is cut where it is too long, and says so', () => {
        expect(clipped('abc', 3)).toBe('abc');
        expect(clipped('abcd', 3)).toBe('abc… (4 characters)');
        expect(clipped('\u{1f600}'.repeat(3), 3)).toBe('\u{1f600}'.repeat(3));
        const html = page({}, { breaks: [breakItem({ detail: 'x'.repeat(1_000_000) })] });
        expect(html).toContain('(1000000 characters)');
        expect(html.length).toBeLessThan(100_000);
    });
});

const textOf = (html: string) => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

/** The text of the rows of a table of the page, cells apart. */
const rowsOf = (html: string, caption: string) => {
    const body = html.split(`<caption>${caption}`)[1]?.split('</table>')[0]?.split('<tbody>')[1];
    return (body ?? '')
        .split('</tr>')
        .slice(0, -1)
        .map((row) =>
            row
                .split(/<\/t[dh]>/)
                .map((cell) =>
                    cell
                        .replaceAll(/<[^>]*>/g, ' ')
                        .replaceAll(/\s+/g, ' ')
                        .trim(),
                )
                .join(' | '),
        );
};

describe('what contracts promise', () => {
    test('is a section with every figure; without promises there is none', () => {
        const statements = {
            commitments: [
                commitmentStatement(),
                commitmentStatement({ commitment_id: 'deal/gpus', meter: 'gpu', true_up: '1050' }),
            ],
            balances: [balanceStatement()],
        };
        const html = page({}, { statements });
        expect(html).toContain('<section id="statements"');
        expect(html).toContain('href="#statements"');
        const window = '2026-10-01T00:00:00Z to 2026-11-01T00:00:00Z';
        expect(rowsOf(html, 'What was promised')).toEqual([
            `Monthly spend deal/gpus | acme | ${window} | 1,000 gpu | 0 | 300 | 700 | 1,050.00 | 0.00 USD | `,
            `Monthly spend deal/spend | acme | ${window} | 1,000.00 USD | 0.00 | 300.00 | 700.00 | 700.00 | 0.00 USD | `,
        ]);
        expect(rowsOf(html, 'What grants had')).toEqual([
            'Welcome deal/hello | acme | USD | 0.00 | 50.00 | 20.00 | 30.00 | 15.00 | 0.00 | ',
        ]);
        expect(page()).not.toContain('statements');
    });

    test('stands in its lines, which say their type and what they are for', () => {
        const lines = [
            lineItem({ line_key: 'a'.repeat(64), attributes: '{}' }),
            lineItem({
                ...{ line_key: 'b'.repeat(64), line_type: 'wallet_settlement', attributes: '{}' },
                ...{ description: 'Paid from the wallet: 400 TOK', amount: '-8.00' },
                ...{ quantity: '1', unit: '', unit_price: '-8' },
            }),
        ];
        const who = 'Acme Corp acme Acme Europe acme-eu';
        expect(rowsOf(page({}, { lines }), 'Invoice lines')).toEqual([
            `aaaaaaaaaaaa | usage | ${who} | inference | 1,000 token | 0.0125 | 12.50 USD | clear | `,
            `bbbbbbbbbbbb | wallet settlement | ${who} | inference Paid from the wallet: 400 TOK |  |  | -8.00 USD | clear | `,
        ]);
    });
});

describe('the page', () => {
    test('forbids everything but its own style, and refers to nothing outside', () => {
        const html = page();
        expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
        expect(html.endsWith('</html>\n')).toBe(true);
        expect(html).toContain(
            `content="default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'"`,
        );
        expect(html).toContain(`<style>${style}</style>`);
        expect(html).toContain(`<script>${script}</script>`);
        expect(html).not.toMatch(/https?:|\/\/|url\(|@import|<link|<img|<iframe|\s(src|style)=/);
        const links = [...html.matchAll(/\shref="([^"]*)"/g)].map(([, href]) => href ?? '');
        expect(links.length).toBeGreaterThan(0);
        for (const href of links) {
            expect(href).toMatch(/^#/);
            expect(html).toContain(`<section id="${href.slice(1)}"`);
        }
    });

    test('its style and script are written as they are: nothing in them ends them', () => {
        expect(style).not.toMatch(/[<&]/);
        expect(script).not.toMatch(/<\/|<!--|innerHTML|fetch|XMLHttp|import|eval/);
    });

    test('answers first, then figures, then the tables in the order of the contents', () => {
        const html = page({ payers: [payerTotal({ recon_status: 'held', break_money: '99' })] });
        const places = [
            '<h1>',
            'class="answer',
            'class="tiles"',
            'class="sentences"',
            ...['tie-out', 'codes', 'breaks', 'payers', 'lines'].map((id) => `<section id="${id}"`),
            ...['suspense', 'inputs', 'proofs', 'fingerprints'].map((id) => `<section id="${id}"`),
            '<footer',
        ].map((text) => html.indexOf(text));
        expect(places).not.toContain(-1);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        expect(html).toContain('breaks of 99.00 USD are over its limit of 10.00 USD');
        const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
        expect(new Set(ids).size).toBe(ids.length);
    });

    test.each([
        ['good', 'Clean', {}],
        [
            'warn',
            '1 payer held',
            { result: 'held', payers: [payerTotal({ recon_status: 'held' })] },
        ],
        ['warn', 'Held', { result: 'held' }],
        ['bad', 'Does not tie out', { tie_outs: [tieOut({ unexplained: '0.01' })] }],
    ] as const)('its badge is %s: %s', (tone, text, over) => {
        expect(page(over)).toMatch(
            new RegExp(`<h1>[^<]*<span class="badge ${tone}">${text}</span></h1>`),
        );
    });

    test('a run that does not tie out shows nothing as ready to invoice', () => {
        const html = page({ tie_outs: [tieOut({ unexplained: '0.01' })] });
        expect(html).not.toContain('may be invoiced');
        expect(html).not.toContain('May be invoiced');
        expect(html).toContain('class="attention"');
    });

    test('a reconciliation shows what was rated, and no invoice', () => {
        const html = page({ pipeline: 'reconcile' }, { lines: [] });
        expect(html).toContain('Reconciliation');
        expect(html).toContain('12.50 USD');
        expect(html).not.toContain('May be invoiced');
    });

    test('says of each empty part that it is empty', () => {
        const none = { payers: [], tie_outs: [], suspense: [], inputs: [], totals: [] };
        const html = page(none, { lines: [], breaks: [] });
        for (const text of [
            'Nothing to tie out.',
            'There are no breaks.',
            'There are no open breaks.',
            'No payer was rated.',
            'There are no invoice lines.',
            'No row is in suspense.',
            'No object was read.',
        ]) {
            expect(html).toContain(text);
        }
    });

    test('says what it leaves out, and where that is', () => {
        const breaks = Array.from({ length: 1_201 }, (_, index) =>
            breakItem({ break_id: hexKey(index) }),
        );
        const html = page({}, { lines: lineItems(250), breaks }).replaceAll(/\s+/g, ' ');
        expect(html).toMatch(
            /The first 200 of 1,201 are shown; 1,001 more are in\s+<code>breaks.csv/,
        );
        expect(html).toMatch(
            /The first 200 of 250 are shown; 50 more are in\s+<code>line_items.csv/,
        );
    });

    test('on paper a long table is its first rows, and says how many more there are', () => {
        const html = page({}, { lines: lineItems(13), breaks: [] }).replaceAll(/\s+/g, ' ');
        expect(textOf(html)).toContain(
            'On paper the first 12; 1 more are in the page and line_items.csv',
        );
        expect(page({}, { lines: lineItems(12), breaks: [] })).not.toContain('class="printed');
    });

    test('an amount in an asset that is no money says what it is worth, where that is known', () => {
        const item = breakItem({ asset: 'credits', amount: '420', money_amount: '4.2' });
        const html = page({}, { breaks: [item] });
        expect(textOf(html)).toContain('420 credits = 4.20 USD');
        const unpriced = { ...item, money_amount: null, currency: null };
        expect(page({}, { breaks: [unpriced] })).toContain('no price');
    });

    test('shows what the run can prove of its inputs', () => {
        expect(page()).toContain('Every object was read whole');
    });
});
