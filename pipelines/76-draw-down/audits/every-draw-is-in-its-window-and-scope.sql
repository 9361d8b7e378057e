-- A grant pays only for its products, its accounts, its asset, and what lies between its start and
-- its expiry.
with
widths as (
    select owner_id, grant_id, count(*) as width
    from drawing.scopes
    group by owner_id, grant_id
),

reaches as (
    select owner_id, grant_id, list(account_id) as accounts
    from drawing.reaches
    group by owner_id, grant_id
)

select draws.owner_id, draws.charge_no, draws.grant_id
from drawn.draw_downs as draws
inner join drawing.charges as charges
    on draws.owner_id = charges.owner_id
    and draws.charge_no = charges.charge_no
inner join drawing.grants as grants
    on draws.owner_id = grants.owner_id
    and draws.grant_id = grants.grant_id
left join widths
    on draws.owner_id = widths.owner_id
    and draws.grant_id = widths.grant_id
left join drawing.scopes as scopes
    on draws.owner_id = scopes.owner_id
    and draws.grant_id = scopes.grant_id
    and charges.product = scopes.product
left join reaches
    on draws.owner_id = reaches.owner_id
    and draws.grant_id = reaches.grant_id
where charges.asset <> grants.asset
    or charges.first_at < grants.starts_at
    or charges.last_at >= grants.expires_at
    or (widths.width > 0 and charges.product is not null and scopes.product is null)
    or (charges.account_id is not null
        and not list_contains(reaches.accounts, charges.account_id))
order by draws.owner_id, draws.charge_no, draws.grant_id
