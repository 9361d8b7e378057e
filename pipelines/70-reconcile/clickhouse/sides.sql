-- What there is of usage that is certain here: the share of recon.sides.
-- Grain: side, account_id, asset. Debits are counted by what moved their wallets.
select
    'usage' as side,
    usage_account_id as account_id,
    usage_asset as asset,
    toInt64(count()) as record_count,
    toString(sumOrNull(counted_quantity)) as amount
from certain
where is_counted and is_used_in_period
group by usage_account_id, usage_asset
