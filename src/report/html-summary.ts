import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { counted, figure, summaryAmount } from './figures.ts';
import { type Headline, type HeldPayer, holdReason, type Sum } from './headline.ts';
import { badge, name } from './html-parts.ts';
import type { ReportModel } from './model.ts';
import { payersOf } from './sentences.ts';
import { visible } from './visible.ts';

/** Held payers the first screen names; the table of payers has all. */
const LIMIT = 6;
/** Longest name that still leaves its sentence on one line. */
const NAME_LIMIT = 60;

/** The badge beside the title. */
export function verdict({ untied_count, held, result }: Headline): VNode {
    if (untied_count > 0) return badge('bad', 'Does not tie out');
    if (result === 'clean') return badge('good', 'Clean');
    const payers = payersOf(held);
    return badge('warn', payers === 0 ? 'Held' : `${counted(payers, 'payer')} held`);
}

/** The first screen: what may be done, the figures behind it, and both in sentences. */
export function summary({ answer, headline, sentences }: ReportModel): VNode {
    return html`<div>
        <div class=${`answer ${answer.tone}`}>
            <p>${visible(answer.text)}</p>
            ${heldPayers(headline)}
        </div>
        <dl class="tiles">
            ${headline.pipeline === 'nightly' ? invoiceTiles(headline) : ratedTile(headline)}
            ${tieOutTile(headline)} ${breaksTile(headline)}
        </dl>
        <ul class="sentences">
            ${sentences.map((sentence) => html`<li>${visible(sentence)}</li>`)}
        </ul>
    </div>`;
}

/** Who waits, and why; of no interest where nothing may go out at all. */
function heldPayers({ held, pipeline, untied_count }: Headline): VNode | null {
    if (held.length === 0 || untied_count > 0) return null;
    const shown = held.slice(0, LIMIT);
    const more = held.length - shown.length;
    return html`<ul>
        ${shown.map((payer) => html`<li>${heldPayer(payer, pipeline === 'nightly')}</li>`)}
        ${more > 0 && html`<li><a href="#payers">and ${figure(String(more))} more</a></li>`}
    </ul>`;
}

function heldPayer(payer: HeldPayer, isInvoiced: boolean): VNode {
    const money = (amount: string) => visible(summaryAmount(amount, payer.currency));
    const waiting = isInvoiced ? `, ${money(payer.amount)}` : '';
    const reason = visible(holdReason(payer));
    return html`<strong>${name(payer.payer_name, NAME_LIMIT)}</strong>${waiting}: ${reason}`;
}

function ratedTile({ rated, payer_count }: Headline): VNode {
    return tile('Rated', sums(rated), counted(payer_count, 'payer'));
}

function invoiceTiles(headline: Headline): VNode[] {
    const { unaudited_amounts, payer_count } = headline;
    const isTied = headline.untied_count === 0;
    const held = figure(String(payersOf(headline.held)));
    const unaudited =
        unaudited_amounts.length === 0 ? '' : `${sumsNote(unaudited_amounts)} unaudited`;
    return [
        tile('Rated', sums(headline.rated), counted(headline.line_count, 'line')),
        tile(isTied ? 'May be invoiced' : 'Not held', sums(headline.ready_amounts), unaudited),
        tile('Held', sums(headline.held_amounts), `${held} of ${counted(payer_count, 'payer')}`),
    ];
}

function tieOutTile({ untied_count, unauditable_count, group_count }: Headline): VNode {
    const isNothing = group_count === unauditable_count;
    const tied = untied_count > 0 ? 'Not zero' : isNothing ? 'No debit log' : 'Zero';
    const tone = untied_count > 0 ? 'bad' : isNothing ? 'warn' : 'good';
    const groups = counted(group_count, 'group');
    const unaudited =
        unauditable_count === 0 ? '' : `, ${figure(String(unauditable_count))} unauditable`;
    return tile('Tie-out', html`<span class=${tone}>${tied}</span>`, groups + unaudited);
}

function breaksTile({ break_count, break_sizes }: Headline): VNode {
    return tile('Open breaks', figure(String(break_count)), sumsNote(break_sizes));
}

function tile(label: string, value: VNode | VNode[] | string, note: string): VNode {
    return html`<div class="tile">
        <dt>${label}</dt>
        <dd class="figure">${value}</dd>
        <dd class="quiet small">${note}</dd>
    </div>`;
}

function sums(all: readonly Sum[]): VNode[] | string {
    if (all.length === 0) return 'Nothing';
    return all.map(({ amount, unit }) => html`<div>${visible(summaryAmount(amount, unit))}</div>`);
}

function sumsNote(all: readonly Sum[]): string {
    return all.map(({ amount, unit }) => visible(summaryAmount(amount, unit))).join(', ');
}
