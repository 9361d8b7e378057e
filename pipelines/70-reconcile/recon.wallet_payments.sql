-- What wallets paid of the usage of the period.
-- Grain: payer_id, account_id, product, asset, rate_from.
select
    payers.payer_id,
    payers.payer_id as account_id,
    '' as product,
    '' as asset,
    timestamp '0001-01-01 00:00:00' as rate_from,
    cast(0 as decimal(38, 24)) as asset_amount,
    cast(1 as decimal(38, 12)) as rate,
    cast(0 as decimal(38, 24)) as amount,
    payers.currency
from rolled.payers as payers
where false
