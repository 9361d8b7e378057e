import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import type { Environment } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import type { NetsuiteSettings } from '../schema/deliver-netsuite.ts';
import { lockedOut } from './access.ts';
import type { Answered } from './http.ts';
import { exchange } from './netsuite-http.ts';
import { TargetError } from './target.ts';

const keyVariable = 'TIEOUT_NETSUITE_PRIVATE_KEY';
const granted = z.object({
    access_token: z.string().min(1),
    expires_in: z.union([z.string().regex(/^\d{1,9}$/), z.int().positive()]),
});

/** Seconds that our claim is good for; NetSuite takes up to an hour. */
const claimLife = 300n;
/** Milliseconds before its end in which a token is not used any more. */
const margin = 120_000;

/** Access to NetSuite for a while, by OAuth 2.0 client credentials. */
export interface Tokens {
    /** One that is good for now. @throws TargetError unknown or busy, RunError DELIVERY_LOCKED_OUT */
    readonly current: () => Promise<string>;
    /** Forgets one that NetSuite did not take. */
    readonly drop: (token: string) => void;
}

/**
 * Tokens for the certificate whose private key is in the environment: kept until shortly before their end,
 * and asked for once however many requests wait for it.
 * @throws RunError DELIVERY_REFUSED for a key that is missing or cannot sign so
 */
export function netsuiteTokens(
    settings: NetsuiteSettings,
    base: string,
    environment: Environment,
    now: () => string,
): Tokens {
    const key = readKey(settings, environment);
    const url = `${base}/services/rest/auth/oauth2/v1/token`;
    let kept: { readonly token: string; readonly until: number } | null = null;
    let asked: Promise<string> | null = null;
    const ask = async () => {
        const at = Date.parse(now());
        const answer = await exchange(url, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({
                grant_type: 'client_credentials',
                client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
                client_assertion: await claim(settings, key, url, at),
            }).toString(),
        });
        const { access_token, expires_in } = grantedBy(answer);
        const life = Number.parseInt(String(expires_in), 10) * 1_000;
        kept = { token: access_token, until: at + Math.max(life - margin, life / 2) };
        return access_token;
    };
    return {
        current: () => {
            if (kept && Date.parse(now()) < kept.until) return Promise.resolve(kept.token);
            asked ??= ask().finally(() => {
                asked = null;
            });
            return asked;
        },
        drop: (token) => {
            if (kept?.token === token) kept = null;
        },
    };
}

function claim(
    { algorithm, certificate_id, client_id }: NetsuiteSettings,
    key: KeyObject,
    url: string,
    at: number,
): Promise<string> {
    const seconds = BigInt(Math.floor(at / 1_000));
    return new SignJWT({ scope: 'rest_webservices' })
        .setProtectedHeader({ typ: 'JWT', alg: algorithm, kid: certificate_id })
        .setIssuer(client_id)
        .setAudience(url)
        .setIssuedAt(Number.parseInt(String(seconds), 10))
        .setExpirationTime(Number.parseInt(String(seconds + claimLife), 10))
        .sign(key);
}

/** The body of a refusal is not shown: it may repeat what we sent. */
function grantedBy({ status, text }: Answered): z.output<typeof granted> {
    if (status >= 400 && status < 500) {
        throw notLetIn(`it answered ${status} to the claim that is signed with ${keyVariable}`);
    }
    try {
        return granted.parse(JSON.parse(text));
    } catch {
        throw new TargetError('unknown', `it answered ${status}, and no token`);
    }
}

/** NetSuite lets nobody in: whatever else is asked would be answered the same. */
export const notLetIn = (detail: string) =>
    lockedOut(
        'netsuite',
        detail,
        'Check client_id, certificate_id, the end of the certificate and the role of the integration (Login Audit Trail in NetSuite), and the clock of this machine.',
    );

function readKey({ algorithm }: NetsuiteSettings, environment: Environment): KeyObject {
    const refused = (detail: string, remedy: string) =>
        new RunError('DELIVERY_REFUSED', { target: 'netsuite', detail, remedy });
    // Where a variable can have one line only, line ends are written \n.
    const pem = (environment[keyVariable] ?? '').replaceAll('\\n', '\n');
    if (pem === '') {
        throw refused(
            `the environment variable ${keyVariable} is not set`,
            'Set it, where tieout runs, to the private key in PEM.',
        );
    }
    const key = keyOf(pem);
    const { modulusLength = 0, namedCurve = '' } = key?.asymmetricKeyDetails ?? {};
    const isRsa = key?.asymmetricKeyType === 'rsa' && modulusLength >= 3_072;
    const fits = algorithm.startsWith('PS') ? isRsa : namedCurve === curves[algorithm];
    if (key && fits) return key;
    throw refused(
        `${keyVariable} is no private key in PEM that signs ${algorithm}`,
        `${algorithm} is signed with ${algorithm.startsWith('PS') ? 'an RSA key of 3072 or 4096 bits' : `a key of the curve ${curves[algorithm]}`}, without a passphrase; make one as docs/deliver-netsuite.md says.`,
    );
}

const curves: Readonly<Record<string, string>> = {
    ES256: 'prime256v1',
    ES384: 'secp384r1',
    ES512: 'secp521r1',
};

/** The reason that OpenSSL gives could hold a part of the key. */
function keyOf(pem: string): KeyObject | null {
    try {
        return createPrivateKey(pem);
    } catch {
        return null;
    }
}
