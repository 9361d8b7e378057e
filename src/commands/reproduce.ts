import { relative } from 'node:path';
import { RunError } from '../errors/index.ts';
import { counted } from '../report/figures.ts';
import { refuseThere } from '../run/clickhouse/open.ts';
import { itemsFile } from '../run/items.ts';
import { codeText, type Reproduction, reproduceRun } from '../run/reproduce.ts';
import { type Answer, type CommandContext, projectOf } from './command.ts';
import { type RunFlags, run } from './run.ts';

export interface ReproduceFlags {
    /** The id of a past run. */
    readonly reproduce?: string;
}

/**
 * `tieout run`, of a month or once more of a past run, which says for itself what it was of.
 * @throws RunError USAGE without a month and without a run, or with both
 */
export async function runOrReproduce(
    { reproduce, period, ...rest }: Partial<RunFlags> & ReproduceFlags,
    context: CommandContext,
): Promise<Answer> {
    if (reproduce === undefined) {
        if (period !== undefined) return run('nightly', { period, ...rest }, context);
        throw new RunError('USAGE', {
            detail: "required option '--period <yyyy-MM>' not specified",
        });
    }
    if (period !== undefined || rest.asOf !== undefined) {
        throw new RunError('USAGE', {
            detail: '--reproduce takes no --period and no --as-of: the run says both',
        });
    }
    const project = projectOf(context);
    refuseThere(project, 'tieout run --reproduce');
    return answerOf(await reproduceRun(project, context.effects, reproduce), context.cwd);
}

/** Exit 1 when anything differs: what is asked for is the same bytes. */
function answerOf(made: Reproduction, cwd: string): Answer {
    const { certificate, again, differing, isSame, isOtherCode, folder } = made;
    const code = codeText(made);
    const others = code === null ? [] : [['code', code] as const];
    const rows: readonly (readonly [string, string])[] = isSame
        ? [
              ['reproduced', `digest ${again.run_digest}`],
              [
                  'the same',
                  `${counted(Object.keys(again.outputs).filter((name) => name !== itemsFile).length, 'file')}, to the byte${isOtherCode ? ', but for report.html, which names the code' : ''}`,
              ],
              ...others,
          ]
        : [
              ['DIFFERENT', `digest ${again.run_digest}`],
              ['it was', certificate.run_digest],
              ['differing', differing.join(', ') || 'nothing but control totals'],
              ...others,
              ['made now', relative(cwd, folder) || '.'],
          ];
    return {
        exit: isSame ? 0 : 1,
        text: `${[['run', certificate.run_id] as const, ...rows].map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')}\n`,
        json: {
            run_id: certificate.run_id,
            is_reproduced: isSame,
            run_digest: certificate.run_digest,
            again: { run_digest: again.run_digest, differing, is_other_code: isOtherCode },
            folder: isSame ? null : folder,
        },
    };
}
