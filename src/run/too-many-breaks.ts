import type { Engine } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import type { Config } from '../schema/config.ts';

/** Codes and payers that a message names. */
const NAMED = 3;

/**
 * More breaks than people can look at are one thing gone wrong as a whole, and no list: a log that did
 * not come, a price that nobody told the wallet. The run stops before it writes any of them.
 * @throws RunError LIMIT_BREAKS
 */
export async function requireWorkable(
    engine: Engine,
    { limits: { breaks: limit } }: Config,
): Promise<void> {
    const { actual } = await engine.one('select count(*) as actual from recon.breaks');
    if (BigInt(String(actual)) <= BigInt(limit)) return;
    const most = async (of: 'code' | 'payer_id') => {
        const rows = await engine.rows(
            `select coalesce(${of}, 'nobody') as name, count(*) as break_count
            from recon.breaks group by all order by break_count desc, name limit ${NAMED}`,
        );
        return rows.map(({ name, break_count }) => `${break_count} ${name}`);
    };
    const [codes, payers] = [await most('code'), await most('payer_id')];
    throw new RunError('LIMIT_BREAKS', { actual: String(actual), limit, codes, payers });
}
