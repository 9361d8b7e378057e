import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromium, inBrowser, openPage } from '../../scripts/support/browser.ts';
import { generatedWorld } from '../support/project.ts';
import { type TinyProject, tieout, tinyProject } from '../support/terminal.ts';

/** The page in a browser, as a reader has it; without a browser nothing is looked at. */
const hasBrowser = chromium() !== null;
if (!hasBrowser)
    process.stderr.write('report-page: there is no Chromium, the page is not tested\n');

let project: TinyProject;
let address: string;

beforeAll(async () => {
    if (!hasBrowser) return;
    const { files, objects } = generatedWorld();
    const data = Object.entries(objects).map(([key, bytes]) => [`data/${key}`, bytes]);
    project = tinyProject({ ...files, ...Object.fromEntries(data) });
    for (const night of ['2026-10-20', '2026-11-05']) {
        await tieout(`run --period 2026-10 --as-of ${night}T00:00:00Z`, { cwd: project.folder });
    }
    const said = await tieout('report --period 2026-10 --json', { cwd: project.folder });
    address = pathToFileURL(JSON.parse(said.out).report).href;
});
afterAll(() => project?.remove());

/** Looks at the page, and at everything that it complains of or asks the network for. */
async function looking<T>(
    work: (page: Page, browser: Browser) => Promise<T>,
    view = { width: 1280, height: 900 },
): Promise<T> {
    const wrong: string[] = [];
    const found = await inBrowser(async (browser) => {
        const page = await openPage(browser, 'about:blank', view);
        page.on('console', (message) => wrong.push(message.text()));
        page.on('pageerror', (error) => wrong.push(String(error)));
        page.on('request', (request) => {
            if (!/^(file|blob|data):/.test(request.url())) wrong.push(request.url());
        });
        await page.goto(address);
        return work(page, browser);
    });
    expect(wrong).toEqual([]);
    return found;
}

/** The visible text of a column of a table, its lines apart. */
const columnOf = (page: Page, section: string, index: number) =>
    page.$$eval(
        `#${section} tbody tr:not([hidden])`,
        // biome-ignore lint/performance/useDomNodeTextContent: lines of a cell are told apart by how it is laid out
        (rows, at) => rows.map((row) => (row as HTMLTableRowElement).cells[at]?.innerText ?? ''),
        index,
    );

