import type { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { beginning } from '../compile/meters.ts';
import type { Engine, Row } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import type { RowOf } from '../duck/table.ts';
import { sum } from '../report/figures.ts';
import {
    type DiffRow,
    type DiffUsage,
    moved,
    type RateDiff,
    type RatedOrNot,
    type Undecided,
} from '../report/rate-diff.ts';
import { type CompiledCard, segmentAt, sqlTimestamp } from '../rules/card.ts';
import { formatInstant, parseInstant } from '../time/instant.ts';
import { reRate } from './re-rate.ts';

/**
 * What moves between two cards over the metered usage of a run. Metered rows hold the usage of a day
 * and of a span in which no rate of the run's own card changed. Where one of the cards changes a
 * price inside of such a row, the row is not compared: how much of it came before is not known.
 */
export async function diffRates(
    engine: Engine,
    cards: { readonly old: CompiledCard; readonly new: CompiledCard },
    options: { readonly memory: string; readonly threads: number },
): Promise<Omit<RateDiff, 'run_id' | 'period' | 'old' | 'new'>> {
    const boundaries = [...new Set([...cards.old.boundaries, ...cards.new.boundaries])].sort();
    const slots = await readSlots(engine, boundaries);
    const groups = await readGroups(engine, slots);
    const usage = groups.flatMap(probes);
    const [old, now] = [
        await outcomesBy({ card: cards.old, usage, ...options }),
        await outcomesBy({ card: cards.new, usage, ...options }),
    ];
    return compared(groups.map((group) => ({ group, old: old(group), now: now(group) })));
}

/** A span of metered time, as the instants at which a card may price it differently. */
interface Slot {
    readonly segment_at: string;
    readonly event_on: string;
    /** The first is a boundary before the span, the others are inside of it. */
    readonly instants: readonly string[];
}

/** The spans that the run metered apart. Instants are text of a SQL timestamp. */
async function readSlots(engine: Engine, boundaries: readonly string[]): Promise<readonly Slot[]> {
    const own = await engine.rows(
        `select effective_from as changed_at from rules.rates
         union select effective_to from rules.rates where effective_to is not null
         order by changed_at`,
    );
    const ends = own.map(({ changed_at }) => sqlTimestamp(parseInstant(String(changed_at))));
    const spans = await engine.rows(
        'select segment_at, event_on from metered.usage group by all order by all',
    );
    return spans.map((span) => {
        const segment_at = sqlTimestamp(parseInstant(String(span.segment_at)));
        const event_on = String(span.event_on);
        const day = parseInstant(`${event_on}T00:00:00Z`);
        const midnight = sqlTimestamp(day);
        const start = [segment_at, midnight].sort().at(-1) ?? midnight;
        const next = ends.find((at) => at > segment_at);
        const tomorrow = sqlTimestamp(day + 86_400_000_000n);
        const end = next !== undefined && next < tomorrow ? next : tomorrow;
        const first = segmentAt(boundaries, parseInstant(isoOf(start)), beginning);
        const inside = boundaries.filter((at) => at > start && at < end);
        return { segment_at, event_on, instants: [first, ...inside] };
    });
}

const isoOf = (timestamp: string) => `${timestamp.replace(' ', 'T')}Z`;

/** Usage of a payer that both cards price in the same way, whatever its account and day. */
interface Group extends DiffUsage {
    readonly group_id: string;
    readonly currency: string;
    readonly instants: readonly string[];
}

async function readGroups(engine: Engine, slots: readonly Slot[]): Promise<readonly Group[]> {
    if (slots.length === 0) return [];
    const keys = [...new Set(slots.map(({ instants }) => JSON.stringify(instants)))];
    const values = slots.map(({ segment_at, event_on, instants }) => {
        const slot = keys.indexOf(JSON.stringify(instants));
        return `(timestamp ${quoteText(segment_at)}, date ${quoteText(event_on)}, ${slot})`;
    });
    const rows = await engine.rows(
        `select meter, payer_id, currency, attributes, unit, slot,
            sum(quantity) as quantity, sum(event_count)::varchar as event_count
         from metered.usage
         inner join (values ${values.join(', ')}) as slots(segment_at, event_on, slot)
            using (segment_at, event_on)
         group by all
         order by payer_id, meter, attributes, unit, currency, slot`,
    );
    return rows.map((row, at) => ({
        group_id: `g${at}`,
        meter: String(row.meter),
        payer_id: String(row.payer_id),
        currency: String(row.currency),
        attributes: String(row.attributes),
        unit: String(row.unit),
        quantity: String(row.quantity),
        event_count: String(row.event_count),
        instants: JSON.parse(keys[Number.parseInt(String(row.slot), 10)] ?? '[]'),
    }));
}

/** A group as metered rows: one for each instant at which it may be priced differently. */
function probes(group: Group): readonly RowOf<typeof meteredUsage>[] {
    return group.instants.map((segment_at) => ({
        meter: group.meter,
        account_id: group.group_id,
        payer_id: group.payer_id,
        currency: group.currency,
        attributes: group.attributes,
        unit: group.unit,
        segment_at,
        event_on: '2000-01-01',
        quantity: group.quantity,
        event_count: BigInt(group.event_count),
    }));
}

/** What a card makes of a group. */
type Outcome =
    | { readonly kind: 'rated'; readonly product: string; readonly amount: string }
    | { readonly kind: 'unrated'; readonly code: string }
    | { readonly kind: 'undecided'; readonly changes: readonly string[] };

async function outcomesBy(rating: Parameters<typeof reRate>[0]): Promise<(of: Group) => Outcome> {
    const rows = await reRate(rating, (engine) =>
        engine.rows(
            `select account_id, segment_at, product, unit_price::varchar as unit_price,
                amount::varchar as amount, null as code
             from rated.usage
             union all
             select account_id, segment_at, null, null, null, code from suspense.unrated_usage`,
        ),
    );
    const instant = (row: Row) => sqlTimestamp(parseInstant(String(row.segment_at)));
    const byGroup = Map.groupBy(rows, ({ account_id }) => String(account_id));
    return ({ group_id }) => {
        const found = [...(byGroup.get(group_id) ?? [])].sort((one, other) =>
            instant(one) < instant(other) ? -1 : 1,
        );
        const said = found.map(({ product, unit_price, code }) =>
            JSON.stringify([product, unit_price, code]),
        );
        const changes = found.filter((_, at) => at > 0 && said[at] !== said[at - 1]);
        if (changes.length) {
            const at = changes.map((row) => formatInstant(parseInstant(String(row.segment_at))));
            return { kind: 'undecided', changes: at };
        }
        const [first] = found;
        if (!first || first.code !== null) {
            return { kind: 'unrated', code: String(first?.code ?? 'UNRATED') };
        }
        return { kind: 'rated', product: String(first.product), amount: String(first.amount) };
    };
}

interface Compared {
    readonly group: Group;
    readonly old: Outcome;
    readonly now: Outcome;
}

function compared(all: readonly Compared[]): Omit<RateDiff, 'run_id' | 'period' | 'old' | 'new'> {
    const decided = all.filter(({ old, now }) => ![old.kind, now.kind].includes('undecided'));
    const rows = sumRows(decided);
    const byCurrency = Map.groupBy(rows, ({ currency }) => currency);
    return {
        rows,
        totals: [...byCurrency].sort().map(([currency, of]) => {
            const [old, now] = [sum(of.map((row) => row.old)), sum(of.map((row) => row.new))];
            return { currency, old, new: now, ...moved(old, now) };
        }),
        became_unrated: merged(decided.flatMap(({ group, old, now }) => lost(group, old, now))),
        became_rated: merged(decided.flatMap(({ group, old, now }) => lost(group, now, old))),
        unrated: merged(
            decided.flatMap(({ group, old, now }) =>
                old.kind === 'unrated' && now.kind === 'unrated' ? usageOf(group) : [],
            ),
        ),
        undecided: all.flatMap(({ group, old, now }): readonly Undecided[] => [
            ...(old.kind === 'undecided'
                ? [{ ...usageOf(group), card: 'old' as const, changes_at: old.changes }]
                : []),
            ...(now.kind === 'undecided'
                ? [{ ...usageOf(group), card: 'new' as const, changes_at: now.changes }]
                : []),
        ]),
    };
}

/** Payer and product to the sums of both cards. A product that changes has its old sum and its new. */
function sumRows(all: readonly Compared[]): readonly DiffRow[] {
    const parts = all.flatMap(({ group, old, now }) =>
        [
            { of: old, old: true },
            { of: now, old: false },
        ].flatMap(({ of, old: isOld }) =>
            of.kind === 'rated' ? [{ group, product: of.product, amount: of.amount, isOld }] : [],
        ),
    );
    const keyed = Map.groupBy(parts, ({ group, product }) =>
        JSON.stringify([group.payer_id, product, group.currency]),
    );
    return [...keyed].sort(byKey).map(([key, of]) => {
        const [payer_id = '', product = '', currency = ''] = JSON.parse(key) as string[];
        const total = (isOld: boolean) =>
            sum(of.filter((part) => part.isOld === isOld).map(({ amount }) => amount));
        const [old, now] = [total(true), total(false)];
        return { payer_id, currency, product, old, new: now, ...moved(old, now) };
    });
}

const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) =>
    one < other ? -1 : 1;

function usageOf({ payer_id, meter, attributes, unit, quantity, event_count }: Group): DiffUsage {
    return { payer_id, meter, attributes, unit, quantity: sum([quantity]), event_count };
}

/** The group, when the one card prices it and the other does not. */
function lost(group: Group, priced: Outcome, other: Outcome): readonly RatedOrNot[] {
    if (priced.kind !== 'rated' || other.kind !== 'unrated') return [];
    const { product, amount } = priced;
    const { currency } = group;
    return [{ ...usageOf(group), product, amount: sum([amount]), currency, code: other.code }];
}

/** Usage that differs only in when it was, as one. */
function merged<U extends DiffUsage & { readonly amount?: string }>(
    all: readonly U[],
): readonly U[] {
    const alike = Map.groupBy(all, ({ quantity, event_count, amount, ...rest }) =>
        JSON.stringify(rest),
    );
    return [...alike.values()].map((of) => ({
        ...(of[0] as U),
        quantity: sum(of.map(({ quantity }) => quantity)),
        event_count: sum(of.map(({ event_count }) => event_count)),
        ...(of[0]?.amount === undefined
            ? {}
            : { amount: sum(of.map(({ amount }) => amount ?? '0')) }),
    }));
}
