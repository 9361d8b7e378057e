import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunError } from '../../src/errors/index.ts';
import { shortKey } from '../../src/serve/keys.ts';
import {
    debitLine,
    lines,
    tieout,
    tinyFiles,
    tinyProject,
    usageLine,
} from '../support/terminal.ts';
import {
    address,
    cookiesOf,
    type Form,
    fieldIn,
    type Page,
    picksIn,
    readable,
    type Session,
    served,
    token,
} from './serve.world.ts';

const hostileName = '<script>alert("payer")</script>\u202E=cmd()';
const hostileId = '"><img src=x onerror=alert(8)>\u202E';
const longId = 'x'.repeat(1_000);
const firstLog = 'data/debits/dt=2026-10-02/log.ndjson';

/** Request 8 has a hostile id, 9 a huge one; neither was debited, and nothing may differ. */
function hostileFiles(): Readonly<Record<string, string | Uint8Array>> {
    const files = tinyFiles();
    const account = { currency: 'USD', time_zone: 'UTC', valid_from: '2025-01-01T00:00:00Z' };
    return {
        ...files,
        'tieout.yaml': `${files['tieout.yaml']}`.replace(
            /^hold:.*$/m,
            'hold: { absolute: "0", percent: "0" }',
        ),
        'accounts.json': JSON.stringify([
            { ...account, account_id: 'acme', name: hostileName },
            { ...account, account_id: 'acme-dev', name: 'Acme Dev', parent: 'acme' },
        ]),
        'data/usage/dt=2026-10-02/0.ndjson': lines([
            usageLine(6),
            usageLine(7),
            { ...usageLine(8), id: hostileId },
            { ...usageLine(9), id: longId },
        ]),
        [firstLog]: lines([6, 7].map((at) => debitLine(at))),
    };
}

const project = tinyProject(hostileFiles());
const cwd = project.folder;
const app = served(cwd);
const period = '/periods/2026-10';
const acme = `${period}/payers/${shortKey('acme')}`;
beforeAll(async () => {
    // The first night knows one more debit that is missing; the second has it.
    project.write(firstLog, lines([debitLine(6)]));
    expect((await tieout('run --period 2026-10', { cwd })).err).toBe('');
    project.write('data/debits/dt=2026-10-02/more.ndjson', lines([debitLine(7)]));
    await tieout('run --period 2026-10', { cwd });
});
afterAll(project.remove);

const said = () => app.entries().map(({ kind, act = '', by }) => `${kind} ${act} ${by}`);
const runsOnly = ['run  ', 'run  '];

