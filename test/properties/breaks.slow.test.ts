import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pathOf, rateUsage } from '../oracle/slow-rater.ts';
import { assetOf, type DebitEntry, tieOuts, worthOf } from '../oracle/slow-reconciler.ts';
import { holdsFor, runsOf, withoutKnownDefects, worlds } from '../support/arbitraries.ts';
import {
    compare,
    cutUnits,
    decimalText,
    type Fraction,
    fraction,
    instant,
    one,
    parseDecimal,
    times,
    unitsText,
} from '../support/exact.ts';
import {
    bookOf,
    type Night,
    nightOf,
    prefixes,
    unitAsset,
    type World,
    walletsOf,
    type Zone,
    zones,
} from '../support/world.ts';

/*
 * Worlds in which every debit agrees, with one thing wrong: the night finds that and nothing else.
 */

const few = { runs: runsOf(4, 1) };
const long = { timeout: 600_000 };

/** A world of unique, priced usage, each event debited at its own instant for exactly its worth. */
function agreeing(drawn: World, zone: Zone): World {
    const { currency } = drawn.card;
    const accounts = drawn.accounts.map((of) => ({ ...of, zone, currency }));
    const wallets = drawn.wallets.map((of) => ({ ...of, shape: 'instant' as const }));
    const charges = ['tokens', 'requests', 'gpu'].map((meter) => {
        const priced = drawn.card.charges.find((of) => of.meter === meter);
        const always = {
            when: {},
            price: '5',
            from: '2024-01-01T00:00:00Z',
            to: null,
            priority: 0,
        };
        const named = (priced?.rates ?? []).filter(({ when }) =>
            Object.values(when).some((value) => value !== '*'),
        );
        const per = meter === 'tokens' ? '1000000' : meter === 'gpu' ? '1000' : '1';
        return { product: `product-${meter}`, meter, price_per: per, rates: [...named, always] };
    });
    const book = bookOf({ ...drawn, accounts });
    const events = rateUsage(drawn.events, book).kept.map((event, at) => {
        const { gpu_seconds } = event.quantities;
        return {
            ...(event as World['events'][number]),
            event_id: `e${at}`,
            // Amounts must end within the twelve decimals that a wallet keeps.
            ...(gpu_seconds
                ? {
                      isBare: false,
                      quantities: {
                          gpu_seconds: unitsText(cutUnits(parseDecimal(gpu_seconds), 3), 3),
                      },
                  }
                : {}),
        };
    });
    const card = { ...drawn.card, charges };
    // What an account's wallet holds must not change under one payer: a known defect.
    const world = withoutKnownDefects({
        ...drawn,
        card,
        accounts,
        wallets,
        events: events.map((event, at) => ({ ...event, line: at + 1 })),
        junk: [],
        debits: [],
    });
    const debits = world.events.flatMap((event) => debitOf(event, world));
    return { ...world, debits: debits.map((entry, at) => ({ ...entry, line: at + 1 })) };
}

type Usage = World['events'][number];

function worthIn(event: Usage, world: World): Fraction | null {
    return worthOf(event, bookOf(world), walletsOf(world));
}

function debitOf(event: Usage, world: World): readonly DebitEntry[] {
    // An event of no meter has no debit; one of another period has, in that period.
    const isMetered = event.event_type !== 'gpu.job' || event.attributes.region !== 'free';
    if (!isMetered) return [];
    const worth = worthIn(event, world);
    if (!worth) return [];
    return [
        {
            input: 'ledger',
            entry_id: `d-${event.event_id}`,
            entry_type: 'capture',
            account_id: event.account_id,
            asset: assetOf(bookOf(world), walletsOf(world), event.account_id, event.at),
            amount: decimalText(worth),
            booked_at: event.at,
            rest: { event_id: event.event_id },
            object: `${prefixes.debits}2025-03-01.ndjson`,
            line: 1,
        },
    ];
}

/** Events whose debit is worth more than any rounding, on accounts with another debit. */
function candidates(world: World): readonly Usage[] {
    return world.events.filter((event) => {
        const worth = worthIn(event, world);
        const others = world.debits.filter(({ account_id, rest }) =>
            account_id === event.account_id ? rest.event_id !== event.event_id : false,
        );
        return worth && compare(worth, one) >= 0 && others.length > 0;
    });
}

const agreed: Arbitrary<World> = fc
    .tuple(worlds({ maxEvents: 14 }), fc.constantFrom(...(Object.keys(zones) as Zone[])))
    .map(([world, zone]) => agreeing(world, zone))
    .filter((world) => candidates(world).length > 1);

/** A world with two of its events: one to break, another to take out. */
const chosen = fc.tuple(agreed, fc.nat(), fc.nat(), fc.nat()).map(([world, at, next, other]) => {
    const able = candidates(world);
    const event = able[at % able.length] as Usage;
    const rest = world.events.filter((of) => of !== event && debitOf(of, world).length > 0);
    const taken = rest[next % rest.length] as Usage;
    const places = ['acme', 'acme-eu', 'acme-eu-lab', 'beta'].filter(
        (id) => id !== event.account_id,
    );
    return { world, event, taken, elsewhere: places[other % places.length] as string };
});

type Chosen = typeof chosen extends Arbitrary<infer C> ? C : never;

interface Broken {
    readonly world: World;
    readonly code: string;
    /** Effect on rated - debited, by account. */
    readonly legs: readonly (readonly [account_id: string, amount: Fraction])[];
}

