import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rated } from '../oracle/slow-pricer.ts';
import type { Forest, TreeAccount, TreeRate } from '../oracle/slow-tree.ts';
import { holdsFor, runsOf } from '../support/arbitraries.ts';
import { decimalText, fraction, minus, parseDecimal, plus, sum, zero } from '../support/exact.ts';
import {
    began,
    countingCharge,
    forestProject,
    forests,
    nightOfForest,
    quantity,
    readForest,
} from '../support/forests.ts';
import { takesAll } from '../support/how-many.ts';

/*
 * What must hold of trees, whatever they are. Many trees are one night, so few runs are many trees.
 */
const few = { runs: runsOf(1, 1), together: 1, shrinks: false };
const long = { timeout: 600_000 };

/** payer, account, pool, meter, kind, card, quantity, amount, rounded. */
const partsOf = (charge: string) => charge.split(' | ');
/** Charges with figures added, by account, meter and kind: whoever pays. */
function byUse(charges: readonly string[]): readonly string[] {
    const groups = Map.groupBy(charges.map(partsOf), ([, account, , meter, kind]) =>
        [account, meter, kind].join(' | '),
    );
    const total = (of: readonly string[][], at: number) =>
        decimalText(sum(of.map((parts) => parseDecimal(parts[at] ?? ''))));
    return [...groups].map(([use, of]) => [use, total(of, 6), total(of, 7)].join(' | ')).sort();
}

const bare = forests(30, true).map((forest): Forest => ({ ...forest, contracts: [] }));

describe('linear prices', () => {
    test('come to the same when the tree is flat, whatever moved in it', long, () =>
        holdsFor(bare, few, async (forest) => {
            const flat = forest.accounts.map((of) => ({
                ...{ ...of, parent: null, bill_to: 'self' as const },
            }));
            const tree = await nightOfForest(forest);
            const flattened = await nightOfForest({ ...forest, accounts: flat });
            expect(byUse(flattened.charges)).toEqual(byUse(tree.charges));
        }),
    );

    // Of flat prices alone in prices.slow.test.ts.
    test.runIf(takesAll)('move with a subtree to its new payer, and change no total', long, () =>
        holdsFor(bare, few, async (forest) => {
            const steady = forest.accounts.filter(({ from }) => from === began);
            const before = steady.map((of): TreeAccount => ({ ...of, to: null }));
            const root = (of: string) => of.replace(/-a\d+$/, '-new');
            // Of each tree the second account, unless it is a root, comes below a new one with all
            // that is below it.
            const roots = [...new Set(before.map(({ account_id }) => root(account_id)))].map(
                (account_id): TreeAccount => ({
                    ...{ account_id, parent: null, from: began, to: null, bill_to: 'self' },
                    ...{ rate_at: 'pool', detail: 'breakdown' },
                }),
            );
            const leaves = ({ account_id, parent }: TreeAccount) =>
                account_id.endsWith('-a1') && parent !== null;
            const moved = before.map((of) =>
                leaves(of) ? { ...of, parent: root(of.account_id) } : of,
            );
            const gone = new Set(before.filter(leaves).map(({ account_id }) => account_id));
            expect(gone.size).toBeGreaterThan(10);
            const parents = new Map(before.map((of) => [of.account_id, of.parent]));
            const isBelow = (id: string | null): boolean =>
                id !== null && (gone.has(id) || isBelow(parents.get(id) ?? null));
            const [was, is] = [
                await nightOfForest({ ...forest, accounts: before }),
                await nightOfForest({ ...forest, accounts: [...roots, ...moved] }),
            ];
            const expected = was.charges.map(partsOf).map(([payer = '', account = '', ...rest]) => {
                const isNew = isBelow(account) && !isBelow(payer);
                return [isNew ? root(account) : payer, account, ...rest].join(' | ');
            });
            expect(is.charges).toEqual(expected.sort());
            expect(byUse(is.charges)).toEqual(byUse(was.charges));
        }),
    );
});

test('shares add up to what was rounded once, and each is within one minor unit', long, () =>
    holdsFor(forests(60), few, async (forest) => {
        const { shares } = await nightOfForest(forest);
        expect(shares.length).toBeGreaterThan(50);
        const cents = (of: unknown) => {
            const { top, bottom } = parseDecimal(String(of));
            return fraction(top * 100n, bottom);
        };
        for (const { line_id, amount, rounded, widest } of shares) {
            const off = minus(cents(rounded), cents(amount));
            const size = off.top < 0n ? -off.top : off.top;
            const { top, bottom } = cents(widest);
            expect({
                line_id,
                isWhole: cents(rounded).bottom === 1n,
                isRoundedOnce: size * 2n <= off.bottom,
                isNear: top < bottom,
            }).toEqual({ line_id, isWhole: true, isRoundedOnce: true, isNear: true });
        }
    }),
);

