import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../fixtures/generator/random.ts';
import { breakCodes } from '../../src/report/break-codes.ts';
import { expectOnly, foundBreaks, scores, wantedBreaks } from './injection.check.ts';
import { type Facts, prefixOf } from './injection.facts.ts';
import { type Injected, Spots } from './injection.plan.ts';
import { type Books, cleanBooks, copied, nightOver } from './injection.world.ts';
import { counted, elsewhere, injections } from './injections.ts';
import type { Injector } from './injectors.ts';

/*
 * The reconciliation finds what is wrong, all of it, and nothing else: data that agrees, of three sizes,
 * with every code in it alone, in pairs, and all at once.
 */

const codes = Object.keys(injections);
const everything = [...Object.entries(injections), ...Object.entries(counted)];
const variants = everything.flatMap(([code, of]) =>
    of.map((injector): readonly [string, Injector] => [code, injector]),
);

test('every code of the catalogue is injected, or has a reason why not', () => {
    const known = [...everything.map(([code]) => code), ...Object.keys(elsewhere)];
    expect(known.sort()).toEqual(Object.keys(breakCodes).sort());
    for (const [code, of] of everything) expect([code, of.length > 0]).toEqual([code, true]);
});

/** The pair of injectors for two codes: two of one shape, if they have any, else the first of each. */
function pairOf(one: string, other: string, at: number): readonly (readonly [string, Injector])[] {
    const all = (injections[one] ?? []).flatMap((a) =>
        (injections[other] ?? []).map((b) => [a, b] as const),
    );
    const beside = all.filter(([a, b]) => a.on === b.on);
    const able = beside.length > 0 ? beside : all;
    const [a, b] = able[at % able.length]!;
    return [
        [one, a],
        [other, b],
    ];
}

/*
 * Copies of a bucket of 200 events, each with accounts, payers and ids of its own and one thing wrong, or
 * two side by side. They share a night and nothing else; the first is clean.
 */
describe('in a bucket of 200 events', { timeout: 300_000 }, () => {
    const pairs = codes.flatMap((one, at) =>
        codes.slice(at + 1).map((other) => [one, other] as const),
    );
    const small = { teams: 2, resellers: 1, customersPerReseller: 2, departments: 2 };
    const copies: { readonly books: Books; readonly injected: readonly Injected[] }[] = [];
    const alone = new Map<string, number>();
    const together = new Map<string, number>();
    let facts: ReadonlyMap<string, Facts>;

    beforeAll(async () => {
        const { books: clean, beside } = cleanBooks({ seed: 5, events: 200, accounts: small });
        const spoil = (how: (spots: Spots, random: Random) => readonly Injected[]): number => {
            const books = copied(clean, prefixOf(copies.length));
            const injected = how(new Spots(books), new Random(5, copies.length));
            return copies.push({ books, injected }) - 1;
        };
        spoil(() => []);
        for (const [code, injector] of variants) {
            const copy = spoil((spots, random) => [spots.inject(code, injector, random)]);
            alone.set(`${code}: ${injector.on}, ${injector.title}`, copy);
        }
        for (const [at, [one, other]] of pairs.entries()) {
            const [a, b] = pairOf(one, other, at) as [[string, Injector], [string, Injector]];
            const copy = spoil(
                (spots, random) =>
                    (a[1].on === b[1].on ? spots.injectBeside(a, b, random) : undefined) ?? [
                        spots.inject(...a, random),
                        spots.inject(...b, random),
                    ],
            );
            together.set(`${one} + ${other}`, copy);
        }
        const all = copies.map(({ books }) => books);
        facts = (await nightOver(all, beside)).facts;
    }, 300_000);

    const expectCopy = (copy: number) => {
        const [clean, of] = [0, copy].map((at) => facts.get(prefixOf(at))!);
        const { books, injected } = copies[copy]!;
        expectOnly(clean!, of!, books, injected);
    };

    test('without anything wrong there is no break', () => expectCopy(0));

    const titles = variants.map(([code, { on, title }]) => `${code}: ${on}, ${title}`);
    test.each(titles)('alone: %s', (title) => expectCopy(alone.get(title)!));

    test.each(codes)('%s with each other code', (code) => {
        const names = [...together.keys()].filter((name) => name.split(' + ').includes(code));
        expect(names).toHaveLength(codes.length - 1);
        for (const name of names) expectCopy(together.get(name)!);
    });
});

/** All of it at once, so many times each; a wallet is spoilt once as a whole. */
describe.each([
    { events: 500, times: 1 },
    { events: 5_000, times: 5 },
    { events: 100_000, times: 20 },
])('in a bucket of $events events, everything $times times', { timeout: 300_000 }, (size) => {
    test('precision and recall are 1, and nothing else changes', async () => {
        const { books, beside } = cleanBooks({ seed: 7, events: size.events });
        const clean = (await nightOver([books], beside)).facts.get('')!;
        const spots = new Spots(books);
        const random = new Random(7, size.events);
        const injected = variants.flatMap(([code, injector]) =>
            Array.from({ length: injector.isOfWallet ? 1 : size.times }, () =>
                spots.inject(code, injector, random),
            ),
        );
        const facts = (await nightOver([books], beside)).facts.get('')!;
        const perfect = codes.map((code) => [code, { precision: 1, recall: 1 }]);
        expect(scores(wantedBreaks(books, injected), foundBreaks(facts))).toEqual(
            Object.fromEntries(perfect),
        );
        expectOnly(clean, facts, books, injected);
    });
});
