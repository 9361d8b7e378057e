import { describe, expect, test } from 'vitest';
import { itemsCsv } from '../../../src/export/items.ts';
import { ageTotals } from '../../../src/report/ages.ts';
import { drawCharts } from '../../../src/report/charts.ts';
import { codeGroup } from '../../../src/report/code-groups.ts';
import { renderHtml } from '../../../src/report/html.ts';
import { buildReport, type ReportSource } from '../../../src/report/model.ts';
import { renderPage } from '../../../src/report/page.ts';
import { nightOf } from '../../../src/run/trend.ts';
import type { OpenItem, PayerStanding, Standing } from '../../../src/schema/item.ts';
import { breakItem, certificate, lineItem, payerTotal } from '../../support/documents.ts';

const item = (over: Partial<OpenItem> = {}): OpenItem => {
    const { break_id, code, break_key, payer_id, account_id, asset } = breakItem();
    return {
        ...{ break_id, code, break_key, payer_id, account_id, asset, period: '2026-10' },
        ...{ amount: '4.2', money_amount: '4.2', currency: 'USD' },
        ...{ first_at: '2026-10-09T08:30:00Z', first_seen_at: '2026-10-10T00:00:00Z' },
        ...{ first_seen_run: 'run', last_seen_at: '2026-11-01T02:00:00Z' },
        ...{ cleared_at: null, cleared_by: null, reopened_because: null, accepted_by: '' },
        proposed: null,
        ...{ status: 'open', owner: null, age_days: 22, age_bucket: '8-30', notes: [] },
        ...over,
    };
};

const payerStanding = (over: Partial<PayerStanding> = {}): PayerStanding => ({
    ...{ payer_id: 'acme', payer_name: 'Acme Corp', currency: 'USD', standing: 'held' },
    ...{ open_count: 1, open_money: '4.2', hold_limit: '1', unpriced_count: 0, unrated_count: 0 },
    ...{ open_sha256: 'aa'.repeat(32), released: null, proposed: null },
    ...over,
});

const standing = (items: readonly OpenItem[], payers: readonly PayerStanding[]): Standing => {
    const { period, run_id, as_of } = certificate();
    return { period, run_id, as_of, items, payers };
};

const held = {
    certificate: certificate({
        result: 'held',
        payers: [payerTotal({ recon_status: 'held', break_money: '4.2', hold_limit: '1' })],
    }),
    lines: [lineItem({ recon_status: 'held' })],
    breaks: [breakItem()],
} as const satisfies ReportSource;

describe('what people decided', () => {
    test.each<[string, OpenItem, PayerStanding, string, readonly string[]]>([
        [
            'nothing',
            item(),
            payerStanding(),
            'Invoice nothing yet: 12.50 USD must wait for 1 held payer.',
            ['1 break is open, 4.20 USD in size and 4.20 USD net (rated less debited).'],
        ],
        [
            'a break was resolved',
            item({ status: 'accepted' }),
            payerStanding({ standing: 'resolved', open_count: 0, open_money: '0' }),
            'All 12.50 USD may be invoiced.',
            ['There are no open breaks.', 'Of the breaks, people resolved some: 1 accepted.'],
        ],
        [
            'a payer was released',
            item(),
            payerStanding({
                standing: 'released',
                released: { by: 'maria', at: '2026-11-02T00:00:00Z', reason: 'known' },
            }),
            'All 12.50 USD may be invoiced.',
            [
                '1 break is open, 4.20 USD in size and 4.20 USD net (rated less debited).',
                '1 held payer was released.',
            ],
        ],
        [
            'a break of an earlier month is open',
            item({ period: '2026-09', break_id: 'c0'.repeat(32) }),
            payerStanding(),
            'Invoice nothing yet: 12.50 USD must wait for 1 held payer.',
            [
                '1 break is open, 4.20 USD in size and 4.20 USD net (rated less debited).',
                '1 break of earlier periods is open.',
            ],
        ],
    ])('%s', (_what, one, payer, answer, sentences) => {
        const model = buildReport({ ...held, standing: standing([one], [payer]) });
        expect(model.answer.text).toBe(answer);
        expect(model.sentences.slice(-sentences.length)).toEqual(sentences);
    });

    test('is in the table of breaks: status, owner, notes, and what is open of earlier months', () => {
        const note = { at: '2026-11-02T00:00:00Z', by: 'maria', reason: 'the price of September' };
        const items = [
            item({
                ...{ status: 'explained', owner: 'wallets' },
                notes: [{ ...note, act: 'resolve', value: 'explained' }],
            }),
            item({ period: '2026-09', break_id: 'c0'.repeat(32), break_key: 'evt-old' }),
        ];
        const page = renderHtml(
            buildReport({ ...held, standing: standing(items, [payerStanding()]) }),
        );
        const text = page.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
        expect(text).toContain('explained wallets 2026-10');
        expect(text).toContain(
            'maria , 2026-11-02 : resolved as explained “ the price of September ”',
        );
        expect(text).toMatch(/evt-old .* open 2026-09/);
    });
});

test('open breaks are counted by code and age, and their money without signs', () => {
    const items = [
        item(),
        item({ money_amount: '-1.3' }),
        item({ age_bucket: '90+', money_amount: null, currency: null }),
        item({ code: 'OPEN_HOLD' }),
        item({ status: 'accepted' }),
    ];
    expect(
        ageTotals(items).map(({ code, age_bucket, item_count, money }) =>
            [code, age_bucket, item_count, ...money.map((of) => of.amount)].join(' '),
        ),
    ).toEqual([
        'METERED_NOT_DEBITED 8-30 2 5.5',
        'METERED_NOT_DEBITED 90+ 1',
        'OPEN_HOLD 8-30 1 4.2',
    ]);
});

