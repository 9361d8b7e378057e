import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { RunResult } from '../../src/run/pipeline.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { memoryStore } from '../support/memory-store.ts';
import { generatedWorld, type TestProject, testProject } from '../support/project.ts';

/* The same inputs give the same bytes, whatever the machine does in between. */
export const world = generatedWorld();
const projects: TestProject[] = [];

const isStore = (of: object): of is ObjectStore => 'list' in of && typeof of.list === 'function';

/** A project over those objects; it goes when the tests of the file end. */
export function project(
    objects: ObjectStore | Readonly<Record<string, Uint8Array>> = world.objects,
    change: (config: string) => string = (of) => of,
): TestProject {
    const config = world.files['tieout.yaml'] ?? '';
    const store = isStore(objects) ? objects : memoryStore(objects);
    const made = testProject({ ...world.files, 'tieout.yaml': change(config) }, store);
    projects.push(made);
    return made;
}

/** Changes a config. */
export const threads = (count: number) => (config: string) =>
    config.replace('threads: 1', `threads: ${count}`);

/** What people and other systems get. */
export function documents({ run }: RunResult): Record<string, string> {
    return Object.fromEntries(
        ['line_items.csv', 'breaks.csv', 'suspense.csv', 'stripe-requests.json'].map((name) => [
            name,
            readFileSync(join(run.output, name), 'utf8'),
        ]),
    );
}

/** The run that the others of a file are compared with, and its project. */
export function firstRun(): { readonly project: TestProject; readonly result: RunResult } {
    let own: TestProject;
    let result: RunResult;
    beforeAll(async () => {
        own = project();
        result = await own.run();
    });
    afterAll(() => {
        for (const one of projects.splice(0)) one.remove();
    });
    return {
        get project() {
            return own;
        },
        get result() {
            return result;
        },
    };
}
