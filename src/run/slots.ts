import { beginning } from '../compile/meters.ts';
import type { Engine } from '../duck/engine.ts';
import { segmentAt, sqlTimestamp } from '../rules/card.ts';
import { parseInstant } from '../time/instant.ts';

/** A span of metered time, as the instants at which a card may price it differently. */
export interface Slot {
    readonly segment_at: string;
    readonly event_on: string;
    /** The first is a boundary before the span, the others are inside of it. */
    readonly instants: readonly string[];
}

/** The spans that the run metered apart. Instants are text of a SQL timestamp. */
export async function readSlots(
    engine: Engine,
    boundaries: readonly string[],
): Promise<readonly Slot[]> {
    const own = await engine.rows(
        `select effective_from as changed_at from rules.rates
         union select effective_to from rules.rates where effective_to is not null
         union select segment_at from metered.usage
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

/** Slots that are priced alike, by their number. */
export const slotKeys = (slots: readonly Slot[]) => [
    ...new Set(slots.map(({ instants }) => JSON.stringify(instants))),
];

/** A slot as an instant: what stands for `segment_at` where a card of its own is asked. */
export const slotAt = (slot: number) =>
    sqlTimestamp(parseInstant('2000-01-01T00:00:00Z') + BigInt(slot) * 1_000_000n);
