-- What was accepted within tolerance, and whether the payer's sum of it is within the limit.
-- Grain: payer_id, account_id, asset. Differences are added without their signs: many small ones
-- hide leakage, and those that offset hide it best.
with
summed as (
    select
        usage_payer_id as payer_id,
        usage_account_id as account_id,
        usage_asset as asset,
        cast(sum(case when code = 'R2' then usage_count else 0 end) as bigint) as match_count,
        cast(sum(expected) as decimal(38, 24)) as expected,
        cast(sum(actual) as decimal(38, 24)) as actual,
        cast(sum(expected - actual) as decimal(38, 24)) as difference,
        cast(sum(accepted) as decimal(38, 24)) as accepted,
        cast(sum(money) as decimal(38, 24)) as money,
        case when min(currency) = max(currency) then max(currency) end as currency
    from recon.outcomes
    where fate = 'match' and accepted <> 0
    group by usage_payer_id, usage_account_id, usage_asset
),

together as (
    select
        *,
        cast(sum(accepted) over (partition by payer_id, asset) as decimal(38, 24)) as of_payer
    from summed
)

select
    break_id_of('AMOUNT_ROUNDING', payer_id, account_id, together.asset, null, null) as break_id,
    payer_id,
    account_id,
    together.asset,
    match_count,
    expected,
    actual,
    difference,
    accepted,
    of_payer,
    money,
    case when assets.kind = 'currency' then together.asset else currency end as currency,
    of_payer <= coalesce(cast(assets.tolerance_total as decimal(38, 24)), of_payer) as is_within
from together
inner join rules.assets as assets on together.asset = assets.asset
