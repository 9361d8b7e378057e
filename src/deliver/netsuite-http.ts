import { type Answered, askOnce, type Manners } from './http.ts';

/** What NetSuite says when too many requests are at work; 429 is the usual. */
const crowded = /SSS_REQUEST_LIMIT_EXCEEDED|CONCURRENCY_LIMIT|WS_REQUEST_BLOCKED|WS_CONCUR/;

const manners: Manners = {
    patience: 300_000, // two hundred lines with scripts on them take minutes
    isBusy: ({ status, text }) => status === 429 || (status === 400 && crowded.test(text)),
};

/** Asks NetSuite once. @throws TargetError */
export function exchange(
    url: string,
    request: Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> },
): Promise<Answered> {
    const headers = { ...request.headers, accept: 'application/json', 'user-agent': 'tieout' };
    return askOnce(url, { ...request, headers }, manners);
}

const detailLimit = 300;

/** What NetSuite says is wrong: all of its `o:errorDetails`, in one line. */
export function refusalText({ status, text }: Pick<Answered, 'status' | 'text'>): string {
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