describe('what is shown to everybody on this machine', () => {
    const shows = async (path: string) => {
        const page = await app.get(path);
        expect(page.status).toBe(200);
        return readable(page.text);
    };

    test('periods, how they stand, and what happened', async () => {
        const text = await shows('/');
        expect(text).toContain('2026-10 1 payer held 1 2 0 2026-11-05 00:00 UTC 2026-10-nightly-');
        expect(text).toContain('2026-10 : now speaks 2026-10-nightly-');
        expect(text).toContain('Reading only');
    });

    test('a period: what may go out, its payers, its runs', async () => {
        const text = await shows(period);
        expect(text).toMatch(/May go out Nothing 0 payers Held 0\.\d\d USD 1 payer Open breaks 2/);
        expect(text).toMatch(/Tie-out Zero/);
        expect(text).toMatch(/METERED_NOT_DEBITED 2 2 \d+/);
        expect(text.match(/nightly-[0-9a-f]{12} (speaks )?nightly/g)).toHaveLength(2);
    });

    test.each([
        ['', 2],
        ['?status=open', 2],
        ['?status=all', 3],
        ['?status=cleared', 1],
        ['?status=accepted', 0],
        ['?code=METERED_NOT_DEBITED', 2],
        ['?code=OVERDRAFT', 0],
        [`?payer=${shortKey('acme')}`, 2],
        ['?payer=none', 0],
        ['?owner=none', 2],
        [`?owner=${shortKey('bob')}`, 0],
        ['?age=31-60', 2],
        ['?age=0-1', 0],
        ['?text=onerror', 1],
        ['?sort=worth&page=9', 2],
        ['?status=nonsense&sort=nonsense&page=-1&age=x', 2],
    ])('the queue: %s', async (query, count) => {
        const { status, text } = await app.get(`${period}/breaks${query}`);
        expect(status).toBe(200);
        expect(text.match(/<tr><th scope="row"/g) ?? []).toHaveLength(count);
    });

    test('the queue by worth: the largest first', async () => {
        const { text } = await app.get(`${period}/breaks?sort=worth`);
        const found = [...readable(text).matchAll(/(0\.0\d+) USD \d+ open/g)].map((of) => of[1]);
        expect(found).toEqual(['0.0285', '0.0255']);
        expect(text).toContain('aria-sort="descending"');
    });

    test('a break: what it means, and the records of both sides', async () => {
        const { text } = await app.get(`${period}/breaks?text=onerror`);
        const [path = ''] = /\/periods\/2026-10\/breaks\/[0-9a-f]{64}/.exec(text) ?? [];
        const shown = await shows(path);
        expect(shown).toContain('Usage was rated, but the wallet was never debited for it.');
        expect(shown).toContain('Usage says 0.0255 USD Debited 0.00 USD');
        expect(shown).toContain('usage/dt=2026-10-02/0.ndjson :3');
        expect(shown).toContain('No stored debit entry names it.');
    });

    test('a payer, its lines, and one of them explained as the command does', async () => {
        const { text } = await app.get(acme);
        expect(readable(text)).toContain('Its lines are held: its open breaks are over its limit.');
        const [, key = ''] = /explain\?key=([0-9a-f]{64})/.exec(text) ?? [];
        const page = await app.get(`${period}/explain?key=${key.slice(0, 12).toUpperCase()}`);
        const { out } = await tieout(['explain', key, '--period', '2026-10'], { cwd });
        const [, pre = ''] = /<pre[^>]*>([\s\S]*)<\/pre>/.exec(page.text) ?? [];
        expect(pre.replaceAll('&lt;', '<').replaceAll('&quot;', '"').replaceAll('&amp;', '&')).toBe(
            out.replaceAll('\u202E', ''),
        );
    });

    test('two runs compared: a break is gone, and the wallet paid more', async () => {
        const text = await shows(`${period}/compare?old=1&new=2`);
        expect(text).toContain('USD 0.07 0.05 -0.02');
        expect(text).toMatch(
            /0 added, 0 removed, 1 changed\. .*changed acme acme -0\.04 -0\.06 -0\.02 USD/,
        );
        expect(text).toContain('0 new breaks, 1 gone, 0 with another amount.');
        expect(text).toMatch(/METERED_NOT_DEBITED evt-7 removed acme 0\.0225 -0\.0225 USD/);
        expect(await shows(`${period}/compare?old=2&new=2`)).toContain('the same digest');
    });

    test('a run that speaks no more, and its files', async () => {
        expect(await shows(`${period}/runs/1`)).toContain('METERED_NOT_DEBITED USD 3');
        const file = await app.get(`${period}/runs/1/files/breaks.csv`);
        expect(file.headers.get('content-disposition')).toContain('attachment');
        expect(file.text).toContain('METERED_NOT_DEBITED');
        const report = await app.get(`${period}/runs/1/files/report.html`);
        expect(report.headers.get('content-security-policy')).toMatch(/^sandbox allow-scripts /);
    });

    test.each([
        ['/nothing', 404, 'PAGE_NOT_FOUND'],
        ['/periods/2026-11', 404, 'RUN_NOT_FOUND'],
        [`${period}/runs/9`, 404, 'RUN_NOT_FOUND'],
        [`${period}/runs/1/files/..%2F..%2F..%2Ftieout.yaml`, 404, 'PAGE_NOT_FOUND'],
        [`${period}/runs/1/files/tables.duckdb`, 404, 'PAGE_NOT_FOUND'],
        [`${period}/breaks/${'0'.repeat(64)}`, 404, 'BREAK_NOT_FOUND'],
        [`${period}/payers/${'0'.repeat(16)}`, 404, 'PAYER_NOT_FOUND'],
        [`${period}/explain?key=${'0'.repeat(64)}`, 404, 'LINE_NOT_FOUND'],
        [`${period}/explain?key=' or 1`, 400, 'USAGE'],
        [`${period}/compare?old=1`, 404, 'RUN_NOT_FOUND'],
    ])('%s is %i %s, and says what to do', async (path, status, code) => {
        const page = await app.get(path);
        expect(page.status).toBe(status);
        expect(page.text).toMatch(
            new RegExp(`<code>${code}</code>: \\S[\\s\\S]*</div><p>\\S.*\\.</p>`),
        );
    });

    test('names of strangers are text that can be seen', async () => {
        const breaks = picksIn(
            (await app.get(`${period}/breaks`, { session: await app.signIn() })).text,
        );
        const paths = breaks.map((pick) => `${period}/breaks/${pick.split('.')[0]}`);
        for (const path of ['/', '/log', period, `${period}/breaks?status=all`, acme, ...paths]) {
            const { text, status } = await app.get(path);
            expect(status).toBe(200);
            expect(text).not.toContain('\u202E');
            expect(text).not.toMatch(/<img|<script>alert/);
            expect(text.length).toBeLessThan(60_000);
        }
        expect(readable((await app.get(acme)).text)).toContain('\\u{202E}=cmd()');
    });

    test('a night at work on the tables: the break stands, a line is to be tried again', async () => {
        const locked = new RunError('ENGINE_LOCKED', { file: 'tables.duckdb', detail: 'held' });
        const busy = served(
            cwd,
            {},
            {
                records: () => Promise.reject(locked),
                explain: () => Promise.reject(locked),
            },
        );
        const [id = ''] = /[0-9a-f]{64}/.exec((await app.get(`${period}/breaks`)).text) ?? [];
        const page = await busy.get(`${period}/breaks/${id}`);
        expect(page.status).toBe(200);
        expect(readable(page.text)).toContain('Another tieout works on this run');
        const line = await busy.get(`${period}/explain?key=${'a'.repeat(64)}`);
        expect(line.status).toBe(503);
        expect(line.headers.get('retry-after')).toBe('10');
        expect(line.text).toContain(
            `<a href="${period}/explain?key=${'a'.repeat(64)}">Try again</a>`,
        );
    });

    test('a defect is told to whoever runs it, and no stack to a browser', async () => {
        const broken = served(cwd, {}, { explain: () => Promise.reject(new Error('of ours')) });
        const page = await broken.get(`${period}/explain?key=${'a'.repeat(64)}`);
        expect(page.status).toBe(500);
        expect(page.text).not.toContain('of ours');
        expect(broken.warned.join('')).toContain('of ours');
    });
});

