import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandContext } from '../../src/commands/command.ts';
import { accessOf, siteOf } from '../../src/commands/serve.ts';
import { openProject } from '../../src/run/project.ts';
import { createApp } from '../../src/serve/app.ts';
import type { Access, Site } from '../../src/serve/site.ts';
import { folderState, type State } from '../../src/state/state.ts';
import { testTerminal } from '../support/terminal.ts';

export const token = 'a-token-that-only-this-test-knows';
export const address = 'http://127.0.0.1:7300';

/** The application over a project, without a socket. */
export interface Served {
    readonly get: (path: string, more?: Asking) => Promise<Page>;
    readonly post: (path: string, form: Form, more?: Asking) => Promise<Page>;
    /** Shows the token and says a name; gives the cookies of both. */
    readonly signIn: (name?: string) => Promise<Session>;
    /** What it would tell whoever runs it. */
    readonly warned: string[];
    /** Entries of the log: what, and by whom. */
    readonly entries: () => readonly Readonly<Record<string, unknown>>[];
}

export type Form = Readonly<Record<string, string | readonly string[]>>;

export interface Asking {
    readonly headers?: Readonly<Record<string, string | null>>;
    readonly session?: Session;
    readonly method?: string;
}

export interface Session {
    readonly cookie: string;
    readonly form_key: string;
}

export interface Page {
    readonly status: number;
    readonly text: string;
    readonly headers: Headers;
}

/**
 * @param instead what of the site is not the real thing.
 * @param from the state, where it is not in the folder.
 */
export function served(
    folder: string,
    access: Partial<Access> = {},
    instead: Partial<Site> = {},
    from?: State,
): Served {
    const { effects } = testTerminal({ cwd: folder }).terminal;
    const environment = { TIEOUT_SERVE_TOKEN: token };
    const context: CommandContext = { effects, environment, configFile: null, cwd: folder };
    const project = openProject(join(folder, 'tieout.yaml'));
    let count = 0;
    const chance = () => {
        count += 1;
        return `chance-${count}`;
    };
    const warned: string[] = [];
    const print = (text: string) => {
        warned.push(text);
    };
    const made = accessOf({ host: '127.0.0.1' }, context, { isTerminal: false, chance });
    const site = siteOf(
        project,
        context,
        from ?? folderState(project.state),
        { ...made.access, ...access },
        { chance, print },
    );
    const app = createApp({ ...site, ...instead });
    const ask = async (path: string, init: RequestInit, more: Asking): Promise<Page> => {
        const url = new URL(path, address);
        const headers = new Headers(init.headers);
        headers.set('host', url.host);
        if (more.session) headers.set('cookie', more.session.cookie);
        for (const [name, value] of Object.entries(more.headers ?? {})) {
            if (value === null) headers.delete(name);
            else headers.set(name, value);
        }
        const answer = await app.request(url, { ...init, headers });
        return { status: answer.status, text: plain(await answer.text()), headers: answer.headers };
    };
    const get = (path: string, more: Asking = {}) =>
        ask(path, { method: more.method ?? 'GET' }, more);
    const post = (path: string, form: Form, more: Asking = {}) => {
        const own = { form_key: more.session?.form_key ?? '', ...form };
        const body = new URLSearchParams(
            Object.entries(own).flatMap(([name, value]) =>
                [value].flat().map((one) => [name, one] as [string, string]),
            ),
        ).toString();
        const headers = {
            'content-type': 'application/x-www-form-urlencoded',
            origin: address,
            'sec-fetch-site': 'same-origin',
        };
        return ask(path, { method: more.method ?? 'POST', headers, body }, more);
    };
    const signIn = async (name = 'ada'): Promise<Session> => {
        const shown = await get(`/?token=${token}`);
        const cookie = cookiesOf(shown);
        const home = await get('/', { session: { cookie, form_key: '' } });
        const session = { cookie, form_key: fieldIn(home.text, 'form_key') };
        const named = await post('/name', { name }, { session });
        return { ...session, cookie: `${cookie}; ${cookiesOf(named)}` };
    };
    const entries = () => {
        const commits = join(project.state, 'commits');
        return readdirSync(commits)
            .sort()
            .map((file) => JSON.parse(readFileSync(join(commits, file), 'utf8')));
    };
    return { get, post, signIn, warned, entries };
}

/** The cookies that an answer sets, as a browser sends them. */
export const cookiesOf = ({ headers }: Page): string =>
    headers
        .getSetCookie()
        .map((of) => of.split(';')[0])
        .join('; ');

/** What a hidden field of a page says; of many the first. */
export function fieldIn(text: string, name: string): string {
    return new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? '';
}

/** All that can be ticked on a page. */
export const picksIn = (text: string): readonly string[] =>
    [...text.matchAll(/name="pick" value="([^"]*)"/g)].map(([, value = '']) => value);

/** A page without its style and script, which are the same in all of them. */
const plain = (text: string) => text.replaceAll(/<(style|script)>[\s\S]*?<\/\1>/g, '');

/** The text of a page as a person reads it. */
export const readable = (text: string): string =>
    text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
