-- A grant of an owner without an order would never be drawn.
select grants.owner_id, grants.grant_id, grants.asset
from drawing.grants as grants
left join drawn.grants as ranked
    on grants.owner_id = ranked.owner_id
    and grants.grant_id = ranked.grant_id
where ranked.turn is null
order by grants.owner_id, grants.grant_id
