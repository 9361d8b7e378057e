import { describe, expect, test } from 'vitest';
import { compileAccounts } from '../../../src/compile/accounts.ts';
import type { Contract } from '../../../src/compile/contracts.ts';
import { printProblem } from '../../../src/errors/index.ts';
import { type Asset, type Config, configSchema } from '../../../src/schema/config.ts';
import { parseInstant } from '../../../src/time/instant.ts';

const config: Config = configSchema.parse({
    name: 'tiny',
    store: { folder: 'bucket' },
    rate_card: 'rates.yaml',
    accounts: 'accounts.json',
    assets: {},
    usage: [{ name: 'gateway', prefix: 'usage/' }],
    meters: [{ meter: 'requests', aggregation: 'count', unit: 'request' }],
    wallets: [
        { accounts: 'org', asset: 'TOK', shape: 'two_phase' },
        { accounts: 'team', asset: 'REQ', shape: 'aggregated', funding: 'postpaid' },
    ],
});
const rates = ['USD', 'EUR', 'JPY'].map((currency) => ({
    ...{ currency, rate: '0.000002', from: '2020-01-01T00:00:00Z' },
}));
const assets: Readonly<Record<string, Asset>> = {
    TOK: { kind: 'unit', precision: 3, counts: 'tokens', rates },
    REQ: { kind: 'unit', precision: 0, counts: 'requests' },
};

type Row = Readonly<Record<string, string | null>>;

const jan = '2026-01-01T00:00:00Z';
const row = (account_id: string, parent: string | null, over: Row = {}): Row => ({
    account_id,
    parent,
    currency: 'USD',
    valid_from: jan,
    ...over,
});

/** One account a line, as a person would write the file. */
const fileOf = (rows: readonly Row[]) =>
    `[\n${rows.map((of) => JSON.stringify(of)).join(',\n')}\n]\n`;

const compile = (rows: readonly Row[], period = '2026-10') =>
    compileAccounts('accounts.json', fileOf(rows), { config, assets }, period);

function pathsOf(rows: readonly Row[], period?: string) {
    const result = compile(rows, period);
    if ('problems' in result) throw new Error(JSON.stringify(result.problems));
    return result.tree.paths;
}

function problemsOf(rows: readonly Row[]): readonly string[] {
    const result = compile(rows);
    if (!('problems' in result)) throw new Error('no problems');
    return result.problems.map(({ code, line, message }) => `${line} ${code}: ${message}`);
}

describe('accounts: pools and lines', () => {
    const of = (column: 'pool_id' | 'line_account_id', rows: readonly Row[]) =>
        pathsOf(rows).map((path) => `${path.account_id} ${path[column]}`);
    const tree = (over: Readonly<Record<string, Row>>) => [
        row('org', null, over.org),
        row('unit', 'org', over.unit),
        row('team', 'unit', over.team),
    ];

    test.each([
        ['one pool, of the payer', {}, ['org org', 'team org', 'unit org']],
        [
            'an account that rates at itself begins a pool with all below it',
            { unit: { rate_at: 'self' } },
            ['org org', 'team unit', 'unit unit'],
        ],
        [
            'pools side by side',
            { unit: { rate_at: 'self' }, team: { rate_at: 'self' } },
            ['org org', 'team team', 'unit unit'],
        ],
        [
            'a pool ends at the payer',
            { team: { bill_to: 'parent' } },
            ['org org', 'team unit', 'unit org'],
        ],
    ])('%s', (_name, over, expected) => {
        expect(of('pool_id', tree(over))).toEqual(expected);
    });

    test.each([
        ['every account has its own lines', {}, ['org org', 'team team', 'unit unit']],
        [
            'a summary is part of the lines of the parent',
            { team: { detail: 'summary' } },
            ['org org', 'team unit', 'unit unit'],
        ],
        [
            'summaries go up one by one, at most to the payer',
            {
                team: { detail: 'summary' },
                unit: { detail: 'summary' },
                org: { detail: 'summary' },
            },
            ['org org', 'team org', 'unit org'],
        ],
    ])('%s', (_name, over, expected) => {
        expect(of('line_account_id', tree(over))).toEqual(expected);
    });

    test('a pool that changes in mid-period is split at the instant', () => {
        const rows = [
            row('org', null),
            row('unit', 'org', { valid_to: '2026-10-10T00:00:00Z' }),
            row('unit', 'org', { valid_from: '2026-10-10T00:00:00Z', rate_at: 'self' }),
        ];
        expect(of('pool_id', rows)).toEqual(['org org', 'unit org', 'unit unit']);
    });
});