/** Every way to write, with what a page would send. */
async function writes(session: Session): Promise<readonly (readonly [string, Form])[]> {
    const { text } = await app.get(`${period}/breaks`, { session });
    const { text: payer } = await app.get(acme, { session });
    const run = fieldIn(text, 'run');
    const [pick = ''] = picksIn(text);
    const why = { reason: 'because' };
    return [
        ...[
            ['assign', { owner: 'bob' }],
            ['comment', why],
            ['resolve-explained', why],
            ['resolve-accepted', why],
            ['resolve-written_off', why],
            ['reopen', why],
        ].map(
            ([deed, more]) =>
                [`${period}/decide`, { deed, run, pick, ...(more as object) } as Form] as const,
        ),
        [acme, { kind: 'release', seen: fieldIn(payer, 'seen'), ...why }],
        [acme, { kind: 'withdraw', seen: fieldIn(payer, 'seen'), ...why }],
    ];
}

describe('who may do what', () => {
    const refused = (page: Page, status = 403) => {
        expect(page.status).toBe(status);
        expect(page.text).toContain('SERVE_REFUSED');
        expect(said()).toEqual(runsOnly);
    };

    test('without the token nobody writes, whatever is sent', async () => {
        const session = await app.signIn();
        const all = await writes(session);
        expect(all).toHaveLength(8);
        for (const [path, form] of [...all, ['/name', { name: 'eve' }] as const]) {
            refused(await app.post(path, form));
            refused(await app.post(path, { ...form, form_key: session.form_key }));
            refused(await app.post(`${path}?token=${token}x`, form));
            const forged = { ...session, cookie: session.cookie.replace(/\.[0-9a-f]/, '.g') };
            refused(await app.post(path, form, { session: forged }));
        }
        expect((await app.get(`${period}/breaks`)).text).not.toContain('name="pick"');
    });

    test('where there is no token, none opens it', async () => {
        const closed = served(cwd, { token: null });
        for (const shown of ['', 'null', token]) {
            expect((await closed.get(`/?token=${shown}`)).status).toBe(403);
        }
        const session = await app.signIn();
        for (const [path, form] of await writes(session)) {
            refused(await closed.post(path, form, { session }));
        }
    });

    test('the token is shown once, and is in no page and no cookie', async () => {
        const shown = await app.get(`/?token=${token}`);
        expect(shown.status).toBe(303);
        expect(shown.headers.get('location')).toBe('/');
        const [cookie = ''] = shown.headers.getSetCookie();
        expect(cookie).toMatch(
            /^tieout_session=chance-\d+\.[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/,
        );
        const session = await app.signIn();
        const pages = [await app.get('/', { session }), await app.get(period, { session })];
        for (const { text, headers } of [shown, ...pages]) {
            expect(text + JSON.stringify([...headers])).not.toContain(token);
        }
        refused(await app.get('/?token=wrong'));
    });

    test('from elsewhere nothing is shown without the token', async () => {
        const origin = 'https://tieout.example.com';
        const far = served(cwd, { isClosed: true, origin });
        const host = 'tieout.example.com';
        for (const path of ['/', '/log', period, `${period}/runs/1/files/breaks.csv`, '/nothing']) {
            const page = await far.get(path, { headers: { host } });
            expect([page.status, page.text.includes('METERED')]).toEqual([403, false]);
        }
        const shown = await far.get(`/?token=${token}`, { headers: { host } });
        expect(shown.headers.getSetCookie()[0]).toMatch(/^__Host-tieout_session=.*; Secure/);
        const session = { cookie: cookiesOf(shown), form_key: '' };
        const home = await far.get('/', { session, headers: { host } });
        expect(home.status).toBe(200);
        const own = { ...session, form_key: fieldIn(home.text, 'form_key') };
        const name = { name: 'ada' };
        const sent = (origin: string) =>
            far.post('/name', name, { session: own, headers: { host, origin } });
        expect((await sent(origin)).status).toBe(303);
        expect((await sent(address)).status).toBe(403);
    });

    test.each([
        'evil.example',
        'evil.example:7300',
        '127.0.0.1.evil.example',
        'localhost@evil',
        '',
    ])('under the name %j it does not answer', async (host) => {
        const session = await app.signIn();
        refused(await app.get('/', { headers: { host } }));
        const [[path, form] = ['', {}]] = await writes(session);
        const headers = { host, origin: `http://${host}` };
        refused(await app.post(path, form, { session, headers }));
    });

    test.each(['localhost:7300', '[::1]:7300', '127.0.0.1'])('under %s it does', async (host) => {
        expect((await app.get('/', { headers: { host } })).status).toBe(200);
    });

    test.each<[string, Readonly<Record<string, string | null>>]>([
        ['another site', { origin: 'https://evil.example' }],
        ['another port', { origin: 'http://127.0.0.1:9999' }],
        ['nobody says which', { origin: null }],
        ['a page without an origin', { origin: 'null' }],
        ['a site of the same domain', { 'sec-fetch-site': 'same-site' }],
        ['a link', { 'sec-fetch-site': 'cross-site' }],
        ['a script with JSON', { 'content-type': 'application/json' }],
        ['a form of another kind', { 'content-type': 'multipart/form-data; boundary=x' }],
    ])('a form is not taken from %s', async (_what, headers) => {
        const session = await app.signIn();
        for (const [path, form] of await writes(session)) {
            refused(await app.post(path, form, { session, headers }));
        }
    });

    test('a form without the key of its session is not taken', async () => {
        const [session, other] = [await app.signIn(), await app.signIn()];
        expect(session.form_key).not.toBe(other.form_key);
        for (const form_key of ['', 'x', other.form_key]) {
            for (const [path, form] of await writes(session)) {
                refused(await app.post(path, form, { session: { ...session, form_key } }));
            }
        }
    });

    test('nor one that is too large, or sent in another way', async () => {
        const session = await app.signIn();
        const reason = 'x'.repeat(70_000);
        refused(await app.post(`${period}/decide`, { reason }, { session }), 413);
        for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
            refused(await app.post(`${period}/decide`, {}, { session, method }));
        }
    });

    test('who has no name decides nothing; a name must be one', async () => {
        const shown = cookiesOf(await app.get(`/?token=${token}`));
        const { form_key } = await app.signIn();
        const home = await app.get('/', { session: { cookie: shown, form_key } });
        const session = { cookie: shown, form_key: fieldIn(home.text, 'form_key') };
        for (const [path, form] of await writes(await app.signIn())) {
            refused(await app.post(path, form, { session }));
        }
        for (const name of ['', '  ', 'a\u202Eb', 'a\nb', 'x'.repeat(101)]) {
            expect((await app.post('/name', { name }, { session })).status).toBe(400);
        }
    });

    test.each(['/', '/nothing', '/?token=wrong', `${period}/breaks`])(
        'what %s says to a browser',
        async (path) => {
            const { headers } = await app.get(path);
            expect(headers.get('content-security-policy')).toMatch(
                /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
            );
            expect(headers.get('x-content-type-options')).toBe('nosniff');
            expect(headers.get('cache-control')).toBe('no-store');
            expect(headers.get('x-frame-options')).toBe('DENY');
            expect(headers.get('referrer-policy')).toBe('same-origin');
        },
    );
});

