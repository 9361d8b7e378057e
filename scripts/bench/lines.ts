import { added, type Cost } from '../support/cost.ts';
import type { Result } from './suite.ts';

/** Parts of a subject, added up. */
interface Of {
    readonly subject: string;
    readonly parts: readonly string[];
}

/** What the project wants of a ratio. */
export type Goal = { readonly atMost: number } | { readonly atLeast: number };

interface Spec {
    readonly group: string;
    readonly what: string;
    readonly of: Of;
    /** What it is compared with, and how that is called; the first that was measured. */
    readonly against?: readonly (Of & { readonly called: string })[];
    readonly goal?: Goal;
}

/** A line of the results. */
export interface Line {
    readonly group: string;
    readonly what: string;
    readonly events: string;
    readonly cost: Cost;
    /** How often it takes what it is compared with; null where there is nothing to compare with. */
    readonly ratio: {
        readonly against: string;
        readonly seconds: number;
        /** In seconds of processors, which a busy machine changes less; null where one was not measured. */
        readonly cpu: number | null;
    } | null;
    readonly goal?: Goal;
}

const dedupe = ['dedupe usage', 'dedupe debits'];
const group = 'group by meter key and day';
const join = 'full join on event id';
const all = { subject: 'floor', parts: ['scan', ...dedupe, group, join] };
const night = { subject: 'night', parts: ['night'], called: 'the night' };
const smallNight = { ...night, subject: 'small-night' };

const stage = (what: string, part: string, of: readonly string[], called: string): Spec => ({
    ...{ group: 'stages of the night', what, of: { subject: 'night', parts: [part] } },
    against: [{ subject: 'floor', parts: of, called }],
});

/** The job of a peer, against the night of the same size. */
const peer = (what: string, subject: string, against: Spec['against'], goal?: Goal): Spec => ({
    ...{ group: 'the same job elsewhere', what, of: { subject, parts: ['job'] } },
    ...(against && { against }),
    ...(goal && { goal }),
});

const text = { subject: 'text-night', parts: ['ingest'] };
const month = (what: string, part: string): Spec => ({
    ...{ group: 'a month', what, of: { subject: 'month', parts: [part] } },
});
const nightOverText = {
    subject: 'text-night',
    parts: ['night'],
    called: 'the night over NDJSON.gz',
};

const specs: readonly Spec[] = [
    { group: 'a night', what: 'the floor: what the bare engine needs at the least', of: all },
    {
        ...{ group: 'a night', what: 'the whole night', of: night, goal: { atMost: 2 } },
        against: [{ ...all, called: 'the floor' }],
    },
    stage('ingest of Parquet', 'ingest', ['typed read'], 'typed read'),
    stage('mediate', '20-mediate', dedupe, 'dedupe of both sides'),
    stage('meter', '30-meter', [group], 'group by meter key and day'),
    stage('reconcile', '70-reconcile', [join], 'full join on the event id'),
    {
        ...{ group: 'stages of the night', what: 'rate: 1,000,000 rows, 10,000 rates' },
        of: { subject: 'rates', parts: ['stage'] },
        against: [{ subject: 'rates', parts: ['floor'], called: 'one hash join' }],
    },
    {
        ...{ group: 'text', what: 'ingest of NDJSON.gz', of: text, goal: { atMost: 1.5 } },
        against: [{ subject: 'text-floor', parts: ['typed read'], called: 'typed read' }],
    },
    {
        ...{ group: 'text', what: 'the same', of: text },
        against: [
            {
                ...{ subject: 'text-floor', parts: ['typed read into Parquet'] },
                called: 'typed read into Parquet',
            },
        ],
    },
    {
        group: 'text',
        what: 'the night over NDJSON.gz',
        of: nightOverText,
        against: [smallNight, night],
    },
    { ...month('a night of day 30 with nothing before it', 'alone') },
    {
        ...month('night 30 after 29 days', 'night 30'),
        against: [{ subject: 'month', parts: ['alone'], called: 'the night of that day alone' }],
    },
    {
        ...month('the same', 'night 30'),
        against: [{ subject: 'month', parts: ['once'], called: 'one night over all 30 days' }],
    },
    {
        ...{
            group: 'a month',
            what: 'the month re-rated from its partials',
            goal: { atMost: 0.05 },
        },
        of: { subject: 'reprice', parts: ['from partials'] },
        against: [{ subject: 'reprice', parts: ['from objects'], called: 'the run from raw' }],
    },
    peer('DuckDB, one select', 'duckdb', [night]),
    peer('ClickHouse in process, one select', 'clickhouse', [night], { atLeast: 1 }),
    peer('polars, lazy frames', 'polars', [night], { atLeast: 1 }),
    peer('PostgreSQL, one select, after COPY', 'postgres', [smallNight, night], { atLeast: 20 }),
    peer('Node script over NDJSON.gz', 'node', [smallNight, night], { atLeast: 20 }),
    peer('the same', 'node', [nightOverText]),
];

/** The lines of all that was measured; what was not is left out. */
export function linesOf(results: readonly Result[]): readonly Line[] {
    return specs.flatMap((spec) => {
        const found = costIn(results, spec.of);
        if (!found) return [];
        const { group, what, goal } = spec;
        const ratio = ratioOf(results, found.cost, spec);
        const { cost, events } = found;
        return [{ group, what, events, cost, ratio, ...(goal && ratio ? { goal } : {}) }];
    });
}

function ratioOf(results: readonly Result[], cost: Cost, { against }: Spec): Line['ratio'] {
    for (const other of against ?? []) {
        const there = costIn(results, other);
        if (!there) continue;
        const cpu = cost.cpu && there.cost.cpu ? cost.cpu / there.cost.cpu : null;
        return { against: other.called, seconds: cost.seconds / there.cost.seconds, cpu };
    }
    return null;
}

function costIn(
    results: readonly Result[],
    { subject, parts }: Of,
): { readonly cost: Cost; readonly events: string } | null {
    const result = results.find((of) => of.subject.name === subject);
    const some = result?.parts.filter(({ name }) => parts.includes(name)) ?? [];
    if (!result || some.length !== parts.length) return null;
    const events = result.subject.size === 'rates' ? '' : result.events;
    return { cost: added(some), events };
}

/** Whether the goal of a line is met; null where it has none. */
export function isMet({ goal, ratio }: Pick<Line, 'goal' | 'ratio'>): boolean | null {
    if (!goal || !ratio) return null;
    return 'atMost' in goal ? ratio.seconds <= goal.atMost : ratio.seconds >= goal.atLeast;
}
