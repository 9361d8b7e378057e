import { forever, type Instant, parseInstant } from '../time/instant.ts';
import { type CompiledRate, type Pattern, type Place, patternOf } from './card.ts';

/** A rate with its pattern and its half-open span of time read. */
export interface Span {
    readonly rate: CompiledRate;
    readonly pattern: Pattern;
    readonly from: Instant;
    readonly to: Instant;
}

/** Reads the rates, in the order of time and then of the file. */
export function spansOf(rates: readonly CompiledRate[]): readonly Span[] {
    return rates
        .map((rate) => ({
            rate,
            pattern: patternOf(rate),
            from: parseInstant(rate.effective_from),
            to: rate.effective_to === null ? forever : parseInstant(rate.effective_to),
        }))
        .sort(inTimeOrder);
}

function inTimeOrder(one: Span, other: Span): number {
    if (one.from !== other.from) return one.from < other.from ? -1 : 1;
    return isWrittenAfter(one, other) ? 1 : -1;
}

/** Whether a rate stands after another in the files: problems are shown at the later one. */
export function isWrittenAfter(one: Span, other: Span): boolean {
    const { file, line } = one.rate;
    return file === other.rate.file ? line > other.rate.line : file > other.rate.file;
}

/** The spans by a key of them, order kept. */
export function groupBy(
    spans: readonly Span[],
    key: (span: Span) => string,
): ReadonlyMap<string, readonly Span[]> {
    return Map.groupBy(spans, key);
}

/** Whether the spans leave no instant of `[from, to)` uncovered. */
export function covers(spans: readonly Span[], from: Instant, to: Instant): boolean {
    let reached = from;
    for (const span of [...spans].sort(inTimeOrder)) {
        if (span.from > reached) break;
        if (span.to > reached) reached = span.to;
    }
    return reached >= to;
}

/** Where a rate is written. */
export function placeOf({ rate }: Span): Place {
    return { file: rate.file, line: Number.parseInt(`${rate.line}`, 10) };
}

/** The same as text: `file:line`. */
export function textOf({ rate }: Span): string {
    return `${rate.file}:${rate.line}`;
}
