import { createHmac, timingSafeEqual } from 'node:crypto';

/*
 * Whoever has the token may write. A browser shows it once and then has a cookie that proves it without
 * saying it; every form has a key of its own session. Nothing of this is kept here: both are made of
 * the token, and with another token none of them counts.
 */

const proofOf = (token: string, text: string) =>
    createHmac('sha256', token).update(text).digest('hex');

/** Whether two texts are the same, in a time that says nothing of either. */
export function isSameSecret(one: string, other: string): boolean {
    const digest = (text: string) => createHmac('sha256', 'compared').update(text).digest();
    return timingSafeEqual(digest(one), digest(other));
}

/** What the cookie of a session says. */
export function sessionText(token: string, session: string): string {
    return `${session}.${proofOf(token, `session ${session}`)}`;
}

/** The session that a cookie proves; null for none. */
export function provenSession(token: string, cookie: string | undefined): string | null {
    const [session = '', proof = ''] = (cookie ?? '').split('.');
    return isSameSecret(proof, proofOf(token, `session ${session}`)) ? session : null;
}

/** What every form of a session says, and no other site knows. */
export function formKey(token: string, session: string): string {
    return proofOf(token, `form ${session}`);
}
