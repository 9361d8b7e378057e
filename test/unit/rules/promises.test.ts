import { describe, expect, test } from 'vitest';
import { lintPromises } from '../../../src/rules/promises.ts';
import { contractsOf, type World } from '../compile/promises.world.ts';
import { printed } from './support.ts';

function read(world: World) {
    const agreed = contractsOf(world);
    if ('problems' in agreed) throw new Error(printed(agreed.problems).join('\n'));
    return agreed;
}

/** What is wrong with the file by itself, each as `line: CODE message`, and its remedy. */
function problemsOf(world: World): readonly string[] {
    const agreed = contractsOf(world);
    return 'problems' in agreed
        ? printed(agreed.problems).map((text) => text.replace('contracts.yaml:', ''))
        : [];
}

const units = 'commitment: c, quantity: "1000", meter: tokens';

describe('a commitment', () => {
    test('is read with its defaults', () => {
        const { contracts } = read({
            commitments: [
                'commitment: c, amount: "12.50"',
                'commitment: p, amount: "1", kind: prepaid, rollover: { fraction: "1", months: 3 }',
                `${units.replace('c,', 'q,')}, shortfall_price: "0.5", every: year, prorate: false`,
                `${units.replace('c,', 'u,')}, kind: prepaid, fee: "80.00", every: month`,
            ],
        });
        expect(contracts.contracts[0]?.commitments).toMatchObject([
            {
                ...{ commitment: 'c', measure: 'amount', size: '12.50', every: 'term' },
                ...{ kind: 'postpaid', true_up: 'window', is_prorated: true, rollover: null },
                ...{ products: [], product: 'commitment', line: 4, meter: null },
                ...{ description: 'Commitment c of contract deal', overage_factor: null },
            },
            { kind: 'prepaid', true_up: 'none', rollover: { fraction: '1', months: 3 } },
            { measure: 'quantity', size: '1000', meter: 'tokens', is_prorated: false, fee: null },
            { kind: 'prepaid', measure: 'quantity', fee: '80.00', true_up: 'none' },
        ]);
    });

    const open = 'from: 2026-01-01T00:00:00Z';
    test.each<[string, string, string]>([
        [
            'neither money nor units',
            'commitment: c',
            '4: COMMITMENT_SIZE commitment c: it has neither amount nor quantity\n' +
                '    Promise money by amount, or units by quantity and meter, with a shortfall_price or a fee.',
        ],
        [
            'both',
            `${units}, amount: "1", shortfall_price: "1"`,
            '4: COMMITMENT_SIZE commitment c: it has both amount and quantity\n' +
                '    Promise money by amount, or units by quantity and meter, with a shortfall_price or a fee.',
        ],
        [
            'a key of units where money is promised',
            'commitment: c, amount: "1", overage_unit_price: "1"',
            '4: COMMITMENT_MEASURE commitment c: overage_unit_price is of a quantity, and this is an amount\n' +
                '    Take it out, or promise a quantity.',
        ],
        [
            'units of nothing',
            'commitment: c, quantity: "1", shortfall_price: "1"',
            '4: COMMITMENT_MEASURE commitment c: a quantity needs a meter\n' +
                '    Name the meter whose units it promises.',
        ],
        [
            'units whose lack costs nothing that is said',
            units,
            '4: COMMITMENT_MEASURE commitment c: a quantity needs a shortfall_price\n' +
                '    Write what each missing unit costs, or `true_up: none`.',
        ],
        [
            'a price of what is never billed',
            `${units}, shortfall_price: "1", true_up: none, overage_factor: "2"`,
            '4: COMMITMENT_MEASURE commitment c: nothing is trued up, so nothing costs the shortfall_price\n' +
                '    Take it out, or let a window true up.',
        ],
        [
            'units in advance for nothing',
            `${units}, kind: prepaid`,
            '4: COMMITMENT_MEASURE commitment c: a prepaid quantity needs a fee\n' +
                '    Write what the units of a window cost, billed when it begins.',
        ],
        [
            'units in advance whose lack costs something',
            `${units}, kind: prepaid, fee: "80", shortfall_price: "1"`,
            '4: COMMITMENT_MEASURE commitment c: nothing is trued up, so nothing costs the shortfall_price\n' +
                '    Take it out, or let a window true up.',
        ],
        [
            'a fee of units that are paid when they lack',
            `${units}, fee: "80", shortfall_price: "1"`,
            '4: COMMITMENT_MEASURE commitment c: a fee is of a prepaid quantity\n' +
                '    Take it out, or make it `kind: prepaid`.',
        ],
        [
            'a fee of money, which is its own',
            'commitment: c, amount: "1", kind: prepaid, fee: "1"',
            '4: COMMITMENT_MEASURE commitment c: fee is of a quantity, and this is an amount\n' +
                '    Take it out, or promise a quantity.',
        ],
        [
            'a true-up of what is paid',
            'commitment: c, amount: "1", kind: prepaid, true_up: window',
            '4: COMMITMENT_KIND commitment c: what is prepaid lacks nothing, so nothing is trued up\n' +
                '    Take true_up out, or make it postpaid.',
        ],
        [
            'a rest of what was not paid',
            'commitment: c, amount: "1", rollover: { fraction: "1", months: 1 }',
            '4: COMMITMENT_KIND commitment c: only what is prepaid has a balance that could roll over\n' +
                '    Take rollover out, or make it `kind: prepaid`.',
        ],
        [
            'what does nothing',
            'commitment: c, amount: "1", true_up: none',
            '4: COMMITMENT_KIND commitment c: it trues up nothing and has no overage: it would do nothing\n' +
                '    Let it true up, give it an overage_factor, or take it out.',
        ],
        [
            'a term that adds up',
            'commitment: c, amount: "1", true_up: cumulative',
            '4: COMMITMENT_WINDOW commitment c: a term is one window, and nothing adds up\n' +
                '    Write `every: month`, `quarter` or `year`, or `true_up: window`.',
        ],
        [
            'two prices of overage',
            `${units}, shortfall_price: "1", overage_factor: "2", overage_unit_price: "3"`,
            '4: COMMITMENT_OVERAGE commitment c: overage has a factor or a unit price, not both\n' +
                '    Keep the one that the contract says.',
        ],
        [
            'nothing promised',
            'commitment: c, amount: "0.00"',
            '4: CONTRACTS_INVALID amount is "0.00": it must be above zero (contracts.0.commitments.0.amount)',
        ],
        [
            'less than nothing',
            'commitment: c, amount: "-1"',
            '4: CONTRACTS_INVALID amount "-1" is not a plain decimal of at most 12 places that is not negative (contracts.0.commitments.0.amount)',
        ],
        [
            'a bare number',
            'commitment: c, amount: 1.5',
            '4: CONTRACTS_INVALID amount is a bare number, which loses digits: write it in quotes, like "0.5" (contracts.0.commitments.0.amount)',
        ],
        [
            'more than the rest',
            'commitment: c, amount: "1", kind: prepaid, rollover: { fraction: "1.01", months: 1 }',
            '4: CONTRACTS_INVALID fraction is "1.01": it must be above 0 and at most 1 (contracts.0.commitments.0.rollover.fraction)',
        ],
        [
            'a rest for no time',
            'commitment: c, amount: "1", kind: prepaid, rollover: { fraction: "1", months: 0 }',
            '4: CONTRACTS_INVALID months must be above zero (contracts.0.commitments.0.rollover.months)',
        ],
        [
            'a window there is not',
            'commitment: c, amount: "1", every: quartar',
            '4: CONTRACTS_INVALID every: "quartar" is not a choice here. Did you mean "quarter"? (contracts.0.commitments.0.every)',
        ],
        [
            'an id that could be taken for another',
            'commitment: a/b, amount: "1"',
            '4: CONTRACTS_INVALID commitment "a/b" may hold letters, digits, ".", "_" and "-", and begins with one of the first two (contracts.0.commitments.0.commitment)',
        ],
        [
            'a product twice',
            'commitment: c, amount: "1", products: [llm, llm]',
            '4: CONTRACTS_INVALID products names one of them twice (contracts.0.commitments.0.products)',
        ],
    ])('may not be %s', (_what, text, expected) => {
        expect(problemsOf({ commitments: [text] })).toEqual([expected]);
    });

    test('over the term needs a term', () => {
        expect(problemsOf({ commitments: ['commitment: c, amount: "1"'], span: open })).toEqual([
            '4: COMMITMENT_WINDOW commitment c: its window is the term of contract deal, which has no end\n' +
                '    Give the contract a `to`, or write `every: year`.',
        ]);
    });
});

