import { drawCharts } from './charts.ts';
import { renderHtml } from './html.ts';
import type { ReportModel } from './model.ts';

/** The report as a page with its charts. Equal models give equal bytes. */
export async function renderPage(model: ReportModel): Promise<string> {
    return renderHtml(model, await drawCharts(model));
}
