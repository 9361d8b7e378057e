import { html } from 'htm/preact';
import type { VNode } from 'preact';
import type { BalanceStatement, CommitmentStatement } from '../schema/statement.ts';
import { amountFigure } from './figures.ts';
import { name, named, number, numeric, remainder, section, table, text } from './html-parts.ts';
import type { ReportModel } from './model.ts';

/** Rows of each table: a page must open on a phone. */
const LIMIT = 200;

/** Nothing in a run without promises. */
export function statementsSection({ commitments, balances }: ReportModel): VNode | false {
    if (commitments.length === 0 && balances.length === 0) return false;
    return section(
        'statements',
        'Commitments and balances',
        commitments.length > 0 && commitmentTable(commitments),
        balances.length > 0 && balanceTable(balances),
    );
}

function commitmentTable(all: readonly CommitmentStatement[]): VNode {
    const shown = all.slice(0, LIMIT);
    return html`<p>
            A commitment counts usage as it is billed, before anything pays it. What it lacks is billed
            by a true-up when its window ends, if it has one; overage is what usage above it costs more.
        </p>
        ${table(
            'What was promised, and what counted towards it',
            [
                text('Commitment'),
                text('Payer'),
                text('Window'),
                numeric('Promised'),
                numeric('Counted before'),
                numeric('Counted'),
                numeric('Lacking so far'),
                numeric('True-up'),
                numeric('Overage'),
            ],
            shown.map(commitmentRow),
            { count: all.length, file: 'commitments.csv' },
        )}
        ${remainder(shown.length, all.length, 'commitments.csv')}`;
}

function commitmentRow(of: CommitmentStatement): VNode {
    // Units say what they are of; money says its currency.
    const unit = of.meter ?? of.currency;
    const size = (value: string) => number(amountFigure(value, unit));
    const cost = (value: string) => number(amountFigure(value, of.currency));
    return html`<tr>
        <th scope="row" class="name">${named(of.description, of.commitment_id)}</th>
        <td><code>${name(of.payer_id)}</code></td>
        <td><code class="code">${name(of.window_start)}</code> to <code class="code">${name(of.window_end)}</code></td>
        <td class="number">${amountFigure(of.committed, unit)} ${name(unit)}</td>
        ${size(of.counted_before)} ${size(of.counted)} ${size(of.shortfall)}
        ${cost(of.true_up)}
        <td class="number">${amountFigure(of.overage, of.currency)} ${name(of.currency)}</td>
    </tr>`;
}

function balanceTable(all: readonly BalanceStatement[]): VNode {
    const shown = all.slice(0, LIMIT);
    return html`<p>
            A balance pays for usage until it is empty or ends: opening + granted - drawn - expired =
            closing, exactly. Of what expired, the part that rolled over opens another balance of the
            next period.
        </p>
        ${table(
            'What grants had and have left, in their assets',
            [
                text('Balance'),
                text('Payer'),
                text('Asset'),
                numeric('Opening'),
                numeric('Granted'),
                numeric('Drawn'),
                numeric('Expired'),
                numeric('Of it rolled over'),
                numeric('Closing'),
            ],
            shown.map(balanceRow),
            { count: all.length, file: 'balances.csv' },
        )}
        ${remainder(shown.length, all.length, 'balances.csv')}`;
}

function balanceRow(of: BalanceStatement): VNode {
    const size = (value: string) => number(amountFigure(value, of.asset));
    return html`<tr>
        <th scope="row" class="name">${named(of.description, of.grant_id)}</th>
        <td><code>${name(of.payer_id)}</code></td>
        <td>${name(of.asset)}</td>
        ${size(of.opening)} ${size(of.granted)} ${size(of.drawn)} ${size(of.expired)}
        ${size(of.rolled_over)} ${size(of.closing)}
    </tr>`;
}
