import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import {
    amountFigure,
    amountWithCode,
    compareDecimals,
    counted,
    figure,
} from '../report/figures.ts';
import {
    name,
    nothing,
    number,
    numeric,
    remainder,
    section,
    table,
    text,
} from '../report/html-parts.ts';
import { proposalText } from '../report/item-status.ts';
import { visible } from '../report/visible.ts';
import type { PayerLines } from '../run/payer-lines.ts';
import type { PayerTotal } from '../schema/break.ts';
import type { PayerStanding, Standing } from '../schema/item.ts';
import type { LineItem } from '../schema/line-item.ts';
import type { Visitor } from './guard.ts';
import { shortKey } from './keys.ts';
import { facts, when } from './layout.ts';
import { payerBadge } from './page-period.ts';
import { queueAddress } from './queue.ts';
import { letForm } from './work-form.ts';

/** A payer: whether its lines may go out and why not, what can be done, and its lines. */
export function payerPage(
    standing: Standing,
    payer: PayerStanding,
    total: PayerTotal | undefined,
    lines: PayerLines,
    visitor: Visitor,
): ComponentChildren {
    const { period } = standing;
    const key = shortKey(payer.payer_id);
    const queue = queueAddress(`/periods/${period}/breaks`, { payer: key });
    return [
        html`<h1>${name(payer.payer_name || payer.payer_id)} ${payerBadge(payer)}</h1>`,
        html`<p>${reasonOf(payer, total)}</p>`,
        facts([
            ['Payer', html`<code>${name(payer.payer_id)}</code>`],
            ['To pay', total && amountWithCode(total.amount, visible(payer.currency))],
            [
                'Open breaks',
                html`<a href=${queue}>${figure(String(payer.open_count))}</a>${
                    payer.unpriced_count > 0 &&
                    `, ${figure(String(payer.unpriced_count))} without a price`
                }`,
            ],
            ['Worth', amountWithCode(payer.open_money, visible(payer.currency))],
            ['Hold limit', amountWithCode(payer.hold_limit, visible(payer.currency))],
            [
                'Usage without a price',
                payer.unrated_count > 0 && counted(payer.unrated_count, 'row'),
            ],
            ['Proposed', payer.proposed && proposalText(payer.proposed)],
            ['Released', payer.released && releaseText(payer.released)],
        ]),
        letForm(standing, payer, key, visitor),
        section('lines', 'Invoice lines', ...linesOf(lines, period)),
    ];
}

function releaseText({ by, at, reason }: NonNullable<PayerStanding['released']>): VNode {
    return html`by ${name(by)} at ${when(at)}: ${name(reason, 2_000)}`;
}

function reasonOf(payer: PayerStanding, total: PayerTotal | undefined): string {
    const { standing, open_money, hold_limit, unpriced_count, unrated_count } = payer;
    const isOver = compareDecimals(open_money, hold_limit) > 0;
    const whys = [
        ...(isOver ? ['its open breaks are over its limit'] : []),
        ...(unpriced_count > 0 ? ['some of its breaks have no price'] : []),
        ...(unrated_count > 0 ? ['some of its usage has no price'] : []),
        ...((total?.unpriced_fee_count ?? 0) > 0 ? ['a fee has no price'] : []),
    ];
    const sentences = {
        held: `Its lines are held: ${whys.join(', ')}.`,
        released: 'Its lines may go out: a person released what held them.',
        resolved: 'Its lines may go out: what held them is resolved.',
        unauditable: 'Its lines may go out; there is no debit log to compare them with.',
        clear: 'Its lines may go out.',
    };
    return sentences[standing];
}

function linesOf({ lines, line_count }: PayerLines, period: string): ComponentChildren[] {
    if (lines.length === 0) return [nothing('The run wrote no lines for it.')];
    return [
        table(
            'Lines of the payer, the largest first',
            [
                ...[text('Line'), text('Type'), text('Account'), numeric('Quantity')],
                ...[numeric('Unit price'), numeric('Amount'), text('Currency')],
            ],
            lines.map((line) => lineRow(line, period)),
        ),
        remainder(lines.length, line_count, 'line_items.csv'),
    ];
}

function lineRow(line: LineItem, period: string): VNode {
    const { line_key, currency } = line;
    return html`<tr>
        <th scope="row" class="name">
            <a href=${`/periods/${period}/explain?key=${line_key}`}>${name(line.description)}</a>
            <br /><code class="quiet">${line_key.slice(0, 12)}</code>
        </th>
        <td>${line.line_type.replaceAll('_', ' ')}</td>
        <td class="name"><code>${name(line.account_id)}</code></td>
        ${number(`${figure(line.quantity)} ${visible(line.unit)}`)} ${number(figure(line.unit_price))}
        ${number(amountFigure(line.amount, currency))}
        <td>${name(currency)}</td>
    </tr>`;
}

/** A line explained, as `tieout explain` prints it. */
export function explainPage(lineKey: string, text: string): ComponentChildren {
    return [
        html`<h1>Line <code>${lineKey.slice(0, 12)}</code></h1>`,
        html`<p class="quiet">
            From its rate to the events behind it and their debits, as ${' '}
            <code>tieout explain ${lineKey}</code> prints it.
        </p>`,
        html`<pre tabindex="0" aria-label="Explanation">${text}</pre>`,
    ];
}
