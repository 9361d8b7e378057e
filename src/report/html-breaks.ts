import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { Break, BreakTotal } from '../schema/break.ts';
import { ACCEPTED_CODE, breakCode } from './break-codes.ts';
import type { CodeTotal } from './breaks-summary.ts';
import { amountFigure, compareDecimals, figure } from './figures.ts';
import {
    bar,
    inLines,
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
import type { ReportModel } from './model.ts';

/** Rows of the table of breaks: a page must open on a phone. */
const LIMIT = 200;

export function codesSection({ codes }: ReportModel): VNode {
    const title = 'Breaks by code';
    if (codes.length === 0) return section('codes', title, nothing('There are no breaks.'));
    const open = codes.filter((one) => one.code !== ACCEPTED_CODE);
    const most = open.reduce((highest, one) => Math.max(highest, one.break_count), 0);
    return section(
        'codes',
        title,
        table(
            'Number, effect on rated less debited, and what to do, per code',
            [
                text('Code'),
                numeric('Breaks'),
                numeric('Effect'),
                text('What it means'),
                text('What to do'),
            ],
            codes.map((one) => codeRow(one, most)),
        ),
    );
}

function codeRow(one: CodeTotal, most: number): VNode {
    const { meaning, cause, action } = breakCode(one.code);
    const isOpen = one.code !== ACCEPTED_CODE;
    return html`<tr>
        <th scope="row">
            <code class="code">${name(one.code)}</code>
            ${isOpen ? bar(one.break_count, most) : html`<div class="quiet small">accepted, not open</div>`}
        </th>
        ${number(figure(String(one.break_count)))}
        <td class="number">${inLines(one.totals.map(totalEffect))}</td>
        <td class="text">${meaning}<div class="quiet">${cause}</div></td>
        <td class="text">${action}</td>
    </tr>`;
}

function totalEffect({ amount, asset, money_amount, currency }: BreakTotal): VNode {
    return effect(amount, asset, money_amount, currency);
}

/** An amount in its asset and, where that says more, in money. */
function effect(
    amount: string,
    asset: string,
    money_amount: string | null,
    currency: string | null,
): VNode {
    const inAsset = html`${amountFigure(amount, asset)} ${name(asset)}`;
    if (money_amount === null || currency === null) {
        return html`${inAsset}<div class="quiet small">no price</div>`;
    }
    if (currency === asset && compareDecimals(money_amount, amount) === 0) return inAsset;
    const inMoney = html`${amountFigure(money_amount, currency)} ${name(currency)}`;
    return html`${inAsset}<div class="quiet small">= ${inMoney}</div>`;
}

export function breaksSection(model: ReportModel): VNode {
    const { breaks, payers } = model;
    const title = 'Open breaks';
    if (breaks.length === 0) return section('breaks', title, nothing('There are no open breaks.'));
    const names = new Map(payers.map((payer) => [payer.payer_id, payer.payer_name]));
    const shown = breaks.slice(0, LIMIT);
    return section(
        'breaks',
        title,
        table(
            'Open breaks, the largest of each currency first',
            [
                text('Code and break'),
                text('Payer and account'),
                numeric('Expected'),
                numeric('Actual'),
                numeric('Effect'),
                numeric('Days'),
                text('Detail and next step'),
            ],
            shown.map((item) => breakRow(item, names)),
        ),
        remainder(shown.length, breaks.length, 'breaks.csv'),
    );
}

function breakRow(item: Break, names: ReadonlyMap<string, string>): VNode {
    const amount = (value: string) => amountFigure(value, item.asset);
    const { payer_id } = item;
    const payer =
        payer_id === null
            ? html`<span class="quiet">no payer</span>`
            : named(names.get(payer_id) ?? payer_id, payer_id);
    return html`<tr>
        <th scope="row" class="name">
            <code class="code">${name(item.code)}</code><br /><code>${name(item.break_key)}</code><br />
            <code class="quiet">${name(item.break_id.slice(0, 12))}</code>
        </th>
        <td class="name">
            ${payer}
            ${item.account_id !== null && html`<br /><code>${name(item.account_id)}</code>`}
        </td>
        ${number(amount(item.expected))} ${number(amount(item.actual))}
        <td class="number">
            ${effect(item.amount, item.asset ?? '', item.money_amount, item.currency)}
        </td>
        ${number(figure(String(item.age_days)))}
        <td class="text">
            ${item.detail !== '' && html`<div>${prose(item.detail)}</div>`}
            ${item.action !== '' && html`<div class="quiet">${prose(item.action)}</div>`}
        </td>
    </tr>`;
}
