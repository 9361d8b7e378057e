import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { Break } from '../schema/break.ts';
import type { BreakEvidence, RawRecord } from '../schema/report.ts';
import { counted, figure } from './figures.ts';
import { effect } from './html-breaks.ts';
import { name, printedOnly, prose, section } from './html-parts.ts';
import { PRINTED_RAW } from './html-style.ts';
import type { ReportModel } from './model.ts';

/** Both sides of the largest breaks, record by record. Nothing in the page of a run itself. */
export function rawSection({ breaks, evidence }: ReportModel): VNode | false {
    if (evidence.length === 0) return false;
    const found = new Map(evidence.map((of) => [of.break_id, of]));
    return section(
        'raw',
        'Raw records of breaks',
        html`<p>
            What the two sides of a break say, as it was read: the object, the line, and every field. Of a
            whole day the first records are shown; <code>tieout explain BREAK --out FILE.csv</code>${' '}
            lists all.
        </p>`,
        printedOnly(evidence.length, PRINTED_RAW),
        ...breaks.flatMap((of) => {
            const both = found.get(of.break_id);
            return both ? [breakDetails(of, both)] : [];
        }),
    );
}

function breakDetails(of: Break, both: BreakEvidence): VNode {
    const { usage, debits, usage_count, debit_count } = both;
    return html`<details class="raw">
        <summary>
            <code class="code">${name(of.code)}</code>${' '}<code>${name(of.break_key)}</code>
            <span class="quiet small">
                ${' '}${counted(Math.max(usage.length, usage_count), 'usage record')}, ${counted(Math.max(debits.length, debit_count), 'debit record')}
            </span>
        </summary>
        <div class="sides" id=${`raw-${of.break_id.slice(0, 12)}`}>
            <p class="wide">
                ${effect(of.amount, of.asset ?? '', of.money_amount, of.currency)}
                ${of.detail !== '' && html`<span class="quiet">${' '}${prose(of.detail)}</span>`}
            </p>
            ${side('Usage', 'No usage record names it.', usage, usage_count)}
            ${side('Debits', 'No debit record names it.', debits, debit_count)}
        </div>
    </details>`;
}

function side(title: string, none: string, records: readonly RawRecord[], all: number): VNode {
    return html`<div>
        <h3>${title}</h3>
        ${records.length === 0 ? html`<p class="quiet">${none}</p>` : records.map(record)}
        ${all > records.length && html`<p class="quiet small">${moreText(all, records.length)}</p>`}
    </div>`;
}

/** How many records of a side are not shown. */
export const moreText = (all: number, shown: number) =>
    `and ${figure(String(all - shown))} more: tieout explain BREAK --out FILE.csv lists all`;

function record({ key, line, fields }: RawRecord): VNode {
    return html`<div class="record">
        <code class="quiet small">${name(`${key}:${line}`, 200)}</code>
        <dl>
            ${fields.map(
                ({ name: field, value }) =>
                    html`<dt>${name(field)}</dt>
                        <dd><code>${prose(value)}</code></dd>`,
            )}
        </dl>
    </div>`;
}
