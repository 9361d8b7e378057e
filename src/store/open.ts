import { resolve } from 'node:path';
import { below } from './below.ts';
import { folderStore } from './local.ts';
import type { ObjectStore } from './object-store.ts';

/** Where objects are, as the config says it. Keys of a bucket with a prefix are told without it. */
export type StoreOptions =
    | { readonly folder: string }
    | {
          readonly bucket: string;
          readonly prefix?: string | undefined;
          readonly endpoint?: string | undefined;
          readonly region?: string | undefined;
          readonly path_style: boolean;
      };

/**
 * Opens the store of a project. The SDK of S3 is only loaded for a bucket.
 * @param base what a relative folder is relative to.
 */
export async function openStore(options: StoreOptions, base: string): Promise<ObjectStore> {
    if ('folder' in options) return folderStore(resolve(base, options.folder));
    const { bucket, prefix = '', endpoint, region, path_style } = options;
    const { s3Store } = await import('./s3.ts');
    const store = s3Store({
        bucket,
        path_style,
        ...(endpoint ? { endpoint } : {}),
        ...(region ? { region } : {}),
    });
    return below(store, prefix);
}
