import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { Break, BreakTotal } from '../schema/break.ts';
import { breakCode } from './break-codes.ts';
import type { CodeTotal } from './breaks-summary.ts';
import { amountFigure, amountWithCode, figure, isZero } from './figures.ts';
import {
    badge,
    bar,
    name,
    named,
    number,
    prose,
    remainder,
    section,
    status,
    table,
} from './html-parts.ts';
import type { ReportModel } from './model.ts';
import { NOT_LISTED, type Waterfall } from './waterfall.ts';

/** The most rows of each table: a page must open on a phone. All rows are in the run folder. */
const LIMIT = { waterfalls: 500, breaks: 200, payers: 500, lines: 200, inputs: 500 } as const;

const text = (label: string) => ({ label });
const numeric = (label: string) => ({ label, isNumber: true });

export function tieOutSection({ waterfalls }: ReportModel): VNode {
    const intro = html`<p>
        In each asset: what was rated, less what the wallets were debited, must be explained by the
        breaks and by rounding within tolerance. What is left over must be zero.
    </p>`;
    if (waterfalls.length === 0)
        return section('tie-out', 'Tie-out', intro, nothing('Nothing to tie out.'));
    const shown = waterfalls.slice(0, LIMIT.waterfalls);
    return section(
        'tie-out',
        'Tie-out',
        intro,
        table(
            'Tie-out per payer and asset; those that need attention first',
            [
                text('Payer'),
                text('Asset'),
                numeric('Rated'),
                numeric('Debited'),
                numeric('Difference'),
                numeric('= Breaks'),
                numeric('+ Rounding'),
                numeric('+ Unexplained'),
                text('Result'),
            ],
            shown.map(waterfallRow),
        ),
        remainder(shown.length, waterfalls.length, 'certificate.json'),
    );
}

function waterfallRow(one: Waterfall): VNode {
    const amount = (value: string) => amountFigure(value, one.asset);
    const isOff = !isZero(one.unexplained);
    const result = isOff ? 'not tied' : one.status;
    return html`<tr class=${isOff ? 'attention' : undefined}>
        <th scope="row" class="name">${named(one.payer_name, one.payer_id)}</th>
        <td>${name(one.asset)}</td>
        ${number(amount(one.rated))} ${number(amount(one.debited))}
        ${number(amount(one.difference))}
        <td class="number">
            ${amount(one.broken)}
            ${
                one.breaks.length > 0 &&
                html`<ul class="parts">
                ${one.breaks.map(
                    (part) => html`<li>
                        <code>${partName(part.code)}</code><span>${amount(part.amount)}</span>
                    </li>`,
                )}
            </ul>`
            }
        </td>
        ${number(amount(one.rounding))} ${number(amount(one.unexplained))}
        <td>${status(result)}</td>
    </tr>`;
}

function partName(code: string): string | VNode {
    return code === NOT_LISTED ? 'not in the list' : name(code);
}

export function codesSection({ codes }: ReportModel): VNode {
    const title = 'Breaks by code';
    if (codes.length === 0) return section('codes', title, nothing('There are no breaks.'));
    const most = codes.reduce((highest, one) => Math.max(highest, one.break_count), 0);
    return section(
        'codes',
        title,
        table(
            'Number, effect on rated less debited, and what to do, per code',
            [
                text('Code'),
                numeric('Breaks'),
                numeric('In the asset'),
                numeric('In money'),
                text('What it means'),
                text('Usual cause'),
                text('What to do'),
            ],
            codes.map((one) => codeRow(one, most)),
        ),
    );
}

function codeRow(one: CodeTotal, most: number): VNode {
    const { meaning, cause, action } = breakCode(one.code);
    return html`<tr>
        <th scope="row"><code class="code">${name(one.code)}</code>${bar(one.break_count, most)}</th>
        ${number(figure(String(one.break_count)))}
        <td class="number">${inLines(one.totals.map(assetAmount))}</td>
        <td class="number">${inLines(one.totals.map(moneyAmount))}</td>
        <td class="text">${meaning}</td>
        <td class="text">${cause}</td>
        <td class="text">${action}</td>
    </tr>`;
}

function assetAmount(total: BreakTotal): VNode {
    return html`${amountFigure(total.amount, total.asset)} ${name(total.asset)}`;
}

