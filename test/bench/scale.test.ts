import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { figuresOf } from '../../scripts/scale/figures.ts';
import { filled } from '../../scripts/scale/index.ts';
import {
    assumed,
    largestMonth,
    type MeasuredFigures,
    monthCost,
} from '../../scripts/scale/plan.ts';
import { lakeOfYear } from '../../scripts/scale/year.ts';
import { bigBytes, smallLimit } from '../../src/run/lake-compact.ts';

const figures: MeasuredFigures = {
    ...{ nightSeconds: 10, secondsPerMillion: 4, historySecondsPerMillion: 0.1 },
    ...{ textSecondsPerMillion: 20, clusterSecondsPerMillion: 3, bytesPerPair: 80 },
    ...{ memoryPerPair: 200, memoryBase: 5e8 },
};

test('a month of a billion events, by hand', () => {
    const month = monthCost(1e9, figures);
    // 30 nights of 10 s, 1,000 millions at 4 s, and on average 500 millions looked through 30 times.
    expect(month.coreHours * 3600).toBeCloseTo(300 + 4000 + 1500, 6);
    expect(month.bytesPerNight).toBeCloseTo((1e9 / 30) * 80, 3);
    expect(month.objectsPerNight).toBe(20);
    expect(month.memory).toBeCloseTo(5e8 + (1e9 / 30) * 200, 3);
    expect(month.clusterCoreHours * 3600).toBeCloseTo(3000, 6);
    expect(month.fitsOneMachine).toBe(true);
});

test('the largest month of one machine just fits into the window', () => {
    const events = largestMonth(figures, assumed.machineCores);
    const { lastNightHours, downloadHours } = monthCost(events, figures);
    expect(lastNightHours + downloadHours).toBeCloseTo(assumed.windowHours, 6);
});

const head = { machine: '', measured_on: '', events: '', smallEvents: '', runs: 1, note: '' };

test('what grows with events is told from what does not', () => {
    const result = (name: string, part: string, events: string, cpu: number, peakBytes = 0) => ({
        ...{ name, events, parts: [{ name: part, cost: { seconds: 0, cpu, peakBytes } }] },
    });
    const month = result('month', 'night 30', '10000000', 12);
    const alone = result('month', 'alone', '10000000', 10).parts;
    const found = figuresOf({
        ...head,
        data: [{ events: '10000000', bytes: 8e8 }],
        results: [
            result('night', 'night', '10000000', 46, 2e9),
            result('small-night', 'night', '1000000', 10, 5e8),
            result('text-night', 'night', '1000000', 25),
            result('clickhouse', 'job', '10000000', 30),
            { ...month, parts: [...month.parts, ...alone] },
        ],
    });
    expect(found.secondsPerMillion).toBeCloseTo(4);
    expect(found.nightSeconds).toBeCloseTo(6);
    expect(found.historySecondsPerMillion).toBeCloseTo(2 / (10 * (29 / 31)));
    expect(found.textSecondsPerMillion).toBeCloseTo(15);
    expect(found.clusterSecondsPerMillion).toBeCloseTo(3);
    expect(found.bytesPerPair).toBeCloseTo(80);
    expect(found.memoryPerPair).toBeCloseTo(1.5e9 / 9e6);
    expect(() => figuresOf({ ...head, data: [], results: [] })).toThrow(/lack night/);
});

test('small batches never grow beyond the limit, big ones stay as they came', () => {
    const small = lakeOfYear({ objects: 24, bytes: 1e6 });
    const bound = smallLimit + (365 * 1e6) / bigBytes;
    expect(Math.max(...small.map(({ batches }) => batches))).toBeLessThanOrEqual(bound);
    const big = lakeOfYear({ objects: 24, bytes: bigBytes });
    expect(big.at(-1)).toMatchObject({ batches: 365, objects: 365 * 25, rewrittenBytes: 0 });
});

test('what a merge replaced goes two nights later', () => {
    const nights = lakeOfYear({ objects: 1, bytes: 1e6 }, 2 * smallLimit);
    const merge = nights.find(({ rewrittenBytes }) => rewrittenBytes > 0);
    expect(merge).toMatchObject({ night: smallLimit + 1, batches: 1, objects: 2 });
    expect(merge?.storedObjects).toBe(2 * (smallLimit + 1) + 2);
    expect(nights[(merge?.night ?? 0) + 1]).toMatchObject({ batches: 3, storedObjects: 6 });
});

test('the page has a place for each table, and keeps the rest', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/scale.md'), 'utf8');
    const once = filled(page, { months: 'MONTHS', year: 'YEAR' });
    expect(once).toContain('<!-- months -->\n\nMONTHS\n\n<!-- end of months -->');
    expect(filled(once, { months: 'MONTHS', year: 'YEAR' })).toBe(once);
    expect(() => filled(page, { costs: '' })).toThrow(/<!-- costs -->/);
});
