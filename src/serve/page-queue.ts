import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import { ageBuckets } from '../items/age.ts';
import { amountFigure, counted, figure, summaryAmount } from '../report/figures.ts';
import { badge, name, nothing } from '../report/html-parts.ts';
import { clipped, visible } from '../report/visible.ts';
import { askedStatuses, type OpenItem, type Standing } from '../schema/item.ts';
import type { Visitor } from './guard.ts';
import { seenKey, shortKey } from './keys.ts';
import { choice } from './layout.ts';
import { NOBODY, type QueuePage, type QueueQuery, queueAddress, type SortKey } from './queue.ts';
import { deedFields, hidden, whyNoWork } from './work-form.ts';

/** Longest name that a choice shows. */
const LABEL = 40;

/** The queue of breaks of a period: what to look at, the breaks, and what to do with some of them. */
export function queuePageOf(
    standing: Standing,
    query: QueueQuery,
    page: QueuePage,
    visitor: Visitor,
): ComponentChildren {
    const path = `/periods/${standing.period}/breaks`;
    return [
        html`<h1>Breaks of ${standing.period}</h1>`,
        filterForm(standing, query, path),
        html`<p>${totalText(page)}</p>`,
        page.items.length === 0
            ? nothing('None is as asked.')
            : workForm(standing, query, page, visitor),
        pager(query, page, path),
    ];
}

