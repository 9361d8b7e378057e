import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { isCharged, type LineItem } from '../schema/line-item.ts';
import type { Chart } from './charts.ts';
import { amountFigure, figure } from './figures.ts';
import {
    choice,
    figures,
    name,
    named,
    nothing,
    number,
    numeric,
    prose,
    remainder,
    section,
    status,
    table,
    text,
} from './html-parts.ts';
import type { ReportModel } from './model.ts';

/** Rows of each table: a page must open on a phone. */
const LIMIT = { payers: 500, lines: 200 } as const;

export function payersSection(
    { payers, headline, standing }: ReportModel,
    charts: readonly Chart[],
): VNode {
    if (payers.length === 0) return section('payers', 'Payers', nothing('No payer was rated.'));
    const shown = payers.slice(0, LIMIT.payers);
    const unpriced = new Map(
        headline.held
            .filter((one) => one.unrated_count > 0 || !one.is_over_limit)
            .map((one) => [one.payer_id, one.unrated_count > 0 ? 'usage' : 'a break']),
    );
    const decided = new Map(
        standing.flatMap(({ payer_id, standing: of, released }): [string, VNode | string][] => {
            if (of === 'resolved') return [[payer_id, 'its breaks are resolved']];
            if (of !== 'released' || !released) return [];
            const { by, reason } = released;
            return [[payer_id, html`released by ${name(by)}: ${prose(reason)}`]];
        }),
    );
    return section(
        'payers',
        'Payers',
        html`<p>
            A payer is held when the money in its breaks is over its limit, when one of them has no
            price in its currency, or when no rate prices some of its usage. Held lines are not delivered; all other payers go out.
        </p>`,
        figures(charts),
        table(
            'Amounts and holds per payer and currency',
            [
                text('Payer'),
                choice('Currency'),
                numeric('Lines'),
                numeric('To pay'),
                numeric('Rated, exactly'),
                numeric('Breaks'),
                numeric('Money in breaks'),
                numeric('Hold limit'),
                choice('Status'),
            ],
            shown.map(
                (payer) => html`<tr>
                    <th scope="row" class="name">${named(payer.payer_name, payer.payer_id)}</th>
                    <td>${name(payer.currency)}</td>
                    ${number(figure(String(payer.line_count)))}
                    ${number(amountFigure(payer.amount, payer.currency))}
                    ${number(amountFigure(payer.amount_exact, payer.currency))}
                    ${number(figure(String(payer.break_count)))}
                    ${number(amountFigure(payer.break_money, payer.currency))}
                    ${number(amountFigure(payer.hold_limit, payer.currency))}
                    <td data-value=${payer.recon_status}>
                        ${status(payer.recon_status)}
                        ${decided.has(payer.payer_id) && html`<div class="quiet small">${decided.get(payer.payer_id)}</div>`}
                        ${unpriced.has(payer.payer_id) && html`<div class="quiet small">${unpriced.get(payer.payer_id)} has no price</div>`}
                    </td>
                </tr>`,
            ),
            { count: payers.length, file: 'certificate.json' },
        ),
        remainder(shown.length, payers.length, 'certificate.json'),
    );
}

export function linesSection({ lines }: ReportModel): VNode {
    const title = 'Invoice lines';
    if (lines.length === 0) return section('lines', title, nothing('There are no invoice lines.'));
    const shown = lines.slice(0, LIMIT.lines);
    return section(
        'lines',
        title,
        table(
            'Invoice lines by payer and account; tieout explain takes the line key',
            [
                text('Line key'),
                choice('Type'),
                text('Payer and account'),
                text('What for'),
                numeric('Quantity'),
                numeric('Unit price'),
                numeric('Amount'),
                choice('Status'),
            ],
            shown.map(lineRow),
            { count: lines.length, file: 'line_items.csv' },
        ),
        remainder(shown.length, lines.length, 'line_items.csv'),
    );
}

function lineRow(line: LineItem): VNode {
    const { payer_name, payer_id, account_name, account_id } = line;
    return html`<tr>
        <th scope="row"><code>${name(line.line_key.slice(0, 12))}</code></th>
        <td>${line.line_type.replaceAll('_', ' ')}</td>
        <td class="name">
            ${named(payer_name, payer_id)}
            ${account_id !== payer_id && html`<div>${named(account_name, account_id)}</div>`}
        </td>
        <td class="name">
            ${name(line.product)}
            ${!isCharged(line) && html`<div class="quiet">${prose(line.description)}</div>`}
            ${line.attributes !== '{}' && html`<br /><code class="quiet">${name(line.attributes)}</code>`}
        </td>
        ${
            // A line beside usage is one of its amount, and a fee has no unit: that says nothing more.
            isCharged(line)
                ? html`<td class="number">${figure(line.quantity)} ${name(line.unit)}</td>
                      ${number(line.line_type === 'fee' ? '' : figure(line.unit_price))}`
                : html`<td></td><td></td>`
        }
        <td class="number">${amountFigure(line.amount, line.currency)} ${name(line.currency)}</td>
        <td>${status(line.recon_status)}</td>
    </tr>`;
}
