import type { ObjectStore } from './object-store.ts';

/** The part of a store whose keys begin with a prefix, as a store of its own: keys without it. */
export function below(store: ObjectStore, prefix: string): ObjectStore {
    const start = prefix.replace(/^\/+|\/+$/g, '');
    if (start === '') return store;
    const at = (key: string) => `${start}/${key}`;
    return {
        address: `${store.address}/${start}`,
        async *list(under) {
            for await (const entry of store.list(at(under))) {
                yield { ...entry, key: entry.key.slice(start.length + 1) };
            }
        },
        get: (key, options) => store.get(at(key), options),
        put: (key, body) => store.put(at(key), body),
        create: (key, body) => store.create(at(key), body),
        upload: (key, file, sha256) => store.upload(at(key), file, sha256),
        remove: (key) => store.remove(at(key)),
        close: () => store.close(),
    };
}