const kinds: Readonly<Record<string, (of: Chosen) => Broken>> = {
    'a debit that is not there': ({ world, event }) => {
        const debits = world.debits.filter(({ rest }) => rest.event_id !== event.event_id);
        const legs = [[event.account_id, worthOrZero(event, world)]] as const;
        return { world: { ...world, debits }, code: 'METERED_NOT_DEBITED', legs };
    },
    'a debit that is there twice': ({ world, event }) => {
        const [debit] = debitOf(event, world) as [DebitEntry];
        const again = { ...debit, entry_id: 'again', line: world.debits.length + 1 };
        return {
            world: { ...world, debits: [...world.debits, again] },
            code: 'DUP_DEBIT_SAME',
            legs: [[event.account_id, times(worthOrZero(event, world), fraction(-1n))]],
        };
    },
    'a debit of three times as much': ({ world, event }) => {
        const threefold = (entry: DebitEntry) => ({
            ...entry,
            amount: decimalText(times(parseDecimal(entry.amount), fraction(3n))),
        });
        const [{ asset }] = debitOf(event, world) as [DebitEntry];
        return {
            world: changed(world, event, threefold),
            code: asset === unitAsset ? 'AMOUNT_QUANTITY' : 'AMOUNT_PRICE',
            legs: [[event.account_id, times(worthOrZero(event, world), fraction(-2n))]],
        };
    },
    'a debit of another account': ({ world, event, elsewhere }) => {
        const isOfOneTree =
            isAbove(world, elsewhere, event.account_id) ||
            isAbove(world, event.account_id, elsewhere);
        const worth = worthOrZero(event, world);
        return {
            world: changed(world, event, (entry) => ({ ...entry, account_id: elsewhere })),
            code: isOfOneTree ? 'HIERARCHY_MISMATCH' : 'ACCOUNT_MISMATCH',
            legs: [
                [event.account_id, worth],
                [elsewhere, times(worth, fraction(-1n))],
            ],
        };
    },
};

/** Whether an account was above another at any time: every path begins where some row does. */
function isAbove(world: World, above: string, id: string): boolean {
    return world.accounts.some(({ from }) =>
        pathOf(world.accounts, id, instant(from))?.some(({ account_id }) => account_id === above),
    );
}

function worthOrZero(event: Usage, world: World): Fraction {
    return worthIn(event, world) ?? fraction(0n);
}

function changed(world: World, event: Usage, change: (of: DebitEntry) => DebitEntry): World {
    const debits = world.debits.map((entry) =>
        entry.rest.event_id === event.event_id ? change(entry) : entry,
    );
    return { ...world, debits };
}

/** The same world is asked several things: it runs once. */
const nights = new Map<string, Promise<Night>>();
function once(world: World): Promise<Night> {
    const key = JSON.stringify(world);
    const known = nights.get(key) ?? nightOf(world);
    nights.set(key, known);
    return known;
}

/** The tie-out closes, and says what the oracle says. */
function expectClosed(night: Night, world: World): void {
    const { tie_outs } = night.certificate;
    expect(tie_outs.filter(({ unexplained }) => unexplained !== '0')).toEqual([]);
    const figures = tie_outs
        .filter(({ rated, debited }) => rated !== '0' || debited !== '0')
        .map(({ account_id, asset, rated, debited, difference }) =>
            [account_id, asset, rated, debited, difference].join(' | '),
        );
    const wanted = tieOuts(world.events, world.debits, bookOf(world), walletsOf(world));
    expect(figures.sort()).toEqual(wanted.map((of) => Object.values(of).join(' | ')).sort());
}

describe('a month in which everything agrees', () => {
    test('has no break', long, () =>
        holdsFor(chosen, few, async ({ world }) => {
            const night = await once(world);
            expect(night.breaks).toEqual([]);
            expect(night.legs).toEqual([]);
            expectClosed(night, world);
        }),
    );

    test.each(Object.entries(kinds))('with %s has exactly that break', long, (_, kind) =>
        holdsFor(chosen, few, async (of) => {
            const { world, code, legs } = kind(of);
            const [base, night] = await Promise.all([once(of.world), once(world)]);
            const [{ asset }] = debitOf(of.event, of.world) as [DebitEntry];
            const [[account_id, amount]] = legs as [readonly [string, Fraction]];
            expect(night.breaks).toMatchObject([
                {
                    code,
                    break_key: of.event.event_id,
                    account_id,
                    asset,
                    amount: decimalText(amount),
                },
            ]);
            expect(night.legs).toEqual(
                legs.map((leg) => [code, leg[0], asset, decimalText(leg[1])].join(' | ')).sort(),
            );
            expectClosed(night, world);
            expect(night.charges).toEqual(base.charges);
        }),
    );

    test(
        'and one thing is wrong, keeps its breaks when an event and its debit are taken out',
        long,
        () =>
            holdsFor(fc.tuple(chosen, fc.nat()), few, async ([of, pick]) => {
                const ways = Object.values(kinds);
                const { world } = (ways[pick % ways.length] as (of: Chosen) => Broken)(of);
                const isOther = (id: string | undefined) => id !== of.taken.event_id;
                const less = {
                    ...world,
                    events: world.events.filter(({ event_id }) => isOther(event_id)),
                    debits: world.debits.filter(({ rest }) => isOther(rest.event_id)),
                };
                const [before, after] = await Promise.all([once(world), once(less)]);
                expect(after.breaks).toEqual(before.breaks);
                expect(after.legs).toEqual(before.legs);
                expectClosed(after, less);
                const differences = ({ certificate }: Night) =>
                    certificate.tie_outs
                        .filter(({ difference }) => difference !== '0')
                        .map((row) => [row.account_id, row.asset, row.difference, row.broken]);
                expect(differences(after)).toEqual(differences(before));
                // Charges of other accounts are untouched.
                const others = ({ charges }: Night) =>
                    charges.filter((charge) => charge.split(' | ')[1] !== of.taken.account_id);
                expect(others(after)).toEqual(others(before));
            }),
    );
});
