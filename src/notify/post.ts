import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

export interface Letter {
    readonly url: string;
    readonly body: string;
    /** Signs the letter; null for one without a signature. */
    readonly secret: string | null;
    /** Seconds since 1970: a receiver refuses what is old. */
    readonly sentAt: bigint;
}

/** Milliseconds. Tests are in more of a hurry. */
export interface Patience {
    readonly timeout: number;
    readonly pauses: readonly number[];
}

const patience: Patience = { timeout: 10_000, pauses: [1_000, 3_000] };

/** Why a letter did not arrive, and whether it may a little later. */
interface Refusal {
    readonly why: string;
    readonly mayPass: boolean;
}

/**
 * Posts JSON; twice more when nobody answers or the answer is 5xx or 429. Never throws. Gives null
 * when the letter arrived, else why not, in words that hold nothing of the address.
 */
export async function post(
    letter: Letter,
    { timeout, pauses }: Patience = patience,
): Promise<string | null> {
    for (const wait of [...pauses, null]) {
        const refusal = await postOnce(letter, timeout);
        if (refusal === null) return null;
        if (wait === null || !refusal.mayPass) return refusal.why;
        await pause(wait);
    }
    return null;
}

async function postOnce(letter: Letter, timeout: number): Promise<Refusal | null> {
    const { url, body, secret, sentAt } = letter;
    try {
        const answer = await fetch(url, {
            method: 'POST',
            body,
            redirect: 'error', // it could lead to where nothing is encrypted
            signal: AbortSignal.timeout(timeout),
            headers: {
                'content-type': 'application/json',
                'user-agent': 'tieout',
                ...(secret ? { 'tieout-signature': signature(secret, sentAt, body) } : {}),
            },
        });
        await answer.body?.cancel();
        if (answer.ok) return null;
        const mayPass = answer.status >= 500 || answer.status === 429;
        return { why: `it answered ${answer.status}`, mayPass };
    } catch (error) {
        return { why: `it did not answer (${reasonOf(error)})`, mayPass: true };
    }
}

/** `t=...,v1=...`: HMAC-SHA256 over the seconds, a point and the body, in hex. */
export function signature(secret: string, sentAt: bigint, body: string): string {
    const hmac = createHmac('sha256', secret).update(`${sentAt}.${body}`).digest('hex');
    return `t=${sentAt},v1=${hmac}`;
}

/** A code or a name, never the message: it may have the address in it. */
function reasonOf(error: unknown): string {
    const { name, cause } = error as Error;
    const { code } = (cause ?? {}) as NodeJS.ErrnoException;
    return code ?? (name === 'TimeoutError' ? 'timeout' : name);
}
