import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rateUsage } from '../oracle/slow-rater.ts';
import { holdsFor, runsOf, withoutKnownDefects, worlds } from '../support/arbitraries.ts';
import {
    cutUnits,
    decimalText,
    fraction,
    over,
    parseDecimal,
    sum,
    times,
    unitsText,
} from '../support/exact.ts';
import {
    bookOf,
    type Facts,
    type Night,
    nightOf,
    type World,
    type Zone,
    zones,
} from '../support/world.ts';

/*
 * What linear prices must obey, whatever they are: parts add up to the whole, and neither units nor
 * trees move a total.
 */

const few = { runs: runsOf(4, 1) };
const long = { timeout: 600_000 };

/** One currency and one calendar, so that whoever pays is the only thing that a tree decides. */
function inOneZone(world: World, zone: Zone): World {
    const accounts = world.accounts.map((of) => ({ ...of, zone, currency: world.card.currency }));
    // Each event once, and no debits: what is tied out is not asked here.
    const { kept } = rateUsage(world.events, bookOf({ ...world, accounts }));
    return { ...world, accounts, events: kept as World['events'], debits: [], wallets: [] };
}

const small = fc
    .tuple(worlds({ maxEvents: 12 }), fc.constantFrom(...(Object.keys(zones) as Zone[])))
    .map(([world, zone]) => withoutKnownDefects(inOneZone(world, zone)));

/** The base worlds are the same in every property: each runs once. */
const nights = new Map<string, Promise<Night>>();
function baseOf(world: World): Promise<Night> {
    const key = JSON.stringify(world);
    const known = nights.get(key) ?? nightOf(world);
    nights.set(key, known);
    return known;
}

/** payer, account, meter, attributes, rate, currency; then quantity, amount, events. */
const partsOf = (charge: string) => charge.split(' | ');
const keyColumns = 6;

/** Charges by those of their key columns that `keyOf` keeps, figures added. */
function added(charges: Facts, keyOf: (key: readonly string[]) => readonly string[]): Facts {
    const byKey = Map.groupBy(charges.map(partsOf), (parts) =>
        keyOf(parts.slice(0, keyColumns)).join(' | '),
    );
    return [...byKey]
        .map(([key, of]) => {
            const figures = [0, 1, 2].map((at) =>
                decimalText(sum(of.map((parts) => parseDecimal(parts[keyColumns + at] ?? '')))),
            );
            return [key, ...figures].join(' | ');
        })
        .sort();
}

const same = (key: readonly string[]) => key;
const total = ([, , , , , currency = '']: readonly string[]) => [currency];
const withoutPayer = ([, ...rest]: readonly string[]) => rest;

/** Unrated usage in the columns of charges: it has no rate, no currency and no amount. */
const unratedOf = ({ unrated }: Night): Facts =>
    unrated.map((of) => {
        const [payer, account, meter, attributes, code, quantity, events] = partsOf(of);
        return [payer, account, meter, attributes, code, '', quantity, '0', events].join(' | ');
    });

describe('linear prices', () => {
    test('of a part and of the rest add up to those of the whole', long, () =>
        holdsFor(
            fc.tuple(small, fc.array(fc.boolean(), { minLength: 20, maxLength: 20 })),
            few,
            async ([world, sides]) => {
                const isLeft = (at: number) => sides[at % sides.length] === true;
                const [left, right] = await Promise.all([
                    nightOf({ ...world, events: world.events.filter((_, at) => isLeft(at)) }),
                    nightOf({ ...world, events: world.events.filter((_, at) => !isLeft(at)) }),
                ]);
                const whole = await baseOf(world);
                expect(added([...left.charges, ...right.charges], same)).toEqual(whole.charges);
                expect(added([...unratedOf(left), ...unratedOf(right)], same)).toEqual(
                    added(unratedOf(whole), same),
                );
            },
        ),
    );

    test('give the same total when the tree is flat', long, () =>
        holdsFor(small, few, async (world) => {
            const flat = world.accounts.map((of) => ({
                ...of,
                parent: null,
                bill_to: 'self' as const,
            }));
            const [tree, flattened] = [
                await baseOf(world),
                await nightOf({ ...world, accounts: flat }),
            ];
            expect(added(flattened.charges, total)).toEqual(added(tree.charges, total));
            expect(added(flattened.charges, withoutPayer)).toEqual(
                added(tree.charges, withoutPayer),
            );
            // Each pays for itself.
            for (const [payer, account] of flattened.charges.map(partsOf)) {
                expect(payer).toBe(account);
            }
        }),
    );

    test('follow a subtree to its new payer, and change no total', long, () =>
        holdsFor(small, few, async (world) => {
            // All that ever hangs below acme-eu stays there or was never paid by acme.
            const rooted = {
                ...world,
                accounts: world.accounts.map((of) =>
                    ['mover', 'late'].includes(of.account_id) && of.parent === 'acme'
                        ? { ...of, parent: 'acme-eu' }
                        : of,
                ),
            };
            const moved = {
                ...rooted,
                accounts: rooted.accounts.map((of) =>
                    of.account_id === 'acme-eu' ? { ...of, parent: 'beta' } : of,
                ),
            };
            const [before, after] = await Promise.all([baseOf(rooted), nightOf(moved)]);
            const expected = added(before.charges, ([payer = '', account = '', ...rest]) => [
                payer === 'acme' && account !== 'acme' ? 'beta' : payer,
                account,
                ...rest,
            ]);
            expect(after.charges).toEqual(expected);
            expect(added(after.charges, total)).toEqual(added(before.charges, total));
        }),
    );

    test('are the same amounts for a unit 10^k times as large', long, () =>
        holdsFor(fc.tuple(small, fc.integer({ min: 1, max: 6 })), few, async ([drawn, k]) => {
            // A quantity has twelve decimals: six are left for the larger unit.
            const cut = (text: string) => unitsText(cutUnits(parseDecimal(text), 6), 6);
            const size = fraction(10n ** BigInt(k));
            const isGpu = ({ event_type }: World['events'][number]) => event_type === 'gpu.job';
            const seconds = (world: World, of: (text: string) => string): World => ({
                ...world,
                events: world.events.map((event) => {
                    const { gpu_seconds } = event.quantities;
                    return isGpu(event) && gpu_seconds
                        ? { ...event, isBare: false, quantities: { gpu_seconds: of(gpu_seconds) } }
                        : event;
                }),
            });
            const world = seconds(drawn, cut);
            const relabelled = seconds(world, (text) =>
                decimalText(over(parseDecimal(text), size)),
            );
            const grown = (text: string) => decimalText(times(parseDecimal(text), size));
            const card = {
                ...world.card,
                charges: world.card.charges.map((charge) => ({
                    ...charge,
                    // Tokens keep their counts: their price is said for so many times more.
                    price_per: charge.meter === 'gpu' ? charge.price_per : grown(charge.price_per),
                    rates: charge.rates.map((rate) => ({ ...rate, price: grown(rate.price) })),
                })),
            };
            const [before, after] = await Promise.all([
                nightOf(world),
                nightOf({ ...relabelled, card }),
            ]);
            const scaled = before.charges.map((charge) => {
                const parts = partsOf(charge);
                const [, , meter] = parts;
                const quantity = parseDecimal(parts[keyColumns] ?? '');
                return parts
                    .with(
                        keyColumns,
                        decimalText(meter === 'gpu' ? over(quantity, size) : quantity),
                    )
                    .join(' | ');
            });
            expect(after.charges).toEqual(scaled.sort());
            expect(after.lines).toEqual(before.lines);
        }),
    );
});
