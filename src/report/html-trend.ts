import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { Night } from '../schema/report.ts';
import type { Chart } from './charts.ts';
import { codeGroups } from './code-groups.ts';
import { figure, summaryAmount } from './figures.ts';
import {
    badge,
    figures,
    inLines,
    name,
    number,
    numeric,
    section,
    table,
    text,
} from './html-parts.ts';
import type { ReportModel } from './model.ts';
import { visible } from './visible.ts';

/** What the runs of the period found, night by night. Nothing in the page of a run itself. */
export function trendSection({ trend }: ReportModel, charts: readonly Chart[]): VNode | false {
    if (trend.length === 0) return false;
    const groups = codeGroups.filter((group) =>
        trend.some((night) => night.groups.some((of) => of.group === group)),
    );
    return section(
        'trend',
        'Night by night',
        html`<p>What each run of this period found, as its certificate says, before anybody decided.</p>`,
        figures(charts),
        table(
            'Runs of the period',
            [
                ...[text('As of'), numeric('Breaks'), ...groups.map((group) => numeric(group))],
                ...[
                    numeric('Money in breaks'),
                    numeric('Held payers'),
                    text('Tie-out'),
                    text('Run'),
                ],
            ],
            trend.toReversed().map((night) => nightRow(night, groups)),
        ),
    );
}

function nightRow(night: Night, groups: readonly string[]): VNode {
    const count = (group: string) => night.groups.find((of) => of.group === group)?.count ?? 0;
    return html`<tr>
        <th scope="row"><code class="code">${name(night.as_of)}</code></th>
        ${number(figure(String(night.break_count)))}
        ${groups.map((group) => number(figure(String(count(group)))))}
        <td class="number">
            ${inLines(night.money.map(({ amount, unit }) => html`${visible(summaryAmount(amount, unit))}`))}
        </td>
        ${number(figure(String(night.held_count)))}
        <td>${night.untied_count > 0 ? badge('bad', 'not zero') : badge('good', 'zero')}</td>
        <td><code class="code">${name(night.run_id)}</code></td>
    </tr>`;
}
