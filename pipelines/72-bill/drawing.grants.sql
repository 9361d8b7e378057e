-- Grants in minor units of their payers: they pay rounded charges. Prepaid units have paid before.
-- Grain: owner_id, grant_id. What is less than a minor unit can pay nothing and stays in the asset.
with
sized as (
    select
        grants.*,
        currencies.exponent,
        payers.period_end,
        cast(
            without_point(grants.opening) * without_point(grants.rate)
            // power_of_ten(24 - currencies.exponent)
            as hugeint
        ) as opening_minor,
        cast(
            without_point(cast(grants.opening + grants.granted as decimal(38, 12)))
            * without_point(grants.rate)
            // power_of_ten(24 - currencies.exponent)
            as hugeint
        ) as available
    from rules.grants as grants
    inner join rules.currencies as currencies on grants.currency = currencies.currency
    inner join rolled.payers as payers on grants.payer_id = payers.payer_id
    where grants.meter is null
)

select
    payer_id as owner_id,
    grant_id,
    currency as asset,
    opening_minor as opening,
    cast(available - opening_minor as hugeint) as granted,
    priority,
    cast(is_rollover as bigint) as is_rollover,
    without_point(cost_basis) as cost_basis,
    starts_at,
    expires_at,
    period_end as closes_at
from sized
