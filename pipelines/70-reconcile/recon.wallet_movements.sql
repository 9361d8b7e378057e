-- What moved each wallet, by type of entry: of the usage family or not, in the period or around it.
-- Grain: as declared. The one scan of a log from which all its totals are made.
with
found as (
    select
        entries.input,
        entries.account_id,
        entries.asset,
        entries.wallet_id,
        entries.entry_type,
        entries.booked_at >= coalesce(paths.period_start, parameters.period_start)
            and entries.booked_at < coalesce(paths.period_end, parameters.period_end)
            as is_in_period,
        count(*) as entry_count,
        count(entries.sequence) as numbered_count,
        count(coalesce(entries.balance_after, entries.balance_before)) as stated_count,
        sum(entries.amount) as amount
    from mediated.debit_entries as entries
    cross join run.parameters as parameters
    left join accounts.paths as paths
        on entries.account_id = paths.account_id
        and entries.booked_at >= paths.valid_from
        and entries.booked_at < paths.valid_to
    group by all
    union all by name
    select * from carried.wallet_movements
)

select
    input,
    account_id,
    asset,
    wallet_id,
    entry_type,
    is_in_period,
    cast(sum(entry_count) as bigint) as entry_count,
    cast(sum(numbered_count) as bigint) as numbered_count,
    cast(sum(stated_count) as bigint) as stated_count,
    cast(sum(amount) as decimal(38, 24)) as amount
from found
group by input, account_id, asset, wallet_id, entry_type, is_in_period
