import { expect } from 'vitest';
import { UNPRICED_MODEL } from '../../fixtures/generator/prices.ts';
import { decimalText, fraction } from '../support/exact.ts';
import { bare, type Facts, type Rows } from './injection.facts.ts';
import type { Injected } from './injection.plan.ts';
import { type Books, numbered, period, type Shape, shapeOf, tokenRate } from './injection.world.ts';
import { atoms, type Found, type Leg, parentOf, rated, share, tokens, unit } from './injectors.ts';

/** What a night must find of spoilt books, from the clean ones and what was done to them. */

const text = (amount: bigint) => decimalText(fraction(amount, unit));
const sum = (amounts: readonly bigint[]) => amounts.reduce((total, of) => total + of, 0n);
const size = (amount: bigint) => (amount < 0n ? -amount : amount);

export const legsOf = ({ legs, account_id, asset, amount }: Found): readonly Leg[] =>
    legs ?? [[account_id, asset, amount]];

function payerOf(books: Books, account_id: string): string {
    const parent = parentOf(books, account_id);
    return parent === '' ? account_id : payerOf(books, parent);
}

/** What the units of a shape cost all together, and how many they are: what an average is made of. */
function totals(books: Books, shape: Shape): { readonly cost: bigint; readonly whole: bigint } {
    const places = shape === 'aggregated' ? books.days : books.lives;
    const sent = [...places.values()].flatMap((of) => of.usage);
    // Of copies the first counts.
    const unique = [...new Map(sent.toReversed().map((of) => [of.id, of])).values()];
    const usage = unique.filter(
        ({ subject, time }) => shapeOf(subject) === shape && time.startsWith('2026-10'),
    );
    // A day is worth something as a whole; an event without a price is worth nobody knows what.
    const priced = usage.filter(({ data }) => data.model !== UNPRICED_MODEL);
    const whole = shape === 'aggregated' ? BigInt(usage.length) * unit : sum(priced.map(tokens));
    return { cost: sum(priced.map(rated)), whole };
}

/** Books to those totals: they are asked for each break. */
const known = new WeakMap<Books, Map<Shape, ReturnType<typeof totals>>>();

/** What a payer's units cost on average, times an amount of them. */
function averageWorth(books: Books, { account_id, amount }: Found): bigint {
    const shape = shapeOf(account_id);
    const byShape = known.get(books) ?? new Map<Shape, ReturnType<typeof totals>>();
    known.set(books, byShape);
    const { cost, whole } = byShape.get(shape) ?? totals(books, shape);
    byShape.set(shape, { cost, whole });
    return share(cost, amount, whole);
}

/** How far below zero a wallet is at the end of the period; units at what one is worth. */
function overdrawn(books: Books, { key, asset }: Found): bigint {
    const left = numbered(books)
        .filter(({ wallet_id, booked_at }) => wallet_id === key && booked_at < period.end)
        .at(-1)!.balance_after;
    const below = left.startsWith('-') ? atoms(left.slice(1)) : 0n;
    return asset === 'USD' ? below : (below * atoms(tokenRate)) / unit;
}

function moneyOf(books: Books, found: Found): bigint | null {
    if (found.money === 'overdrawn') return overdrawn(books, found);
    return found.money === 'average' ? averageWorth(books, found) : found.money;
}

type Line = Readonly<Record<string, string>>;
const inOrder = (rows: readonly Line[]) => rows.map((row) => Object.values(row).join(' | ')).sort();

/** The breaks that were injected, as the night tells of breaks. */
export function wantedBreaks(books: Books, injected: readonly Injected[]): readonly string[] {
    return inOrder(
        injected
            .flatMap(({ found }) => found)
            .map((of) => {
                const worth = moneyOf(books, of);
                const { code, key, account_id, asset, amount } = of;
                return {
                    ...{ code, key: bare(key), account_id: bare(account_id), asset },
                    ...{ amount: text(amount), money: worth === null ? '' : text(worth) },
                };
            }),
    );
}

/** The breaks that the night found. */
export function foundBreaks(facts: Facts): readonly string[] {
    return inOrder(
        facts.breaks.map(({ code, break_key, account_id, asset, amount, money_amount }) => ({
            ...{ code: code!, break_key: break_key!, account_id: account_id!, asset: asset! },
            ...{ amount: amount!, money_amount: money_amount! },
        })),
    );
}

/** Of each code, the share of what is found that was injected, and of what was injected that is found. */
export function scores(
    wanted: readonly string[],
    found: readonly string[],
): Readonly<Record<string, { readonly precision: number; readonly recall: number }>> {
    const codeOf = (row: string) => row.split(' | ')[0] ?? '';
    const codes = [...new Set([...wanted, ...found].map(codeOf))].sort();
    return Object.fromEntries(
        codes.map((code) => {
            const [of, got] = [wanted, found].map((rows) =>
                rows.filter((row) => codeOf(row) === code),
            );
            const right = got!.filter((row) => of!.includes(row)).length;
            return [code, { precision: right / got!.length, recall: right / of!.length }];
        }),
    );
}

