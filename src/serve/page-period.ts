import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import { amountFigure, counted, figure, isZero, summaryAmount } from '../report/figures.ts';
import { type Sum, sumsBy } from '../report/headline.ts';
import {
    badge,
    inLines,
    name,
    named,
    nothing,
    number,
    numeric,
    remainder,
    section,
    table,
    text,
} from '../report/html-parts.ts';
import { visible } from '../report/visible.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Commit } from '../schema/commit.ts';
import type { PayerStanding, Standing } from '../schema/item.ts';
import { shortKey } from './keys.ts';
import { choice, facts, tiles, when } from './layout.ts';
import type { LogEntry, PeriodSummary } from './library.ts';
import { entriesList, heldCount, openItems, waiting } from './page-home.ts';
import { queueAddress } from './queue.ts';

/** Rows of the table of payers: a page must open on a phone. */
const LIMIT = 500;

/** How a period stands: its headline, its payers, its runs and what was decided. */
export function periodPage(of: PeriodSummary, entries: readonly LogEntry[]): ComponentChildren {
    const { standing, certificate, closed, commit } = of;
    const { period } = standing;
    return [
        html`<h1>${period} ${closed ? badge('good', 'closed') : waiting(standing)}</h1>`,
        html`<p class="quiet">
            ${certificate.pipeline === 'reconcile' ? 'Reconciliation' : 'Nightly run'}
            ${' '}<a href=${`/periods/${period}/runs/${commit.number}`}><code>${name(commit.run_id)}</code></a>,
            as of ${when(standing.as_of)}${closed ? html`; closed by ${name(closed.by)} at ${when(closed.at)}` : ''}
        </p>`,
        headlineTiles(of),
        html`<p>
            <a href=${`/periods/${period}/breaks`}>Work the queue of breaks</a>${' · '}
            <a href=${`/periods/${period}/runs/${commit.number}/files/report.html`}>The report of the run</a>${' · '}
            <a href=${`/periods/${period}/deliveries`}>Deliveries</a>
        </p>`,
        section('payers', 'Payers', payersTable(standing, certificate)),
        section('ages', 'Open breaks by code', codesTable(standing)),
        section('explain', 'Explain a line', explainForm(period)),
        section('runs', 'Runs', runsTable(entries), compareForm(period, entries)),
        section('log', 'What happened', entriesList(entries)),
    ];
}

function headlineTiles({ standing, certificate }: PeriodSummary): VNode {
    const ofLines = (payers: Certificate['payers']) =>
        sumsBy(payers, ({ currency, amount }) => ({ unit: currency, amount }));
    const held = new Set(
        standing.payers.filter((of) => of.standing === 'held').map((of) => of.payer_id),
    );
    const { own, carried } = openItems(standing);
    const untied = certificate.tie_outs.filter(({ unexplained }) => !isZero(unexplained));
    const unpriced = own.filter(({ money_amount }) => money_amount === null).length;
    const worth = sumsBy(standing.payers, ({ currency, open_money }) => ({
        unit: currency,
        amount: isZero(open_money) ? null : open_money,
    }));
    const isHeld = ({ payer_id }: { readonly payer_id: string }) => held.has(payer_id);
    return tiles([
        [
            'May go out',
            sumLines(ofLines(certificate.payers.filter((of) => !isHeld(of)))),
            counted(standing.payers.length - held.size, 'payer'),
        ],
        [
            'Held',
            sumLines(ofLines(certificate.payers.filter(isHeld))),
            counted(heldCount(standing), 'payer'),
        ],
        [
            'Open breaks',
            figure(String(own.length)),
            [
                ...worth.map(({ amount, unit }) => visible(summaryAmount(amount, unit))),
                ...(unpriced > 0 ? [`${figure(String(unpriced))} without a price`] : []),
                ...(carried.length > 0 ? [`${figure(String(carried.length))} of before`] : []),
            ].join(', '),
        ],
        [
            'Tie-out',
            untied.length === 0
                ? html`<span class="good">Zero</span>`
                : html`<span class="bad">Not zero</span>`,
            counted(certificate.tie_outs.length, 'account and asset', 'accounts and assets'),
        ],
    ]);
}

/** Sums for a tile: one a currency. */
export function sumLines(sums: readonly Sum[]): ComponentChildren {
    if (sums.length === 0) return 'Nothing';
    return inLines(sums.map(({ amount, unit }) => html`${visible(summaryAmount(amount, unit))}`));
}

/** How a payer stands, in words and colour. */
export function payerBadge({ standing }: Pick<PayerStanding, 'standing'>): VNode {
    if (standing === 'held') return badge('bad', 'held');
    return badge(standing === 'unauditable' ? 'warn' : 'good', standing);
}

const rank = { held: 0, released: 1, resolved: 2, unauditable: 3, clear: 4 };

function payersTable({ payers, period }: Standing, certificate: Certificate): VNode[] {
    if (payers.length === 0) return [nothing('The run bills nobody.')];
    const totals = new Map(certificate.payers.map((of) => [of.payer_id, of]));
    const sorted = payers.toSorted((a, b) => rank[a.standing] - rank[b.standing]);
    const shown = sorted.slice(0, LIMIT);
    const rest = remainder(shown.length, payers.length, 'certificate.json');
    return [
        table(
            'Payers, those that are held first',
            [
                ...[text('Payer'), text('Lines'), text('Currency'), numeric('To pay')],
                ...[numeric('Open breaks'), numeric('Worth'), numeric('Hold limit')],
            ],
            shown.map((of) => {
                const amount = totals.get(of.payer_id)?.amount ?? '0';
                const key = shortKey(of.payer_id);
                const queue = queueAddress(`/periods/${period}/breaks`, { payer: key });
                return html`<tr>
                    <th scope="row" class="name">
                        <a href=${`/periods/${period}/payers/${key}`}>${named(of.payer_name, of.payer_id)}</a>
                    </th>
                    <td>${payerBadge(of)}</td>
                    <td>${name(of.currency)}</td>
                    ${number(amountFigure(amount, of.currency))}
                    <td class="number">
                        ${of.open_count > 0 ? html`<a href=${queue}>${figure(String(of.open_count))}</a>` : '0'}
                    </td>
                    ${number(amountFigure(of.open_money, of.currency))}
                    ${number(amountFigure(of.hold_limit, of.currency))}
                </tr>`;
            }),
        ),
        ...(rest ? [rest] : []),
    ];
}

