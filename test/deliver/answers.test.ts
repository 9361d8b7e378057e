import dns from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { deliver } from '../../src/commands/deliver.ts';
import { failure } from '../../src/commands/failure.ts';
import { silenceText } from '../../src/deliver/http.ts';
import { keyPair, pemOf } from '../support/netsuite-stand-in.ts';
import { standInKey } from '../support/stripe-stand-in.ts';
import { testTerminal, tieout, tinyFiles, tinyProject } from '../support/terminal.ts';

/*
 * What whoever starts a delivery is told when the target does not answer, or lets nobody in: the same
 * exit of all four, nothing sent, nothing of a secret, and where to look.
 */

const targets = ['webhook', 'stripe', 'netsuite', 'salesforce'] as const;
const secret = 'nobody-may-read-this';
const environment = {
    TIEOUT_WEBHOOK_SECRET: secret,
    TIEOUT_STRIPE_KEY: `${standInKey}${secret}`,
    TIEOUT_NETSUITE_PRIVATE_KEY: pemOf(keyPair('PS256').privateKey),
    TIEOUT_SALESFORCE_CLIENT_ID: 'client',
    TIEOUT_SALESFORCE_CLIENT_SECRET: secret,
};
const names = [
    'kind,ours,target,theirs',
    ...[
        'payer,acme,stripe,cus_acme',
        'payer,acme,netsuite,1207',
        'product,llm-tokens,netsuite,144',
    ],
    ...['payer,acme,salesforce,acme', 'product,llm-tokens,salesforce,tokens', ''],
].join('\n');
const deliveries = (url: string) => `
deliveries:
  names: names.csv
  webhook: { url: "${url}/invoices" }
  stripe: { url: "${url}" }
  netsuite: { url: "${url}", account: "1", client_id: c, certificate_id: c, currencies: { USD: "1" } }
  salesforce: { instance_url: "${url}", route: staging }
`;

const { 'tieout.yaml': config = '', ...files } = tinyFiles();
const project = tinyProject({ ...files, 'tieout.yaml': config, 'names.csv': names });
afterAll(project.remove);
afterEach(() => vi.restoreAllMocks());
beforeAll(async () => {
    const cwd = project.folder;
    await tieout('run --period 2026-10', { cwd });
    await tieout('close --period 2026-10', { cwd });
});

/** `tieout deliver --send` of the closed month, with its targets at an address. */
async function delivered(target: string, url: string, environmentOf: object = environment) {
    project.write('tieout.yaml', config + deliveries(url));
    const { effects } = testTerminal({ cwd: project.folder }).terminal;
    const context = {
        ...{ effects, environment: environmentOf as typeof environment, cwd: project.folder },
        configFile: join(project.folder, 'tieout.yaml'),
    };
    const flags = { period: '2026-10', target, send: true, by: 'ada' };
    const said = await deliver(flags, context, 'start', { min: 1, max: 1 }).catch(failure);
    for (const hidden of [secret, 'BEGIN PRIVATE KEY']) expect(said.text).not.toContain(hidden);
    return { exit: said.exit, text: said.text };
}

/** A service that answers everything with one status, as Stripe words it and as others do. */
async function answering(status: number) {
    const server = createServer((request, response) => {
        const error = { type: 'api_error', message: `told to say ${status}` };
        const body = request.url?.startsWith('/v1/') ? { error } : {};
        request.resume().on('end', () => {
            response.writeHead(status, { 'content-type': 'application/json' });
            response.end(JSON.stringify(body));
        });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const stop = async () => {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
    };
    return { port, stop };
}

describe.each(targets)('%s', (target) => {
    test('nothing listens there: 75', async () => {
        const there = await answering(200);
        await there.stop();
        const { exit, text } = await delivered(target, `http://127.0.0.1:${there.port}`);
        expect(text).toContain('nothing listens there: look at the address, and at firewalls');
        expect([exit, /start the same command again/i.test(text)]).toEqual([75, true]);
    });

    test('its name is not known: 75', async () => {
        vi.spyOn(dns, 'lookup').mockImplementation(((...args: readonly unknown[]) => {
            const error = Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' });
            (args.at(-1) as (error: Error) => void)(error);
        }) as typeof dns.lookup);
        const { exit, text } = await delivered(target, 'http://localhost:4711');
        expect(text).toContain('its name is not known here: look at the address, and at DNS');
        expect([exit, /start the same command again/i.test(text)]).toEqual([75, true]);
    });

    test('it does not speak TLS: 75', async () => {
        const there = await answering(200);
        const { exit, text } = await delivered(target, `https://127.0.0.1:${there.port}`);
        await there.stop();
        expect(text).toContain('it does not speak TLS there: look at the address, and at proxies');
        expect([exit, /start the same command again/i.test(text)]).toEqual([75, true]);
    });

    test.each([
        [401, 2, 'does not let tieout in'],
        [403, 2, 'does not let tieout in'],
        [429, 75, 'it answered 429'],
        [500, 75, 'it answered 500'],
        [503, 75, 'it answered 503'],
    ])('it answers %i: %i', async (status, exit, words) => {
        const there = await answering(status);
        // Of Stripe alone a restricted key need not say whose it is: it is then asked for invoices.
        const said = await delivered(target, `http://127.0.0.1:${there.port}`);
        await there.stop();
        expect(said.text).toContain(words);
        expect(said.exit).toBe(exit);
    });

    test('no secret: 2, before anything is sent', async () => {
        const there = await answering(200);
        const { exit, text } = await delivered(target, `http://127.0.0.1:${there.port}`, {});
        await there.stop();
        // A service of one's own need not have one.
        if (target === 'webhook') return;
        expect([exit, text]).toEqual([2, expect.stringMatching(/nothing was sent.* is not set/s)]);
    });
});

describe('why no answer came', () => {
    const because = (code: string) => Object.assign(new Error('secret.example'), { code });
    test.each([
        ['EAI_AGAIN', 'its name is not known here: look at the address, and at DNS (EAI_AGAIN)'],
        ['ECONNRESET', 'it did not answer (ECONNRESET)'],
        ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'].map(
            (code) => [
                code,
                `its certificate is not trusted: look at the address, at NODE_EXTRA_CA_CERTS, and at the clock (${code})`,
            ],
        ),
        [
            'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
            'its certificate is not trusted: look at the address, at NODE_EXTRA_CA_CERTS, and at the clock (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
        ],
    ])('%s', (code, text) => {
        // As fetch says it, and as sockets do.
        expect(silenceText(new TypeError('fetch failed', { cause: because(code) }))).toBe(text);
        expect(silenceText(because(code))).toBe(text);
    });

    test('a redirect, or no end of it', () => {
        const cause = new Error('unexpected redirect');
        expect(silenceText(new TypeError('fetch failed', { cause }))).toBe(
            'it redirects: give the address that it redirects to',
        );
        const late = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
        expect(silenceText(late)).toBe('it took too long to answer (TimeoutError)');
    });
});
