import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CompiledRate, patternOf } from '../../../src/rules/card.ts';
import { lintCard } from '../../../src/rules/lint.ts';
import { cardOf, loaded } from './support.ts';

const names = ['a', 'b', 'c'];
const times = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'] as const;
/** z is in no rate: usage that only wildcards match. */
const values = ['x', 'y', 'z'];

const rate = fc.record({
    when: fc.tuple(...names.map(() => fc.constantFrom('x', 'y', '*', '*'))),
    from: fc.constantFrom(times[0], times[1]),
    to: fc.constantFrom(times[2], undefined, undefined),
    priority: fc.constantFrom(0, 0, 0, 1),
});

/** All usage there is: every combination of values. */
const usages = values.flatMap((a) => values.flatMap((b) => values.map((c) => ({ a, b, c }))));

/** The rates that the matching law of rating-rules/README.md leaves, by trying them all. */
function winners(
    rates: readonly CompiledRate[],
    usage: Readonly<Record<string, string>>,
    at: string,
) {
    const rank = (of: CompiledRate) => `${of.specificity} ${of.priority} ${of.effective_from}`;
    const matching = rates.filter(
        (of) =>
            Object.entries(patternOf(of)).every(([name, value]) => usage[name] === value) &&
            of.effective_from <= at &&
            (of.effective_to === null || at < of.effective_to),
    );
    const best = matching.map(rank).sort().at(-1);
    return matching.filter((of) => rank(of) === best);
}

test('lint finds a tie or an overlap exactly when some usage has two best rates', () => {
    fc.assert(
        fc.property(fc.array(rate, { minLength: 1, maxLength: 9 }), (rates) => {
            const lines = rates.map(({ when, from, to, priority }) => {
                const pattern = when.map((value, at) => `${names[at]}: "${value}"`).join(', ');
                const end = to === undefined ? '' : `, to: ${to}`;
                return `when: { ${pattern} }, price: "1", from: ${from}${end}, priority: ${priority}`;
            });
            const card = loaded({ 'rules/card.yaml': cardOf(lines) });
            const codes = new Set(
                lintCard(card, { known: { meters: { tokens: names } } }).map(({ code }) => code),
            );
            const isAmbiguous = usages.some((usage) =>
                times.some((at) => winners(card.rates, usage, at).length > 1),
            );
            const hasOverlap = codes.has('RATE_OVERLAP') || codes.has('DUPLICATE_RATE');
            // Overlaps are refused even where the later from decides, so only one way is exact then.
            if (hasOverlap) return;
            expect(codes.has('RATE_TIE')).toBe(isAmbiguous);
        }),
        { numRuns: 1000 },
    );
});
