import type { Engine } from '../duck/engine.ts';
import { rollForward } from '../items/roll-forward.ts';
import { standingOf } from '../items/standing.ts';
import { buildReport, type ReportModel, type ReportSource } from '../report/model.ts';
import type { Certificate } from '../schema/certificate.ts';
import { readTolerances } from './items.ts';
import { readStatements } from './statement-outputs.ts';
import { readThreeWay } from './three-way.ts';

/** What the tables of a run give a report, with documents that were read of them already. */
export async function reportSource(
    engine: Engine,
    certificate: Certificate,
    documents: Pick<ReportSource, 'lines' | 'breaks'>,
): Promise<ReportSource> {
    const isNightly = certificate.pipeline === 'nightly';
    return {
        ...{ certificate, ...documents },
        ...(isNightly ? { statements: await readStatements(engine) } : {}),
        three_way: await readThreeWay(engine, certificate),
    };
}

/**
 * The report that a run leaves of itself: what it found, without what came before it or was decided
 * since, so that the same inputs give the same page.
 */
export async function ownReport(
    engine: Engine,
    certificate: Certificate,
    documents: Pick<ReportSource, 'lines' | 'breaks'>,
): Promise<ReportModel> {
    const { period, run_id, as_of, payers } = certificate;
    const tolerances = await readTolerances(engine);
    const found = { period, run_id, as_of, breaks: documents.breaks, tolerances };
    const items = rollForward({ ...found, before: [], carried: [] });
    const nothing = { decisions: [], releases: [] };
    const standing = standingOf({ period, run_id, as_of, items, payers, ...nothing });
    return buildReport({ ...(await reportSource(engine, certificate, documents)), standing });
}
