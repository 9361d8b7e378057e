import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'puppeteer-core';
import { DEMO } from '../fixtures/demo.ts';
import { inBrowser, openPage, type View } from './support/browser.ts';
import { tieout } from './support/cli.ts';
import { takeServePictures } from './support/serve-pictures.ts';
import { standingProject } from './support/stand.ts';

/** One picture: what of the page it shows, once something was done to it. */
interface Picture {
    readonly name: string;
    readonly view: View;
    /** The section to begin with; left out: the top. */
    readonly at?: string;
    readonly before?: (page: Page) => Promise<unknown>;
}

const desk = { width: 1280, height: 1000 } as const;
const phone = { width: 390, height: 844 } as const;
const openFirst = (page: Page) =>
    page.$eval('details.raw', (details) => details.setAttribute('open', ''));

const ofReport: readonly Picture[] = [
    { name: 'report-light', view: desk },
    { name: 'report-dark', view: { ...desk, scheme: 'dark' } },
    { name: 'report-breaks', view: desk, at: 'breaks' },
    { name: 'report-raw', view: { ...desk, height: 800 }, at: 'raw', before: openFirst },
    { name: 'report-trend', view: { ...desk, height: 800, scheme: 'dark' }, at: 'trend' },
    { name: 'report-phone', view: phone },
    { name: 'report-phone-breaks', view: { ...phone, scheme: 'dark' }, at: 'breaks' },
];

/** Pictures of what people see, for the documents: made anew, looked at, committed. */
async function main(): Promise<void> {
    const folder = resolve('.screenshots');
    const images = resolve('docs/img');
    mkdirSync(images, { recursive: true });
    await standingProject(folder);
    await tieout(['report', '--period', DEMO.period], { cwd: folder, quiet: true });
    const report = join(folder, '.tieout', 'reports', DEMO.period, 'report.html');
    await inBrowser(async (browser) => {
        for (const picture of ofReport) {
            await take(browser, pathToFileURL(report).href, picture, images);
        }
        await takeServePictures(browser, folder, images);
    });
}

async function take(browser: Browser, address: string, of: Picture, folder: string): Promise<void> {
    const page = await openPage(browser, address, of.view);
    await of.before?.(page);
    if (of.at !== undefined) {
        await page.$eval(`#${of.at}`, (section) => section.scrollIntoView());
    }
    const path = join(folder, `${of.name}.png`) as `${string}.png`;
    await page.screenshot({ path });
    await page.close();
    process.stdout.write(`${path}\n`);
}

await main();
