-- What each side holds of the period, from the sources and not from the matching: what tie-outs and
-- audits compare the outcomes with, counted once for all of them.
-- Grain: side, account_id, asset.
select
    'usage' as side,
    account_id,
    wallet_asset as asset,
    count(*) as record_count,
    cast(sum(counted_quantity) as decimal(38, 24)) as amount
from compiled.event_values
where is_in_period
group by account_id, wallet_asset
union all
select
    'debits' as side,
    account_id,
    asset,
    count(*) as record_count,
    cast(sum(debit_amount) as decimal(38, 24)) as amount
from recon.entries
where is_in_period
group by account_id, asset