function moneyAmount({ money_amount, currency }: BreakTotal): VNode {
    if (money_amount === null || currency === null)
        return html`<span class="quiet">no price</span>`;
    return html`${amountFigure(money_amount, currency)} ${name(currency)}`;
}

function inLines(items: readonly VNode[]): VNode[] {
    return items.map((item) => html`<div>${item}</div>`);
}

export function breaksSection(model: ReportModel): VNode {
    const { breaks, payers } = model;
    const title = 'Open breaks';
    if (breaks.length === 0) return section('breaks', title, nothing('There are no open breaks.'));
    const names = new Map(payers.map((payer) => [payer.payer_id, payer.payer_name]));
    const shown = breaks.slice(0, LIMIT.breaks);
    return section(
        'breaks',
        title,
        table(
            'Open breaks, the largest of each currency first',
            [
                text('Break'),
                text('Payer and account'),
                text('Code'),
                numeric('Expected'),
                numeric('Actual'),
                numeric('Effect'),
                numeric('In money'),
                numeric('Age, days'),
                text('Detail and next step'),
            ],
            shown.map((item) => breakRow(item, names)),
        ),
        remainder(shown.length, breaks.length, 'breaks.csv'),
    );
}

function breakRow(item: Break, names: ReadonlyMap<string, string>): VNode {
    const amount = (value: string) => amountFigure(value, item.asset);
    const payer = item.payer_id ?? '';
    const money =
        item.money_amount === null || item.currency === null
            ? html`<span class="quiet">no price</span>`
            : amountWithCode(item.money_amount, item.currency);
    return html`<tr>
        <th scope="row" class="name">
            <code>${name(item.break_key)}</code><br /><code class="quiet">${item.break_id.slice(0, 12)}</code>
        </th>
        <td class="name">
            ${payer === '' ? html`<span class="quiet">no payer</span>` : named(names.get(payer) ?? payer, payer)}
            ${item.account_id !== null && html`<br /><code>${name(item.account_id)}</code>`}
        </td>
        <td><code class="code">${name(item.code)}</code></td>
        ${number(amount(item.expected))} ${number(amount(item.actual))}
        <td class="number">${amount(item.amount)} ${name(item.asset ?? '')}</td>
        <td class="number">${money}</td>
        ${number(figure(String(item.age_days)))}
        <td class="text">
            ${item.detail !== '' && html`<div>${prose(item.detail)}</div>`}
            ${item.action !== '' && html`<div class="quiet">${prose(item.action)}</div>`}
        </td>
    </tr>`;
}

