import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import type { Effects } from '../effects.ts';
import { loadCharts } from '../report/charts.ts';
import type { History } from '../schema/certificate.ts';
import { inStage } from '../stage/run.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { carry, dropTouched } from './carry.ts';
import { certify } from './certify.ts';
import { type Counted, countThere } from './clickhouse/count.ts';
import { openSession } from './clickhouse/open.ts';
import { makeFolders, type RunFolder, readCertificate } from './folders.ts';
import { type IngestedObject, ingest, lookAt, pinOf, storedRows } from './ingest.ts';
import { readItems } from './items.ts';
import { keepRules } from './kept-rules.ts';
import type { InputListing } from './listing.ts';
import { writeOutputs } from './outputs.ts';
import type { Plan } from './pipeline.ts';
import { prepare } from './prepare.ts';
import type { Executed } from './published.ts';
import { madeBy, runFingerprint, runStages, upstreamOf } from './stages.ts';
import { openTables } from './tables.ts';
import { requireWorkable } from './too-many-breaks.ts';

/** What a run is made from, and where. */
export interface Work extends Omit<Plan, 'fingerprint' | 'finished'> {
    /** The run to go on from; null for none. */
    readonly previous: RunFolder | null;
    /** The run of the month before, whose open items are carried on; null for none. */
    readonly monthBefore: RunFolder | null;
}

/**
 * Makes a run: from its objects to its certificate.
 * @param admit looks at the objects once they are here and proven whole, before any is used.
 */
export async function execute(
    effects: Effects,
    store: ObjectStore,
    plan: Work,
    admit: (objects: readonly IngestedObject[]) => void = () => {},
): Promise<Executed> {
    const { run, project, options, previous } = plan;
    const { config } = project;
    makeFolders(run.lake);
    makeFolders(run.folder);
    const engine = await openTables(run, {
        memory: config.engine.memory,
        threads: config.engine.threads ?? availableParallelism(),
        spill: join(run.folder, 'spill'),
    });
    try {
        // Only now is the run ours alone: another process would hold the database. One that held it
        // since it was planned may have finished it.
        const finished = readCertificate(run);
        if (finished) return { certificate: finished, isReused: true };
        rmSync(run.scratch, { recursive: true, force: true });
        rmSync(run.output, { recursive: true, force: true });
        keepRules(run, project);
        // In one transaction: every statement alone would wait for the disk.
        await inStage('prepare', () => engine.transaction(() => prepare(engine, plan)));
        const { objects, history } = await rowsOf(effects, store, engine, plan, admit);
        const content = upstreamOf(plan, objects.map(pinnedAs));
        // A stage is complete for the rows that it looked at; the result does not depend on them.
        const looked = sha256(JSON.stringify([content, history]));
        void loadCharts();
        await runStages(engine, plan, looked, effects.progress);
        // From here on all rows can be looked up again, by those who ask why.
        if (!config.engine.clickhouse) {
            await lookAt(engine, config, await storedRows(engine, config, objects));
        }
        await dropTouched(engine);
        await requireWorkable(engine, config);
        effects.progress.begin('write');
        const changed = changedObjects(plan.listings, previous, objects);
        const certificate = await inStage('write', async () =>
            writeOutputs(
                engine,
                run,
                {
                    ...(await certify(engine, project, options, run.runId, {
                        ...history,
                        ...changed,
                    })),
                    run_fingerprint: runFingerprint(options, madeBy(plan.stages, content)),
                },
                { before: readItems(previous), carried: readItems(plan.monthBefore) },
            ),
        );
        effects.progress.end(run.output);
        return { certificate, isReused: false };
    } finally {
        // While it is ours: once the database is let go, another process may write there.
        try {
            removeScraps(run);
        } finally {
            engine.close();
        }
    }
}

/** The objects of a run, and what is known of their rows beside those that the stages look at. */
async function rowsOf(
    effects: Effects,
    store: ObjectStore,
    engine: Engine,
    plan: Work,
    admit: (objects: readonly IngestedObject[]) => void,
): Promise<Counted> {
    const { run, project, previous, listings } = plan;
    const { config } = project;
    const server = config.engine.clickhouse;
    if (server) {
        const clickhouse = await openSession(effects, server, run.runId);
        try {
            const counted = await inStage('clickhouse', () =>
                countThere({
                    ...{ engine, clickhouse, project, promises: plan.promises, listings, run },
                    ...{ store: store.address, progress: effects.progress },
                }),
            );
            admit(counted.objects);
            return counted;
        } finally {
            await clickhouse.close();
        }
    }
    const objects = await inStage('10-ingest', () =>
        ingest(engine, store, config, listings, run, effects.progress),
    );
    admit(objects);
    const history = await inStage('15-carry', () =>
        carry({
            ...{ engine, project, objects, previous },
            stages: plan.stages,
            lake: run.lake,
        }),
    );
    return { objects, history };
}

/** What only a run at work needs: objects on their way, and what the engine spilled. */
export function removeScraps(run: RunFolder): void {
    for (const folder of [run.scratch, join(run.folder, 'spill')]) {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** Objects that are not what they were when they were counted before; nothing is said of none. */
function changedObjects(
    listings: readonly InputListing[],
    previous: RunFolder | null,
    objects: readonly IngestedObject[],
): Pick<History, 'overwritten' | 'gone'> {
    const now = new Map(objects.map((of) => [JSON.stringify([of.input.name, pinOf(of).key]), of]));
    const overwritten = (previous && readCertificate(previous)?.inputs) ?? [];
    const changed = overwritten
        .filter((of) => {
            const object = now.get(JSON.stringify([of.input, of.key]));
            return object !== undefined && pinOf(object).sha256 !== of.sha256;
        })
        .map(({ key }) => key);
    const gone = listings.flatMap((listing) => listing.gone);
    return {
        ...(changed.length ? { overwritten: changed } : {}),
        ...(gone.length ? { gone } : {}),
    };
}

/** What an object is to the result: of which input, under which name, with which bytes. */
const pinnedAs = (object: IngestedObject) => {
    const { key, sha256: hash } = pinOf(object);
    return [object.input.name, key, hash];
};
