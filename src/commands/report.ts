import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { breaks } from '../../pipelines/70-reconcile/tables.ts';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import { RunError } from '../errors/index.ts';
import { buildReport } from '../report/model.ts';
import { renderTerminal } from '../report/terminal.ts';
import { latestRun } from '../run/books.ts';
import { commandOf, inspectOutput } from '../run/folders.ts';
import { readBreaks, readLines } from '../run/outputs.ts';
import { readStatements } from '../run/statement-outputs.ts';
import { inTables } from '../run/tables.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { requirePeriod } from './run.ts';

/** `tieout report`: the reconciliation of a period, from the run that speaks for it. */
export async function report(
    flags: { readonly period: string },
    context: CommandContext,
): Promise<Answer> {
    const project = projectOf(context);
    const period = requirePeriod(flags.period);
    const run = await inState(project, context, (state) => latestRun(state, period));
    const { certificate, changes } = inspectOutput(run);
    if (!certificate || changes.length) {
        throw new RunError('OUTPUT_CHANGED', {
            folder: run.output,
            files: changes,
            command: commandOf(flags.period, certificate),
        });
    }
    const options = {
        ...{ memory: project.config.engine.memory, threads: 2 },
        ...{ spill: join(tmpdir(), 'tieout-report'), contracts: [lineItems, breaks] },
    };
    return inTables(run, options, async (engine) => {
        const isNightly = certificate.pipeline === 'nightly';
        const model = buildReport({
            certificate,
            lines: isNightly ? await readLines(engine) : [],
            breaks: await readBreaks(engine),
            ...(isNightly ? { statements: await readStatements(engine) } : {}),
        });
        const html = join(run.output, 'report.html');
        return {
            exit: certificate.result === 'held' ? 1 : 0,
            text: `${renderTerminal(model)}\nreport     ${html}\n`,
            json: { run_id: run.runId, report: html, headline: model.headline, certificate },
        };
    });
}
