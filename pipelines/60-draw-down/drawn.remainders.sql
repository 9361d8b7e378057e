-- What of each charge no grant paid for.
-- Grain: owner_id, charge_no. A charge below zero draws nothing and remains.
with
given as (
    select owner_id, charge_no, sum(drawn) as drawn
    from drawn.draw_downs
    group by owner_id, charge_no
)

select
    charges.owner_id,
    charges.charge_no,
    charges.rounded as charged,
    cast(coalesce(given.drawn, 0) as hugeint) as drawn,
    cast(charges.rounded - coalesce(given.drawn, 0) as hugeint) as remaining
from drawn.charges as charges
left join given
    on charges.owner_id = given.owner_id
    and charges.charge_no = given.charge_no
