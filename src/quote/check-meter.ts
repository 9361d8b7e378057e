import type { QuoteMeter } from '../schema/quote.ts';
import { parseInstant } from '../time/instant.ts';
import { isZone } from '../time/zone.ts';
import { QuoteError } from './error.ts';

const levelKinds: readonly string[] = ['weighted_sum', 'min', 'max', 'latest'];
const percent = /^(0*100(\.0+)?|0*\d{1,2}(\.\d+)?)$/;

/** Whether the meter follows a level through time, which is there before the first event. */
export function isOfLevel({ aggregation, values }: QuoteMeter): boolean {
    return aggregation === 'weighted_sum' || values === 'deltas';
}

/** The window of a meter in full. */
export function windowOf({ window }: QuoteMeter) {
    return typeof window === 'string' ? { unit: window, zone: 'UTC' } : window;
}

/** The first thing about a meter that makes no sense, before any event is looked at. */
export function meterProblem(meter: QuoteMeter): QuoteError | null {
    return modifierProblem(meter) ?? percentileProblem(meter) ?? timeProblem(meter);
}

/** What is written and would do nothing is refused: it may not vanish. */
function modifierProblem(meter: QuoteMeter): QuoteError | null {
    const { aggregation, values, opening, window, percentile, operation_field, optional } = meter;
    const wrong = [
        values !== undefined &&
            !levelKinds.includes(aggregation) &&
            `values is of ${levelKinds.join(', ')}, not of ${aggregation}: leave it out`,
        opening !== undefined &&
            !isOfLevel(meter) &&
            'opening is of weighted_sum, and of min, max, latest over deltas: leave it out',
        window !== undefined &&
            isOfLevel(meter) &&
            'a level goes through all windows: leave window out, or use max of levels',
        percentile !== undefined &&
            aggregation !== 'percentile' &&
            `percentile is of the aggregation percentile, not of ${aggregation}: leave it out`,
        operation_field !== undefined &&
            aggregation !== 'unique_count' &&
            `operation_field is of unique_count, not of ${aggregation}: leave it out`,
        optional !== undefined &&
            aggregation === 'count' &&
            'optional is of meters that look at a field, which count does not: leave it out',
    ].find((problem) => typeof problem === 'string');
    return wrong ? new QuoteError('QUOTE_MODIFIER', `meter: ${wrong}`) : null;
}

function percentileProblem({ aggregation, percentile }: QuoteMeter): QuoteError | null {
    if (aggregation !== 'percentile') return null;
    if (percentile === undefined) {
        return new QuoteError('QUOTE_MISSING', 'meter.percentile is missing: "0" to "100"');
    }
    if (percent.test(percentile)) return null;
    return new QuoteError('QUOTE_CHOICE', `meter.percentile is ${percentile}: "0" to "100"`);
}

function timeProblem(meter: QuoteMeter): QuoteError | null {
    const { aggregation, period_start, period_end } = meter;
    if (aggregation === 'weighted_sum' && !(period_start && period_end)) {
        return new QuoteError(
            'QUOTE_MISSING',
            'weighted_sum is a mean over a period: meter.period_start and meter.period_end are needed',
        );
    }
    const zone = windowOf(meter)?.zone;
    if (zone !== undefined && !isZone(zone)) {
        return new QuoteError('QUOTE_SPAN', `meter.window.zone: ${zone} is not a time zone`);
    }
    const bounds = Object.entries({ period_start, period_end }).map(([name, text]) => ({
        name,
        text,
        at: text === undefined ? undefined : readInstant(text),
    }));
    const unread = bounds.find(({ at }) => at === null);
    if (unread) {
        return new QuoteError(
            'QUOTE_SPAN',
            `meter.${unread.name}: ${unread.text} is not an instant with a zone`,
        );
    }
    const [start, end] = bounds.map(({ at }) => at);
    return start != null && end != null && start >= end
        ? new QuoteError('QUOTE_SPAN', `meter: ${period_start} to ${period_end} is an empty period`)
        : null;
}

/** Null for what is no instant. */
export function readInstant(text: string): bigint | null {
    try {
        return parseInstant(text);
    } catch {
        return null;
    }
}
