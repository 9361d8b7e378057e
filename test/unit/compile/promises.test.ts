import { describe, expect, test } from 'vitest';
import type { CommitmentRow, GrantRow } from '../../../src/compile/promises.ts';
import { formatInstant } from '../../../src/time/instant.ts';
import { problemsOf, promisesOf, type Row, type World } from './promises.world.ts';

const day = (instant: string) => instant.replace('T00:00:00Z', '');

/** `window: committed, counted before; what is billed now`. */
const commitment = (row: CommitmentRow) =>
    [
        `${day(row.window_start)} to ${day(row.window_end)}: ${row.committed}, ${row.counted_before}`,
        ...(row.is_due ? ['due'] : []),
        ...(row.fee === null ? [] : [`fee ${row.fee}`]),
    ].join('; ');

/** `id from to: opening + granted asset`. */
const grant = (row: GrantRow) =>
    `${row.grant_id} ${day(row.starts_at)} to ${row.expires_at ? day(row.expires_at) : 'ever'}: ` +
    `${row.opening} + ${row.granted} ${row.asset}`;

const commitmentsOf = (world: World) => promisesOf(world).commitments.map(commitment);
const grantsOf = (world: World) => promisesOf(world).grants.map(grant);

const said = (id: string, quantity: string, kind: 'commitment' | 'grant' = 'commitment') =>
    kind === 'commitment' ? `deal,,,${id},,,${quantity}` : `deal,,,,${id},,${quantity}`;
const spend = (more: string) => [`commitment: spend, amount: "1200.00", ${more}`];

describe('windows of a commitment', () => {
    test.each<[string, World, string]>([
        [
            'a month',
            { commitments: spend('every: month') },
            '2026-10-01 to 2026-11-01: 1200, 0; due',
        ],
        [
            'a quarter that begins: nothing is due before its end',
            { commitments: spend('every: quarter') },
            '2026-10-01 to 2027-01-01: 1200, 0',
        ],
        [
            'a quarter that ends',
            {
                ...{ commitments: spend('every: quarter'), period: '2026-12' },
                openings: [said('spend', '800.50')],
            },
            '2026-10-01 to 2027-01-01: 1200, 800.50; due',
        ],
        [
            'a quarter of which it is not known yet that it ends: nothing is due',
            {
                ...{ commitments: spend('every: quarter'), period: '2026-12' },
                ...{ openings: [said('spend', '800.50')], asOf: '2026-12-31T23:59:59Z' },
            },
            '2026-10-01 to 2027-01-01: 1200, 800.50',
        ],
        [
            'quarters count from the month in which the contract begins, wherever in it',
            {
                commitments: spend('every: quarter, prorate: false'),
                span: 'from: 2026-02-17T12:00:00Z, to: 2027-01-01T00:00:00Z',
                ...{ period: '2026-04', openings: [said('spend', '0')] },
            },
            '2026-02-17T12:00:00Z to 2026-05-01: 1200, 0; due',
        ],
        [
            'a year of an open contract',
            {
                commitments: spend('every: year'),
                span: 'from: 2025-11-01T00:00:00Z',
                openings: [said('spend', '1')],
            },
            '2025-11-01 to 2026-11-01: 1200, 1; due',
        ],
        [
            'the term, which is never prorated',
            {
                commitments: spend('every: term'),
                span: 'from: 2026-10-10T00:00:00Z, to: 2026-10-20T12:00:00Z',
            },
            '2026-10-10 to 2026-10-20T12:00:00Z: 1200, 0; due',
        ],
        [
            'by default the term',
            { commitments: ['commitment: spend, amount: "5"'], openings: [said('spend', '3')] },
            '2026-01-01 to 2027-01-01: 5, 3',
        ],
        [
            'nothing is ever due without a true-up',
            { commitments: spend('every: month, true_up: none, overage_factor: "1.5"') },
            '2026-10-01 to 2026-11-01: 1200, 0',
        ],
    ])('%s', (_what, world, expected) => {
        expect(commitmentsOf(world)).toEqual([expected]);
    });

    test('a contract that has ended, or not begun, promises nothing', () => {
        const commitments = spend('every: month');
        const over = 'from: 2026-01-01T00:00:00Z, to: 2026-10-01T00:00:00Z';
        expect(commitmentsOf({ commitments, span: over })).toEqual([]);
        expect(commitmentsOf({ commitments, span: 'from: 2026-11-01T00:00:00Z' })).toEqual([]);
    });

    test('are months in the zone of who pays', () => {
        const accounts = [{ account_id: 'org', time_zone: 'America/New_York' }];
        const span = 'from: 2026-01-01T05:00:00Z';
        expect(commitmentsOf({ commitments: spend('every: month'), accounts, span })).toEqual([
            '2026-10-01T04:00:00Z to 2026-11-01T04:00:00Z: 1200, 0; due',
        ]);
    });
});

