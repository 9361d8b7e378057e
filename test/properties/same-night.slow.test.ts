import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rateUsage } from '../oracle/slow-rater.ts';
import { uniqueEntries } from '../oracle/slow-reconciler.ts';
import { holdsFor, runsOf, withoutKnownDefects, worlds } from '../support/arbitraries.ts';
import type { Place } from '../support/exact.ts';
import {
    asOf,
    bookOf,
    type Night,
    nightOf,
    period,
    projectOf,
    type World,
} from '../support/world.ts';

/*
 * What a night says does not depend on how its inputs were delivered: in which order, in how many
 * objects, how many times.
 */

const few = { runs: runsOf(5, 1) };
const long = { timeout: 600_000 };

/** Everything a night says, less how its inputs were cut, and less what only counts copies. */
function said({ certificate, ...facts }: Night) {
    const { tie_outs, payers, suspense, breaks, run_digest } = certificate;
    return { ...facts, totals: { tie_outs, payers, suspense, breaks }, run_digest };
}

/** The base worlds are the same in every property: each runs once. */
const nights = new Map<string, Promise<Night>>();
function baseOf(world: World): Promise<Night> {
    const key = JSON.stringify(world);
    const known = nights.get(key) ?? nightOf(world);
    nights.set(key, known);
    return known;
}

/** The records of a world wherever they are put. */
function mapPlaces(world: World, place: <T extends Place>(records: readonly T[]) => T[]): World {
    const all = place([
        ...world.events.map((record) => ({ ...record, of: 'events' as const })),
        ...world.junk.map((record) => ({ ...record, of: 'junk' as const })),
        ...world.debits.map((record) => ({ ...record, of: 'debits' as const })),
    ]);
    const pick = (kind: string) =>
        all.filter(({ of }) => of === kind).map(({ of: _, ...it }) => it);
    return {
        ...world,
        events: pick('events') as unknown as World['events'],
        junk: pick('junk') as unknown as World['junk'],
        debits: pick('debits') as unknown as World['debits'],
    };
}

/** Lines numbered within each object, in the order given. */
function numbered<T extends Place>(records: readonly T[]): T[] {
    const lines = new Map<string, number>();
    return records.map((record) => {
        const line = (lines.get(record.object) ?? 0) + 1;
        lines.set(record.object, line);
        return { ...record, line };
    });
}

const inOrder = <T extends Place>(records: readonly T[]): T[] =>
    records.toSorted((a, b) =>
        a.object === b.object ? a.line - b.line : a.object < b.object ? -1 : 1,
    );

/** Of the copies of a record only those that say the same: which copy counts is then all one. */
function withoutConflicts(world: World): World {
    const { kept, conflicts } = rateUsage(world.events, bookOf(world));
    const entries = uniqueEntries(world.debits);
    const first = new Map(kept.map((of) => [JSON.stringify([of.source, of.event_id]), of]));
    const firstEntry = new Map(entries.kept.map((of) => [of.entry_id, of]));
    const says = {
        event: (event: World['events'][number]) => {
            const other = first.get(JSON.stringify([event.source, event.event_id]));
            return !other || other === event || !rateUsage([other, event], bookOf(world)).conflicts;
        },
        entry: (entry: World['debits'][number]) => {
            const other = firstEntry.get(entry.entry_id);
            return !other || other === entry || !uniqueEntries([other, entry]).conflicts;
        },
    };
    if (conflicts + entries.conflicts === 0) return world;
    const events = world.events.filter(says.event);
    return mapPlaces({ ...world, events, debits: world.debits.filter(says.entry) }, (records) =>
        numbered(inOrder(records)),
    );
}

const small = worlds({ maxEvents: 10 }).map(withoutKnownDefects);
/** Numbers to draw from for as many records as there may be. */
const dice = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 60, maxLength: 60 });

describe('a night says the same', () => {
    test('whatever the order of lines and objects', long, () =>
        holdsFor(fc.tuple(small.map(withoutConflicts), dice), few, async ([world, dice]) => {
            const draw = (at: number) => dice[at % dice.length] ?? 0;
            const other = mapPlaces(world, (records) =>
                numbered(
                    records
                        .map((record, at) => ({
                            record: {
                                ...record,
                                object: record.object.replace(
                                    /\d\.ndjson$/,
                                    `${draw(at) % 4}.ndjson`,
                                ),
                            },
                            order: draw(at + 7),
                        }))
                        .sort((a, b) => a.order - b.order)
                        .map(({ record }) => record),
                ),
            );
            expect(said(await nightOf(other))).toEqual(said(await baseOf(world)));
        }),
    );

    test('when records are delivered again, but for the number of duplicates', long, () =>
        holdsFor(fc.tuple(small.map(withoutConflicts), dice), few, async ([world, dice]) => {
            const { kept } = rateUsage(world.events, bookOf(world));
            const isAgain = (_: unknown, at: number) => (dice[at % dice.length] ?? 0) % 3 > 0;
            const again = <T extends Place>(records: readonly T[]) =>
                records.filter(isAgain).map((record, at) => ({
                    ...record,
                    // In an object of its own after all others, or among those that are there.
                    ...((dice[at] ?? 0) % 2
                        ? { object: record.object.replace('.ndjson', '-again.ndjson') }
                        : { line: record.line + 0.5 }),
                }));
            const copies = {
                events: again(kept as World['events']),
                debits: again(uniqueEntries(world.debits).kept),
            };
            const other = mapPlaces(
                {
                    ...world,
                    events: [...world.events, ...copies.events],
                    debits: [...world.debits, ...copies.debits],
                },
                (records) => numbered(inOrder(records)),
            );
            const [base, night] = [await baseOf(world), await nightOf(other)];
            expect(said(night)).toEqual(said(base));
            const count = (of: Night, name: 'events' | 'duplicates' | 'conflicts' | 'suspended') =>
                of.certificate.inputs.reduce((total, input) => total + Number(input[name]), 0);
            expect(count(night, 'duplicates') - count(base, 'duplicates')).toBe(
                copies.events.length + copies.debits.length,
            );
            for (const name of ['events', 'conflicts', 'suspended'] as const) {
                expect(count(night, name), name).toBe(count(base, name));
            }
        }),
    );

    test('when objects are cut in two at any line, conflicts and all', long, () =>
        holdsFor(fc.tuple(small, dice), few, async ([world, dice]) => {
            const objects = [
                ...new Set(
                    inOrder([...world.events, ...world.junk, ...world.debits]).map(
                        ({ object }) => object,
                    ),
                ),
            ];
            const other = mapPlaces(world, (records) =>
                numbered(
                    inOrder(records).map((record) => {
                        const cut = (dice[objects.indexOf(record.object)] ?? 0) % 5;
                        const part = record.line > cut ? 'b' : 'a';
                        return {
                            ...record,
                            object: record.object.replace('.ndjson', `-${part}.ndjson`),
                        };
                    }),
                ),
            );
            expect(said(await nightOf(other))).toEqual(said(await baseOf(world)));
        }),
    );

    test('when it runs a second time, which does nothing', long, () =>
        holdsFor(small, { runs: runsOf(2, 1) }, async (world) => {
            const project = projectOf(world);
            try {
                const options = { period, as_of: asOf };
                const first = await project.run(options);
                const files = readdirSync(first.run.folder, { recursive: true }).sort();
                const second = await project.run(options);
                expect(first.isReused).toBe(false);
                expect(second).toEqual({ ...first, isReused: true });
                expect(readdirSync(first.run.folder, { recursive: true }).sort()).toEqual(files);
            } finally {
                project.remove();
            }
        }),
    );
});
