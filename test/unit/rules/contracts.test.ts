import { describe, expect, test } from 'vitest';
import { allBooks } from '../../../src/compile/contracts.ts';
import { bookId, type LoadedContracts, loadContracts } from '../../../src/rules/contracts.ts';
import { lintBooks } from '../../../src/rules/lint.ts';
import { lintWithoutContract } from '../../../src/rules/term-counts.ts';
import { formatInstant } from '../../../src/time/instant.ts';
import { type Files, loaded, printed, reader } from './support.ts';

const jan = '2026-01-01T00:00:00Z';
const card = (name: string, rates: readonly string[], currency = 'USD') =>
    `card: ${name}
version: "1"
currency: ${currency}
charges:
  - product: llm
    meter: tokens
    model: per_unit
    unit: token
    rates:
${rates.map((rate) => `      - { ${rate} }`).join('\n')}
`;
const any = (price: string, more = '') => `when: {}, price: "${price}", from: ${jan}${more}`;

const files: Files = {
    'rules/card.yaml': card('list', [any('1')]),
    'rules/acme.yaml': card('acme', [any('2')]),
    'rules/extra.yaml': card('extra', [
        `when: { model: opus }, price: "3", from: ${jan}, priority: 5`,
    ]),
    'rules/broken.yaml': card('broken', ['when: {}, price: "x", from: "2026"']),
    'rules/copy.yaml': card('acme', [any('9')]),
};

/** Loads rules/contracts.yaml; its lines are counted from the first `contracts:`. */
function load(text: string, more: Files = {}): LoadedContracts | readonly string[] {
    const all = { ...files, ...more };
    const standard = { file: 'rules/card.yaml', card: loaded(all) };
    const read = loadContracts('rules/contracts.yaml', text, standard, reader(all));
    return 'problems' in read ? printed(read.problems) : read;
}

const contract = (id: string, span: string, cards: string) =>
    `  - { contract: ${id}, account: acme, ${span}, cards: [${cards}] }\n`;
const file = (...contracts: readonly string[]) => `contracts:\n${contracts.join('')}`;

function booksOf(read: ReturnType<typeof load>): readonly string[] {
    if (!('contracts' in read)) throw new Error(read.join('\n'));
    return read.contracts.contracts.flatMap(({ contract, books }) =>
        books.map(
            ({ book_id, from }) => `${contract} ${formatInstant(from).slice(0, 10)} ${book_id}`,
        ),
    );
}

