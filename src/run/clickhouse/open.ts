import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { unsupportedThere } from '../../compile/clickhouse/refusals.ts';
import type { Effects } from '../../effects.ts';
import { RunError } from '../../errors/index.ts';
import type { Config } from '../../schema/config.ts';
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

/** Opens the session of a run. @throws RunError CLICKHOUSE_* */
export async function openSession(
    { openClickHouse }: Effects,
    server: NonNullable<Config['engine']['clickhouse']>,
    name: string,
): Promise<ClickHouse> {
    if (!openClickHouse) throw new Error('whoever runs a night on ClickHouse says how to reach it');
    return openClickHouse(server, name);
}
