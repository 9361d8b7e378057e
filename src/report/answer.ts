import { counted } from './figures.ts';
import type { Headline } from './headline.ts';
import { payersOf, sumsText } from './sentences.ts';

/** What the reader may do now: the one sentence to read if only one is read. */
export interface Answer {
    readonly tone: 'good' | 'warn' | 'bad';
    readonly text: string;
}

export function answerOf(headline: Headline): Answer {
    if (headline.untied_count > 0) {
        return bad('Do not invoice from this run: it does not tie out.');
    }
    return headline.pipeline === 'nightly' ? invoiceAnswer(headline) : reconcileAnswer(headline);
}

function invoiceAnswer(headline: Headline): Answer {
    const { line_count, held, ready_amounts, held_amounts, unaudited_amounts } = headline;
    if (line_count === 0 && held.length === 0) return warn('There is nothing to invoice.');
    const ready = sumsText(ready_amounts);
    const payers = counted(payersOf(held), 'held payer');
    // A payer none of whose usage has a price is held without any line.
    const waits =
        held_amounts.length > 0
            ? `${sumsText(held_amounts)} must wait for ${payers}`
            : `${payers} must wait`;
    if (ready_amounts.length === 0) return warn(`Invoice nothing yet: ${waits}.`);
    if (held.length > 0) return warn(`${ready} may be invoiced now; ${waits}.`);
    if (headline.stray_break_count > 0) {
        const breaks = counted(headline.stray_break_count, 'break');
        return warn(`${ready} may be invoiced, but look at the ${breaks} without a payer first.`);
    }
    if (headline.group_count === headline.unauditable_count) {
        return warn(`${ready} may be invoiced, unaudited: there is no debit log.`);
    }
    if (unaudited_amounts.length > 0) {
        const unaudited = sumsText(unaudited_amounts);
        return warn(`${ready} may be invoiced; ${unaudited} of it has no debit log behind it.`);
    }
    return good(`All ${ready} may be invoiced.`);
}

function reconcileAnswer({ group_count, unauditable_count, held, result }: Headline): Answer {
    if (group_count === unauditable_count) {
        return warn('Nothing could be compared: there is no debit log.');
    }
    if (held.length > 0) {
        return warn(`Usage and debits differ too much for ${counted(payersOf(held), 'payer')}.`);
    }
    if (result === 'held') return warn('Usage and debits differ where no payer is known.');
    return good('Usage and debits agree within the limits of every payer.');
}

const good = (text: string): Answer => ({ tone: 'good', text });
const warn = (text: string): Answer => ({ tone: 'warn', text });
const bad = (text: string): Answer => ({ tone: 'bad', text });
