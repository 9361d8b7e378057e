import { expect, test } from 'vitest';
import { isMet, linesOf } from '../../scripts/bench/lines.ts';
import { subjects } from '../../scripts/bench/subject.ts';
import type { Result } from '../../scripts/bench/suite.ts';

/** A result with parts of so many seconds, and twice as many of processors. */
function result(name: string, parts: Readonly<Record<string, number>>): Result {
    const subject = subjects.find((of) => of.name === name);
    if (!subject) throw new Error(`no subject ${name}`);
    const costs = Object.entries(parts).map(([part, seconds]) => {
        return { name: part, cost: { seconds, cpu: 2 * seconds, peakBytes: 0 } };
    });
    return { subject, events: '1000', parts: costs, says: '', doesJob: true };
}

const floor = result('floor', {
    ...{ scan: 1, 'dedupe usage': 2, 'dedupe debits': 3, 'group by meter key and day': 1 },
    ...{ 'full join on event id': 3, 'typed read': 1 },
});

const ratio = (results: readonly Result[], what: string) =>
    linesOf(results).find((line) => line.what === what);

test('the night is compared with all of the floor, stages with their part of it', () => {
    const night = result('night', { night: 15, ingest: 2, '20-mediate': 10, '70-reconcile': 6 });
    const results = [floor, night];
    expect(ratio(results, 'the whole night')?.ratio).toEqual({
        ...{ against: 'the floor', seconds: 1.5, cpu: 1.5 },
    });
    expect(ratio(results, 'mediate')?.ratio?.seconds).toBe(2);
    expect(ratio(results, 'reconcile')?.ratio?.seconds).toBe(2);
    // What was not measured has no line.
    expect(ratio(results, 'meter')).toBeUndefined();
});

test('a peer is compared with the night of its size, the small one where there is one', () => {
    const [night, small] = [result('night', { night: 20 }), result('small-night', { night: 2 })];
    const postgres = result('postgres', { job: 40 });
    const what = 'PostgreSQL, one select, after COPY';
    const with_small = ratio([night, small, postgres], what);
    expect(with_small?.ratio?.seconds).toBe(20);
    expect(with_small && isMet(with_small)).toBe(true);
    const without = ratio([night, postgres], what);
    expect(without?.ratio?.seconds).toBe(2);
    expect(without && isMet(without)).toBe(false);
});

test('with nothing to compare with there is a cost, and no goal', () => {
    const line = ratio([result('polars', { job: 4 })], 'polars, lazy frames');
    expect(line).toMatchObject({ cost: { seconds: 4 }, ratio: null });
    expect(line && isMet(line)).toBeNull();
});

test('by the event: ten times the events in eleven times the time is 1.1', () => {
    const night = { ...result('night', { night: 22 }), events: '10000' };
    const line = ratio([night, result('small-night', { night: 2 })], 'the same, by the event');
    expect(line?.ratio?.seconds).toBeCloseTo(1.1);
    expect(line && isMet(line)).toBe(true);
});
