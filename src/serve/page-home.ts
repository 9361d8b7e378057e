import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import { amountWithCode, counted, figure } from '../report/figures.ts';
import {
    badge,
    name,
    nothing,
    number,
    numeric,
    section,
    table,
    text,
} from '../report/html-parts.ts';
import { visible } from '../report/visible.ts';
import type { OpenItem, Standing } from '../schema/item.ts';
import { when } from './layout.ts';
import type { LogEntry, PeriodSummary } from './library.ts';

/** The list of periods, and what happened last. */
export function homePage(
    name: string,
    periods: readonly PeriodSummary[],
    more: readonly string[],
    entries: readonly LogEntry[],
): ComponentChildren {
    return [
        html`<h1>${visible(name)}</h1>`,
        section('periods', 'Periods', periodsTable(periods), otherPeriods(more)),
        section(
            'log',
            'What happened last',
            entriesList(entries),
            html`<p><a href="/log">All entries of the log</a></p>`,
        ),
    ];
}

function periodsTable(periods: readonly PeriodSummary[]): VNode {
    if (periods.length === 0) return nothing('No run speaks for a period yet.');
    return table(
        'Periods that a run speaks for, the latest first',
        [
            ...[text('Period'), text('State'), numeric('Payers held'), numeric('Open breaks')],
            ...[numeric('of earlier periods'), text('As of'), text('Run')],
        ],
        periods.map((of) => {
            const { standing, commit, closed } = of;
            const { own, carried } = openItems(standing);
            const held = heldCount(standing);
            return html`<tr>
                <th scope="row" class="whole"><a href=${`/periods/${standing.period}`}>${standing.period}</a></th>
                <td>${closed ? badge('good', 'closed') : waiting(standing)}</td>
                ${number(figure(String(held)))} ${number(figure(String(own.length)))}
                ${number(figure(String(carried.length)))}
                <td class="whole">${when(standing.as_of)}</td>
                <td class="whole"><code>${name(commit.run_id)}</code></td>
            </tr>`;
        }),
    );
}

/** Whether a person has to do something. */
export function waiting(standing: Standing): VNode {
    const held = heldCount(standing);
    if (held > 0) return badge('bad', `${counted(held, 'payer')} held`);
    const { own } = openItems(standing);
    return own.length > 0 ? badge('warn', 'breaks open') : badge('good', 'clear');
}

export const heldCount = ({ payers }: Standing) =>
    payers.filter(({ standing }) => standing === 'held').length;

/** Open items of the period itself, and those carried into it. */
export function openItems({ items, period }: Standing): {
    readonly own: readonly OpenItem[];
    readonly carried: readonly OpenItem[];
} {
    const open = items.filter(({ status }) => status === 'open');
    return {
        own: open.filter((of) => of.period === period),
        carried: open.filter((of) => of.period !== period),
    };
}

function otherPeriods(periods: readonly string[]): VNode | null {
    if (periods.length === 0) return null;
    return html`<p>
        Earlier: ${periods.map((of) => html`<a href=${`/periods/${of}`}>${of}</a>${' '}`)}
    </p>`;
}

/** Some entries of the log, and the way to older ones. */
export function logPage(entries: readonly LogEntry[], hasMore: boolean): ComponentChildren {
    const last = entries.at(-1);
    return [
        html`<h1>Log</h1>`,
        entriesList(entries),
        hasMore && last && html`<p><a href=${`/log?before=${last.number}`}>Older entries</a></p>`,
    ];
}

/** Entries of the log, the latest first. */
export function entriesList(entries: readonly LogEntry[]): VNode {
    if (entries.length === 0) return nothing('The log is empty.');
    return html`<ol class="notes" reversed>
        ${entries.map(
            (of) => html`<li>
                <div class="quiet small">
                    ${figure(String(of.number))} · ${when(of.at)} · ${of.by === '' ? 'schedule' : name(of.by)}
                </div>
                ${sentence(of)}
                ${of.reason !== '' && html`<div class="quiet">${name(of.reason, 400)}</div>`}
            </li>`,
        )}
    </ol>`;
}

const verbs = {
    resolve: 'resolved',
    comment: 'commented on',
    assign: 'assigned',
    reopen: 'reopened',
    approve: 'approved what was proposed of',
};

const letVerbs = { release: 'released', withdraw: 'held again', approve: 'approved to release' };

/** What an entry says, in words. */
export function sentence(of: LogEntry): ComponentChildren {
    if (of.kind === 'erase') {
        return `erased an identifier from ${counted(of.row_count, 'row')}`;
    }
    const period = html`<a href=${`/periods/${of.period}`}>${of.period}</a>`;
    if (of.kind === 'decide') {
        const value = of.act === 'resolve' ? ` as ${of.value.replace('_', ' ')}` : '';
        const to = of.act === 'assign' ? html` to ${name(of.value)}` : '';
        const [first] = of.items;
        const which =
            of.items.length === 1 && first
                ? html`<a href=${`/periods/${of.period}/breaks/${first.break_id}`}>a break</a>`
                : counted(of.items.length, 'break');
        return html`${period}: ${of.waits ? 'proposed' : verbs[of.act]} ${which}${value}${to}`;
    }
    if (of.kind === 'release' || of.kind === 'withdraw' || of.kind === 'approve') {
        const what = of.waits ? 'proposed to release' : letVerbs[of.kind];
        const worth = amountWithCode(of.open_money, visible(of.currency));
        const holding = `${counted(of.open_count, 'open break')} worth ${worth}`;
        return html`${period}: ${what} the lines of ${name(of.payer_id)}, with ${holding}`;
    }
    return html`${period}: ${commitText[of.kind]} <code>${name(of.run_id)}</code>`;
}

const commitText = {
    run: 'now speaks',
    close: 'closed with',
    reopen: 'reopened, was closed with',
    backfill: 'corrected in a later period, against',
    revert: 'a correction was taken back, against',
};
