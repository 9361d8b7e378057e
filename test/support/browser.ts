import { existsSync } from 'node:fs';
import { type Browser, launch, type Page } from 'puppeteer-core';

/** Where a browser is that runs without a screen; null where there is none. */
export const chromium: string | null =
    ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
        existsSync(path),
    ) ?? null;

/** Opens a browser without a screen. Whoever opened it closes it. */
export function openBrowser(): Promise<Browser> {
    return launch({
        executablePath: chromium ?? 'chromium',
        // In a container there is no user namespace for its sandbox; it opens only our own pages.
        args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
    });
}

/** What a page complained about, as it comes; a missing icon is none of it. */
export function complaintsOf(page: Page): readonly string[] {
    const complaints: string[] = [];
    page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    return complaints;
}
