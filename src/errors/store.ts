import { counting } from './config.ts';
import { defineError } from './define.ts';

/** Where an object is: the store's address and the key in it. */
interface AtKey {
    readonly store: string;
    readonly key: string;
}

const isFolder = (store: string) => store.startsWith('folder:');

/** Errors of listing, fetching and spooling objects. */
export const storeErrors = {
    STORE_BUCKET_MISSING: defineError<{ store: string }>(
        2,
        (p) => `${p.store} does not exist`,
        (p) =>
            isFolder(p.store)
                ? 'Check `store.folder` in tieout.yaml; a relative path starts beside that file.'
                : 'Check `bucket`, `endpoint` and `region` of `store` and `state` in tieout.yaml.',
    ),
    STORE_ACCESS_DENIED: defineError<{ store: string; operation: string; detail: string }>(
        2,
        (p) => `${p.store} refused ${p.operation}: ${p.detail}`,
        (p) =>
            isFolder(p.store)
                ? 'Give this user the right to read there; a link may not lead out of the folder.'
                : 'Check AWS_PROFILE or AWS_ACCESS_KEY_ID / AWS_SECRET_ACCESS_KEY, and that the identity may list and get, and put where `state` is.',
    ),
    STORE_UNREACHABLE: defineError<{
        store: string;
        operation: string;
        detail: string;
        attempts: number;
    }>(
        75,
        (p) =>
            `${p.store} did not answer ${p.operation} after ${counting(p.attempts, 'attempt')}: ${p.detail}`,
        () =>
            'Check the network and the endpoint, then run the same command again; what is half done does not count.',
    ),
    OBJECT_GONE: defineError<{ store: string; key: string; run: string }>(
        1,
        (p) =>
            `${p.store}/${p.key} is gone, and so is what was read of it: run ${p.run} counted it`,
        () =>
            'Bring the object back, or say that it no longer counts: run with --accept-gone. Nothing was changed.',
    ),
    STORE_PREFIX_EMPTY: defineError<{ store: string; prefix: string; pattern: string }>(
        2,
        (p) => `no object under ${p.store}/${p.prefix} matches ${p.pattern}`,
        () =>
            'Check `prefix` and `dates` of this input, and the period: an empty night is never assumed.',
    ),
    OBJECT_CHANGED: defineError<AtKey & { expected: string; actual: string }>(
        75,
        (p) =>
            `${p.store}/${p.key} changed while it was read: listed as ${p.expected}, read as ${p.actual}`,
        () => 'Let the producer finish, then run again. Objects must not be overwritten in place.',
    ),
    OBJECT_SHORT: defineError<AtKey & { expected: number; actual: number }>(
        75,
        (p) => `${p.store}/${p.key} ended after ${p.actual} of ${p.expected} bytes`,
        () => 'Run again; if it repeats, the object or the network in between is damaged.',
    ),
    OBJECT_MISSING: defineError<AtKey>(
        75,
        (p) => `${p.store}/${p.key} was listed and is gone`,
        () => 'Find out who deletes input objects, restore it, and run again.',
    ),
    OBJECT_COMPRESSION_DAMAGED: defineError<AtKey & { compression: string; detail: string }>(
        2,
        (p) => `${p.store}/${p.key} is not a whole ${p.compression} stream: ${p.detail}`,
        () => 'Ask the producer for the whole object; a truncated file is never billed from.',
    ),
    OBJECT_NOT_TEXT: defineError<AtKey & { line: number; detail: string }>(
        2,
        (p) => `${p.store}/${p.key}:${p.line} is not UTF-8 text: ${p.detail}`,
        () => 'Move the file out of the input prefix, or state its real `format` in tieout.yaml.',
    ),
    OBJECT_NOT_PARQUET: defineError<AtKey & { detail: string }>(
        2,
        (p) => `${p.store}/${p.key} is not a whole Parquet file: ${p.detail}`,
        () => 'Ask the producer for the whole object, or state its real `format` in tieout.yaml.',
    ),
    OBJECT_LINE_TOO_LONG: defineError<AtKey & { line: number; limit: number }>(
        2,
        (p) => `${p.store}/${p.key}:${p.line} is longer than the limit of ${p.limit} bytes`,
        () => 'Look at the line; if it is real, raise `limits.line_bytes` in tieout.yaml.',
    ),
    CSV_HEADER_MISSING: defineError<AtKey & { header: string; missing: string }>(
        2,
        (p) =>
            `${p.store}/${p.key}:1 is not the header this input expects: ${p.header} lacks ${p.missing}`,
        () => 'Add the header line, or correct the column map of this input in tieout.yaml.',
    ),
    CSV_QUOTE_OPEN: defineError<AtKey & { line: number }>(
        2,
        (p) => `${p.store}/${p.key}:${p.line} opens a quote that never closes`,
        () => 'Ask the producer for the whole file; a cut CSV is never billed from.',
    ),
    DISK_FULL: defineError<{ folder: string; detail: string }>(
        75,
        (p) => `no space left under ${p.folder}: ${p.detail}`,
        () => 'Free some space, then run the same command again; it goes on where it stopped.',
    ),
    LIMIT_OBJECTS: defineError<{ actual: number; limit: number; prefix: string }>(
        2,
        (p) => `${p.actual} objects under ${p.prefix}, more than the limit of ${p.limit}`,
        () => 'Narrow the prefix or dates, or raise `limits.objects` in tieout.yaml.',
    ),
};
