import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BucketOptions, generateBucket } from '../../fixtures/generator/index.ts';
import { generatedWallets, projectFiles } from '../../fixtures/project.ts';
import { type Effects, silent } from '../../src/effects.ts';
import { type RunResult, runPipeline } from '../../src/run/pipeline.ts';
import type { RunOptions } from '../../src/run/prepare.ts';
import { openProject } from '../../src/run/project.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { memoryStore } from './memory-store.ts';

/** Small, with every planted break at least once. */
export const smallBucket: BucketOptions = {
    seed: 11,
    period: '2026-10',
    events: 900,
    accounts: { teams: 3, resellers: 2, customersPerReseller: 2, departments: 3 },
};

export const defaults: RunOptions = {
    pipeline: 'nightly',
    period: '2026-10',
    as_of: '2026-11-05T00:00:00Z',
};

/** A project in a temporary folder that is removed when the test ends. */
export interface TestProject {
    readonly folder: string;
    readonly write: (name: string, text: string | Uint8Array) => void;
    readonly effects: Effects;
    readonly run: (options?: Partial<RunOptions>) => Promise<RunResult>;
    readonly remove: () => void;
}

/** Writes files into a fresh folder; objects come from the given store. */
export function testProject(
    files: Readonly<Record<string, string>>,
    store: ObjectStore,
): TestProject {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-test-'));
    const write = (name: string, text: string | Uint8Array) => {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
    };
    for (const [name, text] of Object.entries(files)) write(name, text);
    const effects: Effects = {
        openStore: async () => store,
        now: () => '2026-11-05T09:00:00Z',
        progress: silent,
    };
    return {
        folder,
        write,
        effects,
        run: (options = {}) =>
            runPipeline(openProject(join(folder, 'tieout.yaml')), effects, {
                ...defaults,
                ...options,
            }),
        remove: () => rmSync(folder, { recursive: true, force: true }),
    };
}

/** The files beside the config and the objects of a generated bucket. */
export function generatedWorld(options: BucketOptions = smallBucket): {
    readonly files: Readonly<Record<string, string>>;
    readonly objects: Readonly<Record<string, Uint8Array>>;
    readonly truth: ReturnType<typeof generateBucket>['truth'];
} {
    const bucket = generateBucket(options);
    const isBeside = (key: string) => !key.includes('/');
    const beside = bucket.files.filter(({ key }) => isBeside(key));
    const objects = bucket.files.filter(({ key }) => !isBeside(key));
    return {
        files: {
            ...projectFiles({
                name: 'test',
                store: { folder: 'data' },
                wallets: generatedWallets,
                memory: '1GB, threads: 1',
            }),
            ...Object.fromEntries(
                beside.map(({ key, bytes }) => [key, Buffer.from(bytes).toString()]),
            ),
        },
        objects: Object.fromEntries(objects.map(({ key, bytes }) => [key, bytes])),
        truth: bucket.truth,
    };
}

/** A project over a generated bucket in memory. */
export function generatedProject(options: BucketOptions = smallBucket): TestProject {
    const { files, objects } = generatedWorld(options);
    return testProject(files, memoryStore(objects));
}
