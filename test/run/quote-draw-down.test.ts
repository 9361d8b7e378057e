import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { priceLines } from '../../src/quote/price.ts';
import { readLine } from '../../src/quote/read.ts';

type Part = Readonly<Record<string, unknown>>;
type Answer = Readonly<Record<string, unknown>>;

let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 1, spill: '/tmp' });
});
afterAll(() => engine.close());

async function answersTo(lines: readonly Part[]): Promise<readonly Answer[]> {
    return (await priceLines(
        engine,
        lines.map((of) => readLine(JSON.stringify({ id: 'q', currency: 'USD', ...of }))),
    )) as unknown as readonly Answer[];
}
const answerTo = async (line: Part) => (await answersTo([line]))[0] as Answer;

const at = (unit_price: string) => ({ model: 'per_unit', unit_price });
const ladder = {
    model: 'graduated',
    tiers: [
        { up_to: '100', unit_price: '1' },
        { up_to: null, unit_price: '0.5' },
    ],
};
const bulk = { ...ladder, model: 'volume' };
const october = '2026-10-15T00:00:00Z';

/** What a grant gave, as `promo 30.00`. */
const drawn = (of: unknown) =>
    ((of ?? []) as readonly { grant_id: string; amount?: string; quantity?: string }[])
        .map(({ grant_id, amount, quantity }) => `${grant_id} ${amount ?? `${quantity} units`}`)
        .join(', ');

/** Rows of a text table: cells between bars, one row a line. */
const table = (text: string): readonly (readonly string[])[] =>
    text
        .trim()
        .split('\n')
        .map((line) => line.split('|').map((cell) => cell.trim()));

/** A test for each row, all rows priced as one file. */
function rowsOf(
    rows: readonly (readonly string[])[],
    lineOf: (row: readonly string[]) => Part,
    check: (answer: Answer, row: readonly string[]) => void,
) {
    let answers: readonly Answer[] = [];
    beforeAll(async () => {
        answers = await answersTo(rows.map(lineOf));
    });
    test.each(rows.map((row, index) => ({ row, index, what: row.slice(0, 2).join(': ') })))(
        '$what',
        ({ row, index }) => check(answers[index] as Answer, row),
    );
}

/** `amount 100, true_up none` as an object. */
const record = (text: string): Part =>
    Object.fromEntries(text.split(', ').map((pair) => pair.split(' ')));

