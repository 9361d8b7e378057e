import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/run/decide.ts';
import { saidOfPayer } from '../../src/serve/decisions.ts';
import { folderState } from '../../src/state/state.ts';
import { served } from '../run/serve.world.ts';
import { beforehand } from '../support/beforehand.ts';
import { fails, raises, tinyProjects } from '../support/terminal.ts';

const project = tinyProjects();

const whys: Readonly<Record<string, string>> = {
    host: 'under a name that is not its own\n  -> Open the address',
    token: 'without its token nothing can be entered',
    method: 'pages can be read, and forms sent; nothing else\n  -> Use a browser',
};

/** An error as it is told, before a page is made of it. */
const untold = {
    told: (error: unknown) => {
        throw error;
    },
};

describe('errors of the web application', () => {
    test('SERVE_REFUSED: a form that says nothing', async () => {
        const said = await raises('SERVE_REFUSED', async () => saidOfPayer(new URLSearchParams()));
        expect(said).toMatchInlineSnapshot(`
          "SERVE_REFUSED: the application refused: this form is of another session, or not whole
            -> Nothing was entered. Go back, load the page anew and send the form again.
          "
        `);
    });

    test.each([
        ['host', { headers: { host: 'evil.example' } }],
        ['token', { method: 'POST' }],
        ['method', { method: 'PUT' }],
    ])('SERVE_REFUSED: %s', async (why, asking) => {
        const { folder } = project();
        const said = await raises('SERVE_REFUSED', () =>
            served(folder, {}, untold).get('/', asking),
        );
        expect(said).toContain(whys[why]);
    });

    test('PAGE_NOT_FOUND: an address that leads nowhere', async () => {
        const { folder } = project();
        const said = await raises('PAGE_NOT_FOUND', () =>
            served(folder, {}, untold).get('/nothing'),
        );
        expect(said).toMatchInlineSnapshot(`
          "PAGE_NOT_FOUND: there is no page /nothing
            -> Begin at the list of periods.
          "
        `);
    });

    test('STANDING_CHANGED: another run speaks than was looked at', async () => {
        const { folder: cwd } = project();
        await beforehand({ folder: cwd }, 'run --period 2026-10');
        const state = folderState(join(cwd, '.tieout'));
        const saying = { act: 'comment', value: '', ids: [], by: 'ada', reason: 'x' } as const;
        const said = await raises('STANDING_CHANGED', () =>
            decide(state, '2026-10', { ...saying, seen_run: 'other' }, '2026-11-05T09:00:00Z'),
        );
        expect(said.replace(/nightly-[0-9a-f]{12}/, 'nightly-RUN')).toMatchInlineSnapshot(`
          "STANDING_CHANGED: 2026-10 is no longer as it was looked at: 2026-10-nightly-RUN speaks for it now
            -> Nothing was entered. Look at it again, then decide.
          "
        `);
    });

    test('ADDRESS_UNUSABLE: something else listens there', async () => {
        const other = createServer();
        await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
        const { port } = other.address() as AddressInfo;
        try {
            const said = await fails('ADDRESS_UNUSABLE', 2, { line: `serve --port ${port}` });
            expect(said.replace(String(port), 'PORT')).toMatchInlineSnapshot(`
              "ADDRESS_UNUSABLE: cannot listen on 127.0.0.1 port PORT: EADDRINUSE
                -> End what listens there, or choose another --port; 0 takes any that is free.
              "
            `);
        } finally {
            await new Promise((resolve) => other.close(resolve));
        }
    });
});