describe('accounts: who pays', () => {
    const tree = (bill_to: string) => [
        row('org', null),
        row('unit', 'org'),
        row('team', 'unit', { bill_to }),
    ];
    test.each([
        ['self', 'team'],
        ['parent', 'unit'],
        ['top', 'org'],
    ])('bill_to %s: %s', (bill_to, payer) => {
        const team = pathsOf(tree(bill_to)).find(({ account_id }) => account_id === 'team');
        expect(team).toMatchObject({ payer_id: payer, path: 'org > unit > team' });
    });

    test('without a parent to bill, an account pays for itself', () => {
        const paths = pathsOf([row('org', null, { bill_to: 'parent' })]);
        expect(paths.map(({ payer_id }) => payer_id)).toEqual(['org']);
    });

    test('bill_to is of the account itself, not of those above it', () => {
        const rows = [
            row('org', null),
            row('unit', 'org', { bill_to: 'self' }),
            row('team', 'unit'),
        ];
        expect(
            pathsOf(rows).map(({ account_id, payer_id }) => `${account_id} ${payer_id}`),
        ).toEqual(['org org', 'team org', 'unit unit']);
    });

    test('currency, zone and period are those of the payer', () => {
        const paths = pathsOf([
            row('org', null, { currency: 'JPY', time_zone: 'Asia/Tokyo' }),
            row('team', 'org', { currency: 'EUR', time_zone: 'America/New_York' }),
        ]);
        expect(paths[1]).toMatchObject({
            account_id: 'team',
            currency: 'JPY',
            time_zone: 'Asia/Tokyo',
            period_start: '2026-09-30T15:00:00Z',
            period_end: '2026-10-31T15:00:00Z',
        });
    });

    test('a period over a change of the clocks has the offsets of its two ends', () => {
        const rows = [row('org', null, { time_zone: 'America/New_York' })];
        expect(pathsOf(rows, '2026-03')[0]).toMatchObject({
            period_start: '2026-03-01T05:00:00Z',
            period_end: '2026-04-01T04:00:00Z',
        });
    });

    test('the nearest wallet on the path is the one that is debited', () => {
        const rows = [row('org', null), row('unit', 'org'), row('team', 'unit'), row('free', null)];
        expect(
            pathsOf(rows).map((of) => `${of.account_id} ${of.wallet_asset} ${of.wallet_shape}`),
        ).toEqual([
            'free USD instant',
            'org TOK two_phase',
            'team REQ aggregated',
            'unit TOK two_phase',
        ]);
    });

    test('what was debited is paid for, unless the wallet says that it only counts', () => {
        const rows = [row('org', null), row('unit', 'org'), row('team', 'unit'), row('free', null)];
        expect(pathsOf(rows).map((of) => `${of.account_id} ${of.is_prepaid}`)).toEqual([
            'free true',
            'org true',
            'team false',
            'unit true',
        ]);
    });

    test('a prepaid wallet of units needs their worth from the beginning of the period', () => {
        const problem = (currency: string, period: string) =>
            `2 WALLET_RATE: usage that org is billed for in ${currency} is paid from a prepaid wallet in TOK, and one TOK has no rate in ${currency} from ${period} on`;
        const of = (period: string, over: Row = {}) => {
            const result = compile([row('org', null, over), row('unit', 'org')], period);
            return 'problems' in result
                ? result.problems.map(({ code, line, message }) => `${line} ${code}: ${message}`)
                : [];
        };
        const began = { valid_from: '2019-01-01T00:00:00Z' };
        expect(of('2020-01', began)).toEqual([]);
        expect(of('2019-12', began)).toEqual([problem('USD', '2019-12-01T00:00:00Z')]);
        expect(of('2026-10', { currency: 'GBP' })).toEqual([
            problem('GBP', '2026-10-01T00:00:00Z'),
        ]);
        // Nothing is paid from a wallet that is not there in the period.
        const ended = { currency: 'GBP', valid_to: '2026-09-01T00:00:00Z' };
        const gone = compile([row('org', null, ended)], '2026-10');
        expect('tree' in gone).toBe(true);
    });
});

