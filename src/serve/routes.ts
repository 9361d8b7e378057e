import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { RunError } from '../errors/index.ts';
import { breakDifferences } from '../run/break-differences.ts';
import type { BreakRecords } from '../run/break-records.ts';
import { itemsOf } from '../run/decide.ts';
import { certificateFile } from '../run/folders.ts';
import { differences } from '../run/line-differences.ts';
import { readPayerLines } from '../run/payer-lines.ts';
import type { Commit } from '../schema/commit.ts';
import type { OpenItem } from '../schema/item.ts';
import { spokenFor } from '../state/commit-log.ts';
import type { Desk } from './app.ts';
import { payerBy } from './decisions.ts';
import type { Known } from './guard.ts';
import type { Trail } from './layout.ts';
import type { LogEntry } from './library.ts';
import { reportPolicy } from './look.ts';
import { breakPage } from './page-break.ts';
import { comparePage } from './page-compare.ts';
import { deliveriesPage } from './page-deliveries.ts';
import { explainPage, payerPage } from './page-payer.ts';
import { periodPage, runPage } from './page-period.ts';
import { queuePageOf } from './page-queue.ts';
import { queuePage, queueQuery } from './queue.ts';
import type { Told } from './site.ts';

/** Lines of a payer that its page shows. */
const LINES = 200;

/** Every address below a period begins so. */
export const ofPeriod = '/periods/:period{[0-9]{4}-[0-9]{2}}';

/** Links from the top to a period, and further. */
export function trailOf(period: string, ...more: Trail): Trail {
    return [[period, `/periods/${period}`], ...more];
}

const isAbout = (period: string) => (of: LogEntry) => of.kind !== 'erase' && of.period === period;

/** Pages of a period. None of them changes anything. */
export function periodRoutes(app: Hono<Known>, desk: Desk): void {
    const { library, show } = desk;
    app.get(ofPeriod, async (c) => {
        const period = c.req.param('period');
        const of = await library.standing(period);
        const entries = (await library.entries()).filter(isAbout(period));
        const content = periodPage(of, entries);
        return show(c, { title: period, trail: trailOf(period), content });
    });
    app.get(`${ofPeriod}/breaks`, async (c) => {
        const period = c.req.param('period');
        const { standing } = await library.standing(period);
        const query = queueQuery(c.req.query());
        const page = queuePage(standing.items, query);
        const content = queuePageOf(standing, query, page, c.get('visitor'));
        const trail = trailOf(period, ['Breaks', `/periods/${period}/breaks`]);
        return show(c, { title: `Breaks of ${period}`, trail, content });
    });
    app.get(`${ofPeriod}/breaks/:id{[0-9a-f]{64}}`, async (c) => {
        const { period, id } = c.req.param();
        const { standing } = await library.standing(period);
        const items = itemsOf(standing, [id]);
        const records = await recordsOf(desk, items);
        const content = breakPage(standing, items, records, c.get('visitor'));
        const trail = trailOf(period, ['Breaks', `/periods/${period}/breaks`]);
        return show(c, { title: `${items[0]?.code ?? ''} ${id.slice(0, 12)}`, trail, content });
    });
    app.get(`${ofPeriod}/payers/:key{[0-9a-f]{16}}`, async (c) => {
        const { period, key } = c.req.param();
        const { standing, certificate, run } = await library.standing(period);
        const payer = payerBy(standing, key);
        const total = certificate.payers.find((of) => of.payer_id === payer.payer_id);
        const { memory } = desk.site;
        const lines = await library.alone(() =>
            readPayerLines(run, payer.payer_id, { memory, limit: LINES }),
        );
        const content = payerPage(standing, payer, total, lines, c.get('visitor'));
        const title = payer.payer_name || payer.payer_id;
        return show(c, { title, trail: trailOf(period), content });
    });
    app.get(`${ofPeriod}/deliveries`, async (c) => {
        const { period } = c.req.param();
        const { certificate, standing } = await library.standing(period);
        const content = deliveriesPage(certificate, standing, await library.deliveries(period));
        return show(c, { title: `Deliveries of ${period}`, trail: trailOf(period), content });
    });
    app.get(`${ofPeriod}/explain`, async (c) => {
        const { period } = c.req.param();
        const key = (c.req.query('key') ?? '').trim().toLowerCase();
        if (!/^[0-9a-f]{6,64}$/.test(key)) {
            throw new RunError('USAGE', {
                detail: 'this is no key of a line',
                remedy: 'Take it from line_items.csv; how it begins is enough, from six characters on.',
            });
        }
        const text = await library.alone(() => desk.site.explain(period, key));
        const content = explainPage(key, text);
        return show(c, { title: `Line ${key.slice(0, 12)}`, trail: trailOf(period), content });
    });
    runRoutes(app, desk);
}

