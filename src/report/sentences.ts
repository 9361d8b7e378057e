import { amountWithCode, counted, figure, listed, summaryAmount } from './figures.ts';
import type { Headline, Sum } from './headline.ts';

/** The first screen in words: rated, tied or not, held, broken. Names are the caller's to escape. */
export function headlineSentences(period: string, headline: Headline): readonly string[] {
    return [
        ratedSentence(period, headline),
        ...besideSentence(headline),
        tieOutSentence(headline),
        ...unauditableSentence(headline),
        heldSentence(headline),
        ...straySentence(headline),
        breakSentence(headline),
    ];
}

/** `1.00 EUR and 2.00 USD` */
export function sumsText(sums: readonly Sum[]): string {
    return listed(sums.map(({ amount, unit }) => amountWithCode(amount, unit)));
}

/** Sums for a summary: rounded to the digits of their currency. */
function summaryText(sums: readonly Sum[]): string {
    return listed(sums.map(({ amount, unit }) => summaryAmount(amount, unit)));
}

/** How many payers these are; one with two currencies counts once. */
export function payersOf(held: Headline['held']): number {
    return new Set(held.map((payer) => payer.payer_id)).size;
}

function ratedSentence(period: string, headline: Headline): string {
    const { rated, line_count, payer_count, pipeline } = headline;
    const payers = counted(payer_count, 'payer');
    if (pipeline === 'reconcile') {
        if (rated.length === 0) return `${period} has no rated usage.`;
        return `${period} was rated at ${summaryText(rated)} for ${payers}; a reconciliation writes no invoice lines.`;
    }
    if (line_count === 0) return `${period} has no invoice lines.`;
    return `${period} was rated at ${sumsText(rated)}: ${counted(line_count, 'invoice line')} for ${payers}.`;
}

/** How what was rated becomes what is invoiced, where anything stands between them. */
function besideSentence(headline: Headline): readonly string[] {
    const { settled, drawn, promised, corrected, invoiced } = headline;
    const parts = [
        ...(settled.length ? [`wallets paid ${sumsText(settled)} of it`] : []),
        ...(drawn.length ? [`grants and prepaid commitments paid ${sumsText(drawn)}`] : []),
        ...(promised.length ? [`commitments add ${sumsText(promised)}`] : []),
        ...(corrected.length ? [`corrections of closed periods add ${sumsText(corrected)}`] : []),
    ];
    if (parts.length === 0) return [];
    const text = listed(parts);
    return [`${text.charAt(0).toUpperCase()}${text.slice(1)}: ${sumsText(invoiced)} is left.`];
}

function tieOutSentence(headline: Headline): string {
    const { group_count, unauditable_count, untied_count, unexplained } = headline;
    const compared = group_count - unauditable_count;
    if (untied_count > 0) {
        const groups = counted(group_count, 'account-and-asset group');
        const leaves = untied_count === 1 ? 'does' : 'do';
        return (
            `The tie-out is NOT zero: ${untied_count} of ${groups} ${leaves} not add up and ` +
            `${sumsText(unexplained)} net is unexplained.`
        );
    }
    if (compared === 0) return 'Nothing was tied out: there is no debit log to compare with.';
    const groups = counted(compared, 'account-and-asset group');
    return (
        `The tie-out is zero: in ${compared === 1 ? 'the one group' : `all ${groups}`}, what was ` +
        'rated less what was debited is explained to the last digit.'
    );
}

function unauditableSentence({ group_count, unauditable_count }: Headline): readonly string[] {
    if (unauditable_count === 0 || unauditable_count === group_count) return [];
    const groups = counted(unauditable_count, 'group');
    const have = unauditable_count === 1 ? 'has' : 'have';
    return [
        `${groups} ${have} no debit log and could not be audited; that is not “no difference”.`,
    ];
}

function heldSentence({ held, held_amounts, payer_count }: Headline): string {
    const count = payersOf(held);
    if (count === 0) return 'No payer is held.';
    const are = count === 1 ? 'is' : 'are';
    const waits =
        held_amounts.length === 0 ? '' : `; ${sumsText(held_amounts)} must not be delivered yet`;
    return `${figure(String(count))} of ${counted(payer_count, 'payer')} ${are} held${waits}.`;
}

function straySentence({ stray_break_count: count }: Headline): readonly string[] {
    if (count === 0) return [];
    const belong = count === 1 ? 'belongs' : 'belong';
    return [
        `${counted(count, 'break')} ${belong} to no payer: no hold covers ${count === 1 ? 'it' : 'them'}.`,
    ];
}

function breakSentence(headline: Headline): string {
    const { break_count, break_sizes, break_effects, unpriced_break_count } = headline;
    if (break_count === 0) return 'There are no open breaks.';
    const are = break_count === 1 ? 'is' : 'are';
    const first = `${counted(break_count, 'break')} ${are} open`;
    const sizes = summaryText(break_sizes);
    const worth =
        break_sizes.length === 0
            ? ''
            : `, ${sizes} in size and ${summaryText(break_effects)} net (rated less debited)`;
    const have = unpriced_break_count === 1 ? 'has' : 'have';
    const unpriced =
        unpriced_break_count === 0
            ? ''
            : `; ${figure(String(unpriced_break_count))} ${have} no price`;
    return `${first}${worth}${unpriced}.`;
}
