import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { memoryStore } from './memory-store.ts';
import type { TestProject } from './project.ts';
import { lines, tinyFiles } from './terminal.ts';

/** A night that all tests of a file look at. */
export interface Night {
    readonly project: TestProject;
    readonly result: RunResult;
    /** Its tables, only to be read. */
    readonly engine: Engine;
}

/** Runs a project once before the tests of a file; with them it goes. */
export function oneNight(make: () => TestProject): Night {
    let project: TestProject;
    let result: RunResult;
    let engine: Engine;
    beforeAll(async () => {
        project = make();
        result = await project.run();
        engine = await Engine.open({
            ...{ file: result.run.database, memory: '1GB', threads: 2, spill: '/tmp' },
            readOnly: true,
        });
    });
    afterAll(() => {
        engine?.close();
        project?.remove();
    });
    return {
        get project() {
            return project;
        },
        get result() {
            return result;
        },
        get engine() {
            return engine;
        },
    };
}

/** Works with a project that is gone afterwards. */
export async function within<T>(
    project: TestProject,
    work: (project: TestProject) => Promise<T>,
): Promise<T> {
    try {
        return await work(project);
    } finally {
        project.remove();
    }
}

/** The rows of a CSV file of a run. */
export function csvOf(
    { run }: RunResult,
    name: string,
): readonly Readonly<Record<string, string>>[] {
    return parse(readFileSync(join(run.output, name), 'utf8'), { columns: true, bom: true });
}

/** The files of the tiny project that are beside its config: for others with objects of their own. */
export function besideTiny(): Readonly<Record<string, string>> {
    return Object.fromEntries(
        Object.entries(tinyFiles()).filter(([name]) => !name.startsWith('data/')),
    );
}

/** A store that has usage and debits of one day. */
export function storeOfDay(
    day: string,
    usage: readonly object[],
    debits: readonly object[],
): ObjectStore {
    return memoryStore({
        [`usage/dt=${day}/0.ndjson`]: lines(usage),
        [`debits/dt=${day}/0.ndjson`]: lines(debits),
    });
}
