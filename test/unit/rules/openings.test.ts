import { describe, expect, test } from 'vitest';
import type { Contracts } from '../../../src/compile/contracts.ts';
import { openingsOf } from '../../../src/compile/openings.ts';
import { loadOpenings } from '../../../src/rules/openings.ts';
import { contractsOf } from '../compile/promises.world.ts';
import { printed } from './support.ts';

const span = { from: 0n, to: 9n };
const contract = (id: string, counts: readonly string[]): Contracts['contracts'][number] => ({
    ...{ contract: id, account: 'acme', seller: null, ...span, books: [], cards: [], line: 2 },
    ...{ commitments: [], grants: [], lateUsage: null },
    counts: counts.map((product) => ({ product, meter: 'tokens', ...span })),
});
const contracts: Contracts = {
    file: 'contracts.yaml',
    standard: { book_id: 'list', cards: ['list'] },
    contracts: [contract('acme-1', ['llm', 'images']), contract('acme-2', [])],
    drawOrder: [],
};
const load = (text: string, of = contracts) => {
    const read = loadOpenings('openings.csv', text, of);
    return 'problems' in read ? printed(read.problems) : read.openings;
};
const header = 'contract,product,meter,quantity\n';
const opened = { file: 'openings.csv', rows: [], commitments: [], grants: [] };

describe('openings', () => {
    test('are exact texts with their lines; columns come in any order', () => {
        const text =
            '\uFEFFquantity,meter,contract,product\r\n1250.000000000001,tokens,acme-1,llm\r\n\r\n0,tokens,acme-1,images\r\n';
        const row = { contract: 'acme-1', meter: 'tokens', period: null };
        expect(load(text)).toEqual({
            ...opened,
            rows: [
                { ...row, product: 'llm', quantity: '1250.000000000001', line: 2 },
                { ...row, product: 'images', quantity: '0', line: 4 },
            ],
        });
    });

    test('a header alone opens nothing', () => {
        expect(load(header)).toEqual(opened);
    });

    test('every problem at once, each at its line', () => {
        const rows = [
            'acme-1,llm,tokens,-5',
            'acme-1,llm,tokens,1e3',
            'acme-1,llm,tokens,0.5',
            'acme-l,llm,tokens,1',
            'acme-1,audio,tokens,1',
            'acme-2,llm,tokens,1',
            'acme-1,llm,tokens,7',
            'acme-1,llm,tokens',
            ',llm,tokens,0.1234567890123',
        ];
        const remedy =
            '\n    Write what the term counted before the period, in units of the meter: 1250.5';
        const plain = 'is not a plain decimal of at most 12 places that is not negative (quantity)';
        expect(load(`${header}${rows.join('\n')}\n`)).toEqual([
            `openings.csv:2: OPENING_INVALID quantity "-5" ${plain}${remedy}`,
            `openings.csv:3: OPENING_INVALID quantity "1e3" ${plain}${remedy}`,
            'openings.csv:5: OPENING_UNKNOWN no contract is called "acme-l"\n    Did you mean "acme-1"?',
            'openings.csv:6: OPENING_UNKNOWN contract acme-1 does not count audio of tokens over its term\n' +
                '    It counts llm of tokens, images of tokens.',
            'openings.csv:7: OPENING_UNKNOWN contract acme-2 does not count llm of tokens over its term\n' +
                '    It counts nothing: no rate has tier_scope contract_term.',
            'openings.csv:8: OPENING_TWICE llm of tokens under acme-1 is 7 here and 0.5 at line 4\n' +
                '    Keep one of them, or say which period each of them opens.',
            'openings.csv:9: OPENING_INVALID this row has 3 cells, the header has 4\n' +
                '    Write one cell for each column; quote a cell with a comma in it.',
            `openings.csv:10: OPENING_INVALID contract is empty (contract)${remedy}`,
            `openings.csv:10: OPENING_INVALID quantity "0.1234567890123" ${plain}${remedy}`,
        ]);
    });

    test('a header that lacks columns, has others, or one twice', () => {
        const all =
            'The columns are contract, product, meter, commitment, grant, period, quantity; commitment, grant, period may be left out.';
        const columns = `\n    ${all}`;
        expect(load('contract,product,meter,meter,quantitty\n')).toEqual([
            `openings.csv:1: OPENING_INVALID there is no column "quantity"${columns}`,
            `openings.csv:1: OPENING_INVALID two columns are called "meter"${columns}`,
            `openings.csv:1: OPENING_INVALID column "quantitty" is not known\n    Did you mean "quantity"? ${all}`,
        ]);
        expect(load('')).toEqual(['openings.csv:1: OPENING_INVALID openings.csv is empty']);
        expect(load(`${header}"acme-1,llm`)[0 as never]).toContain(
            'openings.csv:2: BAD_CSV a quote opens here and never closes',
        );
    });

    test('of contracts that there are none of', () => {
        expect(load(`${header}acme-1,llm,tokens,1\n`, { ...contracts, contracts: [] })).toEqual([
            'openings.csv:2: OPENING_UNKNOWN no contract is called "acme-1"\n' +
                '    Take the row out, or name the contracts in tieout.yaml.',
        ]);
    });
});

