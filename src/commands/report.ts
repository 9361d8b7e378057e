import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { breaks as breaksTable } from '../../pipelines/70-reconcile/tables.ts';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import { readDeliveries } from '../deliver/outbox.ts';
import { isWaiting } from '../items/standing.ts';
import { largestFirst } from '../report/breaks-summary.ts';
import { buildReport, type ReportModel, type ReportSource } from '../report/model.ts';
import { renderTerminal } from '../report/terminal.ts';
import { readStateLog } from '../run/books.ts';
import { readEvidence } from '../run/evidence-of-breaks.ts';
import { readStanding, type StandingRun } from '../run/items.ts';
import { readBreaks, readLines } from '../run/outputs.ts';
import type { Project } from '../run/project.ts';
import { fetchLake, fetchTables } from '../run/published.ts';
import { writeReport } from '../run/report-files.ts';
import { reportSource } from '../run/report-source.ts';
import { inTables } from '../run/tables.ts';
import { readTrend } from '../run/trend.ts';
import type { Break } from '../schema/break.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { requirePeriod } from './run.ts';

export interface ReportFlags {
    readonly period: string;
    /** Where the report goes; left out: `reports/PERIOD` in the folder of the state. */
    readonly out?: string;
}

/** Breaks of each currency that the page shows the raw records of, and as many without a price. */
const TRACED = 200;

/**
 * `tieout report`: the reconciliation of a period, from the run that speaks for it and what people
 * decided since. Writes the page and its data, and prints the summary.
 */
export async function report(flags: ReportFlags, context: CommandContext): Promise<Answer> {
    const project = projectOf(context);
    const period = requirePeriod(flags.period);
    const { folder, model, of } = await inState(project, context, async (state) => {
        const log = await readStateLog(state);
        const of = await readStanding(state, log, period);
        await fetchTables(state, of.run);
        await fetchLake(state, of.run);
        const trend = await readTrend(state, log, period);
        const deliveries = await readDeliveries(state.store, period);
        const folder = flags.out
            ? resolve(context.cwd, flags.out)
            : join(state.folder, 'reports', period);
        return { folder, of, model: await modelOf(of, { trend, deliveries }, project) };
    });
    const files = await writeReport(folder, model);
    const page = join(folder, 'report.html');
    const { certificate, standing, run } = of;
    return {
        exit: isWaiting(standing) ? 1 : 0,
        text: `${renderTerminal(model)}\nreport     ${page}\nwith       ${files.slice(1).join(', ')}\n`,
        json: {
            ...{ run_id: run.runId, report: page, folder, files },
            ...{ headline: model.headline, standing: model.standing, certificate },
        },
    };
}

function modelOf(
    { run, certificate, standing }: StandingRun,
    beside: Pick<ReportSource, 'trend' | 'deliveries'>,
    { config }: Project,
): Promise<ReportModel> {
    const options = {
        ...{ memory: config.engine.memory, threads: 2 },
        ...{ spill: join(tmpdir(), 'tieout-report'), contracts: [lineItems, breaksTable] },
        rows: { config, ifLost: 'tell' } as const,
    };
    return inTables(run, options, async (engine) => {
        const lines = certificate.pipeline === 'nightly' ? await readLines(engine) : [];
        const breaks = await readBreaks(engine);
        const source = await reportSource(engine, certificate, { lines, breaks });
        const evidence = await readEvidence(engine, traced(breaks));
        return buildReport({ ...source, ...beside, standing, evidence });
    });
}

/** The largest breaks of each currency, and those without a price, as the page shows them. */
function traced(breaks: readonly Break[]): readonly Break[] {
    const ofUnit = Map.groupBy(largestFirst(breaks), ({ money_amount, currency }) =>
        money_amount === null ? null : currency,
    );
    return [...ofUnit.values()].flatMap((of) => of.slice(0, TRACED));
}
