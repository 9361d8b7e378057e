-- Opening + granted - drawn - expired = closing, with the draws as the ledger has them, and a grant
-- never gives more than it holds.
with
given as (
    select owner_id, grant_id, sum(drawn) as drawn
    from drawn.draw_downs
    group by owner_id, grant_id
)

select
    grants.owner_id,
    grants.grant_id,
    balances.opening,
    balances.granted,
    given.drawn,
    balances.expired,
    balances.closing
from drawing.grants as grants
left join drawn.balances as balances
    on grants.owner_id = balances.owner_id
    and grants.grant_id = balances.grant_id
left join given
    on grants.owner_id = given.owner_id
    and grants.grant_id = given.grant_id
where balances.closing is distinct from
        grants.opening + grants.granted - coalesce(given.drawn, 0) - balances.expired
    or balances.closing < 0
    or balances.expired < 0
order by grants.owner_id, grants.grant_id