function totalText({ count, worth, unpriced_count }: QueuePage): string {
    const money = worth.map(({ amount, unit }) => visible(summaryAmount(amount, unit)));
    const unpriced =
        unpriced_count > 0 ? [`${figure(String(unpriced_count))} without a price`] : [];
    const parts = [...money, ...unpriced];
    return `${counted(count, 'break')}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

function filterForm({ items, payers }: Standing, query: QueueQuery, path: string): VNode {
    const codes = [...new Set(items.map(({ code }) => code))].sort();
    const names = new Map(payers.map((of) => [of.payer_id, of.payer_name]));
    const payerIds = [...new Set(items.flatMap(({ payer_id }) => payer_id ?? []))].sort();
    const any = (label: string) => ['', label] as const;
    const nobody = [NOBODY, 'nobody'] as const;
    return html`<form class="bar" method="get" action=${path} role="search">
        ${choice('Status', 'status', query.status, [
            ...askedStatuses.map((of) => [of, of.replace('_', ' ')] as const),
        ])}
        ${choice('Code', 'code', query.code, [any('any'), ...codes.map((of) => [of, visible(of)] as const)])}
        ${choice('Payer', 'payer', query.payer, [
            any('any'),
            nobody,
            ...payerIds.map((id) => [shortKey(id), clipped(names.get(id) || id, LABEL)] as const),
        ])}
        ${choice('Owner', 'owner', query.owner, [
            any('any'),
            nobody,
            ...ownersOf(items).map((of) => [shortKey(of), clipped(of, LABEL)] as const),
        ])}
        ${choice('Days', 'age', query.age, [any('any'), ...ageBuckets.map((of) => [of, of] as const)])}
        <label>
            Id or account
            <input type="search" name="text" value=${query.text} maxlength="200" size="14" />
        </label>
        ${query.sort !== 'age' && html`<input type="hidden" name="sort" value=${query.sort} />`}
        <button>Show</button>
    </form>`;
}

/** Everybody who owns a break, sorted. */
export const ownersOf = (items: readonly OpenItem[]): readonly string[] =>
    [...new Set(items.flatMap(({ owner }) => owner ?? []))].sort();

function workForm(standing: Standing, query: QueueQuery, page: QueuePage, visitor: Visitor): VNode {
    const { period, run_id, items } = standing;
    const path = `/periods/${period}/breaks`;
    const why = whyNoWork(visitor);
    const rows = breakTable(standing, query, page, why === null);
    if (why) return html`<div>${why}${rows}</div>`;
    const back = queueAddress(path, query);
    const owner = visible(visitor.by ?? '');
    return html`<form method="post" action=${`/periods/${period}/decide`}>
        ${hidden(visitor, { run: run_id, back })} ${rows}
        <div class="work sticky">
            <p class="small quiet" id="picked" role="status">Select breaks above.</p>
            ${deedFields(owner, ownersOf(items).map(visible))}
        </div>
    </form>`;
}

function breakTable(
    standing: Standing,
    query: QueueQuery,
    { items }: QueuePage,
    hasPicks: boolean,
): VNode {
    const names = new Map(standing.payers.map((of) => [of.payer_id, of.payer_name]));
    const caption = `Breaks of ${standing.period}`;
    const sortable = (label: string, sort: SortKey, isNumber = false) => html`<th
        scope="col"
        class=${isNumber ? 'number' : undefined}
        aria-sort=${query.sort === sort ? 'descending' : undefined}
    >
        <a class="sort" href=${queueAddress(`/periods/${standing.period}/breaks`, { ...query, sort, page: 1 })}>${label}</a>
    </th>`;
    return html`<div class="scroll" role="region" aria-label=${caption} tabindex="0">
        <table class="cards">
            <thead>
                <tr>
                    ${
                        hasPicks &&
                        html`<th scope="col" class="tight">
                            <label class="check">
                                <input type="checkbox" id="pick-all" aria-label="Select all of this page" hidden />
                            </label>
                        </th>`
                    }
                    ${sortable('Code and break', 'code')} ${sortable('Payer and account', 'payer')}
                    <th scope="col" class="number">Effect</th>
                    ${sortable('Worth', 'worth', true)} ${sortable('Days', 'age', true)}
                    <th scope="col">Status</th>
                    ${sortable('Owner', 'owner')}
                </tr>
            </thead>
            <tbody>
                ${items.map((item) => breakRow(item, standing, names, hasPicks))}
            </tbody>
        </table>
    </div>`;
}

function breakRow(
    item: OpenItem,
    { period }: Standing,
    names: ReadonlyMap<string, string>,
    hasPicks: boolean,
): VNode {
    const { break_id, payer_id } = item;
    const label = `Select ${item.code} ${clipped(item.break_key, LABEL)}`;
    return html`<tr>
        ${
            hasPicks &&
            html`<td class="tight">
                <label class="check">
                    <input type="checkbox" name="pick" value=${`${break_id}.${seenKey(item)}`} aria-label=${label} />
                </label>
            </td>`
        }
        <th scope="row" class="name">
            <a href=${`/periods/${period}/breaks/${break_id}`}><code class="code">${name(item.code)}</code></a>
            <br /><code>${name(item.break_key, LABEL)}</code>
            ${item.period !== period && html`<br /><span class="quiet small">of ${item.period}</span>`}
        </th>
        <td class="name">
            ${payer_id === null ? html`<span class="quiet">no payer</span>` : name(names.get(payer_id) || payer_id, LABEL)}
            ${item.account_id !== null && html`<br /><code class="quiet">${name(item.account_id, LABEL)}</code>`}
        </td>
        <td class="number" data-label="Effect">${effect(item)}</td>
        <td class="number" data-label="Worth">${worth(item)}</td>
        <td class="number" data-label="Days">${figure(String(item.age_days))}</td>
        <td class="state">${itemBadge(item)}</td>
        <td class="name" data-label="Owner">${item.owner === null ? html`<span class="quiet">nobody</span>` : name(item.owner, LABEL)}</td>
    </tr>`;
}

/** What an item comes to in its asset. */
export function effect({ amount, asset }: Pick<OpenItem, 'amount' | 'asset'>): ComponentChildren {
    return html`${amountFigure(amount, asset)} ${asset !== null && name(asset)}`;
}

/** What it is worth in money, where that is known. */
export function worth({
    money_amount,
    currency,
}: Pick<OpenItem, 'money_amount' | 'currency'>): ComponentChildren {
    if (money_amount === null || currency === null) {
        return html`<span class="quiet">no price</span>`;
    }
    return html`${amountFigure(money_amount, currency)} ${name(currency)}`;
}

/** The status of an item, in words and colour. */
export function itemBadge({ status, reopened_because, proposed }: OpenItem): VNode {
    if (proposed !== null && proposed.changed === null) return badge('warn', `${status}, proposed`);
    if (status !== 'open') return badge('good', status.replace('_', ' '));
    return badge(
        reopened_because === null ? 'warn' : 'bad',
        reopened_because === null ? 'open' : 'open again',
    );
}

function pager(query: QueueQuery, { page, page_count }: QueuePage, path: string): VNode | null {
    if (page_count === 1) return null;
    const to = (of: number, label: string) =>
        html`<a href=${queueAddress(path, { ...query, page: of })}>${label}</a>`;
    return html`<nav class="pages" aria-label="Pages">
        ${page > 1 && to(page - 1, 'Back')}
        <span>Page ${figure(String(page))} of ${figure(String(page_count))}</span>
        ${page < page_count && to(page + 1, 'Further')}
    </nav>`;
}
