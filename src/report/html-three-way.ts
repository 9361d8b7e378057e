import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { Step, ThreeWay } from '../schema/report.ts';
import type { Chart } from './charts.ts';
import { amountFigure } from './figures.ts';
import {
    choice,
    figures,
    name,
    named,
    nothing,
    number,
    numeric,
    remainder,
    section,
    table,
    text,
} from './html-parts.ts';
import type { ReportModel } from './model.ts';
import { stepNames } from './three-way.ts';

/** Rows of the table: a page must open on a phone. */
const LIMIT = 300;

/** What wallets authorized, what was metered, what is invoiced, and all there is between them. */
export function threeWaySection({ three_way }: ReportModel, charts: readonly Chart[]): VNode {
    const { rows, totals } = three_way;
    const targets = targetsOf(totals);
    const isDelivered = targets.length > 0;
    const title = `From authorized to ${isDelivered ? 'delivered' : 'invoiced'}`;
    if (rows.length === 0) return section('three-way', title, nothing('Nothing was compared.'));
    const shown = rows.slice(0, LIMIT);
    return section(
        'three-way',
        title,
        html`<p>
            What wallets were debited, what usage was rated at, ${isDelivered ? 'what is billed, and what of it each target has' : 'and what is billed'},
            in each asset. The steps from one to the next add up exactly.
        </p>`,
        figures(charts),
        table(
            'All payers together, per asset',
            [text('Asset'), ...wayHeadings(targets)],
            totals.map(
                (way) => html`<tr>
                    <th scope="row">${name(way.asset)}</th>
                    ${wayCells(way, way.asset, targets)}
                </tr>`,
            ),
        ),
        table(
            'Per payer, product and asset',
            [choice('Payer'), choice('Product'), choice('Asset'), ...wayHeadings(targets)],
            shown.map(
                (row) => html`<tr>
                    <th scope="row" class="name">${named(row.payer_name, row.payer_id)}</th>
                    <td>${row.product === '' ? html`<span class="quiet">of none or several</span>` : name(row.product)}</td>
                    <td>${name(row.asset)}</td>
                    ${wayCells(row, row.asset, targets)}
                </tr>`,
            ),
            { count: rows.length, file: 'three_way.csv' },
        ),
        remainder(shown.length, rows.length, 'three_way.csv', 'of tieout report'),
    );
}

/** Targets that have anything, in the order of their names. */
export const targetsOf = (ways: readonly Pick<ThreeWay, 'deliveries'>[]): readonly string[] =>
    [...new Set(ways.flatMap(({ deliveries }) => deliveries.map(({ target }) => target)))].sort();

const wayHeadings = (targets: readonly string[]) => [
    ...[numeric('Authorized'), numeric('Steps'), numeric('Metered')],
    ...[numeric('Further steps'), numeric('Invoiced')],
    ...targets.flatMap((target) => [numeric('On the way'), numeric(`Delivered, ${target}`)]),
];

function wayCells(way: ThreeWay, asset: string, targets: readonly string[]): VNode[] {
    const { authorized, to_metered, metered, to_invoiced, invoiced, deliveries } = way;
    const amount = (value: string) => number(amountFigure(value, asset));
    const none = html`<td class="number quiet">not in this asset</td>`;
    return [
        ...[amount(authorized), stepsCell(to_metered, asset), amount(metered)],
        stepsCell(to_invoiced, asset),
        invoiced === null ? none : amount(invoiced),
        ...targets.flatMap((target) => {
            const of = deliveries.find((one) => one.target === target);
            if (!of) return [stepsCell([], asset), none];
            return [stepsCell(of.to_delivered, asset), amount(of.delivered)];
        }),
    ];
}

function stepsCell(steps: readonly Step[], asset: string): VNode {
    return html`<td class="number">
        <ul class="parts">
            ${steps.map(
                ({ step, code, amount }) => html`<li>
                    ${code === '' ? html`<span>${stepNames[step]}</span>` : html`<code>${name(code)}</code>`}
                    <span>${amountFigure(amount, asset)}</span>
                </li>`,
            )}
        </ul>
    </td>`;
}
