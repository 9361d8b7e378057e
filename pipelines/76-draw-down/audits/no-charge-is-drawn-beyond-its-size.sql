-- A charge is paid at most once: what was paid before and what is drawn are within it, and nothing
-- is drawn or paid of one that is not above zero. What was paid before was paid at its own price:
-- where overage is cheaper than that, it may be more than the charge, and then nothing is drawn.
with
given as (
    select owner_id, charge_no, sum(drawn) as drawn, min(drawn) as least_drawn
    from drawn.draw_downs
    group by owner_id, charge_no
)

select
    coalesce(given.owner_id, before.owner_id) as owner_id,
    coalesce(given.charge_no, before.charge_no) as charge_no,
    charges.rounded as charged,
    before.paid,
    given.drawn
from drawing.charges as before
full outer join given
    on before.owner_id = given.owner_id
    and before.charge_no = given.charge_no
left join drawn.charges as charges
    on before.owner_id = charges.owner_id
    and before.charge_no = charges.charge_no
where coalesce(given.drawn, 0)
        > greatest(coalesce(charges.rounded, 0) - coalesce(before.paid, 0), 0)
    or coalesce(before.paid, 0)
        > greatest(coalesce(charges.rounded, 0), coalesce(before.size, 0), 0)
    or coalesce(given.least_drawn <= 0, false)
    or coalesce(before.paid < 0, false)
order by owner_id, charge_no
