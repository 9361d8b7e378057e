import { join } from 'node:path';
import { costOf } from '../support/cost.ts';
import { answerOf, priceValues, type SqlRow } from './answer.ts';
import { loadPeer, peerVersion } from './peers.ts';
import type { Measured, Setting } from './subject.ts';

interface Chdb {
    readonly query: (sql: string, format: string) => string;
}

/** The job as one plain select of ClickHouse, which runs in this process. */
export async function measure(setting: Setting): Promise<Measured> {
    const { query } = loadPeer<Chdb>('chdb');
    // Loading it is not the job; a first small select makes it start its threads.
    const version = query('select version()', 'TSVRaw').trim();
    let text = '';
    const cost = await costOf(async () => {
        text = query(jobSql(setting), 'JSONEachRow');
    });
    const rows: readonly SqlRow[] = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    return {
        parts: [{ name: 'job', cost }],
        answer: answerOf(rows),
        says: `ClickHouse ${version} (${peerVersion('chdb')}), one select over Parquet, Decimal; ${setting.threads} threads`,
    };
}

function jobSql({ folder, threads }: Setting): string {
    const rowsOf = (side: string) => `file('${join(folder, 'data', side, '*.parquet')}', Parquet)`;
    return `
with prices as (
    select * from values(
        'model String, is_long Bool, input_price Decimal(9, 2), cached_price Decimal(9, 2),
         output_price Decimal(9, 2)',
        ${priceValues('Decimal(9, 2)')})
),
usage as (
    select source, id, any(subject) as account, any(u.model) as model, any(toDate(time)) as day,
        any(input_tokens) as input, any(cached_input_tokens) as cached,
        any(output_tokens) as output, any(input_tokens) > 200000 as is_long
    from ${rowsOf('usage')} as u group by source, id
),
events as materialized (
    select id, account, usage.model as model, usage.is_long as is_long, day, input - cached as fresh,
        cached, output,
        (input - cached) * input_price + cached * cached_price + output * output_price as amount
    from usage join prices on usage.model = prices.model and usage.is_long = prices.is_long
),
entries as (
    select entry_id, any(account_id) as account, any(d.event_id) as event_id,
        any(d.amount) as amount
    from ${rowsOf('debits')} as d group by entry_id
),
metered as (
    select account, model, is_long, day, count() as events, sum(fresh) as fresh,
        sum(cached) as cached, sum(output) as output, sum(amount) as amount
    from events group by account, model, is_long, day
),
rated as (
    select account, sum(m.events) as events, count() as metered, sum(m.fresh) as fresh,
        sum(m.cached) as cached, sum(m.output) as output, sum(m.amount) as rated
    from metered as m group by account
),
tied as (
    select coalesce(events.account, entries.account) as account,
        count(entries.amount) as entries, sum(entries.amount) as debited,
        countIf(round(events.amount, 0) = entries.amount * 1000000) as agreed,
        countIf(entries.amount is null) as undebited,
        sumIf(events.amount, entries.amount is null) as undebited_amount,
        countIf(events.amount is null) as unused,
        sumIf(entries.amount, events.amount is null) as unused_amount
    from events full join entries on events.id = entries.event_id group by 1
)
select account, entries, debited, agreed, undebited, undebited_amount, unused, unused_amount,
    events, metered, fresh, cached, output, rated
from tied full join rated using (account)
settings max_threads = ${threads}, join_use_nulls = 1, enable_materialized_cte = 1, output_format_json_quote_64bit_integers = 1,
    output_format_json_quote_decimals = 1`;
}