describe('what the contract cuts of a window', () => {
    test.each<[string, string, string, string]>([
        ['the first: 22 of 31 days', 'from: 2026-10-10T00:00:00Z', 'every: month', '851.61'],
        ['a day that is begun counts', 'from: 2026-10-10T23:59:59Z', 'every: month', '851.61'],
        [
            'the last: 9 of 31 days, the other part of the same month',
            'from: 2026-09-01T00:00:00Z, to: 2026-10-10T00:00:00Z',
            'every: month',
            '348.39',
        ],
        [
            'both at once: 10 of 92 days of its quarter',
            'from: 2026-10-10T00:00:00Z, to: 2026-10-20T00:00:00Z',
            'every: quarter',
            '130.43',
        ],
        ['not prorated', 'from: 2026-10-10T00:00:00Z', 'every: month, prorate: false', '1200'],
    ])('%s', (_what, span, more, expected) => {
        const [row] = promisesOf({ commitments: spend(more), span }).commitments;
        expect(row?.committed).toBe(expected);
    });

    test('rounds half away to the minor unit, and units to 12 decimals', () => {
        const span = 'from: 2026-10-02T00:00:00Z, to: 2026-10-03T00:00:00Z';
        const committed = (text: string, currency = 'USD') =>
            promisesOf({ commitments: [`commitment: c, every: month, ${text}`], span, currency })
                .commitments[0]?.committed;
        // One of 31 days.
        expect(committed('amount: "0.155"')).toBe('0.01');
        expect(committed('amount: "0.154"')).toBe('0');
        expect(committed('amount: "15.5"', 'JPY')).toBe('1');
        const tokens = 'quantity: "1", meter: tokens, shortfall_price: "2"';
        expect(committed(tokens)).toBe('0.032258064516');
    });

    test('days of a month whose clocks change are days', () => {
        const accounts = [{ account_id: 'org', time_zone: 'America/New_York' }];
        const span = 'from: 2026-10-31T04:00:00Z, to: 2026-11-16T05:00:00Z';
        const commitments = ['commitment: c, every: month, amount: "30"'];
        expect(commitmentsOf({ commitments, accounts, span, period: '2026-11' })).toEqual([
            '2026-11-01T04:00:00Z to 2026-11-16T05:00:00Z: 15, 0; due',
        ]);
    });
});

describe('a cumulative true-up', () => {
    test('promises all windows up to this one, and counts from the begin on', () => {
        const world = {
            commitments: spend('every: quarter, true_up: cumulative'),
            span: 'from: 2026-02-15T00:00:00Z, to: 2027-01-01T00:00:00Z',
            openings: ['deal,,,spend,,2026-10,3000', 'deal,,,spend,,2026-11,3100'],
        };
        // 75 of 89 days (February 15th to April), May to July, August to October.
        expect(commitmentsOf(world)).toEqual(['2026-08-01 to 2026-11-01: 3411.24, 3000; due']);
        // And 61 of 92 days (November and December).
        expect(commitmentsOf({ ...world, period: '2026-11' })).toEqual([
            '2026-11-01 to 2027-01-01: 4206.89, 3100',
        ]);
        expect(promisesOf(world).commitments[0]?.is_cumulative).toBe(true);
    });
});