describe('grants, worked on paper', () => {
    const grants: Readonly<Record<string, Part>> = {
        cash: { amount: '80', asset: 'USD', cost_basis: '80' },
        promo: { amount: '30', asset: 'USD', cost_basis: '0' },
        gpu: { amount: '20', cost_basis: '1', scope: ['gpu'] },
        cpu: { amount: '20', scope: ['cpu'] },
        may: { amount: '40', cost_basis: '1', expires_at: '2027-05-01T00:00:00Z' },
        june: { amount: '40', cost_basis: '1', expires_at: '2027-06-01T00:00:00Z' },
        past: { amount: '99', expires_at: '2026-10-01T00:00:00Z' },
        future: { amount: '99', starts_at: '2026-11-01T00:00:00Z' },
        today: { amount: '5', starts_at: october, expires_at: '2026-10-16T00:00:00Z' },
        euro: { amount: '99', asset: 'EUR' },
        hours: { quantity: '40', asset: 'gpu_hours' },
        fine: { amount: '10.019' },
        old: { amount: '10', cost_basis: '1', is_rollover: true },
        urgent: { amount: '10', cost_basis: '1', priority: '-1' },
        yen: { amount: '99.9', asset: 'JPY' },
        fils: { amount: '0.3335', asset: 'KWD' },
    };

    // 100 at 1.00 unless the line says other; the order of grants is not that in which they draw.
    const worked = table(`
        one of two                               | promo             |                            | promo 30.00                      | 100.00 | 70.00
        promotional before paid                  | cash promo        |                            | promo 30.00, cash 70.00          | 100.00 | 0.00
        the earliest expiry first                | june may          |                            | may 40.00, june 40.00            | 100.00 | 20.00
        different expiry and scope: narrow first | may gpu june      | product gpu                | gpu 20.00, may 40.00, june 40.00 | 100.00 | 0.00
        out of scope                             | cpu may           | product gpu                | may 40.00                        | 100.00 | 60.00
        no product: every scope                  | cpu gpu           |                            | cpu 20.00, gpu 20.00             | 100.00 | 60.00
        outside its window                       | past future today | at ${october}              | today 5.00                       | 100.00 | 95.00
        the end of a window is outside it        | today             | at 2026-10-16T00:00:00Z    |                                  | 100.00 | 100.00
        no instant: every window                 | past              |                            | past 99.00                       | 100.00 | 1.00
        another currency                         | euro              |                            |                                  | 100.00 | 100.00
        rollover before fresh                    | may old           |                            | old 10.00, may 40.00             | 100.00 | 50.00
        priority above all                       | promo urgent      |                            | urgent 10.00, promo 30.00        | 100.00 | 60.00
        a grant pays whole cents                 | fine              |                            | fine 10.01                       | 100.00 | 89.99
        units come first, at no price            | promo hours       |                            | hours 40 units, promo 30.00      | 60.00  | 30.00
        money pays the minimum, units do not     | promo hours       | minimum 90                 | hours 40 units, promo 30.00      | 90.00  | 60.00
        nothing is drawn of nothing              | promo hours       | quantity 0                 |                                  | 0.00   | 0.00
        nor of a credit                          | promo hours       | quantity -5                |                                  | -5.00  | -5.00
        yen                                      | yen               | currency JPY, price 1.5    | yen 99                           | 150    | 51
        dinars                                   | fils              | currency KWD, price 0.0105 | fils 0.333                       | 1.050  | 0.717
    `);
    rowsOf(
        worked,
        ([, given = '', said = '']) => {
            const { price = '1', minimum, ...more } = said === '' ? {} : record(said);
            return {
                charge: { ...at(String(price)), minimum },
                quantity: '100',
                grants: given.split(' ').map((id) => ({ id, ...grants[id] })),
                ...more,
            };
        },
        (answer, [, , , ...expected]) =>
            expect([drawn(answer.drawn), answer.amount, answer.remaining]).toEqual(expected),
    );

    test('groups are one line: grants pay what they come to together', async () => {
        const answer = await answerTo({
            charge: at('0.005'),
            groups: { a: '1', b: '1' },
            grants: [{ id: 'g', amount: '0.015' }],
        });
        expect(answer).toMatchObject({ amount: '0.02', remaining: '0.01' });
        expect(drawn(answer.drawn)).toBe('g 0.01');
    });

    test('a service period must lie in the window of the grant', async () => {
        const meter = {
            aggregation: 'sum',
            period_start: '2026-10-01T00:00:00Z',
            period_end: '2026-11-01T00:00:00Z',
        };
        const events = [{ at: october, value: '100' }];
        const of = (grant: Part) => ({
            ...{ charge: at('1'), meter, events },
            grants: [{ id: 'g', amount: '10', ...grant }],
        });
        const answers = await answersTo([
            of({ expires_at: '2026-11-01T00:00:00Z' }),
            of({ expires_at: '2026-10-31T00:00:00Z' }),
            of({ starts_at: '2026-10-02T00:00:00Z' }),
            { ...of({ starts_at: october, expires_at: '2026-10-15T00:00:01Z' }), meter: undefined },
        ]);
        expect(answers.map((answer) => drawn(answer.drawn))).toEqual([
            'g 10.00',
            '',
            '',
            'g 10.00',
        ]);
    });

    test('a slice is covered on its own: what was billed before is not covered again', async () => {
        const answer = await answerTo({
            charge: ladder,
            quantity: '40',
            previously_billed: { quantity: '90', amount: '90' },
            grants: [
                { id: 'units', quantity: '10' },
                { id: 'money', amount: '15' },
            ],
        });
        // 30 of 40 are priced, from 90 on: 10 at 1 and 20 at 0.5.
        expect(answer).toMatchObject({ quantity: '40', amount: '20.00', remaining: '5.00' });
        expect(drawn(answer.drawn)).toBe('units 10 units, money 15.00');
    });
});

