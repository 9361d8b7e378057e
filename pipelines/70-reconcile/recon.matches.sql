-- What agreed, by rule, and the differences accepted within tolerance.
-- Grain: rule, account_id, asset.
select
    code as rule,
    usage_account_id as account_id,
    usage_asset as asset,
    cast(sum(usage_count) as bigint) as usage_count,
    cast(sum(entry_count) as bigint) as entry_count,
    cast(sum(expected) as decimal(38, 24)) as expected,
    cast(sum(actual) as decimal(38, 24)) as actual,
    cast(sum(expected - actual) as decimal(38, 24)) as difference
from recon.outcomes
where fate = 'match'
group by code, usage_account_id, usage_asset
