import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import type { Chart } from './charts.ts';
import { figure } from './figures.ts';
import { PRINTED } from './html-style.ts';
import { clipped } from './visible.ts';

/** Longest name or id a cell shows; the CSV files have it whole. */
const NAME_LIMIT = 120;
const TEXT_LIMIT = 400;

/** A column heading. Numbers stand to the right. */
export interface Heading {
    readonly label: string;
    readonly isNumber?: boolean;
    /** What readers may choose one value of: the name of the choice. */
    readonly facet?: string;
}

export const text = (label: string): Heading => ({ label });
export const choice = (label: string, facet = label): Heading => ({ label, facet });
export const numeric = (label: string): Heading => ({ label, isNumber: true });

/** A name or id as it is, unseen characters visible, isolated from the text around it. */
export function name(text: string, limit = NAME_LIMIT): VNode {
    return html`<bdi>${clipped(text, limit)}</bdi>`;
}

/** Longer text from outside, such as a break's detail. */
export function prose(text: string): VNode {
    return html`<bdi>${clipped(text, TEXT_LIMIT)}</bdi>`;
}

/** A name with its id below it, or the id alone when they are the same. */
export function named(label: string, id: string): VNode {
    if (label === id || label === '') return html`<code data-part="id">${name(id)}</code>`;
    return html`${part('name', name(label))}<br /><code class="quiet" data-part="id">${name(id)}</code>`;
}

export function badge(kind: 'good' | 'bad' | 'warn', text: string): VNode {
    return html`<span class=${`badge ${kind}`}>${text}</span>`;
}

/** The status of a payer or a tie-out, in words and colour. */
export function status(value: string): VNode {
    if (value === 'clear' || value === 'tied') return badge('good', value);
    return badge(value === 'unauditable' ? 'warn' : 'bad', value);
}

export function number(text: string): VNode {
    return html`<td class="number">${text}</td>`;
}

/** A bar of `value` out of `most`. The number stands beside it: readers without sight skip this. */
export function bar(value: number, most: number): VNode {
    const width = Math.max(1, Math.round((value * 100) / Math.max(1, most)));
    return html`<svg
        class="bar"
        viewBox="0 0 100 10"
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
    ><rect x="0" y="0" width=${width} height="10" /></svg>`;
}

/** How many rows there are in all, and the file that has them. */
export interface Whole {
    readonly count: number;
    readonly file: string;
}

/** A table that scrolls in its own box, also by keyboard. A long one is its first rows alone on paper. */
export function table(
    caption: string,
    head: readonly Heading[],
    rows: readonly ComponentChildren[],
    whole: Whole | null = null,
): VNode {
    return html`<div class="scroll" role="region" aria-label=${caption} tabindex="0">
        <table class=${whole ? 'long' : undefined}>
            <caption>${caption}</caption>
            <thead>
                <tr>
                    ${head.map(
                        ({ label, isNumber, facet }) =>
                            html`<th scope="col" class=${isNumber ? 'number' : undefined} data-facet=${facet}>
                                ${label}
                            </th>`,
                    )}
                </tr>
            </thead>
            <tbody>
                ${rows}
            </tbody>
        </table>
        ${whole && printedOnly(whole.count, PRINTED, whole.file)}
    </div>`;
}

/** On paper: how much more there is, and where. */
export function printedOnly(all: number, printed: number, file?: string): VNode | false {
    if (all <= printed) return false;
    const where = file === undefined ? 'the page' : html`the page and <code>${file}</code>`;
    return html`<p class="printed quiet small">
        On paper the first ${figure(String(printed))}; ${figure(String(all - printed))} more are in ${where}.
    </p>`;
}

/** Charts in a row, each with its title; what they show stands in a table beside them. */
export function figures(charts: readonly Chart[]): VNode | false {
    if (charts.length === 0) return false;
    return html`<div class="charts">
        ${charts.map(
            ({ title, svg }) => html`<figure tabindex="0">
                <figcaption>${title}</figcaption>
                <div class="chart" dangerouslySetInnerHTML=${{ __html: svg }} />
            </figure>`,
        )}
    </div>`;
}

/** A part of a cell that has several: a column of its own when the table is saved. */
export function part(label: string, text: ComponentChildren): VNode {
    return html`<span data-part=${label}>${text}</span>`;
}

/** A part of the report, with its heading. */
export function section(id: string, title: string, ...content: ComponentChildren[]): VNode {
    return html`<section id=${id} aria-labelledby=${`${id}-title`}>
        <h2 id=${`${id}-title`}>${title}</h2>
        ${content}
    </section>`;
}

/** Stands in for a table when there is nothing to show. */
export function nothing(sentence: string): VNode {
    return html`<p class="quiet">${sentence}</p>`;
}

/** Several values of one cell, each on its own line. */
export function inLines(items: readonly VNode[]): VNode[] {
    return items.map((item) => html`<div>${item}</div>`);
}

/** Says what a shortened table leaves out and where it is; nothing when it is whole. */
export function remainder(
    shown: number,
    all: number,
    file: string,
    place = 'in the run folder',
): VNode | null {
    if (all <= shown) return null;
    const rest = figure(String(all - shown));
    return html`<p class="quiet small shown">
        The first ${figure(String(shown))} of ${figure(String(all))} are shown; ${rest} more are in
        ${' '}<code>${file}</code> ${place}.
    </p>`;
}