describe('a prepaid commitment', () => {
    const prepaid = (more: string) => spend(`kind: prepaid, ${more}`);

    test('bills its fee when a window begins, and gives it as a balance', () => {
        const { commitments, grants } = promisesOf({ commitments: prepaid('every: quarter') });
        expect(commitments.map(commitment)).toEqual([
            '2026-10-01 to 2027-01-01: 1200, 0; fee 1200',
        ]);
        expect(grants.map(grant)).toEqual([
            'deal/spend@2026-10-01 2026-10-01 to 2027-01-01: 0 + 1200 USD',
        ]);
        expect(grants[0]).toMatchObject({
            ...{ commitment_id: 'deal/spend', cost_basis: '1200', priority: 0n, rate: '1' },
            ...{ precision: 2n, is_rollover: false, rollover_id: null, rollover_fraction: null },
        });
    });

    test('goes on without a fee, with what is left', () => {
        const world = {
            ...{ commitments: prepaid('every: quarter'), period: '2026-12' },
            openings: [said('spend', '700'), said('spend@2026-10-01', '500', 'grant')],
        };
        expect(commitmentsOf(world)).toEqual(['2026-10-01 to 2027-01-01: 1200, 700']);
        expect(grantsOf(world)).toEqual([
            'deal/spend@2026-10-01 2026-10-01 to 2027-01-01: 500 + 0 USD',
        ]);
    });

    test('a window that is cut costs its days, and rolls over when it is gone', () => {
        const world = {
            commitments: prepaid('every: month, rollover: { fraction: "0.5", months: 2 }'),
            span: 'from: 2026-08-17T00:00:00Z',
            openings: [
                said('spend@2026-08-17~rollover', '10', 'grant'),
                said('spend@2026-09-01~rollover', '20.01', 'grant'),
            ],
        };
        expect(grantsOf({ ...world, period: '2026-08', openings: [] })).toEqual([
            'deal/spend@2026-08-17 2026-08-17 to 2026-09-01: 0 + 580.65 USD',
        ]);
        const { grants } = promisesOf(world);
        expect(grants.map(grant)).toEqual([
            'deal/spend@2026-08-17~rollover 2026-09-01 to 2026-11-01: 10 + 0 USD',
            'deal/spend@2026-09-01~rollover 2026-10-01 to 2026-12-01: 20.01 + 0 USD',
            'deal/spend@2026-10-01 2026-10-01 to 2026-11-01: 0 + 1200 USD',
        ]);
        expect(grants.map((of) => of.description.endsWith(', rolled over'))).toEqual(
            grants.map((of) => of.is_rollover),
        );
        expect(grants.map((of) => [of.is_rollover, of.rollover_id, of.rollover_fraction])).toEqual([
            [true, null, null],
            [true, null, null],
            [false, 'deal/spend@2026-10-01~rollover', '0.5'],
        ]);
        // What was paid for it is what was paid for the balance that it is of.
        expect(grants.map((of) => of.cost_basis)).toEqual(['580.65', '1200', '1200']);
    });

    test('of units gives them, and bills their fee: of a window that is cut both by its days', () => {
        const world = {
            commitments: [
                'commitment: u, quantity: "1000", meter: tokens, kind: prepaid, fee: "62.00", every: month, rollover: { fraction: "1", months: 1 }',
            ],
            span: 'from: 2026-09-21T00:00:00Z',
            openings: [said('u@2026-09-21~rollover', '33.000000000001', 'grant')],
        };
        const cut = promisesOf({ ...world, period: '2026-09', openings: [] });
        expect(cut.commitments.map(commitment)).toEqual([
            '2026-09-21 to 2026-10-01: 333.333333333333, 0; fee 20.67',
        ]);
        expect(cut.grants.map(grant)).toEqual([
            'deal/u@2026-09-21 2026-09-21 to 2026-10-01: 0 + 333.333333333333 tokens',
        ]);
        const { commitments, grants } = promisesOf(world);
        expect(commitments.map(commitment)).toEqual(['2026-10-01 to 2026-11-01: 1000, 0; fee 62']);
        expect(grants.map(grant)).toEqual([
            'deal/u@2026-09-21~rollover 2026-10-01 to 2026-11-01: 33.000000000001 + 0 tokens',
            'deal/u@2026-10-01 2026-10-01 to 2026-11-01: 0 + 1000 tokens',
        ]);
        expect(grants[1]).toMatchObject({
            ...{ meter: 'tokens', rate: null, precision: 12n, cost_basis: '62' },
        });
    });
});

