-- What of each charge nothing paid for.
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
    before.paid,
    cast(coalesce(given.drawn, 0) as hugeint) as drawn,
    cast(charges.rounded - before.paid - coalesce(given.drawn, 0) as hugeint) as remaining
from drawn.charges as charges
inner join drawing.charges as before
    on charges.owner_id = before.owner_id
    and charges.charge_no = before.charge_no
left join given
    on charges.owner_id = given.owner_id
    and charges.charge_no = given.charge_no
