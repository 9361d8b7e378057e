import { engineVersion } from '../../src/duck/engine.ts';
import { costOf } from '../support/cost.ts';
import { answerOf, priceValues, type SqlRow } from './answer.ts';
import { openEngine, parquetOf } from './data.ts';
import type { Measured, Setting } from './subject.ts';

/** The job as one plain select of the engine that tieout runs on. */
export async function measure(setting: Setting): Promise<Measured> {
    const duck = await openEngine(setting);
    let rows: readonly SqlRow[] = [];
    const cost = await costOf(async () => {
        rows = (await duck.rows(jobSql(setting.folder))) as readonly SqlRow[];
    });
    duck.close();
    return {
        parts: [{ name: 'job', cost }],
        answer: answerOf(rows),
        says: `DuckDB ${engineVersion}, one select over Parquet, DECIMAL; ${setting.threads} threads, ${setting.memory}`,
    };
}

const jobSql = (folder: string) => `
with prices (model, is_long, input_price, cached_price, output_price) as (
    values ${priceValues('decimal(9, 2)')}
),
usage as (
    select source, id, any_value(subject) as account, any_value(model) as model,
        any_value(cast(time as date)) as day, any_value(input_tokens) as input,
        any_value(cached_input_tokens) as cached, any_value(output_tokens) as output
    from ${parquetOf(folder, 'usage')} group by source, id
),
events as materialized (
    select id, account, usage.model, is_long, day, input - cached as fresh, cached, output,
        cast((input - cached) * input_price + cached * cached_price + output * output_price
            as decimal(18, 2)) as amount
    from usage
        join prices on usage.model = prices.model and (input > 200000) = prices.is_long
),
entries as (
    select entry_id, any_value(account_id) as account, any_value(event_id) as event_id,
        any_value(amount) as amount
    from ${parquetOf(folder, 'debits')} group by entry_id
),
metered as (
    select account, model, is_long, day, count(*) as events, sum(fresh) as fresh,
        sum(cached) as cached, sum(output) as output, sum(amount) as amount
    from events group by all
),
rated as (
    select account, sum(events) as events, count(*) as metered, sum(fresh) as fresh,
        sum(cached) as cached, sum(output) as output, sum(amount) as rated
    from metered group by account
),
tied as (
    select coalesce(events.account, entries.account) as account,
        count(entries.amount) as entries, sum(entries.amount) as debited,
        count(*) filter (round(events.amount, 0) = entries.amount * 1000000) as agreed,
        count(*) filter (entries.amount is null) as undebited,
        sum(events.amount) filter (entries.amount is null) as undebited_amount,
        count(*) filter (events.amount is null) as unused,
        sum(entries.amount) filter (events.amount is null) as unused_amount
    from events full join entries on events.id = entries.event_id group by 1
)
select * from tied full join rated using (account)`;