describe('grants', () => {
    const given = (more = '') => [`grant: hello, amount: "50.00"${more}`];
    const left = (id: string, quantity: string) => [said(id, quantity, 'grant')];

    test.each<[string, World, readonly string[]]>([
        [
            'once, for the time of the contract',
            { grants: given(), openings: left('hello', '7.25') },
            ['deal/hello 2026-01-01 to 2027-01-01: 7.25 + 0 USD'],
        ],
        [
            'once, of an open contract that begins',
            { grants: given(), span: 'from: 2026-10-31T23:59:59Z' },
            ['deal/hello 2026-10-31T23:59:59Z to ever: 0 + 50.00 USD'],
        ],
        [
            'once, for a time of its own, which may outlast the contract',
            { grants: given(', from: 2026-10-05T00:00:00Z, to: 2027-06-01T00:00:00Z') },
            ['deal/hello 2026-10-05 to 2027-06-01: 0 + 50.00 USD'],
        ],
        ['not begun', { grants: given(', from: 2026-11-01T00:00:00Z') }, []],
        ['gone', { grants: given(', to: 2026-10-01T00:00:00Z') }, []],
        [
            'anew each month',
            { grants: given(', every: month') },
            ['deal/hello@2026-10-01 2026-10-01 to 2026-11-01: 0 + 50.00 USD'],
        ],
        [
            'anew each month, for two months from the one it begins in',
            {
                grants: given(', every: month, months: 2'),
                span: 'from: 2026-09-20T00:00:00Z, to: 2026-10-20T00:00:00Z',
                openings: left('hello@2026-09-20', '1'),
            },
            [
                'deal/hello@2026-09-20 2026-09-20 to 2026-11-01: 1 + 0 USD',
                'deal/hello@2026-10-01 2026-10-01 to 2026-12-01: 0 + 50.00 USD',
            ],
        ],
        [
            'what is left goes on for a while, and then no more',
            {
                grants: given(', to: 2026-10-01T00:00:00Z, rollover: { fraction: "1", months: 1 }'),
                openings: left('hello~rollover', '3'),
            },
            ['deal/hello~rollover 2026-10-01 to 2026-11-01: 3 + 0 USD'],
        ],
    ])('%s', (_what, world, expected) => {
        expect(grantsOf(world)).toEqual(expected);
    });

    test('in a unit are worth what its rate says at the begin of the period, or their own', () => {
        const rates = (more: string, openings?: readonly string[]) =>
            promisesOf({
                grants: [`grant: g, amount: "1000.125", asset: TOK${more}`],
                ...(openings ? { openings } : {}),
            }).grants.map(({ asset, precision, rate }) => `${asset} ${precision} ${rate}`);
        expect(rates('', left('g', '0'))).toEqual(['TOK 3 0.002']);
        expect(rates(', from: 2026-10-15T00:00:00Z')).toEqual(['TOK 3 0.003']);
        expect(rates(', from: 2026-10-14T23:59:59Z')).toEqual(['TOK 3 0.002']);
    });

    test('carry what the order of drawing and their lines need', () => {
        const { grants, order } = promisesOf({
            grants: given(', every: month, priority: -3, cost_basis: "12.5", description: Hello'),
            order: '[expires_at, priority]',
        });
        expect(grants).toMatchObject([
            { priority: -3n, cost_basis: '12.5', product: 'credit', description: 'Hello' },
        ]);
        expect(order).toEqual([
            { position: 1n, term: 'expires_at' },
            { position: 2n, term: 'priority' },
        ]);
        expect(promisesOf({}).order.map(({ term }) => term)).toEqual([
            ...['priority', 'rollover', 'cost_basis', 'scope', 'expires_at', 'starts_at'],
        ]);
    });
});

