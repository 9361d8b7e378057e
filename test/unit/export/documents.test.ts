import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { breakColumns, breaksCsv } from '../../../src/export/breaks.ts';
import { lineItemColumns, lineItemsCsv } from '../../../src/export/line-items.ts';
import { lineItem as lineItemSchema } from '../../../src/schema/line-item.ts';
import { breakItem, lineItem, shuffled } from '../../support/documents.ts';

type Record = { readonly [header: string]: string };
const read = (text: string) => parse(text, { columns: true }) as Record[];

describe('line_items.csv', () => {
    test('has the columns of the schema, in its order', () => {
        const headings = lineItemColumns.map((column) => column.header);
        expect(headings).toEqual(Object.keys(lineItemSchema.shape));
        expect(lineItemsCsv([]).trimEnd().split(',')).toEqual(headings);
        const decimals = lineItemColumns.filter((column) => column.kind === 'decimal');
        expect(decimals.map((column) => column.header)).toEqual([
            ...['quantity', 'unit_price', 'amount_exact', 'amount', 'amount_minor'],
            'asset_amount',
        ]);
    });

    test('writes every value as it is, held lines too', () => {
        const line = lineItem({
            recon_status: 'held',
            quantity: '-1000',
            amount: '-12.50',
            amount_minor: -1250n,
            payer_name: 'Acme, "the" first',
            asset: 'TOK',
            asset_amount: '1250',
        });
        const [row] = read(lineItemsCsv([line]));
        expect(row).toEqual({
            ...{ ...line, amount_minor: '-1250' },
            ...{ commitment_id: '', grant_id: '', backfill_id: '' },
            ...{ corrects_line_key: '', corrects_period: '' },
        });
    });

    test('neutralises names and ids, not amounts', () => {
        const line = lineItem({ payer_id: '=acme', account_name: '@x', amount: '-1.00' });
        const [row] = read(lineItemsCsv([line]));
        expect(row).toMatchObject({ payer_id: "'=acme", account_name: "'@x", amount: '-1.00' });
    });

    const ordered = [
        lineItem({ payer_id: 'Zeta', line_key: '0' }),
        lineItem({ account_id: 'a', product: 'b', attributes: '{"a":1}', line_key: '9' }),
        lineItem({ account_id: 'a', product: 'b', attributes: '{"b":1}', line_key: '8' }),
        lineItem({ account_id: 'a', product: 'c', service_start: '2026-10-01T00:00:00Z' }),
        lineItem({ account_id: 'a', product: 'c', service_start: '2026-10-01T00:00:00.5Z' }),
        lineItem({ account_id: 'a', product: 'c', service_start: '2026-10-02T00:00:00Z' }),
        lineItem({ account_id: 'b', line_key: '1' }),
        lineItem({ account_id: 'b', line_key: '2' }),
        lineItem({ payer_id: '\uff21', line_key: '4' }),
        // Above U+FF21 by code point, below it by UTF-16 unit.
        lineItem({ payer_id: '\u{1f600}', line_key: '3' }),
    ];

    test('is ordered by payer, account, product, attributes, start, key: by code point', () => {
        expect(read(lineItemsCsv(ordered)).map(orderOf)).toEqual(ordered.map(orderOf));
    });

    test('has the same bytes whatever the order of its lines', () => {
        const text = lineItemsCsv(ordered);
        for (let seed = 0; seed < 20; seed += 1) {
            expect(lineItemsCsv(shuffled(ordered, seed))).toBe(text);
        }
    });
});

function orderOf(row: { readonly [key: string]: unknown }): readonly unknown[] {
    return ['payer_id', 'account_id', 'product', 'attributes', 'service_start', 'line_key'].map(
        (key) => row[key],
    );
}

describe('breaks.csv', () => {
    test('has the columns of the schema, in its order', () => {
        const headings = breakColumns.map((column) => column.header);
        expect(headings).toEqual(Object.keys(breakItem()));
        expect(breaksCsv([]).trimEnd().split(',')).toEqual(headings);
    });

    test('writes null as an empty cell and keeps a minus', () => {
        const item = breakItem({
            amount: '-4.2',
            actual: '-1',
            payer_id: null,
            money_amount: null,
        });
        const [row] = read(breaksCsv([item]));
        expect(row).toMatchObject({
            amount: '-4.2',
            actual: '-1',
            payer_id: '',
            money_amount: '',
            age_days: '22',
        });
    });

    test('neutralises what came from a log', () => {
        const item = breakItem({ break_key: '=cmd', detail: '\t=1', entry_ids: '["-1"]' });
        expect(read(breaksCsv([item]))[0]).toMatchObject({
            break_key: "'=cmd",
            detail: "'\t=1",
            entry_ids: '["-1"]',
        });
    });

    test('is ordered by payer, account, asset, code, key, id; nobody’s breaks come first', () => {
        const ordered = [
            breakItem({ payer_id: null, break_id: '9' }),
            breakItem({ account_id: 'a', asset: 'EUR', break_id: '8' }),
            breakItem({ account_id: 'a', asset: 'USD', code: 'A', break_id: '7' }),
            breakItem({ account_id: 'a', asset: 'USD', code: 'B', break_key: '1', break_id: '6' }),
            breakItem({ account_id: 'a', asset: 'USD', code: 'B', break_key: '2', break_id: '4' }),
            breakItem({ account_id: 'a', asset: 'USD', code: 'B', break_key: '2', break_id: '5' }),
            breakItem({ payer_id: 'b', break_id: '0' }),
        ];
        const text = breaksCsv(ordered);
        expect(read(text).map((row) => row.break_id)).toEqual(ordered.map((item) => item.break_id));
        for (let seed = 0; seed < 20; seed += 1) {
            expect(breaksCsv(shuffled(ordered, seed))).toBe(text);
        }
    });
});