/** How many open items there are per code, and how old the oldest is. */
function codesTable({ items, period }: Standing): VNode {
    const open = items.filter(({ status }) => status === 'open');
    if (open.length === 0) return nothing('No break is open.');
    const byCode = [...Map.groupBy(open, ({ code }) => code)].sort(
        ([, a], [, b]) => b.length - a.length,
    );
    return table(
        'How many there are, how many are nobody’s, and how old the oldest is',
        [text('Code'), numeric('Open'), numeric('Nobody’s'), numeric('Days of the oldest')],
        byCode.map(([code, of]) => {
            const nobodys = of.filter(({ owner }) => owner === null).length;
            const oldest = of.reduce((days, { age_days }) => Math.max(days, age_days), 0);
            return html`<tr>
                <th scope="row">
                    <a href=${queueAddress(`/periods/${period}/breaks`, { code })}>
                        <code class="code">${name(code)}</code>
                    </a>
                </th>
                ${number(figure(String(of.length)))} ${number(figure(String(nobodys)))}
                ${number(figure(String(oldest)))}
            </tr>`;
        }),
    );
}

function explainForm(period: string): VNode {
    return html`<form class="bar" method="get" action=${`/periods/${period}/explain`}>
        <label class="wide">
            Line key, or how it begins
            <input name="key" required minlength="6" maxlength="64" pattern="[0-9a-fA-F]+" size="40" />
        </label>
        <button>Explain</button>
    </form>`;
}

/** Runs that spoke for the period, the latest first. */
export const runsIn = (entries: readonly LogEntry[]): readonly Commit[] =>
    entries.filter((of): of is Commit => of.kind === 'run');

function runsTable(entries: readonly LogEntry[]): VNode {
    return table(
        'Runs that spoke for the period, the latest first',
        [numeric('Entry'), text('Run'), text('Pipeline'), text('Entered at')],
        runsIn(entries).map(
            ({ number: entry, run_id, pipeline, at, period }, index) => html`<tr>
                ${number(figure(String(entry)))}
                <th scope="row" class="name">
                    <a href=${`/periods/${period}/runs/${entry}`}><code>${name(run_id)}</code></a>
                    ${index === 0 && html` ${badge('good', 'speaks')}`}
                </th>
                <td>${pipeline}</td>
                <td>${when(at)}</td>
            </tr>`,
        ),
    );
}

function compareForm(period: string, entries: readonly LogEntry[]): VNode | null {
    const runs = runsIn(entries);
    if (runs.length < 2) return null;
    const options = runs.map(
        ({ number: entry, run_id, at }) =>
            [String(entry), `${entry}: ${visible(run_id)}, ${when(at)}`] as const,
    );
    return html`<form class="bar" method="get" action=${`/periods/${period}/compare`}>
        ${choice('Before', 'old', options[1]?.[0] ?? '', options)}
        ${choice('After', 'new', options[0]?.[0] ?? '', options)}
        <button>Compare</button>
    </form>`;
}

/** One run as it was entered: what it came to, and its files. */
export function runPage(
    commit: Commit,
    certificate: Certificate,
    isSpeaking: boolean,
): ComponentChildren {
    const { period, number: entry } = commit;
    const files = ['certificate.json', ...Object.keys(certificate.outputs)].sort();
    return [
        html`<h1>${name(commit.run_id)} ${isSpeaking && badge('good', 'speaks')}</h1>`,
        facts([
            ['Period', html`<a href=${`/periods/${period}`}>${period}</a>`],
            ['As of', when(certificate.as_of)],
            ['Entered', `as number ${figure(String(entry))} at ${when(commit.at)}`],
            ['Result', certificate.result],
            ['Digest', html`<code>${name(certificate.run_digest)}</code>`],
            ['Version', name(certificate.tieout_version)],
            ['Objects', figure(String(certificate.inputs.length))],
            ['Completeness', name(certificate.completeness, 400)],
        ]),
        section(
            'codes',
            'Breaks that it found',
            certificate.breaks.length === 0
                ? nothing('None.')
                : table(
                      'Breaks by code and asset',
                      [text('Code'), text('Asset'), numeric('Breaks'), numeric('Effect')],
                      certificate.breaks.map(
                          (of) => html`<tr>
                              <th scope="row"><code class="code">${name(of.code)}</code></th>
                              <td>${name(of.asset)}</td>
                              ${number(figure(String(of.break_count)))}
                              ${number(amountFigure(of.amount, of.asset))}
                          </tr>`,
                      ),
                  ),
        ),
        section(
            'files',
            'Files',
            html`<ul>
                ${files.map(
                    (file) => html`<li>
                        <a href=${`/periods/${period}/runs/${entry}/files/${encodeURIComponent(file)}`}>${name(file)}</a>
                    </li>`,
                )}
            </ul>`,
        ),
    ];
}
