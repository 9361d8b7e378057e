-- Each charge cut at its commitment: what still fits is within, the rest is above.
-- Grain: owner_id, charge_no. A charge without a commitment is within. The cut is where the running
-- sum passes what was promised, so a charge below zero takes back overage before it frees room.
with
counted as (
    select
        charges.owner_id,
        charges.charge_no,
        charges.commitment_id,
        charges.size,
        charges.beyond,
        commitments.committed,
        commitments.counted_before + sum(charges.size) over (
            partition by charges.owner_id, charges.commitment_id
            order by charges.charge_no
            rows between unbounded preceding and current row
        ) as counted_after
    from drawing.charges as charges
    left join drawing.commitments as commitments
        on charges.owner_id = commitments.owner_id
        and charges.commitment_id = commitments.commitment_id
),

cut as (
    select
        *,
        case
            when commitment_id is null then 0
            else greatest(counted_after - committed, 0)
                - greatest(counted_after - size - committed, 0)
        end as over
    from counted
)

select
    owner_id,
    charge_no,
    commitment_id,
    cast(size - over as hugeint) as within,
    cast(beyond + over as hugeint) as above
from cut