describe('openings of commitments and grants', () => {
    const agreed = contractsOf({
        commitments: [
            'commitment: spend, amount: "1", kind: prepaid, rollover: { fraction: "1", months: 1 }',
            'commitment: more, amount: "1"',
        ],
        grants: ['grant: hello, amount: "1"', 'grant: each, amount: "1", every: month'],
    });
    if ('problems' in agreed) throw new Error(printed(agreed.problems).join('\n'));
    const opens = (...rows: readonly string[]) =>
        load(
            `contract,product,meter,commitment,grant,period,quantity\n${rows.join('\n')}\n`,
            agreed.contracts,
        );

    test('are of one period, or of whatever is run', () => {
        const read = opens(
            'deal,,,spend,,2026-10,700',
            'deal,,,spend,,2026-11,-0.5',
            'deal,,,,spend@2026-01-01,,5',
            'deal,,,,spend@2026-01-01~rollover,,6',
            'deal,,,,hello,2026-10,0',
            'deal,,,,each@2026-10-01,2026-10,1.25',
        );
        const of = { contract: 'deal', holder: 'spend' };
        if (!('file' in read)) throw new Error(read.join('\n'));
        expect(read.rows).toEqual([]);
        expect(read.commitments).toEqual([
            { ...of, period: '2026-10', quantity: '700', line: 2 },
            { ...of, period: '2026-11', quantity: '-0.5', line: 3 },
        ]);
        expect(read.grants.map((row) => `${row.holder} ${row.period} ${row.quantity}`)).toEqual([
            'spend@2026-01-01 null 5',
            'spend@2026-01-01~rollover null 6',
            'hello 2026-10 0',
            'each@2026-10-01 2026-10 1.25',
        ]);
        const { commitments, grants } = openingsOf(read, '2026-10');
        expect([commitments.length, grants.length]).toEqual([1, 4]);
        expect(openingsOf(read, '2026-12').commitments).toEqual([]);
    });

    test('every problem at once, each at its line', () => {
        const shapes =
            'Known here: spend@yyyy-MM-dd, spend@yyyy-MM-dd~rollover, hello, each@yyyy-MM-dd.';
        const one = '    Write a product and its meter, or a commitment, or a grant.';
        const left = '    Write what was left of it before the period, in its asset: 1250.5';
        expect(
            opens(
                'deal,llm,tokens,spend,,,1',
                'deal,,,,,,1',
                'deal,,,spent,,,1',
                'deal,,,,hallo,,1',
                'deal,,,,hello@2026-10-01,,1',
                'deal,,,,more@2026-01-01,,1',
                'deal,,,,hello,2026-13,-1',
                'dael,,,spend,,,1',
                'deal,,,more,,2026-10,1',
                'deal,,,more,,2026-11,1',
                'deal,,,more,,,2',
                'deal,llm,tokens,,,,1',
            ),
        ).toEqual([
            `openings.csv:2: OPENING_INVALID this row names llm and spend\n${one}`,
            `openings.csv:3: OPENING_INVALID this row names nothing that opens\n${one}`,
            'openings.csv:4: OPENING_UNKNOWN contract deal has no commitment "spent"\n    Did you mean "spend"?',
            'openings.csv:5: OPENING_UNKNOWN contract deal has no grant "hallo"\n    Did you mean "hello"?',
            `openings.csv:6: OPENING_UNKNOWN contract deal has no grant "hello@2026-10-01"\n    ${shapes}`,
            `openings.csv:7: OPENING_UNKNOWN contract deal has no grant "more@2026-01-01"\n    ${shapes}`,
            'openings.csv:8: OPENING_INVALID period "2026-13" is not a month like 2026-10 (period)\n    Leave it empty for any period.',
            `openings.csv:8: OPENING_INVALID quantity "-1" is not a plain decimal of at most 12 places that is not negative (quantity)\n${left}`,
            'openings.csv:9: OPENING_UNKNOWN no contract is called "dael"\n    Did you mean "deal"?',
            'openings.csv:12: OPENING_TWICE commitment more under deal is 2 here and 1 at line 10\n    Keep one of them, or say which period each of them opens.',
            'openings.csv:13: OPENING_UNKNOWN contract deal does not count llm of tokens over its term\n    It counts nothing: no rate has tier_scope contract_term.',
        ]);
    });
});
