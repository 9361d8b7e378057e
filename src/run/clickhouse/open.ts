import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { unsupportedThere } from '../../compile/clickhouse/refusals.ts';
import type { Effects } from '../../effects.ts';
import { RunError } from '../../errors/index.ts';
import type { Config } from '../../schema/config.ts';
import { type RunFolder, readCertificate } from '../folders.ts';
import { metersByEvent } from '../prepare.ts';
import type { Project } from '../project.ts';

/**
 * What a project on ClickHouse needs is done there, or nothing is.
 * @throws RunError CLICKHOUSE_UNSUPPORTED
 */
export function requireDoneThere(project: Project): void {
    if (!project.config.engine.clickhouse) return;
    const reasons = [
        ...unsupportedThere(project.config, metersByEvent(project)),
        // What is in the bucket of a state is whole for other machines: rows here would be missing.
        ...(typeof project.config.state !== 'string'
            ? ['`state` is in a bucket, for machines that read rows of a run']
            : []),
    ];
    if (reasons.length) throw new RunError('CLICKHOUSE_UNSUPPORTED', { reasons });
}

/**
 * What looks at rows of any kind is not done for a project whose rows stay elsewhere.
 * @param what the command, as it is typed.
 * @throws RunError CLICKHOUSE_UNSUPPORTED
 */
export function refuseThere({ config, state }: Project, what: string): void {
    const kept = globSync(join(state, 'runs', '*', returnedFolder));
    const reasons = [
        ...(config.engine.clickhouse ? [`\`${what}\` looks at rows, and they stay there`] : []),
        ...kept.slice(0, 1).map((folder) => `\`${what}\` knows nothing of rows in ${folder}`),
    ];
    if (reasons.length) throw new RunError('CLICKHOUSE_UNSUPPORTED', { reasons });
}

/** Where rows that came back stay, in the folder of a run. */
export const returnedFolder = 'returned';

/** Rows behind a line are here. @throws RunError CLICKHOUSE_ROWS_ELSEWHERE */
export function requireRowsHere(run: RunFolder, what: string): void {
    if (readCertificate(run)?.history.counted_there === undefined) return;
    throw new RunError('CLICKHOUSE_ROWS_ELSEWHERE', { run: run.runId, what });
}

/** Opens the session of a run. @throws RunError CLICKHOUSE_* */
export async function openSession(
    { openClickHouse }: Effects,
    server: NonNullable<Config['engine']['clickhouse']>,
    name: string,
): Promise<ClickHouse> {
    if (!openClickHouse) throw new Error('whoever runs a night on ClickHouse says how to reach it');
    return openClickHouse(server, name);
}
