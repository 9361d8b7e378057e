import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { BreakTotal } from '../schema/break.ts';
import { ACCEPTED_CODE, breakCode } from './break-codes.ts';
import type { CodeTotal } from './breaks-summary.ts';
import { amountFigure, compareDecimals, figure } from './figures.ts';
import {
    bar,
    inLines,
    name,
    nothing,
    number,
    numeric,
    part,
    section,
    table,
    text,
} from './html-parts.ts';
import type { ReportModel } from './model.ts';

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
export function effect(
    amount: string,
    asset: string,
    money_amount: string | null,
    currency: string | null,
): VNode {
    const shown = amountFigure(amount, asset);
    const inAsset = html`${part('amount', shown)} ${part('asset', name(asset))}`;
    if (money_amount === null || currency === null) {
        return html`${inAsset}<div class="quiet small">no price</div>`;
    }
    if (currency === asset && compareDecimals(money_amount, amount) === 0) {
        return html`${part('amount money', shown)} ${part('asset currency', name(asset))}`;
    }
    const inMoney = html`${part('money', amountFigure(money_amount, currency))} ${part('currency', name(currency))}`;
    return html`${inAsset}<div class="quiet small">= ${inMoney}</div>`;
}
