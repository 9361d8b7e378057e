import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { breakCauses } from '../../pipelines/70-reconcile/cause-tables.ts';
import { breaks } from '../../pipelines/70-reconcile/tables.ts';
import type { Row } from '../duck/engine.ts';
import type { Break } from '../schema/break.ts';
import type { Config } from '../schema/config.ts';
import type { BreakEvidence } from '../schema/report.ts';
import { trimmed } from './decimals.ts';
import { readEvidence } from './evidence-of-breaks.ts';
import type { RunFolder } from './folders.ts';
import type { RowsFound } from './moved-rows.ts';
import { breakOf } from './outputs.ts';
import { inTables } from './tables.ts';

/** A break with the records of both sides behind it. */
export interface BreakRecords
    extends Pick<BreakEvidence, 'usage' | 'debits' | 'usage_count' | 'debit_count'> {
    readonly of: Break;
    /** What made the difference, in order; together they are all of it. */
    readonly causes: readonly {
        readonly cause: string;
        readonly amount: string;
        readonly detail: string;
    }[];
    /** Objects whose rows are kept no more, or that something was erased from since. */
    readonly found: RowsFound;
}

/**
 * Reads a break of a run and the stored rows that it is about; null where the run does not have it.
 * @throws RunError RUN_NOT_FOUND, RUN_OUTDATED, ENGINE_LOCKED, RUN_DAMAGED
 */
export async function readBreakRecords(
    run: RunFolder,
    config: Config,
    break_id: string,
): Promise<BreakRecords | null> {
    const options = {
        ...{ rows: { config, ifLost: 'tell' } as const, contracts: [breaks, breakCauses] },
        ...{ memory: config.engine.memory, threads: 2, spill: join(tmpdir(), 'tieout-serve') },
    };
    return inTables(run, options, async (engine, found) => {
        const [row] = await engine.rows('select * from recon.breaks where break_id = $break_id', {
            break_id,
        });
        if (!row) return null;
        const of = breakOf(row);
        const [evidence] = await readEvidence(engine, [of]);
        const { usage = [], debits = [], usage_count = 0, debit_count = 0 } = evidence ?? {};
        const causes = await engine.rows(
            `select cause, amount, detail from recon.break_causes
            where break_id = $break_id order by cause_no`,
            { break_id },
        );
        const sides = { usage, debits, usage_count, debit_count };
        return { of, causes: causes.map(causeOf), ...sides, found };
    });
}

const causeOf = ({ cause, amount, detail }: Row) => ({
    cause: String(cause),
    amount: trimmed(amount),
    detail: String(detail),
});
