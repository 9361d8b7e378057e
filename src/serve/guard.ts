import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { RunError } from '../errors/index.ts';
import { formKey, isSameSecret, provenSession, sessionText } from './session.ts';
import type { Access, Site } from './site.ts';

/** Who asks: nobody, or a session that showed the token, with the name that it writes under. */
export interface Visitor {
    readonly session: string | null;
    readonly by: string | null;
    /** What its forms carry; empty where it can send none. */
    readonly form_key: string;
}

/** What a request knows beside itself. */
export interface Known {
    readonly Variables: { visitor: Visitor };
}
export type Asked = Context<Known>;

/** Cookies of a site that is reached over TLS can be set by nothing else below its domain. */
const cookieName = ({ origin }: Access, name: string) =>
    `${isSecure(origin) ? '__Host-' : ''}tieout_${name}`;

const isSecure = (origin: string | null) => origin?.startsWith('https:') ?? false;

function remember(c: Asked, access: Access, name: string, value: string): void {
    setCookie(c, cookieName(access, name), value, {
        ...{ path: '/', httpOnly: true, sameSite: 'Strict' },
        secure: isSecure(access.origin),
    });
}

/** Longest name that a person decides under. */
export const NAME_LIMIT = 100;

/** Remembers under which name a session writes. */
export function rememberName(c: Asked, access: Access, name: string): void {
    remember(c, access, 'by', name);
}

/** What no page may do without, whatever it shows. */
const headers = {
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    // Not `no-referrer`: a browser then hides from us which site sent a form.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
} as const;

/** Sets what every answer says, also one that tells of a failure. */
export function withHeaders(policy: string): MiddlewareHandler<Known> {
    return async (c, next) => {
        await next();
        for (const [name, value] of Object.entries(headers)) c.header(name, value);
        if (!c.res.headers.has('Content-Security-Policy')) {
            c.header('Content-Security-Policy', policy);
        }
    };
}

/**
 * Lets in who may come in, and says who it is.
 * @throws RunError SERVE_REFUSED
 */
export function guarded({ access, chance }: Site): MiddlewareHandler<Known> {
    return async (c, next) => {
        requireHost(c, access);
        const { token } = access;
        const shown = c.req.query('token');
        if (shown !== undefined) {
            if (token === null || !isSameSecret(shown, token)) throw refused('token');
            remember(c, access, 'session', sessionText(token, chance()));
            return c.redirect('/', 303);
        }
        const visitor = visitorOf(c, access);
        const isReading = c.req.method === 'GET' || c.req.method === 'HEAD';
        if (!isReading && c.req.method !== 'POST') throw refused('method');
        if (visitor.session === null && (access.isClosed || !isReading)) throw refused('token');
        if (!isReading) requireOwnSite(c, access);
        c.set('visitor', visitor);
        return next();
    };
}

const refused = (why: ConstructorParameters<typeof RunError<'SERVE_REFUSED'>>[1]['why']) =>
    new RunError('SERVE_REFUSED', { why });

/** A name that leads here today may have led elsewhere when a page of that place was loaded. */
function requireHost(c: Asked, { hosts, origin }: Access): void {
    const host = (c.req.header('host') ?? '').toLowerCase();
    const name = host.replace(/:\d{1,5}$/, '');
    if (origin === null ? hosts.includes(name) : host === new URL(origin).host) return;
    // A proxy on the same machine may ask under the name that we listen on.
    if (origin !== null && hosts.includes(name)) return;
    throw refused('host');
}

/** A browser says of each form which site sent it. What does not say so is none. */
function requireOwnSite(c: Asked, { origin }: Access): void {
    const own = origin ?? `http://${c.req.header('host')}`;
    const site = c.req.header('sec-fetch-site') ?? 'same-origin';
    if (c.req.header('origin') !== own || site !== 'same-origin') throw refused('origin');
}

function visitorOf(c: Asked, access: Access): Visitor {
    const { token } = access;
    const cookie = getCookie(c, cookieName(access, 'session'));
    const session = token === null ? null : provenSession(token, cookie);
    if (token === null || session === null) return { session: null, by: null, form_key: '' };
    const by = access.by ?? getCookie(c, cookieName(access, 'by')) ?? null;
    return { session, by, form_key: formKey(token, session) };
}

/** The fields of a form that the own session sent. @throws RunError SERVE_REFUSED */
export async function formOf(c: Asked): Promise<URLSearchParams> {
    const type = c.req.header('content-type') ?? '';
    if (!type.startsWith('application/x-www-form-urlencoded')) throw refused('form');
    const form = new URLSearchParams(await c.req.text());
    if (!isSameSecret(form.get('form_key') ?? '', c.get('visitor').form_key)) throw refused('form');
    return form;
}

/** Under which name a decision is entered. @throws RunError SERVE_REFUSED */
export function requireName(c: Asked): string {
    const { by } = c.get('visitor');
    if (by === null || by === '') throw refused('name');
    return by;
}
