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
    readonly against?: readonly Other[];
    readonly goal?: Goal;
    /** The line above once more, against something else: nothing without it. */
    readonly isRepeat?: boolean;
    /** Compared by the event: 1 is a time that grows as events do. */
    readonly isPerEvent?: boolean;
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

type Other = Of & { readonly called: string };

const dedupe = ['dedupe usage', 'dedupe debits'];
const group = 'group by meter key and day';
const join = 'full join on event id';
const part = (subject: string, ...parts: readonly string[]): Of => ({ subject, parts });
const called = (name: string, subject: string, ...parts: readonly string[]): Other => ({
    ...{ subject, parts, called: name },
});

const line = (
    of: Pick<Spec, 'group' | 'what'>,
    what: Of,
    against: readonly Other[] = [],
    goal?: Goal,
): Spec => ({ ...of, of: what, against, ...(goal && { goal }) });

/** The line above once more, against something else. */
const again = (
    of: Pick<Spec, 'group'>,
    what: Of,
    against: Other,
    more: Partial<Spec> = {},
): Spec => ({
    ...line({ ...of, what: 'the same' }, what, [against]),
    ...{ isRepeat: true, ...more },
});

const floor = called('the floor', 'floor', 'scan', ...dedupe, group, join);
const night = called('the night', 'night', 'night');
const smallNight = called('the small night', 'small-night', 'night');
const textNight = called('the night over NDJSON.gz', 'text-night', 'night');

const inNight = (what: string) => ({ group: 'a night', what });
const inStages = (what: string) => ({ group: 'stages of the night', what });
const inText = (what: string) => ({ group: 'text', what });
const inMonth = (what: string) => ({ group: 'a month', what });
/** The job of a peer, against the night of the same size. */
const elsewhere = (what: string) => ({ group: 'the same job elsewhere', what });

const specs: readonly Spec[] = [
    line(inNight('the floor: what the bare engine needs at the least'), floor),
    line(inNight('the whole night'), night, [floor], { atMost: 2 }),
    again(inNight(''), night, smallNight, {
        ...{ what: 'the same, by the event', isPerEvent: true, goal: { atMost: 1.2 } },
    }),
    line(inStages('ingest of Parquet'), part('night', 'ingest'), [
        called('typed read', 'floor', 'typed read'),
    ]),
    line(inStages('mediate'), part('night', '20-mediate'), [
        called('dedupe of both sides', 'floor', ...dedupe),
    ]),
    line(inStages('meter'), part('night', '30-meter'), [called(group, 'floor', group)]),
    line(inStages('reconcile'), part('night', '70-reconcile'), [called(join, 'floor', join)]),
    line(inStages('rate: 1,000,000 rows, 10,000 rates'), part('rates', 'stage'), [
        called('one hash join', 'rates', 'floor'),
    ]),
    line(
        inText('ingest of NDJSON.gz'),
        part('text-night', 'ingest'),
        [called('typed read', 'text-floor', 'typed read')],
        { atMost: 1.5 },
    ),
    again(
        inText(''),
        part('text-night', 'ingest'),
        called('typed read into Parquet', 'text-floor', 'typed read into Parquet'),
    ),
    line(inText('the night over NDJSON.gz'), textNight, [smallNight, night]),
    line(inMonth('a night of day 30 with nothing before it'), part('month', 'alone')),
    line(inMonth('night 30 after 29 days'), part('month', 'night 30'), [
        called('the night of that day alone', 'month', 'alone'),
    ]),
    again(
        inMonth(''),
        part('month', 'night 30'),
        called('one night over all 30 days', 'month', 'once'),
    ),
    line(
        inMonth('the month re-rated from its partials'),
        part('reprice', 'from partials'),
        [called('the run from raw', 'reprice', 'from objects')],
        { atMost: 0.05 },
    ),
    line(elsewhere('DuckDB, one select'), part('duckdb', 'job'), [night]),
    line(elsewhere('ClickHouse in process, one select'), part('clickhouse', 'job'), [night], {
        atLeast: 1,
    }),
    line(elsewhere('polars, lazy frames'), part('polars', 'job'), [night], { atLeast: 1 }),
    line(
        elsewhere('PostgreSQL, one select, after COPY'),
        part('postgres', 'job'),
        [smallNight, night],
        { atLeast: 20 },
    ),
    line(elsewhere('Node script over NDJSON.gz'), part('node', 'job'), [smallNight, night], {
        atLeast: 20,
    }),
    again(elsewhere(''), part('node', 'job'), textNight),
];

/** The lines of all that was measured; what was not is left out. */
export function linesOf(results: readonly Result[]): readonly Line[] {
    return specs.flatMap((spec) => {
        const found = costIn(results, spec.of);
        if (!found) return [];
        const { group, what, goal } = spec;
        const ratio = ratioOf(results, found, spec);
        if (spec.isRepeat && !ratio) return [];
        const { cost, events } = found;
        return [{ group, what, events, cost, ratio, ...(goal && ratio ? { goal } : {}) }];
    });
}

/** What something cost, and with how many events; none of what is measured by rows of its own. */
interface Found {
    readonly cost: Cost;
    readonly events: string;
}

function ratioOf(
    results: readonly Result[],
    { cost, events }: Found,
    { against, isPerEvent }: Spec,
): Line['ratio'] {
    for (const other of against ?? []) {
        const there = costIn(results, other);
        if (!there) continue;
        const growth = isPerEvent ? Number(events) / Number(there.events) : 1;
        const cpu = cost.cpu && there.cost.cpu ? cost.cpu / there.cost.cpu / growth : null;
        const seconds = cost.seconds / there.cost.seconds / growth;
        return { against: other.called, seconds, cpu };
    }
    return null;
}

function costIn(results: readonly Result[], { subject, parts }: Of): Found | null {
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
