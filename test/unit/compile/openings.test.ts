import { describe, expect, test } from 'vitest';
import type { Contract } from '../../../src/compile/contracts.ts';
import { noOpenings, type Openings, termProblems } from '../../../src/compile/openings.ts';
import { printProblem } from '../../../src/errors/index.ts';
import { parseInstant } from '../../../src/time/instant.ts';

const at = (day: string) => parseInstant(`${day}T00:00:00Z`);
const payer = { payer_id: 'org', start: at('2026-10-01'), end: at('2026-11-01') };
const contract = (from: string, counted: readonly [string, string]): Contract => ({
    ...{ contract: 'deal', account: 'org', seller: null, books: [], cards: [], line: 3 },
    ...{ from: at(from), to: at('2027-01-01'), commitments: [], grants: [], lateUsage: null },
    counts: [{ product: 'llm', meter: 'tokens', from: at(counted[0]), to: at(counted[1]) }],
});
const row = { contract: 'deal', product: 'llm', meter: 'tokens', period: null, line: 2 };
const none = noOpenings;
const empty: Openings = { ...none, file: 'open.csv' };
const opens = (quantity: string): Openings => ({ ...empty, rows: [{ ...row, quantity }] });

const problems = (
    from: string,
    openings: Openings,
    {
        counted = [from, '2027-01-01'],
        payers = [payer],
    }: { counted?: readonly [string, string]; payers?: readonly (typeof payer)[] } = {},
) =>
    termProblems(
        {
            file: 'contracts.yaml',
            standard: { book_id: 'list', cards: ['list'] },
            contracts: [contract(from, counted)],
            drawOrder: [],
        },
        openings,
        new Map([['deal', payers]]),
    ).map(printProblem);

const missing = (place: string) => [
    'contracts.yaml:3: OPENING_MISSING contract deal counts llm of tokens from 2026-09-30T00:00:00Z, and nothing says what was used before 2026-10-01T00:00:00Z\n' +
        `    Write the row deal,llm,tokens,QUANTITY in ${place}; 0 if nothing was.`,
];

describe('what a period needs to know of a term', () => {
    test('one that began before it opens with what was used, or 0, never with nothing said', () => {
        expect(problems('2026-09-30', opens('12.5'))).toEqual([]);
        expect(problems('2026-09-30', opens('0.00'))).toEqual([]);
        expect(problems('2026-09-30', none)).toEqual(
            missing('a CSV file that `openings` of tieout.yaml names'),
        );
        expect(problems('2026-09-30', empty)).toEqual(missing('open.csv'));
    });

    test('one that begins with it, in it or after it opens with nothing', () => {
        for (const from of ['2026-10-01', '2026-10-15', '2026-11-01']) {
            expect(problems(from, none)).toEqual([]);
            expect(problems(from, opens('0'))).toEqual([]);
            expect(problems(from, opens('0.5'))).toEqual([
                `open.csv:2: OPENING_NOT_ZERO llm of tokens under deal opens with 0.5, and its term begins at ${from}T00:00:00Z, not before the period\n` +
                    '    Take the row out, or correct the begin of the contract.',
            ]);
        }
    });

    test('a rate that is not in force in the period needs no opening', () => {
        const of = (from: string, to: string) =>
            problems('2026-09-01', none, { counted: [from, to] });
        expect(of('2026-09-01', '2026-10-01')).toEqual([]);
        expect(of('2026-11-01', '2027-01-01')).toEqual([]);
        expect(of('2026-10-31', '2027-01-01')).toHaveLength(1);
    });

    test('its tiers count for one payer', () => {
        const payers = [payer, { ...payer, payer_id: 'lab' }];
        expect(problems('2026-10-01', none, { payers })).toEqual([
            'contracts.yaml:3: TERM_PAYERS contract deal counts tiers over its term, and 2 accounts pay under it: lab, org\n' +
                '    Give each payer a contract of its own: tiers of one count for one payer.',
        ]);
        expect(problems('2026-09-30', none, { payers: [] })).toEqual([]);
    });
});
