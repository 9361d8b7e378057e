import { html } from 'htm/preact';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { breaksSection, codesSection } from './html-breaks.ts';
import {
    conversionsSection,
    fingerprintsSection,
    inputsSection,
    marginsSection,
    proofsSection,
    suspenseSection,
} from './html-evidence.ts';
import { linesSection, payersSection } from './html-invoice.ts';
import { name } from './html-parts.ts';
import { statementsSection } from './html-statements.ts';
import { style } from './html-style.ts';
import { summary, verdict } from './html-summary.ts';
import { tieOutSection } from './html-tie-out.ts';
import type { ReportModel } from './model.ts';
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
                ${summary(model)} ${contents(model)}
            </header>
            <main>
                ${tieOutSection(model)} ${codesSection(model)} ${breaksSection(model)}
                ${payersSection(model)} ${linesSection(model)} ${statementsSection(model)}
                ${marginsSection(model)} ${conversionsSection(model)} ${suspenseSection(model)}
                ${inputsSection(model)} ${proofsSection(model)} ${fingerprintsSection(model)}
            </main>
            <footer class="quiet small">
                Amounts in the tables are exact; the summary rounds what breaks come to. A break’s
                effect counts as rated less debited. The data behind every table is in the run
                folder as CSV and JSON.
            </footer>
        </body>
    </html>`;
}

function contents({ conversions, commitments, balances, margins }: ReportModel): VNode {
    const isPromised = commitments.length + balances.length > 0;
    const entries: readonly (readonly [string, string])[] = [
        ['tie-out', 'Tie-out'],
        ['codes', 'Breaks by code'],
        ['breaks', 'Open breaks'],
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
