import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { name } from '../report/html-parts.ts';
import { visible } from '../report/visible.ts';
import { NAME_LIMIT, type Visitor } from './guard.ts';
import { script, style } from './look.ts';

/** Where a page is: links to what it is a part of, from the top. */
export type Trail = readonly (readonly [label: string, address: string])[];

/** A page as it is put together. */
export interface Page {
    readonly title: string;
    readonly trail: Trail;
    /** Null where nobody is known yet: of a failure before that. */
    readonly visitor: Visitor | null;
    readonly message?: string | null;
    readonly content: ComponentChildren;
    /** Where this page is, to come back to. */
    readonly here?: string;
    /** The name is given at the start, and nobody is asked. */
    readonly isNameFixed?: boolean;
}

/** A whole page. Every text in it is escaped by the renderer, and made visible where it is a stranger's. */
export function renderPage(page: Page): string {
    const { title, trail, content, message } = page;
    const whole = html`<html lang="en">
        <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="robots" content="noindex" />
            <title>${`${visible(title)} · tieout`}</title>
            <style dangerouslySetInnerHTML=${{ __html: style }}></style>
        </head>
        <body>
            <header class="site">
                <div class="inner">
                    <a class="mark" href="/">tieout</a>
                    <nav aria-label="Path">
                        <ul>
                            ${trail.map(
                                ([label, address]) =>
                                    html`<li><a href=${address}>${visible(label)}</a></li>`,
                            )}
                        </ul>
                    </nav>
                    ${page.visitor && html`<div class="who">${who(page, page.visitor)}</div>`}
                </div>
            </header>
            <main>
                ${message && html`<div class="message good" role="status"><p>${message}</p></div>`}
                ${content}
            </main>
            <script dangerouslySetInnerHTML=${{ __html: script }}></script>
        </body>
    </html>`;
    return `<!doctype html>\n${renderToString(whole)}\n`;
}

/** Who the visitor is, and how that changes. */
function who(page: Page, { session, by, form_key }: Visitor): VNode | string {
    if (session === null) return 'Reading only';
    if (page.isNameFixed)
        return html`<span>You decide as <strong>${name(by ?? '')}</strong></span>`;
    const field = html`<form class="inline fields" method="post" action="/name">
        <input type="hidden" name="form_key" value=${form_key} />
        <input type="hidden" name="back" value=${page.here ?? '/'} />
        <input name="name" aria-label="Your name" placeholder="Your name" required
            maxlength=${NAME_LIMIT} value=${visible(by ?? '')} size="14" autocomplete="name" />
        <button>${by === null ? 'That is me' : 'Change'}</button>
    </form>`;
    return html`<details open=${by === null}>
        <summary>
            ${by === null ? 'Who decides?' : html`You decide as <strong>${name(by)}</strong>`}
        </summary>
        ${field}
    </details>`;
}

/** An instant for a person: `2026-11-05 00:00 UTC`, with seconds where there are any. */
export function when(instant: string): string {
    const [, day, minute, seconds = ''] =
        /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(?:\.\d+)?Z$/.exec(instant) ?? [];
    if (day === undefined) return visible(instant);
    return `${day} ${minute}${seconds === ':00' ? '' : seconds} UTC`;
}

/** A list of facts: names with what they are. Those with nothing to say are left out. */
export function facts(
    rows: readonly (readonly [label: string, value: ComponentChildren])[],
): VNode {
    const said = rows.filter(([, value]) => value !== null && value !== '' && value !== false);
    return html`<dl class="facts">
        ${said.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}
    </dl>`;
}

/** Large figures of a page, each with what it is and a note. */
export function tiles(
    all: readonly (readonly [label: string, value: ComponentChildren, note: string])[],
): VNode {
    return html`<dl class="tiles">
        ${all.map(
            ([label, value, note]) => html`<div class="tile">
                <dt>${label}</dt>
                <dd class="figure">${value}</dd>
                <dd class="quiet small">${note}</dd>
            </div>`,
        )}
    </dl>`;
}

/** A choice of a form. */
export function choice(
    label: string,
    field: string,
    chosen: string,
    options: readonly (readonly [value: string, label: string])[],
): VNode {
    return html`<label>
        ${label}
        <select name=${field}>
            ${options.map(
                ([value, text]) =>
                    html`<option value=${value} selected=${value === chosen}>${text}</option>`,
            )}
        </select>
    </label>`;
}