describe('accounts: time', () => {
    const shown = (rows: readonly Row[], account: string) =>
        pathsOf(rows)
            .filter(({ account_id }) => account_id === account)
            .map((of) => `${of.valid_from} ${of.valid_to} ${of.path}, ${of.payer_id}`);
    const mid = '2026-10-15T12:00:00Z';

    test('re-parented in mid-period: two spans that meet at the instant', () => {
        const rows = [
            row('one', null),
            row('two', null),
            row('team', 'one', { valid_to: mid }),
            row('team', 'two', { valid_from: mid }),
        ];
        expect(shown(rows, 'team')).toEqual([
            `${jan} ${mid} one > team, one`,
            `${mid} 9999-12-31T00:00:00Z two > team, two`,
        ]);
    });

    test('re-parented above it: the path of the leaf is split at the same instant', () => {
        const rows = [
            row('one', null),
            row('two', null),
            row('unit', 'one', { valid_to: mid }),
            row('unit', 'two', { valid_from: mid }),
            row('team', 'unit', { bill_to: 'parent' }),
        ];
        expect(shown(rows, 'team')).toEqual([
            `${jan} ${mid} one > unit > team, unit`,
            `${mid} 9999-12-31T00:00:00Z two > unit > team, unit`,
        ]);
    });

    test('an instant with an offset is one in UTC', () => {
        const rows = [row('org', null, { valid_from: '2026-01-01T01:00:00.5+01:00' })];
        expect(pathsOf(rows)[0]?.valid_from).toBe('2026-01-01T00:00:00.5Z');
    });

    test('an account may pause, as long as nothing below it needs it then', () => {
        const rows = [
            row('org', null, { valid_to: '2026-02-01T00:00:00Z' }),
            row('org', null, { valid_from: '2026-03-01T00:00:00Z' }),
        ];
        expect(shown(rows, 'org')).toHaveLength(2);
    });

    test('eight levels are as deep as it goes', () => {
        const chain = Array.from({ length: 8 }, (_, at) => row(`l${at}`, at ? `l${at - 1}` : null));
        const deepest = pathsOf(chain).find(({ account_id }) => account_id === 'l7');
        expect(deepest?.path).toBe('l0 > l1 > l2 > l3 > l4 > l5 > l6 > l7');
    });
});

