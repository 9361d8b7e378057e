import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import { add, formatAmount, parseAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import { amountFigure, counted, figure, isZero, negated, sum } from '../report/figures.ts';
import {
    badge,
    name,
    nothing,
    number,
    numeric,
    remainder,
    section,
    table,
    text,
} from '../report/html-parts.ts';
import type { BreakDifference } from '../run/break-differences.ts';
import type { LineDifference } from '../run/line-differences.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Commit } from '../schema/commit.ts';
import { when } from './layout.ts';

/** Rows of each table: a page must open on a phone. */
const LIMIT = 200;

/** Two runs of a period, and what is not the same in them. */
export interface Comparison {
    readonly old: { readonly commit: Commit; readonly certificate: Certificate };
    readonly now: { readonly commit: Commit; readonly certificate: Certificate };
    /** Null where one of them wrote no lines. */
    readonly lines: readonly LineDifference[] | null;
    readonly breaks: readonly BreakDifference[];
}

/** What changed from one run of a period to another: totals, lines and breaks. */
export function comparePage({ old, now, lines, breaks }: Comparison): ComponentChildren {
    const { period } = now.commit;
    const link = ({ number: entry, run_id }: Commit) =>
        html`<a href=${`/periods/${period}/runs/${entry}`}><code>${name(run_id)}</code></a>`;
    const isSame = old.certificate.run_digest === now.certificate.run_digest;
    return [
        html`<h1>${period}: two runs</h1>`,
        html`<p>
            ${link(old.commit)} as of ${when(old.certificate.as_of)}, then ${link(now.commit)} as of
            ${' '}${when(now.certificate.as_of)}.
            ${isSame && html` ${badge('good', 'the same digest')}`}
        </p>`,
        section('totals', 'What is billed', totalsTable(old.certificate, now.certificate)),
        section('lines', 'Lines', ...linesOf(lines)),
        section('breaks', 'Breaks', ...breaksOf(breaks, period)),
    ];
}

function totalsTable(old: Certificate, now: Certificate): VNode {
    const amountOf = ({ payers }: Certificate, currency: string) =>
        sum(payers.filter((of) => of.currency === currency).map(({ amount }) => amount));
    const currencies = [...new Set([...old.payers, ...now.payers].map((of) => of.currency))].sort();
    if (currencies.length === 0) return nothing('Neither bills anybody.');
    return table(
        'Sum of lines per currency',
        [text('Currency'), numeric('Before'), numeric('After'), numeric('Difference')],
        currencies.map((currency) => {
            const [before, after] = [amountOf(old, currency), amountOf(now, currency)];
            return html`<tr>
                <th scope="row">${name(currency)}</th>
                ${number(amountFigure(before, currency))} ${number(amountFigure(after, currency))}
                ${number(amountFigure(difference(before, after), currency))}
            </tr>`;
        }),
    );
}

const difference = (before: string, after: string) =>
    formatAmount(add(parseAmount(after), parseAmount(negated(before))));

function linesOf(lines: readonly LineDifference[] | null): ComponentChildren[] {
    if (lines === null) return [nothing('One of them only reconciled: it wrote no lines.')];
    if (lines.length === 0) return [nothing('All lines cost the same.')];
    const added = lines.filter(({ old_exact }) => old_exact === null).length;
    const gone = lines.filter(({ new_exact }) => new_exact === null).length;
    const shown = lines.slice(0, LIMIT);
    return [
        html`<p>
            ${figure(String(added))} added, ${figure(String(gone))} removed,
            ${' '}${figure(String(lines.length - added - gone))} changed.
        </p>`,
        table(
            'Lines that do not cost the same',
            [
                ...[text('Line'), text(''), text('Payer and account'), numeric('Before')],
                ...[numeric('After'), numeric('Difference'), text('Currency')],
            ],
            shown.map(lineRow),
        ),
        remainder(shown.length, lines.length, 'line_items.csv'),
    ];
}

function lineRow(line: LineDifference): VNode {
    const { currency, old_exact, new_exact, old_minor, new_minor } = line;
    const [before, after] = [BigInt(old_minor), BigInt(new_minor)];
    const amount = (minor: bigint) => {
        const scale = currencyExponent(currency) ?? 0;
        return number(amountFigure(formatAmount({ units: minor, scale }), currency));
    };
    return html`<tr>
        <th scope="row" class="name">
            ${name(line.description)}<br /><code class="quiet">${line.line_key.slice(0, 12)}</code>
        </th>
        <td>${changeBadge(old_exact === null, new_exact === null)}</td>
        <td class="name">${name(line.payer_id)}<br /><code class="quiet">${name(line.account_id)}</code></td>
        ${amount(before)} ${amount(after)} ${amount(after - before)}
        <td>${name(currency)}</td>
    </tr>`;
}

function changeBadge(isNew: boolean, isGone: boolean): VNode {
    if (isNew) return badge('good', 'added');
    return isGone ? badge('bad', 'removed') : badge('warn', 'changed');
}

function breaksOf(breaks: readonly BreakDifference[], period: string): ComponentChildren[] {
    if (breaks.length === 0) return [nothing('Both have the same breaks.')];
    const added = breaks.filter(({ old_amount }) => old_amount === null).length;
    const gone = breaks.filter(({ new_amount }) => new_amount === null).length;
    const shown = breaks.slice(0, LIMIT);
    return [
        html`<p>
            ${counted(added, 'new break')}, ${figure(String(gone))} gone,
            ${' '}${figure(String(breaks.length - added - gone))} with another amount.
        </p>`,
        table(
            'Breaks that are not the same',
            [
                ...[text('Break'), text(''), text('Payer'), numeric('Before')],
                ...[numeric('After'), numeric('Difference'), text('Asset')],
            ],
            shown.map((of) => breakRow(of, period)),
        ),
        remainder(shown.length, breaks.length, 'breaks.csv'),
    ];
}

function breakRow(of: BreakDifference, period: string): VNode {
    const { old_amount, new_amount, asset } = of;
    const amount = (text: string | null) => number(text === null ? '' : amountFigure(text, asset));
    const delta = difference(old_amount ?? '0', new_amount ?? '0');
    const isWorth = old_amount !== null && new_amount !== null && isZero(delta);
    return html`<tr>
        <th scope="row" class="name">
            <a href=${`/periods/${period}/breaks/${of.break_id}`}><code class="code">${name(of.code)}</code></a>
            <br /><code>${name(of.break_key)}</code>
        </th>
        <td>${changeBadge(old_amount === null, new_amount === null)}${isWorth && html`<div class="quiet small">in worth</div>`}</td>
        <td class="name">${name(of.payer_id ?? 'no payer')}</td>
        ${amount(old_amount)} ${amount(new_amount)} ${amount(delta)}
        <td>${name(asset ?? '')}</td>
    </tr>`;
}
