-- Nobody pays while a grant that is for the charge has something left.
select remainders.owner_id, remainders.charge_no, grants.grant_id, remainders.remaining
from drawn.remainders as remainders
inner join drawing.charges as charges
    on remainders.owner_id = charges.owner_id
    and remainders.charge_no = charges.charge_no
inner join drawn.grants as grants
    on charges.owner_id = grants.owner_id
    and charges.asset = grants.asset
inner join drawn.balances as balances
    on grants.owner_id = balances.owner_id
    and grants.grant_id = balances.grant_id
where remainders.remaining > 0
    and balances.closing + balances.expired > 0
    and coalesce(charges.first_at >= grants.starts_at, true)
    and coalesce(charges.last_at < grants.expires_at, true)
    and (
        len(grants.products) = 0
        or charges.product is null
        or list_contains(grants.products, charges.product)
    )
    and (
        len(grants.accounts) = 0
        or charges.account_id is null
        or list_contains(grants.accounts, charges.account_id)
    )
order by remainders.owner_id, remainders.charge_no, grants.grant_id