describe('accounts: problems', () => {
    const feb = '2026-02-01T00:00:00Z';
    test.each<readonly [string, readonly Row[], readonly string[]]>([
        [
            'a cycle, once, whatever hangs below it',
            [row('c', 'a'), row('b', 'c'), row('a', 'b'), row('x', 'c'), row('y', 'x')],
            ['4 ACCOUNT_CYCLE: a > b > c > a is a cycle'],
        ],
        [
            'a cycle of more accounts than a tree has levels',
            Array.from({ length: 12 }, (_, at) => row(`l${at + 10}`, `l${((at + 1) % 12) + 10}`)),
            [
                '2 ACCOUNT_CYCLE: l10 > l11 > l12 > l13 > l14 > l15 > l16 > l17 > l18 > l19 > l20 > l21 > l10 is a cycle',
            ],
        ],
        [
            'two cycles',
            [row('a', 'b'), row('b', 'a'), row('c', 'd'), row('d', 'c')],
            ['2 ACCOUNT_CYCLE: a > b > a is a cycle', '4 ACCOUNT_CYCLE: c > d > c is a cycle'],
        ],
        ['its own parent', [row('a', 'a')], ['2 ACCOUNT_CYCLE: a > a is a cycle']],
        [
            'a parent that does not exist',
            [row('a', 'gone')],
            [
                `2 ACCOUNT_ORPHAN: a has the parent gone, which does not exist for all of ${jan} to 9999-12-31T00:00:00Z`,
            ],
        ],
        [
            'a parent that ends before its child',
            [row('org', null, { valid_to: feb }), row('a', 'org')],
            [
                `3 ACCOUNT_ORPHAN: a has the parent org, which does not exist for all of ${jan} to 9999-12-31T00:00:00Z`,
            ],
        ],
        [
            'a parent with a pause',
            [
                row('org', null, { valid_to: feb }),
                row('org', null, { valid_from: '2026-02-01T00:00:01Z' }),
                row('a', 'org'),
            ],
            [
                `4 ACCOUNT_ORPHAN: a has the parent org, which does not exist for all of ${jan} to 9999-12-31T00:00:00Z`,
            ],
        ],
        [
            'two rows at one instant',
            [
                row('one', null),
                row('two', null),
                row('a', 'one'),
                row('a', 'two', { valid_from: feb }),
            ],
            [
                `5 ACCOUNT_OVERLAP: a has two rows at ${feb} (parents one and two): it would have two payers`,
            ],
        ],
        [
            'nine levels',
            Array.from({ length: 9 }, (_, at) => row(`l${at}`, at ? `l${at - 1}` : null)),
            [
                '10 ACCOUNT_TOO_DEEP: l8 > l7 > l6 > l5 > l4 > l3 > l2 > l1 > l0 is deeper than 8 levels',
            ],
        ],
        [
            'a currency that ISO does not list',
            [row('a', null, { currency: 'USDT' })],
            ['2 UNKNOWN_CURRENCY: a: USDT is not an ISO 4217 currency'],
        ],
        [
            'a zone that IANA does not list, and an offset',
            [
                row('a', null, { time_zone: 'Mars/Olympus' }),
                row('b', null, { time_zone: '+01:00' }),
            ],
            [
                '2 UNKNOWN_ZONE: a: Mars/Olympus is not an IANA time zone',
                '3 UNKNOWN_ZONE: b: +01:00 is not an IANA time zone',
            ],
        ],
        [
            'times without a zone, and an end before its start',
            [
                row('a', null, { valid_from: '2026-01-01' }),
                row('b', null, { valid_from: '2026-01-01T00:00:00' }),
                row('c', null, { valid_to: jan }),
                row('d', null, { valid_from: '2026-02-30T00:00:00Z' }),
            ],
            [
                '2 BAD_SPAN: a: 2026-01-01 to now is not a span',
                '3 BAD_SPAN: b: 2026-01-01T00:00:00 to now is not a span',
                `4 BAD_SPAN: c: ${jan} to ${jan} is not a span`,
                '5 BAD_SPAN: d: 2026-02-30T00:00:00Z to now is not a span',
            ],
        ],
        [
            'several at once',
            [row('a', 'gone'), row('b', 'b')],
            [
                `2 ACCOUNT_ORPHAN: a has the parent gone, which does not exist for all of ${jan} to 9999-12-31T00:00:00Z`,
                '3 ACCOUNT_CYCLE: b > b is a cycle',
            ],
        ],
    ])('%s', (_title, rows, problems) => {
        expect(problemsOf(rows)).toEqual(problems);
    });

    test('a key that is not known, and one that is missing, at their lines', () => {
        const rows = [row('a', null), { ...row('b', null), biil_to: 'self' }, { account_id: 'c' }];
        const result = compile(rows);
        if (!('problems' in result)) throw new Error('no problems');
        expect(result.problems.map(({ line, path, code }) => `${line} ${path} ${code}`)).toEqual([
            '3 1.biil_to ACCOUNT_INVALID',
            '4 2.currency ACCOUNT_INVALID',
            '4 2.valid_from ACCOUNT_INVALID',
        ]);
    });

    test('text that is no YAML', () => {
        const result = compileAccounts('accounts.json', '[{', { config, assets }, '2026-10');
        expect('problems' in result && result.problems[0]).toMatchObject({
            code: 'ACCOUNT_INVALID',
            file: 'accounts.json',
            line: 1,
        });
    });
});

