-- The causes of a break in which both sides are compared are all of it, exactly.
with
sides as (
    select disputes.break_id, breaks.amount as break_amount
    from recon.disputes as disputes
    left join recon.breaks as breaks on disputes.break_id = breaks.break_id
),

found as (
    select break_id, sum(amount) as cause_amount
    from recon.break_causes
    group by break_id
)

select coalesce(sides.break_id, found.break_id) as break_id, sides.break_amount, found.cause_amount
from sides
full outer join found on sides.break_id = found.break_id
where sides.break_amount is distinct from coalesce(found.cause_amount, 0)
order by break_id
