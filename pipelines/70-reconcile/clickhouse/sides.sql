-- What each side holds of what is certain here: the share of recon.sides.
-- Grain: side, account_id, asset.
select
    'usage' as side,
    usage_account_id as account_id,
    usage_asset as asset,
    toInt64(count()) as record_count,
    toString(sumOrNull(counted_quantity)) as amount
from certain
where is_counted and is_used_in_period
group by usage_account_id, usage_asset
union all
select
    'debits' as side,
    account_id,
    asset,
    toInt64(count()) as record_count,
    toString(sumOrNullIf(amount, entry_type = 'capture')) as amount
from entries
where is_in_period and event_id in (select event_id from certain)
group by account_id, asset
