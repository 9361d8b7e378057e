import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import type { Engine } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import type { PayerStanding } from '../schema/item.ts';
import { closedBy } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { readStateLog, requireSpoken } from './books.ts';
import type { RunFolder } from './folders.ts';
import { readStanding } from './items.ts';
import type { Project } from './project.ts';
import { fetchTables } from './published.ts';
import { inTables } from './tables.ts';

/** The run that bills a period, and who stays out of what goes out. */
export interface Billed {
    readonly run: RunFolder;
    /** Payers that are held and that nobody released: no line of theirs may go out. */
    readonly held: readonly PayerStanding[];
    /** When the run was entered, and when the period was closed; null while it is open. */
    readonly entered_at: string;
    readonly closed_at: string | null;
}

/**
 * Works in the tables of the run that bills a period.
 * @throws RunError RUN_NOT_FOUND, OUTPUT_CHANGED, RUN_OUTDATED, STATE_DAMAGED, STORE_*
 */
export async function inBilled<T>(
    state: State,
    project: Project,
    period: string,
    work: (engine: Engine, billed: Billed) => Promise<T>,
): Promise<T> {
    const log = await readStateLog(state);
    const { run, certificate, standing } = await readStanding(state, log, period);
    if (certificate.pipeline !== 'nightly') {
        const detail = `the run that speaks for ${period} only reconciles: it bills nothing`;
        throw new RunError('RUN_NOT_FOUND', { detail });
    }
    await fetchTables(state, run);
    const billed: Billed = {
        ...{ run, held: standing.payers.filter((of) => of.standing === 'held') },
        entered_at: requireSpoken(state, log, period).at,
        closed_at: closedBy(log, period)?.at ?? null,
    };
    const options = {
        ...{ memory: project.config.engine.memory, threads: 2 },
        ...{ spill: join(tmpdir(), 'tieout-export'), contracts: [lineItems] },
    };
    return inTables(run, options, (engine) => work(engine, billed));
}