describe('whom it is for', () => {
    const commitments = ['commitment: c, amount: "1", every: month, products: [llm]'];
    const accountsOf = (world: World) =>
        promisesOf({ commitments, ...world }).accounts.map(
            (of) => `${of.payer_id} ${of.holder_id} ${of.account_id}`,
        );
    const org: Row = { account_id: 'org' };
    const unit: Row = { account_id: 'unit', parent: 'org' };
    const team: Row = { account_id: 'team', parent: 'unit' };

    test('the account and all below it', () => {
        expect(accountsOf({ accounts: [org, unit, team], account: 'unit' })).toEqual([
            'org deal/c team',
            'org deal/c unit',
        ]);
        const { commitments: rows } = promisesOf({
            ...{ commitments, accounts: [org, unit, team], account: 'unit' },
        });
        expect(rows).toMatchObject([{ payer_id: 'org', account_id: 'unit', depth: 2n }]);
    });

    test('not one that pays for itself, nor those it pays for', () => {
        const accounts = [org, { ...unit, bill_to: 'self' }, { ...team, bill_to: 'parent' }];
        expect(accountsOf({ accounts })).toEqual(['org deal/c org']);
        expect(accountsOf({ accounts, account: 'unit' })).toEqual([
            'unit deal/c team',
            'unit deal/c unit',
        ]);
    });

    test('one that was below it for a part of the period', () => {
        const moves = '2026-10-20T00:00:00Z';
        const accounts = [
            ...[org, unit],
            { ...team, valid_to: moves },
            { ...team, parent: 'org', valid_from: moves },
        ];
        expect(accountsOf({ accounts, account: 'unit' })).toEqual([
            'org deal/c team',
            'org deal/c unit',
        ]);
    });

    test('the products that it names, and of a prepaid one its balance too', () => {
        const { products } = promisesOf({
            commitments: [
                'commitment: c, amount: "1", every: month, kind: prepaid, products: [llm]',
            ],
            grants: ['grant: g, amount: "1", every: month'],
        });
        expect(products.map((of) => `${of.holder_id} ${of.product}`)).toEqual([
            'deal/c llm',
            'deal/c@2026-10-01 llm',
        ]);
    });
});

describe('usage is split', () => {
    const boundariesOf = (world: World) => promisesOf(world).boundaries.map(formatInstant).map(day);

    test('where a window or a grant begins or ends in mid-period', () => {
        expect(
            boundariesOf({
                commitments: ['commitment: c, amount: "1", every: month'],
                grants: ['grant: g, amount: "1", to: 2026-10-25T00:00:00Z'],
                span: 'from: 2026-10-10T00:00:00Z, to: 2026-10-20T00:00:00Z',
            }),
        ).toEqual(['2026-10-10', '2026-10-20', '2026-10-10', '2026-10-25']);
    });

    test('not where the period itself does, nor beyond it', () => {
        const commitments = ['commitment: c, amount: "1", every: month'];
        expect(boundariesOf({ commitments })).toEqual([]);
    });
});