describe.runIf(hasBrowser)('the page of the report', () => {
    test('sorts by a column, down and up, and says so', () =>
        looking(async (page) => {
            const days = async () => (await columnOf(page, 'breaks', 6)).map((of) => Number(of));
            const before = await days();
            const button = '#breaks thead th:nth-child(7) button';
            const sorted = () =>
                page.$eval('#breaks thead th:nth-child(7)', (th) => th.getAttribute('aria-sort'));
            expect(await sorted()).toBe('none');
            await page.focus(button);
            await page.keyboard.press('Enter');
            expect(await sorted()).toBe('ascending');
            expect(await days()).toEqual(before.toSorted((a, b) => a - b));
            await page.click(button);
            expect(await sorted()).toBe('descending');
            expect(await days()).toEqual(before.toSorted((a, b) => b - a));
        }));

    test('searches and filters, and says how many rows are left', () =>
        looking(async (page) => {
            const all = (await columnOf(page, 'breaks', 0)).length;
            const [code = ''] = (await columnOf(page, 'breaks', 0)).map((of) => of.split('\n')[0]);
            await page.select('#breaks select', `=${code}`);
            const left = await columnOf(page, 'breaks', 0);
            expect(left.length).toBeLessThan(all);
            expect(new Set(left.map((of) => of.split('\n')[0]))).toEqual(new Set([code]));
            expect(await page.$eval('#breaks output', (of) => of.textContent)).toBe(
                `${left.length} of ${all} rows`,
            );
            await page.type('#breaks input', 'no such break');
            expect(await columnOf(page, 'breaks', 0)).toEqual([]);
        }));

    test('saves the rows that are shown as CSV, with plain numbers', () =>
        looking(async (page, browser) => {
            const folder = mkdtempSync(join(tmpdir(), 'tieout-download-'));
            const session = await browser.target().createCDPSession();
            await session.send('Browser.setDownloadBehavior', {
                ...{ behavior: 'allow', downloadPath: folder },
            });
            await page.click('#breaks .save');
            const file = join(folder, 'breaks.csv');
            for (let tries = 0; tries < 100 && !existsSync(file); tries += 1) {
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
            const rows: readonly Record<string, string>[] = parse(readFileSync(file), {
                columns: true,
            });
            rmSync(folder, { recursive: true });
            expect(Object.keys(rows[0] ?? {})).toEqual([
                ...['code', 'break', 'break_id', 'name', 'id', 'account', 'status', 'period'],
                ...['Expected', 'Actual', 'amount', 'money', 'asset', 'currency', 'Days'],
                ...['detail', 'next_step'],
            ]);
            expect(rows).toHaveLength((await columnOf(page, 'breaks', 0)).length);
            for (const { amount } of rows) expect(amount).toMatch(/^-?\d+(\.\d+)?$/);
        }));

    test('opens the raw records that a break refers to', () =>
        looking(async (page) => {
            const open = () =>
                page.$$eval('details.raw', (all) => all.filter((of) => of.open).length);
            expect(await open()).toBe(0);
            await page.$eval('#breaks a[href^="#raw-"]', (link) => link.click());
            await page.waitForSelector('details.raw[open]');
            expect(await open()).toBe(1);
        }));

    test('changes its colours, with enough contrast in both', () =>
        looking(async (page) => {
            const grounds = new Set<string>();
            for (const name of ['light', 'dark', 'auto']) {
                await page.click('.theme');
                expect(await page.$eval('.theme', (of) => of.textContent)).toBe(`Colours: ${name}`);
                grounds.add(await page.$eval('body', (of) => getComputedStyle(of).backgroundColor));
                expect(await page.evaluate(lowContrast)).toEqual([]);
            }
            expect(grounds.size).toBe(2);
        }));

    test.each([1280, 390])('has a name for everything, and fits a width of %i', (width) =>
        looking(
            async (page) => {
                expect(await page.evaluate(unnamed)).toEqual([]);
                expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
            },
            { width, height: 800 },
        ),
    );

    test('is whole without its script', () =>
        inBrowser(async (browser) => {
            const page = await browser.newPage();
            await page.setJavaScriptEnabled(false);
            await page.goto(address);
            // The driver of the browser may look where the page may not run.
            const text = await page.content();
            expect(text).toContain('<section id="breaks"');
            expect(text).not.toContain('class="tools"');
        }));

    test('prints with the raw records open and no controls', () =>
        looking(async (page) => {
            await page.emulateMediaType('print');
            await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
            expect(await page.$$eval('details:not([open])', (of) => of.length)).toBe(0);
            expect(
                await page.$$eval(
                    '.tools, nav',
                    (all) => all.filter((of) => getComputedStyle(of).display !== 'none').length,
                ),
            ).toBe(0);
            const rows = await page.$$eval('table.long', (tables) =>
                tables.map(
                    (of) =>
                        [...(of as HTMLTableElement).rows].filter(
                            (row) => getComputedStyle(row).display !== 'none',
                        ).length - 1,
                ),
            );
            expect(Math.max(...rows)).toBe(12);
            const pdf = await page.pdf({ preferCSSPageSize: true });
            const pages =
                Buffer.from(pdf)
                    .toString('latin1')
                    .match(/\/Type \/Page\b/g) ?? [];
            expect(pages.length).toBeLessThanOrEqual(15);
            expect(Buffer.from(pdf.slice(0, 5)).toString()).toBe('%PDF-');
        }));
});

/** In the page: controls, tables, regions and pictures that nothing names. */
function unnamed(): readonly string[] {
    const nameOf = (of: Element) => {
        const label = of.id === '' ? null : document.querySelector(`label[for="${of.id}"]`);
        const by = of.getAttribute('aria-labelledby')?.split(' ') ?? [];
        const texts = by.map((id) => document.getElementById(id)?.textContent ?? '');
        const own = of.tagName === 'BUTTON' || of.tagName === 'A' ? of.textContent : '';
        return [of.getAttribute('aria-label'), label?.textContent, ...texts, own].join('').trim();
    };
    const wanted =
        'button, a, input, select, section, [role=region], [role=group], [role=img], nav';
    const missing = [...document.querySelectorAll(wanted)].filter((of) => nameOf(of) === '');
    const tables = [...document.querySelectorAll('table')].filter(
        (of) => !of.caption?.textContent || of.querySelectorAll('th[scope=row]').length === 0,
    );
    return [...missing, ...tables].map((of) => of.outerHTML.slice(0, 120));
}

/** In the page: text whose colour is too near that of its ground for WCAG AA. */
function lowContrast(): readonly string[] {
    const channels = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map((of) => +of);
    const luminance = (colour: string) => {
        const [red = 0, green = 0, blue = 0] = channels(colour).map((of) => {
            const share = of / 255;
            return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const groundOf = (of: Element | null): string => {
        if (!of) return 'rgb(255, 255, 255)';
        const { backgroundColor } = getComputedStyle(of);
        const [, , , alpha = 1] = channels(backgroundColor);
        return alpha === 0 ? groundOf(of.parentElement) : backgroundColor;
    };
    const texts =
        'p, li, dt, dd, th, td, a, code, caption, button, label, summary, figcaption, .badge';
    const faint = [...document.querySelectorAll(texts)].filter((of) => {
        const [a, b] = [getComputedStyle(of).color, groundOf(of)].map(luminance);
        return (Math.max(a!, b!) + 0.05) / (Math.min(a!, b!) + 0.05) < 4.5;
    });
    return [...new Set(faint.map((of) => `${of.tagName}.${of.className}`))];
}
