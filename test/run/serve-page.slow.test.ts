import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromium, openBrowser } from '../../scripts/support/browser.ts';
import { runCli } from '../../src/cli.ts';
import { generatedProject, type TestProject } from '../support/project.ts';
import { testTerminal } from '../support/terminal.ts';

const hasBrowser = chromium() !== null;
if (!hasBrowser) console.warn('no chromium: pages of tieout serve are not tried in a browser');

/** As a person works: with a mouse and a keyboard, in a browser that obeys the policy of the pages. */
describe.skipIf(!hasBrowser)('tieout serve in a browser', () => {
    let project: TestProject;
    let browser: Browser;
    let page: Page;
    const complaints: string[] = [];
    let link = '';
    let exit: Promise<number>;
    const ending = new AbortController();

    beforeAll(async () => {
        project = generatedProject();
        await project.run();
        const { terminal, said } = testTerminal({ cwd: project.folder, environment: {} });
        const { effects } = project;
        const interrupted = () => ending.signal;
        exit = runCli(['serve', '--port', '0'], {
            ...{ ...terminal, effects, interrupted, isTerminal: true },
        });
        while (link === '') {
            await new Promise((resolve) => setTimeout(resolve, 50));
            link = /^To decide: +(\S+)$/m.exec(said.err)?.[1] ?? '';
        }
        browser = await openBrowser();
        page = await browser.newPage();
        await page.setViewport({ width: 1280, height: 900 });
        page.on('pageerror', (error) => complaints.push(String(error)));
        page.on('console', (message) => {
            if (message.type() === 'error') complaints.push(message.text());
        });
    });
    afterAll(async () => {
        await browser?.close();
        ending.abort();
        expect(await exit).toBe(0);
        project?.remove();
    });

    const origin = () => new URL(link).origin;
    const go = (path: string) => page.goto(`${origin()}${path}`);
    const text = () =>
        page.$eval('main', (main) => (main.textContent ?? '').replaceAll(/\s+/g, ' '));
    const submit = (selector: string) =>
        Promise.all([page.waitForNavigation(), page.click(selector)]);

    test('without the token it is read only', async () => {
        await go('/periods/2026-10/breaks');
        expect(await page.$('input[type=checkbox]')).toBeNull();
        expect(await page.$eval('.who', (of) => of.textContent)).toBe('Reading only');
    });

    test('the link signs in and takes the token out of the address; the name is asked once', async () => {
        await page.goto(link);
        expect(page.url()).toBe(`${origin()}/`);
        const cookies = await browser.cookies();
        expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
        await page.type('.who input[name=name]', 'Ada Lovelace');
        await submit('.who form button');
        await go('/periods/2026-10');
        expect(await page.$eval('.who', (of) => of.textContent)).toContain('Ada Lovelace');
        expect(await text()).toMatch(/2 payers held/);
    });

    test('two breaks are found, ticked and resolved', async () => {
        await go('/periods/2026-10/breaks');
        await page.select('select[name=code]', 'METERED_NOT_DEBITED');
        await submit('form.bar button');
        expect(await page.$eval('#picked', (of) => of.textContent)).toMatch(/^0 of \d selected$/);
        await page.click('#pick-all');
        const all = await page.$$eval('input[name=pick]', (of) =>
            of.map((one) => (one as HTMLInputElement).checked),
        );
        expect(all.length).toBeGreaterThan(1);
        expect(all).not.toContain(false);
        await page.click('#pick-all');
        const picks = await page.$$('input[name=pick]');
        for (const pick of picks.slice(0, 2)) await pick.click();
        expect(await page.$eval('#picked', (of) => of.textContent)).toMatch(/^2 of \d selected$/);
        await page.select('select[name=deed]', 'resolve-explained');
        await page.type('input[name=reason]', 'booked by hand, ticket 4711');
        await submit('.work button.main');
        expect(await text()).toContain('2 breaks were resolved as explained. The log has it.');
        await go('/periods/2026-10/breaks?status=explained');
        expect((await page.$$('tbody tr')).length).toBe(2);
    });

    test('a break shows both sides', async () => {
        await submit('tbody tr th a');
        expect(await text()).toContain('booked by hand, ticket 4711');
        expect((await page.$$('.record')).length).toBeGreaterThan(0);
    });

    test('a break that has causes shows them', async () => {
        await go('/periods/2026-10/breaks?code=AMOUNT_PRICE');
        await submit('tbody tr th a');
        expect(await text()).toContain('Causes, together the difference');
        expect((await page.$$('#records tbody tr')).length).toBeGreaterThan(0);
    });

    test('a held payer is released, and the log has all of it', async () => {
        await go('/periods/2026-10');
        await submit('#payers tbody tr th a');
        expect(await text()).toContain('Its lines are held');
        await page.type('.work input[name=reason]', 'agreed on the phone');
        await submit('.work button.main');
        expect(await text()).toContain('The lines are released. The log has it.');
        await go('/log');
        const log = await text();
        expect(log).toContain('resolved 2 breaks as explained');
        expect(log).toMatch(/released the lines of \S+, with \d+ open breaks? worth/);
        expect(log.match(/Ada Lovelace/g)).toHaveLength(2);
    });

    test('no page is wider than a phone, and none complains', async () => {
        await page.setViewport({ width: 390, height: 844 });
        const links = await page.$$eval('a', (of) => of.map((a) => a.getAttribute('href') ?? ''));
        const paths = new Set(['/', '/periods/2026-10', '/periods/2026-10/breaks', ...links]);
        for (const path of [...paths].slice(0, 12)) {
            await go(path);
            const over = await page.evaluate(
                () => document.documentElement.scrollWidth - window.innerWidth,
            );
            expect([path, over <= 0]).toEqual([path, true]);
            const unnamed = await page.$$eval('input:not([type=hidden]), select, button', (of) =>
                of
                    .filter((one) => !one.closest('label') && !one.getAttribute('aria-label'))
                    .filter((one) => (one.textContent ?? '').trim() === '')
                    .map((one) => one.outerHTML),
            );
            expect(unnamed).toEqual([]);
        }
        expect(complaints).toEqual([]);
    });
});
