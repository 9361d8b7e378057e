import type { Part } from '../support/cost.ts';
import type { MeasuredFigures } from './plan.ts';

/** Of the results that `npm run bench -- --json` writes, what the plan is made from. */
export interface BenchResults {
    readonly machine: string;
    readonly measured_on: string;
    readonly events: string;
    readonly smallEvents: string;
    readonly runs: number;
    readonly note: string;
    readonly data: readonly { readonly events: string; readonly bytes: number }[];
    readonly results: readonly {
        readonly name: string;
        readonly events: string;
        readonly parts: readonly Part[];
    }[];
}

/** Of 31 days that the generator makes, those that came before night 30. */
const shareBefore = 29 / 31;

/**
 * The figures of the plan: of two sizes of night, what grows between them is by the event and the rest is
 * not. @throws RangeError where the results lack a subject
 */
export function figuresOf(bench: BenchResults): MeasuredFigures {
    const [large, small] = [costIn(bench, 'night', 'night'), costIn(bench, 'small-night', 'night')];
    const more = large.millions - small.millions;
    const secondsPerMillion = (large.cpu - small.cpu) / more;
    const memoryPerMillion = Math.max(large.peakBytes - small.peakBytes, 0) / more;
    const [after, alone] = [costIn(bench, 'month', 'night 30'), costIn(bench, 'month', 'alone')];
    const text = costIn(bench, 'text-night', 'night');
    const clickhouse = costIn(bench, 'clickhouse', 'job');
    const data = bench.data.find(({ events }) => events === large.events);
    return {
        nightSeconds: small.cpu - secondsPerMillion * small.millions,
        secondsPerMillion,
        historySecondsPerMillion:
            Math.max(after.cpu - alone.cpu, 0) / (after.millions * shareBefore),
        textSecondsPerMillion: Math.max(text.cpu - small.cpu, 0) / text.millions,
        clusterSecondsPerMillion: clickhouse.cpu / clickhouse.millions,
        bytesPerPair: (data?.bytes ?? 0) / (large.millions * 1e6),
        memoryPerPair: memoryPerMillion / 1e6,
        memoryBase: small.peakBytes - memoryPerMillion * small.millions,
    };
}

function costIn({ results }: BenchResults, name: string, part: string) {
    const result = results.find((of) => of.name === name);
    const cost = result?.parts.find((of) => of.name === part)?.cost;
    if (!result || !cost) {
        throw new RangeError(
            `the results lack ${name}: run the whole benchmark, with --events above --small-events`,
        );
    }
    return { ...cost, events: result.events, millions: Number(result.events) / 1e6 };
}
