import type { Readable } from 'node:stream';

/** One object as the store lists it. `etag` is without quotes; a folder has none and gives mtime. */
export interface ObjectEntry {
    readonly key: string;
    readonly size: number;
    readonly etag: string;
    readonly versionId?: string;
    /** When the store got it, by its own clock: of a copy, when it was copied. */
    readonly arrived_at?: string;
}

/** The stream of one object, with what the store said about it when it began to answer. */
export interface ObjectBody {
    readonly stream: Readable;
    readonly size: number;
    readonly etag: string;
    readonly versionId?: string;
    /** Of all bytes, where whoever wrote the object has said it: `upload` does. */
    readonly sha256?: string;
}

/** What the pipeline needs of an object store. Keys use `/` and are never spliced into SQL or paths. */
export interface ObjectStore {
    /** How people know it: `s3://bucket` or `folder:/path`. Never holds a secret. */
    readonly address: string;
    /** Every object under the prefix, ordered by key (UTF-8 bytes), through all pages. */
    list(prefix: string): AsyncIterable<ObjectEntry>;
    /** Opens one object; with `ifEtag` it fails with OBJECT_CHANGED when the object is another one. */
    get(key: string, options?: { readonly ifEtag?: string }): Promise<ObjectBody>;
    /** Writes one small object whole. */
    put(key: string, body: Uint8Array | string): Promise<void>;
    /**
     * Writes one small object whole if there is none of that key; false when there is. An answer may
     * be lost: a writer that hears false looks whether the object is its own.
     */
    create(key: string, body: Uint8Array | string): Promise<boolean>;
    /** Writes a file of any size as one object, whole. A bucket keeps the sha256 beside the bytes. */
    upload(key: string, file: string, sha256: string): Promise<void>;
    /** Takes one object away; one that is not there is gone already. */
    remove(key: string): Promise<void>;
    close(): Promise<void>;
}