const months = ['2026-08', '2026-09', '2026-10'] as const;
const counted = ['m1', 'm2', 'm3'] as const;

/** Trees that each have a contract from the first month on, whose charges count over its term. */
const terms = fc
    .record({
        trees: fc.array(
            fc.record({
                ups: fc.array(fc.nat(4), { maxLength: 4 }),
                events: fc.array(
                    fc.record({
                        ...{ account: fc.nat(4), month: fc.constantFrom(...months), quantity },
                        meter: fc.constantFrom(...counted),
                        kind: fc.constantFrom('x', 'y'),
                    }),
                    { minLength: 4, maxLength: 16 },
                ),
            }),
            { minLength: 20, maxLength: 20 },
        ),
        charges: fc.tuple(countingCharge, countingCharge, countingCharge),
    })
    .map(({ trees, charges }): Forest => {
        const all = trees.map(({ ups, events }, no) => {
            const id = (of: number) => `t${no}-a${of % (ups.length + 1)}`;
            const account = (of: number, parent: string | null): TreeAccount => ({
                ...{ account_id: id(of), parent, from: began, to: null, bill_to: 'top' },
                ...{ rate_at: 'pool', detail: 'breakdown' },
            });
            return {
                accounts: [
                    account(0, null),
                    ...ups.map((up, at) => account(at + 1, id(up % (at + 1)))),
                ],
                contract: {
                    ...{ contract: `term-t${no}`, account_id: id(0), card: 'term', to: null },
                    from: `${months[0]}-01T00:00:00Z`,
                },
                events: events.map(({ account: of, month, ...event }) => ({
                    ...{ ...event, account_id: id(of), at: `${month}-12T00:00:00Z` },
                })),
            };
        });
        const rates = counted.flatMap((meter, at): readonly TreeRate[] => {
            const { minimum: _, ...charge } = charges[at] ?? {};
            return [
                { card: 'list', meter, price: '1', charge: {}, scope: 'line' },
                { card: 'term', meter, price: null, charge, scope: 'contract_term' },
            ];
        });
        return {
            accounts: all.flatMap(({ accounts }) => accounts),
            contracts: all.map(({ contract }) => contract),
            events: all.flatMap(({ events }) => events),
            rates,
        };
    });

const treeOf = (id: string) => id.split('-')[0] ?? '';

/** Tree and meter to what its events come to, up to a month. */
function usedBefore({ events }: Forest, month: string) {
    const before = events.filter(({ at }) => at < month);
    return Map.groupBy(before, ({ account_id, meter }) => `term-${treeOf(account_id)},${meter}`);
}

// One term by quotes in contract-terms.slow.test.ts.
test.runIf(takesAll)(
    'months billed one by one over a term add up to all of it billed at once',
    long,
    () =>
        holdsFor(terms, few, async (forest) => {
            const charges: string[] = [];
            for (const month of months) {
                const used = usedBefore(forest, month);
                const rows = forest.contracts.flatMap(({ contract }) =>
                    counted.map((meter) => {
                        const events = used.get(`${contract},${meter}`) ?? [];
                        const total = sum(events.map((of) => parseDecimal(of.quantity)));
                        return `${contract},${meter},${meter},${decimalText(total)}\n`;
                    }),
                );
                const project = forestProject(forest, {
                    'openings.csv': `contract,product,meter,quantity\n${rows.join('')}`,
                });
                try {
                    charges.push(...(await readForest(project, month)).charges);
                } finally {
                    project.remove();
                }
            }
            const billed = Map.groupBy(
                charges.map(partsOf),
                ([payer = '', , , meter]) => `term-${treeOf(payer)},${meter}`,
            );
            const figure = (of: readonly string[][], at: number) =>
                decimalText(
                    of.reduce((all, parts) => plus(all, parseDecimal(parts[at] ?? '')), zero),
                );
            for (const [key, events] of usedBefore(forest, '9999')) {
                const total = decimalText(sum(events.map((of) => parseDecimal(of.quantity))));
                const meter = key.split(',')[1] ?? '';
                const rate = forest.rates.find((of) => of.card === 'term' && of.meter === meter);
                const line = { id: key, charge: rate?.charge, quantity: total, currency: 'USD' };
                const { exact, units } = rated(line, { USD: 2 });
                const of = billed.get(key) ?? [];
                expect({ key, exact: figure(of, 7), rounded: figure(of, 8) }).toEqual({
                    ...{
                        key,
                        exact: decimalText(exact),
                        rounded: decimalText(fraction(units, 100n)),
                    },
                });
            }
        }),
);