describe('contracts', () => {
    test('a card is named by its file, or by the name of one that is', () => {
        const read = load(
            file(
                contract('a', `from: ${jan}, to: 2026-03-01T00:00:00Z`, '{ card: acme.yaml }'),
                contract('b', 'from: 2026-03-01T00:00:00Z', '{ card: acme }, { card: list }'),
            ),
        );
        expect(booksOf(read)).toEqual(['a 2026-01-01 acme', 'b 2026-03-01 acme+list']);
        if (!('cards' in read)) throw new Error('not read');
        expect(read.cards.map((of) => of.card)).toEqual(['list', 'acme']);
        expect(allBooks(read.contracts).map(({ book_id }) => book_id)).toEqual([
            ...['acme', 'acme+list', 'list'],
        ]);
    });

    test('a card that comes or goes begins another book', () => {
        const cards =
            '{ card: acme.yaml }, { card: extra.yaml, from: 2026-02-01T00:00:00Z, to: 2026-04-01T00:00:00Z }';
        expect(booksOf(load(file(contract('a', `from: ${jan}`, cards))))).toEqual([
            'a 2026-01-01 acme',
            'a 2026-02-01 acme+extra',
            'a 2026-04-01 acme',
        ]);
    });

    test('a book is known by its cards, in whatever order; many are hashed', () => {
        expect(bookId(['b', 'a'])).toBe('a+b');
        const many = Array.from({ length: 40 }, (_, at) => `card-${at}`);
        expect(bookId(many)).toMatch(/^book-[0-9a-f]{24}$/);
        expect(bookId([...many].reverse())).toBe(bookId(many));
    });

    test('everything that is wrong is told at once, with its line', () => {
        expect(
            load(
                file(
                    contract('a', `from: ${jan}`, '{ card: acme.yaml }, { card: acmee }'),
                    contract('b', 'from: 2026-02-01T00:00:00Z', '{ card: gone.yaml }'),
                    contract('b', `from: ${jan}, to: ${jan}`, '{ card: list }'),
                    contract('c', 'from: yesterday', '{ card: list }'),
                ),
            ),
        ).toEqual([
            'rules/contracts.yaml:2: UNKNOWN_CARD no card is called "acmee"\n' +
                '    Did you mean "acme"? A card that nothing else names is named by its file.',
            'rules/contracts.yaml:3: CONTRACT_OVERLAP acme has two contracts from 2026-02-01T00:00:00Z: a and b\n' +
                '    End the one of line 2, or join their cards in one.',
            'rules/contracts.yaml:3: FILE_NOT_FOUND rules/gone.yaml cannot be read\n' +
                '    A card is named relative to the folder of the contracts.',
            'rules/contracts.yaml:4: EMPTY_SPAN 2026-01-01T00:00:00Z to 2026-01-01T00:00:00Z is empty\n' +
                '    The end is the first instant after it: it must be later than from.',
            'rules/contracts.yaml:5: BAD_INSTANT from "yesterday" is not an instant\n' +
                '    Write day, time and zone: 2026-03-01T00:00:00Z.',
        ]);
    });

    test.each([
        [
            'a key that is not known',
            file(contract('a', `from: ${jan}, acount: x`, '{ card: list }')),
            'rules/contracts.yaml:2: CONTRACTS_INVALID unknown key "acount". Did you mean "account"? (contracts.0.acount)',
        ],
        [
            'a contract without cards',
            file(contract('a', `from: ${jan}`, '')),
            'rules/contracts.yaml:2: CONTRACTS_INVALID a contract needs at least one card (contracts.0.cards)',
        ],
        [
            'a card beyond its contract',
            file(
                contract(
                    'a',
                    `from: ${jan}, to: 2026-03-01T00:00:00Z`,
                    '{ card: acme.yaml }, { card: list, to: 2026-04-01T00:00:00Z }',
                ),
            ),
            'rules/contracts.yaml:2: CONTRACT_CARD_SPAN card list is from 2026-01-01T00:00:00Z to 2026-04-01T00:00:00Z, ' +
                'and contract a from 2026-01-01T00:00:00Z to 2026-03-01T00:00:00Z\n' +
                '    A card is in force within its contract: leave out what is the same.',
        ],
        [
            'a time without any card',
            file(contract('a', `from: ${jan}`, '{ card: list, to: 2026-04-01T00:00:00Z }')),
            'rules/contracts.yaml:2: CONTRACT_GAP contract a has no card at 2026-04-01T00:00:00Z\n' +
                '    Let its cards meet, or end the contract: nothing would price the usage.',
        ],
        [
            'two files that call themselves alike',
            file(contract('a', `from: ${jan}`, '{ card: acme.yaml }, { card: copy.yaml }')),
            'rules/contracts.yaml:2: CARD_NAME_TWICE rules/copy.yaml and rules/acme.yaml are both called acme\n' +
                '    Give one of them another name: rates are known by the name of their card.',
        ],
        [
            'one id for two contracts',
            file(
                contract('a', `from: ${jan}, to: 2026-03-01T00:00:00Z`, '{ card: list }'),
                contract('a', 'from: 2026-03-01T00:00:00Z', '{ card: list }'),
            ),
            'rules/contracts.yaml:3: CONTRACT_TWICE a is also the contract of line 2\n' +
                '    Give each contract an id of its own.',
        ],
    ])('%s', (_name, text, expected) => {
        expect(load(text)).toEqual([expected]);
    });

    test('what is wrong in a card is told in that card', () => {
        const problems = load(file(contract('a', `from: ${jan}`, '{ card: broken.yaml }')));
        expect(problems).toEqual([
            expect.stringMatching(/^rules\/broken.yaml:10: BAD_INSTANT/),
            expect.stringMatching(/^rules\/broken.yaml:10: BAD_PRICE/),
        ]);
    });
});

describe('the cards of a book', () => {
    const lintOf = (cards: string, more: Files = {}, span = `from: ${jan}`) => {
        const read = load(file(contract('a', span, cards)), more);
        if (!('contracts' in read)) throw new Error(read.join('\n'));
        return printed(lintBooks(read.contracts, read.cards));
    };

    test('may price together what the law tells apart', () => {
        expect(lintOf('{ card: acme.yaml }, { card: extra.yaml }')).toEqual([]);
    });

    test('may not price the same usage twice', () => {
        expect(lintOf('{ card: acme.yaml }, { card: list }')).toEqual([
            'rules/card.yaml:10: RATE_OVERLAP two rates hold at once from 2026-01-01T00:00:00Z for any usage: 1 here and 2 at rules/acme.yaml:10\n' +
                '    Keep one of them, or give one a higher priority.',
        ]);
    });

    test('may not tie', () => {
        const more = {
            'rules/acme.yaml': card('acme', [`when: { model: opus }, price: "2", from: ${jan}`]),
            'rules/extra.yaml': card('extra', [`when: { region: eu }, price: "3", from: ${jan}`]),
        };
        expect(lintOf('{ card: acme.yaml }, { card: extra.yaml }', more)).toEqual([
            expect.stringMatching(
                /^rules\/extra.yaml:10: RATE_TIE nothing decides between this rate for region=eu and the one for model=opus at rules\/acme.yaml:10/,
            ),
        ]);
    });

    test('are only compared while both are in force', () => {
        const ended = { 'rules/acme.yaml': card('acme', [any('2', ', to: 2026-03-01T00:00:00Z')]) };
        const cards = (from: string) => `{ card: acme.yaml }, { card: list, from: ${from} }`;
        expect(lintOf(cards('2026-03-01T00:00:00Z'), ended)).toEqual([]);
        expect(lintOf(cards('2026-02-01T00:00:00Z'), ended)).toHaveLength(1);
    });
});