describe('commitments, worked on paper', () => {
    const money = (amount: string, more: Part = {}) => ({ amount, ...more });
    const span = { period_start: '2026-10-01', period_end: '2026-11-01', unit: 'day' };
    const charges: Readonly<Record<string, Part>> = {
        ...{ 'at 1': at('1'), 'at 0.03': at('0.03'), ladder, bulk },
        'at least 70': { ...at('1'), minimum: '70' },
        'half a period': { ...at('1'), proration: '0.5' },
        '10 of 31 days': {
            ...at('1'),
            proration: { from: '2026-10-01', to: '2026-10-11', ...span },
        },
        'packs of 10': { model: 'package', package_size: '10', package_price: '5' },
    };

    // ladder: 1 up to 100, then 0.5. bulk: the same prices for all units.
    const worked = table(`
        met to the cent                      | at 1          | 100  | amount 100                          | 100.00 | 0.00   | 0.00
        missed                               | at 1          | 60   | amount 100                          | 60.00  | 0.00   | 40.00
        missed, not billed                   | at 1          | 60   | amount 100, true_up none            | 60.00  | 0.00   | 0.00
        nothing used                         | at 1          | 0    | amount 100                          | 0.00   | 0.00   | 100.00
        above, at its price                  | at 1          | 120  | amount 100                          | 120.00 | 20.00  | 0.00
        a factor only above                  | at 1          | 120  | amount 100, overage_factor 1.5      | 130.00 | 30.00  | 0.00
        overage for nothing                  | at 1          | 120  | amount 100, overage_factor 0        | 100.00 | 0.00   | 0.00
        100 are 3333.33 units, the rest 0.06 | at 0.03       | 5000 | amount 100, overage_unit_price 0.06 | 200.00 | 100.00 | 0.00
        a credit is lacking too              | at 1          | -10  | amount 100                          | -10.00 | 0.00   | 110.00
        the minimum counts                   | at least 70   | 10   | amount 100                          | 70.00  | 0.00   | 30.00
        half a period, half the promise      | half a period | 60   | amount 100                          | 60.00  | 10.00  | 0.00
        10 of 31 days                        | 10 of 31 days | 0    | amount 100                          | 0.00   | 0.00   | 32.26
        units of half a period               | half a period | 60   | quantity 100, overage_unit_price 2  | 70.00  | 20.00  | 0.00
        units met                            | ladder        | 150  | quantity 150                        | 125.00 | 0.00   | 0.00
        90 missed: 40 at 1, 50 at 0.5        | ladder        | 60   | quantity 150                        | 60.00  | 0.00   | 65.00
        70 above add 20 at 1, 50 at 0.5      | ladder        | 150  | quantity 80, overage_factor 2       | 170.00 | 90.00  | 0.00
        70 above at a price                  | ladder        | 150  | quantity 80, overage_unit_price 3   | 290.00 | 210.00 | 0.00
        units above make it cheaper          | bulk          | 150  | quantity 90, overage_factor 2       | 75.00  | 0.00   | 0.00
        units lacking would have             | bulk          | 90   | quantity 150                        | 90.00  | 0.00   | 0.00
        packages begun                       | packs of 10   | 21   | quantity 15, overage_factor 2       | 20.00  | 10.00  | 0.00
    `);
    rowsOf(
        worked,
        ([, named = '', quantity, said = '']) => ({
            charge: charges[named],
            quantity,
            commitment: record(said),
        }),
        (answer, [, , , , ...expected]) => {
            expect([answer.amount, answer.overage, answer.true_up]).toEqual(expected);
            expect(answer).not.toHaveProperty('drawn');
        },
    );

    test('a fee without usage, and events one by one, count towards money', async () => {
        const answers = await answersTo([
            { charge: { model: 'flat', fee: '30' }, commitment: money('100') },
            {
                charge: { model: 'percentage', percent: '10', min_per_event: '5' },
                events: [
                    { at: october, value: '10' },
                    { at: october, value: '70' },
                ],
                commitment: money('10', { overage_factor: '3' }),
            },
        ]);
        expect(answers[0]).toMatchObject({ amount: '30.00', true_up: '70.00' });
        expect(answers[1]).toMatchObject({ amount: '16.00', overage: '6.00', true_up: '0.00' });
    });

    const windows = (answer: Answer, key: string) =>
        (answer.windows as readonly Answer[]).map((of) => of[key]).join(' ');

    test('a yearly commitment, cumulative, reached in month nine', async () => {
        const answer = await answerTo({
            charge: at('2'),
            commitment: {
                amount: '1700',
                window_quantities: Array.from({ length: 12 }, () => '100'),
                ...{ true_up: 'cumulative', overage_factor: '1.25' },
            },
        });
        // 200 a month: 1600 by the end of August; of September 100 are within and 100 above.
        expect(windows(answer, 'overage')).toBe(
            '0.00 0.00 0.00 0.00 0.00 0.00 0.00 0.00 125.00 250.00 250.00 250.00',
        );
        expect(windows(answer, 'amount')).toBe(
            '200.00 200.00 200.00 200.00 200.00 200.00 200.00 200.00 225.00 250.00 250.00 250.00',
        );
        expect(answer).toMatchObject({
            ...{ quantity: '1200', amount_exact: '2575', amount: '2575.00' },
            ...{ overage: '875.00', true_up: '0.00', tiers: [] },
        });
    });

    test('a quarterly true-up: each window on its own; together they would have been enough', async () => {
        const used = ['120', '70', '100', '130'];
        const of = (amount: string, true_up: string) => ({
            charge: at('1'),
            commitment: { amount, window_quantities: used, true_up },
        });
        const [quarterly, yearly, short] = await answersTo([
            of('100', 'window'),
            of('400', 'cumulative'),
            of('500', 'cumulative'),
        ]);
        expect(windows(quarterly as Answer, 'true_up')).toBe('0.00 30.00 0.00 0.00');
        expect(windows(quarterly as Answer, 'overage')).toBe('20.00 0.00 0.00 30.00');
        expect(quarterly).toMatchObject({ amount: '420.00', overage: '50.00', true_up: '30.00' });
        expect(windows(yearly as Answer, 'overage')).toBe('0.00 0.00 0.00 20.00');
        expect(yearly).toMatchObject({ amount: '420.00', overage: '20.00', true_up: '0.00' });
        expect(windows(short as Answer, 'true_up')).toBe('0.00 0.00 0.00 80.00');
    });

    test('windows are priced on their own: each begins at the first tier', async () => {
        const answer = await answerTo({
            charge: ladder,
            quantity: '300',
            commitment: {
                quantity: '250',
                window_quantities: ['150', '150'],
                true_up: 'cumulative',
            },
        });
        expect(windows(answer, 'amount')).toBe('125.00 125.00');
        // 100 of the second 150 are within: 50 above add 25.
        expect(answer).toMatchObject({ amount: '250.00', overage: '25.00' });
    });

    test('every window is rounded once, and a line is the sum of them', async () => {
        const answer = await answerTo({
            charge: at('0.005'),
            commitment: { amount: '0', window_quantities: ['1', '1', '1'] },
        });
        expect(answer).toMatchObject({ amount_exact: '0.015', amount: '0.03', overage: '0.03' });
    });

    test('grants pay what was used and its overage, window by window; not a true-up', async () => {
        const answer = await answerTo({
            charge: at('1'),
            commitment: {
                amount: '50',
                window_quantities: ['60', '20', '40'],
                overage_factor: '2',
            },
            grants: [
                { id: 'promo', amount: '75' },
                { id: 'paid', amount: '10', cost_basis: '1' },
                { id: 'units', quantity: '5' },
            ],
        });
        // 5 units are covered: 55 is 50 and 5 x 2.
        expect(windows(answer, 'amount')).toBe('60.00 20.00 40.00');
        expect(windows(answer, 'true_up')).toBe('0.00 30.00 10.00');
        expect((answer.windows as readonly Answer[]).map((of) => drawn(of.drawn))).toEqual([
            'units 5 units, promo 60.00',
            'promo 15.00, paid 5.00',
            'paid 5.00',
        ]);
        expect(answer).toMatchObject({ amount: '120.00', true_up: '40.00', remaining: '35.00' });
        expect(drawn(answer.drawn)).toBe('units 5 units, promo 75.00, paid 10.00');
    });

    test('yen and dinars', async () => {
        const [yen, dinar] = await answersTo([
            { charge: at('0.5'), quantity: '101', currency: 'JPY', commitment: money('99.7') },
            {
                ...{ charge: at('0.0015'), quantity: '101', currency: 'KWD' },
                commitment: money('0.1', { overage_factor: '1.5' }),
            },
        ]);
        // 50.5 is 51 yen; 49.2 is lacking.
        expect(yen).toMatchObject({ amount: '51', overage: '0', true_up: '49' });
        // 0.1515: 0.0515 above x 1.5 is 0.07725.
        expect(dinar).toMatchObject({ amount: '0.177', overage: '0.077', true_up: '0.000' });
    });
});

