import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { type Drawn, type Owner, plainCharge, settle } from '../../src/quote/draw-down.ts';
import { loadMacros } from '../../src/run/prepare.ts';
import { fraction, instant } from '../support/exact.ts';
import { type Charge, cutAt, drawInOrder, type Grant } from './slow-draw-down.ts';

/**
 * The stage against the oracle, owner by owner, and laws that hold of both. Worlds are small and
 * full of ties: few sizes, few days, few products, so that orders and windows decide.
 */
const runs = Number(process.env.TIEOUT_ORACLE_LINES ?? '500');
let engine: Engine;

beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 2, spill: '/tmp' });
    await loadMacros(engine);
});
afterAll(() => engine.close());

const pick = <T>(...of: readonly T[]) => fc.constantFrom(...of);
const day = fc.integer({ min: 1, max: 6 }).map((at) => `2026-03-0${at}T00:00:00Z`);
const size = fc.bigInt({ min: 0n, max: 12n });

const charge = fc.record({
    product: pick('a', 'b', 'c', null),
    asset: pick('USD', 'USD', 'tokens'),
    span: fc.option(fc.tuple(day, day).map((of) => [...of].sort() as [string, string])),
    size: fc.bigInt({ min: -3n, max: 15n }),
});
const grant = fc.record({
    asset: pick('USD', 'USD', 'tokens'),
    size,
    priority: fc.bigInt({ min: 0n, max: 2n }),
    isRollover: fc.boolean(),
    isPaid: fc.boolean(),
    scope: fc.subarray(['a', 'b', 'c']),
    starts: fc.option(day),
    expires: fc.option(day),
});
type World = {
    readonly charges: readonly Charge[];
    readonly grants: readonly Grant[];
};
const at = (text: string | null) => (text === null ? null : instant(text));
const worlds = fc
    .tuple(
        fc.array(charge, { maxLength: 7 }),
        fc.array(grant, { maxLength: 6 }),
        fc.shuffledSubarray(['g1', 'g10', 'g2', 'é', 'z', 'Z'], { minLength: 6 }),
    )
    .map(
        ([charges, grants, ids]): World => ({
            charges: charges.map((of, no) => ({
                ...of,
                no,
                span: of.span && [instant(of.span[0]), instant(of.span[1])],
                size: fraction(of.size),
            })),
            grants: grants.map((of, index) => ({
                ...of,
                id: ids[index] ?? '',
                ...{ size: fraction(of.size), starts: at(of.starts), expires: at(of.expires) },
            })),
        }),
    );

const text = (of: bigint | null) =>
    of === null ? null : new Date(Number(of / 1000n)).toISOString();

function ownerOf({ charges, grants }: World, owner_id: string): Owner {
    return {
        charges: charges.map(({ no, product, asset, span, size: of }) => ({
            ...plainCharge,
            ...{ owner_id, charge_no: BigInt(no), product, asset, size: of.top },
            ...{ first_at: text(span?.[0] ?? null), last_at: text(span?.[1] ?? null) },
        })),
        commitments: [],
        grants: grants.map((of) => ({
            ...{ owner_id, grant_id: of.id, asset: of.asset, opening: 0n, granted: of.size.top },
            ...{ priority: of.priority, is_rollover: of.isRollover ? 1n : 0n },
            ...{ cost_basis: of.isPaid ? 7n : 0n, closes_at: null },
            ...{ starts_at: text(of.starts), expires_at: text(of.expires) },
        })),
        scopes: grants.flatMap(({ id, scope }) =>
            scope.map((product) => ({ owner_id, grant_id: id, product })),
        ),
    };
}

const rows = (drawn: Drawn | undefined) =>
    (drawn?.draws ?? []).map(({ charge_no, grant_id, drawn: of }) => [
        Number(charge_no),
        grant_id,
        of,
    ]);
const drawsOf = ({ charges, grants }: World) =>
    drawInOrder(charges, grants).map(({ no, id, drawn }) => [no, id, drawn.top]);
const least = (a: bigint, b: bigint) => (a > b ? b : a);
const total = (of: readonly bigint[]) => of.reduce((sum, one) => sum + one, 0n);
const name = (index: number) => `o${index}`;

