import { createPrivateKey } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SignJWT } from 'jose';
import { Connection, OAuth2 } from 'jsforce';
import { Transport } from 'jsforce/lib/transport.js';
import type { HttpRequest, HttpResponse } from 'jsforce/lib/types/index.js';
import { StreamPromise } from 'jsforce/lib/util/promise.js';
import type { Environment } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import type { SalesforceSettings } from '../schema/deliver-salesforce.ts';
import { lockedOut } from './access.ts';
import { askOnce, type Manners } from './http.ts';
import { TargetError } from './target.ts';

const manners: Manners = {
    patience: 300_000, // an upload is up to 100 MB
    isBusy: ({ status, text }) =>
        status === 429 || (status === 403 && text.includes('REQUEST_LIMIT_EXCEEDED')),
};

/**
 * Asks once and says what came of it. The transport of jsforce asks again by itself, for uploads with a
 * body that is used up, and an answer that breaks off ends the process.
 */
class OnceTransport extends Transport {
    override httpRequest(request: HttpRequest): StreamPromise<HttpResponse> {
        const upload = new PassThrough();
        return StreamPromise.create(() => ({ stream: upload, promise: answerOf(request, upload) }));
    }
}

async function answerOf(request: HttpRequest, upload: PassThrough): Promise<HttpResponse> {
    const { method, url } = request;
    const isWriting = method === 'POST' || method === 'PUT' || method === 'PATCH';
    const given = typeof request.body === 'string' ? request.body : null;
    const body = isWriting ? (given ?? (await text(upload))) : null;
    const headers = Object.entries(request.headers ?? {}).filter(
        ([name]) => name.toLowerCase() !== 'content-length',
    );
    const asked = { method, headers: Object.fromEntries(headers) };
    const answer = await askOnce(url, { ...asked, ...(body === null ? {} : { body }) }, manners);
    const { status } = answer;
    if (status === 403) throw notLetIn(`it answered 403: ${answer.text.slice(0, 300)}`);
    return {
        statusCode: status,
        headers: Object.fromEntries(answer.headers),
        body: answer.text,
    };
}

/** What Salesforce says when it is asked too much, or wants to be asked again. */
const passing = new Set(['REQUEST_LIMIT_EXCEEDED', 'INVALID_SESSION_ID', 'SERVER_UNAVAILABLE']);

/** An org, entered when it is first asked for something. */
export interface Org {
    /** @throws TargetError, RunError DELIVERY_LOCKED_OUT; DELIVERY_REFUSED without a secret */
    ask<T>(question: (connection: Connection) => Promise<T>): Promise<T>;
    /** Rows of a query, all of them. @throws TargetError, never `refused` */
    query<T>(soql: string): Promise<readonly T[]>;
}

/** Opens nothing yet: a dry run needs no org. */
export function orgOf(
    settings: SalesforceSettings,
    environment: Environment,
    now: () => string,
): Org {
    const connection = new Connection({
        instanceUrl: settings.instance_url,
        version: settings.api_version,
    });
    connection._transport = new OnceTransport();
    let entered: Promise<string> | null = null;
    /** Tokens that were good for something: one that is refused then has come to its end. */
    const proven = new Set<string>();
    const ask: Org['ask'] = async (question) => {
        entered ??= enter(settings, environment, now);
        let token: string;
        try {
            token = await entered;
        } catch (error) {
            entered = null;
            throw error;
        }
        connection.accessToken = token;
        try {
            const answer = await question(connection);
            proven.add(token);
            return answer;
        } catch (error) {
            const { errorCode = '' } = error as { errorCode?: string };
            if (errorCode === 'INVALID_SESSION_ID') {
                entered = null;
                if (!proven.has(token)) throw notLetIn(`${errorCode} with a token of just now`);
            }
            throw targetErrorOf(error, errorCode);
        }
    };
    const query = async <T>(soql: string): Promise<readonly T[]> => {
        try {
            const all = { autoFetch: true, maxFetch: 200_000 };
            const { records } = await ask(async (of) => of.query(soql, all));
            return records as unknown as readonly T[];
        } catch (error) {
            const { errorCode = '' } = ((error as Error).cause ?? {}) as { errorCode?: string };
            if (unseen.has(errorCode)) throw notLetIn((error as Error).message);
            throw unsure(error);
        }
    };
    return { ask, query };
}

