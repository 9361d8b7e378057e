-- Every partial of the run that is re-priced is kept, or its day is metered again: none is lost.
with
sides as (
    select meter, account_id, event_on, quantity, event_count from kept.usage
    union all
    select meter, account_id, event_on, -quantity as quantity, -event_count as event_count
    from cut.partials
)

select meter, account_id, event_on, sum(quantity) as quantity, sum(event_count) as event_count
from sides
anti join cut.days using (account_id, event_on)
group by meter, account_id, event_on
having sum(quantity) <> 0 or sum(event_count) <> 0
order by meter, account_id, event_on
