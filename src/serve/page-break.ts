import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import { breakCode } from '../report/break-codes.ts';
import { amountFigure, counted } from '../report/figures.ts';
import {
    name,
    nothing,
    number,
    numeric,
    prose,
    section,
    table,
    text,
} from '../report/html-parts.ts';
import { moreText } from '../report/html-raw.ts';
import { itemStatusText } from '../report/item-status.ts';
import { visible } from '../report/visible.ts';
import type { BreakRecords } from '../run/break-records.ts';
import type { Break } from '../schema/break.ts';
import type { ItemNote, OpenItem, Standing } from '../schema/item.ts';
import type { RawRecord } from '../schema/report.ts';
import type { Visitor } from './guard.ts';
import { seenKey, shortKey } from './keys.ts';
import { facts, when } from './layout.ts';
import { effect, itemBadge, ownersOf, worth } from './page-queue.ts';
import type { Told } from './site.ts';
import { deedFields, hidden, whyNoWork } from './work-form.ts';

/** Longest value of a record that a page shows. */
const VALUE_LIMIT = 400;

/** A break with everything known about it: the same one may stand in more than one period. */
export function breakPage(
    standing: Standing,
    items: readonly OpenItem[],
    records: BreakRecords | Told | null,
    visitor: Visitor,
): ComponentChildren {
    const [first] = items;
    if (!first) return null;
    const { meaning, cause, action } = breakCode(first.code);
    return [
        html`<h1><code>${name(first.code)}</code> ${itemBadge(first)}</h1>`,
        html`<p>${meaning} <span class="quiet">${cause}</span></p>`,
        html`<p><strong>Next:</strong> ${action}</p>`,
        html`<div class="sides">
            <div class="side">${items.map((item) => itemFacts(item, standing))}</div>
            <div class="side">
                <h2>What was said</h2>
                ${notesList(items.flatMap(({ notes }) => notes))}
                ${workForm(standing, items, visitor)}
            </div>
        </div>`,
        section('records', 'Both sides', sidesOf(records)),
    ];
}

function itemFacts(item: OpenItem, { period, payers }: Standing): VNode {
    const payer = payers.find((of) => of.payer_id === item.payer_id);
    return facts([
        ['Period', item.period],
        ['Key', html`<code>${name(item.break_key)}</code>`],
        [
            'Payer',
            payer
                ? html`<a href=${`/periods/${period}/payers/${shortKey(payer.payer_id)}`}>${name(payer.payer_name || payer.payer_id)}</a>`
                : name(item.payer_id ?? 'no payer'),
        ],
        ['Account', item.account_id && html`<code>${name(item.account_id)}</code>`],
        ['Effect', effect(item)],
        ['Worth', worth(item)],
        ['Since', item.first_at && when(item.first_at)],
        ['Seen', `first as of ${when(item.first_seen_at)}, last as of ${when(item.last_seen_at)}`],
        ['Age', `${counted(item.age_days, 'day')} (${item.age_bucket})`],
        ['Status', itemStatusText(item)],
        ['Owner', item.owner === null ? 'nobody' : name(item.owner)],
        ['Id', html`<code>${item.break_id}</code>`],
    ]);
}

function sidesOf(records: BreakRecords | Told | null): ComponentChildren {
    if (records === null) {
        return nothing('The run that speaks for its period does not have it any more.');
    }
    if ('remedy' in records) {
        return html`<div class="message warn" role="note">
            <p>${records.message}</p>
            <p class="small">${records.remedy}</p>
        </div>`;
    }
    const { of, causes, usage, debits, found, usage_count, debit_count } = records;
    return [
        figuresOf(of),
        causesOf(of, causes),
        html`<div class="sides">
            ${side('Usage', 'No stored usage names it.', usage, usage_count)}
            ${side('Debit log', 'No stored debit entry names it.', debits, debit_count)}
        </div>`,
        found.lost.length > 0 &&
            html`<p class="quiet">Rows of ${counted(found.lost.length, 'object')} are kept no more.</p>`,
        found.erased.length > 0 &&
            html`<p class="quiet">
                Identifiers were erased from ${counted(found.erased.length, 'object')} since.
            </p>`,
    ];
}

function figuresOf({ expected, actual, asset, detail }: Break): VNode {
    const amount = (text: string) => `${amountFigure(text, asset)} ${visible(asset ?? '')}`;
    return facts([
        ['Usage says', amount(expected)],
        ['Debited', amount(actual)],
        ['Detail', detail && prose(detail)],
    ]);
}

/** What made the difference, each with its part of it; nothing where one cause is all of it. */
function causesOf({ asset }: Break, causes: BreakRecords['causes']): VNode | null {
    if (causes.length === 0) return null;
    return table(
        'Causes, together the difference',
        [text('Cause'), numeric('Amount'), text('Detail')],
        causes.map(
            ({ cause, amount, detail }) => html`<tr>
                <th scope="row">${name(cause)}</th>
                ${number(`${amountFigure(amount, asset)} ${visible(asset ?? '')}`)}
                <td class="text">${prose(detail)}</td>
            </tr>`,
        ),
    );
}

function side(title: string, none: string, records: readonly RawRecord[], all: number): VNode {
    return html`<div class="side">
        <h3>${title}</h3>
        ${records.length === 0 ? nothing(none) : records.map(recordBox)}
        ${all > records.length && html`<p class="quiet small">${moreText(all, records.length)}</p>`}
    </div>`;
}

function recordBox({ key, line, fields }: RawRecord): VNode {
    const rows = fields.map((of) => [of.name, name(of.value, VALUE_LIMIT)] as const);
    return html`<div class="record">
        <code class="quiet">${name(key)}:${line}</code>
        ${facts(rows)}
    </div>`;
}

const said = {
    assign: 'gave it to',
    comment: 'said',
    resolve: 'resolved it as',
    reopen: 'opened it again',
    approve: 'approved what was proposed',
};

function notesList(notes: readonly ItemNote[]): VNode {
    if (notes.length === 0) return nothing('Nothing yet.');
    return html`<ol class="notes">
        ${notes.map(
            ({ act, value, by, at, reason, waits }) => html`<li>
                <div class="quiet small">${when(at)}</div>
                <strong>${name(by)}</strong> ${waits ? 'proposed it as' : said[act]}${value !== '' && html` <em>${name(value.replace('_', ' '))}</em>`}
                ${reason !== '' && html`<div>${name(reason, 2_000)}</div>`}
            </li>`,
        )}
    </ol>`;
}

function workForm(
    { period, run_id, items: all }: Standing,
    items: readonly OpenItem[],
    visitor: Visitor,
): VNode {
    const why = whyNoWork(visitor);
    if (why) return why;
    const [first] = items;
    const back = `/periods/${period}/breaks/${first?.break_id ?? ''}`;
    return html`<form class="work" method="post" action=${`/periods/${period}/decide`}>
        ${hidden(visitor, { run: run_id, back })}
        ${items.map((of) => html`<input type="hidden" name="pick" value=${`${of.break_id}.${seenKey(of)}`} />`)}
        ${deedFields(visible(visitor.by ?? ''), ownersOf(all).map(visible))}
    </form>`;
}
