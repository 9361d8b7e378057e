import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import type { Stage } from '../stage/define.ts';
import { type RunFolder, writeWhole } from './folders.ts';

/*
 * The database rolls a stage back; the Parquet of its lake lies beside it, where anything may
 * happen to it between two attempts. A seal says what a complete stage left there.
 */

const sealOf = (run: RunFolder, stage: Stage) => join(run.lake, `${stage.name}.seal`);

/** Name, size and last change of every file of a stage's lake: cheap, and a rewrite shows. */
function lakeState(run: RunFolder, stage: Stage): string | null {
    const tables = stage.writes.filter(({ storage }) => storage === 'lake');
    if (tables.length === 0) return null;
    const files = tables.flatMap(({ name }) => {
        const folder = join(run.lake, name);
        if (!existsSync(folder)) return [[name, 'missing']];
        return readdirSync(folder, { recursive: true, encoding: 'utf8' })
            .sort()
            .map((file) => {
                const { size, ctimeNs } = statSync(join(folder, file), { bigint: true });
                return [name, file, String(size), String(ctimeNs)];
            });
    });
    return sha256(JSON.stringify(files));
}

/** Notes what a stage left in the lake, after it was committed. */
export function sealStage(run: RunFolder, stage: Stage): void {
    const state = lakeState(run, stage);
    if (state !== null) writeWhole(sealOf(run, stage), state);
}

/** Forgets that a stage was complete when its lake is not as it left it: then it is made anew. */
export async function breakSeals(
    engine: Engine,
    run: RunFolder,
    stages: readonly Stage[],
): Promise<void> {
    for (const stage of stages) {
        const state = lakeState(run, stage);
        const seal = sealOf(run, stage);
        if (state === null || (existsSync(seal) && readFileSync(seal, 'utf8') === state)) continue;
        await engine.run('delete from control.stages where stage = $stage', { stage: stage.name });
    }
}
