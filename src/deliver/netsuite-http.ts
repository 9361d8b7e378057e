import { TargetError } from './target.ts';

/** Milliseconds that an answer may take: two hundred lines with scripts on them take minutes. */
const patience = 300_000;

export interface Answered {
    readonly status: number;
    readonly location: string;
    readonly text: string;
}

/** What NetSuite says when too many requests are at work; 429 is the usual. */
const crowded = /SSS_REQUEST_LIMIT_EXCEEDED|CONCURRENCY_LIMIT|WS_REQUEST_BLOCKED|WS_CONCUR/;

/**
 * Asks NetSuite once. Gives what it answered, unless a little later it may answer otherwise.
 * @throws TargetError `unknown` when nothing usable came back, `busy` when it is over its limits
 */
export async function exchange(
    url: string,
    request: Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> },
): Promise<Answered> {
    let answer: Response;
    let text: string;
    try {
        answer = await fetch(url, {
            ...request,
            headers: { ...request.headers, accept: 'application/json', 'user-agent': 'tieout' },
            redirect: 'error',
            signal: AbortSignal.timeout(patience),
        });
        text = await answer.text();
    } catch (error) {
        const { name, cause } = error as Error;
        const { code } = (cause ?? {}) as NodeJS.ErrnoException;
        throw new TargetError('unknown', `it did not answer (${code ?? name})`, { cause: error });
    }
    const { status, headers } = answer;
    if (status === 429 || (status === 400 && crowded.test(text))) {
        const seconds = /^\d{1,5}$/.exec(headers.get('retry-after') ?? '')?.[0];
        const retryAfter = seconds === undefined ? null : Number.parseInt(seconds, 10) * 1_000;
        throw new TargetError('busy', `it answered ${status}`, { retryAfter });
    }
    if (status >= 500) throw new TargetError('unknown', `it answered ${status}`);
    return { status, location: headers.get('location') ?? '', text };
}

const detailLimit = 300;

/** What NetSuite says is wrong: all of its `o:errorDetails`, in one line. */
export function refusalText({ status, text }: Answered): string {
    const said = detailsOf(text)
        .map(({ detail, 'o:errorCode': code, 'o:errorPath': path }) =>
            [code, path, detail].filter((of) => typeof of === 'string' && of !== '').join(' '),
        )
        .join('; ');
    const short = said.length > detailLimit ? `${said.slice(0, detailLimit)}…` : said;
    return `it answered ${status}${short === '' ? '' : `: ${short}`}`;
}

interface Detail {
    readonly detail?: unknown;
    readonly 'o:errorCode'?: unknown;
    readonly 'o:errorPath'?: unknown;
}

function detailsOf(text: string): readonly Detail[] {
    try {
        const details: unknown = JSON.parse(text)?.['o:errorDetails'];
        return Array.isArray(details) ? details.filter((of) => of && typeof of === 'object') : [];
    } catch {
        return [];
    }
}
