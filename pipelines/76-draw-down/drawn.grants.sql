-- Grants in the order in which they draw, among those of one owner and asset.
-- Grain: owner_id, grant_id. Each term of the order is a whole number, smaller first; lists of them
-- compare term by term, and ids decide what is left.
with
scoped as (
    select owner_id, grant_id, list(product order by product) as products
    from drawing.scopes
    group by owner_id, grant_id
),

reached as (
    select owner_id, grant_id, list(account_id order by account_id) as accounts
    from drawing.reaches
    group by owner_id, grant_id
),

-- Products weigh more than accounts: a scope has two numbers, any other term has one.
keyed as (
    select
        grants.owner_id,
        grants.grant_id,
        grants.asset,
        grants.opening,
        grants.granted,
        coalesce(scoped.products, []) as products,
        coalesce(reached.accounts, []) as accounts,
        grants.starts_at,
        grants.expires_at,
        flatten(list(
            case orders.term
                when 'priority' then [grants.priority]
                when 'rollover' then [1 - grants.is_rollover]
                when 'cost_basis'
                    then [case when grants.cost_basis = 0 then cast(0 as bigint) else 1 end]
                when 'scope' then [
                    coalesce(len(scoped.products), 9000000000000000000),
                    coalesce(len(reached.accounts), 9000000000000000000)
                ]
                when 'expires_at'
                    then [coalesce(epoch_us(grants.expires_at), 9000000000000000000)]
                when 'starts_at'
                    then [coalesce(epoch_us(grants.starts_at), -9000000000000000000)]
                else [cast(
                    error('drawing.orders: ' || orders.term || ' is not a term of an order')
                    as bigint
                )]
            end
            order by orders.position
        )) as keys
    from drawing.grants as grants
    inner join drawing.orders as orders on grants.owner_id = orders.owner_id
    left join scoped
        on grants.owner_id = scoped.owner_id
        and grants.grant_id = scoped.grant_id
    left join reached
        on grants.owner_id = reached.owner_id
        and grants.grant_id = reached.grant_id
    group by all
)

select
    owner_id,
    grant_id,
    asset,
    row_number() over (partition by owner_id, asset order by keys, grant_id) as turn,
    cast(opening + granted as hugeint) as available,
    products,
    accounts,
    starts_at,
    expires_at
from keyed