describe('cards that count over the term of a contract', () => {
    const counting = (name: string, rates: readonly string[]) =>
        card(
            name,
            rates.map((rate) => `when: {}, tiers: [{ unit_price: "1" }], ${rate}`),
        ).replace('model: per_unit', 'model: graduated\n    tier_scope: contract_term');
    const more = {
        'rules/term.yaml': counting('term', [`from: ${jan}`]),
        'rules/moves.yaml': counting('moves', [
            `from: ${jan}, to: 2026-03-01T00:00:00Z`,
            'from: 2026-03-01T00:00:00Z',
        ]),
    };
    const march = '2026-03-01T00:00:00Z';

    test('have a book for each contract, so that usage is told apart', () => {
        const read = load(
            file(
                contract('a', `from: ${jan}, to: ${march}`, '{ card: term.yaml }'),
                contract('b', `from: ${march}`, '{ card: term }, { card: extra.yaml }'),
            ),
            more,
        );
        expect(booksOf(read)).toEqual(['a 2026-01-01 term@a', 'b 2026-03-01 extra+term@b']);
        if (!('cards' in read)) throw new Error('not read');
        const { contracts } = read;
        expect(allBooks(contracts)).toContainEqual({
            ...{ book_id: 'term@a', contract: 'a', cards: ['term'] },
        });
        expect(
            contracts.contracts.flatMap((of) =>
                of.counts.map(
                    ({ product, meter, from, to }) =>
                        `${of.contract} ${product} ${meter} ${formatInstant(from)} ${to < 1n << 61n}`,
                ),
            ),
        ).toEqual([`a llm tokens ${jan} true`, `b llm tokens ${march} false`]);
    });

    test('have one rate of a product and meter over the whole term', () => {
        const moves = contract('a', `from: ${jan}`, '{ card: moves.yaml }');
        expect(load(file(moves), more)).toEqual([
            'rules/contracts.yaml:2: TERM_RATES contract a counts llm of tokens over its term by 2 rates: rules/moves.yaml:11, rules/moves.yaml:12\n' +
                '    One rate counts over the whole term: give the others a product of their own, or begin another contract where a price changes.',
        ]);
        const each = file(
            contract('a', `from: ${jan}, to: ${march}`, '{ card: moves.yaml }'),
            contract('b', `from: ${march}`, '{ card: moves }'),
        );
        expect(booksOf(load(each, more))).toEqual(['a 2026-01-01 moves@a', 'b 2026-03-01 moves@b']);
    });

    test('price nobody who has no contract', () => {
        const of = loaded({ 'rules/card.yaml': counting('list', [`from: ${jan}`]) });
        expect(printed(lintWithoutContract(of))).toEqual([
            'rules/card.yaml:11: TERM_WITHOUT_CONTRACT list/tokens/*@2026-01-01T00:00:00Z counts over the term of a contract, and list is the rate_card of tieout.yaml: it prices usage that has no contract\n' +
                '    Move the rate to a card that contracts name, or count it by pool.',
        ]);
    });

    test.each([
        ['', null],
        ['late_usage: delta, ', 'delta'],
        ['late_usage: restate, ', 'restate'],
    ])('say what becomes of late usage: %s', (late, expected) => {
        const read = load(file(contract('a', `${late}from: ${jan}`, '{ card: acme.yaml }')));
        if (!('contracts' in read)) throw new Error(read.join('\n'));
        expect(read.contracts.contracts[0]?.lateUsage).toBe(expected);
    });

    test.each([
        ['late_usage: never', 'late_usage: "never" is not a choice here.'],
        ['seller: org, late_usage: delta', 'LATE_USAGE_SELLER contract a is with org'],
    ])('refuse %s', (late, expected) => {
        const read = load(file(contract('a', `${late}, from: ${jan}`, '{ card: acme.yaml }')));
        expect(read).toEqual([expect.stringContaining(expected)]);
    });
});
