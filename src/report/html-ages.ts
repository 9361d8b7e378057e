import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { ageBuckets } from '../items/age.ts';
import type { AgeTotal } from '../schema/report.ts';
import type { Chart } from './charts.ts';
import { codeGroup } from './code-groups.ts';
import { figure, sum, summaryAmount } from './figures.ts';
import { sumsBy } from './headline.ts';
import { figures, inLines, name, number, numeric, section, table, text } from './html-parts.ts';
import type { ReportModel } from './model.ts';
import { visible } from './visible.ts';

/** How long breaks have been open. Nothing where none is. */
export function agesSection({ ages }: ReportModel, charts: readonly Chart[]): VNode | false {
    if (ages.length === 0) return false;
    return section(
        'ages',
        'Breaks by age',
        html`<p>
            Open breaks, those carried over from earlier periods too. The age is counted from the earliest
            evidence on either side.
        </p>`,
        figures(charts),
        table(
            'Number by age in days, and money without signs, per code',
            [
                ...[text('Code'), text('Kind'), ...ageBuckets.map(numeric)],
                ...[numeric('Together'), numeric('Money')],
            ],
            [...Map.groupBy(ages, ({ code }) => code)].map(ageRow),
        ),
    );
}

function ageRow([code, of]: readonly [string, readonly AgeTotal[]]): VNode {
    const count = (bucket: string) =>
        sum(of.filter((one) => one.age_bucket === bucket).map((one) => String(one.item_count)));
    const money = sumsBy(
        of.flatMap((one) => one.money),
        (one) => one,
    );
    return html`<tr>
        <th scope="row"><code class="code">${name(code)}</code></th>
        <td>${codeGroup(code)}</td>
        ${ageBuckets.map((bucket) => {
            const found = count(bucket);
            return found === '0' ? html`<td class="number faint">0</td>` : number(figure(found));
        })}
        ${number(figure(sum(of.map((one) => String(one.item_count)))))}
        <td class="number">
            ${
                money.length === 0
                    ? 'no price'
                    : inLines(
                          money.map(
                              ({ amount, unit }) => html`${visible(summaryAmount(amount, unit))}`,
                          ),
                      )
            }
        </td>
    </tr>`;
}
