import { join } from 'node:path';
import { Engine } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import { buildReport } from '../report/model.ts';
import { renderTerminal } from '../report/terminal.ts';
import { latestRun, readCertificate } from '../run/folders.ts';
import { readBreaks, readLines } from '../run/outputs.ts';
import { type Answer, type CommandContext, projectOf } from './command.ts';
import { requirePeriod } from './run.ts';

/** `tieout report`: the reconciliation of a period, from the run that speaks for it. */
export async function report(
    flags: { readonly period: string },
    context: CommandContext,
): Promise<Answer> {
    const project = projectOf(context);
    const run = latestRun(project.state, requirePeriod(flags.period));
    const certificate = readCertificate(run);
    if (!certificate) {
        throw new RunError('RUN_NOT_FOUND', {
            detail: `${run.output} is not whole: a file is missing or was changed after the run`,
        });
    }
    const engine = await Engine.open({
        file: run.database,
        memory: project.config.engine.memory,
        threads: 2,
        spill: join(run.folder, 'spill'),
        readOnly: true,
    });
    try {
        const lines = certificate.pipeline === 'nightly' ? await readLines(engine) : [];
        const model = buildReport({ certificate, lines, breaks: await readBreaks(engine) });
        const html = join(run.output, 'report.html');
        return {
            exit: certificate.result === 'held' ? 1 : 0,
            text: `${renderTerminal(model)}\nreport     ${html}\n`,
            json: { run_id: run.runId, report: html, headline: model.headline, certificate },
        };
    } finally {
        engine.close();
    }
}
