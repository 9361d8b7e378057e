import type { Engine } from '../duck/engine.ts';
import { add, formatAmount, parseAmount } from '../money/amount.ts';
import type { QuoteEvent, QuoteLine } from '../schema/quote.ts';
import { parseInstant } from '../time/instant.ts';
import { QuoteError } from './error.ts';
import { isOfAmounts, isPricedByEvent, type ReadLine } from './read.ts';
import type { GroupUsage } from './units.ts';

/** The quantities to price of every line, or why a line has none. */
export async function usagesOf(
    _engine: Engine,
    lines: readonly ReadLine[],
): Promise<readonly (readonly GroupUsage[] | QuoteError)[]> {
    return lines.map((read) => {
        if ('error' in read) return [];
        try {
            return usageOf(read.line);
        } catch (error) {
            if (error instanceof QuoteError) return error;
            throw error;
        }
    });
}

function usageOf(line: QuoteLine): readonly GroupUsage[] {
    const { quantity, groups, meter, events } = line;
    if (groups) return groupUsages(line, groups);
    if (typeof quantity === 'string') return [bare(cumulative(line, quantity))];
    // Amounts of events are all of the period so far: nothing is added to them.
    if (events && isOfAmounts(line.charge.model) && (meter?.aggregation ?? 'sum') === 'sum') {
        const values = paidEvents(line, events);
        const sum = values.reduce((total, text) => add(total, parseAmount(text)), parseAmount('0'));
        const each = isPricedByEvent(line) ? values : null;
        return [{ group_id: '', quantity: formatAmount(sum), events: each }];
    }
    if (meter) throw new QuoteError('QUOTE_LATER', 'a meter over events is not built yet');
    return [bare('0')];
}

function bare(quantity: string): GroupUsage {
    return { group_id: '', quantity, events: null };
}

/** What was billed before counts too: the tiers go on where they stood. */
function cumulative({ previously_billed }: QuoteLine, quantity: string): string {
    if (!previously_billed) return quantity;
    return formatAmount(add(parseAmount(previously_billed.quantity), parseAmount(quantity)));
}

function groupUsages(
    line: QuoteLine,
    groups: Readonly<Record<string, string>>,
): readonly GroupUsage[] {
    if (line.charge.tier_scope !== 'pool') {
        return Object.entries(groups)
            .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
            .map(([group_id, quantity]) => ({ group_id, quantity, events: null }));
    }
    const amounts = Object.values(groups).map(parseAmount);
    if (amounts.some(({ units }) => units < 0n)) {
        throw new QuoteError('QUOTE_USAGE', 'a pool has no quantity below zero');
    }
    const sum = amounts.reduce((total, of) => add(total, of), parseAmount('0'));
    return [bare(cumulative(line, formatAmount(sum)))];
}

const decimal = /^-?\d+(\.\d{1,12})?$/;

/** Amounts of the events that pay, in the order of their instant, id and place. */
function paidEvents(line: QuoteLine, events: readonly QuoteEvent[]): readonly string[] {
    const field = line.meter?.field ?? 'value';
    const placed = uniqueEvents(events)
        .filter((event) => isMetered(line, event))
        .map((event, place) => ({ event, place, at: instantOf(event) }))
        .sort(
            (one, other) =>
                (one.at < other.at ? -1 : one.at > other.at ? 1 : 0) ||
                Buffer.compare(
                    Buffer.from(one.event.id ?? ''),
                    Buffer.from(other.event.id ?? ''),
                ) ||
                one.place - other.place,
        );
    return placed.flatMap(({ event }) => {
        const value = event[field];
        if (value == null) return [];
        if (!decimal.test(value)) {
            throw new QuoteError('QUOTE_DECIMAL', `event ${event.id ?? ''}: ${field} is ${value}`);
        }
        return [value];
    });
}

/** An event without an instant comes before all that have one. */
function instantOf(event: QuoteEvent): bigint {
    if (event.at == null) return -(2n ** 62n);
    try {
        return parseInstant(event.at);
    } catch {
        throw new QuoteError('QUOTE_EVENT', `${event.at} is not an instant with a zone`);
    }
}

/** The same id with the same content counts once; with another content nothing can be priced. */
export function uniqueEvents(events: readonly QuoteEvent[]): readonly QuoteEvent[] {
    const seen = new Map<string, string>();
    return events.filter((event) => {
        if (event.id == null) return true;
        const content = JSON.stringify(Object.entries(event).sort());
        const before = seen.get(event.id);
        if (before === undefined) {
            seen.set(event.id, content);
            return true;
        }
        if (before === content) return false;
        throw new QuoteError('QUOTE_EVENT', `event ${event.id} is there twice and differs`);
    });
}

/** Whether an event is of the period and passes the filter of the meter. */
export function isMetered(line: QuoteLine, event: QuoteEvent): boolean {
    const { meter } = line;
    if (!meter) return true;
    const { period_start, period_end } = meter;
    const at = instantOf(event);
    if ((period_start || period_end) && event.at == null) {
        throw new QuoteError('QUOTE_EVENT', `event ${event.id ?? ''} has no instant`);
    }
    if (period_start && at < instantOf({ at: period_start })) return false;
    if (period_end && at >= instantOf({ at: period_end })) return false;
    return Object.entries(meter.filter).every(([name, wanted]) => {
        const value = event[name];
        return (
            value != null &&
            (typeof wanted === 'string' ? value === wanted : wanted.includes(value))
        );
    });
}
