import { createHash } from 'node:crypto';
import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { type Charts, noCharts } from './charts.ts';
import { agesSection } from './html-ages.ts';
import { codesSection } from './html-breaks.ts';
import {
    conversionsSection,
    fingerprintsSection,
    inputsSection,
    marginsSection,
    proofsSection,
    suspenseSection,
} from './html-evidence.ts';
import { linesSection, payersSection } from './html-invoice.ts';
import { breaksSection } from './html-items.ts';
import { name } from './html-parts.ts';
import { rawSection } from './html-raw.ts';
import { script } from './html-script.ts';
import { statementsSection } from './html-statements.ts';
import { style } from './html-style.ts';
import { summary, verdict } from './html-summary.ts';
import { threeWaySection } from './html-three-way.ts';
import { tieOutSection } from './html-tie-out.ts';
import { trendSection } from './html-trend.ts';
import type { ReportModel } from './model.ts';
import { visible } from './visible.ts';

/** What the page may do: show its own style and run its own script, each known by its hash. */
const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
].join('; ');

function hashOf(text: string): string {
    return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/**
 * The report as one HTML page that needs nothing else: no network (its own policy forbids it), no
 * clock. It is whole without its script, which only sorts, searches and saves its tables. Every text is
 * escaped by the renderer, and characters that can't be seen are shown as escapes. Equal models and
 * charts give equal bytes. Ends in LF.
 */
export function renderHtml(model: ReportModel, charts: Charts = noCharts): string {
    return `<!doctype html>\n${renderToString(page(model, charts))}\n`;
}

function page(model: ReportModel, charts: Charts): VNode {
    const title = `Tie-out report: ${visible(model.period_title)}`;
    return html`<html lang="en">
        <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="robots" content="noindex" />
            <meta name="color-scheme" content="light dark" />
            <meta http-equiv="Content-Security-Policy" content=${policy} />
            <title>${title}</title>
            <style dangerouslySetInnerHTML=${{ __html: style }} />
        </head>
        <body>
            <header>
                <h1>${title} ${verdict(model.headline)}</h1>
                <p class="quiet">
                    ${model.pipeline === 'reconcile' ? 'Reconciliation' : 'Nightly run'}
                    ${' '}<code>${name(model.run_id.slice(0, 24))}</code>, as of ${name(model.as_of)}
                </p>
                ${summary(model)} ${contents(model)}
            </header>
            <main>
                ${threeWaySection(model, charts.ways)} ${tieOutSection(model)} ${codesSection(model)}
                ${agesSection(model, charts.ages)} ${breaksSection(model)} ${rawSection(model)}
                ${trendSection(model, charts.trend)} ${payersSection(model, charts.payers)}
                ${linesSection(model)} ${statementsSection(model)} ${marginsSection(model)}
                ${conversionsSection(model)} ${suspenseSection(model)} ${inputsSection(model)}
                ${proofsSection(model)} ${fingerprintsSection(model)}
            </main>
            <footer class="quiet small">
                Amounts in the tables are exact; the summary and the charts round what breaks come to. A
                break’s effect counts as rated less debited. The data behind every table is in the run
                folder as CSV and JSON.
            </footer>
            <script dangerouslySetInnerHTML=${{ __html: script }} />
        </body>
    </html>`;
}

function contents(model: ReportModel): VNode {
    const { conversions, commitments, balances, margins, ages, evidence, trend } = model;
    const isPromised = commitments.length + balances.length > 0;
    const entries: readonly (readonly [string, string])[] = [
        ['three-way', 'From authorized to invoiced'],
        ['tie-out', 'Tie-out'],
        ['codes', 'Breaks by code'],
        ...(ages.length ? [['ages', 'Breaks by age'] as const] : []),
        ['breaks', 'Open breaks'],
        ...(evidence.length ? [['raw', 'Raw records'] as const] : []),
        ...(trend.length ? [['trend', 'Night by night'] as const] : []),
        ['payers', 'Payers'],
        ['lines', 'Invoice lines'],
        ...(isPromised ? [['statements', 'Commitments and balances'] as const] : []),
        ...(margins?.length ? [['margins', 'Margins of sellers'] as const] : []),
        ...(conversions.length ? [['conversions', 'Conversions'] as const] : []),
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
