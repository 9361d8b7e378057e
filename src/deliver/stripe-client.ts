import PQueue from 'p-queue';
import Stripe from 'stripe';
import { RunError } from '../errors/index.ts';
import type { StripeSettings } from '../schema/deliver-stripe.ts';
import { lockedOut } from './access.ts';
import { retryAfterOf, silenceText } from './http.ts';
import { TargetError } from './target.ts';

/** What an answer of Stripe has besides what was asked for. */
export type Answered<T> = Stripe.Response<T>;

/** Stripe's SDK, slowed down to what Stripe takes, with each failure told as what it means. */
export interface StripeClient {
    readonly stripe: Stripe;
    readonly isLive: boolean;
    /** @throws TargetError, RunError DELIVERY_LOCKED_OUT */
    ask<T>(request: () => Promise<Answered<T>>): Promise<Answered<T>>;
    /**
     * A POST under an idempotency key. Stripe repeats the first answer to a key for a day, be it an error or
     * an invoice that was deleted since: `isStale` says whether a repeated one still holds. One that does not
     * is `unknown`, and the next attempt has the next key.
     * @throws TargetError
     */
    post<T>(
        key: string,
        request: (options: Stripe.RequestOptions) => Promise<Answered<T>>,
        isStale?: (answer: T) => Promise<boolean>,
    ): Promise<Answered<T>>;
}

const standIn = ({ hostname: host, port, protocol }: URL) => ({
    ...{ host, port },
    protocol: protocol === 'https:' ? ('https' as const) : ('http' as const),
});

/** Milliseconds that an answer may take. */
const patience = 80_000;

/** @throws RunError DELIVERY_REFUSED for a key that is none */
export function stripeClient(settings: StripeSettings, key: string): StripeClient {
    const mode = /^(?:sk|rk)_(live|test)_./.exec(key)?.[1];
    if (mode === undefined) {
        throw new RunError('DELIVERY_REFUSED', {
            target: 'stripe',
            detail:
                key === '' ? 'TIEOUT_STRIPE_KEY is not set' : 'TIEOUT_STRIPE_KEY is no secret key',
            remedy: 'Set it to a key of Stripe that begins with sk_ or rk_, where tieout runs.',
        });
    }
    const url = settings.url === undefined ? null : new URL(settings.url);
    const stripe = new Stripe(key, {
        maxNetworkRetries: 0, // Who sends asks what came of it, before it tries again.
        timeout: patience,
        telemetry: false,
        ...(url ? standIn(url) : {}),
    });
    const queue = new PQueue({
        concurrency: settings.concurrency,
        intervalCap: settings.per_second,
        interval: 1_000,
        strict: true, // in any second, not in each
    });
    const ask = <T>(request: () => Promise<Answered<T>>) =>
        queue.add(async () => {
            try {
                const answer = await request();
                // The SDK takes any JSON without an error of Stripe's for an answer of Stripe.
                const { statusCode } = answer.lastResponse;
                if (statusCode < 400) return answer;
                const message = `something in front of it answered ${statusCode}`;
                throw new TargetError('unknown', message, { isDown: true });
            } catch (error) {
                throw told(error, key);
            }
        });
    /** How many keys of a request Stripe has used up, each with an answer that no longer holds. */
    const spent = new Map<string, number>();
    return {
        stripe,
        isLive: mode === 'live',
        ask,
        post: async (subject, request, isStale = async () => false) => {
            const used = spent.get(subject) ?? 0;
            const idempotencyKey = used === 0 ? subject : `${subject}-${used + 1}`;
            const stale = (what: string) => {
                spent.set(subject, used + 1);
                return new TargetError('unknown', `it repeats ${what}`);
            };
            const answer = await ask(() => request({ idempotencyKey })).catch((error) => {
                throw isRepeated(causeOf(error)?.headers) ? stale(error.message) : error;
            });
            if (isRepeated(answer.lastResponse.headers) && (await isStale(answer))) {
                throw stale('what was taken away since');
            }
            return answer;
        },
    };
}

const isRepeated = (headers: Readonly<Record<string, string>> | undefined) =>
    headers?.['idempotent-replayed'] === 'true';

const causeOf = (error: unknown) =>
    error instanceof Error && error.cause instanceof Stripe.errors.StripeError ? error.cause : null;

/** Whether Stripe has nothing of that name. */
export const isMissing = (error: unknown) => causeOf(error)?.statusCode === 404;

/** Whether the key may not ask that. */
export const isForbidden = (error: unknown) => causeOf(error)?.statusCode === 403;

/** What a failure means. Never holds the key: Stripe itself repeats some of a wrong one. */
function told(error: unknown, key: string): unknown {
    if (!(error instanceof Stripe.errors.StripeError)) return error;
    const { statusCode, code, headers, rawType, detail } = error;
    if (statusCode === undefined) {
        const message = silenceText(detail instanceof Error ? detail : error);
        return new TargetError('unknown', message, { isDown: true, cause: error });
    }
    const said = `it answered ${statusCode}`;
    const isLimit = statusCode === 429 || code === 'rate_limit';
    if (isLimit || code === 'lock_timeout') {
        const retryAfter = retryAfterOf(headers?.['retry-after']);
        return new TargetError('busy', said, { retryAfter, isDown: isLimit, cause: error });
    }
    // 409: another request under this key is at work, and may do it.
    if (statusCode >= 500 || statusCode === 409) {
        return new TargetError('unknown', said, { isDown: statusCode >= 500, cause: error });
    }
    const words = statusCode === 401 ? 'the key is not valid' : error.message;
    const message = `${said} ${code ?? rawType ?? ''}: ${words}`.replaceAll(key, '(key)');
    const isOut = statusCode === 401 || statusCode === 403;
    return isOut
        ? lockedOut('stripe', message, accessRemedy, error)
        : new TargetError('refused', message, { cause: error });
}

const accessRemedy =
    'Set TIEOUT_STRIPE_KEY to a key that is valid in this mode; a restricted one must read accounts and write what is sent (docs/deliver-stripe.md).';

/** All of a list, page by page. @throws TargetError */
export async function allOf<T extends { readonly id: string }>(
    { ask }: StripeClient,
    page: (params: Stripe.PaginationParams) => Promise<Answered<Stripe.ApiList<T>>>,
): Promise<readonly T[]> {
    const found: T[] = [];
    let after: string | undefined;
    do {
        const cursor = after === undefined ? {} : { starting_after: after };
        const answer = await ask(() => page({ limit: 100, ...cursor }));
        found.push(...answer.data);
        after = answer.has_more ? answer.data.at(-1)?.id : undefined;
    } while (after !== undefined);
    return found;
}
