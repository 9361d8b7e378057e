-- What each grant had, gave and has left, in its asset.
-- Grain: payer_id, grant_id. What is left of one that ends by the close is expired; a fraction of
-- that may go on under the name of its rollover, which the next period opens with.
with
given as (
    select payer_id, grant_id, sum(drawn) as drawn
    from invoice.draw_downs
    group by payer_id, grant_id
),

drained as (
    select
        grants.*,
        coalesce(given.drawn, 0) as drawn,
        grants.opening + grants.granted - coalesce(given.drawn, 0) as remaining,
        coalesce(grants.expires_at <= payers.period_end, false) as is_over
    from rules.grants as grants
    inner join rolled.payers as payers on grants.payer_id = payers.payer_id
    left join given
        on grants.payer_id = given.payer_id
        and grants.grant_id = given.grant_id
),

carried as (
    select
        *,
        case
            when is_over and rollover_id is not null
                then without_point(cast(remaining as decimal(38, 12)))
                    * without_point(rollover_fraction) // 1000000000000
                    // power_of_ten(12 - precision) * power_of_ten(12 - precision)
            else 0
        end as carried_units
    from drained
)

select
    payer_id,
    grant_id,
    asset,
    opening,
    granted,
    cast(drawn as decimal(38, 12)) as drawn,
    cast(case when is_over then remaining else 0 end as decimal(38, 12)) as expired,
    units_quantity(cast(carried_units as hugeint), 12) as rolled_over,
    cast(case when is_over then 0 else remaining end as decimal(38, 12)) as closing,
    currency,
    rate
from carried
