import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import {
    DeleteObjectCommand,
    GetObjectCommand,
    type GetObjectCommandOutput,
    ListObjectsV2Command,
    type ListObjectsV2CommandOutput,
    PutObjectCommand,
    S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { RunError } from '../errors/index.ts';
import type { ObjectBody, ObjectEntry, ObjectStore } from './object-store.ts';

/** Where a bucket is. Credentials are never given here: they come from the default chain. */
export interface S3Options {
    readonly bucket: string;
    readonly endpoint?: string;
    readonly region?: string;
    readonly path_style: boolean;
}

/** How patient a store is. The defaults are for a night's run; tests take smaller ones. */
export interface S3Tuning {
    readonly attempts: number;
    readonly keysPerPage?: number;
    readonly connectMillis: number;
    /** A socket that is silent for so long is given up, in mid-body too. */
    readonly silenceMillis: number;
}

/** Of a file in parts; four of them are in memory at a time. A smaller file is put in one request. */
const partSize = 8 * 1_048_576;

const defaults: S3Tuning = { attempts: 5, connectMillis: 10_000, silenceMillis: 60_000 };

/** What failed, in the words of the error that will be printed. */
interface Operation {
    readonly store: string;
    readonly name: 'list' | 'get' | 'put' | 'create' | 'upload' | 'remove';
    readonly target: string;
    readonly attempts: number;
}

/**
 * A bucket of S3, or of anything that speaks its protocol (Ceph, MinIO).
 * The SDK repeats requests that fail; a body that breaks is the reader's to fetch again.
 */
export function s3Store(options: S3Options, tuning: Partial<S3Tuning> = {}): ObjectStore {
    const { bucket } = options;
    const { attempts, keysPerPage, ...patience } = { ...defaults, ...tuning };
    const client = openClient(options, attempts, patience);
    const address = `s3://${bucket}`;
    const doing = (name: Operation['name'], target: string): Operation => ({
        store: address,
        name,
        target,
        attempts,
    });
    return {
        address,
        list(prefix) {
            const page = (token: string | undefined) =>
                client
                    .send(
                        new ListObjectsV2Command({
                            Bucket: bucket,
                            Prefix: prefix,
                            ContinuationToken: token,
                            MaxKeys: keysPerPage,
                        }),
                    )
                    .catch((error) => throwAs(doing('list', prefix), error));
            return allPages(page, doing('list', prefix));
        },
        async get(key, { ifEtag } = {}) {
            const operation = doing('get', key);
            const answer = await client
                .send(new GetObjectCommand({ Bucket: bucket, Key: key }))
                .catch((error) => throwAs(operation, error));
            const body = objectBody(operation, answer);
            // Not IfMatch: Ceph answers 412 to the quotes that AWS wants around it.
            if (ifEtag !== undefined && body.etag !== ifEtag) {
                discard(body.stream);
                const change = { store: address, key, expected: ifEtag, actual: body.etag };
                throw new RunError('OBJECT_CHANGED', change);
            }
            return body;
        },
        async put(key, body) {
            const whole = Buffer.from(body as Uint8Array);
            const input = { Bucket: bucket, Key: key, Body: whole, ContentLength: whole.length };
            await client
                .send(new PutObjectCommand(input))
                .catch((error) => throwAs(doing('put', key), error));
        },
        async create(key, body) {
            const whole = Buffer.from(body as Uint8Array);
            const input = { Bucket: bucket, Key: key, Body: whole, ContentLength: whole.length };
            try {
                await client.send(new PutObjectCommand({ ...input, IfNoneMatch: '*' }));
                return true;
            } catch (error) {
                // 412: there is one. 409: another writer is at it; whoever asks again will see.
                const status = (error as SdkError).$metadata?.httpStatusCode;
                if (status === 412 || status === 409) return false;
                return throwAs(doing('create', key), error);
            }
        },
        async upload(key, file, sha256) {
            const Body = createReadStream(file);
            const params = { Bucket: bucket, Key: key, Body, Metadata: { sha256 } };
            try {
                await new Upload({ client, params, partSize }).done();
            } catch (error) {
                Body.destroy();
                // Of the file, not of the store: the disk says what is wrong with it.
                if ((error as NodeJS.ErrnoException).syscall !== undefined && Body.errored)
                    throw error;
                throwAs(doing('upload', key), error);
            }
        },
        async remove(key) {
            try {
                await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
            } catch (error) {
                // Most servers answer 204 to what is not there, some do not.
                if ((error as SdkError).name !== 'NoSuchKey') throwAs(doing('remove', key), error);
            }
        },
        async close() {
            client.destroy();
        },
    };
}

function openClient(
    { endpoint, region, path_style }: S3Options,
    maxAttempts: number,
    patience: Pick<S3Tuning, 'connectMillis' | 'silenceMillis'>,
): S3Client {
    // The chain (environment, profile) throws where nobody names a region; most servers that are
    // not AWS take any, so us-east-1 will do.
    const chain = new S3Client({}).config.region;
    // More sockets than anybody's concurrency: the SDK warns on the console when they run out.
    const agent = { keepAlive: true, maxSockets: 512 };
    return new S3Client({
        region: region ?? (() => chain().catch(() => 'us-east-1')),
        ...(endpoint ? { endpoint } : { followRegionRedirects: true }),
        forcePathStyle: path_style,
        maxAttempts,
        // Servers that are not AWS refuse or ignore the newer checksums (411 on Ceph).
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
        requestHandler: {
            connectionTimeout: patience.connectMillis,
            socketTimeout: patience.silenceMillis,
            httpAgent: agent,
            httpsAgent: agent,
        },
    });
}

/** A key is given once, however often the pages repeat it: a listing may shift while it is read. */
async function* allPages(
    page: (token: string | undefined) => Promise<ListObjectsV2CommandOutput>,
    operation: Operation,
): AsyncGenerator<ObjectEntry> {
    const seen = new Set<string>();
    let token: string | undefined;
    do {
        const answer = await page(token);
        for (const { Key: key, Size: size, ETag: etag, LastModified } of answer.Contents ?? []) {
            if (key === undefined || seen.has(key)) continue;
            seen.add(key);
            const arrived = LastModified ? { arrived_at: LastModified.toISOString() } : {};
            yield { key, size: size ?? 0, etag: withoutQuotes(etag), ...arrived };
        }
        const next = answer.IsTruncated ? answer.NextContinuationToken : undefined;
        if (next !== undefined && next === token)
            throw unreachable(operation, 'the same page again');
        token = next;
    } while (token !== undefined);
}

function objectBody(operation: Operation, answer: GetObjectCommandOutput): ObjectBody {
    const { Body: stream, ContentLength: size, ETag: etag, VersionId: versionId } = answer;
    const { sha256 } = answer.Metadata ?? {};
    if (!(stream instanceof Readable) || size === undefined) {
        if (stream instanceof Readable) discard(stream);
        throw unreachable(operation, 'an answer without a body of known length');
    }
    return {
        ...{ stream, size, etag: withoutQuotes(etag) },
        ...(versionId ? { versionId } : {}),
        ...(sha256 ? { sha256 } : {}),
    };
}

/** Closes the connection of a body nobody will read; its complaint about that is of no interest. */
function discard(stream: Readable): void {
    stream.on('error', () => {});
    stream.destroy();
}

function withoutQuotes(etag: string | undefined): string {
    return (etag ?? '').replaceAll('"', '');
}

/** What the SDK throws, as far as it is looked at. */
interface SdkError {
    readonly name?: string;
    readonly message?: string;
    readonly code?: string;
    readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

// The SDK's own error never becomes the cause: it carries the whole answer, in which S3 may repeat
// the session token, and the credential process's command line.
function throwAs(operation: Operation, error: unknown): never {
    const { name = '', message = '', code, $metadata } = error as SdkError;
    const { store, target: key } = operation;
    const status = $metadata?.httpStatusCode;
    const said = `${name || code}: ${message}`.replaceAll(/\s+/g, ' ').slice(0, 200);
    if (/^(Credentials|Token)ProviderError$/.test(name)) {
        const detail = 'no usable credentials in the environment, a profile or the instance role';
        throw denied(operation, detail);
    }
    if (name === 'NoSuchBucket' || name === 'InvalidBucketName') {
        throw new RunError('STORE_BUCKET_MISSING', { store });
    }
    if (status === 404) {
        if (operation.name === 'get') throw new RunError('OBJECT_MISSING', { store, key });
        throw new RunError('STORE_BUCKET_MISSING', { store });
    }
    const isRefusal = status !== undefined && status >= 300 && status < 500;
    if (isRefusal && status !== 408 && status !== 429) {
        throw denied(operation, `${status} ${said}`);
    }
    throw unreachable(operation, status ? `${status} ${said}` : said, $metadata?.attempts);
}

function denied({ store, name, target }: Operation, detail: string): RunError {
    return new RunError('STORE_ACCESS_DENIED', { store, operation: `${name} ${target}`, detail });
}

function unreachable(operation: Operation, detail: string, attempts?: number): RunError {
    return new RunError('STORE_UNREACHABLE', {
        store: operation.store,
        operation: `${operation.name} ${operation.target}`,
        detail,
        attempts: attempts ?? operation.attempts,
    });
}
