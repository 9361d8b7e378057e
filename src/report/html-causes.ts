import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { amountFigure, figure, isZero } from './figures.ts';
import { choice, name, number, numeric, section, table, text } from './html-parts.ts';
import type { ReportModel } from './model.ts';

/** What makes rated and debited differ, in all. Nothing in a run that does not say it. */
export function causesSection({ causes }: ReportModel): VNode | false {
    const made = causes.filter(({ amount }) => !isZero(amount));
    if (made.length === 0) return false;
    return section(
        'causes',
        'Causes of differences',
        html`<p>
            Rated less debited, by what made it: together the causes are all of the difference in an
            asset, to the last digit. <code>break_causes.csv</code> has them break by break.
        </p>`,
        table(
            'What makes rated and debited differ, per asset',
            [text('Cause'), choice('Asset'), numeric('Times'), numeric('Amount')],
            made.map(
                ({ cause, asset, cause_count, amount }) => html`<tr>
                    <th scope="row">${name(cause.replaceAll('_', ' '))}</th>
                    <td>${name(asset)}</td>
                    ${number(cause_count === '0' ? '' : figure(cause_count))}
                    ${number(amountFigure(amount, asset))}
                </tr>`,
            ),
        ),
    );
}

/** What moved wallets in the period. Nothing in a run without a debit log. */
export function walletsSection({ wallet_movements }: ReportModel): VNode | false {
    if (wallet_movements.length === 0) return false;
    return section(
        'wallets',
        'Movements of wallets',
        html`<p>
            All wallets of an asset, as their log has it; only adjustments carry a sign.
            ${' '}<code>wallet_movements.csv</code> rolls each wallet forward.
        </p>`,
        table(
            'What moved wallets in the period, per asset and type of entry',
            [text('Type'), choice('Asset'), numeric('Entries'), numeric('Amount')],
            wallet_movements.map(
                ({ asset, entry_type, entry_count, amount }) => html`<tr>
                    <th scope="row">${name(entry_type)}</th>
                    <td>${name(asset)}</td>
                    ${number(figure(entry_count))} ${number(amountFigure(amount, asset))}
                </tr>`,
            ),
        ),
    );
}