test('the example of docs/quotes.md is answered as it says', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/quotes.md'), 'utf8');
    const [asked, answered] = page
        .split('\n')
        .filter((text) => /^\{"id": ?"year"/.test(text))
        .map((text) => JSON.parse(text) as Part);
    const { windows: _, ...answer } = await answerTo(asked ?? {});
    expect(answer).toEqual(answered);
});

describe('what is refused, by its code', () => {
    const huge = `1${'0'.repeat(40)}`;
    const ladderText = JSON.stringify(ladder);
    // Beside 100 units at 1, unless a line says other: what it says, its code, a part of its message.
    const refused = table(`
        "commitment": {"amount": 100}                                                                                | QUOTE_NUMBER     | commitment.amount is a JSON number
        "commitment": {"amount": "1", "window_quantities": ["1", 99]}                                                | QUOTE_NUMBER     | window_quantities.1 is a JSON number
        "grants": [{"id": "g", "amount": 1}]                                                                         | QUOTE_NUMBER     | grants.0.amount is a JSON number
        "grants": [{"id": "g", "amount": "1", "priority": 1.5}]                                                      | QUOTE_NUMBER     | grants.0.priority is a JSON number
        "commitment": {"amount": "1", "overage_facter": "2"}                                                         | QUOTE_KEY        | Did you mean "overage_factor"
        "grants": [{"id": "g", "amount": "1", "expire_at": null}]                                                    | QUOTE_KEY        | Did you mean "expires_at"
        "grant": []                                                                                                  | QUOTE_KEY        | Did you mean "grants"
        "commitment": {"amount": "1", "true_up": "weekly"}                                                           | QUOTE_CHOICE     | true_up: "weekly"
        "commitment": {"amount": "-1"}                                                                               | QUOTE_DECIMAL    | commitment.amount: "-1"
        "grants": [{"amount": "1"}]                                                                                  | QUOTE_MISSING    | grants.0.id is missing
        "commitment": {}                                                                                             | QUOTE_COMMITMENT | one of amount, quantity
        "commitment": {"amount": "1", "quantity": "1"}                                                               | QUOTE_COMMITMENT | one of amount, quantity
        "commitment": {"amount": "1", "overage_factor": "2", "overage_unit_price": "1"}                              | QUOTE_COMMITMENT | not both
        "quantity": null, "groups": {"a": "1"}, "commitment": {"amount": "1"}                                        | QUOTE_COMMITMENT | without groups
        "previously_billed": {"quantity": "1", "amount": "1"}, "commitment": {"amount": "1"}                         | QUOTE_COMMITMENT | previously_billed
        "charge": {"model": "flat", "fee": "1"}, "commitment": {"quantity": "1"}                                     | QUOTE_COMMITMENT | not flat
        "charge": {"model": "flat", "fee": "1"}, "commitment": {"amount": "1", "window_quantities": ["1"]}           | QUOTE_COMMITMENT | not flat
        "quantity": "-1", "commitment": {"quantity": "1"}                                                            | QUOTE_COMMITMENT | below zero
        "quantity": null, "events": [{"value": "-1"}], "commitment": {"quantity": "1"}                               | QUOTE_COMMITMENT | below zero
        "commitment": {"amount": "1", "window_quantities": ["40", "50"]}                                             | QUOTE_COMMITMENT | add up to 90, quantity is 100
        "quantity": null, "events": [], "commitment": {"amount": "1", "window_quantities": ["1"]}                    | QUOTE_USAGE      | exactly one
        "charge": ${ladderText}, "commitment": {"amount": "1", "overage_unit_price": "1"}                            | QUOTE_COMMITMENT | use overage_factor
        "charge": {"model": "per_unit", "unit_price": "0"}, "commitment": {"amount": "1", "overage_unit_price": "1"} | QUOTE_COMMITMENT | price above 0
        "grants": [{"id": "g", "amount": "1"}, {"id": "g", "amount": "2"}]                                           | QUOTE_GRANT      | g is there twice
        "grants": [{"id": "g"}]                                                                                      | QUOTE_GRANT      | one of amount, quantity
        "grants": [{"id": "g", "amount": "1", "asset": "tokens"}]                                                    | QUOTE_GRANT      | tokens is not an ISO 4217 currency
        "grants": [{"id": "g", "quantity": "1", "asset": "USD"}]                                                     | QUOTE_GRANT      | USD is money
        "quantity": null, "groups": {"a": "1"}, "grants": [{"id": "g", "quantity": "1"}]                             | QUOTE_GRANT      | no groups
        "grants": [{"id": "g", "amount": "1", "expires_at": "2026-10-01"}]                                           | QUOTE_SPAN       | grant g: 2026-10-01
        "grants": [{"id": "g", "amount": "1", "starts_at": "${october}", "expires_at": "${october}"}]                | QUOTE_SPAN       | expires before it starts
        "at": "today"                                                                                                | QUOTE_SPAN       | at: today
        "grants": [{"id": "g", "amount": "${huge}"}]                                                                 | QUOTE_RANGE      | 38 digits
        "grants": [{"id": "g", "quantity": "${huge}"}]                                                               | QUOTE_RANGE      | 38 digits
        "commitment": {"amount": "${huge}"}                                                                          | QUOTE_RANGE      | 38 digits
        "commitment": {"quantity": "${huge}"}                                                                        | QUOTE_RANGE      | 38 digits
    `);
    const promised = { charge: at('1'), quantity: '100' };
    rowsOf(
        [...refused, ['"id": "one that is not"']],
        ([said]) => {
            const line = { ...promised, ...(JSON.parse(`{${said}}`) as Part) };
            return Object.fromEntries(Object.entries(line).filter(([, of]) => of !== null));
        },
        (answer, [, code, message = '']) => {
            if (code === undefined) expect(answer).toMatchObject({ amount: '100.00' });
            else {
                const error = { code, message: expect.stringContaining(message) };
                expect(answer).toEqual({ id: 'q', error });
            }
        },
    );
});
