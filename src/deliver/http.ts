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
        // The message may hold the address, which may be a secret.
        const { name, cause } = error as Error;
        const { code } = (cause ?? {}) as NodeJS.ErrnoException;
        throw new TargetError('unknown', `it did not answer (${code ?? name})`, { cause: error });
    }
    const { status, headers } = answer;
    if (isBusy({ status, text })) {
        const retryAfter = retryAfterOf(headers.get('retry-after'));
        throw new TargetError('busy', `it answered ${status}`, { retryAfter });
    }
    if (status >= 500) throw new TargetError('unknown', `it answered ${status}`);
    return { status, headers, text };
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