describe('a grant', () => {
    test('is read with its defaults', () => {
        const { contracts } = read({
            grants: [
                'grant: g, amount: "5"',
                'grant: h, amount: "5", every: month, priority: "-7"',
            ],
        });
        expect(contracts.contracts[0]?.grants).toMatchObject([
            {
                ...{ grant: 'g', amount: '5', asset: null, every: 'once', priority: '0' },
                ...{ cost_basis: '0', products: [], product: 'credit', line: 4, months: null },
                ...{ description: 'Grant g of contract deal', rollover: null },
            },
            { every: 'month', priority: '-7' },
        ]);
    });

    test.each<[string, string, string]>([
        [
            'begun before its contract',
            'grant: g, amount: "1", from: 2025-12-31T00:00:00Z',
            '4: GRANT_SPAN grant g: it begins at 2025-12-31T00:00:00Z, and contract deal is from 2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z\n' +
                '    Let it begin while the contract is in force.',
        ],
        [
            'over before it begins',
            'grant: g, amount: "1", from: 2026-05-01T00:00:00Z, to: 2026-05-01T00:00:00Z',
            '4: EMPTY_SPAN grant g: it ends at 2026-05-01T00:00:00Z, and begins at 2026-05-01T00:00:00Z\n' +
                '    Let it end after it begins.',
        ],
        [
            'from no instant',
            'grant: g, amount: "1", to: tomorrow',
            '4: BAD_INSTANT to "tomorrow" is not an instant\n' +
                '    Write day, time and zone: 2026-03-01T00:00:00Z.',
        ],
        [
            'given once for months',
            'grant: g, amount: "1", months: 2',
            '4: GRANT_EVERY grant g: months are of a grant that is given anew\n' +
                '    Write its `to`, or let it be given anew by `every`.',
        ],
        [
            'given anew for a time of its own',
            'grant: g, amount: "1", every: month, to: 2026-05-01T00:00:00Z',
            '4: GRANT_EVERY grant g: it is given anew every month, for its window\n' +
                '    Take to out: it is given while the contract is in force, and lasts so many months.',
        ],
        [
            'of nothing',
            'grant: g, amount: "0"',
            '4: CONTRACTS_INVALID amount is "0": it must be above zero (contracts.0.grants.0.amount)',
        ],
        [
            'paid for with less than nothing',
            'grant: g, amount: "1", cost_basis: "-1"',
            '4: CONTRACTS_INVALID cost_basis "-1" is not a plain decimal of at most 12 places that is not negative (contracts.0.grants.0.cost_basis)',
        ],
        [
            'ranked by a fraction',
            'grant: g, amount: "1", priority: "1.5"',
            '4: CONTRACTS_INVALID priority is a whole number (contracts.0.grants.0.priority)',
        ],
    ])('may not be %s', (_what, text, expected) => {
        expect(problemsOf({ grants: [text] })).toEqual([expected]);
    });

    test('that never ends leaves nothing', () => {
        const grants = ['grant: g, amount: "1", rollover: { fraction: "1", months: 1 }'];
        expect(problemsOf({ grants, span: 'from: 2026-01-01T00:00:00Z' })).toEqual([
            '4: GRANT_SPAN grant g: it never ends, so nothing of it rolls over\n' +
                '    Give it a `to`, or take rollover out.',
        ]);
    });
});

