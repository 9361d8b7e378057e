-- What each side holds of the period, from the sources and not from the matching: what tie-outs and
-- audits compare the outcomes with, counted once for all of them.
-- Grain: side, account_id, asset.
with
counted as (
    select
        'usage' as side,
        account_id,
        wallet_asset as asset,
        count(*) as record_count,
        sum(counted_quantity) as amount
    from compiled.event_values
    where is_in_period
    group by account_id, wallet_asset
    union all
    select
        'debits' as side,
        account_id,
        asset,
        count(*) as record_count,
        sum(debit_amount) as amount
    from recon.entries
    where is_in_period
    group by account_id, asset
    union all by name
    select * from carried.sides
)

select
    side,
    account_id,
    asset,
    cast(sum(record_count) as bigint) as record_count,
    cast(sum(amount) as decimal(38, 24)) as amount
from counted
group by side, account_id, asset
