import { stringify } from 'yaml';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { type TinyProject, tinyFiles, tinyProject } from './terminal.ts';

/** Where a machine finds things; left out: beside its config. */
export interface Places {
    readonly state?: object;
    /** Of the inputs. */
    readonly store?: object;
}

const made: TinyProject[] = [];

/** For the end of a test file: removes all of its machines. */
export function removeMachines(): void {
    for (const one of made.splice(0)) one.remove();
}

/** A machine with the tiny project on it, and nothing of its state. */
export function machine({ state, store = { folder: 'data' } }: Places = {}): TinyProject {
    const files = tinyFiles();
    const text = files['tieout.yaml'] ?? '';
    const config = text.replace(/^store:\n {2}folder: data\n/m, stringify({ store }));
    const places = state ? stringify({ state }) : '';
    const one = tinyProject({ ...files, 'tieout.yaml': `${config}${places}` });
    made.push(one);
    return one;
}

/** The objects of the tiny project as they are keyed in a bucket. */
export function tinyObjects(): Readonly<Record<string, string>> {
    const objects = Object.entries(tinyFiles()).filter(([name]) => name.startsWith('data/'));
    return Object.fromEntries(objects.map(([name, text]) => [name.slice('data/'.length), text]));
}

export async function keysOf(store: ObjectStore, prefix = ''): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) keys.push(key);
    return keys;
}

export async function textOf(store: ObjectStore, key: string): Promise<string> {
    const { stream } = await store.get(key);
    return Buffer.concat(await stream.toArray()).toString();
}
