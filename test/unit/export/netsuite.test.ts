import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import type { ReconStatus } from '../../../src/export/invoices.ts';
import { sha256 } from '../../../src/export/json.ts';
import { type NetsuiteOptions, netsuiteInvoices } from '../../../src/export/netsuite-csv.ts';
import { netsuiteExternalId } from '../../../src/export/netsuite-id.ts';
import { hexKey, lineItem, lineItems, shuffled } from '../../support/documents.ts';

const clear: ReadonlySet<ReconStatus> = new Set(['clear']);
type Lines = Parameters<typeof netsuiteInvoices>[0];
const deliver = (lines: Lines, over: Partial<NetsuiteOptions> = {}) =>
    netsuiteInvoices(lines, { include: clear, ...over });
type Row = { readonly [heading: string]: string };
const imports = (lines: Lines, over: Partial<NetsuiteOptions> = {}) =>
    deliver(lines, over)
        .files.filter((file) => file.name.endsWith('.csv'))
        .map(({ name, text }) => ({ name, text, rows: parse(text, { columns: true }) as Row[] }));
const rowsOf = (lines: Lines, over: Partial<NetsuiteOptions> = {}) =>
    imports(lines, over).flatMap((file) => file.rows);

describe('rows', () => {
    test('have the columns of the import, in order, with our amount after the rate', () => {
        const [row] = rowsOf([lineItem()]);
        expect(Object.entries(row ?? {})).toEqual([
            ['External ID', netsuiteExternalId('tieout-', 'acme/2026-10/USD')],
            ['Customer', 'acme'],
            ['Date', '2026-10-31'],
            ['Currency', 'USD'],
            ['Memo', 'Usage 2026-10-01 to 2026-10-31'],
            ['Item', 'inference'],
            ['Quantity', '1000'],
            ['Price Level', '-1'],
            ['Rate', '0.0125'],
            ['Amount', '12.50'],
            ['Description', 'Inference (large)'],
            ['Start Date', '2026-10-01'],
            ['End Date', '2026-10-31'],
            ['custcol_line_key', lineItem().line_key],
            ['custcol_usage_account', 'acme-eu'],
            ['custcol_recon_status', 'clear'],
        ]);
    });

    test('what was paid is a line below zero of the same invoice', () => {
        const paid = lineItem({
            ...{ line_key: hexKey(1), line_type: 'wallet_settlement', quantity: '1' },
            ...{ unit_price: '-10.01', amount: '-10.01', amount_minor: -1001n },
            ...{ asset: 'TOK', asset_amount: '5005' },
        });
        const rows = rowsOf([lineItem(), paid]);
        expect(rows.map(({ Quantity, Rate, Amount }) => [Quantity, Rate, Amount])).toEqual([
            ['1', '-10.01', '-10.01'],
            ['1000', '0.0125', '12.50'],
        ]);
        expect(deliver([lineItem(), paid]).totals).toMatchObject([{ amount: '2.49' }]);
    });

    test.each([
        ['America/New_York', '2026-10-01T04:00:00Z', '2026-11-01T04:00:00Z'],
        ['Pacific/Kiritimati', '2026-09-30T10:00:00Z', '2026-10-31T10:00:00Z'],
        ['Asia/Kathmandu', '2026-09-30T18:15:00Z', '2026-10-31T18:15:00Z'],
    ])('dates are the days of the payer in %s', (time_zone, period_start, period_end) => {
        const whole = { period_start, period_end, time_zone };
        const [row] = rowsOf([
            lineItem({ ...whole, service_start: period_start, service_end: period_end }),
        ]);
        expect(row).toMatchObject({
            Date: '2026-10-31',
            Memo: 'Usage 2026-10-01 to 2026-10-31',
            'Start Date': '2026-10-01',
            'End Date': '2026-10-31',
        });
    });

    test('dates are right in a month that clocks change in: Morocco leaves Ramadan', () => {
        const span = { start: '2026-03-01T00:00:00Z', end: '2026-03-31T23:00:00Z' };
        const [row] = rowsOf([
            lineItem({
                time_zone: 'Africa/Casablanca',
                period_start: span.start,
                period_end: span.end,
                service_start: span.start,
                service_end: span.end,
            }),
        ]);
        expect(row).toMatchObject({ 'Start Date': '2026-03-01', 'End Date': '2026-03-31' });
    });

    test('a rate that was in force for a part has the days of that part', () => {
        const [row] = rowsOf([
            lineItem({
                service_start: '2026-10-15T00:00:00Z',
                service_end: '2026-10-20T12:00:00Z',
            }),
        ]);
        expect(row).toMatchObject({ 'Start Date': '2026-10-15', 'End Date': '2026-10-20' });
    });

    test.each([
        ['MM/DD/YYYY', '10/31/2026'],
        ['DD/MM/YYYY', '31/10/2026'],
        ['DD.MM.YYYY', '31.10.2026'],
        ['YYYY-MM-DD', '2026-10-31'],
    ] as const)('dates can be written %s', (date_format, date) => {
        expect(rowsOf([lineItem()], { date_format })[0]?.Date).toBe(date);
    });

    test('ids, items, prefix and date are the caller’s', () => {
        const [row] = rowsOf([lineItem()], {
            customer: (id) => `C-${id}`,
            item: (product) => `SKU-${product}`,
            external_id_prefix: 'sandbox-',
            invoice_date: '2026-11-02',
        });
        expect(row).toMatchObject({
            'External ID': netsuiteExternalId('sandbox-', 'acme/2026-10/USD'),
            Customer: 'C-acme',
            Item: 'SKU-inference',
            Date: '2026-11-02',
        });
    });

    test('formulas are neutralised; numbers keep their minus', () => {
        const rows = rowsOf([
            lineItem({ payer_id: '=acme', description: '@x', line_key: '1' }),
            lineItem({ payer_id: '=acme', amount: '-2.50', quantity: '-200', line_key: '2' }),
        ]);
        expect(rows[0]).toMatchObject({ Customer: "'=acme", Description: "'@x" });
        expect(rows[1]).toMatchObject({ Amount: '-2.50', Quantity: '-200', 'Price Level': '-1' });
    });

    test('an external id is the same in every run, one per invoice, its rows together', () => {
        const lines = ['b', 'a', 'c'].flatMap((payer_id) =>
            lineItems(3, { payer_id, invoice_key: `${payer_id}/2026-10/USD` }),
        );
        const ids = rowsOf(shuffled(lines, 3)).map((row) => row['External ID']);
        expect(ids).toEqual(
            ['a', 'b', 'c'].flatMap((id) =>
                Array<string>(3).fill(netsuiteExternalId('tieout-', `${id}/2026-10/USD`)),
            ),
        );
    });
});

