import type { Environment } from '../effects.ts';
import { isNoticeUrl, type Notify } from '../schema/notice.ts';
import { type Outcome, resultOf } from '../schema/outcome.ts';
import { parseInstant } from '../time/instant.ts';
import { noticed, noticeOf } from './notice.ts';
import { type Patience, post } from './post.ts';

/** Signs notices, so that a receiver knows who sent them. */
const secretName = 'TIEOUT_NOTIFY_SECRET';

/** The address of notices, or what is wrong with it. The address itself is in no message. */
export function noticeAddress(
    { url, url_env }: Notify,
    environment: Environment,
): { readonly url: string } | { readonly wrong: string } {
    if (url !== undefined) return { url };
    const found = environment[url_env ?? ''] ?? '';
    if (found === '') return { wrong: `the environment variable ${url_env} is not set` };
    if (isNoticeUrl(found)) return { url: found };
    return { wrong: `${url_env} is neither https nor http to this machine` };
}

/**
 * Posts the notice of a command, when its result is one to tell. Never throws, and changes nothing
 * of what the command came to. Gives null, or why nobody was told.
 */
export async function notify(
    outcome: Outcome,
    settings: Notify,
    environment: Environment,
    at: string,
    patience?: Patience,
): Promise<string | null> {
    if (!noticed.has(outcome.command) || !settings.on.includes(resultOf(outcome))) return null;
    const address = noticeAddress(settings, environment);
    if ('wrong' in address) return address.wrong;
    const why = await post(
        {
            url: address.url,
            body: JSON.stringify(noticeOf(outcome, at)),
            secret: environment[secretName] || null,
            sentAt: parseInstant(at) / 1_000_000n,
        },
        patience,
    );
    return why === null ? null : `the address of \`notify\` was not reached: ${why}`;
}