describe('what a period cannot be computed with', () => {
    const yearly = ['commitment: c, amount: "1"'];
    const monthly = ['grant: g, amount: "1", every: month'];
    const rolled = (span: string, text: string): World => ({
        ...{
            span,
            grants: [`grant: g, amount: "1", rollover: { fraction: "1", months: 1 }, ${text}`],
        },
    });
    const until = (to: string) => `from: 2026-10-01T00:00:00Z, to: ${to}T00:00:00Z`;

    test.each<[string, World, readonly string[]]>([
        [
            'nothing said of what had begun',
            { commitments: yearly, grants: ['grant: g, amount: "1"'] },
            [
                'contracts.yaml:4: OPENING_MISSING nothing says what counted towards commitment c of contract deal before 2026-10-01T00:00:00Z: it began at 2026-01-01T00:00:00Z\n' +
                    '    Write a row with contract deal, commitment c and the quantity in a CSV file that `openings` of tieout.yaml names; 0 if nothing was.',
                'contracts.yaml:6: OPENING_MISSING nothing says what is left of grant g of contract deal before 2026-10-01T00:00:00Z: it began at 2026-01-01T00:00:00Z\n' +
                    '    Write a row with contract deal, grant g and the quantity in a CSV file that `openings` of tieout.yaml names; 0 if nothing was.',
            ],
        ],
        [
            'said of another period',
            { commitments: yearly, openings: ['deal,,,c,,2026-09,5'] },
            [
                'contracts.yaml:4: OPENING_MISSING nothing says what counted towards commitment c of contract deal before 2026-10-01T00:00:00Z: it began at 2026-01-01T00:00:00Z\n' +
                    '    Write a row with contract deal, commitment c and the quantity in openings.csv; 0 if nothing was.',
            ],
        ],
        [
            'no run of the period before',
            { commitments: yearly, previous: '2026-09' },
            [
                'contracts.yaml:4: OPENING_MISSING nothing says what counted towards commitment c of contract deal before 2026-10-01T00:00:00Z: it began at 2026-01-01T00:00:00Z\n' +
                    '    No nightly run of 2026-09 is whole: run `tieout run --period 2026-09` first, or write a row with contract deal, commitment c and the quantity in a CSV file that `openings` of tieout.yaml names instead; 0 if nothing was.',
            ],
        ],
        [
            'a run before that knew nothing of it',
            { commitments: yearly, previous: '2026-09', openings: [] },
            [
                'contracts.yaml:4: OPENING_MISSING nothing says what counted towards commitment c of contract deal before 2026-10-01T00:00:00Z: it began at 2026-01-01T00:00:00Z\n' +
                    '    openings.csv does not say it: correct what that run was made of and run `tieout run --period 2026-09` again, or write a row with contract deal, commitment c and the quantity in a CSV file that `openings` of tieout.yaml names instead; 0 if nothing was.',
            ],
        ],
        [
            'what goes on of a grant that ended with the period before',
            rolled(until('2027-01-01'), 'every: month, months: 1'),
            [],
        ],
        [
            'said of what begins now',
            {
                commitments: ['commitment: c, amount: "1", every: month'],
                grants: monthly,
                openings: [said('c', '0.5'), said('g@2026-10-01', '1', 'grant')],
            },
            [
                'openings.csv:2: OPENING_NOT_ZERO commitment c of contract deal opens with 0.5, and it begins at 2026-10-01T00:00:00Z, not before the period\n' +
                    '    Take the row out, say which period it opens, or correct the begin in the contract.',
                'openings.csv:3: OPENING_NOT_ZERO grant g@2026-10-01 of contract deal opens with 1, and it begins at 2026-10-01T00:00:00Z, not before the period\n' +
                    '    Take the row out, say which period it opens, or correct the begin in the contract.',
            ],
        ],
        [
            'zero said of what begins now, or is gone',
            {
                ...{ commitments: ['commitment: c, amount: "1", every: month'], grants: monthly },
                openings: [said('c', '0.00'), said('g@2026-09-01', '0', 'grant')],
            },
            [],
        ],
        [
            'money left of a balance that is not of this period',
            { grants: monthly, openings: [said('g@2026-10-10', '5', 'grant')] },
            [
                'openings.csv:2: OPENING_UNKNOWN grant g@2026-10-10 of contract deal opens with 5, and it has no part in this period\n' +
                    '    Did you mean "g@2026-10-01"? Else take the row out, or say which period it opens.',
            ],
        ],
        [
            'the same as a run says',
            {
                grants: monthly,
                openings: [said('g@2026-09-01', '5', 'grant')],
                previous: '2026-09',
            },
            [
                'openings.csv:2: OPENING_UNKNOWN grant g@2026-09-01 of contract deal opens with 5, and it has no part in this period\n' +
                    '    The run of 2026-09 wrote this: keep in the contracts what was open then, or name a CSV file of your own in `openings` of tieout.yaml.',
            ],
        ],
        [
            'money of another currency',
            { grants: ['grant: g, amount: "1", every: month, asset: EUR'] },
            [
                'contracts.yaml:4: GRANT_CURRENCY grant g@2026-10-01 of contract deal is in EUR, and its payer org is billed in USD\n' +
                    '    Write the amount in USD: money of one currency pays nothing in another.',
            ],
        ],
        [
            'a unit that has no rate yet',
            {
                ...{ grants: ['grant: g, amount: "1", every: month, asset: TOK'], currency: 'EUR' },
            },
            [
                'contracts.yaml:4: GRANT_RATE grant g@2026-10-01 of contract deal is in TOK, and no rate says what that is worth in EUR at 2026-10-01T00:00:00Z\n' +
                    '    Give TOK a rate in EUR from then or earlier, under `assets`.',
            ],
        ],
        [
            'more decimals than the asset has',
            { grants: ['grant: g, amount: "1.005", every: month'] },
            [
                'contracts.yaml:4: GRANT_PRECISION grant g@2026-10-01 of contract deal is of 1.005 USD, which has 2 decimals\n' +
                    '    Round it: what is smaller than its last decimal could never be drawn.',
            ],
        ],
        [
            'zeros at the end, which are no decimals',
            {
                grants: ['grant: g, amount: "1.000"', 'grant: h, amount: "1.0", every: month'],
                openings: [said('g', '0.500000000000', 'grant')],
            },
            [],
        ],
        [
            'more left than was given',
            { grants: ['grant: g, amount: "50.00"'], openings: [said('g', '500.00', 'grant')] },
            [
                'openings.csv:2: OPENING_ABOVE grant g of contract deal opens with 500.00, and 50.00 were given\n' +
                    '    Write what was left of it: at most what was given.',
            ],
        ],
        [
            'less left than its asset has decimals for',
            { grants: ['grant: g, amount: "1"'], openings: [said('g', '0.995', 'grant')] },
            [
                'openings.csv:2: OPENING_PRECISION grant g of contract deal opens with 0.995 USD, which has 2 decimals\n' +
                    '    Write what was left in whole last decimals.',
            ],
        ],
        [
            'a rest that would go on in mid-period, of a grant',
            rolled(until('2026-11-01'), 'to: 2026-10-20T00:00:00Z'),
            [
                'contracts.yaml:4: ROLLOVER_END g of contract deal ends at 2026-10-20T00:00:00Z and rolls over, and no month of its payer org (UTC) begins then\n' +
                    '    Let it end where a month begins in that zone, or take its rollover out.',
            ],
        ],
        [
            'the same of a window that the contract cuts, long before it does',
            rolled(until('2026-12-20'), 'every: month'),
            [
                'contracts.yaml:4: ROLLOVER_END g of contract deal ends at 2026-12-20T00:00:00Z and rolls over, and no month of its payer org (UTC) begins then\n' +
                    '    Let it end where a month begins in that zone, or take its rollover out.',
            ],
        ],
        [
            'months of its own end with a month',
            rolled(until('2026-12-20'), 'every: month, months: 2'),
            [],
        ],
    ])('%s', (_what, world, expected) => {
        expect(problemsOf(world)).toEqual(expected);
    });

    test('months written in UTC, where the payer is west of it', () => {
        const accounts = [{ account_id: 'org', time_zone: 'America/New_York' }];
        const commitments = ['commitment: c, amount: "1", every: month'];
        const inZone = (span: string) => problemsOf({ commitments, accounts, span });
        const is = 'contracts.yaml:2: WINDOW_ZONE contract deal has windows of months and is';
        expect(inZone('from: 2026-10-01T00:00:00Z, to: 2027-01-01T00:00:00Z')).toEqual([
            `${is} from 2026-10-01T00:00:00Z, which is in 2026-09 for its payer org (America/New_York)\n` +
                '    Write 2026-10-01T04:00:00Z, where the month begins in that zone.',
            `${is} to 2027-01-01T00:00:00Z, which is in 2026-12 for its payer org (America/New_York)\n` +
                '    Write 2027-01-01T05:00:00Z, where the month begins in that zone.',
        ]);
        expect(inZone('from: 2026-10-01T00:00:00-04:00')).toEqual([]);
        expect(inZone('from: 2026-10-05T00:00:00Z')).toEqual([]);
        const east = [{ account_id: 'org', time_zone: 'Asia/Tokyo' }];
        const span = 'from: 2026-10-01T00:00:00Z';
        expect(problemsOf({ commitments, accounts: east, span })).toEqual([]);
    });

    const moves = '2026-10-10T00:00:00Z';
    const accounts = [
        { account_id: 'org' },
        { account_id: 'unit', parent: 'org', valid_to: moves },
        { account_id: 'unit', parent: 'org', bill_to: 'self', valid_from: moves },
    ];
    const of = (span: string) => ({
        ...{ accounts, account: 'unit', span },
        grants: monthly,
    });

    test('more than one that pays while it holds', () => {
        expect(problemsOf(of('from: 2026-10-01T00:00:00Z'))).toEqual([
            'contracts.yaml:2: PROMISE_PAYERS contract deal has commitments or grants, and more than one pays for unit in the period: org (USD, UTC), unit (USD, UTC)\n' +
                '    End it where the payer changes, and begin another contract for the next one.',
        ]);
    });

    test('but one after the other, each with a contract', () => {
        const payersOf = (span: string) => promisesOf(of(span)).grants.map((row) => row.payer_id);
        expect(payersOf(`from: 2026-10-01T00:00:00Z, to: ${moves}`)).toEqual(['org']);
        expect(payersOf(`from: ${moves}`)).toEqual(['unit']);
    });

    const quarter = (row: Row, more: readonly Row[] = []): World => ({
        commitments: ['commitment: c, amount: "1", every: quarter'],
        accounts: [{ account_id: 'org' }, { account_id: 'unit', parent: 'org', ...row }, ...more],
        ...{ account: 'unit', span: 'from: 2026-09-01T00:00:00Z', openings: [said('c', '0')] },
    });
    const window =
        'contracts.yaml:4: PROMISE_PAYERS commitment c of contract deal is from 2026-09-01T00:00:00Z to 2026-12-01T00:00:00Z, and';

    test('an account that is gone before its window ends: nobody would be billed what it lacks', () => {
        for (const valid_to of ['2026-10-20T00:00:00Z', '2026-11-01T00:00:00Z']) {
            expect(problemsOf(quarter({ valid_to }))).toEqual([
                `${window} unit is gone at ${valid_to}: nobody would be billed what it lacks\n` +
                    `    End the contract there: \`to: ${valid_to}\`.`,
            ]);
        }
        expect(problemsOf(quarter({ valid_to: '2026-11-20T00:00:00Z' }))).toEqual([]);
        const renamed = { account_id: 'unit', parent: 'org', valid_from: '2026-11-01T00:00:00Z' };
        expect(problemsOf(quarter({ valid_to: '2026-11-01T00:00:00Z' }, [renamed]))).toEqual([]);
    });

    test.each(['2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z'])(
        'a payer that changes within a window, were it between two periods (%s)',
        (at) => {
            const next = { account_id: 'unit', parent: 'org', bill_to: 'self', valid_from: at };
            const [problem, ...more] = problemsOf(quarter({ valid_to: at }, [next]));
            expect(problem).toContain(window);
            expect(problem).toMatch(/both (org and unit|unit and org) pay for unit in that time/);
            expect(more).toEqual([]);
        },
    );
});
