-- In the asset of each grant: opening + granted - drawn - expired = closing, with the draws as its
-- lines say them; nothing is below zero, and no more rolls over than expires.
with
consumed as (
    select payer_id, grant_id, sum(asset_amount) as drawn
    from invoice.line_items
    where grant_id is not null
    group by payer_id, grant_id
)

select
    grants.payer_id,
    grants.grant_id,
    grants.opening,
    grants.granted,
    consumed.drawn,
    balances.expired,
    balances.rolled_over,
    balances.closing
from rules.grants as grants
left join invoice.balances as balances
    on grants.payer_id = balances.payer_id
    and grants.grant_id = balances.grant_id
left join consumed
    on grants.payer_id = consumed.payer_id
    and grants.grant_id = consumed.grant_id
where balances.closing is distinct from
        grants.opening + grants.granted - coalesce(consumed.drawn, 0) - balances.expired
    or balances.closing < 0
    or balances.expired < 0
    or balances.rolled_over < 0
    or balances.rolled_over > balances.expired
order by grants.payer_id, grants.grant_id
