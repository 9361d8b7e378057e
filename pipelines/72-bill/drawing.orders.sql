-- The order in which grants draw, for each payer that has some.
-- Grain: owner_id, position.
with
owners as (
    select payer_id
    from rules.grants
    where meter is null
    group by payer_id
)

select owners.payer_id as owner_id, draw_order.position, draw_order.term
from owners
cross join rules.draw_order as draw_order