export function payersSection({ payers }: ReportModel): VNode {
    if (payers.length === 0) return section('payers', 'Payers', nothing('No payer was rated.'));
    const shown = payers.slice(0, LIMIT.payers);
    return section(
        'payers',
        'Payers',
        html`<p>
            A payer is held when the money in its breaks is over its limit. Held lines are not
            delivered; all other payers go out.
        </p>`,
        table(
            'Amounts and holds per payer and currency',
            [
                text('Payer'),
                text('Currency'),
                numeric('Lines'),
                numeric('Amount'),
                numeric('Before rounding'),
                numeric('Breaks'),
                numeric('Money in breaks'),
                numeric('Hold limit'),
                text('Status'),
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
                    <td>${status(payer.recon_status)}</td>
                </tr>`,
            ),
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
                text('Payer'),
                text('Account'),
                text('Product'),
                text('Attributes'),
                numeric('Quantity'),
                text('Unit'),
                numeric('Unit price'),
                numeric('Amount'),
                text('Status'),
            ],
            shown.map(
                (line) => html`<tr>
                    <th scope="row"><code>${name(line.line_key.slice(0, 12))}</code></th>
                    <td class="name">${named(line.payer_name, line.payer_id)}</td>
                    <td class="name">${named(line.account_name, line.account_id)}</td>
                    <td class="name">${name(line.product)}</td>
                    <td class="name"><code>${name(line.attributes)}</code></td>
                    ${number(figure(line.quantity))}
                    <td>${name(line.unit)}</td>
                    ${number(figure(line.unit_price))}
                    <td class="number">
                        ${amountFigure(line.amount, line.currency)} ${name(line.currency)}
                    </td>
                    <td>${status(line.recon_status)}</td>
                </tr>`,
            ),
        ),
        remainder(shown.length, lines.length, 'line_items.csv'),
    );
}

export function suspenseSection({ suspense }: ReportModel): VNode {
    const title = 'Suspense';
    if (suspense.length === 0) return section('suspense', title, nothing('No row is in suspense.'));
    return section(
        'suspense',
        title,
        html`<p>
            Rows that could not be used. They are kept with file, line and raw text in
            ${' '}<code>suspense.csv</code>, and are in no amount of this report.
        </p>`,
        table(
            'Rows in suspense per code',
            [text('Code'), numeric('Rows')],
            suspense.map(
                ({ code, row_count }) => html`<tr>
                    <th scope="row"><code class="code">${name(code)}</code></th>
                    ${number(figure(row_count))}
                </tr>`,
            ),
        ),
    );
}

export function inputsSection({ inputs }: ReportModel): VNode {
    const title = 'Input objects';
    if (inputs.length === 0) return section('inputs', title, nothing('No object was read.'));
    const shown = inputs.slice(0, LIMIT.inputs);
    return section(
        'inputs',
        title,
        table(
            'Objects as they were read, and what became of their lines',
            [
                text('Input'),
                text('Object'),
                numeric('Bytes'),
                numeric('Lines'),
                numeric('= Events'),
                numeric('+ Duplicates'),
                numeric('+ Conflicts'),
                numeric('+ Suspended'),
                text('SHA-256'),
            ],
            shown.map(
                (input) => html`<tr>
                    <td>${name(input.input)}</td>
                    <th scope="row" class="name"><code>${name(input.key)}</code></th>
                    ${number(figure(String(input.size)))} ${number(figure(input.lines))}
                    ${number(figure(input.events))} ${number(figure(input.duplicates))}
                    ${number(figure(input.conflicts))} ${number(figure(input.suspended))}
                    <td class="break-all"><code>${name(input.sha256)}</code></td>
                </tr>`,
            ),
        ),
        remainder(shown.length, inputs.length, 'certificate.json'),
    );
}

export function proofsSection({ proofs, controls }: ReportModel): VNode {
    return section(
        'proofs',
        'Proofs',
        table(
            'What must hold, and whether it does',
            [text('Statement'), numeric('Checked'), text('Result'), text('Where not')],
            proofs.map(
                (proof) => html`<tr class=${proof.holds ? undefined : 'attention'}>
                    <th scope="row" class="name">${proof.statement}</th>
                    ${number(proof.checked)}
                    <td>${proof.holds ? badge('good', 'holds') : badge('bad', 'fails')}</td>
                    <td class="name">${inLines(proof.failures.map(name))}</td>
                </tr>`,
            ),
        ),
        controls.length > 0 && controlsTable(controls),
    );
}

function controlsTable(controls: ReportModel['controls']): VNode {
    const optional = (value: string) => number(value === '' ? '' : figure(value));
    return table(
        'Control totals carried from stage to stage',
        [
            text('Stage'),
            text('Relation'),
            text('Side'),
            text('Slice'),
            numeric('Rows'),
            numeric('Quantity'),
            numeric('Amount'),
            text('Hash total'),
        ],
        controls.map(
            (total) => html`<tr>
                <th scope="row">${name(total.stage)}</th>
                <td>${name(total.relation)}</td>
                <td>${name(total.side)}</td>
                <td class="name">${name(total.slice)}</td>
                ${optional(total.row_count)} ${optional(total.quantity)} ${optional(total.amount)}
                <td><code>${name(total.hash_total)}</code></td>
            </tr>`,
        ),
    );
}

export function fingerprintsSection({ fingerprints }: ReportModel): VNode {
    return section(
        'fingerprints',
        'Fingerprints',
        html`<p>The same inputs, rules and code give the same digest, on any machine.</p>`,
        table(
            'What this run was made of',
            [text('Of'), text('Value')],
            fingerprints.map(
                (one) => html`<tr>
                    <th scope="row" class="name">${name(one.name)}</th>
                    <td class="break-all"><code>${name(one.value)}</code></td>
                </tr>`,
            ),
        ),
    );
}

function nothing(sentence: string): VNode {
    return html`<p class="quiet">${sentence}</p>`;
}
