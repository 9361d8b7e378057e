import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ComponentChildren } from 'preact';
import { RunError } from '../errors/index.ts';
import { visible } from '../report/visible.ts';
import { comeBack, doneText } from './decisions.ts';
import { failurePage, statusOf } from './failure-page.ts';
import {
    type Asked,
    formOf,
    guarded,
    type Known,
    NAME_LIMIT,
    rememberName,
    withHeaders,
} from './guard.ts';
import { renderPage, type Trail } from './layout.ts';
import { Library } from './library.ts';
import { policy } from './look.ts';
import { homePage, logPage } from './page-home.ts';
import { periodRoutes } from './routes.ts';
import type { Site } from './site.ts';
import { workRoutes } from './work-routes.ts';

/** Largest form: a page of breaks, and a long reason. */
const BODY_LIMIT = 64 * 1024;
/** Periods of the first page with how they stand: each is read whole. */
const PERIODS = 12;
const ENTRIES = { home: 10, log: 100 };

/** What every page of the application is shown by. */
export interface Desk {
    readonly site: Site;
    readonly library: Library;
    readonly show: (
        c: Asked,
        page: {
            readonly title: string;
            readonly trail: Trail;
            readonly content: ComponentChildren;
        },
    ) => Response | Promise<Response>;
}

/** The application: what it answers to which request. */
export function createApp(site: Site): Hono<Known> {
    const app = new Hono<Known>();
    const { access } = site;
    const desk: Desk = {
        site,
        library: new Library(site.state),
        show: (c, page) => {
            const url = new URL(c.req.url);
            url.searchParams.delete('done');
            const here = `${url.pathname}${url.search}`;
            const visitor = c.get('visitor');
            const isNameFixed = access.by !== null;
            const message = doneText(c.req.query('done'));
            return c.html(renderPage({ ...page, visitor, message, here, isNameFixed }));
        },
    };
    const tooLarge = () => {
        throw new RunError('SERVE_REFUSED', { why: 'size' });
    };
    app.use(withHeaders(policy));
    app.use(guarded(site));
    app.use(bodyLimit({ maxSize: BODY_LIMIT, onError: tooLarge }));
    homeRoutes(app, desk);
    periodRoutes(app, desk);
    workRoutes(app, desk);
    app.notFound((c) => {
        throw new RunError('PAGE_NOT_FOUND', { path: c.req.path });
    });
    app.onError((error, c) => failed(c, error, site));
    return app;
}

/** The first page, the log, and the name of who decides. */
function homeRoutes(app: Hono<Known>, { site, library, show }: Desk): void {
    app.get('/', async (c) => {
        const all = await library.periods();
        const shown = [];
        for (const period of all.slice(0, PERIODS)) shown.push(await library.standing(period));
        const entries = (await library.entries()).slice(0, ENTRIES.home);
        const content = homePage(site.name, shown, all.slice(PERIODS), entries);
        return show(c, { title: site.name, trail: [], content });
    });
    app.get('/log', async (c) => {
        const all = await library.entries();
        const before = Number.parseInt(
            /^\d{1,9}$/.exec(c.req.query('before') ?? '')?.[0] ?? '0',
            10,
        );
        const older = before === 0 ? all : all.filter((of) => of.number < before);
        const content = logPage(older.slice(0, ENTRIES.log), older.length > ENTRIES.log);
        return show(c, { title: 'Log', trail: [['Log', '/log']], content });
    });
    app.post('/name', async (c) => {
        const form = await formOf(c);
        const name = (form.get('name') ?? '').trim();
        if (name === '' || name.length > NAME_LIMIT || visible(name) !== name) {
            throw new RunError('USAGE', {
                detail: 'this is no name that others can read in the log',
                remedy: `Write it in at most ${NAME_LIMIT} letters that can be seen.`,
            });
        }
        rememberName(c, site.access, name);
        return c.redirect(comeBack(form, '/'), 303);
    });
}

/** Tells of a failure as a page. What should not happen is told to whoever runs the application too. */
function failed(c: Asked, error: unknown, site: Site): Response | Promise<Response> {
    const told = site.told(error);
    const status = statusOf(told);
    if (status === 500) site.warn(`${told.code}: ${told.message}\n`);
    if (status === 503) c.header('Retry-After', '10');
    const { pathname, search } = new URL(c.req.url);
    const isRead = c.req.method === 'GET' && status === 503;
    const page = renderPage({
        ...{ title: told.code, trail: [], visitor: c.get('visitor') ?? null },
        isNameFixed: site.access.by !== null,
        content: failurePage(told, isRead ? `${pathname}${search}` : null),
    });
    return c.html(page, status);
}
