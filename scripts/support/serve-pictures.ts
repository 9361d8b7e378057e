import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { DEMO } from '../../fixtures/demo.ts';
import { openPage, type View } from './browser.ts';

/** One picture of the web application: which page of it, and what was done there before. */
interface ServePicture {
    readonly name: string;
    readonly view: View;
    readonly path: string;
    readonly before?: (page: Page) => Promise<unknown>;
}

const desk = { width: 1280, height: 900 } as const;
const phone = { width: 390, height: 844 } as const;
const period = `/periods/${DEMO.period}`;

/** Ticks the first breaks of the queue, as somebody about to resolve them. */
async function tick(page: Page): Promise<void> {
    for (const pick of (await page.$$('input[name=pick]')).slice(0, 2)) await pick.click();
    await page.select('select[name=deed]', 'resolve-explained');
    await page.type('input[name=reason]', 'counted twice by the gateway, ticket 4711');
    await page.evaluate(() => scrollTo(0, 0));
}

const follow = (selector: string) => async (page: Page) => {
    const href = await page.$eval(selector, (link) => link.getAttribute('href') ?? '');
    await page.goto(new URL(href, page.url()).href);
};
const firstBreak = follow('tbody tr th a');
const firstPayer = follow('#payers tbody tr th a');

const pictures: readonly ServePicture[] = [
    { name: 'serve-period', view: desk, path: period },
    { name: 'serve-queue', view: desk, path: `${period}/breaks`, before: tick },
    {
        name: 'serve-break',
        view: { ...desk, scheme: 'dark' },
        path: `${period}/breaks?text=evt_`,
        before: firstBreak,
    },
    { name: 'serve-payer', view: desk, path: period, before: firstPayer },
    { name: 'serve-phone-queue', view: phone, path: `${period}/breaks` },
    {
        name: 'serve-phone-break',
        view: { ...phone, scheme: 'dark' },
        path: `${period}/breaks?status=explained`,
        before: firstBreak,
    },
];

/** Pictures of `tieout serve` over a project, by somebody who may decide. */
export async function takeServePictures(
    browser: Browser,
    project: string,
    images: string,
): Promise<void> {
    const token = 'a-token-for-pictures-only';
    const cli = resolve('src/cli.ts');
    const server = spawn(process.execPath, [cli, 'serve', '--port', '0', '--by', 'maria'], {
        cwd: project,
        env: { ...process.env, TIEOUT_SERVE_TOKEN: token },
        stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
        const address = await addressOf(server.stderr);
        await (await openPage(browser, `${address}/?token=${token}`, desk)).close();
        for (const picture of pictures) {
            const page = await openPage(browser, `${address}${picture.path}`, picture.view);
            await picture.before?.(page);
            const path = join(images, `${picture.name}.png`) as `${string}.png`;
            await page.screenshot({ path });
            await page.close();
            process.stdout.write(`${path}\n`);
        }
    } finally {
        server.kill('SIGTERM');
        await once(server, 'exit');
    }
}

async function addressOf(stream: NodeJS.ReadableStream): Promise<string> {
    let printed = '';
    for await (const bytes of stream) {
        printed += bytes;
        const [address] = /http:\/\/[\d.]+:\d+/.exec(printed) ?? [];
        if (address) return address;
    }
    throw new Error(`tieout serve did not start: ${printed}`);
}