describe('what is decided', () => {
    let session: Session;
    beforeAll(async () => {
        session = await app.signIn('ada');
    });
    const open = () => app.get(`${period}/breaks`, { session });
    const decide = async (form: Form, page?: Page) => {
        const { text } = page ?? (await open());
        const shared = { run: fieldIn(text, 'run'), back: `${period}/breaks?status=all` };
        return app.post(`${period}/decide`, { ...shared, ...form }, { session });
    };

    test('two breaks are assigned: the log has it, and the page is read anew', async () => {
        const page = await open();
        const done = await decide({ deed: 'assign', owner: 'bob', pick: picksIn(page.text) }, page);
        expect(done.status).toBe(303);
        const location = done.headers.get('location') ?? '';
        expect(location).toBe(`${period}/breaks?status=all&done=assign.2`);
        const read = readable((await app.get(location, { session })).text);
        expect(read).toContain('2 breaks were assigned. The log has it.');
        expect(read.match(/open bob/g)).toHaveLength(2);
        expect(said()).toEqual([...runsOnly, 'decide assign ada']);
    });

    test('what changed since it was looked at is not decided', async () => {
        const stale = await open();
        const [pick = ''] = picksIn(stale.text);
        await decide({ deed: 'comment', reason: 'the wallet was down', pick });
        const late = await decide({ deed: 'resolve-accepted', reason: 'late', pick }, stale);
        expect(late.status).toBe(409);
        expect(late.text).toContain('STANDING_CHANGED');
        const other = await decide({
            ...{ deed: 'comment', reason: 'of another run', run: '2026-10-nightly-other' },
            pick: picksIn((await open()).text)[0] ?? '',
        });
        expect(other.status).toBe(409);
        expect(said().slice(2)).toEqual(['decide assign ada', 'decide comment ada']);
    });

    test.each<[string, Form, number, string]>([
        ['no break', { deed: 'comment', reason: 'x' }, 400, 'no break is selected'],
        ['no such deed', { deed: 'pay', reason: 'x', pick: 'a'.repeat(64) }, 403, 'SERVE_REFUSED'],
        ['no such break', { deed: 'reopen', reason: 'x', pick: 'a'.repeat(64) }, 404, 'no break'],
        ['an essay', { deed: 'comment', reason: 'x'.repeat(2_001), pick: '' }, 404, 'BREAK'],
    ])('%s: nothing is entered', async (_what, form, status, text) => {
        const page = await decide(form);
        expect(page.status).toBe(status);
        expect(page.text).toContain(text);
        expect(said()).toHaveLength(4);
    });

    test('resolved without a reason: not entered; with one, the payer is let go', async () => {
        const page = await open();
        const form = { deed: 'resolve-explained', pick: picksIn(page.text) };
        expect((await decide({ ...form, reason: '  ' }, page)).status).toBe(400);
        expect((await decide({ ...form, reason: 'booked by hand' }, page)).status).toBe(303);
        expect(readable((await app.get(acme)).text)).toContain('what held them is resolved');
        expect(said().at(-1)).toBe('decide resolve ada');
    });

    test('opened again, the payer is held, released, and held again', async () => {
        const resolved = await app.get(`${period}/breaks?status=explained`, { session });
        const [pick = ''] = picksIn(resolved.text);
        await decide({ deed: 'reopen', reason: 'not so', pick }, resolved);
        const held = await app.get(acme, { session });
        const form = { kind: 'release', seen: fieldIn(held.text, 'seen'), reason: 'agreed' };
        expect((await app.post(acme, { ...form, seen: 'f'.repeat(64) }, { session })).status).toBe(
            409,
        );
        const done = await app.post(acme, form, { session });
        expect(done.headers.get('location')).toBe(`${acme}?done=release.1`);
        const released = await app.get(`${acme}?done=release.1`, { session });
        expect(readable(released.text)).toContain('The lines are released. The log has it.');
        expect(readable(released.text)).toContain('by ada at 2026-11-05 09:00 UTC: agreed');
        expect((await app.post(acme, form, { session })).status).toBe(409);
        const seen = fieldIn(released.text, 'seen');
        await app.post(acme, { kind: 'withdraw', seen, reason: 'too soon' }, { session });
        expect(said().slice(5)).toEqual(['decide reopen ada', 'release  ada', 'withdraw  ada']);
    });

    test('what was done is a word and a number, and leads to no other site', async () => {
        const told = async (mark: string) => (await app.get(`/?done=${mark}`)).text;
        expect(await told('%3Cb%3Epaid.1')).not.toContain('role="status"');
        expect(await told('toString.1')).not.toContain('role="status"');
        for (const back of ['https://evil.example/', '//evil.example', '/\\evil', 'javascript:x']) {
            const done = await app.post('/name', { name: 'ada', back }, { session });
            expect(done.headers.get('location')).toBe('/');
        }
    });
});
