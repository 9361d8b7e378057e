import { TargetError } from './target.ts';

/** What a target answered: something that a little later it would answer as well. */
export interface Answered {
    readonly status: number;
    readonly headers: Headers;
    readonly text: string;
}

/** How long an answer may take, in milliseconds, and which one says that it is too busy for now. */
export interface Manners {
    readonly patience: number;
    readonly isBusy: (answer: Pick<Answered, 'status' | 'text'>) => boolean;
}

/**
 * Asks a target once.
 * @throws TargetError `unknown` when nothing usable came back, `busy` when it is asked too much
 */
export async function askOnce(
    url: string,
    request: RequestInit,
    { patience, isBusy }: Manners,
): Promise<Answered> {
    let answer: Response;
    let text: string;
    try {
        answer = await fetch(url, {
            ...request,
            redirect: 'error', // it could lead to where nothing is encrypted
            signal: AbortSignal.timeout(patience),
        });
        text = await answer.text();
    } catch (error) {
        throw new TargetError('unknown', silenceText(error), { isDown: true, cause: error });
    }
    const { status, headers } = answer;
    if (isBusy({ status, text })) {
        const retryAfter = retryAfterOf(headers.get('retry-after'));
        throw new TargetError('busy', `it answered ${status}`, { retryAfter, isDown: true });
    }
    if (status >= 500) throw new TargetError('unknown', `it answered ${status}`, { isDown: true });
    return { status, headers, text };
}

/** Why no answer came, by the code that Node has for it, and where to look. */
const silences: readonly (readonly [RegExp, string])[] = [
    [/^(ENOTFOUND|EAI_AGAIN)$/, 'its name is not known here: look at the address, and at DNS'],
    [/^ECONNREFUSED$/, 'nothing listens there: look at the address, and at firewalls'],
    [/^(ERR_SSL|EPROTO)/, 'it does not speak TLS there: look at the address, and at proxies'],
    [
        /CERT|TLS|LEAF_SIGNATURE/,
        'its certificate is not trusted: look at the address, at NODE_EXTRA_CA_CERTS, and at the clock',
    ],
    [/^TimeoutError$/, 'it took too long to answer'],
];

/** Why no answer came. Never the message of the error: that may hold the address, which may be a secret. */
export function silenceText(error: unknown): string {
    const { name, cause } = error as Error;
    const { code: said, message } = (cause ?? error) as NodeJS.ErrnoException;
    // Of a DOMException the code is a number.
    const code = typeof said === 'string' ? said : name;
    if (/redirect/.test(message)) return 'it redirects: give the address that it redirects to';
    const why = silences.find(([pattern]) => pattern.test(code))?.[1] ?? 'it did not answer';
    return `${why} (${code})`;
}

/** Milliseconds of a `Retry-After` in seconds; null for none, or for a date. */
export function retryAfterOf(header: string | null | undefined): number | null {
    const seconds = /^\d{1,5}$/.exec(header ?? '')?.[0];
    return seconds === undefined ? null : Number.parseInt(seconds, 10) * 1_000;
}

/**
 * A JSON number as decimal text; null for one that a JSON number of at most 15 digits is not, and so may
 * have lost some on its way.
 */
export function exactText(value: number): string | null {
    const text = String(value);
    const isExact = /^-?\d+(\.\d+)?$/.test(text) && text.replaceAll(/[-.]/g, '').length <= 15;
    return isExact ? text : null;
}