describe('files', () => {
    const many = (payers: number, count: number) =>
        Array.from({ length: payers }, (_, index) => `p${String(index).padStart(3, '0')}`).flatMap(
            (payer_id) => lineItems(count, { payer_id, invoice_key: payer_id }),
        );

    /** Lines of text: no cell of these holds a line break. */
    const rowCount = ({ text }: { readonly text: string }) => text.split('\n').length - 2;
    const csvFiles = (lines: Lines) =>
        deliver(lines).files.filter((file) => file.name.endsWith('.csv'));

    test('hold at most 25,000 rows and only whole invoices', () => {
        const files = csvFiles([...many(5, 5_000), lineItem({ payer_id: 'q', invoice_key: 'q' })]);
        expect(files.map((file) => [file.name, rowCount(file)])).toEqual([
            ['netsuite-invoices-001.csv', 25_000],
            ['netsuite-invoices-002.csv', 1],
        ]);
        expect(files.every((file) => file.text.startsWith('External ID,'))).toBe(true);
    });

    test('hold at most 50 MB', () => {
        const description = 'x'.repeat(120_000);
        const lines = many(3, 200).map((line) => ({ ...line, description }));
        const files = csvFiles(lines);
        expect(files.map(rowCount)).toEqual([400, 200]);
        for (const { text } of files) {
            expect(Buffer.byteLength(text)).toBeLessThanOrEqual(50_000_000);
        }
    });

    test('an invoice of more than 5,000 lines is refused, the others go out', () => {
        const result = deliver([
            ...lineItems(5_001),
            ...lineItems(5_000, { payer_id: 'beta', invoice_key: 'beta' }),
        ]);
        expect(result.totals).toMatchObject([{ invoice_count: 1, line_count: 5_000 }]);
        expect(result.withheld).toMatchObject([
            { payer_id: 'acme', line_count: 5_001, amount: '62512.50', reason: 'refused' },
        ]);
        expect(result.problems).toMatchObject([
            { code: 'NETSUITE_INVOICE_TOO_LARGE', severity: 'refused' },
        ]);
    });

    test('what comes to less than zero is a credit memo, its signs turned; zero is none', () => {
        const lines = [
            lineItem({ line_key: '1', amount: '-15.50', unit_price: '-0.0155' }),
            lineItem({ line_key: '2', amount: '10.50', attributes: '{"z":1}' }),
            lineItem({ line_key: '3', amount: '0.00', attributes: '{"zz":1}', unit_price: '0' }),
            lineItem({ line_key: '4', payer_id: 'b', invoice_key: 'b', amount: '0.00' }),
        ];
        expect(
            imports(lines).map(({ name, rows }) => [name, rows.map(({ Amount }) => Amount)]),
        ).toEqual([
            ['netsuite-invoices-001.csv', ['0.00']],
            ['netsuite-credit-memos-001.csv', ['15.50', '-10.50', '0.00']],
        ]);
        expect(imports(lines)[1]?.rows.map(({ Rate }) => Rate)).toEqual(['0.0155', '-0.0125', '0']);
        const result = deliver(lines);
        expect(result.problems).toEqual([]);
        expect(result.totals).toMatchObject([{ invoice_count: 2, amount: '-5.00' }]);
    });

    test('held lines never go out', () => {
        const lines = [lineItem(), lineItem({ line_key: '2', recon_status: 'held' })];
        expect(imports(lines)).toEqual([]);
        expect(deliver(lines).withheld).toMatchObject([{ line_count: 2, reason: 'held' }]);
        expect(() => deliver(lines, { include: new Set(['held']) })).toThrow(
            'EXPORT_INCLUDES_HELD',
        );
    });

    test('totals tie to the lines and to the files, per currency', () => {
        const lines = [
            ...lineItems(3),
            ...lineItems(2, { payer_id: 'b', invoice_key: 'b', currency: 'JPY', amount: '70' }),
        ].map((line, index) => ({ ...line, line_key: hexKey(index) }));
        expect(deliver(lines).totals).toEqual([
            { currency: 'JPY', invoice_count: 1, line_count: 2, amount: '140' },
            { currency: 'USD', invoice_count: 1, line_count: 3, amount: '37.50' },
        ]);
        expect(rowsOf(lines).map((row) => `${row.Amount} ${row.Currency}`)).toEqual([
            ...Array<string>(3).fill('12.50 USD'),
            ...Array<string>(2).fill('70 JPY'),
        ]);
    });

    test('the summary says what is in the files and what is not', () => {
        const result = deliver([
            lineItem(),
            lineItem({ line_key: '2', payer_id: 'b', invoice_key: 'b', recon_status: 'held' }),
        ]);
        const [first, last] = result.files;
        expect(last?.name).toBe('netsuite-summary.json');
        expect(JSON.parse(last?.text ?? '')).toEqual({
            document: 'tieout/netsuite-summary/1',
            files: [{ name: first?.name, row_count: 1, sha256: sha256(first?.text ?? '') }],
            problems: [],
            totals: result.totals,
            withheld: result.withheld,
        });
    });

    test('are the same whatever the order of the lines', () => {
        const lines = many(4, 5).map((line, index) => ({ ...line, amount: `${index}.00` }));
        const { files } = deliver(lines);
        for (let seed = 0; seed < 10; seed += 1) {
            expect(deliver(shuffled(lines, seed)).files).toEqual(files);
        }
    });
});
