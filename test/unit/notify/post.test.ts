import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { post } from '../../../src/notify/post.ts';
import { type Receiver, type Reply, receiver } from '../../support/receiver.ts';

const hurry = { timeout: 200, pauses: [1, 1] };
const body = '{"version":1}';
const secretPath = '/services/T0/secret';
const letter = (url: string, secret: string | null = null) => ({
    ...{ url: `${url}${secretPath}`, body, secret },
    sentAt: 1_793_000_000n,
});

const open: Receiver[] = [];
async function opened(...replies: readonly Reply[]): Promise<Receiver> {
    const one = await receiver(...replies);
    open.push(one);
    return one;
}
afterEach(async () => {
    for (const one of open.splice(0)) await one.stop();
});

describe('what is answered, how often it is posted, and what is said of it', () => {
    test.each<[string, readonly Reply[], number, string | null]>([
        ['taken at once', [204], 1, null],
        ['taken after two failures', [503, 500, 200], 3, null],
        ['never taken', [503], 3, 'it answered 503'],
        ['slow down', [429, 200], 2, null],
        ['refused: again would be refused again', [403], 1, 'it answered 403'],
        ['gone', [410, 200], 1, 'it answered 410'],
        ['no answer', ['silence'], 3, 'it did not answer (timeout)'],
        ['an answer at last', ['silence', 200], 2, null],
    ])('%s', async (_what, replies, attempts, why) => {
        const { url, received } = await opened(...replies);
        expect(await post(letter(url), hurry)).toBe(why);
        expect(received.map(({ method, path, body: got }) => [method, path, got])).toEqual(
            Array(attempts).fill(['POST', secretPath, body]),
        );
    });

    test('nobody there', async () => {
        const { url, stop } = await opened();
        await stop();
        open.pop();
        expect(await post(letter(url), hurry)).toBe('it did not answer (ECONNREFUSED)');
    });

    test('a redirect is not followed: it may lead to where nothing is encrypted', async () => {
        const other = await opened(200);
        const { url } = await opened({ location: other.url });
        expect(await post(letter(url), hurry)).toMatch(/^it did not answer \(/);
        expect(other.received).toEqual([]);
    });

    test('an address that fetch refuses is not in the message', async () => {
        const why = await post(letter('https://user:hunter2@127.0.0.1'), hurry);
        expect(why).toBe('it did not answer (TypeError)');
    });
});

describe('the signature', () => {
    test('is of the seconds and the body, and made anew for nobody', async () => {
        const { url, received } = await opened(500, 200);
        await post(letter(url, 'whsec-1'), hurry);
        const hmac = createHmac('sha256', 'whsec-1').update(`1793000000.${body}`).digest('hex');
        expect(received.map(({ headers }) => headers['tieout-signature'])).toEqual(
            Array(2).fill(`t=1793000000,v1=${hmac}`),
        );
    });

    test('is not there without a secret', async () => {
        const { url, received } = await opened(200);
        await post(letter(url), hurry);
        expect(received[0]?.headers).not.toHaveProperty('tieout-signature');
        expect(received[0]?.headers['content-type']).toBe('application/json');
    });
});
