import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bookFinder, type Contract, joinSpans } from '../../../src/compile/contracts.ts';

const path = ['team', 'unit', 'org'];
const standard = { book_id: 'list', cards: ['list'] };

/** Contracts of an account one after the other, from instants of 0 to 40. */
const contractsOf = (account: string) =>
    fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 6 }).chain((instants) =>
        fc
            .array(fc.record({ isSold: fc.boolean(), book: fc.constantFrom('x', 'y') }), {
                ...{ minLength: 3, maxLength: 3 },
            })
            .map((kinds) =>
                made(
                    account,
                    [...instants].sort((a, b) => a - b),
                    kinds,
                ),
            ),
    );

function made(
    account: string,
    instants: readonly number[],
    kinds: readonly { readonly isSold: boolean; readonly book: string }[],
): readonly Contract[] {
    return kinds.flatMap(({ isSold, book }, at) => {
        const [from, to] = [instants[at * 2], instants[at * 2 + 1]];
        if (from === undefined || to === undefined) return [];
        const span = { from: BigInt(from), to: BigInt(to) };
        const seller = isSold && account !== 'org' ? 'org' : null;
        const books = [{ book_id: `${account}-${book}`, cards: [book], ...span }];
        return [
            {
                contract: `${account}-${at}`,
                account,
                seller,
                ...span,
                books,
                cards: [],
                counts: [],
                ...{ commitments: [], grants: [], lateUsage: null },
                line: 1,
            },
        ];
    });
}

describe('what prices an account', () => {
    const all = fc.tuple(...path.map(contractsOf)).map((of) => of.flat());

    test('is, at every instant, the nearest contract with the operator, and every sale', () => {
        fc.assert(
            fc.property(all, (contracts) => {
                const find = bookFinder({ file: 'c', standard, contracts, drawOrder: [] });
                const spans = joinSpans(find(path, 5n, 35n));
                for (let at = 5n; at < 35n; at += 1n) {
                    const own = path.flatMap((account) =>
                        contracts.filter(
                            (of) => of.account === account && of.from <= at && at < of.to,
                        ),
                    );
                    const nearest = own.find(({ seller }) => seller === null);
                    const sales = own.filter(({ seller }) => seller !== null).reverse();
                    const found = spans.filter(({ from, to }) => from <= at && at < to);
                    expect(found).toHaveLength(1);
                    expect(found[0]?.book_id).toBe(nearest?.books[0]?.book_id ?? 'list');
                    expect(found[0]?.sales.map(({ book_id }) => book_id)).toEqual(
                        sales.map(({ books }) => books[0]?.book_id),
                    );
                }
                // Neighbours differ: nothing is split without a reason.
                const said = spans.map(({ book_id, sales }) =>
                    JSON.stringify([book_id, sales.map((of) => [of.contract.account, of.book_id])]),
                );
                expect(said.every((one, at) => one !== said[at + 1])).toBe(true);
            }),
            { numRuns: 300 },
        );
    });
});
