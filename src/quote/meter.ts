import type { Engine } from '../duck/engine.ts';
import { add, formatAmount, parseAmount } from '../money/amount.ts';
import type { QuoteLine } from '../schema/quote.ts';
import { type MeteredLine, meteredLine, meterLines } from './aggregate.ts';
import { QuoteError } from './error.ts';
import { paidAmounts } from './metered-events.ts';
import { isPricedByEvent } from './models.ts';
import type { ReadLine } from './read.ts';
import type { GroupUsage } from './units.ts';

type Usages = readonly GroupUsage[] | QuoteError;

/** The quantities to price of every line, or why a line has none. */
export async function usagesOf(
    engine: Engine,
    lines: readonly ReadLine[],
): Promise<readonly Usages[]> {
    const metered = new Map<number, MeteredLine>();
    const usages = lines.map((read, lineNo): Usages => {
        if ('error' in read) return [];
        try {
            if (read.line.events === undefined) return usageOf(read.line);
            metered.set(lineNo, meteredLine(read.line));
            return isPricedByEvent(read.line)
                ? [{ ...bare('0'), events: paidAmounts(read.line) }]
                : [bare('0')];
        } catch (error) {
            if (error instanceof QuoteError) return error;
            throw error;
        }
    });
    const quantities = await meterLines(engine, metered);
    // Events are all of the period so far: what was billed before is not added to them.
    return usages.map((usage, lineNo) => {
        const quantity = quantities.get(lineNo);
        if (quantity === undefined || usage instanceof QuoteError) return usage;
        return usage.map((of) => ({ ...of, quantity: shortest(quantity) }));
    });
}

function shortest(quantity: string): string {
    return formatAmount(parseAmount(quantity));
}

function usageOf(line: QuoteLine): readonly GroupUsage[] {
    const { quantity, groups, commitment } = line;
    if (groups) return groupUsages(line, groups);
    if (commitment?.window_quantities) {
        return commitment.window_quantities.map((text, index) => ({
            ...bare(text),
            group_id: String(index + 1),
        }));
    }
    return [bare(typeof quantity === 'string' ? cumulative(line, quantity) : '0')];
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
