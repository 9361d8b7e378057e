import { join } from 'node:path';
import type { Cost, Part } from '../support/cost.ts';
import { answerOf, priceValues, type SqlRow } from './answer.ts';
import { csvFolder } from './data.ts';
import { Cluster } from './postgres-cluster.ts';
import type { Measured, Setting } from './subject.ts';

/** The job as plain SQL on a PostgreSQL of its own, which is copied both sides first. */
export async function measure(setting: Setting): Promise<Measured> {
    const cluster = Cluster.start(setting);
    try {
        await cluster.sql(tables);
        const load = await cluster.cost(async () => {
            await Promise.all(
                ['usage', 'debits'].map((side) =>
                    cluster.copy(side, join(csvFolder(setting), `${side}.csv`)),
                ),
            );
            await cluster.sql('analyze usage; analyze debits');
        });
        let text = '';
        const job = await cluster.cost(async () => {
            text = await cluster.sql(`${settings(setting)} ${jobSql}`);
        });
        const rows: readonly SqlRow[] = JSON.parse(text);
        const parts: readonly Part[] = [
            { name: 'job', cost: both(load, job) },
            { name: 'select', cost: job },
        ];
        const version = await cluster.sql('show server_version');
        return { parts, answer: answerOf(rows), says: `PostgreSQL ${version.trim()}: ${said}` };
    } finally {
        cluster.stop();
    }
}

const said =
    'COPY of CSV into unlogged tables and ANALYZE (both counted), then one select, numeric';

const both = (one: Cost, other: Cost): Cost => ({
    seconds: one.seconds + other.seconds,
    cpu: one.cpu + other.cpu,
    peakBytes: Math.max(one.peakBytes, other.peakBytes),
});

/** Of one session, which has the machine for itself. */
const settings = ({ threads }: Setting) => `
    set work_mem = '1GB'; set hash_mem_multiplier = 2; set jit = off;
    set max_parallel_workers_per_gather = ${threads}; set min_parallel_table_scan_size = 0;
    set parallel_setup_cost = 0;`;

const tables = `
create unlogged table usage (
    source text, id text, type text, subject text, "time" timestamp, model text,
    input_tokens bigint, cached_input_tokens bigint, output_tokens bigint
);
create unlogged table debits (
    entry_id text, entry_type text, account_id text, asset text, amount numeric(18, 6),
    booked_at timestamp, event_id text, wallet_id text
);`;

const jobSql = `
with prices (model, is_long, input_price, cached_price, output_price) as (
    values ${priceValues('numeric')}
),
kept as (
    select distinct on (source, id) id, subject as account, model, "time"::date as day,
        input_tokens > 200000 as is_long, input_tokens - cached_input_tokens as fresh,
        cached_input_tokens as cached, output_tokens as output
    from usage
),
events as materialized (
    select id, account, kept.model, is_long, day, fresh, cached, output,
        fresh * input_price + cached * cached_price + output * output_price as amount
    from kept join prices using (model, is_long)
),
entries as (
    select distinct on (entry_id) account_id as account, event_id, amount from debits
),
metered as (
    select account, model, is_long, day, count(*) as events, sum(fresh) as fresh,
        sum(cached) as cached, sum(output) as output, sum(amount) as amount
    from events group by account, model, is_long, day
),
rated as (
    select account, sum(events) as events, count(*) as metered, sum(fresh) as fresh,
        sum(cached) as cached, sum(output) as output, sum(amount) as rated
    from metered group by account
),
tied as (
    select coalesce(events.account, entries.account) as account,
        count(entries.amount) as entries, sum(entries.amount) as debited,
        count(*) filter (where round(events.amount) = entries.amount * 1000000) as agreed,
        count(*) filter (where entries.amount is null) as undebited,
        sum(events.amount) filter (where entries.amount is null) as undebited_amount,
        count(*) filter (where events.amount is null) as unused,
        sum(entries.amount) filter (where events.amount is null) as unused_amount
    from events full join entries on events.id = entries.event_id group by 1
),
answer as (
    select account, entries::text, debited::text, agreed::text, undebited::text,
        undebited_amount::text, unused::text, unused_amount::text, events::text, metered::text,
        fresh::text, cached::text, output::text, rated::text
    from tied full join rated using (account)
)
select json_agg(answer) from answer`;
