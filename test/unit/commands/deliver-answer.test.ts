import { describe, expect, test } from 'vitest';
import { type Prepared, sentAnswer } from '../../../src/commands/deliver-answer.ts';
import type { Delivered } from '../../../src/deliver/deliver.ts';
import type { Parcel, Target } from '../../../src/deliver/target.ts';
import type { DeliveryProblem } from '../../../src/export/invoices.ts';

const target = { name: 'books', address: 'here' } as Target;
const made = (problems: readonly DeliveryProblem[] = []): Prepared => ({
    standing: { run_id: 'run', period: '2026-10' } as Prepared['standing'],
    ...{ waybills: [], heldBack: [], problems },
});
const parcel = (payer_id: string): Parcel => ({
    ...{ parcel_key: `${payer_id}/2026-10/USD`, payer_id, currency: 'USD' },
    ...{ line_count: 1, amount: '1.00', products: [], payload: null },
});
const counted = { line_count: 1, amount: '1.00', currency: 'USD' };
const there = (payer_id: string): Delivered => ({
    ...{ parcel: parcel(payer_id), state: 'verified', remote_id: '1', detail: '' },
    ...{ counted, isPassing: false },
});
const open = (payer_id: string, over: Partial<Delivered>): Delivered => ({
    ...{ ...there(payer_id), state: 'planned', remote_id: null, counted: null },
    ...{ detail: 'it answered 500', isPassing: true, ...over },
});
const refused: DeliveryProblem = {
    ...{ code: 'UNNAMED', severity: 'refused', invoice_key: 'x' },
    ...{ line_key: null, message: 'nobody said who x is' },
};

const said = (delivered: readonly Delivered[], problems: readonly DeliveryProblem[] = []) => {
    const { exit, text } = sentAnswer(target, made(problems), delivered);
    const rows = text.trimEnd().split('\n').slice(3);
    return [exit, ...rows.map((row) => row.replace(/ +/, ' | '))];
};
const [again, seeTo] = [
    'next | start the same command again later: it goes on where it is, and sends nothing twice',
    'next | see to what is listed (docs/deliveries.md has what each means), then start it again: what is there is not sent twice',
];

describe('what a delivery came to', () => {
    test('all is there: 0, and nothing to do', () =>
        expect(said([there('a'), there('b')])).toEqual([
            ...[0, 'verified | 2 parcels', 'tie-out | zero for 2 payers and currencies'],
        ]));

    test('nobody said no: 75, and what is not known is not told as a difference', () =>
        expect(said([there('a'), open('b', {})])).toEqual([
            ...[75, 'verified | 1 parcel', 'planned | b/2026-10/USD: it answered 500'],
            ...['tie-out | not known yet for b (USD)', again],
        ]));

    test('many for one reason are one row', () => {
        const many = ['a', 'b', 'c', 'd', 'e'].map((of) => open(of, { detail: 'not begun' }));
        expect(said(many)).toEqual([
            ...[75, 'verified | 0 parcels'],
            'planned | 5 parcels from a/2026-10/USD to e/2026-10/USD: not begun',
            ...['tie-out | not known yet for a (USD), b (USD), c (USD) and 2 more', again],
        ]);
    });

    test('one that was there before, and is not what it was: 1', () => {
        const other = { ...counted, amount: '2.00' };
        const changed = open('a', {
            ...{ state: 'verified', detail: 'it has 1 lines of 2.00', counted: other },
            isPassing: false,
        });
        expect(said([changed])).toEqual([
            ...[1, 'verified | 0 parcels', 'differs | a/2026-10/USD: it has 1 lines of 2.00'],
            ...['tie-out | NOT ZERO for a (USD)', seeTo],
        ]);
        expect(said([open('a', { state: 'verified' })])[2]).toMatch(/^unasked \| a\//);
    });

    test('what stays here makes it 1, whatever else is on its way', () => {
        expect(said([there('a')], [refused])).toEqual([
            ...[1, 'refused | UNNAMED x: nobody said who x is', 'verified | 1 parcel'],
            ...['tie-out | zero for 1 payer and currency', seeTo],
        ]);
        expect(said([open('a', {})], [refused])[0]).toBe(1);
    });
});
