import { describe, expect, test } from 'vitest';
import { dayOf, lastDayBefore } from '../../../src/export/civil-day.ts';
import { deliveryTotals, gatherInvoices } from '../../../src/export/invoices.ts';
import { lineItem, shuffled } from '../../support/documents.ts';

const clear = new Set(['clear'] as const);

describe('invoices', () => {
    const lines = [
        lineItem({ line_key: '1' }),
        lineItem({ line_key: '2', account_id: 'a' }),
        lineItem({ line_key: '3', currency: 'EUR', invoice_key: 'acme/2026-10/EUR' }),
        lineItem({ line_key: '4', payer_id: 'beta', invoice_key: 'beta', recon_status: 'held' }),
        lineItem({ line_key: '5', payer_id: 'beta', invoice_key: 'beta' }),
    ];

    test('gather their lines by key, in canonical order', () => {
        const gathered = gatherInvoices(lines, clear);
        expect(gathered.invoices.map((one) => one.invoice_key)).toEqual([
            'acme/2026-10/EUR',
            'acme/2026-10/USD',
        ]);
        expect(gathered.invoices[1]?.lines.map((line) => line.line_key)).toEqual(['2', '1']);
        for (let seed = 0; seed < 10; seed += 1) {
            expect(gatherInvoices(shuffled(lines, seed), clear)).toEqual(gathered);
        }
    });

    test('every line is in exactly one of those that go out and those that stay', () => {
        const { invoices, withheld } = gatherInvoices(lines, clear);
        const out = invoices.reduce((count, one) => count + one.lines.length, 0);
        const stays = withheld.reduce((count, one) => count + one.line_count, 0);
        expect(out + stays).toBe(lines.length);
        expect(withheld).toMatchObject([{ invoice_key: 'beta', reason: 'held', amount: '25.00' }]);
    });

    test('held says more than unauditable, and that more than clear', () => {
        const statuses = ['clear', 'unauditable', 'held'] as const;
        const mixed = statuses.map((recon_status) =>
            lineItem({ line_key: recon_status, recon_status }),
        );
        const reason = (some: typeof mixed) => gatherInvoices(some, new Set()).withheld[0]?.reason;
        expect(reason(mixed)).toBe('held');
        expect(reason(mixed.slice(0, 2))).toBe('unauditable');
        expect(reason(mixed.slice(0, 1))).toBe('clear');
    });

    test('a line given twice, or an invoice that disagrees with itself, is a defect', () => {
        expect(() => gatherInvoices([lineItem(), lineItem()], clear)).toThrow('EXPORT_LINE_TWICE');
        for (const over of [
            { payer_id: 'other' },
            { currency: 'EUR' },
            { period_start: '2026-10-02T00:00:00Z' },
            { time_zone: 'Asia/Tokyo' },
        ]) {
            const two = [lineItem(), lineItem({ ...over, line_key: '2' })];
            expect(() => gatherInvoices(two, clear)).toThrow('EXPORT_INVOICE_MIXED');
        }
    });

    test('totals never mix currencies, and keep their digits', () => {
        const three = gatherInvoices(
            [
                lineItem({ line_key: '1', amount: '0.10' }),
                lineItem({ line_key: '2', amount: '0.20' }),
                lineItem({ line_key: '3', currency: 'JPY', invoice_key: 'j', amount: '5' }),
                lineItem({ line_key: '4', currency: 'KWD', invoice_key: 'k', amount: '1.500' }),
            ],
            clear,
        ).invoices;
        expect(deliveryTotals(three).map((one) => `${one.amount} ${one.currency}`)).toEqual([
            '5 JPY',
            '1.500 KWD',
            '0.30 USD',
        ]);
    });
});

describe('civil days', () => {
    test.each([
        ['2026-10-01T03:59:59Z', 'America/New_York', '2026-09-30'],
        ['2026-10-01T04:00:00Z', 'America/New_York', '2026-10-01'],
        ['2026-09-30T10:00:00Z', 'Pacific/Kiritimati', '2026-10-01'],
        ['2026-03-31T22:59:59.999999Z', 'Africa/Casablanca', '2026-03-31'],
        ['2026-03-31T23:00:00Z', 'Africa/Casablanca', '2026-04-01'],
    ])('%s in %s is %s', (instant, zone, day) => expect(dayOf(instant, zone)).toBe(day));

    test('the last day before an end is the day of the instant before it', () => {
        expect(lastDayBefore('2026-11-01T04:00:00Z', 'America/New_York')).toBe('2026-10-31');
        expect(lastDayBefore('2026-11-01T04:00:00.000001Z', 'America/New_York')).toBe('2026-11-01');
        expect(lastDayBefore('2026-10-31T10:00:00Z', 'Pacific/Kiritimati')).toBe('2026-10-31');
    });

    test('a zone that does not exist is a defect', () => {
        expect(() => dayOf('2026-10-01T00:00:00Z', 'Mars/Olympus')).toThrow('EXPORT_ZONE_UNKNOWN');
    });
});