describe('draw-down', () => {
    test('grant by grant over all charges is charge by charge over all grants', async () => {
        const sampled = fc.sample(worlds, { numRuns: runs, seed: 11 });
        const drawn = await settle(
            engine,
            sampled.map((world, index) => ownerOf(world, name(index))),
        );
        sampled.forEach((world, index) => {
            expect(rows(drawn.get(name(index)))).toEqual(drawsOf(world));
        });
    });

    test('in slices it is as at once: the balances that one leaves are the next one’s opening', async () => {
        const sampled = fc.sample(worlds, { numRuns: runs / 3, seed: 12 });
        const half = ({ charges }: World) => charges.length >> 1;
        const owners = sampled.map((world, index) => ownerOf(world, name(index)));
        const first = await settle(
            engine,
            owners.map((owner, index) => {
                const until = half(sampled[index] as World);
                return { ...owner, charges: owner.charges.slice(0, until) };
            }),
        );
        const given = (index: number, id: string) =>
            total(
                (first.get(name(index))?.draws ?? [])
                    .filter(({ grant_id }) => grant_id === id)
                    .map((row) => row.drawn),
            );
        const second = await settle(
            engine,
            owners.map((owner, index) => ({
                ...owner,
                charges: owner.charges.slice(half(sampled[index] as World)),
                grants: owner.grants.map((of) => ({
                    ...of,
                    opening: of.granted - given(index, of.grant_id),
                    granted: 0n,
                })),
            })),
        );
        sampled.forEach((world, index) => {
            const slices = [...rows(first.get(name(index))), ...rows(second.get(name(index)))];
            expect(slices).toEqual(drawsOf(world));
        });
    });

    test('grants that reach the same give as much in any order, and never too much', () => {
        fc.assert(
            fc.property(
                worlds,
                fc.array(fc.nat(99), { minLength: 6, maxLength: 6 }),
                (of, ranks) => {
                    const alike = of.grants.map((one) => ({
                        ...one,
                        ...{ asset: 'USD', scope: [], starts: null, expires: null },
                    }));
                    const shuffled = alike.map((one, index) => ({
                        ...one,
                        priority: BigInt(ranks[index] ?? 0),
                    }));
                    const sums = [alike, shuffled].map((grants) =>
                        of.charges.map(({ no }) =>
                            total(
                                drawInOrder(of.charges, grants)
                                    .filter((draw) => draw.no === no)
                                    .map(({ drawn }) => drawn.top),
                            ),
                        ),
                    );
                    expect(sums[0]).toEqual(sums[1]);
                    const owed = total(
                        of.charges
                            .filter(({ asset, size: due }) => asset === 'USD' && due.top > 0n)
                            .map(({ size: due }) => due.top),
                    );
                    const held = total(alike.map((one) => one.size.top));
                    expect(total(sums[0] ?? [])).toBe(least(owed, held));
                },
            ),
            { numRuns: 500, seed: 13 },
        );
    });

    test('no draw is above its charge or its grant', () => {
        fc.assert(
            fc.property(worlds, (world) => {
                const draws = drawInOrder(world.charges, world.grants);
                for (const { no, size: of } of world.charges) {
                    const drawn = draws.filter((draw) => draw.no === no);
                    const most = of.top > 0n ? of.top : 0n;
                    expect(total(drawn.map((draw) => draw.drawn.top)) <= most).toBe(true);
                }
                for (const { id, size: of } of world.grants) {
                    const drawn = draws.filter((draw) => draw.id === id);
                    expect(total(drawn.map((draw) => draw.drawn.top)) <= of.top).toBe(true);
                }
            }),
            { numRuns: 500, seed: 14 },
        );
    });
});

const promises = fc.record({
    sizes: fc.array(fc.bigInt({ min: -5n, max: 20n }), { minLength: 1, maxLength: 8 }),
    committed: fc.bigInt({ min: 0n, max: 60n }),
    slice: fc.nat(7),
});

function committedOwner(
    owner_id: string,
    sizes: readonly bigint[],
    committed: bigint,
    counted_before: bigint,
    true_up: string,
): Owner {
    const row = { owner_id, within_factor: 1n, rounding_divisor: 1n, rounding_mode: 'half_away' };
    return {
        charges: sizes.map((of, index) => ({
            ...{ ...plainCharge, ...row, charge_no: BigInt(index), asset: 'USD', size: of },
            commitment_id: 'c',
        })),
        commitments: [{ ...row, commitment_id: 'c', committed, counted_before, true_up }],
        ...{ grants: [], scopes: [] },
    };
}

describe('commitments', () => {
    test('what lies above and what is lacking are as the oracle says, in slices as at once', async () => {
        const sampled = fc.sample(promises, { numRuns: runs / 3, seed: 15 });
        const cut = ({ sizes, slice }: (typeof sampled)[number]) => slice % sizes.length;
        const whole = sampled.map(({ sizes, committed }, index) =>
            committedOwner(`w${index}`, sizes, committed, 0n, 'due'),
        );
        const early = sampled.map((of, index) =>
            committedOwner(`e${index}`, of.sizes.slice(0, cut(of)), of.committed, 0n, 'none'),
        );
        const late = sampled.map((of, index) => {
            const before = total(of.sizes.slice(0, cut(of)));
            return committedOwner(
                `l${index}`,
                of.sizes.slice(cut(of)),
                of.committed,
                before,
                'due',
            );
        });
        const drawn = await settle(engine, [...whole, ...early, ...late]);
        const above = (owner: string) => (drawn.get(owner)?.parts ?? []).map((of) => of.above);
        sampled.forEach(({ sizes, committed }, index) => {
            const expected = cutAt(
                sizes.map((of) => fraction(of)),
                fraction(committed),
            );
            const parts = expected.above.map(({ top }) => top);
            expect(above(`w${index}`)).toEqual(parts);
            expect([...above(`e${index}`), ...above(`l${index}`)]).toEqual(parts);
            for (const owner of [`w${index}`, `l${index}`]) {
                expect(drawn.get(owner)?.trueUps[0]?.exact).toBe(expected.shortfall.top);
            }
        });
    });

    test('a true-up is never below zero, and with what was used it is at least what was promised', () => {
        fc.assert(
            fc.property(promises, ({ sizes, committed }) => {
                const of = sizes.map((one) => fraction(one));
                const { above, shortfall } = cutAt(of, fraction(committed));
                expect(shortfall.top >= 0n).toBe(true);
                expect(total(sizes) + shortfall.top >= committed).toBe(true);
                const beyond = total(above.map(({ top }) => top));
                expect(beyond === 0n || shortfall.top === 0n).toBe(true);
                expect(total(sizes) - beyond + shortfall.top).toBe(committed);
            }),
            { numRuns: 500, seed: 16 },
        );
    });
});