/** What it says of objects and fields that are not there, or that our user may not see. */
const unseen = new Set(['INVALID_FIELD', 'INVALID_TYPE', 'MALFORMED_QUERY']);

const notLetIn = (detail: string) =>
    lockedOut(
        'salesforce',
        detail,
        'Check the connected app, its secret or certificate, the login history of its user, and that this user may see the objects and fields of docs/deliver-salesforce.md.',
    );

function targetErrorOf(error: unknown, errorCode: string): unknown {
    if (error instanceof TargetError || errorCode === '') return error;
    const message = `${errorCode}: ${(error as Error).message}`.slice(0, 500);
    return new TargetError(passing.has(errorCode) ? 'busy' : 'refused', message, { cause: error });
}

/** A question that was not answered says nothing of what is there. */
export function unsure(error: unknown): unknown {
    const isNo = error instanceof TargetError && error.kind === 'refused';
    return isNo ? new TargetError('unknown', error.message, { cause: error }) : error;
}

const refused = (detail: string) =>
    new RunError('DELIVERY_REFUSED', {
        ...{ target: 'salesforce', detail },
        remedy: 'Set it where tieout runs; docs/deliver-salesforce.md says what each is.',
    });

async function enter(
    { auth, instance_url, login_url }: SalesforceSettings,
    environment: Environment,
    now: () => string,
): Promise<string> {
    const variable = (of: string) => {
        const value = environment[`TIEOUT_SALESFORCE_${of}`] ?? '';
        if (value === '') throw refused(`TIEOUT_SALESFORCE_${of} is not set`);
        return value;
    };
    const clientId = variable('CLIENT_ID');
    const isSecret = auth === 'client_credentials';
    const oauth = new OAuth2({
        loginUrl: instance_url,
        ...(isSecret ? { clientId, clientSecret: variable('CLIENT_SECRET') } : {}),
    });
    oauth._transport = new OnceTransport();
    const asked: { grant_type: string; [name: string]: string } = isSecret
        ? { grant_type: 'client_credentials' }
        : {
              grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
              assertion: await assertionOf(
                  { iss: clientId, sub: variable('USERNAME'), aud: login_url },
                  variable('PRIVATE_KEY'),
                  now(),
              ),
          };
    try {
        const { access_token } = await oauth.requestToken(asked);
        if (access_token) return access_token;
    } catch (error) {
        // Nothing was sent yet: what is not known is only whether it lets us in.
        if (error instanceof TargetError) {
            const { message, isDown } = error;
            throw new TargetError('busy', message, { isDown, cause: error });
        }
        if (error instanceof RunError) throw error;
        throw notLetIn(`it answered ${(error as Error).name} to what proves who we are`);
    }
    throw notLetIn('it gave no token');
}

/** Good for three minutes, as Salesforce has it. */
async function assertionOf(
    { iss, sub, aud }: { readonly iss: string; readonly sub: string; readonly aud: string },
    pem: string,
    instant: string,
): Promise<string> {
    try {
        return await new SignJWT()
            .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
            .setIssuer(iss)
            .setSubject(sub)
            .setAudience(aud)
            .setExpirationTime(Math.floor(Date.parse(instant) / 1_000) + 180)
            .sign(createPrivateKey(pem));
    } catch {
        // Its message could hold a part of the key.
        throw refused('TIEOUT_SALESFORCE_PRIVATE_KEY is no RSA key in PEM');
    }
}
