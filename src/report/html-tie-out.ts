import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { amountFigure } from './figures.ts';
import {
    choice,
    name,
    named,
    nothing,
    number,
    numeric,
    remainder,
    section,
    status,
    table,
    text,
} from './html-parts.ts';
import type { ReportModel } from './model.ts';
import { NOT_LISTED, type Waterfall } from './waterfall.ts';

/** Rows of the table: a page must open on a phone. */
const LIMIT = 500;

export function tieOutSection({ waterfalls }: ReportModel): VNode {
    const intro = html`<p>
        In each asset: what was rated, less what the wallets were debited, must be explained by the
        breaks, by rounding within tolerance, and by what the terms of a rate (tiers, fees, minimums,
        discounts) changed against its list price once the total of the period was known. What is left
        over must be zero.
    </p>`;
    if (waterfalls.length === 0)
        return section('tie-out', 'Tie-out', intro, nothing('Nothing to tie out.'));
    const shown = waterfalls.slice(0, LIMIT);
    // A column of zeros would push the last one off the page.
    const isRepriced = shown.some(({ repriced }) => /[1-9]/.test(repriced));
    return section(
        'tie-out',
        'Tie-out',
        intro,
        table(
            'Tie-out per payer and asset; those that need attention first',
            [
                text('Payer'),
                choice('Result'),
                choice('Asset'),
                numeric('Rated'),
                numeric('Debited'),
                numeric('Difference'),
                numeric('= Breaks'),
                numeric('+ Rounding'),
                ...(isRepriced ? [numeric('+ Repriced')] : []),
                numeric('+ Unexplained'),
            ],
            shown.map((one) => waterfallRow(one, isRepriced)),
            { count: waterfalls.length, file: 'certificate.json' },
        ),
        remainder(shown.length, waterfalls.length, 'certificate.json'),
    );
}

function waterfallRow(one: Waterfall, isRepriced: boolean): VNode {
    const amount = (value: string) => amountFigure(value, one.asset);
    const isOff = one.untied_count > 0;
    const result = isOff ? 'not tied' : one.status;
    return html`<tr class=${isOff ? 'attention' : undefined}>
        <th scope="row" class="name">${named(one.payer_name, one.payer_id)}</th>
        <td>${status(result)}</td>
        <td>${name(one.asset)}</td>
        ${number(amount(one.rated))} ${number(amount(one.debited))}
        ${number(amount(one.difference))}
        <td class="number">
            ${amount(one.broken)}
            ${
                one.breaks.length > 0 &&
                html`<ul class="parts">
                ${one.breaks.map(
                    (part) => html`<li>
                        <code>${partName(part.code)}</code><span>${amount(part.amount)}</span>
                    </li>`,
                )}
            </ul>`
            }
        </td>
        ${number(amount(one.rounding))} ${isRepriced && number(amount(one.repriced))}
        ${number(amount(one.unexplained))}
    </tr>`;
}

function partName(code: string): string | VNode {
    return code === NOT_LISTED ? 'other side of a mismatch' : name(code);
}