/** Pages of runs of a period, also of those that speak no more. */
function runRoutes(app: Hono<Known>, { library, show, site }: Desk): void {
    const entryNumber = '[1-9][0-9]{0,8}';
    app.get(`${ofPeriod}/runs/:number{${entryNumber}}`, async (c) => {
        const { period, number } = c.req.param();
        const commit = await library.entry(period, Number.parseInt(number, 10));
        const { certificate } = await library.run(commit);
        const speaks = spokenFor(await library.log(), period)?.number === commit.number;
        const content = runPage(commit, certificate, speaks);
        return show(c, { title: commit.run_id, trail: trailOf(period), content });
    });
    app.get(`${ofPeriod}/runs/:number{${entryNumber}}/files/:name`, async (c) => {
        const { period, number, name } = c.req.param();
        const commit = await library.entry(period, Number.parseInt(number, 10));
        const { certificate, run } = await library.run(commit);
        // Only what the certificate names is a file: a name of a visitor is no path.
        const names = [certificateFile, ...Object.keys(certificate.outputs)];
        const file = names.find((of) => of === name);
        if (file === undefined || !existsSync(join(run.output, file))) {
            throw new RunError('PAGE_NOT_FOUND', { path: c.req.path });
        }
        const bytes = new Uint8Array(readFileSync(join(run.output, file)));
        if (file === 'report.html') {
            c.header('Content-Security-Policy', reportPolicy);
            return c.body(bytes, 200, { 'Content-Type': 'text/html; charset=utf-8' });
        }
        const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(file)}`;
        return c.body(bytes, 200, {
            'Content-Type': 'application/octet-stream',
            'Content-Disposition': disposition,
        });
    });
    app.get(`${ofPeriod}/compare`, async (c) => {
        const { period } = c.req.param();
        const side = async (name: string) => {
            const text = c.req.query(name) ?? '';
            const entry = /^[1-9]\d{0,8}$/.test(text) ? Number.parseInt(text, 10) : 0;
            const commit = await library.entry(period, entry);
            return { commit, ...(await library.run(commit)) };
        };
        const [old, now] = [await side('old'), await side('new')];
        const options = { memory: site.memory };
        const hasLines = [old, now].every(({ certificate }) => certificate.pipeline === 'nightly');
        const { lines, breaks } = await library.alone(async () => ({
            lines: hasLines ? (await differences(old.run, now.run, [], options)).lines : null,
            breaks: await breakDifferences(old.run, now.run, options),
        }));
        const content = comparePage({ old, now, lines, breaks });
        return show(c, { title: `${period}: two runs`, trail: trailOf(period), content });
    });
}

/**
 * Both sides of a break, from the run that speaks for the period that it is of. Whatever keeps them from
 * being seen, such as a night at work, is told in their place: the rest of the page stands.
 */
async function recordsOf(
    { library, site }: Desk,
    items: readonly OpenItem[],
): Promise<BreakRecords | Told | null> {
    const [item] = items;
    if (!item || item.cleared_by === 'gone') return null;
    try {
        const commit: Commit | null = spokenFor(await library.log(), item.period);
        if (!commit) return null;
        const { run } = await library.run(commit);
        return await library.alone(() => site.records(run, item.break_id));
    } catch (error) {
        if (!(error instanceof RunError)) throw error;
        return site.told(error);
    }
}
