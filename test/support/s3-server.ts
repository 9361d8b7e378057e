import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startEmbedded } from '../../scripts/support/bucket.ts';

/** An S3 server for tests: the embedded one, or a real one that is already running. */
export interface S3Server {
    readonly endpoint: string;
    /** True for a server named by TIEOUT_TEST_S3_ENDPOINT (Ceph): it checks credentials. */
    readonly isReal: boolean;
    /** What the environment must hold so that the default credential chain finds its keys. */
    readonly env: Readonly<Record<string, string>>;
    makeBucket(bucket: string): Promise<void>;
    put(bucket: string, key: string, body: string | Uint8Array): Promise<void>;
    /** Uploads every file below a folder; keys are the paths below it, after the prefix. */
    putFolder(bucket: string, folder: string, prefix?: string): Promise<void>;
    stop(): Promise<void>;
}

/**
 * Starts the embedded S3 in this process, on a free port of the loopback device. With
 * TIEOUT_TEST_S3_ENDPOINT (and TIEOUT_TEST_S3_KEY, TIEOUT_TEST_S3_SECRET) that server is taken.
 * The embedded one checks no credentials, takes at most 11 MiB in one put, and loses keys between
 * pages where locale order is not byte order (`B`, `a`; `-`, `/`): keep such keys to one page.
 */
export async function startS3(): Promise<S3Server> {
    const real = process.env.TIEOUT_TEST_S3_ENDPOINT;
    const key = process.env.TIEOUT_TEST_S3_KEY ?? 'testkey';
    const secret = process.env.TIEOUT_TEST_S3_SECRET ?? 'testsecret';
    const { endpoint, stop } = real
        ? { endpoint: real, stop: async () => {} }
        : await startEmbedded();
    const client = new S3Client({
        endpoint,
        region: 'us-east-1',
        forcePathStyle: true,
        credentials: { accessKeyId: key, secretAccessKey: secret },
        requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    const put: S3Server['put'] = async (bucket, name, body) => {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: body }));
    };
    return {
        endpoint,
        isReal: real !== undefined,
        env: {
            AWS_ACCESS_KEY_ID: key,
            AWS_SECRET_ACCESS_KEY: secret,
            AWS_REGION: 'us-east-1',
            AWS_EC2_METADATA_DISABLED: 'true',
        },
        async makeBucket(bucket) {
            await client.send(new CreateBucketCommand({ Bucket: bucket }));
        },
        put,
        async putFolder(bucket, folder, prefix = '') {
            for (const path of await filesBelow(folder)) {
                const name = relative(folder, path).split(sep).join('/');
                await put(bucket, `${prefix}${name}`, await readFile(path));
            }
        },
        async stop() {
            client.destroy();
            await stop();
        },
    };
}

async function filesBelow(folder: string): Promise<readonly string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
}
