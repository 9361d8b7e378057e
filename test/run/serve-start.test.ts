import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { accessOf } from '../../src/commands/serve.ts';
import { testTerminal, tieout, tinyProjects } from '../support/terminal.ts';
import { token } from './serve.world.ts';

const project = tinyProjects();

/** Starts it in this process as on a terminal, works with its address, and interrupts it. */
async function started(
    line: string,
    environment: Readonly<Record<string, string>>,
    work: (address: string, printed: string) => Promise<unknown>,
    isTerminal = true,
): Promise<{ readonly exit: number; readonly printed: string }> {
    const { terminal, said } = testTerminal({ cwd: project().folder, environment });
    const ending = new AbortController();
    const exit = runCli(line.split(' '), {
        ...terminal,
        isTerminal,
        interrupted: () => ending.signal,
    });
    const address = await waitFor(() => /http:\/\/[\d.]+:\d+/.exec(said.err)?.[0]);
    try {
        await work(address, said.err);
    } finally {
        ending.abort();
    }
    return { exit: await exit, printed: said.err };
}

async function waitFor<T>(look: () => T | undefined): Promise<T> {
    for (let attempt = 0; attempt < 500; attempt += 1) {
        const found = look();
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('it did not come');
}

describe('tieout serve', () => {
    test('prints a link with a token once, answers, and ends with 0', async () => {
        const { exit, printed } = await started('serve --port 0', {}, async (address, text) => {
            const [, link = ''] = /^To decide: +(\S+)$/m.exec(text) ?? [];
            expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{64}$/);
            const page = await fetch(address);
            expect([page.status, (await page.text()).includes('Reading only')]).toEqual([
                200,
                true,
            ]);
            const shown = await fetch(link, { redirect: 'manual' });
            expect(shown.status).toBe(303);
        });
        expect(exit).toBe(0);
        expect(printed.match(/token=/g)).toHaveLength(1);
    });

    test('a token that is given is never printed', async () => {
        const environment = { TIEOUT_SERVE_TOKEN: token };
        const { printed } = await started('serve --port 0', environment, async (address) => {
            const shown = await fetch(`${address}/?token=${token}`, { redirect: 'manual' });
            expect(shown.status).toBe(303);
        });
        expect(printed).not.toContain(token);
    });

    test('where nobody reads what is printed, none is made', async () => {
        const { printed } = await started('serve --port 0', {}, async () => {}, false);
        expect(printed).toContain('Nothing can be entered: TIEOUT_SERVE_TOKEN is not set.');
    });

    test.each(['SIGINT', 'SIGTERM'] as const)(
        'as a process it ends with 0 on %s',
        async (signal) => {
            const cli = join(import.meta.dirname, '../../src/cli.ts');
            const of = { cwd: project().folder, env: { ...process.env, TIEOUT_SERVE_TOKEN: '' } };
            const child = spawn(process.execPath, [cli, 'serve', '--port', '0'], of);
            let printed = '';
            child.stderr.on('data', (bytes) => {
                printed += bytes;
            });
            await waitFor(() => (printed.includes('Listening on') ? true : undefined));
            child.kill(signal);
            const [code] = await once(child, 'exit');
            expect(code).toBe(0);
        },
    );

    test.each([
        ['serve --port 70000', '--port 70000 is not a port'],
        ['serve --port x', '--port x is not a port'],
        ['serve --host 10.0.0.1', 'TIEOUT_SERVE_TOKEN is not set'],
        ['serve --origin https://tieout.example.com', 'TIEOUT_SERVE_TOKEN is not set'],
    ])('%s: %s', async (line, text) => {
        const said = await tieout(line, { cwd: project().folder, environment: {} });
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toContain(text);
    });
});

describe('who may do what, by where it listens', () => {
    const context = (TIEOUT_SERVE_TOKEN: string) => {
        const { effects, environment } = testTerminal({
            cwd: '/',
            environment: { TIEOUT_SERVE_TOKEN },
        }).terminal;
        return { effects, environment, configFile: null, cwd: '/' };
    };
    const world = { isTerminal: true, chance: () => 'made' };

    test.each([
        // host, origin, token given, then: token, closed, origin, hosts
        ['127.0.0.1', undefined, '', 'made', false, null, ['127.0.0.1', 'localhost', '[::1]']],
        [
            '127.0.0.2',
            undefined,
            token,
            token,
            false,
            null,
            ['127.0.0.1', 'localhost', '[::1]', '127.0.0.2'],
        ],
        ['::1', undefined, token, token, false, null, ['127.0.0.1', 'localhost', '[::1]']],
        ['127.0.0.1', 'https://a.example/', token, token, true, 'https://a.example', undefined],
        ['10.0.0.1', undefined, token, token, true, null, ['10.0.0.1']],
        ['fe80::1', undefined, token, token, true, null, ['[fe80::1]']],
        [
            '0.0.0.0',
            'http://a.example:8080',
            token,
            token,
            true,
            'http://a.example:8080',
            ['0.0.0.0'],
        ],
    ])('%s %s', (host, origin, given, expected, isClosed, known, hosts) => {
        const flags = { host, ...(origin === undefined ? {} : { origin }) };
        const { access } = accessOf(flags, context(given), world);
        expect(access).toMatchObject({ token: expected, isClosed, origin: known, by: null });
        if (hosts) expect([...new Set(access.hosts)]).toEqual(hosts);
    });

    test.each([
        ['127.0.0.1', undefined, 'too-short', 'has 9 characters'],
        ['10.0.0.1', undefined, '', 'TIEOUT_SERVE_TOKEN is not set'],
        ['0.0.0.0', undefined, token, 'under which name it is reached is not known'],
        ['::', undefined, token, 'under which name it is reached is not known'],
        ['127.0.0.1', 'tieout.example.com', token, 'is no address of a site'],
        ['127.0.0.1', 'https://a.example/path', token, 'is no address of a site'],
        ['127.0.0.1', 'ftp://a.example', token, 'is no address of a site'],
    ])('%s %s %s: %s', (host, origin, given, text) => {
        const flags = { host, ...(origin === undefined ? {} : { origin }) };
        expect(() => accessOf(flags, context(given), world)).toThrow(text);
    });
});