test('a night is what its certificate says of it, without what was within tolerance', () => {
    const total = { asset: 'USD', amount: '1', money_amount: '1', currency: 'USD' };
    const night = nightOf(
        certificate({
            payers: [
                payerTotal({ recon_status: 'held', break_money: '4.2' }),
                payerTotal({ payer_id: 'bolt', break_money: '0.3' }),
            ],
            breaks: [
                { ...total, code: 'OPEN_HOLD', break_count: 2 },
                { ...total, code: 'DUP_DEBIT_SAME', break_count: 1 },
                { ...total, code: 'AMOUNT_ROUNDING', break_count: 800 },
            ],
        }),
    );
    expect(night).toMatchObject({
        ...{ break_count: 3, held_count: 1, untied_count: 0 },
        money: [{ unit: 'USD', amount: '4.5' }],
        groups: [
            { group: 'life of a hold', count: 2 },
            { group: 'repeated', count: 1 },
        ],
    });
});

test('a code that no group lists is of the last', () => {
    expect(codeGroup('SOMETHING_NEW')).toBe('other');
});

describe('the page with everything in it', () => {
    const hostile = '"><script>alert(1)</script>\u202E{b}\u0000';
    const night = (as_of: string, break_count: number) => ({
        ...nightOf(certificate({ payers: [payerTotal({ currency: hostile, break_money: '2' })] })),
        ...{ as_of, run_id: hostile, break_count },
        groups: [{ group: 'repeated', count: break_count }],
    });
    const whole = (text: string): ReportSource => ({
        ...held,
        certificate: certificate({
            causes: [{ cause: text, asset: text, cause_count: '2', amount: '1' }],
            wallet_movements: [{ asset: text, entry_type: text, entry_count: '3', amount: '7' }],
            payers: [
                payerTotal({ payer_id: text, payer_name: text, currency: text, break_money: '9' }),
            ],
        }),
        standing: standing(
            [
                item({
                    ...{ code: text, break_key: text, payer_id: text, account_id: text },
                    ...{ asset: text, currency: text, owner: text, reopened_because: text },
                    notes: [{ act: 'comment', value: '', by: text, at: text, reason: text }],
                    period: '2026-09',
                }),
            ],
            [
                payerStanding({
                    ...{ payer_id: text, payer_name: text, currency: text, standing: 'released' },
                    released: { by: text, at: text, reason: text },
                }),
            ],
        ),
        trend: [night('2026-10-02T00:00:00Z', 1), night('2026-10-03T00:00:00Z', 4)],
        three_way: [
            { payer_id: text, product: text, asset: text, part: 'break', code: text, amount: '1' },
            { payer_id: text, product: text, asset: text, part: 'metered', code: '', amount: '1' },
        ],
        evidence: [
            {
                break_id: breakItem().break_id,
                usage: [{ key: text, line: text, fields: [{ name: text, value: text }] }],
                debits: [],
                ...{ usage_count: 1, debit_count: 0 },
            },
        ],
    });

    test('is harmless, charts too', async () => {
        const page = await renderPage(buildReport(whole(hostile)));
        expect(page.split('<script')).toHaveLength(2);
        expect(page).not.toMatch(/<[^>]*\s(on[a-z]+|style|href="[^#])=/i);
        expect(page).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
        expect(page).toContain('\\u{202E}');
        for (const id of ['three-way', 'causes', 'ages', 'breaks', 'raw', 'trend', 'wallets']) {
            expect(page).toContain(`<section id="${id}"`);
        }
    });

    test('has a chart for each part, named for those who do not see it, and a table beside it', async () => {
        const page = await renderPage(buildReport(whole('acme')));
        const charts = [...page.matchAll(/<svg [^>]*role="img" aria-labelledby="(\S+) (\S+)">/g)];
        expect(charts.map(([, id]) => id)).toEqual([
            ...['way-1-title', 'ages-chart-title', 'trend-count-title', 'trend-1-title'],
            'payers-1-title',
        ]);
        for (const [, title, text] of charts) {
            expect(page).toMatch(new RegExp(`<title id="${title}">[^<]+</title>`));
            expect(page).toMatch(new RegExp(`<desc id="${text}">[^<]+</desc>`));
        }
        const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
        expect(new Set(ids).size).toBe(ids.length);
    });

    test('is the same bytes again, whatever was drawn before', async () => {
        const model = buildReport(whole('acme'));
        const first = await renderPage(model);
        await drawCharts(buildReport(whole('bolt')));
        expect(await renderPage(model)).toBe(first);
    });
});

test('items.csv has every item with its notes, and no formula', () => {
    const note = { act: 'comment', value: '', by: 'maria', at: '2026-11-02T00:00:00Z' } as const;
    const text = itemsCsv([item({ break_key: '=cmd()', notes: [{ ...note, reason: 'asked' }] })]);
    const [head, row] = text.split('\n');
    expect(head).toMatch(/^period,break_id,code,break_key,status,owner,accepted_by,/);
    expect(row).toContain(",'=cmd(),open,");
    expect(row).toMatch(/,2026-11-02T00:00:00Z maria: comment asked$/);
});
