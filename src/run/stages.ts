import { resell } from '../../pipelines/85-resell/stage.ts';
import { nightly, type PipelineInputs, reconciliation } from '../../pipelines/nightly.ts';
import type { Engine } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import type { Progress } from '../effects.ts';
import type { Stage } from '../stage/define.ts';
import { inStage, readStageSql, runStage, stageFingerprint } from '../stage/run.ts';
import { codeFingerprint, version } from './code.ts';
import type { Plan } from './pipeline.ts';
import type { RunOptions } from './prepare.ts';
import { priceSales } from './sell.ts';

/** The stages of a pipeline. */
export function stagesOf({ pipeline }: RunOptions, inputs: PipelineInputs): readonly Stage[] {
    return pipeline === 'nightly' ? nightly(inputs) : reconciliation(inputs);
}

/** What stages are run for: the accounts and rules of a period, and the folder of the run. */
type Staged = Pick<Plan, 'options' | 'project' | 'tree' | 'run' | 'stages'>;

/**
 * What the first stage is made from.
 * @param of what it reads, by its content.
 */
export function upstreamOf(
    {
        options,
        project,
        tree: { channels, ...accounts },
    }: Pick<Staged, 'options' | 'project' | 'tree'>,
    of: unknown,
): string {
    return sha256(
        JSON.stringify([
            options,
            Object.entries(project.rules).sort(),
            accounts,
            channels.map(({ level_no, ...level }) => [`${level_no}`, level]),
            of,
        ]),
    );
}

/**
 * Runs the stages one after the other, each made from the one before. Gives the fingerprint of all.
 * @param before stages of the pipeline that are complete without them.
 */
export async function runStages(
    engine: Engine,
    { stages, project, tree, run }: Staged,
    upstream: string,
    progress: Progress,
    before = 0,
): Promise<string> {
    let made = upstream;
    for (const [index, stage] of stages.entries()) {
        progress.begin(stage.name);
        if (stage === resell) {
            await inStage('sales', () => priceSales(engine, project, tree, run));
        }
        const { fingerprint } = await runStage(stage, {
            engine,
            upstream: made,
            position: before + index + 1,
            onCheck: (check) => progress.advance(0, check),
        });
        made = fingerprint;
        progress.end();
    }
    return made;
}

/** The fingerprint that stages give one after the other, whichever rows they looked at. */
export function madeBy(stages: readonly Stage[], upstream: string): string {
    return stages.reduce(
        (made, stage) => stageFingerprint(stage, readStageSql(stage), made),
        upstream,
    );
}

/** Everything the result depends on: the content of the inputs, rules, SQL, code and parameters. */
export function runFingerprint(options: RunOptions, made: string): string {
    return sha256(JSON.stringify([options, version, codeFingerprint(), made]));
}

/** Stages of a plan with the sha256 of their SQL: what `plan` prints. */
export function describeStages(
    stages: readonly Stage[],
): readonly { readonly stage: string; readonly outputs: number; readonly sql_sha256: string }[] {
    return stages.map((stage) => {
        const sql = readStageSql(stage);
        return {
            stage: stage.name,
            outputs: stage.writes.length,
            sql_sha256: stageFingerprint(stage, sql, ''),
        };
    });
}