describe('commitments and grants together', () => {
    test('have ids of their own, and all problems are told at once', () => {
        expect(
            problemsOf({
                commitments: ['commitment: a, amount: "1"', 'commitment: b'],
                grants: ['grant: a, amount: "1"', 'grant: b, amount: "1", months: 1'],
            }),
        ).toEqual([
            expect.stringContaining('5: COMMITMENT_SIZE'),
            '7: PROMISE_TWICE contract deal has a at line 4 too\n' +
                '    Give each commitment and each grant of a contract an id of its own.',
            expect.stringContaining('8: GRANT_EVERY'),
            expect.stringContaining('8: PROMISE_TWICE contract deal has b at line 5 too'),
        ]);
    });

    test('are not between a seller and its buyer', () => {
        const grants = ['grant: g, amount: "1"'];
        expect(problemsOf({ grants, account: 'app\n    seller: org' })).toEqual([
            '4: PROMISE_SELLER contract deal is with org, and commitments and grants are between who pays and the operator\n' +
                '    Take them out: what a seller promises its buyer is not computed here.',
        ]);
        expect(problemsOf({ account: 'app\n    seller: org' })).toEqual([]);
    });

    test.each<[string, string]>([
        [
            '[priority, age]',
            'draw_down_order: "age" is not a choice here. Known here: priority, rollover, cost_basis, scope, expires_at, starts_at. (draw_down_order.1)',
        ],
        ['[scope, scope]', 'draw_down_order has a term twice (draw_down_order)'],
        ['[]', 'draw_down_order names at least one term (draw_down_order)'],
    ])('draw in no order like %s', (order, expected) => {
        expect(problemsOf({ order })).toEqual([expect.stringContaining(expected)]);
    });

    test('name what there is', () => {
        const { contracts, cards } = read({
            commitments: [
                'commitment: a, amount: "1", products: [llm]',
                'commitment: b, amount: "1", products: [lllm]',
                'commitment: c, quantity: "1", meter: token, shortfall_price: "1"',
            ],
            grants: [
                'grant: d, amount: "1", asset: USD, products: [audio]',
                'grant: e, amount: "1", asset: TOKS',
                'grant: f, amount: "1", asset: TOK',
            ],
        });
        const assets = { TOK: { kind: 'unit', precision: 0 } } as const;
        const known = { meters: { tokens: [] }, assets };
        expect(printed(lintPromises(contracts, cards, known))).toEqual([
            'contracts.yaml:5: UNKNOWN_PRODUCT no card has a product called "lllm"\n' +
                '    Did you mean "llm"?',
            'contracts.yaml:8: UNKNOWN_PRODUCT no card has a product called "audio"\n' +
                '    Known here: llm.',
            'contracts.yaml:6: UNKNOWN_METER no meter that is rated is called "token"\n' +
                '    Did you mean "tokens"?',
            'contracts.yaml:9: UNKNOWN_ASSET no asset is called "TOKS"\n' +
                '    Did you mean "TOK"? A currency is named by its code of ISO 4217.',
        ]);
    });
});
