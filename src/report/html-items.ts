import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { Break } from '../schema/break.ts';
import type { ItemNote, ItemStatus, OpenItem } from '../schema/item.ts';
import { amountFigure, figure } from './figures.ts';
import { effect } from './html-breaks.ts';
import {
    badge,
    choice,
    name,
    named,
    nothing,
    number,
    numeric,
    prose,
    remainder,
    section,
    table,
    text,
} from './html-parts.ts';
import { proposalText } from './item-status.ts';
import type { ReportModel } from './model.ts';
import { clipped } from './visible.ts';

/** Rows of the table of breaks: a page must open on a phone. */
const LIMIT = 200;

/** A break with what is known of it as it is followed. */
type Row = { readonly of: Break | null; readonly item: OpenItem | null };

export function breaksSection(model: ReportModel): VNode {
    const title = 'Open breaks';
    const rows = rowsOf(model);
    if (rows.length === 0) return section('breaks', title, nothing('There are no open breaks.'));
    const names = new Map(model.payers.map((payer) => [payer.payer_id, payer.payer_name]));
    const traced = new Set(model.evidence.map(({ break_id }) => break_id));
    const shown = rows.slice(0, LIMIT);
    return section(
        'breaks',
        title,
        table(
            'Open breaks, the largest of each currency first',
            [
                choice('Code and break', 'Code'),
                choice('Payer and account', 'Payer'),
                choice('Status'),
                ...[numeric('Expected'), numeric('Actual'), numeric('Effect'), numeric('Days')],
                text('Detail and next step'),
            ],
            shown.map((row) => breakRow(row, names, traced)),
            { count: rows.length, file: model.items.length > 0 ? 'items.csv' : 'breaks.csv' },
        ),
        remainder(shown.length, rows.length, model.items.length > 0 ? 'items.csv' : 'breaks.csv'),
    );
}

/** Breaks of the run as they stand, then what is open of earlier periods. */
function rowsOf({ period, breaks, items }: ReportModel): readonly Row[] {
    const own = new Map(items.filter((of) => of.period === period).map((of) => [of.break_id, of]));
    return [
        ...breaks.map((of) => ({ of, item: own.get(of.break_id) ?? null })),
        ...items
            .filter((of) => of.period !== period && of.status === 'open')
            .map((item) => ({ of: null, item })),
    ];
}

function breakRow(
    { of, item }: Row,
    names: ReadonlyMap<string, string>,
    traced: ReadonlySet<string>,
): VNode {
    const facts = (of ?? item)!;
    const { asset, payer_id, account_id, code, break_id } = facts;
    const amount = (value: string | undefined) =>
        number(value === undefined ? '' : amountFigure(value, asset));
    const days = item?.age_days ?? of?.age_days ?? 0;
    return html`<tr>
        <th scope="row" class="name" data-value=${clipped(code, 120)}>
            <code class="code" data-part="code">${name(code)}</code><br />
            <code data-part="break">${name(facts.break_key)}</code><br />
            ${
                traced.has(break_id)
                    ? html`<a href=${`#raw-${break_id.slice(0, 12)}`} aria-label=${`Raw records of ${clipped(facts.break_key, 60)}`}>
                          <code data-part="break_id">${name(break_id.slice(0, 12))}</code></a
                      >`
                    : html`<code class="quiet" data-part="break_id">${name(break_id.slice(0, 12))}</code>`
            }
        </th>
        <td class="name" data-value=${payer_id === null ? 'no payer' : clipped(payer_id, 120)}>
            ${payer_id === null ? html`<span class="quiet">no payer</span>` : named(names.get(payer_id) ?? payer_id, payer_id)}
            ${account_id !== null && html`<br /><code data-part="account">${name(account_id)}</code>`}
        </td>
        ${statusCell(item)} ${amount(of?.expected)} ${amount(of?.actual)}
        <td class="number">${effect(facts.amount, asset ?? '', facts.money_amount, facts.currency)}</td>
        ${number(figure(String(days)))}
        <td class="text">${detail(of, item)}</td>
    </tr>`;
}

const tones: Readonly<Record<ItemStatus, 'good' | 'warn'>> = {
    ...{ open: 'warn', explained: 'good', accepted: 'good', written_off: 'good', cleared: 'good' },
};

function statusCell(item: OpenItem | null): VNode {
    const status = item?.status ?? 'open';
    const words = status.replaceAll('_', ' ');
    return html`<td data-value=${words}>
        <span data-part="status">${badge(tones[status], words)}</span>
        ${item?.owner && html`<div class="quiet small" data-part="owner">${name(item.owner)}</div>`}
        ${item && item.period !== '' && html`<div class="quiet small" data-part="period">${name(item.period)}</div>`}
    </td>`;
}

function detail(of: Break | null, item: OpenItem | null): VNode[] {
    return [
        ...(of && of.detail !== ''
            ? [html`<div data-part="detail">${prose(of.detail)}</div>`]
            : []),
        ...(of && of.action !== ''
            ? [html`<div class="quiet" data-part="next_step">${prose(of.action)}</div>`]
            : []),
        ...(item?.reopened_because
            ? [html`<div class="quiet">Open again: ${prose(item.reopened_because)}</div>`]
            : []),
        ...(item?.proposed
            ? [
                  html`<div class="quiet">Waits for a second person: ${proposalText(item.proposed)}</div>`,
              ]
            : []),
        ...(item?.notes ?? []).map(noteLine),
    ];
}

function noteLine({ act, value, by, at, reason, waits }: ItemNote): VNode {
    const what = {
        assign: 'given to',
        comment: 'says',
        resolve: waits ? 'proposes' : 'resolved as',
        reopen: 'reopened',
        approve: 'approved it',
    }[act];
    return html`<div class="note small">
        ${name(by)}, ${name(at.slice(0, 10))}: ${what} ${name(value.replaceAll('_', ' '))}
        ${reason !== '' && html`${' '}“${prose(reason)}”`}
    </div>`;
}
