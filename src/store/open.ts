import { resolve } from 'node:path';
import { folderStore } from './local.ts';
import type { ObjectStore } from './object-store.ts';
import { s3Store } from './s3.ts';

/** Where objects are, as the config says it. */
export type StoreOptions =
    | { readonly folder: string }
    | {
          readonly bucket: string;
          readonly endpoint?: string | undefined;
          readonly region?: string | undefined;
          readonly path_style: boolean;
      };

/** Opens the store of a project. @param base what a relative folder is relative to. */
export function openStore(options: StoreOptions, base: string): ObjectStore {
    if ('folder' in options) return folderStore(resolve(base, options.folder));
    const { bucket, endpoint, region, path_style } = options;
    return s3Store({
        bucket,
        path_style,
        ...(endpoint ? { endpoint } : {}),
        ...(region ? { region } : {}),
    });
}
