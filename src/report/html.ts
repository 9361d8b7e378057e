import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { amountFigure, counted, figure } from './figures.ts';
import { badge, name, status } from './html-parts.ts';
import {
    breaksSection,
    codesSection,
    fingerprintsSection,
    inputsSection,
    linesSection,
    payersSection,
    proofsSection,
    suspenseSection,
    tieOutSection,
} from './html-sections.ts';
import { style } from './html-style.ts';
import type { Headline, ReportModel, Sum } from './model.ts';
import { visible } from './visible.ts';

/**
 * The report as one HTML page that needs nothing else: no network (its own policy forbids it), no
 * script, no clock. Every text is escaped by the renderer, and characters that can't be seen are
 * shown as escapes. Equal models give equal bytes. Ends in LF.
 */
export function renderHtml(model: ReportModel): string {
    return `<!doctype html>\n${renderToString(page(model))}\n`;
}

function page(model: ReportModel): VNode {
    const title = `Tie-out report: ${visible(model.period_title)}`;
    return html`<html lang="en">
        <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="robots" content="noindex" />
            <meta
                http-equiv="Content-Security-Policy"
                content="default-src 'none'; style-src 'unsafe-inline'"
            />
            <title>${title}</title>
            <style>
                ${style}
            </style>
        </head>
        <body>
            <header>
                <h1>${title} ${verdict(model.headline)}</h1>
                <p class="quiet">
                    ${model.pipeline === 'reconcile' ? 'Reconciliation' : 'Nightly run'}
                    ${' '}<code>${name(model.run_id.slice(0, 24))}</code>, as of ${name(model.as_of)}
                </p>
                ${summary(model)} ${contents()}
            </header>
            <main>
                ${tieOutSection(model)} ${codesSection(model)} ${breaksSection(model)}
                ${payersSection(model)} ${linesSection(model)} ${suspenseSection(model)}
                ${inputsSection(model)} ${proofsSection(model)} ${fingerprintsSection(model)}
            </main>
            <footer class="quiet small">
                Amounts are exact; a break’s effect counts as rated less debited. The data behind
                every table is in the run folder as CSV and JSON.
            </footer>
        </body>
    </html>`;
}

function verdict({ untied_count, held, result }: Headline): VNode {
    if (untied_count > 0) return badge('bad', 'Does not tie out');
    if (result === 'clean') return badge('good', 'Clean');
    const payers = new Set(held.map((payer) => payer.payer_id)).size;
    return badge('warn', payers === 0 ? 'Held' : `${counted(payers, 'payer')} held`);
}

function summary({ headline, sentences }: ReportModel): VNode {
    const { untied_count, unauditable_count, group_count } = headline;
    const isNothing = group_count === unauditable_count;
    const tied = untied_count > 0 ? 'Not zero' : isNothing ? 'No debit log' : 'Zero';
    const tone = untied_count > 0 ? 'bad' : isNothing ? 'warn' : 'good';
    const payers = new Set(headline.held.map((payer) => payer.payer_id)).size;
    return html`<div>
        <dl class="tiles">
            ${tile('Rated', sums(headline.rated), `${counted(headline.line_count, 'line')}`)}
            ${tile(
                'Tie-out',
                html`<span class=${tone}>${tied}</span>`,
                `${counted(group_count, 'group')}, ${figure(String(unauditable_count))} unauditable`,
            )}
            ${tile('Payers held', `${figure(String(payers))} of ${figure(String(headline.payer_count))}`, sumsNote(headline.held_amounts))}
            ${tile('Open breaks', figure(String(headline.break_count)), sumsNote(headline.break_sizes))}
        </dl>
        <ul class="sentences">
            ${sentences.map((sentence) => html`<li>${visible(sentence)}</li>`)}
            ${headline.held.length > 0 && heldNames(headline)}
        </ul>
    </div>`;
}

function tile(label: string, value: VNode | VNode[] | string, note: string): VNode {
    return html`<div class="tile">
        <dt>${label}</dt>
        <dd class="figure">${value}</dd>
        <dd class="quiet small">${note}</dd>
    </div>`;
}

function sums(all: readonly Sum[]): VNode[] | string {
    if (all.length === 0) return 'Nothing';
    return all.map(
        ({ amount, unit }) => html`<div>${amountFigure(amount, unit)} ${name(unit)}</div>`,
    );
}

function sumsNote(all: readonly Sum[]): string {
    return all
        .map(({ amount, unit }) => `${amountFigure(amount, unit)} ${visible(unit)}`)
        .join(', ');
}

/** The first ten held payers by name; the table of payers has all. */
function heldNames({ held }: Headline): VNode {
    const shown = held.slice(0, 10);
    const more = held.length - shown.length;
    return html`<li>
        ${status('held')}${' '}
        ${shown.map(
            (payer, index) =>
                html`${index > 0 && ', '}${name(payer.payer_name)}${' '}(${amountFigure(payer.amount, payer.currency)} ${name(payer.currency)})`,
        )}
        ${more > 0 && `, and ${figure(String(more))} more`}
    </li>`;
}

function contents(): VNode {
    const entries: readonly (readonly [string, string])[] = [
        ['tie-out', 'Tie-out'],
        ['codes', 'Breaks by code'],
        ['breaks', 'Open breaks'],
        ['payers', 'Payers'],
        ['lines', 'Invoice lines'],
        ['suspense', 'Suspense'],
        ['inputs', 'Input objects'],
        ['proofs', 'Proofs'],
        ['fingerprints', 'Fingerprints'],
    ];
    return html`<nav aria-label="Contents">
        <ul>
            ${entries.map(([id, label]) => html`<li><a href=${`#${id}`}>${label}</a></li>`)}
        </ul>
    </nav>`;
}