/** The night found what was injected, and apart from that what it found of the clean books. */
export function expectOnly(
    clean: Facts,
    facts: Facts,
    books: Books,
    injected: readonly Injected[],
): void {
    expect(foundBreaks(facts)).toEqual(wantedBreaks(books, injected));
    const found = injected.flatMap((of) => of.found);
    const legs = found.flatMap(legsOf);
    const places = injected.map(({ place }) => place.account_id);
    const accounts = new Set([...legs.map(([id]) => id), ...places].map(bare));
    const payers = new Set([...accounts].map((id) => payerOf(bareOf(books), id)));
    expectTied(facts, legs);
    for (const table of ['tieOuts', 'matches'] as const) {
        const others = (rows: Rows) => rows.filter(({ account_id }) => !accounts.has(account_id!));
        expect(others(facts[table])).toEqual(others(clean[table]));
    }
    expectMatched(clean, facts, found, accounts);
    expectBilled(clean, facts, injected, payers);
    expectHolds(clean, facts, books, found, payers);
}

const bareOf = (books: Books): Books => ({
    ...books,
    accounts: books.accounts.map(({ account_id, parent }) => ({
        account_id: bare(account_id),
        parent: parent === null ? null : bare(parent),
    })),
});

/** Rated less debited is the sum of breaks and of rounding, by account and asset, to the last digit. */
function expectTied(facts: Facts, legs: readonly Leg[]): void {
    expect(facts.tieOuts.filter(({ unexplained }) => unexplained !== '0')).toEqual([]);
    const broken = Map.groupBy(legs, ([id, asset]) => `${bare(id)} ${asset}`);
    const wanted = [...broken]
        .map(([of, rows]) => `${of} ${text(sum(rows.map(([, , amount]) => amount)))}`)
        .filter((row) => !row.endsWith(' 0'));
    const told = facts.tieOuts
        .map(({ account_id, asset, broken: amount }) => `${account_id} ${asset} ${amount}`)
        .filter((row) => !row.endsWith(' 0'));
    expect(told.sort()).toEqual(wanted.sort());
}

/** On the accounts that were spoilt everything else matches as before. */
function expectMatched(
    clean: Facts,
    facts: Facts,
    found: readonly Found[],
    accounts: ReadonlySet<string>,
): void {
    const events = ({ matches }: Facts, id: string) =>
        matches
            .filter(({ account_id }) => account_id === id)
            .reduce((count, { usage_count }) => count + BigInt(usage_count!), 0n);
    const told = [...accounts].map((id) => [id, events(facts, id)]);
    const lost = (id: string) =>
        sum(
            found
                .filter(({ account_id }) => bare(account_id) === id)
                .map(({ unmatched }) => BigInt(unmatched)),
        );
    expect(told).toEqual([...accounts].map((id) => [id, events(clean, id) - lost(id)]));
}

/** Debits change no charge and no line of usage; of other payers nothing changes at all. */
function expectBilled(
    clean: Facts,
    facts: Facts,
    injected: readonly Injected[],
    payers: ReadonlySet<string>,
): void {
    const usage = new Set(
        injected
            .filter(({ injector }) => injector.isOfUsage)
            .map(({ place }) => bare(place.account_id)),
    );
    const charged = ({ charges }: Facts) =>
        charges.filter(({ account_id }) => !usage.has(account_id!));
    expect(charged(facts)).toEqual(charged(clean));
    const billed = ({ lines }: Facts) =>
        lines.filter(
            ({ account_id, payer_id, line_type }) =>
                !payers.has(payer_id!) || (line_type === 'usage' && !usage.has(account_id!)),
        );
    expect(billed(facts)).toEqual(billed(clean));
}

/** A payer is held by its own breaks alone. */
function expectHolds(
    clean: Facts,
    facts: Facts,
    books: Books,
    found: readonly Found[],
    payers: ReadonlySet<string>,
): void {
    const others = ({ holds }: Facts) => holds.filter(({ payer_id }) => !payers.has(payer_id!));
    expect(others(facts)).toEqual(others(clean));
    const own = facts.holds.filter(({ payer_id }) => payers.has(payer_id!));
    const wanted = own.map(({ payer_id }) => {
        const of = found.filter(({ account_id }) => bare(payerOf(books, account_id)) === payer_id);
        const worth = of.map((each) => moneyOf(books, each));
        const priced = worth.filter((amount) => amount !== null);
        return {
            ...{ payer_id, break_count: String(of.length) },
            unpriced_count: String(worth.length - priced.length),
            break_money: text(sum(priced.map(size))),
        };
    });
    expect(own).toMatchObject(wanted);
}
