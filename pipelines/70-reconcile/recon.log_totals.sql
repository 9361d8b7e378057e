-- What a debit log holds of each wallet, whatever the period: entries, numbered ones, captures.
-- Grain: account_id, asset, wallet_id.
with
counted as (
    select
        account_id,
        asset,
        wallet_id,
        count(*) as entry_count,
        count(*) filter (where is_usage_debit(entry_type)) as usage_entry_count,
        count(sequence) as numbered_count,
        coalesce(sum(amount) filter (where entry_type = 'capture'), 0) as captured
    from mediated.debit_entries
    group by account_id, asset, wallet_id
    union all by name
    select * from carried.log_totals
)

select
    account_id,
    asset,
    wallet_id,
    cast(sum(entry_count) as bigint) as entry_count,
    cast(sum(usage_entry_count) as bigint) as usage_entry_count,
    cast(sum(numbered_count) as bigint) as numbered_count,
    cast(sum(captured) as decimal(38, 24)) as captured
from counted
group by account_id, asset, wallet_id
