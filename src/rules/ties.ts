import { canonicalJson, describePattern, type Pattern } from './card.ts';
import type { Problems } from './problems.ts';
import { covers, groupBy, isWrittenAfter, placeOf, type Span, textOf } from './spans.ts';

/** The rates of one meter that name the same attributes. */
interface MaskGroup {
    readonly mask: readonly string[];
    readonly spans: readonly Span[];
    readonly byKey: ReadonlyMap<string, readonly Span[]>;
}

/** More than this many is one mistake, not many: ties grow with the product of two lists. */
const tiesShown = 100;

/**
 * Finds pairs of rates between which nothing decides: as specific, of the same priority, from the
 * same instant, and with no attribute on which both insist on different values. Rates with the same
 * mask never tie. Between two masks the pairs are found by a hash join on the attributes they
 * share.
 */
export function lintTies(spans: readonly Span[], problems: Problems): void {
    let left = tiesShown;
    for (const ofMeter of groupBy(spans, ({ rate }) => rate.meter).values()) {
        const groups = maskGroups(ofMeter);
        for (const [one, other] of tiesOf(groups)) {
            if (isDecided(one, other, groups)) continue;
            if (left === 0) {
                problems.add(
                    placeOf(other),
                    'RATE_TIE',
                    `there are more ties than these ${tiesShown}`,
                );
                return;
            }
            left -= 1;
            report(one, other, problems);
        }
    }
}

function maskGroups(spans: readonly Span[]): readonly MaskGroup[] {
    return [...groupBy(spans, ({ rate }) => JSON.stringify(rate.mask)).values()].map((ofMask) => ({
        mask: ofMask[0]?.rate.mask ?? [],
        spans: ofMask,
        byKey: groupBy(ofMask, ({ rate }) => rate.match_key),
    }));
}

function* tiesOf(groups: readonly MaskGroup[]): Iterable<readonly [Span, Span]> {
    for (const [index, one] of groups.entries()) {
        for (const other of groups.slice(index + 1)) {
            if (one.mask.length !== other.mask.length) continue;
            const shared = one.mask.filter((name) => other.mask.includes(name));
            const key = ({ rate, pattern, from }: Span) =>
                JSON.stringify([
                    `${rate.priority}`,
                    `${from}`,
                    ...shared.map((name) => pattern[name]),
                ]);
            const index = groupBy(one.spans, key);
            for (const span of other.spans) {
                for (const rival of index.get(key(span)) ?? []) yield [rival, span];
            }
        }
    }
}

/**
 * Whether usage that both rates match is always priced by a third that beats them: a more specific
 * one, one of higher priority, or a later one.
 */
function isDecided(one: Span, other: Span, groups: readonly MaskGroup[]): boolean {
    const both: Pattern = { ...one.pattern, ...other.pattern };
    const better = groups.flatMap(({ mask, byKey }) => {
        if (mask.length < one.rate.mask.length) return [];
        if (!mask.every((name) => Object.hasOwn(both, name))) return [];
        const key = canonicalJson(Object.fromEntries(mask.map((name) => [name, both[name] ?? ''])));
        return (byKey.get(key) ?? []).filter((span) => beats(span, one));
    });
    // Both begin together, so they share the time up to whichever end comes first.
    return covers(better, one.from, one.to) || covers(better, one.from, other.to);
}

function beats(span: Span, other: Span): boolean {
    if (span.rate.specificity !== other.rate.specificity) {
        return span.rate.specificity > other.rate.specificity;
    }
    if (span.rate.priority !== other.rate.priority) return span.rate.priority > other.rate.priority;
    return span.from > other.from;
}

function report(one: Span, other: Span, problems: Problems): void {
    const [first, second] = isWrittenAfter(one, other) ? [other, one] : [one, other];
    const both = describePattern({ ...one.pattern, ...other.pattern });
    problems.add(
        placeOf(second),
        'RATE_TIE',
        `nothing decides between this rate for ${describePattern(second.pattern)} and the one ` +
            `for ${describePattern(first.pattern)} at ${textOf(first)}: usage with ${both} ` +
            'matches both, ' +
            'with as many attributes, the same priority and the same from',
        { remedy: `Give one of them a higher priority, or add a rate for ${both}.` },
    );
}
