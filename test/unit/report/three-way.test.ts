import { describe, expect, test } from 'vitest';
import { threeWayCsv } from '../../../src/export/three-way.ts';
import { buildReport } from '../../../src/report/model.ts';
import { closes, type ThreeWayPart, threeWays } from '../../../src/report/three-way.ts';
import type { DeliveryRecord, TargetDeliveries } from '../../../src/schema/delivery.ts';
import type { Step, ThreeWay, ThreeWayRow } from '../../../src/schema/report.ts';
import { certificate, lineItem, payerTotal, shuffled, tieOut } from '../../support/documents.ts';

/** `authorized 100` of Acme in USD; a product or a code where the test is about one. */
const part = (
    name: ThreeWayPart['part'],
    amount: string,
    over: Partial<ThreeWayPart> = {},
): ThreeWayPart => {
    const of = { payer_id: 'acme', product: 'llm', asset: 'USD', code: '' };
    return { ...of, ...over, part: name, amount };
};

const options = { names: new Map([['acme', 'Acme Corp']]), invoiced: new Set(['USD']) };

/** `100 + 5 METERED_NOT_DEBITED = 105; - 0.01 cents = 104.99` */
function said({ authorized, to_metered, metered, to_invoiced, invoiced }: ThreeWay): string {
    const steps = (of: readonly Step[]) =>
        of.map(({ step, code, amount }) => ` ${amount} ${code || step}`).join(',');
    const after = invoiced === null ? '' : `;${steps(to_invoiced)} = ${invoiced}`;
    return `${authorized}${steps(to_metered) && `,${steps(to_metered)}`} = ${metered}${after}`;
}

const rowsOf = (parts: readonly ThreeWayPart[]) =>
    threeWays(parts, options).rows.map((row) => `${row.product || '-'}: ${said(row)}`);

describe('from authorized to invoiced', () => {
    test.each<[string, readonly ThreeWayPart[], readonly string[]]>([
        [
            'breaks and rounding lead to what was metered, cents and wallets to what is invoiced',
            [
                part('authorized', '97.5'),
                part('break', '5', { code: 'METERED_NOT_DEBITED' }),
                part('break', '-2.5', { code: 'DUP_DEBIT_SAME' }),
                part('rounding', '0.004'),
                part('metered', '100.004'),
                part('charged', '100'),
                part('wallets', '-97.5'),
            ],
            [
                'llm: 97.5, -2.5 DUP_DEBIT_SAME, 5 METERED_NOT_DEBITED, 0.004 rounding = 100.004; -0.004 cents, -97.5 wallets = 2.5',
            ],
        ],
        [
            'tiers that the wallet could not know',
            [
                part('authorized', '100'),
                part('repriced', '-20'),
                part('metered', '80'),
                part('charged', '80'),
            ],
            ['llm: 100, -20 repriced = 80; = 80'],
        ],
        [
            'debits for several products stand by themselves, and come to nothing over all of them',
            [
                part('authorized', '100', { product: '' }),
                part('break', '5', { product: '', code: 'METERED_NOT_DEBITED' }),
                part('metered', '60', { product: 'a' }),
                part('charged', '60', { product: 'a' }),
                part('metered', '45', { product: 'b' }),
                part('charged', '45', { product: 'b' }),
            ],
            [
                '-: 100, 5 METERED_NOT_DEBITED, -105 together = 0; = 0',
                'a: 0, 60 together = 60; = 60',
                'b: 0, 45 together = 45; = 45',
            ],
        ],
        [
            'usage debited in units has no debit in money, whatever its product',
            [part('in_units', '7', { product: '' }), part('metered', '7'), part('charged', '7')],
            ['llm: 0, 7 in_units = 7; = 7'],
        ],
        [
            'units end where they are metered',
            [part('authorized', '40', { asset: 'TOK' }), part('metered', '40', { asset: 'TOK' })],
            ['llm: 40 = 40'],
        ],
        [
            'what nothing explains is said',
            [part('authorized', '10'), part('metered', '11'), part('charged', '11')],
            ['-: 0, -1 together, 1 unexplained = 0; = 0', 'llm: 10, 1 together = 11; = 11'],
        ],
    ])('%s', (_what, parts, rows) => {
        for (let seed = 0; seed < 4; seed += 1) {
            expect(rowsOf(shuffled(parts, seed))).toEqual(rows);
        }
        const ways = threeWays(parts, options);
        expect([...ways.rows, ...ways.totals].every(closes)).toBe(true);
    });

    test('all payers together, per asset', () => {
        const of = (payer_id: string, amount: string) => [
            part('authorized', amount, { payer_id }),
            part('metered', amount, { payer_id }),
            part('charged', amount, { payer_id }),
        ];
        const { totals } = threeWays([...of('acme', '1.5'), ...of('bolt', '2')], options);
        expect(totals.map((way) => `${way.asset} ${said(way)}`)).toEqual(['USD 3.5 = 3.5; = 3.5']);
    });

    test('new prices of a month priced anew are a step of their own', () => {
        const parts = [part('authorized', '10'), part('metered', '12'), part('charged', '12')];
        const { rows } = threeWays(parts, { ...options, isPricedAnew: true });
        expect(rows.map(said)).toEqual(['10, 2 priced_anew = 12; = 12']);
    });

    test('a way whose steps lack something does not close', () => {
        const [way] = threeWays([part('authorized', '1'), part('metered', '1')], options).rows;
        expect(closes(way!)).toBe(true);
        expect(closes({ ...way!, authorized: '2' })).toBe(false);
        expect(closes({ ...way!, invoiced: '2' })).toBe(false);
    });
});

