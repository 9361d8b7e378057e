import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { buildApp } from 'fauxqs';
import { s3Store } from '../../src/store/s3.ts';

/** An S3 bucket to run against, and how to leave it. */
export interface TestBucket {
    readonly endpoint: string;
    readonly bucket: string;
    /** True for the embedded server, false for the one that the environment names. */
    readonly isEmbedded: boolean;
    readonly stop: () => Promise<void>;
}

/**
 * Opens an empty bucket: on the S3 endpoint of TIEOUT_S3_ENDPOINT with the credentials of the
 * environment, or on an embedded server on loopback. The embedded one takes any credentials, so
 * some are put into the environment of this process.
 */
export async function openBucket(bucket: string): Promise<TestBucket> {
    const given = process.env.TIEOUT_S3_ENDPOINT;
    const server = given ? null : await startEmbedded();
    const endpoint = given ?? server?.endpoint ?? '';
    if (server) {
        process.env.AWS_ACCESS_KEY_ID = 'embedded';
        process.env.AWS_SECRET_ACCESS_KEY = 'embedded';
    }
    await createBucket(endpoint, bucket);
    return {
        endpoint,
        bucket,
        isEmbedded: server !== null,
        stop: async () => {
            await server?.stop();
        },
    };
}

/** Not the package's own start, which listens on every device of the machine. */
export async function startEmbedded(): Promise<{
    readonly endpoint: string;
    readonly stop: () => Promise<void>;
}> {
    const app = buildApp({ logger: false });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    return { endpoint: `http://127.0.0.1:${port}`, stop: async () => void (await app.close()) };
}

async function createBucket(endpoint: string, bucket: string): Promise<void> {
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
    try {
        await client.send(new CreateBucketCommand({ Bucket: bucket }));
    } catch (error) {
        const name = error instanceof Error ? error.name : '';
        if (!/BucketAlready(OwnedByYou|Exists)/.test(name)) throw error;
    } finally {
        client.destroy();
    }
}

/** Puts every file below the given folders of `root` into the bucket, keyed by its path. */
export async function uploadFolder(
    { endpoint, bucket }: TestBucket,
    root: string,
    folders: readonly string[],
): Promise<number> {
    const store = s3Store({ bucket, endpoint, path_style: true });
    let count = 0;
    let listed = 0;
    for (const folder of folders) {
        const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name))
            .sort();
        for (const file of files) {
            const key = file.slice(root.length + 1).replaceAll(sep, '/');
            await store.put(key, readFileSync(file));
            count += 1;
        }
    }
    // The embedded server loses keys between pages where locale order is not byte order.
    for (const folder of folders) {
        for await (const _ of store.list(`${folder}/`)) listed += 1;
    }
    await store.close();
    if (listed !== count) throw new Error(`${count} objects were put, ${listed} are listed`);
    return count;
}
