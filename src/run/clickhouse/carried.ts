import { meterCount, meteredBackSql, meteredClickSql } from '../../compile/clickhouse/events.ts';
import { eventShape } from '../../compile/shape.ts';
import { quoteTable } from '../../duck/sql.ts';
import type { Config } from '../../schema/config.ts';
import { type ClickSession, parquetOf } from './session.ts';
import { clickStatement } from './statements.ts';

/*
 * What was found there becomes what the stages add to what they find here: the relations that an
 * earlier run of a period fills otherwise (15-carry).
 */

const exact = 'decimal(38, 24)';

/** Relation of `carried` to the select that gives its share, and how it is read here. */
const shares: Readonly<Record<string, readonly [string, string, string]>> = {
    'carried.object_lines': [
        '20-mediate',
        'object_lines',
        `object_no, certain_count as line_count, certain_count as row_count,
            certain_count as record_count, 0 as duplicate_count, 0 as conflict_count,
            0 as suspended_count`,
    ],
    'carried.outcomes': [
        '70-reconcile',
        'outcomes',
        `case when code in ('R1', 'R2') then 'match' else code end as fate, code, '' as break_key,
            usage_payer_id, usage_account_id, usage_asset, debit_payer_id, debit_account_id,
            debit_asset, currency, products, make_timestamp(rate_us) as rate_at,
            cast(expected as ${exact}) as expected, cast(actual as ${exact}) as actual,
            cast(money as ${exact}) as money, cast(actual as ${exact}) as captured,
            cast(accepted as ${exact}) as accepted, usage_count, entry_count, '' as entry_ids,
            '' as detail, cast(paid as ${exact}) as paid`,
    ],
    'carried.sides': [
        '70-reconcile',
        'sides',
        `side, account_id, asset, record_count, cast(amount as ${exact}) as amount`,
    ],
    'carried.wallet_movements': [
        '70-reconcile',
        'wallet_movements',
        `* replace (cast(amount as ${exact}) as amount)`,
    ],
    'carried.loose_balances': [
        '70-reconcile',
        'loose_balances',
        '* replace (cast(balance as decimal(38, 12)) as balance, cast(at_us as hugeint) as at_us)',
    ],
    'carried.sequence_spans': [
        '70-reconcile',
        'sequence_spans',
        '* exclude (last_us), make_timestamp(last_us) as last_at',
    ],
};

/** Fills `carried.*` with what was found there. */
export async function takeShares(session: ClickSession, config: Config): Promise<void> {
    const { engine } = session;
    for (const [relation, [stage, name, columns]] of Object.entries(shares)) {
        const file = await session.bring(name, clickStatement(stage, name));
        await engine.run(`delete from ${quoteTable(relation)}`);
        await engine.run(
            `insert into ${quoteTable(relation)} by name select ${columns} from ${parquetOf(file)}`,
        );
    }
    await engine.run('delete from carried.metered_usage');
    for (const select of await bringMetered(
        session,
        config,
        'event_id in (select event_id from certain)',
        'certain',
    )) {
        await engine.run(`insert into carried.metered_usage by name ${select}`);
    }
}

/** Brings metered usage of some events here: one select for each meter. */
export async function bringMetered(
    session: ClickSession,
    config: Config,
    where: string,
    name: string,
): Promise<readonly string[]> {
    const shape = eventShape(config);
    const selects: string[] = [];
    for (let at = 0; at < meterCount(config); at += 1) {
        const file = await session.bring(
            `metered.${name}.${at}`,
            meteredClickSql(config, shape, at, where),
        );
        selects.push(meteredBackSql(config, shape, at, parquetOf(file)));
    }
    return selects;
}