describe('accounts: contracts', () => {
    const at = (text: string) => parseInstant(text);
    const until = at('9999-12-31T00:00:00Z');
    const held = (account: string, book_id: string, from: string, to = until): Contract => ({
        ...{ contract: `of-${account}`, account, seller: null },
        ...{ from: at(from), to, line: 7 },
        books: [{ book_id, cards: [book_id], from: at(from), to }],
        cards: [{ card: book_id, currency: 'USD', line: 8 }],
        ...{ counts: [], commitments: [], grants: [], lateUsage: null },
    });
    const compiled = (rows: readonly Row[], contracts: readonly Contract[]) =>
        compileAccounts('accounts.json', fileOf(rows), { config, assets }, '2026-10', {
            ...{ file: 'contracts.yaml', standard: { book_id: 'list', cards: ['list'] } },
            ...{ contracts, drawOrder: [] },
        });
    function booksOf(rows: readonly Row[], contracts: readonly Contract[]) {
        const result = compiled(rows, contracts);
        if ('problems' in result) throw new Error(JSON.stringify(result.problems));
        return result.tree.paths.map(
            ({ account_id, valid_from, book_id }) =>
                `${account_id} ${valid_from.slice(0, 10)} ${book_id}`,
        );
    }
    const tree = [row('org', null), row('unit', 'org'), row('team', 'unit')];

    test('hold for the account and all below it, from their instant on', () => {
        expect(booksOf(tree, [held('unit', 'deal', '2026-10-10T00:00:00Z')])).toEqual([
            'org 2026-01-01 list',
            'team 2026-01-01 list',
            'team 2026-10-10 deal',
            'unit 2026-01-01 list',
            'unit 2026-10-10 deal',
        ]);
    });

    test('the nearest that is in force decides', () => {
        const ends = at('2026-10-20T00:00:00Z');
        const contracts = [
            held('org', 'deal', '2026-02-01T00:00:00Z'),
            held('team', 'own', '2026-10-10T00:00:00Z', ends),
        ];
        expect(booksOf(tree, contracts).filter((of) => of.startsWith('team'))).toEqual([
            'team 2026-01-01 list',
            'team 2026-02-01 deal',
            'team 2026-10-10 own',
            'team 2026-10-20 deal',
        ]);
    });

    test('a contract that goes on as it was splits nothing', () => {
        const contracts = [
            held('org', 'deal', jan, at('2026-06-01T00:00:00Z')),
            { ...held('org', 'deal', '2026-06-01T00:00:00Z'), contract: 'renewed' },
        ];
        expect(booksOf([row('org', null)], contracts)).toEqual(['org 2026-01-01 deal']);
    });

    const sold = (contract: Contract, seller: string): Contract => ({ ...contract, seller });
    const channel = [
        ...[row('op', null), row('dist', 'op'), row('shop', 'dist', { rate_at: 'self' })],
        row('team', 'shop', { detail: 'summary' }),
    ];

    test('a sale is a level of its own; the operator prices by its own contract', () => {
        const contracts = [
            held('dist', 'wholesale', jan),
            sold(held('shop', 'retail', '2026-10-10T00:00:00Z'), 'dist'),
            sold(held('dist', 'import', jan), 'op'),
        ];
        const result = compiled(channel, contracts.slice(0, 2));
        if ('problems' in result) throw new Error(JSON.stringify(result.problems));
        const { paths, channels, sale_paths } = result.tree;
        const [none, from10] = paths.filter(({ account_id }) => account_id === 'team');
        expect([none?.book_id, none?.channel_id, from10?.book_id]).toEqual([
            ...['wholesale', '', 'wholesale'],
        ]);
        expect(channels).toEqual([
            {
                ...{ channel_id: from10?.channel_id, level_no: 1n },
                ...{ seller_id: 'dist', buyer_id: 'shop', sale_id: 'dist/shop' },
                ...{ pool_id: 'shop', book_id: 'retail', currency: 'USD' },
            },
        ]);
        expect(
            sale_paths.map((of) => [of.account_id, of.payer_id, of.line_account_id, of.book_id]),
        ).toEqual([
            ['shop', 'dist/shop', 'shop', ''],
            ['shop', 'dist/shop', 'shop', 'retail'],
            ['team', 'dist/shop', 'shop', ''],
            ['team', 'dist/shop', 'shop', 'retail'],
        ]);
        const two = compiled(channel, contracts.slice(1));
        if ('problems' in two) throw new Error(JSON.stringify(two.problems));
        const deep = two.tree.paths.find(({ account_id, valid_from }) => {
            return account_id === 'team' && valid_from.startsWith('2026-10-10');
        });
        expect(
            two.tree.channels
                .filter(({ channel_id }) => channel_id === deep?.channel_id)
                .map(({ level_no, sale_id }) => `${level_no} ${sale_id}`),
        ).toEqual(['1 op/dist', '2 dist/shop']);
        expect(deep?.book_id).toBe('list');
    });

    test('nobody sells from beside, nor to whom the operator bills', () => {
        const problems = (rows: readonly Row[], contract: Contract) => {
            const result = compiled(rows, [contract]);
            if (!('problems' in result)) throw new Error('no problems');
            return result.problems.map(printProblem);
        };
        expect(problems(channel, sold(held('shop', 'retail', jan), 'team'))).toEqual([
            'contracts.yaml:7: SELLER_NOT_ABOVE contract of-shop: team sells to shop and is not above it, on op > dist > shop\n' +
                '    Name an account above it, or move the account below its seller.',
        ]);
        const self = channel.map((of) =>
            of.account_id === 'shop' ? { ...of, bill_to: 'self' } : of,
        );
        expect(problems(self, sold(held('shop', 'retail', jan), 'dist'))).toEqual([
            'contracts.yaml:7: BILLED_TWICE shop is billed by dist under contract of-shop, and by the operator too\n' +
                '    Give it `bill_to: top`, or `parent`: a payer is billed only by its seller.',
        ]);
    });

    test('of whom nobody knows, and in money that nobody under them pays', () => {
        const problems = (contracts: readonly Contract[], rows = tree) => {
            const result = compiled(rows, contracts);
            if (!('problems' in result)) throw new Error('no problems');
            return result.problems.map(printProblem);
        };
        expect(problems([held('tema', 'deal', jan)])).toEqual([
            'contracts.yaml:7: UNKNOWN_ACCOUNT contract of-tema is of tema, which is not in the accounts file\n' +
                '    Did you mean "team"?',
        ]);
        expect(problems([sold(held('unit', 'deal', jan), 'tema')])).toEqual([
            'contracts.yaml:7: UNKNOWN_ACCOUNT the seller of contract of-unit is tema, which is not in the accounts file\n' +
                '    Did you mean "team"?',
        ]);
        const euro = tree.map((of) => ({ ...of, currency: 'EUR' }));
        expect(problems([held('unit', 'deal', jan)], euro)).toEqual([
            'contracts.yaml:8: CONTRACT_CURRENCY card deal of contract of-unit is in USD, and who pays under it is billed in EUR\n' +
                '    All of its usage would be RATE_CURRENCY: name a card in that currency, or write rates to it in `currency_rates`.',
        ]);
    });
});

