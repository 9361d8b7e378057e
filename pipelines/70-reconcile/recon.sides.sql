-- What each side holds of the period, from the sources and not from the matching: what tie-outs and
-- audits compare the outcomes with, counted once for all of them.
-- Grain: side, account_id, asset.
with
counted as (
    select 'usage' as side, account_id, asset, record_count, amount
    from compiled.counted_usage
    union all by name
    select * from carried.sides
    union all
    select
        'debits' as side,
        account_id,
        asset,
        entry_count as record_count,
        -balance_effect(entry_type, amount) as amount
    from recon.wallet_movements
    where is_in_period and is_usage_debit(entry_type)
)

select
    side,
    account_id,
    asset,
    cast(sum(record_count) as bigint) as record_count,
    cast(sum(amount) as decimal(38, 24)) as amount
from counted
group by side, account_id, asset
