-- What each grant had, gave and has left.
-- Grain: owner_id, grant_id. What is left of one that ends by the close is expired.
with
given as (
    select owner_id, grant_id, sum(drawn) as drawn
    from drawn.draw_downs
    group by owner_id, grant_id
),

drained as (
    select
        grants.owner_id,
        grants.grant_id,
        grants.asset,
        grants.opening,
        grants.granted,
        coalesce(given.drawn, 0) as drawn,
        coalesce(grants.expires_at <= grants.closes_at, false) as is_over
    from drawing.grants as grants
    left join given
        on grants.owner_id = given.owner_id
        and grants.grant_id = given.grant_id
)

select
    owner_id,
    grant_id,
    asset,
    opening,
    granted,
    cast(drawn as hugeint) as drawn,
    cast(case when is_over then opening + granted - drawn else 0 end as hugeint) as expired,
    cast(case when is_over then 0 else opening + granted - drawn end as hugeint) as closing
from drained