describe('from invoiced to delivered', () => {
    /** `acme: llm 80 verified`: a parcel of 80 for llm, or of several products. */
    const parcel = (
        state: DeliveryRecord['state'],
        products: Readonly<Record<string, string>>,
        over: Partial<DeliveryRecord> = {},
    ): DeliveryRecord => ({
        ...{ number: 4, state, parcel_key: 'acme/2026-10/USD', payload_sha256: 'a'.repeat(64) },
        ...{ period: '2026-10', run_id: 'now', payer_id: 'acme', currency: 'USD' },
        ...{ line_count: 1, amount: '0', remote_id: null, detail: '', by: 'ada' },
        products: Object.entries(products).map(([product, amount]) => ({ product, amount })),
        ...{ start_id: 's', at: '2026-11-05T09:00:00Z', ...over },
    });
    const invoiced = (['authorized', 'metered', 'charged'] as const).flatMap((name) => [
        part(name, '60'),
        part(name, '40', { product: 'ocr' }),
    ]);
    const waysOf = (
        deliveries: readonly TargetDeliveries[],
        held: readonly string[] = [],
        parts: readonly ThreeWayPart[] = invoiced,
    ) => {
        const underway = { run_id: 'now', held: new Set(held), deliveries };
        const ways = threeWays(parts, { ...options, underway });
        expect([...ways.rows, ...ways.totals].every(closes)).toBe(true);
        return ways;
    };
    const wayText = ({ product, invoiced: from, deliveries }: ThreeWayRow) =>
        deliveries.map(
            ({ target, to_delivered, delivered }) =>
                `${target} ${product || '-'}: ${[`${from}`, ...to_delivered.map(({ step, amount }) => `${amount} ${step}`)].join(', ')} = ${delivered}`,
        );

    test.each<[string, readonly DeliveryRecord[], readonly string[], readonly string[]]>([
        [
            'all of it is there',
            [parcel('verified', { llm: '60', ocr: '40' })],
            [],
            ['books llm: 60 = 60', 'books ocr: 40 = 40'],
        ],
        [
            'two parcels, one of them on its way',
            [parcel('verified', { llm: '60' }), parcel('acknowledged', { ocr: '40' })],
            [],
            ['books llm: 60 = 60', 'books ocr: 40, -40 underway = 0'],
        ],
        [
            'what was rejected, and what no parcel went out with',
            [parcel('rejected', { llm: '60' })],
            [],
            ['books llm: 60, -60 rejected = 0', 'books ocr: 40, -40 not_delivered = 0'],
        ],
        [
            'planned is not on its way',
            [parcel('planned', { llm: '60', ocr: '40' })],
            [],
            ['books llm: 60, -60 not_delivered = 0', 'books ocr: 40, -40 not_delivered = 0'],
        ],
        [
            'lines of a payer that is held stay here',
            [parcel('verified', { llm: '1' }, { payer_id: 'bolt', run_id: 'before' })],
            ['acme'],
            [
                'books llm: 60, -60 held = 0',
                'books ocr: 40, -40 held = 0',
                'books llm: 0, 1 of_another_run = 1',
            ],
        ],
        [
            'delivered of another run, which billed less and something else',
            [parcel('verified', { llm: '59.5', gpu: '7' }, { run_id: 'before' })],
            [],
            [
                'books gpu: 0, 7 of_another_run = 7',
                'books llm: 60, -0.5 of_another_run = 59.5',
                'books ocr: 40, -40 of_another_run = 0',
            ],
        ],
        [
            'delivered of another run that billed the same is delivered',
            [parcel('verified', { llm: '60', ocr: '40' }, { run_id: 'before' })],
            [],
            ['books llm: 60 = 60', 'books ocr: 40 = 40'],
        ],
    ])('%s', (_what, records, held, expected) => {
        const { rows } = waysOf([{ target: 'books', records }], held);
        expect(rows.flatMap(wayText)).toEqual(expected);
    });

    test('each target has a way of its own, and all payers together have them too', () => {
        const { totals } = waysOf([
            { target: 'books', records: [parcel('verified', { llm: '60', ocr: '40' })] },
            { target: 'crm', records: [parcel('sent', { llm: '60', ocr: '40' })] },
        ]);
        expect(totals.flatMap((way) => wayText({ ...way, product: '' } as ThreeWayRow))).toEqual([
            'books -: 100 = 100',
            'crm -: 100, -100 underway = 0',
        ]);
    });

    test('a target that has quantities alone has no money', () => {
        const { rows } = waysOf([
            { target: 'stripe', records: [parcel('verified', {}, { currency: 'llm_tokens' })] },
        ]);
        expect(rows.flatMap(wayText)).toEqual([]);
    });

    test('as rows for BI: the steps of a target come after what is invoiced', () => {
        const { rows } = waysOf([
            { target: 'books', records: [parcel('rejected', { llm: '60' })] },
        ]);
        expect(
            threeWayCsv(rows)
                .split('\n')
                .filter((line) => line.includes(',llm,')),
        ).toEqual([
            'acme,Acme Corp,llm,USD,,1,authorized,,60',
            'acme,Acme Corp,llm,USD,,2,metered,,60',
            'acme,Acme Corp,llm,USD,,3,invoiced,,60',
            'acme,Acme Corp,llm,USD,books,4,rejected,,-60',
            'acme,Acme Corp,llm,USD,books,5,delivered,,0',
        ]);
    });

    test('a way to a target whose steps lack something does not close', () => {
        const [way] = waysOf([
            { target: 'books', records: [parcel('verified', { llm: '60', ocr: '40' })] },
        ]).rows;
        const deliveries = [{ target: 'books', to_delivered: [], delivered: '59' }];
        expect(closes({ ...way!, deliveries })).toBe(false);
    });
});

describe('the proof of it', () => {
    const proof = (parts: readonly ThreeWayPart[], over = {}) =>
        buildReport({
            certificate: certificate({ tie_outs: [tieOut()], payers: [payerTotal()], ...over }),
            ...{ lines: [lineItem()], breaks: [], three_way: parts },
        }).proofs.at(-1);
    const whole = [part('authorized', '12.5'), part('metered', '12.5'), part('charged', '12.5')];

    test('holds where the ways come to the tie-outs and to what is invoiced', () => {
        expect(proof(whole)).toMatchObject({ holds: true, checked: '1 row' });
    });

    test.each([
        ['USD: authorized', { tie_outs: [tieOut({ debited: '12' })] }],
        ['USD: invoiced', { payers: [payerTotal({ amount: '12.51' })] }],
    ])('fails, and says where: %s', (failure, over) => {
        expect(proof(whole, over)).toMatchObject({ holds: false, failures: [failure] });
    });

    test('fails where something is unexplained', () => {
        const parts = [part('authorized', '12.5'), part('metered', '13'), part('charged', '12.5')];
        expect(proof(parts)).toMatchObject({ holds: false, failures: ['USD: 0.5 unexplained'] });
    });
});
