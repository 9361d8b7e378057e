import { existsSync } from 'node:fs';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

/** Where a Chromium may be, the first that is there. */
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser to look at pages with; null where there is none. */
export function chromium(): string | null {
    const own = process.env.TIEOUT_CHROMIUM;
    return [...(own ? [own] : []), ...places].find((path) => existsSync(path)) ?? null;
}

/** Starts a headless browser. Whoever started it closes it. */
export function openBrowser(): Promise<Browser> {
    const executablePath = chromium();
    if (executablePath === null) throw new Error('no Chromium: name one in TIEOUT_CHROMIUM');
    const args = ['--no-sandbox', '--disable-gpu', '--hide-scrollbars'];
    return puppeteer.launch({ executablePath, args, headless: true });
}

/** Works with a headless browser, and ends it. */
export async function inBrowser<T>(work: (browser: Browser) => Promise<T>): Promise<T> {
    const browser = await openBrowser();
    try {
        return await work(browser);
    } finally {
        await browser.close();
    }
}

export interface View {
    readonly width: number;
    readonly height: number;
    readonly scheme?: 'light' | 'dark';
}

/** A page of a given size and colour scheme at an address. */
export async function openPage(browser: Browser, address: string, view: View): Promise<Page> {
    const page = await browser.newPage();
    await page.setViewport({ width: view.width, height: view.height });
    const scheme = { name: 'prefers-color-scheme', value: view.scheme ?? 'light' };
    await page.emulateMediaFeatures([scheme]);
    await page.goto(address, { waitUntil: 'load' });
    return page;
}