describe('accounts: in what currency their book is', () => {
    const rates = {
        ...{ file: 'fx.csv', max_age_days: 31 },
        rows: [
            ...[
                ['EUR', '2026-09-30'],
                ['GBP', '2026-01-31'],
            ].map(([to = '', on = '']) => ({
                ...{ from: 'USD', to, on, rate: '0.9', source: 'ECB', line: 2 },
            })),
        ],
    };
    const currencies = new Map([
        ['list', 'USD'],
        ['deal', 'USD'],
        ['extra', 'CHF'],
    ]);
    const at = (text: string) => parseInstant(text);
    const until = at('9999-12-31T00:00:00Z');
    const contract = (account: string, over: Partial<Contract> = {}): Contract => ({
        ...{ contract: `of-${account}`, account, seller: null, from: at(jan), to: until, line: 7 },
        books: [{ book_id: 'deal+extra', cards: ['deal', 'extra'], from: at(jan), to: until }],
        cards: [{ card: 'deal', currency: 'USD', line: 8 }],
        ...{ counts: [], commitments: [], grants: [], lateUsage: null },
        ...over,
    });
    const compiled = (rows: readonly Row[], contracts: readonly Contract[], of = { rates }) =>
        compileAccounts(
            ...(['accounts.json', fileOf(rows), { config, assets }, '2026-10'] as const),
            {
                ...{ file: 'contracts.yaml', standard: { book_id: 'list', cards: ['list'] } },
                ...{ contracts, drawOrder: [] },
            },
            { ...of, currencies },
        );
    const treeOf = (...given: Parameters<typeof compiled>) => {
        const result = compiled(...given);
        if ('problems' in result) throw new Error(result.problems.map(printProblem).join('\n'));
        return result.tree;
    };
    const rows = ['USD', 'EUR', 'GBP', 'CAD'].map((currency) => row(currency, null, { currency }));

    test('that of the payer, where there is a rate for the period', () => {
        const { paths, conversions } = treeOf(rows, [contract('EUR', { books: [] })]);
        expect(paths.map((of) => `${of.account_id} ${of.book_id}`)).toEqual([
            ...['CAD list', 'EUR EUR:list', 'GBP list', 'USD list'],
        ]);
        expect(conversions.books).toEqual([
            { book_id: 'EUR:list', cards: ['list'], currency: 'EUR', converted: ['list'] },
        ]);
        expect(conversions.rates.map(({ from, to, on }) => `${from} ${to} ${on}`)).toEqual([
            'USD EUR 2026-09-30',
        ]);
        expect(conversions.missing.map(({ from, to, evidence }) => [from, to, evidence])).toEqual([
            ['USD', 'CAD', 'fx.csv has no rate from USD to CAD of any date'],
            ['USD', 'GBP', expect.stringContaining('243 days before 2026-10-01')],
        ]);
    });

    test('of a book of several cards those that can be; the contract of a term stays', () => {
        const book = { book_id: 'deal+extra@c', contract: 'c', cards: ['deal', 'extra'] };
        const books = [{ ...book, from: at(jan), to: until }];
        const { paths, conversions } = treeOf(
            [row('org', null, { currency: 'EUR' })],
            [contract('org', { books })],
        );
        expect(paths[0]?.book_id).toBe('EUR:deal+extra@c');
        expect(conversions.books).toMatchObject([
            { ...book, book_id: 'EUR:deal+extra@c', currency: 'EUR', converted: ['deal'] },
        ]);
        expect(conversions.missing).toMatchObject([{ from: 'CHF', to: 'EUR' }]);
    });

    test('a buyer pays its seller in its own', () => {
        const channel = [
            row('op', null),
            row('dist', 'op', { currency: 'GBP' }),
            row('shop', 'dist', { currency: 'EUR' }),
        ];
        const books = [{ book_id: 'deal', cards: ['deal'], from: at(jan), to: until }];
        const { channels, paths } = treeOf(channel, [contract('shop', { seller: 'dist', books })]);
        expect(channels).toMatchObject([{ book_id: 'EUR:deal', currency: 'EUR' }]);
        expect(paths.every(({ book_id }) => book_id === 'list')).toBe(true);
    });

    test('what ended before the period misses nothing', () => {
        const { conversions } = treeOf(
            [row('old', null, { currency: 'CAD', valid_to: '2026-10-01T00:00:00Z' })],
            [],
        );
        expect(conversions.missing).toEqual([]);
    });

    test('a contract whose card could be converted is no problem, whatever the period has', () => {
        const in_ = (currency: string) => {
            // By another name than that of the account with a wallet in units.
            const result = compiled([row('payer', null, { currency })], [contract('payer')]);
            return 'problems' in result ? result.problems.map(({ code }) => code) : [];
        };
        expect([in_('EUR'), in_('GBP'), in_('CAD')]).toEqual([[], [], ['CONTRACT_CURRENCY']]);
    });
});
