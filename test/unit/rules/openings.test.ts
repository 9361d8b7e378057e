import { describe, expect, test } from 'vitest';
import type { Contracts } from '../../../src/compile/contracts.ts';
import { loadOpenings } from '../../../src/rules/openings.ts';
import { printed } from './support.ts';

const span = { from: 0n, to: 9n };
const contract = (id: string, counts: readonly string[]): Contracts['contracts'][number] => ({
    ...{ contract: id, account: 'acme', seller: null, ...span, books: [], cards: [], line: 2 },
    ...{ commitments: [], grants: [] },
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
