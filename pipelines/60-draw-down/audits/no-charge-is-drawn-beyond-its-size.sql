-- Grants pay for a charge at most once: drawn <= charge, and nothing of one that is not above zero.
select
    draws.owner_id,
    draws.charge_no,
    charges.rounded as charged,
    sum(draws.drawn) as drawn
from drawn.draw_downs as draws
left join drawn.charges as charges
    on draws.owner_id = charges.owner_id
    and draws.charge_no = charges.charge_no
group by draws.owner_id, draws.charge_no, charges.rounded
having sum(draws.drawn) > coalesce(charges.rounded, 0) or min(draws.drawn) <= 0
order by draws.owner_id, draws.charge_no
