-- The ledger: what each charge draws from each grant.
-- Grain: owner_id, charge_no, grant_id. One step per turn, over all owners at once: the grant whose
-- turn it is gives to the charges in their order until it is empty. That is the same as every
-- charge taking from the grants in theirs: what a charge draws from a grant depends only on what
-- earlier grants gave to it and what earlier charges left of the grant. What was paid before any
-- grant is not drawn again.
with recursive
steps as (
    select
        charges.owner_id,
        charges.asset,
        charges.charge_no,
        given.account_id,
        given.product,
        given.first_at,
        given.last_at,
        cast(0 as bigint) as turn,
        cast(charges.rounded - given.paid as hugeint) as unpaid,
        cast(0 as hugeint) as drawn,
        cast(0 as hugeint) as balance
    from drawn.charges as charges
    inner join drawing.charges as given
        on charges.owner_id = given.owner_id
        and charges.charge_no = given.charge_no
    where charges.rounded > given.paid

    union all

    select
        owner_id,
        asset,
        charge_no,
        account_id,
        product,
        first_at,
        last_at,
        turn,
        cast(unpaid - drawn as hugeint) as unpaid,
        cast(drawn as hugeint) as drawn,
        cast(available - asked_before - drawn as hugeint) as balance
    from (
        select *, greatest(0, least(asked, available - asked_before)) as drawn
        from (
            select
                *,
                coalesce(
                    sum(asked) over (
                        partition by owner_id, asset
                        order by charge_no
                        rows between unbounded preceding and 1 preceding
                    ),
                    0
                ) as asked_before
            from (
                select
                    steps.owner_id,
                    steps.asset,
                    steps.charge_no,
                    steps.account_id,
                    steps.product,
                    steps.first_at,
                    steps.last_at,
                    steps.unpaid,
                    grants.turn,
                    grants.available,
                    case
                        when len(grants.products) > 0
                            and steps.product is not null
                            and not list_contains(grants.products, steps.product) then 0
                        when len(grants.accounts) > 0
                            and steps.account_id is not null
                            and not list_contains(grants.accounts, steps.account_id) then 0
                        when steps.first_at < grants.starts_at then 0
                        when steps.last_at >= grants.expires_at then 0
                        else steps.unpaid
                    end as asked
                from steps
                inner join drawn.grants as grants
                    on steps.owner_id = grants.owner_id
                    and steps.asset = grants.asset
                    and steps.turn + 1 = grants.turn
                where steps.unpaid > 0
            )
        )
    )
)

select
    steps.owner_id,
    steps.charge_no,
    grants.grant_id,
    steps.asset,
    steps.turn,
    steps.drawn,
    steps.balance
from steps
inner join drawn.grants as grants
    on steps.owner_id = grants.owner_id
    and steps.asset = grants.asset
    and steps.turn = grants.turn
where steps.drawn > 0
